import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { B, E, errorsIn, message, P, Q, rawClient, rowsIn, S, type RawClient } from '../fault/raw-client.ts'
import { dice } from '../fault/segments.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SHOP_RULES, SHOP_SQL } from '../support/shop.ts'

let server: PostgresServer
let gateway: TestGateway

const HOLDING = { 'allow-all': '{ "effect": "allow", "reason": "x" }', 'hold-payments': SHOP_RULES['hold-payments'], 'mask-personal': SHOP_RULES['mask-personal'] }

before(async () => {
  server = await startPostgres({ major: 18, settings: { max_connections: '260' } })
  await server.query(SHOP_SQL)
  gateway = await startGateway({ postgres: server, rules: HOLDING })
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function connected(at: TestGateway = gateway): Promise<RawClient> {
  return rawClient({ host: at.host, port: at.port, user: 'ada', password: 'ada secret' })
}

/** A gateway in front of a server of its own, which the test may kill. */
async function alone(options: Partial<TestGatewayOptions> = {}): Promise<{ server: PostgresServer; gateway: TestGateway } & AsyncDisposable> {
  const own = await startPostgres({ major: 18 })
  const lone = await startGateway({ postgres: own, ...options })
  return {
    server: own, gateway: lone,
    [Symbol.asyncDispose]: async () => {
      await lone.stop()
      await own.stop()
    },
  }
}

/** Resolves once the server's own view of its sessions fits. */
async function serverHas(at: PostgresServer, count: number, where: string): Promise<void> {
  const late = AbortSignal.timeout(15_000)
  for (;;) {
    const [row] = await at.query(`select count(*)::int as n from pg_stat_activity where application_name <> 'sallyport catalogue' and ${where}`)
    if (row?.['n'] === count) return
    if (late.aborted) throw new Error(`${String(row?.['n'])} sessions, not ${count}, where ${where}`)
  }
}

describe('a target', () => {
  it('that is down is told from a gateway that is, recorded, and reached as soon as it is up', async () => {
    await using lone = await alone()
    await lone.server.kill()
    const client = new pg.Client({ host: lone.gateway.host, port: lone.gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
    await assert.rejects(client.connect(), { code: '08006', message: 'target "shop" cannot be reached' })
    const { data } = await lone.gateway.until('access.refused.v1')
    assert.equal(data.code, 'target-unavailable')
    assert.equal(data.claimedSubject, 'ada')
    await lone.server.restart()
    const again = await connected(lone.gateway)
    assert.deepEqual(rowsIn(await again.query('select 1')), [['1']])
    await again.end()
  })

  it('that is killed in the middle of a query ends its session alone, with a word and an outcome', async () => {
    await using lone = await alone()
    const client = await connected(lone.gateway)
    const bystander = await connected()
    client.send(Q('select pg_sleep(600)'))
    await serverHas(lone.server, 1, `wait_event = 'PgSleep'`)
    await lone.server.kill()
    await client.when(() => client.closed)
    assert.ok(errorsIn(client.take()).some((error) => /^(57P0|08006)/.test(error)))
    const { data } = await lone.gateway.until('session.closed.v1')
    assert.equal(data.reason, 'target-lost')
    const outcome = (await lone.gateway.events()).find((event) => event.type === 'outcome.recorded.v1')
    assert.ok(outcome?.type === 'outcome.recorded.v1' && ['unknown', 'failed'].includes(outcome.data.outcome.status), JSON.stringify(outcome?.data))
    assert.deepEqual(rowsIn(await bystander.query('select 2')), [['2']])
    await bystander.end()
    await lone.server.restart()
    const again = await connected(lone.gateway)
    assert.deepEqual(rowsIn(await again.query('select 1')), [['1']])
    await again.end()
  })
})

describe('a client', () => {
  for (const [name, text] of [['rows as they are', `select repeat('x', 1000) from generate_series(1, 300000)`], ['masked rows', `select p.email, repeat('x', 1000) from people p, generate_series(1, 100000)`]] as const) {
    it(`that does not read its ${name} costs bounded memory, and others go on`, async () => {
      const slow = await connected()
      slow.socket.pause()
      const before = process.memoryUsage()
      slow.send(Q(text))
      await serverHas(server, 1, `wait_event = 'ClientWrite'`)
      const other = await connected()
      for (let count = 0; count < 20; count++) assert.deepEqual(rowsIn(await other.query(`select ${count}`)), [[String(count)]])
      const grown = (process.memoryUsage().arrayBuffers - before.arrayBuffers) / 1024 / 1024
      assert.ok(grown < 24, `${grown} MiB for an answer of 300 MB`)
      await other.end()
      slow.socket.destroy()
      await serverHas(server, 0, `query like '%repeat(%' and state = 'active' and pid <> pg_backend_pid()`)
    })
  }

  const STATES: Readonly<Record<string, (client: RawClient) => Promise<unknown>>> = {
    idle: async () => undefined,
    'in a transaction': (client) => client.query('begin'),
    'in a failed transaction': (client) => client.ask([Q('begin'), Q('select 1/0')], 2),
    'in the middle of a segment': async (client) => client.send(P('', 'select 1'), B('', '')),
    'behind an error of a segment': async (client) => client.send(B('', 'nosuch'), message('H')),
    'while it copies in': async (client) => {
      client.send(Q('copy orders (item) from stdin'))
      await client.when(() => client.has('G'))
    },
    'while it is held': async (client) => {
      client.send(Q('update cards set credit = 0 where id = 1'))
      await client.when(() => client.has('N'))
    },
    'while a query runs': async (client) => {
      client.send(Q('select pg_sleep(600)'))
      await serverHas(server, 1, `wait_event = 'PgSleep'`)
    },
  }
  const roll = dice(11)
  const noise = Buffer.from(Array.from({ length: 3000 }, () => roll(256)))
  const GARBAGE: Readonly<Record<string, Buffer>> = {
    noise: Buffer.concat([Buffer.from([0x00]), noise]),
    'an unknown type': message('z', 'what'),
    'a backend message': message('Z', Buffer.from('I')),
    'a length of 0': Buffer.from([0x51, 0, 0, 0, 0]),
    'a length of 3': Buffer.from([0x51, 0, 0, 0, 3]),
    'a negative length': Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]),
    'a huge length': Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
    'a Bind that lies about its counts': message('B', '', '', 0, 0x7fff),
    'a Bind with a value longer than itself': message('B', '', '', 0, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    'a Parse without an end': message('P', Buffer.from('abc')),
    'a Describe of nothing': message('D'),
    'an Execute without a limit': message('E', 'p'),
  }

  it('that sends garbage is told so and dropped, in every state; its target session ends; others go on', async () => {
    const bystander = await connected()
    for (const [state, reach] of Object.entries(STATES)) {
      for (const [what, bytes] of Object.entries(GARBAGE)) {
        // It is in order as far as a decision goes: the target refuses it, once what came before has ended.
        if (what === 'a Bind with a value longer than itself' && ['while it is held', 'while a query runs'].includes(state)) continue
        const client = await connected()
        await reach(client)
        client.take()
        client.send(bytes, S)
        if (what === 'noise') client.socket.end()
        await client.when(() => client.closed || client.has('E')).catch((cause: unknown) => assert.fail(`${what}, ${state}: ${String(cause)}`))
        client.socket.destroy()
        assert.ok(client.closed || errorsIn(client.take()).length > 0, `${what}, ${state}`)
        // As with a client of its own, PostgreSQL notices only when it writes.
        if (state === 'while a query runs') await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`)
        if (state === 'while a query runs') await serverHas(server, 0, `wait_event = 'PgSleep'`)
        assert.deepEqual(rowsIn(await bystander.query('select 3')), [['3']], `${what}, ${state}`)
      }
    }
    await serverHas(server, 1, `backend_type = 'client backend' and pid <> pg_backend_pid()`)
    assert.deepEqual(gateway.approvals.pending(), [])
    await bystander.end()
  })

  it('that stops in the middle of a message and leaves, leaves nothing behind', async () => {
    const bytes = Buffer.concat([Q('select 1'), P('a', 'select $1'), B('', 'a', ['1']), E(), S])
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const client = await connected()
      client.send(bytes.subarray(0, cut))
      client.socket.end()
      await client.when(() => client.closed)
    }
    await serverHas(server, 0, `backend_type = 'client backend' and pid <> pg_backend_pid()`)
    const events = await gateway.events()
    const opened = events.filter(({ type }) => type === 'session.opened.v1').length
    const late = AbortSignal.timeout(10_000)
    for (;;) {
      const closed = (await gateway.events()).filter(({ type }) => type === 'session.closed.v1').length
      if (closed === opened) break
      assert.ok(!late.aborted, `${closed} of ${opened} sessions are closed`)
    }
  })

  it('that says nothing, or claims a huge first packet, is dropped in time, and recorded', async () => {
    const hasty = await startGateway({ postgres: server, limits: { loginTimeoutMs: 300 } })
    const silent = connect(hasty.port, hasty.host)
    const halfway = connect(hasty.port, hasty.host)
    halfway.write(Buffer.from([0, 0, 0, 20, 0, 3]))
    const huge = connect(hasty.port, hasty.host)
    huge.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0]))
    await Promise.all([silent, halfway, huge].map((socket: Socket) => {
      socket.on('error', () => {}).resume()
      return once(socket, 'close')
    }))
    const codes = (await hasty.events()).flatMap((event) => (event.type === 'access.refused.v1' ? [event.data.code] : []))
    assert.deepEqual(codes.toSorted(), ['protocol-violation', 'timeout', 'timeout'])
    const client = await connected(hasty)
    assert.deepEqual(rowsIn(await client.query('select 4')), [['4']])
    await client.end()
    await hasty.stop()
  })

  it('is one of two hundred that come at once, and all are served', async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => connected()))
    const answers = await Promise.all(clients.map((client, index) => client.query(`select ${index}`)))
    assert.deepEqual(answers.map((frames) => Number(rowsIn(frames)[0]?.[0])), clients.map((_client, index) => index))
    await Promise.all(clients.map((client) => client.end()))
  })
})
