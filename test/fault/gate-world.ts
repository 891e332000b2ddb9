import assert from 'node:assert/strict'
import { Approvals } from '../../core/approvals/approvals.ts'
import { createLocalBus } from '../../core/bus/drivers/local/index.ts'
import type { EventBus } from '../../core/bus/event-bus.ts'
import type { Clock } from '../../core/clock.ts'
import type { ApprovalRequested, Command, DecisionMade, Effect, Identity, Outcome, RecordedEvent, Target, Verdict } from '../../core/events/index.ts'
import { Gate, type Decision } from '../../core/gate.ts'
import type { GateSession } from '../../core/gate-session.ts'
import { eventIds } from '../../core/ids.ts'
import type { RuleEngine, RuleInput } from '../../core/rules/rule-engine.ts'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { FaultyStore } from './gate-faulty-store.ts'

export const ALICE: Identity = { subject: 'alice', kind: 'person', actor: '', groups: ['engineers'], method: 'scram-sha-256' }
export const BOB: Identity = { subject: 'bob', kind: 'person', actor: '', groups: ['reviewers'], method: 'api-token' }
export const SHOP: Target = { name: 'shop', protocol: 'postgresql', database: 'shop', labels: { env: 'prod' }, classes: { 'public.customers.email': 'pii.email' } }
export const DONE: Outcome = { status: 'completed', rows: 1, bytes: 64, durationMs: 1.5 }
export const RULESET = 'sha256:one'

export function aCommand(text: string, values: (string | null)[] = []): Command {
  return {
    protocol: 'postgresql', action: 'read', actions: ['read'], phase: 'execute', text, values, valuesComplete: true,
    resources: [], fidelity: 'parsed', opaque: '', facts: {},
  }
}

export function aVerdict(effect: Effect, ruleset = RULESET): Verdict {
  const masks = effect === 'mask' ? [{ column: 'public.customers.email', method: 'partial' as const }] : []
  const approval = effect === 'await-approval' ? { approval: { approvers: ['group:reviewers'], timeoutSeconds: 600 } } : {}
  return { effect, by: 'rules', reason: `it says ${effect}`, votes: [{ rule: 'first-word', effect, reason: 'as asked' }], obligations: { masks, ...approval }, ruleset }
}

/** Decides by the first word of the text; a text that ends in `slowly` waits for `answer`. */
export class ScriptedEngine implements RuleEngine {
  ruleset = RULESET
  readonly seen: RuleInput[] = []
  readonly #slow = new Map<string, PromiseWithResolvers<Verdict>>()

  evaluate(input: RuleInput): Verdict | Promise<Verdict> {
    this.seen.push({ ...input, session: { ...input.session, commands: input.session.commands } })
    const { text } = input.command
    if (!text.endsWith('slowly')) return this.verdict(text)
    const slow = Promise.withResolvers<Verdict>()
    this.#slow.set(text, slow)
    return slow.promise
  }

  verdict(text: string): Verdict {
    return aVerdict((text.split(' ')[0] ?? 'block') as Effect, this.ruleset)
  }

  answer(text: string): void {
    const slow = this.#slow.get(text)
    assert.ok(slow !== undefined, `nobody evaluates "${text}"`)
    slow.resolve(this.verdict(text))
  }

  digest(): string {
    return this.ruleset
  }
}

export class FixedClock implements Clock {
  time = Date.parse('2026-03-04T05:06:07.089Z')
  now(): number {
    return this.time
  }
  ticks(): number {
    return this.time
  }
}

export interface World {
  readonly store: FaultyStore
  readonly bus: EventBus
  readonly clock: FixedClock
  readonly engine: ScriptedEngine
  readonly approvals: Approvals
  readonly gate: Gate
}

/** A gate with everything it needs in memory; every part may be replaced. */
export function aWorld(replaced: { engine?: RuleEngine; audit?: 'write-ahead' | 'relaxed'; bus?: EventBus } = {}): World {
  const store = new FaultyStore(createMemoryStore())
  const bus = replaced.bus ?? createLocalBus()
  const clock = new FixedClock()
  const engine = new ScriptedEngine()
  const source = 'sallyport/test'
  const approvals = new Approvals({ store, bus, clock, source })
  const gate = new Gate({ store, bus, clock, approvals, source, engine: replaced.engine ?? engine, audit: replaced.audit ?? 'write-ahead' })
  return { store, bus, clock, engine, approvals, gate }
}

export function open({ gate }: World, identity: Identity = ALICE): Promise<GateSession> {
  return gate.open({ protocol: 'postgresql', identity, target: SHOP, address: '10.0.0.7:51234', tls: true, claimed: { application_name: 'psql', 'sallyport.task': 'TICKET-7' } })
}

/**
 * What an adapter does with a decision. Nothing is forwarded unless the store already holds the command and this very
 * decision: that is the first promise, checked at each forwarding.
 */
export class Adapter {
  readonly forwarded: string[] = []
  readonly asked: ApprovalRequested[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async run(session: GateSession, command: Command, signal = new AbortController().signal, reviewed?: (request: ApprovalRequested) => void): Promise<Decision> {
    const { gate } = this.#world
    let decision = await gate.decide(session, command)
    if (decision.verdict.effect === 'await-approval') {
      decision = await gate.hold(decision, signal, (request) => {
        this.asked.push(request)
        reviewed?.(request)
      })
    }
    if (decision.verdict.effect === 'allow' || decision.verdict.effect === 'mask') await this.#forward(decision)
    return decision
  }

  async #forward(decision: Decision): Promise<void> {
    const events = await streamOf(this.#world, decision.session)
    const command = events.find(({ id }) => id === decision.command)
    const made = events.find(({ id }) => id === decision.id)
    assert.equal(command?.type, 'command.received.v1', 'forwarded before its command was durable')
    assert.equal((made?.data as DecisionMade | undefined)?.verdict.effect, decision.verdict.effect, 'forwarded before its decision was durable')
    this.forwarded.push(decision.asked.text)
    this.#world.gate.settle(decision, DONE)
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function streamOf({ store }: World, session: GateSession): Promise<RecordedEvent[]> {
  return collect(store.inner.read(session.journal.stream))
}

/** Waits until the session's stream holds what is looked for, woken by every commit. */
export async function untilStream(world: World, session: GateSession, holds: (events: readonly RecordedEvent[]) => boolean): Promise<RecordedEvent[]> {
  const stop = new AbortController()
  try {
    for await (const event of world.store.inner.readAll({ follow: true, signal: stop.signal })) {
      if (event.stream !== session.journal.stream) continue
      const events = await streamOf(world, session)
      if (holds(events)) return events
    }
  } finally {
    stop.abort()
  }
  throw new Error('the store was closed before it held that')
}

/** Effects of all decisions on a command, oldest first, as `effect by who`. */
export function decisionsOn(events: readonly RecordedEvent[], command: string): string[] {
  return events
    .filter(({ type, data }) => type === 'decision.made.v1' && (data as DecisionMade).command === command)
    .map(({ data }) => `${(data as DecisionMade).verdict.effect} by ${(data as DecisionMade).verdict.by}`)
}

/** A stream as it has to be, whatever went wrong: ids that a retry makes again, no gap, no event twice, and causes that are there. */
export function assertSound(events: readonly RecordedEvent[], session: GateSession): void {
  const idOf = eventIds(session.id)
  assert.deepEqual(events.map(({ revision }) => revision), events.map((_, index) => BigInt(index)))
  assert.deepEqual(events.map(({ id }) => id), events.map((_, index) => idOf(index)))
  assert.equal(events[0]?.type, 'session.opened.v1')
  const numbers = events.filter(({ type }) => type === 'command.received.v1').map(({ data }) => (data as { number: number }).number)
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1), 'each command is there once, in the order they came')
  const ids = new Set<string>()
  for (const { id, causationid } of events) {
    assert.ok(causationid === undefined || ids.has(causationid), 'a cause comes before what it causes')
    ids.add(id)
  }
}
