/**
 * The fault table of the gate: each append it makes × (written or not) × what the adapter then may do.
 * After each, the store works again, the same session goes on without a restart, and its stream tells everything once.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { appendOf, type Fault } from './gate-faulty-store.ts'
import {
  Adapter, aCommand, assertSound, aVerdict, aWorld, BOB, collect, decisionsOn, DONE, open, streamOf, untilStream, type World,
} from './gate-world.ts'

const FAULTS: readonly Fault[] = ['lost', 'written', 'hung', 'garbage']

interface Row {
  readonly step: string
  /** The first event of this type meets the fault; for `held`, while a command is held. */
  readonly append: string
  readonly text: string
  /** How the reviewer answers, or what else ends the wait. */
  readonly review?: 'grant' | 'deny' | 'cancel'
  readonly timeoutSeconds?: number
  /** Decisions on the command in the end, as an auditor sees them. */
  readonly decisions: readonly string[]
}

const TABLE: readonly Row[] = [
  { step: 'an allowed command is recorded', append: 'command.received.v1', text: 'allow', decisions: ['allow by rules', 'block by failure'] },
  { step: 'a masked command is recorded', append: 'command.received.v1', text: 'mask', decisions: ['mask by rules', 'block by failure'] },
  { step: 'a blocked command is recorded', append: 'command.received.v1', text: 'block', decisions: ['block by rules', 'block by failure'] },
  { step: 'a command to hold is recorded', append: 'command.received.v1', text: 'await-approval', decisions: ['await-approval by rules', 'block by failure'] },
  { step: 'an approval is asked for', append: 'approval.requested.v1', text: 'await-approval', review: 'grant', decisions: ['await-approval by rules', 'block by failure'] },
  { step: 'a grant is spent', append: 'approval.consumed.v1', text: 'await-approval', review: 'grant', decisions: ['await-approval by rules', 'block by failure'] },
  { step: 'a granted command is released', append: 'decision.made.v1', text: 'await-approval', review: 'grant', decisions: ['await-approval by rules', 'allow by approval', 'block by failure'] },
  { step: 'a denial is recorded', append: 'decision.made.v1', text: 'await-approval', review: 'deny', decisions: ['await-approval by rules', 'block by approval', 'block by failure'] },
  { step: 'a cancelled request is withdrawn', append: 'approval.withdrawn.v1', text: 'await-approval', review: 'cancel', decisions: ['await-approval by rules', 'block by failure'] },
  { step: 'a request expires', append: 'approval.expired.v1', text: 'await-approval', timeoutSeconds: 0, decisions: ['await-approval by rules', 'block by failure'] },
]

describe('the gate under a failing store', () => {
  for (const row of TABLE) {
    for (const fault of FAULTS) {
      it(`blocks, forwards nothing and recovers when ${row.step} and the append is ${fault}`, () => meets(row, fault))
    }
  }

  for (const fault of FAULTS) {
    it(`lets nobody in when the session's opening is ${fault}, and says that it ended`, async () => {
      const world = aWorld()
      const planned = world.store.failNext(appendOf('session.opened.v1'), fault)
      planned.struck.then(planned.release).catch(() => {})
      await assert.rejects(open(world), { code: 'STORE_UNAVAILABLE' })
      const stop = new AbortController()
      const types: string[] = []
      for await (const { type } of world.store.inner.readAll({ follow: true, signal: stop.signal })) {
        if (types.push(type) === 2) stop.abort()
      }
      assert.deepEqual(types, ['session.opened.v1', 'session.closed.v1'])
    })

    it(`blocks what cannot be enforced also when that is ${fault}, and records it later`, async () => {
      const world = aWorld()
      const session = await open(world)
      const decision = await world.gate.decide(session, aCommand('mask'))
      const planned = world.store.failNext(appendOf('decision.made.v1'), fault)
      planned.struck.then(planned.release).catch(() => {})
      const blocked = await world.gate.block(decision, 'it cannot be traced')
      assert.equal(blocked.verdict.effect, 'block')
      const events = await untilStream(world, session, (all) => decisionsOn(all, decision.command).length === 2)
      assertSound(events, session)
      assert.deepEqual(decisionsOn(events, decision.command), ['mask by rules', 'block by enforcement'])
    })

    it(`keeps the outcome of a command that ran when its append is ${fault}`, async () => {
      const world = aWorld()
      const session = await open(world)
      const adapter = new Adapter(world)
      const ran = await adapter.run(session, aCommand('allow 1'))
      const planned = world.store.failNext(appendOf('outcome.recorded.v1'), fault)
      planned.struck.then(planned.release).catch(() => {})
      const refused = await adapter.run(session, aCommand('allow 2'))
      assert.deepEqual([refused.verdict.effect, adapter.forwarded], ['block', ['allow 1']])
      const events = await untilStream(world, session, (all) => decisionsOn(all, refused.command).length === 2)
      assertSound(events, session)
      assert.equal(events.filter(({ type, subject }) => type === 'outcome.recorded.v1' && subject === ran.command).length, 1)
    })

    it(`writes what is left of a session that has gone, when its end is ${fault}`, async () => {
      const world = aWorld()
      const session = await open(world)
      const planned = world.store.failNext(appendOf('session.closed.v1'), fault)
      planned.struck.then(planned.release).catch(() => {})
      await world.gate.close(session, { reason: 'client-disconnected', bytesFromClient: 1, bytesToClient: 2 })
      const events = await untilStream(world, session, (all) => all.at(-1)?.type === 'session.closed.v1')
      assertSound(events, session)
    })
  }

  it('writes the block of a silent session as soon as the store takes it, without another command', async () => {
    const world = aWorld()
    const session = await open(world)
    world.store.down = true
    const decision = await world.gate.decide(session, aCommand('allow'))
    assert.equal(decision.verdict.by, 'failure')
    const attempts = world.store.appends.length
    while (world.store.appends.length < attempts + 2) await new Promise((resolve) => { setImmediate(resolve) })
    world.store.down = false
    const events = await untilStream(world, session, (all) => all.length === 4)
    assertSound(events, session)
    assert.deepEqual(decisionsOn(events, decision.command), ['allow by rules', 'block by failure'])
  })

  it('blocks every command of every session while the store is down, and tells all of it afterwards', async () => {
    const world = aWorld()
    const sessions = await Promise.all([open(world), open(world), open(world)])
    const adapter = new Adapter(world)
    world.store.down = true
    const decisions = await Promise.all(sessions.flatMap((session) => ['allow 1', 'mask 2', 'block 3', 'await-approval 4'].map((text) => adapter.run(session, aCommand(text)))))
    assert.ok(decisions.every(({ verdict }) => verdict.effect === 'block'))
    assert.deepEqual(adapter.forwarded, [])
    world.store.down = false
    await Promise.all(sessions.map((session) => adapter.run(session, aCommand('allow after'))))
    assert.deepEqual(adapter.forwarded, ['allow after', 'allow after', 'allow after'])
    for (const session of sessions) assertSound(await streamOf(world, session), session)
    for (const decision of decisions) {
      assert.deepEqual(decisionsOn(await streamOf(world, decision.session), decision.command).at(-1), 'block by failure')
    }
  })

  it('forwards nothing of a pipeline behind a command whose append failed', async () => {
    for (const fault of ['lost', 'garbage', 'hung'] as const) {
      const world = aWorld()
      const session = await open(world)
      const adapter = new Adapter(world)
      const planned = world.store.failNext(appendOf('command.received.v1'), fault)
      planned.struck.then(planned.release).catch(() => {})
      const decisions = await Promise.all(['allow 1', 'allow 2', 'allow 3'].map((text) => adapter.run(session, aCommand(text))))
      assert.deepEqual([decisions.map(({ verdict }) => verdict.effect), adapter.forwarded], [['block', 'block', 'block'], []], fault)
      await adapter.run(session, aCommand('allow 4'))
      const events = await streamOf(world, session)
      assertSound(events, session)
      for (const { command } of decisions) assert.deepEqual(decisionsOn(events, command), ['allow by rules', 'block by failure'], fault)
    }
  })

  it('forwards what is durable behind a command that was written and reported as failed', async () => {
    const world = aWorld()
    const session = await open(world)
    const adapter = new Adapter(world)
    world.store.failNext(appendOf('command.received.v1'), 'written')
    const [first, second] = await Promise.all(['allow 1', 'allow 2'].map((text) => adapter.run(session, aCommand(text))))
    assert.deepEqual([first?.verdict.effect, second?.verdict.effect, adapter.forwarded], ['block', 'allow', ['allow 2']])
    await adapter.run(session, aCommand('allow 3'))
    const events = await streamOf(world, session)
    assertSound(events, session)
    assert.deepEqual(decisionsOn(events, first?.command ?? ''), ['allow by rules', 'block by failure'])
  })

  it('ends a session whose command no store will ever take', async () => {
    const world = aWorld()
    const session = await open(world)
    const adapter = new Adapter(world)
    const decision = await adapter.run(session, { ...aCommand('allow'), facts: { sql: { rows: 1n } } })
    assert.deepEqual([decision.verdict.effect, adapter.forwarded], ['block', []])
    assert.equal((await adapter.run(session, aCommand('allow'))).verdict.effect, 'block')
    assert.equal(session.journal.full, true)
    const attempts = world.store.appends.length
    assert.equal((await adapter.run(session, aCommand('allow'))).verdict.effect, 'block')
    assert.equal(world.store.appends.length, attempts, 'it is not tried again')
    assert.deepEqual((await streamOf(world, session)).map(({ type }) => type), ['session.opened.v1'])
  })

  it('ends a session in whose stream somebody else writes', async () => {
    const world = aWorld()
    const session = await open(world)
    const adapter = new Adapter(world)
    const [opened] = await streamOf(world, session)
    assert.ok(opened !== undefined)
    const { stream, revision, position, ...event } = opened
    await world.store.inner.append(stream, [{ ...event, id: 'somebody-else' }], revision)
    assert.equal(typeof position, 'bigint')
    for (const text of ['allow 1', 'allow 2']) assert.equal((await adapter.run(session, aCommand(text))).verdict.effect, 'block')
    assert.deepEqual([adapter.forwarded, session.journal.full], [[], true])
    assert.deepEqual((await streamOf(world, session)).map(({ id }) => id), [event.id, 'somebody-else'], 'nothing is written over what is there')
  })

  it('is full when an outage goes on for too long, and not before', async () => {
    const world = aWorld()
    const session = await open(world)
    world.store.down = true
    await world.gate.decide(session, aCommand('allow'))
    assert.equal(session.journal.full, false)
    for (let n = 0; n < 400; n++) await world.gate.decide(session, aCommand(`allow ${n}`))
    assert.equal(session.journal.full, true)
    world.store.down = false
    assert.equal((await world.gate.decide(session, aCommand('allow'))).verdict.effect, 'allow')
    assert.equal(session.journal.full, false)
    assertSound(await streamOf(world, session), session)
  })
})

async function meets(row: Row, fault: Fault): Promise<void> {
  const world = row.timeoutSeconds === undefined ? aWorld() : expiring(row.timeoutSeconds)
  const session = await open(world)
  const adapter = new Adapter(world)
  await adapter.run(session, aCommand('allow the first'))
  const planned = row.append === 'decision.made.v1' ? undefined : world.store.failNext(appendOf(row.append), fault)
  planned?.struck.then(planned.release).catch(() => {})
  const cancel = new AbortController()
  const decision = await adapter.run(session, aCommand(row.text), cancel.signal, (request) => {
    if (planned === undefined) {
      const late = world.store.failNext(appendOf(row.append), fault)
      late.struck.then(late.release).catch(() => {})
    }
    if (row.review === 'cancel') cancel.abort('canceled by the client')
    else if (row.review !== undefined) void world.approvals.answer(request.approval, { grant: row.review === 'grant', reviewer: BOB, digest: request.digest, comment: '' })
  })
  assert.equal(world.store.unmet, 0, 'the fault was never met: the row tests nothing')
  assert.deepEqual([decision.verdict.effect, decision.verdict.by], ['block', 'failure'])
  assert.deepEqual(adapter.forwarded, ['allow the first'])
  world.gate.settle(decision, { ...DONE, status: 'not-forwarded' })
  assert.equal((await adapter.run(session, aCommand('allow the next'))).verdict.effect, 'allow')
  assert.deepEqual(adapter.forwarded, ['allow the first', 'allow the next'])
  await world.gate.close(session, { reason: 'client-terminated', bytesFromClient: 0, bytesToClient: 0 })
  const events = await streamOf(world, session)
  assertSound(events, session)
  assert.deepEqual(decisionsOn(events, decision.command), row.decisions)
  assert.ok(events.some(({ id }) => id === decision.id), 'the id that the client was told can be looked up')
  assert.deepEqual(events.filter(({ type }) => type === 'outcome.recorded.v1').length, 3)
  assert.equal(events.at(-1)?.type, 'session.closed.v1')
  if (row.review === 'grant' && row.append !== 'approval.requested.v1') await assertSpentAtMostOnce(world, adapter)
}

function expiring(timeoutSeconds: number): World {
  const verdict = { ...aVerdict('await-approval'), obligations: { masks: [], approval: { approvers: ['group:reviewers'], timeoutSeconds } } }
  return aWorld({
    engine: { evaluate: ({ command }) => (command.text === 'await-approval' ? verdict : aVerdict('allow')), digest: () => verdict.ruleset },
  })
}

async function assertSpentAtMostOnce(world: World, adapter: Adapter): Promise<void> {
  const events = await collect(world.store.inner.read(`approval-${adapter.asked[0]?.approval}`))
  assert.ok(events.filter(({ type }) => type === 'approval.consumed.v1').length <= 1)
}
