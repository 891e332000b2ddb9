import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

let server: PostgresServer
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query('create table blobs (id int primary key, body bytea)')
  gateway = await startGateway({
    postgres: server,
    rules: {
      'allow-all': '{ "effect": "allow", "reason": "a test allows everything" }',
      'block-cut': `command.action = 'delete' and $not(command.valuesComplete) ? { "effect": "block", "reason": "cannot see all of it" }`,
    },
    limits: { statementBytes: 2 * 1024 * 1024 },
  })
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
  await client.connect()
  return client
}

describe('messages that are too large to be held', () => {
  it('passes a value of 20 MB on in pieces, decided on its beginning', async () => {
    const client = await connected()
    const body = Buffer.alloc(20 * 1024 * 1024, 'sallyport')
    await client.query('insert into blobs values ($1, $2)', [1, body])
    await client.query({ name: 'again', text: 'insert into blobs values ($1, $2)', values: [2, body] })
    const { rows } = await client.query('select id, length(body) as bytes, body = $1 as same from blobs order by id', [body])
    assert.deepEqual(rows, [{ id: 1, bytes: body.length, same: true }, { id: 2, bytes: body.length, same: true }])
    const back = await client.query('select body from blobs where id = 1')
    assert.ok(body.equals(back.rows[0]?.body))
    await client.end()
    const events = await gateway.events()
    const inserts = events.flatMap((event) => (event.type === 'command.received.v1' && event.data.command.text.startsWith('insert') ? [event.data.command] : []))
    assert.deepEqual(inserts.map(({ phase, values, valuesComplete }) => [phase, values, valuesComplete]), [['execute', ['1'], false], ['execute', ['2'], false]])
  })

  it('refuses one by a rule, drops its pieces, and goes on', async () => {
    const client = await connected()
    const body = Buffer.alloc(3 * 1024 * 1024, 'x')
    await assert.rejects(client.query('delete from blobs where body = $1', [body]), { code: '42501', message: /cannot see all of it/ })
    assert.equal((await client.query('select count(*) from blobs')).rows[0]?.count, '2')
    await client.end()
  })

  it('refuses a statement over the limit in both protocols, and the session goes on', async () => {
    const client = await connected()
    const text = `select '${'y'.repeat(3 * 1024 * 1024)}' as y`
    await assert.rejects(client.query(text), { code: '42501', message: /a statement of 31\d{5} bytes; this gateway reads 2097152 \(limits\.statement-bytes\)/ })
    await assert.rejects(client.query({ text: `${text}, $1 as z`, values: ['z'] }), { code: '42501' })
    assert.equal((await client.query('select 1 as one')).rows[0]?.one, 1)
    await client.end()
  })
})
