import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { RawClient } from '../support/compare-client.ts'
import { copyData, copyDone, cstring, functionCall, int32, parse, query, startup, sync } from '../support/compare-messages.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import type { PostgresTarget } from '../../adapters/postgresql/target.ts'

const VERSION_3 = 196_608
const ADA = { user: 'ada', password: 'ada secret', database: 'postgres' }
const PEOPLE = { ada: { password: 'ada secret' }, eve: { password: 'eve secret', targets: ['elsewhere'] } }

let server: PostgresServer
before(async () => {
  server = await startPostgres({ major: 18, settings: { wal_level: 'logical' } })
  await server.query('create database analytics')
  await server.query('create database hidden')
})
after(async () => server?.stop())

const started = (options: { target?: Partial<PostgresTarget>; listener?: object; limits?: object } = {}): Promise<TestGateway> =>
  startGateway({ postgres: server, people: PEOPLE, ...options })

async function login(gateway: TestGateway, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres', ...config })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

const raw = (gateway: TestGateway, parameters: Record<string, string> = {}): Promise<RawClient> =>
  RawClient.open({ ...ADA, host: gateway.host, port: gateway.port }, { parameters })

/** Sends bytes and reads until the gateway closes. */
async function knock(gateway: TestGateway, bytes: Buffer, leave = false): Promise<string> {
  const socket = connect({ host: gateway.host, port: gateway.port })
  const chunks: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined).on('close', () => resolve())
  if (bytes.length > 0) socket.write(bytes)
  if (leave) socket.end()
  await promise
  return Buffer.concat(chunks).toString('latin1')
}

const refusal = (gateway: TestGateway, code: string): Promise<{ data: { claimedSubject: string; target: string; code: string; message: string; address: string } }> =>
  gateway.until('access.refused.v1', (event) => event.data.code === code)

describe('who is let in', () => {
  let gateway: TestGateway
  let bystander: pg.Client
  before(async () => {
    gateway = await started({ listener: { target: undefined }, target: { databases: ['analytics'] }, limits: { loginTimeoutMs: 5000 } })
    bystander = await login(gateway, { database: 'shop' })
  })
  after(async () => {
    // Whatever happened to others, this session never noticed.
    assert.equal((await bystander.query('select 42 as answer')).rows[0]?.answer, 42)
    await bystander.end()
    await gateway?.stop()
  })

  it('not with a wrong password, and not under an unknown name: both read the same', async () => {
    for (const [user, password] of [['ada', 'wrong'], ['nobody', 'ada secret'], ['postgres', 'superuser secret']] as const) {
      await assert.rejects(login(gateway, { user, password, database: 'shop' }), { code: '28P01', message: `password authentication failed for user "${user}"` })
      const { data } = await gateway.until('access.refused.v1', (event) => event.data.claimedSubject === user)
      assert.deepEqual([data.code, data.target], ['bad-credentials', 'shop'])
      assert.match(data.address, /^127\.0\.0\.1:\d+$/)
    }
  })

  it('the database name picks the target, and a database of it', async () => {
    for (const [database, expected] of [['shop', 'postgres'], ['shop/analytics', 'analytics'], ['shop/postgres', 'postgres']] as const) {
      const client = await login(gateway, { database })
      assert.equal((await client.query('select current_database() as name')).rows[0]?.name, expected)
      await client.end()
    }
    const { data } = await gateway.until('session.opened.v1', (event) => event.data.target.database === 'analytics')
    assert.deepEqual([data.target.name, data.identity.subject, data.identity.method], ['shop', 'ada', 'scram-sha-256'])
  })

  it('no target of that name, no database that is not listed, none that one may not reach', async () => {
    for (const database of ['nowhere', 'shop/hidden', 'shop/', '/shop', 'postgres']) {
      await assert.rejects(login(gateway, { database }), { code: '3D000', message: `there is no target "${database}" that you may reach` })
    }
    await assert.rejects(login(gateway, { user: 'eve', password: 'eve secret', database: 'shop' }), { code: '3D000', message: 'there is no target "shop" that you may reach' })
    const { data } = await gateway.until('access.refused.v1', (event) => event.data.claimedSubject === 'eve')
    assert.equal(data.code, 'unknown-target')
  })

  it('a stranger does not learn which targets there are', async () => {
    for (const database of ['shop', 'nowhere']) {
      await assert.rejects(login(gateway, { password: 'wrong', database }), { code: '28P01' })
    }
  })

  it('what the target refuses is told in its own words', async () => {
    await assert.rejects(login(gateway, { database: 'shop', options: '-c nothing.like=this -c work_mem=much' }), { code: '22023' })
    assert.match((await refusal(gateway, 'target-refused')).data.message, /work_mem/)
  })

  it('garbage, HTTP and TLS to a port without TLS are answered with an error and recorded', async () => {
    const wrong: Record<string, Buffer> = {
      HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      SSH: Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
      'a TLS handshake': Buffer.from('16030100050100000100', 'hex'),
      'a huge packet': Buffer.from('7fffffff00030000', 'hex'),
      'a tiny packet': Buffer.from('0000000400030000', 'hex'),
      'an old protocol': startup(131_072, cstring('user'), Buffer.of(0)),
      'a future protocol': startup(262_144, cstring('user'), Buffer.of(0)),
      'no user': startup(VERSION_3, Buffer.of(0)),
      'no terminator': startup(VERSION_3, cstring('user'), cstring('ada')),
      'a second SSLRequest': Buffer.concat([startup(80_877_103), startup(80_877_103)]),
    }
    for (const [what, bytes] of Object.entries(wrong)) {
      const said = await knock(gateway, bytes)
      assert.match(said, /^N*E[^]*SFATAL\0VFATAL\0C(08P01|0A000|28000)\0/, what)
    }
    const events = (await gateway.events()).filter((event) => event.type === 'access.refused.v1' && event.data.code === 'protocol-violation')
    assert.equal(events.length, Object.keys(wrong).length)
  })

  it('a password message where SCRAM is asked for, and SCRAM that is nonsense', async () => {
    const hello = startup(VERSION_3, cstring('user'), cstring('ada'), cstring('database'), cstring('shop'), Buffer.of(0))
    for (const answer of [message('p', cstring('ada secret')), message('p', cstring('SCRAM-SHA-256'), int32(5), Buffer.from('n,,x=')), query('select 1'), Buffer.from('p\u007f\u007f\u007f\u007f')]) {
      assert.match(await knock(gateway, Buffer.concat([hello, answer])), /^R[^]*E[^]*SFATAL\0/)
    }
  })

  it('GSSENCRequest is answered with no, and the login goes on', async () => {
    const said = await knock(gateway, Buffer.concat([startup(80_877_104), startup(VERSION_3, cstring('user'), cstring('ada'), Buffer.of(0)), message('p', cstring('x'))]))
    assert.match(said, /^NR/)
    assert.match(await knock(gateway, Buffer.concat([startup(80_877_104), startup(80_877_103), startup(80_877_104)])), /^NNE/)
  })

  it('half a startup packet, and then nobody', async () => {
    await knock(gateway, startup(VERSION_3, cstring('user'), cstring('ada'), Buffer.of(0)).subarray(0, 9), true)
    await refusal(gateway, 'disconnected')
    await knock(gateway, Buffer.alloc(0), true)
  })

  it('replication is refused, unless it is switched off', async () => {
    for (const value of ['true', 'database', 'on', '1']) await assert.rejects(RawClient.open({ ...ADA, host: gateway.host, port: gateway.port, database: 'shop' }, { parameters: { replication: value } }), /42501/)
    assert.match((await refusal(gateway, 'replication-refused')).data.message, /replication connections are not allowed/)
    const client = await RawClient.open({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'shop' }, { parameters: { replication: 'false' } })
    await client.ask(query('select 1'))
    await client.close()
  })

  it('a fast-path function call is blocked like any statement, and the session goes on', async () => {
    const client = await RawClient.open({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'shop' })
    const [error, ready] = await client.ask(functionCall(1397, [int32(-5)]))
    assert.match(String(error?.body.toString('latin1')), /C42501\0Mblocked by policy: fast-path function calls are not allowed/)
    assert.equal(ready?.body.toString(), 'I')
    await client.ask(query('select 1'))
    await client.close()
  })
})

describe('limits', () => {
  it('a silent client, and one that falls silent in the middle, are sent away in time', async () => {
    await using gateway = await started({ limits: { loginTimeoutMs: 300 } })
    for (const bytes of [Buffer.alloc(0), Buffer.of(0, 0), startup(VERSION_3, cstring('user'), cstring('ada'), Buffer.of(0))]) {
      assert.match(await knock(gateway, bytes), /SFATAL\0VFATAL\0C08000\0Mno login within 300 ms\0/)
    }
    await refusal(gateway, 'timeout')
    await (await login(gateway)).end()
  })

  it('no more sessions than one person, and the gateway, may have, however many knock at once', async () => {
    await using gateway = await started({ limits: { sessions: 6, sessionsPerPerson: 4 } })
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => login(gateway)))
    const clients = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    assert.equal(clients.length, 4)
    for (const result of results) if (result.status === 'rejected') assert.equal((result.reason as pg.DatabaseError).code, '53300')
    assert.match((await refusal(gateway, 'too-many-sessions')).data.message, /"ada" has 4 sessions/)
    for (const client of clients) assert.equal((await client.query('select 1 as one')).rowCount, 1)
    await clients[0]?.end()
    await gateway.until('session.closed.v1')
    await (await login(gateway)).end()
    await Promise.all(clients.slice(1).map((client) => client.end()))
  })

  it('a client that leaves while the target is being reached leaves nothing behind', async () => {
    const proxy = createServer()
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    await using gateway = await started({ target: { port: (proxy.address() as AddressInfo).port } })
    const knocked = once(proxy, 'connection') as Promise<[Socket]>
    const client = new pg.Client({ ...ADA, host: gateway.host, port: gateway.port })
    client.on('error', () => undefined)
    const failed = assert.rejects(client.connect())
    const [toTarget] = await knocked
    ;(client as unknown as { connection: { stream: Socket } }).connection.stream.resetAndDestroy()
    await failed
    const target = connect({ host: server.host, port: server.port })
    toTarget.on('error', () => undefined).pipe(target.on('error', () => undefined)).pipe(toTarget)
    await once(target, 'close')
    while (gateway.adapter.sessions > 0) await new Promise((resolve) => setImmediate(resolve))
    const types = (await gateway.events()).map(({ type }) => type)
    assert.equal(types.filter((type) => type === 'session.opened.v1').length, types.filter((type) => type === 'session.closed.v1').length)
    proxy.close()
  })

  it('connections that do not log in do not take the place of sessions for ever', async () => {
    await using gateway = await started({ limits: { sessions: 5, loginTimeoutMs: 400 } })
    const silent = Array.from({ length: 20 }, () => knock(gateway, Buffer.alloc(0)))
    const answers = await Promise.all(silent)
    assert.ok(answers.filter((said) => said.includes('C53300')).length >= 14, String(answers.length))
    await (await login(gateway)).end()
  })

  it('a statement that is too long is refused, and the session goes on', async () => {
    await using gateway = await started({ limits: { statementBytes: 1_000_000 } })
    const client = await raw(gateway)
    const [error] = await client.ask(query(`select '${'x'.repeat(2_000_000)}'`))
    assert.match(String(error?.body.toString('latin1')), /limits\.statement-bytes/)
    await client.ask(parse(`select '${'x'.repeat(2_000_000)}'`), sync())
    const [, row] = await client.ask(query('select 1'))
    assert.equal(row?.type, 'D')
    await client.close()
  })
})

describe('a listener of its own for one target', () => {
  it('passes every database name on to that server', async () => {
    await using gateway = await started()
    for (const database of ['postgres', 'analytics', 'hidden']) {
      const client = await login(gateway, { database })
      assert.equal((await client.query('select current_database() as name')).rows[0]?.name, database)
      await client.end()
    }
    await assert.rejects(login(gateway, { database: 'nowhere' }), { code: '3D000', message: 'database "nowhere" does not exist' })
  })

  it('allows function calls where the target does', async () => {
    await using gateway = await started({ target: { fastpath: true } })
    const client = await raw(gateway)
    const [result] = await client.ask(functionCall(1397, [int32(-5)]))
    assert.deepEqual([result?.type, result?.body.readInt32BE(4)], ['V', 5])
    await client.close()
    const { data } = await gateway.until('command.received.v1', (event) => event.data.command.action === 'call')
    assert.equal(data.command.fidelity, 'opaque')
  })

  it('allows replication where the target does: commands, and a stream of changes', async () => {
    await using gateway = await started({ target: { replication: true } })
    await server.query('create publication everything for all tables')
    const client = await raw(gateway, { replication: 'database' })
    const [described, row] = await client.ask(query('IDENTIFY_SYSTEM'))
    assert.deepEqual([described?.type, row?.type], ['T', 'D'])
    await client.ask(query('CREATE_REPLICATION_SLOT stream TEMPORARY LOGICAL pgoutput'))
    client.send(query("START_REPLICATION SLOT stream LOGICAL 0/0 (proto_version '1', publication_names 'everything')"))
    await client.type('W')
    await server.query("create table streamed (i text); insert into streamed values ('forty-two')")
    await client.until(({ type, body }) => type === 'd' && body.toString('latin1').includes('forty-two'))
    // Standby status update: no position is confirmed, an answer is wanted.
    client.send(copyData(Buffer.concat([Buffer.from('r'), Buffer.alloc(32), Buffer.of(1)])))
    await client.until(({ type, body }) => type === 'd' && body.toString('latin1', 0, 1) === 'k')
    await client.ask(copyDone())
    await client.ask(query('select 1'))
    await client.close()
  })

  it('is clear when the target is down', async () => {
    await using gateway = await started({ target: { port: 1 } })
    await assert.rejects(login(gateway), { code: '08006', message: 'target "shop" cannot be reached' })
    await refusal(gateway, 'target-unavailable')
  })
})

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}
