import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { B, E, errorsIn, message, P, Q, rawClient, rowsIn, S, tagsIn, type RawClient } from '../fault/raw-client.ts'
import { startGateway, REVIEWER, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SHOP_RULES, SHOP_SQL } from '../support/shop.ts'
import type { ApprovalRequested, Identity } from '../../core/index.ts'

const PEOPLE: NonNullable<TestGatewayOptions['people']> = {
  ada: { password: 'ada secret', groups: ['reviewers'] },
  bot: { password: 'bot secret', kind: 'agent' },
}
const RULES = { ...SHOP_RULES, 'hold-copy': `'copy-out' in command.actions ? { "effect": "await-approval", "reason": "copies are looked at" }` }

let server: PostgresServer
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SHOP_SQL)
  gateway = await startGateway({ postgres: server, rules: RULES, people: PEOPLE })
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function connected(at: TestGateway = gateway, user = 'ada'): Promise<RawClient> {
  return rawClient({ host: at.host, port: at.port, user, password: `${user} secret` })
}

/** The requests of this gateway that nobody has answered, once there are `count`. */
async function pending(at: TestGateway, count = 1): Promise<ApprovalRequested[]> {
  const late = AbortSignal.timeout(10_000)
  for (;;) {
    const requests = at.approvals.pending()
    if (requests.length >= count) return requests
    if (late.aborted) throw new Error(`${requests.length} of ${count} statements are held after 10 s`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function only(at: TestGateway): Promise<ApprovalRequested> {
  const [request] = await pending(at)
  assert.ok(request !== undefined)
  return request
}

function approve(at: TestGateway, { approval, digest }: ApprovalRequested, reviewer = REVIEWER): Promise<void> {
  return at.approvals.answer(approval, { grant: true, reviewer, digest, comment: '' })
}

async function credit(id: number): Promise<unknown> {
  return (await server.query(`select credit::int from cards where id = ${id}`))[0]?.['credit']
}

async function statusOf(at: TestGateway, approval: string): Promise<string> {
  return (await at.approvals.get(approval)).status
}

describe('a held statement', () => {
  it('runs as it was asked, once, in simple and in extended use', async () => {
    const client = await connected()
    for (const [index, messages] of [[Q('update cards set credit = 10 where id = 1')], [P('', 'update cards set credit = $1 where id = 1'), B('', '', ['11']), E(), S]].entries()) {
      const answer = client.ask(messages)
      const request = await only(gateway)
      assert.deepEqual(request.asked.values, index === 0 ? [] : ['11'])
      assert.notEqual(await credit(1), 10 + index)
      await approve(gateway, request)
      assert.deepEqual(tagsIn(await answer), ['UPDATE 1'])
      assert.equal(await credit(1), 10 + index)
      assert.equal(await statusOf(gateway, request.approval), 'consumed')
    }
    await client.end()
  })

  it('is bound to its values: the same statement with others is held again', async () => {
    const client = await connected()
    await client.ask([P('s', 'update cards set credit = $1 where id = 2'), S])
    const first = client.ask([B('', 's', ['21']), E(), S])
    const request = await only(gateway)
    await approve(gateway, request)
    await first
    const second = client.ask([B('', 's', ['22']), E(), S])
    const again = await only(gateway)
    assert.notEqual(again.digest, request.digest)
    await assert.rejects(approve(gateway, request), /already consumed/)
    await assert.rejects(approve(gateway, { ...again, digest: request.digest }), /something else than what you were shown/)
    assert.equal(await credit(2), 21)
    await approve(gateway, again)
    await second
    assert.equal(await credit(2), 22)
    await client.end()
  })

  it('of one session is not released by an approval of the same statement in another', async () => {
    const [one, two] = [await connected(), await connected(gateway, 'bot')]
    const text = 'update cards set credit = credit + 1 where id = 3'
    const before = Number(await credit(3))
    const first = one.query(text)
    const mine = await only(gateway)
    const second = two.query(text)
    const other = (await pending(gateway, 2)).find(({ approval }) => approval !== mine.approval)
    assert.ok(other !== undefined)
    assert.notEqual(mine.digest, other.digest)
    await approve(gateway, mine)
    assert.deepEqual(tagsIn(await first), ['UPDATE 1'])
    assert.equal(await credit(3), before + 1)
    assert.equal(await statusOf(gateway, other.approval), 'pending')
    await approve(gateway, other)
    assert.deepEqual(tagsIn(await second), ['UPDATE 1'])
    assert.equal(await credit(3), before + 2)
    await one.end()
    await two.end()
  })

  it('is not approved by who asked, alone or through an agent, by strangers, twice, or with another digest', async () => {
    const client = await connected()
    const answer = client.query('update cards set credit = 31 where id = 1')
    const request = await only(gateway)
    const asker: Identity = { subject: 'ada', kind: 'person', actor: '', groups: ['reviewers'], method: 'test' }
    await assert.rejects(approve(gateway, request, asker), /you asked for it yourself/)
    await assert.rejects(approve(gateway, request, { ...asker, actor: 'bot' }), /you asked for it yourself/)
    await assert.rejects(approve(gateway, request, { ...asker, subject: 'rita', actor: 'ada' }), /you asked for it yourself/)
    await assert.rejects(approve(gateway, request, { ...REVIEWER, groups: [] }), /not one of its approvers/)
    await assert.rejects(approve(gateway, { ...request, digest: `sha256:${'0'.repeat(64)}` }), /something else/)
    await assert.rejects(approve(gateway, { ...request, approval: 'nosuch' }), /there is no approval/)
    assert.notEqual(await credit(1), 31)
    const answers = await Promise.allSettled([approve(gateway, request), approve(gateway, request, { ...REVIEWER, subject: 'rob' })])
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    await answer
    assert.equal(await credit(1), 31)
    await assert.rejects(approve(gateway, request), /already consumed/)
    await client.end()
  })

  it('that is cancelled is withdrawn and answered with 57014, and cannot be approved any more', async () => {
    const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
    await client.connect()
    const answer = assert.rejects(client.query('update cards set credit = 41 where id = 1'), { code: '57014' })
    const request = await only(gateway)
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    const canceller = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', database: 'postgres' }) as unknown as { connection: { connect(port: number, host: string): void; on(event: string, then: () => void): void; cancel(id: number, key: number): void } }
    canceller.connection.on('connect', () => canceller.connection.cancel(processID, secretKey))
    canceller.connection.connect(gateway.port, gateway.host)
    await answer
    await assert.rejects(approve(gateway, request), /already withdrawn/)
    assert.equal((await client.query('select 1 as one')).rows[0]?.one, 1)
    assert.notEqual(await credit(1), 41)
    await client.end()
  })

  it('whose client leaves is withdrawn', async () => {
    for (const leave of [(client: RawClient) => client.socket.destroy(), (client: RawClient) => client.socket.end(message('X'))]) {
      const client = await connected()
      client.send(Q('update cards set credit = 42 where id = 1'))
      const request = await only(gateway)
      leave(client)
      await gateway.until('approval.withdrawn.v1', ({ data }) => data.approval === request.approval)
      await gateway.until('session.closed.v1', ({ data }) => data.session === request.session)
      await assert.rejects(approve(gateway, request), /already withdrawn/)
      assert.notEqual(await credit(1), 42)
    }
  })

  it('that is denied, or that nobody answers in time, is refused, and the session goes on', async () => {
    const brief = await startGateway({ postgres: server, people: PEOPLE, rules: { ...RULES, 'hold-payments': RULES['hold-payments'].replace('"timeout": 30', '"timeout": 1') } })
    const client = await connected(brief)
    const late = errorsIn(await client.query('update cards set credit = 51 where id = 1'))
    assert.deepEqual(late, ['42501 blocked by policy: nobody answered in time'])
    const answer = client.query('update cards set credit = 52 where id = 1')
    const { approval, digest } = await only(brief)
    await brief.approvals.answer(approval, { grant: false, reviewer: REVIEWER, digest, comment: 'not today' })
    assert.deepEqual(errorsIn(await answer), ['42501 blocked by policy: denied by rita: not today'])
    await assert.rejects(approve(brief, { approval, digest } as ApprovalRequested), /already denied/)
    assert.deepEqual(rowsIn(await client.query('select 1')), [['1']])
    assert.ok(![51, 52].includes(Number(await credit(1))))
    await client.end()
    await brief.stop()
  })

  it('keeps everything that is sent behind it waiting, and what is pipelined before it runs', async () => {
    const client = await connected()
    const before = Number((await server.query('select count(*)::int as n from orders'))[0]?.['n'])
    const insert = (item: string): string => `insert into orders (person, item, amount) values (1, '${item}', 1)`
    const answer = client.ask([Q(insert('ahead')), Q('update cards set credit = 61 where id = 1'), Q(insert('behind')), P('', insert('far behind')), B('', ''), E(), S], 4)
    const request = await only(gateway)
    await client.when(() => client.has('Z', 1))
    const [counted] = await server.query(`select count(*)::int as n, count(*) filter (where item like '%behind')::int as behind from orders`)
    assert.deepEqual(counted, { n: before + 1, behind: 0 })
    await approve(gateway, request)
    assert.deepEqual(tagsIn(await answer), ['INSERT 0 1', 'UPDATE 1', 'INSERT 0 1', 'INSERT 0 1'])
    await client.end()
  })

  it('in a transaction leaves it open while it waits, and aborts it when it is denied', async () => {
    const client = await connected()
    await client.query('begin')
    await client.query(`update orders set item = 'held' where id = 1`)
    const answer = client.ask([P('', 'update cards set credit = 71 where id = 1'), B('', ''), E(), S])
    const { approval, digest } = await only(gateway)
    await gateway.approvals.answer(approval, { grant: false, reviewer: REVIEWER, digest, comment: '' })
    assert.deepEqual(errorsIn(await answer), ['42501 blocked by policy: denied by rita'])
    assert.deepEqual(errorsIn(await client.query('select 1')).map((error) => error.slice(0, 5)), ['25P02'])
    await client.query('commit')
    assert.equal((await server.query('select item from orders where id = 1'))[0]?.['item'], 'lamp')
    await client.end()
  })

  it('of several in one segment are held one by one, and a denial skips the rest', async () => {
    const client = await connected()
    const [first, second] = ['update cards set credit = 81 where id = 1', 'update cards set credit = 82 where id = 2']
    const answer = client.ask([P('', first), B('', ''), E(), P('', second), B('', ''), E(), S])
    const requests = await pending(gateway, 2)
    const [one, two] = [first, second].map((text) => requests.find(({ asked }) => asked.text === text))
    assert.ok(one !== undefined && two !== undefined)
    await gateway.approvals.answer(one.approval, { grant: false, reviewer: REVIEWER, digest: one.digest, comment: '' })
    await approve(gateway, two)
    assert.deepEqual(errorsIn(await answer), ['42501 blocked by policy: denied by rita'])
    assert.ok(Number(await credit(1)) !== 81 && Number(await credit(2)) !== 82)
    await client.end()
  })

  it('is refused when the rules have changed by the time it is approved, and a block beats every hold', async () => {
    const changing = await startGateway({ postgres: server, rules: RULES, people: PEOPLE })
    const client = await connected(changing)
    const answer = client.query('update cards set credit = 91 where id = 1')
    const request = await only(changing)
    await changing.writeRule('block-cards', `'public.cards' in command.sql.writes ? { "effect": "block", "reason": "no more changes" }`)
    await changing.engine.reload()
    await approve(changing, request)
    assert.deepEqual(errorsIn(await answer), ['42501 blocked by policy: the rules changed while it was held; send it again'])
    assert.deepEqual(errorsIn(await client.query('update cards set credit = 91 where id = 1')), ['42501 blocked by policy: no more changes'])
    assert.deepEqual(changing.approvals.pending(), [])
    assert.notEqual(await credit(1), 91)
    await client.end()
    await changing.stop()
  })

  it('is withdrawn when the gateway stops, and its client is told', async () => {
    const stopping = await startGateway({ postgres: server, rules: RULES, people: PEOPLE })
    const client = await connected(stopping)
    client.send(Q('update cards set credit = 101 where id = 1'))
    const { approval } = await only(stopping)
    const withdrawn = stopping.until('approval.withdrawn.v1', ({ data }) => data.approval === approval)
    await Promise.all([stopping.stop(), client.when(() => client.closed), withdrawn.catch(() => {})])
    assert.ok(errorsIn(client.take()).some((error) => error.startsWith('57P01')))
    assert.notEqual(await credit(1), 101)
  })

  it('is answered when its target dies meanwhile, and its approval then runs nothing', async () => {
    const fragile = await startPostgres({ major: 18 })
    await fragile.query(SHOP_SQL)
    const lone = await startGateway({ postgres: fragile, rules: RULES, people: PEOPLE })
    const client = await connected(lone)
    client.send(Q('update cards set credit = 111 where id = 1'))
    const request = await only(lone)
    await fragile.kill()
    await client.when(() => client.closed)
    assert.ok(errorsIn(client.take()).length > 0)
    await lone.until('session.closed.v1', ({ data }) => data.session === request.session)
    await assert.rejects(approve(lone, request), /already withdrawn/)
    await lone.stop()
    await fragile.stop()
  })

  it('may be a DECLARE or a COPY', async () => {
    const client = await connected()
    const answer = client.query('copy orders to stdout')
    const request = await only(gateway)
    assert.equal(request.asked.text, 'copy orders to stdout')
    await client.when(() => client.has('N'))
    assert.ok(!client.has('d'))
    await approve(gateway, request)
    assert.deepEqual(tagsIn(await answer).map((tag) => tag.split(' ')[0]), ['COPY'])
    await client.end()
  })

  it('has its whole story in the store, and nothing was forwarded before it was granted', async () => {
    const events = await gateway.events()
    const consumed = events.filter((event) => event.type === 'approval.consumed.v1')
    assert.ok(consumed.length >= 6)
    for (const { data, position } of consumed) {
      const granted = events.find((event) => event.type === 'approval.granted.v1' && event.data.approval === data.approval)
      const allowed = events.find((event) => event.type === 'decision.made.v1' && event.data.command === data.command && event.data.verdict.by === 'approval')
      assert.ok(granted !== undefined && granted.position < position)
      assert.ok(allowed !== undefined && allowed.position > position)
      assert.equal(events.filter((event) => event.type === 'approval.consumed.v1' && event.data.approval === data.approval).length, 1)
    }
  })
})
