import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { startGateway, REVIEWER, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SECRETS, SHOP_RULES, SHOP_SQL } from '../support/shop.ts'

let server: PostgresServer
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SHOP_SQL)
  gateway = await startGateway({ postgres: server, rules: SHOP_RULES, people: { ada: { password: 'ada secret' }, root: { password: 'root secret', groups: ['pii'] } } })
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function connected(user = 'ada', password = `${user} secret`): Promise<pg.Client> {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user, password, database: 'postgres' })
  client.on('error', () => {})
  await client.connect()
  return client
}

describe('a session through the gateway', () => {
  it('masks columns by their origin, whatever they are called', async () => {
    const client = await connected()
    const { rows } = await client.query('select id, name, email as "not an email", phone, born::text is not null as x from people order by id').catch(async () => client.query('select id, name, email as "not an email", phone from people order by id'))
    assert.deepEqual(rows.map(({ id, name }) => [id, name]), [[1, 'Ada Marsh'], [2, 'Bela Novak'], [3, 'Chidi Okoro']])
    for (const secret of SECRETS) assert.ok(!JSON.stringify(rows).includes(secret), secret)
    await client.end()
  })

  it('masks the rows of prepared statements that are run again without a description', async () => {
    const client = await connected()
    for (let round = 0; round < 3; round++) {
      const { rows } = await client.query({ name: 'mail', text: 'select email, number from people p join cards c on c.person = p.id where p.id = $1', values: [2] })
      assert.equal(rows.length, 1)
      for (const secret of SECRETS) assert.ok(!JSON.stringify(rows).includes(secret), secret)
    }
    await client.end()
  })

  it('blocks DROP with 42501, a hint with the event id, and the connection goes on', async () => {
    const client = await connected()
    await assert.rejects(client.query('drop table orders'), (error: pg.DatabaseError) => {
      assert.equal(error.code, '42501')
      assert.match(error.message, /blocked by policy: dropping is not allowed here/)
      assert.match(String(error.hint), /event [0-9a-f-]{36}/)
      return true
    })
    assert.equal((await client.query('select count(*) from orders')).rows[0]?.count, '5')
    await client.end()
  })

  it('aborts the transaction of a blocked statement, as PostgreSQL would', async () => {
    const client = await connected()
    await client.query('begin')
    await client.query("insert into orders (person, item, amount) values (1, 'vase', 1)")
    await assert.rejects(client.query('delete from orders'), { code: '42501' })
    await assert.rejects(client.query('select 1'), { code: '25P02' })
    await client.query('rollback')
    assert.equal((await client.query('select count(*) from orders')).rows[0]?.count, '5')
    await client.end()
  })

  it('holds a statement until a second person approves, then runs it once', async () => {
    const client = await connected()
    const notices: string[] = []
    client.on('notice', (notice) => notices.push(String(notice.message)))
    const running = client.query('update cards set credit = credit + $1 where id = $2', [100, 1])
    const { data } = await gateway.until('approval.requested.v1')
    assert.equal(data.asked.text, 'update cards set credit = credit + $1 where id = $2')
    assert.deepEqual(data.asked.values, ['100', '1'])
    await assert.rejects(gateway.approvals.answer(data.approval, { grant: true, reviewer: { ...REVIEWER, subject: 'ada' }, digest: data.digest, comment: '' }), /you asked for it yourself/)
    await gateway.approvals.answer(data.approval, { grant: true, reviewer: REVIEWER, digest: data.digest, comment: 'fine' })
    assert.equal((await running).rowCount, 1)
    assert.match(notices.join(), new RegExp(`waiting for approval ${data.approval}`))
    assert.equal((await server.query('select credit from cards where id = 1'))[0]?.['credit'], '1600.00')
    await client.end()
  })

  it('answers a denial clearly and lets the session go on', async () => {
    const client = await connected()
    const running = client.query('update cards set credit = 0 where id = 2')
    const { data } = await gateway.until('approval.requested.v1', ({ data }) => data.asked.text.includes('credit = 0'))
    await gateway.approvals.answer(data.approval, { grant: false, reviewer: REVIEWER, digest: data.digest, comment: 'no' })
    await assert.rejects(running, { code: '42501', message: /denied by rita: no/ })
    assert.equal((await client.query('select credit from cards where id = 2')).rows[0]?.credit, '900.00')
    await client.end()
  })

  it('lets an exempt person see everything', async () => {
    const client = await connected('root')
    assert.equal((await client.query('select email from people where id = 1')).rows[0]?.email, 'ada.marsh@example.com')
    await client.end()
  })

  it('never stores an unmasked value', async () => {
    const events = await gateway.events()
    const unmasked = new Set(events.flatMap((event) => (event.type === 'session.opened.v1' && event.data.identity.subject === 'root' ? [event.data.session] : [])))
    for (const event of events) {
      if (event.type !== 'recording.captured.v1' || unmasked.has(event.data.session)) continue
      const text = event.data.recording.chunks.map(({ data }) => Buffer.from(data, 'base64').toString('latin1')).join('')
      for (const secret of SECRETS) assert.ok(!text.includes(secret), `${secret} in ${text}`)
    }
  })
})
