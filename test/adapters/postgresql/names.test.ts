import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { Names, UNSETTLED, type Change } from '../../../adapters/postgresql/names.ts'
import { decodeBind, decodeParse, encodeDescribePortal } from '../../../adapters/postgresql/wire/frontend.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../support/postgres-server.ts'
import { bind, close, describeMessage, execute, message, parse, sync, text } from './wire/message-bytes.ts'
import { SocketClient } from './wire/socket-client.ts'

describe('names of prepared statements', () => {
  it('are found once they are defined in the same segment, before the target has answered', () => {
    const names = new Names<string>()
    names.change('s', 1, 'one')
    assert.equal(names.lookup('s', 1), 'one')
    assert.equal(names.lookup('other', 1), undefined)
  })

  it('are unsettled in the next segment until the target has answered, and then what it has', () => {
    const names = new Names<string>()
    names.settle(names.change('s', 1, 'one'), true)
    const second = names.change('s', 2, 'two')
    assert.equal(names.lookup('s', 3), UNSETTLED)
    names.settle(second, false)
    assert.equal(names.lookup('s', 3), 'one')
  })

  it('are gone in the segment that closes them, and stay when the close was skipped', () => {
    const names = new Names<string>()
    names.define('s', 'one')
    const closed = names.change('s', 1, undefined)
    assert.deepEqual([names.lookup('s', 1), names.lookup('s', 2)], [undefined, UNSETTLED])
    names.settle(closed, false)
    assert.equal(names.lookup('s', 2), 'one')
  })

  it('count what is confirmed and what is open, and forget all of it when told to', () => {
    const names = new Names<string>()
    names.define('a', 'x')
    names.change('b', 1, 'y')
    assert.equal(names.size, 2)
    names.clear()
    assert.equal(names.lookup('a', 1), undefined)
  })

  it('settle a change once', () => {
    const names = new Names<string>()
    const change = names.change('s', 1, 'one')
    names.settle(change, true)
    names.define('s', undefined)
    names.settle(change, true)
    assert.equal(names.lookup('s', 2), undefined)
  })

  it('never give a definition that the server would not run, whatever fails and whenever it answers (property)', (t) => {
    const counts = { ran: 0, known: 0, unsettled: 0 }
    fc.assert(fc.property(fc.array(STEP, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => pair(steps, counts)), { numRuns: 5000 })
    t.diagnostic(`${counts.ran} statements run by the server, ${counts.known} of them known; ${counts.unsettled} times unsettled`)
    assert.ok(counts.ran > 1000 && counts.unsettled > 1000 && counts.known === counts.ran)
  })
})

type Step =
  | { readonly kind: 'parse' | 'close' | 'bind'; readonly name: string; readonly fails: boolean }
  | { readonly kind: 'fail' | 'query' | 'sync' | 'answer' }

const about = (kind: 'parse' | 'close' | 'bind'): fc.Arbitrary<Step> => fc.record({ kind: fc.constant(kind), name: fc.constantFrom('', 's', 's', 't'), fails: fc.integer({ min: 0, max: 5 }).map((n) => n === 0) })
const only = (kind: 'fail' | 'query' | 'sync' | 'answer'): fc.Arbitrary<Step> => fc.constant({ kind })
const STEP = fc.oneof(
  { weight: 4, arbitrary: about('parse') }, { weight: 4, arbitrary: about('bind') }, { weight: 3, arbitrary: about('close') },
  { weight: 5, arbitrary: only('sync') }, { weight: 1, arbitrary: only('query') }, { weight: 1, arbitrary: only('fail') }, { weight: 4, arbitrary: only('answer') },
)

interface Sent { readonly step: Step; readonly value: number; readonly found: number | undefined; readonly change: Change<number> | undefined }

/** The server as its documentation tells: an error in an extended message skips everything up to the next Sync. */
class Server {
  readonly #defined = new Map<string, number>()
  #skipping = false

  /** Whether it did it; for a Bind, the definition it runs. */
  take({ step, value }: Sent): { done: boolean; ran: number | undefined } {
    if (step.kind === 'sync') this.#skipping = false
    if (this.#skipping || step.kind === 'sync' || step.kind === 'answer') return { done: false, ran: undefined }
    const ran = step.kind === 'bind' && !step.fails ? this.#defined.get(step.name) : undefined
    const done = this.#does(step, value)
    if (!done && step.kind !== 'query') this.#skipping = true
    return { done, ran }
  }

  #does(step: Step, value: number): boolean {
    if (step.kind === 'query') this.#defined.delete('')
    if (step.kind === 'close') this.#defined.delete(step.name)
    if (step.kind === 'bind') return !step.fails && this.#defined.has(step.name)
    if (step.kind === 'parse') return this.#parse(step, value)
    return step.kind !== 'fail'
  }

  /** A name is defined once; the unnamed statement is dropped before the new one is parsed. */
  #parse({ name, fails }: { name: string; fails: boolean }, value: number): boolean {
    if (name === '') this.#defined.delete('')
    if (fails || this.#defined.has(name)) return false
    this.#defined.set(name, value)
    return true
  }
}

/** A gateway that sends on without waiting, and a server that answers when the steps say so. */
function pair(steps: readonly Step[], counts: { ran: number; known: number; unsettled: number }): void {
  const names = new Names<number>()
  const server = new Server()
  const onTheWay: Sent[] = []
  let segment = 0
  let value = 0
  const answer = (): void => {
    const sent = onTheWay.shift()
    if (sent === undefined) return
    const { done, ran } = server.take(sent)
    if (sent.change !== undefined) names.settle(sent.change, done)
    if (ran === undefined) return
    counts.ran++
    assert.equal(sent.found, ran, 'the server runs another definition than the one that was looked up')
    counts.known++
  }
  for (const step of steps) {
    if (step.kind === 'answer') {
      answer()
      continue
    }
    if (step.kind === 'query' || step.kind === 'sync') segment++
    let found: number | undefined
    if (step.kind === 'bind') {
      const looked = names.lookup(step.name, segment)
      if (looked === UNSETTLED) counts.unsettled++
      while (names.lookup(step.name, segment) === UNSETTLED) answer()
      const settled = names.lookup(step.name, segment)
      found = settled === UNSETTLED ? undefined : settled
    }
    value++
    const change = step.kind === 'parse' ? names.change(step.name, segment, value) : step.kind === 'close' ? names.change(step.name, segment, undefined) : undefined
    onTheWay.push({ step, value, found, change })
  }
  while (onTheWay.length > 0) answer()
}

const LONG = 'n'.repeat(63)
const nameOf = (bytes: Buffer): string => decodeParse(bytes, 0, bytes.length).name
const rawName = (name: readonly number[]): Buffer => message('P', [...name, 0], text('select 1'), [0, 0])

describe('names on the wire', () => {
  it('are the same when their first 63 bytes are', () => {
    assert.equal(nameOf(parse(`${LONG}1`, '')), nameOf(parse(`${LONG}2`, '')))
    assert.equal(nameOf(parse(`${LONG}é`, '')), nameOf(parse(LONG, '')))
    assert.notEqual(nameOf(parse(LONG, '')), nameOf(parse(LONG.slice(1), '')))
  })

  it('that are not ASCII are told apart by their bytes, and never found', () => {
    const [e, f] = [nameOf(rawName([0xe9])), nameOf(rawName([0xea]))]
    assert.notEqual(e, f)
    const names = new Names<string>()
    for (const name of [e, nameOf(parse('é', ''))]) {
      const change = names.change(name, 1, 'harmless')
      assert.equal(names.lookup(name, 1), undefined)
      names.settle(change, true)
      names.define(name, 'harmless')
      assert.deepEqual([names.lookup(name, 1), names.lookup(name, 2), names.size], [undefined, undefined, 0])
    }
  })

  it('go out as they came in', () => {
    for (const name of ['', 'portal', 'pörtal', '\u{1F511}']) {
      const { portal } = decodeBind(bind(name, '', [], []), 0, bind(name, '', [], []).length, 0)
      assert.deepEqual(encodeDescribePortal(portal), describeMessage('P', name))
    }
  })
})

const UNAVAILABLE = postgresUnavailable(18)
describe('the server\'s own idea of a name', { skip: UNAVAILABLE ?? false }, () => {
  let server: PostgresServer
  let client: SocketClient
  before(async () => {
    server = await startPostgres({ major: 18 })
    client = await SocketClient.connect(server)
  })
  after(async () => {
    await client.close()
    await server.stop()
  })

  it('is its first 63 bytes, as ours', async () => {
    const defined = await client.send(parse(`${LONG}1`, "select 'first'"), sync())
    assert.equal(defined[0]?.type, '1')
    const again = await client.send(parse(`${LONG}2`, "select 'second'"), sync())
    assert.ok(again[0]?.type === 'E' && again[0].bytes.includes('C42P05\0'), 'it exists already')
    const ran = await client.send(close('S', `${LONG}3`), parse(`${LONG}4`, "select 'replaced'"), bind('', `${LONG}1`, [], []), execute('', 0), sync())
    assert.ok(ran.some(({ type, bytes }) => type === 'D' && bytes.includes('replaced')), 'one name in other letters replaced the other')
  })

  it('depends on the encoding of the moment when it is not ASCII', async () => {
    await client.query("set client_encoding = 'LATIN1'")
    await client.send(parse('é', "select 'in Latin-1'"), sync())
    await client.query("set client_encoding = 'UTF8'")
    const ran = await client.send(parse('é', "select 'in UTF-8'"), bind('', 'é', [], []), execute('', 0), sync())
    assert.ok(ran.some(({ type, bytes }) => type === 'D' && bytes.includes('in UTF-8')), 'the same bytes name two statements')
  })
})
