import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { negotiateProtocol } from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { encodeError } from '../../../../adapters/postgresql/startup/error-fields.ts'
import { int32, untypedMessage } from '../../../../adapters/postgresql/startup/message-writer.ts'
import { parseStartupPacket } from '../../../../adapters/postgresql/startup/startup-packet.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'

describe('the first packet, beside PostgreSQL 18', { skip: postgresUnavailable(18) ?? false }, () => {
  let postgres: PostgresServer
  before(async () => {
    postgres = await startPostgres({ major: 18 })
  })
  after(() => postgres.stop())

  async function answerTo(packet: Buffer): Promise<Buffer> {
    const socket = connect({ host: postgres.host, port: postgres.port })
    socket.end(packet)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(socket, 'close')
    return Buffer.concat(chunks)
  }

  const options: [string, number, string[]][] = [
    ['a newer protocol', 9999, []],
    ['an option', 0, ['_pq_.gzip']],
    ['a newer protocol and two options', 3, ['_pq_.gzip', '_pq_.lz4']],
    ['protocol 3.1 and an option', 1, ['_pq_.x']],
  ]
  for (const [what, minor, names] of options) {
    test(`answers ${what} in the same bytes`, async () => {
      const packet = untypedMessage(int32((3 << 16) | minor), 'user', 'postgres', ...names.flatMap((name) => [name, 'on']), Buffer.of(0))
      const parsed = parseStartupPacket(packet)
      assert.ok(parsed.kind === 'startup')
      const { answer } = negotiateProtocol(parsed)
      assert.ok(answer !== undefined)
      assert.deepEqual((await answerTo(packet)).subarray(0, answer.length), answer)
    })
  }

  const refused: [string, Buffer][] = [
    ['no user', untypedMessage(int32(3 << 16), 'database', 'shop', Buffer.of(0))],
    ['protocol 4', untypedMessage(int32(4 << 16), 'user', 'ann', Buffer.of(0))],
    ['no terminator', untypedMessage(int32(3 << 16), 'user', 'ann')],
  ]
  for (const [what, packet] of refused) {
    test(`refuses ${what} with the same SQLSTATE and words`, async () => {
      const theirs = (await answerTo(packet)).toString('latin1')
      assert.throws(() => parseStartupPacket(packet), (error: { sqlState: string; message: string }) => {
        const ours = encodeError({ severity: 'FATAL', code: error.sqlState, message: error.message }).toString('latin1', 5)
        assert.ok(theirs.slice(5).startsWith(ours.slice(0, -1)), `${JSON.stringify(theirs)} begins otherwise than ${JSON.stringify(ours)}`)
        return true
      })
    })
  }
})
