import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createLocalBus } from '../../../core/bus/drivers/local/index.ts'
import { Grants, type EventBus, type EventStore, type GrantRequest, type GrantSession, type Identity, type Verdict } from '../../../core/index.ts'
import { createMemoryStore } from '../../../core/store/drivers/memory/index.ts'

const identity = (subject: string, actor = '', groups: string[] = []): Identity => ({ subject, kind: actor === '' ? 'person' : 'agent', actor, groups, method: 'test' })
const GRACE = identity('grace', '', ['reviewers'])
const REQUEST: GrantRequest = { to: 'ada', target: 'shop', columns: ['class:pii.email', 'public.people.phone'], seconds: 600, reason: 'ticket 42' }
const DIRECTORY = new Map([['ada', identity('ada')], ['bot', identity('ada', 'bot')], ['grace', GRACE]])
const MASKED: Verdict = {
  effect: 'mask', by: 'rules', reason: 'personal data', votes: [], ruleset: 'sha256:00',
  obligations: { masks: [{ column: 'class:pii.*', method: 'null' }, { column: 'public.people.phone', method: 'partial' }, { column: 'public.people.born', method: 'null' }] },
}

interface World { readonly grants: Grants; readonly other: Grants; readonly store: EventStore; readonly bus: EventBus; pass(seconds: number): void }

function world(context: TestContext): World {
  let now = Date.parse('2026-03-04T05:06:07Z')
  const [store, bus] = [createMemoryStore(), createLocalBus()]
  const directory = { find: (name: string) => { const found = DIRECTORY.get(name); return found && { identity: found, targets: undefined, verifiers: {} } } }
  const options = { store, bus, clock: { now: () => now, ticks: () => now }, source: 'sallyport/test', directory, targets: ['shop'], approvers: ['group:reviewers'], maxSeconds: 3600 }
  const [grants, other] = [new Grants(options), new Grants(options)]
  context.after(() => {
    grants.close()
    other.close()
  })
  return { grants, other, store, bus, pass: (seconds) => { now += seconds * 1000 } }
}

const session = (who: Identity = identity('ada'), { target = 'shop', task = '' } = {}): GrantSession => ({ identity: who, target: { name: target }, task })
const masksOf = (verdict: Verdict): string[] => verdict.obligations.masks.map(({ column }) => column)

test('lifts the masks it names, for whom it is, where it is, until its time is up', async (context) => {
  const { grants, pass } = world(context)
  assert.equal(grants.apply(MASKED, session()), MASKED)
  const { grant } = await grants.issue(REQUEST, GRACE)
  const lifted = grants.apply(MASKED, session())
  assert.deepEqual(masksOf(lifted), ['class:pii.*', 'public.people.born'])
  assert.deepEqual(lifted.obligations.masks[0]?.except, ['class:pii.email', 'public.people.phone'])
  assert.deepEqual(lifted.obligations.exemptions?.map(({ column, by }) => [column, by]), [['class:pii.email', `grant:${grant}`], ['public.people.phone', `grant:${grant}`]])
  assert.equal(grants.apply(MASKED, session()), lifted, 'it is remembered')
  for (const stranger of [session(identity('eve')), session(identity('ada', 'bot')), session(identity('ada'), { target: 'barn' })]) assert.equal(grants.apply(MASKED, stranger), MASKED)
  pass(599)
  assert.equal(grants.apply(MASKED, session()), lifted)
  pass(1)
  assert.equal(grants.apply(MASKED, session()), MASKED)
  assert.equal(grants.stillHolds(lifted), false)
  assert.deepEqual(grants.list(), [])
})

test('for an agent it is for that agent, in the name of that person', async (context) => {
  const { grants } = world(context)
  await grants.issue({ ...REQUEST, to: 'bot' }, GRACE)
  assert.equal(masksOf(grants.apply(MASKED, session(identity('ada', 'bot')))).length, 2)
  for (const other of [identity('ada'), identity('bot'), identity('eve', 'bot'), identity('ada', 'crow')]) assert.equal(grants.apply(MASKED, session(other)), MASKED)
})

test('with a task it holds only where that is claimed', async (context) => {
  const { grants } = world(context)
  await grants.issue({ ...REQUEST, task: 'T1' }, GRACE)
  assert.equal(masksOf(grants.apply(MASKED, session(identity('ada'), { task: 'T1' }))).length, 2)
  for (const task of ['', 'T', 'T11']) assert.equal(grants.apply(MASKED, session(identity('ada'), { task })), MASKED)
})

test('a revocation holds from the next decision on, here and at another gateway, and for good', async (context) => {
  const { grants, other } = world(context)
  const { grant } = await grants.issue(REQUEST, GRACE)
  while (other.list().length === 0) await new Promise((resolve) => setImmediate(resolve))
  await other.revoke(grant, GRACE, 'done')
  assert.equal(other.apply(MASKED, session()), MASKED)
  while (grants.list().length > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(grants.apply(MASKED, session()), MASKED)
  assert.equal((await grants.get(grant)).status, 'revoked')
  await assert.rejects(grants.revoke(grant, GRACE, 'again'), { code: 'GRANT_REFUSED', message: /revoked already/ })
})

test('a gateway that starts takes up what was given before, and not what is over', async (context) => {
  const { grants, store, pass } = world(context)
  const [kept, revoked, over] = [await grants.issue(REQUEST, GRACE), await grants.issue(REQUEST, GRACE), await grants.issue({ ...REQUEST, seconds: 5 }, GRACE)]
  await grants.revoke(revoked.grant, GRACE, 'done')
  pass(5)
  const started = new Grants({ store, bus: createLocalBus(), clock: { now: () => Date.parse(over.expires), ticks: () => 0 }, source: 's', directory: { find: () => undefined }, targets: [], approvers: [], maxSeconds: 1 })
  context.after(() => started.close())
  await started.restore([kept.grant, revoked.grant, over.grant, 'nothing'])
  assert.deepEqual(started.list().map(({ grant }) => grant), [kept.grant])
})

test('a second person gives it, for as long as the configuration allows', async (context) => {
  const { grants, store } = world(context)
  const refused: readonly (readonly [Partial<GrantRequest>, Identity, RegExp])[] = [
    [{ to: 'grace' }, GRACE, /to themselves/],
    [{ to: 'bot' }, identity('ada', '', ['reviewers']), /acts for you/],
    [{}, identity('bob', 'crow', ['reviewers']), /only a person/],
    [{}, { ...GRACE, kind: 'service' }, /only a person/],
    [{}, identity('bob'), /not one of those/],
    [{ seconds: 3601 }, GRACE, /1 to 3600 seconds/], [{ seconds: 0.5 }, GRACE, /seconds/], [{ seconds: -1 }, GRACE, /seconds/],
    [{ columns: [] }, GRACE, /columns/], [{ columns: ['email'] }, GRACE, /not a column/], [{ target: 'barn' }, GRACE, /no target/], [{ to: 'nobody' }, GRACE, /nobody called/],
    [{ task: '' }, GRACE, /task/],
  ]
  for (const [change, issuer, said] of refused) await assert.rejects(grants.issue({ ...REQUEST, ...change }, issuer), { code: 'GRANT_REFUSED', message: said })
  for await (const event of store.readAll()) assert.fail(`${event.type} was recorded`)
})

test('who it is for may give it back; a stranger may not end it', async (context) => {
  const { grants } = world(context)
  const { grant } = await grants.issue(REQUEST, GRACE)
  await assert.rejects(grants.revoke(grant, identity('eve'), 'mine'), { code: 'GRANT_REFUSED' })
  await assert.rejects(grants.revoke('nothing', GRACE, 'x'), { code: 'GRANT_UNKNOWN' })
  assert.equal((await grants.revoke(grant, identity('ada'), 'not needed')).status, 'revoked')
})

test('it is not in force unless it is recorded', async (context) => {
  const { grants, store } = world(context)
  await store.close()
  await assert.rejects(grants.issue(REQUEST, GRACE), { code: 'STORE_UNAVAILABLE' })
  assert.equal(grants.apply(MASKED, session()), MASKED)
})

test('what no mask covers is left as it is, and a block stays a block', async (context) => {
  const { grants } = world(context)
  await grants.issue({ ...REQUEST, columns: ['*.*.*', 'class:pii.*'] }, GRACE)
  const block: Verdict = { ...MASKED, effect: 'block', obligations: { masks: [] } }
  assert.equal(grants.apply(block, session()), block)
  const held = grants.apply({ ...MASKED, effect: 'await-approval' }, session())
  assert.deepEqual([held.effect, masksOf(held)], ['await-approval', []])
})
