import { randomUUID } from 'node:crypto'
import { B, C, D, E, H, P, Q, S } from './raw-client.ts'

/** Numbers from 0 below `bound`, the same for the same seed. Source: mulberry32. */
export function dice(seed: number): (bound: number) => number {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

export interface Segments {
  /** Each is written at once; it ends where the server has to answer with ReadyForQuery. */
  readonly writes: readonly { readonly messages: readonly Buffer[]; readonly readies: number; readonly described: readonly string[] }[]
}

const STATEMENTS = ['', 'a', 'b']
const PORTALS = ['', 'p', 'q']

/** Statements that mean different things under other names, paths and transactions. */
function statement(roll: (bound: number) => number): string {
  const texts = [
    'select email from people', 'select item from orders', 'select 1', 'select 1/0', 'select nosuch from orders',
    `insert into marks values ('${randomUUID()}')`, `insert into marks values ('${randomUUID()}')`,
    "update cards set number = 'seized'", "update staging.cards set number = 'fine'", 'select number from cards', 'select upper(number) from cards', 'drop table orders',
    'set search_path = staging', 'set search_path = public', 'set local search_path = staging', 'set local search_path = public',
    'begin', 'commit', 'rollback', 'savepoint s', 'rollback to s', 'discard all', 'deallocate all', 'close all',
    'prepare a as select email from people', 'prepare a as select 1', 'prepare b as select upper(number) from cards', "prepare b as update cards set number = 'seized'", 'deallocate a', 'deallocate b',
    'execute a', 'execute b', 'declare p cursor for select email from people', 'declare p cursor for select item from orders', 'declare q cursor with hold for select number from cards',
    'close p', 'close q', 'fetch all from p', 'fetch 1 from q', 'set standard_conforming_strings = off', 'set standard_conforming_strings = on',
    `select '\\' , ' ; update public.cards set number = ''seized'' --'`,
  ]
  return texts[roll(texts.length)] ?? 'select 1'
}

function pick(list: readonly string[], roll: (bound: number) => number): string {
  return list[roll(list.length)] ?? ''
}

/** A session of a client that knows the protocol and means no good. */
export function hostileSegments(seed: number, length: number): Segments {
  const roll = dice(seed)
  const writes = []
  for (let round = 0; round < length; round++) {
    const messages: Buffer[] = []
    const described: string[] = []
    let readies = 0
    const add = (what: string, message: Buffer): void => void (messages.push(message), described.push(what))
    for (let count = 1 + roll(7); count > 0; count--) {
      const name = pick(STATEMENTS, roll)
      const portal = pick(PORTALS, roll)
      const text = statement(roll)
      switch (roll(9)) {
        case 0: add(`Q ${text}`, Q(text)); break
        case 1: add(`P ${name} ${text}`, P(name, text)); break
        case 2: add(`B ${portal} ${name}`, B(portal, name, [], roll(2))); break
        case 3: add(`E ${portal}`, E(portal, roll(2))); break
        case 4: add(`D ${portal}`, D('P', portal)); break
        case 5: add(`C ${name}${portal}`, roll(2) === 0 ? C('S', name) : C('P', portal)); break
        case 6: add('H', H); break
        case 7: add(`S`, S); readies++; break
        default: for (const [what, message] of [[`P ${name} ${text}`, P(name, text)], [`B ${portal} ${name}`, B(portal, name)], [`E ${portal}`, E(portal)]] as const) add(what, message)
      }
    }
    add('S', S)
    writes.push({ messages, readies: readies + 1, described })
  }
  return { writes }
}
