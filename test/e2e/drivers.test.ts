/** What drivers' own tests do that others seldom do: each passes directly, so it has to pass through the gateway. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { startPair, type Pair } from '../support/compare.ts'
import type { Address } from '../support/compare-client.ts'
import { cstring, startup, terminate } from '../support/compare-messages.ts'

const PROTOCOL_3_0 = 3 << 16

let pair: Pair

before(async () => {
  pair = await startPair(18)
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
})
