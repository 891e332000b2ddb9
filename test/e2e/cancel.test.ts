import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { copyData, extended, query } from '../support/compare-messages.ts'
import { compare, describeTransparency, startPair, type Pair, type Side } from '../support/compare.ts'
import { RawClient } from '../support/compare-client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import type { PostgresServer } from '../support/postgres-server.ts'
import { psqlUnavailable } from '../support/psql.ts'
import { slowForCancels, type SlowForCancels } from '../support/slow-for-cancels.ts'

const SLEEP = "select pg_sleep(600), 'to be cancelled'"

/** Resolves once the server waits in a statement that contains `text`: before, a cancel may come at any point of it. */
async function running(server: PostgresServer, text: string, wait = 'PgSleep'): Promise<void> {
  const sql = `select 1 from pg_stat_activity where state = 'active' and wait_event = '${wait}' and pid <> pg_backend_pid() and query like '%${text}%'`
  while ((await server.query(sql)).length === 0);
}

async function gone(server: PostgresServer, text: string): Promise<void> {
  const sql = `select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%${text}%'`
  while ((await server.query(sql)).length > 0);
}

const cancels = {
  'a running statement, simple and extended, and the session goes on': async ({ open, server }: Side) => {
    const client = await open()
    for (const statement of [query(SLEEP), extended(SLEEP)]) {
      client.send(statement)
      await running(server, 'to be cancelled')
      await client.cancel()
      await client.ready()
    }
    await client.ask(query("select 'still there'"))
  },

  'in a transaction, a COPY and a pipeline': async ({ open, server }: Side) => {
    const client = await open()
    await client.ask(query('begin'))
    client.send(query(SLEEP))
    await running(server, 'to be cancelled')
    await client.cancel()
    await client.ready()
    await client.ask(query('rollback; create table t (i int)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await running(server, 'copy t', 'ClientRead')
    await client.cancel()
    await client.ask(copyData('1\n'))
    client.send(extended(SLEEP), extended("select 'behind it'"))
    await running(server, 'to be cancelled')
    await client.cancel()
    await client.ready(2)
  },

  'with a wrong key nothing happens': async ({ open, server }: Side) => {
    const client = await open()
    client.send(query("select pg_sleep(0.2), 'not to be cancelled'"))
    await running(server, 'not to be cancelled')
    const wrong = Buffer.from(client.secret)
    wrong.writeUInt8(wrong.readUInt8(0) ^ 1, 0)
    await client.cancel(wrong)
    await client.cancel(client.secret, client.processId + 1)
    await client.cancel(Buffer.alloc(4))
    await client.ready()
  },

  'of an idle session nothing happens, and none of the next statements is hit': async ({ open }: Side) => {
    const client = await open()
    for (let round = 0; round < 20; round++) {
      await client.cancel()
      await client.ask(query('select pg_sleep(0.001)'))
    }
  },
}
describeTransparency('a CancelRequest', cancels)
describeTransparency('a CancelRequest with a long key', {
  'protocol 3.2': async ({ open, server }) => {
    const client = await open({ protocolMinor: 2 })
    assert.equal(client.secret.length, 32)
    client.send(query(SLEEP))
    await running(server, 'to be cancelled')
    await client.cancel()
    await client.ready()
  },
}, [18])

describe('cancelling through the gateway', () => {
  let pair: Pair
  before(async () => {
    pair = await startPair(18)
  })
  after(async () => pair?.stop())

  it('gives the client a key of its own: that of the target does nothing here, and ours nothing there', async () => {
    const client = await RawClient.open(pair.through)
    client.send(query(SLEEP))
    await running(pair.server, 'to be cancelled')
    await new Promise<void>((resolve) => {
      const socket = connect(pair.direct)
      socket.on('close', resolve).resume()
      socket.end(Buffer.concat([Buffer.from([0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e]), int32(client.processId), client.secret]))
    })
    await running(pair.server, 'to be cancelled')
    await client.cancel()
    await client.ready()
    assert.ok(client.transcript.some((line) => line.includes('57014')))
    await client.close()
  })

  it('lets node-postgres cancel', async () => {
    await compare(pair, async ({ connect: open, server, address }) => {
      const client = await open()
      const query = client.query(SLEEP).then(() => 'ran', (error: pg.DatabaseError) => [error.code, error.message])
      await running(server, 'to be cancelled')
      const canceller = new pg.Client(address)
      ;(canceller as unknown as { cancel(client: pg.Client, query: unknown): void }).cancel(client, activeQueryOf(client))
      return [await query, (await client.query('select 1 as one')).rows]
    })
  })

  it('lets psql cancel by Ctrl-C', { skip: psqlUnavailable() ?? false }, async () => {
    await compare(pair, async ({ address, server }) => {
      const child = spawn('/usr/bin/psql', ['-X', '-a'], { env: { PATH: process.env['PATH'], PGHOST: address.host, PGPORT: String(address.port), PGUSER: address.user, PGPASSWORD: address.password, PGDATABASE: address.database } })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
      const closed = once(child, 'close')
      child.stdin.write(`${SLEEP};\n`)
      await running(server, 'to be cancelled')
      child.kill('SIGINT')
      const [code] = (await closed) as [number]
      return { code, output }
    })
  })

  it('records what was cancelled as cancelled', async () => {
    const client = await RawClient.open(pair.through)
    client.send(query(SLEEP))
    await running(pair.server, 'to be cancelled')
    await client.cancel()
    await client.ready()
    await client.close()
    const { data } = await pair.gateway.until('outcome.recorded.v1', (event) => event.data.outcome.error?.code === '57014')
    assert.equal(data.outcome.status, 'cancelled')
  })

  it('leaves no statement behind when the client goes away in the middle of it', async () => {
    const client = await RawClient.open(pair.through)
    client.send(query("select pg_sleep(0.3), 'left alone'"))
    await running(pair.server, 'left alone')
    client.destroy()
    await gone(pair.server, 'left alone')
    const { data } = await pair.gateway.until('session.closed.v1', (event) => event.data.reason === 'client-disconnected')
    assert.equal(data.commands, 1)
  })
})

describe('a CancelRequest that is slow to reach the target', () => {
  let pair: Pair
  let slow: SlowForCancels
  let gateway: TestGateway
  before(async () => {
    pair = await startPair(18)
    slow = await slowForCancels(pair.server.port)
    gateway = await startGateway({ postgres: { ...pair.server, port: slow.port, host: pair.server.host, user: pair.server.user, password: pair.server.password }, people: { postgres: { password: pair.server.password } } })
  })
  after(async () => {
    await gateway?.stop()
    await slow?.close()
    await pair?.stop()
  })

  it('keeps the client that asked waiting, so that it cannot hit the statement after', async () => {
    const client = await RawClient.open({ ...pair.through, port: gateway.port })
    client.send(query(SLEEP))
    await running(pair.server, 'to be cancelled')
    let answered = false
    const cancelling = client.cancel().then(() => (answered = true))
    await slow.held
    const other = await RawClient.open({ ...pair.through, port: gateway.port })
    await other.ask(query('select 1'))
    await other.close()
    assert.equal(answered, false)
    slow.release()
    await cancelling
    await client.ready()
    await client.close()
  })
})

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** What `pg.Client.cancel` wants to be told; it has no public name. */
function activeQueryOf(client: pg.Client): unknown {
  const { _activeQuery, activeQuery } = client as unknown as { _activeQuery?: unknown; activeQuery?: unknown }
  return _activeQuery ?? activeQuery
}
