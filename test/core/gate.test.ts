import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLocalBus } from '../../core/bus/drivers/local/index.ts'
import type { DecisionMade, NewEvent, Recording } from '../../core/events/index.ts'
import { appendOf } from '../fault/gate-faulty-store.ts'
import { ALICE, Adapter, aCommand, assertSound, aVerdict, aWorld, BOB, decisionsOn, DONE, open, SHOP, streamOf, untilStream } from '../fault/gate-world.ts'

describe('the gate', () => {
  for (const effect of ['allow', 'mask', 'block'] as const) {
    it(`gives the verdict ${effect} once command and decision are durable, as one append`, async () => {
      const world = aWorld()
      const session = await open(world)
      const held = world.store.failNext(appendOf('decision.made.v1'), 'hung')
      const first = world.gate.decide(session, aCommand(`${effect} this`))
      await held.struck
      assert.deepEqual(world.store.appends.at(-1)?.types, ['command.received.v1', 'decision.made.v1'])
      assert.equal(await Promise.race([first, Promise.resolve('waiting')]), 'waiting')
      held.release()
      await first
      const decision = await world.gate.decide(session, aCommand(`${effect} that`))
      assert.deepEqual(decision.verdict, aVerdict(effect))
      const events = await streamOf(world, session)
      assertSound(events, session)
      assert.deepEqual(events.slice(-2).map(({ id }) => id), [decision.command, decision.id])
      assert.deepEqual(events.at(-2)?.data, { session: session.id, number: 2, command: aCommand(`${effect} that`) })
      assert.deepEqual(events.at(-1)?.data, { session: session.id, command: decision.command, verdict: aVerdict(effect) })
    })
  }

  it('tells the rules who asks, where, what, when, and how many commands came before', async () => {
    const world = aWorld()
    const session = await open(world)
    session.transaction = 'open'
    await world.gate.decide(session, aCommand('allow a'))
    await world.gate.decide(session, aCommand('allow b'))
    const [, seen] = world.engine.seen
    assert.deepEqual([seen?.identity, seen?.target, seen?.command, seen?.now], [ALICE, SHOP, aCommand('allow b'), world.clock.time])
    const { id, address, application, task, tls, startedAt, commands, transaction } = seen?.session ?? session
    assert.deepEqual({ id, address, application, task, tls, startedAt, commands, transaction }, {
      id: session.id, address: '10.0.0.7', application: 'psql', task: 'TICKET-7', tls: true, startedAt: '2026-03-04T05:06:07.089Z', commands: 2, transaction: 'open',
    })
  })

  it('keeps an identity and a target as they were when the session began', async () => {
    const session = await open(aWorld())
    assert.throws(() => Object.assign(session.identity, { subject: 'root' }), TypeError)
    assert.throws(() => Object.assign(session.target, { name: 'other' }), TypeError)
  })

  it('decides for many sessions at a time, each in its own stream', async () => {
    const world = aWorld()
    const sessions = await Promise.all(Array.from({ length: 8 }, () => open(world)))
    const effects = ['allow', 'mask', 'block']
    const decided = await Promise.all(sessions.flatMap((session, s) =>
      Array.from({ length: 20 }, async (_, c) => (await world.gate.decide(session, aCommand(`${effects[(s + c) % 3]} ${c}`))).verdict.effect)))
    assert.deepEqual(decided, sessions.flatMap((_, s) => Array.from({ length: 20 }, (__, c) => effects[(s + c) % 3])))
    for (const session of sessions) {
      const events = await streamOf(world, session)
      assertSound(events, session)
      assert.equal(events.length, 1 + 40)
    }
  })

  it('decides and records commands in the order they came when one takes long to evaluate', async () => {
    const world = aWorld()
    const session = await open(world)
    const texts = ['allow 1', 'allow 2 slowly', 'block 3', 'allow 4 slowly', 'allow 5']
    const decisions = texts.map((text) => world.gate.decide(session, aCommand(text)))
    await decisions[0]
    assert.deepEqual(world.engine.seen.map(({ command }) => command.text), texts.slice(0, 2), 'nothing overtakes a command that is evaluated')
    world.engine.answer('allow 2 slowly')
    await decisions[2]
    world.engine.answer('allow 4 slowly')
    const effects = (await Promise.all(decisions.map(async (decision) => decision))).map(({ verdict }) => verdict.effect)
    assert.deepEqual(effects, ['allow', 'allow', 'block', 'allow', 'allow'])
    await assertOrder(world, session, texts)
    assert.deepEqual(world.engine.seen.map(({ session: facts }) => facts.commands), [1, 2, 3, 4, 5])
  })

  it('lets no command overtake those that waited, while the slow one becomes durable', async () => {
    const world = aWorld()
    const session = await open(world)
    const slow = world.gate.decide(session, aCommand('allow 1 slowly'))
    const waiting = world.gate.decide(session, aCommand('allow 2'))
    const held = world.store.failNext(appendOf('command.received.v1'), 'hung')
    world.engine.answer('allow 1 slowly')
    await held.struck
    const late = world.gate.decide(session, aCommand('allow 3'))
    held.release()
    await Promise.all([slow, waiting, late])
    await world.gate.decide(session, aCommand('allow 4'))
    await assertOrder(world, session, ['allow 1 slowly', 'allow 2', 'allow 3', 'allow 4'])
  })

  it('lets other sessions go on while one evaluates', async () => {
    const world = aWorld()
    const [one, two] = await Promise.all([open(world), open(world)])
    const slow = world.gate.decide(one, aCommand('allow slowly'))
    assert.equal((await world.gate.decide(two, aCommand('allow'))).verdict.effect, 'allow')
    world.engine.answer('allow slowly')
    assert.equal((await slow).verdict.effect, 'allow')
  })

  for (const [title, evaluate] of [
    ['throws', () => { throw new Error('boom') }],
    ['rejects', () => Promise.reject(new Error('boom'))],
  ] as const) {
    it(`blocks when the engine ${title}, and goes on`, async () => {
      let broken = true
      const world = aWorld({ engine: { evaluate: () => (broken ? evaluate() : aVerdict('allow')), digest: () => 'sha256:broken' } })
      const session = await open(world)
      const decision = await world.gate.decide(session, aCommand('allow'))
      assert.deepEqual([decision.verdict.effect, decision.verdict.by, decision.verdict.ruleset], ['block', 'failure', 'sha256:broken'])
      broken = false
      assert.equal((await world.gate.decide(session, aCommand('allow'))).verdict.effect, 'allow')
      const events = await streamOf(world, session)
      assert.deepEqual(decisionsOn(events, decision.command), ['block by failure'])
    })
  }

  it('blocks what an adapter cannot enforce, by a decision of its own', async () => {
    const world = aWorld()
    const session = await open(world)
    const decision = await world.gate.decide(session, aCommand('mask'))
    const blocked = await world.gate.block(decision, 'a column cannot be traced')
    assert.deepEqual([blocked.verdict.effect, blocked.verdict.by, blocked.verdict.reason], ['block', 'enforcement', 'a column cannot be traced'])
    const events = await streamOf(world, session)
    assert.equal(events.at(-1)?.id, blocked.id)
    assert.equal(events.at(-1)?.causationid, decision.id)
    assert.deepEqual(decisionsOn(events, decision.command), ['mask by rules', 'block by enforcement'])
  })

  it('writes an outcome a moment later when no command follows', async () => {
    const world = aWorld()
    const session = await open(world)
    const recording: Recording = { encoding: 'postgresql/backend', chunks: [{ at: 1, data: 'AAAA' }], bytes: 3 }
    world.gate.settle(await world.gate.decide(session, aCommand('allow')), DONE, recording)
    const events = await untilStream(world, session, (all) => all.some(({ type }) => type === 'recording.captured.v1'))
    assertSound(events, session)
    assert.deepEqual(events.slice(-2).map(({ type }) => type), ['outcome.recorded.v1', 'recording.captured.v1'])
  })

  it('writes outcomes together with the next command', async () => {
    const world = aWorld()
    const session = await open(world)
    world.gate.settle(await world.gate.decide(session, aCommand('allow 1')), DONE)
    await world.gate.decide(session, aCommand('allow 2'))
    assert.deepEqual(world.store.appends.at(-1)?.types, ['outcome.recorded.v1', 'command.received.v1', 'decision.made.v1'])
  })

  it('takes as many outcomes at once as a pipeline brings', async () => {
    const world = aWorld()
    const session = await open(world)
    const decisions = await Promise.all(Array.from({ length: 3000 }, async (_, n) => world.gate.decide(session, aCommand(`allow ${n}`))))
    const recording: Recording = { encoding: 'postgresql/backend', chunks: [{ at: 1, data: 'A'.repeat(20_000) }], bytes: 15_000 }
    for (const decision of decisions) world.gate.settle(decision, DONE, recording)
    assert.equal((await world.gate.decide(session, aCommand('allow the next'))).verdict.effect, 'allow')
    const events = await streamOf(world, session)
    assertSound(events, session)
    assert.equal(events.length, 1 + 3000 * 4 + 2)
    assert.ok(Math.max(...world.store.appends.map(({ types }) => types.length)) <= 512)
  })

  it('ends a session with what it came to', async () => {
    const world = aWorld()
    const session = await open(world)
    world.gate.settle(await world.gate.decide(session, aCommand('allow')), DONE)
    await world.gate.close(session, { reason: 'client-terminated', bytesFromClient: 10, bytesToClient: 20 })
    const events = await streamOf(world, session)
    assert.deepEqual(events.map(({ type }) => type), ['session.opened.v1', 'command.received.v1', 'decision.made.v1', 'outcome.recorded.v1', 'session.closed.v1'])
    assert.deepEqual(events.at(-1)?.data, { session: session.id, commands: 1, reason: 'client-terminated', bytesFromClient: 10, bytesToClient: 20 })
  })

  it('tells the bus what became durable, and only then', async () => {
    const world = aWorld()
    const heard: string[] = []
    const [opened, all] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    world.bus.subscribe('sallyport.event.>', ({ subject, data }) => {
      const count = heard.push(`${subject} ${(data as NewEvent).type}`)
      if (count === 1) opened.resolve()
      if (count === 3) all.resolve()
    })
    const session = await open(world)
    await opened.promise
    const fault = world.store.failNext(appendOf('decision.made.v1'), 'hung')
    const blocked = world.gate.decide(session, aCommand('allow'))
    await fault.struck
    await turnOfTheLoop()
    assert.equal(heard.length, 1)
    fault.release()
    await blocked
    await world.gate.decide(session, aCommand('allow'))
    await all.promise
    assert.deepEqual(heard.slice(0, 3), [
      'sallyport.event.session.opened session.opened.v1',
      'sallyport.event.command.received command.received.v1',
      'sallyport.event.decision.made decision.made.v1',
    ])
  })

  it('stands by a durable decision when the bus does not take the event', async () => {
    const world = aWorld({ bus: createLocalBus({ maxPayloadBytes: 4096 }) })
    world.bus.subscribe('sallyport.event.>', () => {})
    const session = await open(world)
    const adapter = new Adapter(world)
    assert.equal((await adapter.run(session, aCommand(`allow ${'x'.repeat(5000)}`))).verdict.effect, 'allow')
    await world.bus.close()
    assert.equal((await adapter.run(session, aCommand('allow'))).verdict.effect, 'allow')
    assert.equal(adapter.forwarded.length, 2)
  })
})

describe('the gate in relaxed mode', () => {
  it('answers before a decision is durable, and records it all the same', async () => {
    const world = aWorld({ audit: 'relaxed' })
    const session = await open(world)
    const held = world.store.failNext(() => true, 'hung')
    const decision = world.gate.decide(session, aCommand('allow'))
    assert.ok(!(decision instanceof Promise) && decision.verdict.effect === 'allow')
    await held.struck
    held.release()
    const events = await untilStream(world, session, (all) => all.length === 3)
    assert.deepEqual(decisionsOn(events, decision.command), ['allow by rules'])
  })

  it('waits for what is to be held for approval', async () => {
    const world = aWorld({ audit: 'relaxed' })
    assert.ok(world.gate.decide(await open(world), aCommand('await-approval')) instanceof Promise)
  })

  it('waits once something could not be written, and blocks while that lasts', async () => {
    const world = aWorld({ audit: 'relaxed' })
    const session = await open(world)
    world.store.down = true
    const lost = world.gate.decide(session, aCommand('allow 1'))
    assert.ok(!(lost instanceof Promise))
    await session.journal.flush().catch(() => {})
    const next = world.gate.decide(session, aCommand('allow 2'))
    assert.ok(next instanceof Promise)
    assert.deepEqual([(await next).verdict.effect, (await next).verdict.by], ['block', 'failure'])
    world.store.down = false
    assert.equal((await world.gate.decide(session, aCommand('allow 3'))).verdict.effect, 'allow')
    const events = await streamOf(world, session)
    assertSound(events, session)
    assert.deepEqual(decisionsOn(events, lost.command), ['allow by rules'])
  })

  it('waits when the store is far behind', async () => {
    const world = aWorld({ audit: 'relaxed' })
    const session = await open(world)
    world.store.pendingBytes = 16 * 1024 * 1024
    assert.ok(world.gate.decide(session, aCommand('allow')) instanceof Promise)
    world.store.pendingBytes = 0
    assert.ok(!(world.gate.decide(session, aCommand('allow')) instanceof Promise))
  })
})

describe('holding a command', () => {
  it('runs it after a second person agreed, once, with its masks', async () => {
    const world = aWorld()
    const session = await open(world)
    const adapter = new Adapter(world)
    const decision = await adapter.run(session, aCommand('await-approval of a delete', ['7', null]), undefined, (request) => {
      void world.approvals.answer(request.approval, { grant: true, reviewer: BOB, digest: request.digest, comment: 'fine' })
    })
    assert.deepEqual([decision.verdict.effect, decision.verdict.by, decision.verdict.reason], ['allow', 'approval', 'approved by bob'])
    assert.deepEqual(adapter.forwarded, ['await-approval of a delete'])
    const [request] = adapter.asked
    const made = (await streamOf(world, session)).find(({ id }) => id === decision.id)?.data as DecisionMade
    assert.equal(made.approval, request?.approval)
    assert.deepEqual((await world.approvals.get(request?.approval ?? '')).status, 'consumed')
    assert.deepEqual(world.approvals.pending(), [])
  })

  it('keeps the masks of a command that is held', async () => {
    const verdict = { ...aVerdict('await-approval'), obligations: { ...aVerdict('await-approval').obligations, masks: aVerdict('mask').obligations.masks } }
    const world = aWorld({ engine: { evaluate: () => verdict, digest: () => verdict.ruleset } })
    const decision = await new Adapter(world).run(await open(world), aCommand('await-approval'), undefined, (request) => {
      void world.approvals.answer(request.approval, { grant: true, reviewer: BOB, digest: request.digest, comment: '' })
    })
    assert.equal(decision.verdict.effect, 'mask')
    assert.deepEqual(decision.verdict.obligations.masks, aVerdict('mask').obligations.masks)
  })

  it('blocks what was denied, in the reviewer\'s words', async () => {
    const world = aWorld()
    const adapter = new Adapter(world)
    const decision = await adapter.run(await open(world), aCommand('await-approval'), undefined, (request) => {
      void world.approvals.answer(request.approval, { grant: false, reviewer: BOB, digest: request.digest, comment: 'not on a Friday' })
    })
    assert.deepEqual([decision.verdict.effect, decision.verdict.reason], ['block', 'denied by bob: not on a Friday'])
    assert.deepEqual(adapter.forwarded, [])
  })

  it('blocks what nobody answered in time', async () => {
    const terms = { approvers: ['group:reviewers'], timeoutSeconds: 0 }
    const verdict = { ...aVerdict('await-approval'), obligations: { masks: [], approval: terms } }
    const world = aWorld({ engine: { evaluate: () => verdict, digest: () => verdict.ruleset } })
    const adapter = new Adapter(world)
    const decision = await adapter.run(await open(world), aCommand('await-approval'))
    assert.deepEqual([decision.verdict.effect, decision.verdict.reason], ['block', 'nobody answered in time'])
    assert.equal((await world.approvals.get(adapter.asked[0]?.approval ?? '')).status, 'expired')
  })

  it('withdraws what the client cancelled', async () => {
    const world = aWorld()
    const cancel = new AbortController()
    const adapter = new Adapter(world)
    const decision = await adapter.run(await open(world), aCommand('await-approval'), cancel.signal, () => cancel.abort('canceled by the client'))
    assert.deepEqual([decision.verdict.effect, decision.verdict.reason], ['block', 'withdrawn: canceled by the client'])
    assert.equal((await world.approvals.get(adapter.asked[0]?.approval ?? '')).status, 'withdrawn')
  })

  it('asks anew when the rules changed while it was held, and leaves the grant unspent', async () => {
    const world = aWorld()
    const adapter = new Adapter(world)
    const decision = await adapter.run(await open(world), aCommand('await-approval'), undefined, (request) => {
      world.engine.ruleset = 'sha256:two'
      void world.approvals.answer(request.approval, { grant: true, reviewer: BOB, digest: request.digest, comment: '' })
    })
    assert.deepEqual([decision.verdict.effect, adapter.forwarded], ['block', []])
    assert.match(decision.verdict.reason, /the rules changed/)
    assert.equal((await world.approvals.get(adapter.asked[0]?.approval ?? '')).status, 'granted')
  })

  it('blocks when the verdict says to wait and not for whom', async () => {
    const verdict = { ...aVerdict('await-approval'), obligations: { masks: [] } }
    const world = aWorld({ engine: { evaluate: () => verdict, digest: () => verdict.ruleset } })
    assert.equal((await new Adapter(world).run(await open(world), aCommand('await-approval'))).verdict.effect, 'block')
  })
})

/** The in-process bus delivers in the turn after the one that published. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => { setImmediate(() => setImmediate(resolve)) })
}

async function assertOrder(world: ReturnType<typeof aWorld>, session: Awaited<ReturnType<typeof open>>, texts: readonly string[]): Promise<void> {
  const events = await streamOf(world, session)
  assertSound(events, session)
  const commands = events.filter(({ type }) => type === 'command.received.v1').map(({ data }) => (data as { command: { text: string } }).command.text)
  assert.deepEqual(commands, texts)
}
