/** What drivers' own tests do that others seldom do: each passes directly, so it has to pass through the gateway. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { EventStore } from '../../core/index.ts'
import { startPair, type Pair } from '../support/compare.ts'
import { RawClient, type Address, type WireMessage } from '../support/compare-client.ts'
import { cstring, extended, query, startup, terminate } from '../support/compare-messages.ts'

const PROTOCOL_3_0 = 3 << 16

/** Keeps commands with this in them from becoming durable, until it is let go. */
class Brake {
  #text = ''
  #reached = Promise.withResolvers<void>()
  #released = Promise.withResolvers<void>()

  /** Resolves when such a command waits. */
  async pulled(text: string): Promise<void> {
    this.#text = text
    this.#reached = Promise.withResolvers<void>()
    this.#released = Promise.withResolvers<void>()
    await this.#reached.promise
  }

  release(): void {
    this.#text = ''
    this.#released.resolve()
  }

  wrap(store: EventStore): EventStore {
    return {
      append: async (...args) => {
        if (this.#text !== '' && JSON.stringify(args[1]).includes(this.#text)) {
          this.#reached.resolve()
          await this.#released.promise
        }
        return store.append(...args)
      },
      read: (...args) => store.read(...args),
      readAll: (...args) => store.readAll(...args),
      pending: () => store.pending(),
      close: () => store.close(),
    }
  }
}

const brake = new Brake()
let pair: Pair

before(async () => {
  pair = await startPair(18, {}, { wrapStore: (store) => brake.wrap(store) })
})

after(async () => pair?.stop())

/** Sends bytes, says that no more will come, and returns all that came back before the end. */
async function answerTo(address: Address, bytes: Buffer): Promise<string> {
  const socket: Socket = connect({ host: address.host, port: address.port, noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'connect')
  socket.end(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

describe('a driver', () => {
  it('that is told to end while it connects is let go without a word', async () => {
    const { user, database } = pair.direct
    for (const bytes of [terminate(), Buffer.concat([terminate(), startup(PROTOCOL_3_0, cstring('user'), cstring(user), cstring('database'), cstring(database), cstring(''))])]) {
      assert.equal(await answerTo(pair.direct, bytes), '', 'directly')
      assert.equal(await answerTo(pair.through, bytes), '', 'through the gateway')
    }
  })
  it('that cancels a statement while its decision is being written gets it cancelled', async () => {
    const client = await RawClient.open(pair.through)
    await client.ask(query('create temp table done (what text)'))
    const ways = [
      ['a simple statement', [query("insert into done values ('never')")], 'I'],
      ['an extended one', [extended("insert into done values ('never')")], 'I'],
    ] as const
    for (const [way, messages, state] of ways) {
      const waits = brake.pulled("('never')")
      client.send(...messages)
      await waits
      await client.cancel()
      brake.release()
      assert.deepEqual(summary(await client.ready()), ['E 57014', `Z ${state}`], way)
    }
    assert.deepEqual(summary(await client.ask(query('select what from done'))), ['T', 'C SELECT 0', 'Z I'])
    await client.close()
  })

  it('that cancels in a transaction before the target has the statement finds the transaction aborted', async () => {
    const client = await RawClient.open(pair.through)
    await client.ask(query('begin'))
    const waits = brake.pulled('never in here')
    client.send(query("select 'never in here'"))
    await waits
    await client.cancel()
    brake.release()
    assert.deepEqual(summary(await client.ready()), ['E 57014', 'Z E'])
    assert.deepEqual(summary(await client.ask(query('rollback'))), ['C ROLLBACK', 'Z I'])
    await client.close()
  })
})

/** Types of messages, with what matters of an error, a completion and a state. */
function summary(messages: readonly WireMessage[]): string[] {
  return messages.map(({ type, body }) => {
    if (type === 'E') return `E ${/\0C([0-9A-Z]{5})\0/.exec(body.toString('latin1'))?.[1] ?? ''}`
    if (type === 'C') return `C ${body.toString('latin1', 0, body.length - 1)}`
    return type === 'Z' ? `Z ${body.toString('latin1')}` : type
  })
}
