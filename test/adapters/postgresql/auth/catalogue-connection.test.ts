import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CatalogueConnection } from '../../../../adapters/postgresql/auth/catalogue-connection.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'

describe('the catalogue connection', { skip: postgresUnavailable(18) ?? false }, () => {
  let postgres: PostgresServer
  const opened: CatalogueConnection[] = []

  before(async () => {
    postgres = await startPostgres({ major: 18 })
  })
  after(async () => {
    for (const connection of opened) connection.close()
    await postgres.stop()
  })

  async function open(timeoutMs = 10_000): Promise<CatalogueConnection> {
    const { host, port, user, password } = postgres
    const connection = await CatalogueConnection.open({ host, port, user, password, database: 'postgres', tls: { mode: 'disable' }, timeoutMs })
    opened.push(connection)
    return connection
  }

  test('gives rows as text and null', async () => {
    const connection = await open()
    const rows = await connection.query("select n, nullif(n, 2), repeat('ü', n) from generate_series(1, 3) n")
    assert.deepEqual(rows, [['1', '1', 'ü'], ['2', null, 'üü'], ['3', '3', 'üüü']])
    assert.deepEqual(await connection.query('select from generate_series(1, 2)'), [[], []])
    assert.deepEqual(await connection.query(''), [])
  })

  test('runs queries that were asked together one after the other', async () => {
    const connection = await open()
    const asked = Array.from({ length: 20 }, (_, n) => connection.query(`select ${n}`))
    assert.deepEqual(await Promise.all(asked), asked.map((_, n) => [[String(n)]]))
  })

  test('goes on after a query that the target refused', async () => {
    const connection = await open()
    await assert.rejects(connection.query('select 1; select * from nowhere'), { code: 'TARGET_UNAVAILABLE', message: /relation "nowhere" does not exist \(42P01\)/ })
    assert.deepEqual(await connection.query('select 1'), [['1']])
  })

  test('reads a result that comes in many pieces', async () => {
    const connection = await open()
    const rows = await connection.query("select repeat('x', 1000) from generate_series(1, 5000)")
    assert.equal(rows.length, 5000)
    assert.ok(rows.every(([value]) => value?.length === 1000))
  })

  test('stops at a result that is too large, and is closed then', async () => {
    const connection = await open()
    await assert.rejects(connection.query("select repeat('x', 1000) from generate_series(1, 5000)", { maxBytes: 100_000 }), /larger than 100000 bytes/)
    assert.equal(connection.closed, true)
    await assert.rejects(connection.query('select 1'), /larger than/)
    await assert.rejects((await open()).query("select repeat('x', 200000)", { maxBytes: 100_000 }), /too long|larger than/)
  })

  test('an aborted query ends here and at the target', async () => {
    const connection = await open()
    const stop = new AbortController()
    const [[pid] = []] = await connection.query('select pg_backend_pid()')
    const running = connection.query('select pg_sleep(60)', { signal: stop.signal })
    await until(`select 1 from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`, 1)
    stop.abort()
    await assert.rejects(running, /aborted/)
    await until(`select 1 from pg_stat_activity where pid = ${pid}`, 0)
  })

  test('a query that takes too long is given up', async () => {
    const connection = await open(300)
    await assert.rejects(connection.query('select pg_sleep(60)'), /did not answer within 300 ms/)
    assert.equal(connection.closed, true)
  })

  test('COPY is refused', async () => {
    const connection = await open()
    await assert.rejects(connection.query('copy pg_class to stdout'), /unexpected message/)
  })

  test('a target that goes away fails the query under way', async () => {
    const connection = await open()
    const [[pid] = []] = await connection.query('select pg_backend_pid()')
    const running = connection.query('select pg_sleep(60)')
    await Promise.all([assert.rejects(running, { code: 'TARGET_UNAVAILABLE' }), postgres.query(`select pg_terminate_backend(${pid})`)])
    await assert.rejects(connection.query('select 1'), { code: 'TARGET_UNAVAILABLE' })
  })

  async function until(sql: string, rows: number): Promise<void> {
    while ((await postgres.query(sql)).length !== rows) await new Promise(setImmediate)
  }
})
