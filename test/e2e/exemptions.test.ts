import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { B, D, E, errorsIn, P, Q, rawClient, rowsIn, S, tagsIn, type RawClient } from '../fault/raw-client.ts'
import { REVIEWER, startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SHOP_SQL } from '../support/shop.ts'
import { systemClock, type ApprovalRequested, type GrantRequest } from '../../core/index.ts'

const PEOPLE: NonNullable<TestGatewayOptions['people']> = {
  ada: { password: 'ada secret', groups: ['engineers'] }, bot: { password: 'bot secret', kind: 'agent', actsFor: 'ada' },
  sue: { password: 'sue secret', groups: ['support'] }, rita: { password: 'rita secret', groups: ['reviewers'] },
}
const RULES = {
  'allow-all': '{ "effect": "allow", "reason": "a test allows everything" }',
  'mask-classes': `'public.people' in command.sql.reads ? { "effect": "mask", "reason": "personal data", "columns": { "class:pii.*": "null" } }`,
  'mask-born': `'public.people' in command.sql.reads ? { "effect": "mask", "reason": "birth dates", "columns": { "public.people.born": "null" } }`,
  'exempt-support': `'support' in identity.groups ? { "effect": "allow", "reason": "support calls people", "exempt": ["public.people.phone"] }`,
  'exempt-ticket': `session.task = 'ticket-42' and 'support' in identity.groups ? { "effect": "allow", "reason": "ticket 42", "exempt": ["public.people.born"] }`,
  'block-drop': `'drop' in command.actions ? { "effect": "block", "reason": "no" }`,
  'hold-updates': `'update' in command.actions ? { "effect": "await-approval", "reason": "a second person", "approvers": ["group:reviewers"] }`,
}
const CLASSES = { 'public.people.email': 'pii.email', 'public.people.phone': 'pii.phone', 'public.people.name': 'pii.name' }
const QUERY = 'select name, email, phone, born::text from people where id = 1'
const REAL = ['Ada Marsh', 'ada.marsh@example.com', '+44 20 7946 0018', '1984-03-07']

let server: PostgresServer
let gateway: TestGateway
let ahead = 0

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SHOP_SQL)
  await server.query('create view contacts as select id, email as mail, phone from people')
  gateway = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, target: { classes: CLASSES }, clock: { now: () => Date.now() + ahead, ticks: () => systemClock.ticks() } })
})
after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function as(user: string, options?: string): Promise<RawClient> {
  return rawClient({ host: gateway.host, port: gateway.port, user, password: `${user} secret`, ...options === undefined ? {} : { options } })
}

const grant = (request: Partial<GrantRequest>): ReturnType<TestGateway['grants']['issue']> => (
  gateway.grants.issue({ to: 'ada', target: 'shop', columns: ['class:pii.email'], seconds: 600, reason: 'ticket 42', ...request }, REVIEWER))

/** What a session sees of `REAL`, each column asked for by itself, in simple and extended use. */
async function seen(client: RawClient): Promise<string[]> {
  const columns: string[] = []
  for (const [index, column] of ['name', 'email', 'phone', 'born'].entries()) {
    const text = `select ${column} from people where id = 1`
    const simple = rowsIn(await client.query(text))
    assert.deepEqual(rowsIn(await client.ask([P('', text), B('', ''), D('P', ''), E(), S])), simple)
    if (simple[0]?.[0] === REAL[index]) columns.push(column)
    else assert.deepEqual(simple, [[null]])
  }
  return columns
}

describe('an exemption by rule', () => {
  it('shows the column, and nothing else, to whom it is for', async () => {
    const [ada, sue] = [await as('ada'), await as('sue')]
    assert.deepEqual([await seen(ada), await seen(sue)], [[], ['phone']])
    assert.deepEqual(rowsIn(await sue.query("select phone from people where phone = '+44 20 7946 0018'")), [[REAL[2]]])
    assert.deepEqual(rowsIn(await sue.query('select mail, phone from contacts where id = 1')), [[null, REAL[2]]])
    assert.match(errorsIn(await sue.query("select phone from people where email = 'x'"))[0] ?? '', /^42501/)
    await ada.end()
    await sue.end()
  })

  it('may be for one task, for those whom the rule trusts with it', async () => {
    const [sue, other, ada] = [await as('sue', '-c sallyport.task=ticket-42'), await as('sue', '-c sallyport.task=ticket-43'), await as('ada', '-c sallyport.task=ticket-42')]
    assert.deepEqual([await seen(sue), await seen(other), await seen(ada)], [['phone', 'born'], ['phone'], []])
    for (const client of [sue, other, ada]) await client.end()
  })

  it('is in the decision, with its rule and its reason', async () => {
    const decisions = (await gateway.events()).flatMap((event) => (event.type === 'decision.made.v1' ? [event.data.verdict.obligations] : []))
    const lifted = decisions.filter(({ exemptions }) => exemptions?.length === 1)
    assert.ok(lifted.length > 0)
    for (const { exemptions } of lifted) assert.deepEqual(exemptions, [{ column: 'public.people.phone', by: 'exempt-support', reason: 'support calls people' }])
  })
})

describe('a grant', () => {
  it('shows what it names in a live session, says so in each decision, and is over when it is revoked', async () => {
    const client = await as('ada')
    assert.deepEqual(await seen(client), [])
    const { grant: id } = await grant({ columns: ['class:pii.email', 'public.people.born'] })
    assert.deepEqual(await seen(client), ['email', 'born'])
    assert.deepEqual(rowsIn(await client.query(QUERY)), [[null, REAL[1], null, REAL[3]]])
    await gateway.grants.revoke(id, REVIEWER, 'done')
    assert.deepEqual(await seen(client), [])
    assert.ok(rowsIn(await client.query(QUERY)).flat().every((value) => value === null || !REAL.includes(value)))
    await client.end()
    const used = (await gateway.events()).filter((event) => event.type === 'decision.made.v1' && event.data.verdict.obligations.exemptions?.some(({ by }) => by === `grant:${id}`) === true)
    assert.equal(used.length, 9)
  })

  it('is over when its time is up', async () => {
    const client = await as('ada')
    await grant({ seconds: 60 })
    assert.deepEqual(await seen(client), ['email'])
    ahead += 60_000
    assert.deepEqual(await seen(client), [])
    await client.end()
  })

  it('is not for the agent of whom it is for, nor the other way round', async () => {
    const [ada, bot] = [await as('ada'), await as('bot')]
    const toAda = await grant({})
    assert.deepEqual([await seen(ada), await seen(bot)], [['email'], []])
    await gateway.grants.revoke(toAda.grant, REVIEWER, 'done')
    const toBot = await grant({ to: 'bot', columns: ['class:pii.name'] })
    assert.deepEqual([await seen(ada), await seen(bot)], [[], ['name']])
    await gateway.grants.revoke(toBot.grant, REVIEWER, 'done')
    await assert.rejects(gateway.grants.issue({ to: 'bot', target: 'shop', columns: ['class:pii.*'], seconds: 60, reason: 'x' }, { ...REVIEWER, subject: 'ada' }), { code: 'GRANT_REFUSED' })
    await ada.end()
    await bot.end()
  })

  it('with a task is for sessions that claim it at login, which the server does not hear of', async () => {
    const [with_, without, other] = [await as('ada', '-c sallyport.task=T7 -c geqo=off'), await as('ada'), await as('ada', '-c sallyport.task=T8')]
    const { grant: id } = await grant({ task: 'T7' })
    assert.deepEqual([await seen(with_), await seen(without), await seen(other)], [['email'], [], []])
    assert.deepEqual(rowsIn(await with_.query("select current_setting('sallyport.task', true), current_setting('geqo')")), [[null, 'off']])
    await gateway.grants.revoke(id, REVIEWER, 'done')
    for (const client of [with_, without, other]) await client.end()
    const opened = (await gateway.events()).filter((event) => event.type === 'session.opened.v1' && event.data.claimed['sallyport.task'] === 'T7')
    assert.equal(opened.length, 1)
  })

  it('lifts no block, and is looked at again when a held command is approved', async () => {
    const client = await as('ada')
    const { grant: id } = await grant({ columns: ['class:pii.*', '*.*.*'] })
    assert.deepEqual(errorsIn(await client.query('drop table orders')), ['42501 blocked by policy: no'])
    const text = 'update people set phone = phone where id = 1 returning email'
    const held = async (): Promise<ApprovalRequested> => {
      for (;;) {
        const [request] = gateway.approvals.pending()
        if (request !== undefined) return request
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const approve = async (): Promise<void> => {
      const { approval, digest } = await held()
      await gateway.approvals.answer(approval, { grant: true, reviewer: REVIEWER, digest, comment: '' })
    }
    const first = client.ask([Q(text)])
    await approve()
    assert.deepEqual([rowsIn(await first)], [[[REAL[1]]]])
    const second = client.ask([Q(text)])
    await held()
    await gateway.grants.revoke(id, REVIEWER, 'done')
    await approve()
    const answer = await second
    assert.deepEqual([errorsIn(answer), tagsIn(answer)], [['42501 blocked by policy: a grant that it relies on has ended; send it again'], []])
    await client.end()
  })
})
