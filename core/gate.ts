/**
 * START HERE. A command's whole way through the engine:
 *
 *   adapter ── decide(command) ──▶ rules give a verdict
 *                                  command + decision: one atomic append, durable
 *           ◀── Decision ─────────
 *   allow, mask      → the adapter forwards, masks the response, and settles
 *   block            → the adapter answers in its protocol's own words
 *   await-approval   → hold(decision) → a second person answers → a Decision again
 *   adapter ── settle(outcome) ──▶ staged, durable with the next append or a few ms later
 *
 * Nothing here throws at an adapter: whatever fails between command and decision is a block.
 */
import { randomUUID } from 'node:crypto'
import type { Approvals, Resolution } from './approvals/approvals.ts'
import type { EventBus } from './bus/event-bus.ts'
import { rfc3339, type Clock } from './clock.ts'
import type { ApprovalRequested, Command, Impact, NewEvent, Outcome, Recording, SessionClosed, Verdict } from './events/index.ts'
import { FlushSchedule } from './flush-schedule.ts'
import type { Grants } from './grants/grants.ts'
import { GateSession, type SessionRequest } from './gate-session.ts'
import { Journal } from './journal.ts'
import { inOnePiece } from './in-one-piece.ts'
import type { RuleEngine } from './rules/rule-engine.ts'
import { StatementRate } from './statement-rate.ts'
import type { EventStore } from './store/event-store.ts'

/** A verdict on one command. An adapter may act on it as soon as it has it: it is durable (or `audit` is relaxed). */
export interface Decision {
  /** Id of its `decision.made` event: what a client is told, and what an auditor searches for. */
  readonly id: string
  /** Id of the `command.received` event. */
  readonly command: string
  readonly verdict: Verdict
  readonly session: GateSession
  readonly asked: Command
}

export interface GateOptions {
  readonly store: EventStore
  readonly bus: EventBus
  readonly engine: RuleEngine
  readonly approvals: Approvals
  /** Masks that a second person has lifted for a while. */
  readonly grants?: Grants
  readonly clock: Clock
  /** CloudEvents `source`: `sallyport/<gateway name>`. */
  readonly source: string
  /** `write-ahead`: a decision is durable before anybody acts on it. `relaxed`: it will be in a moment; a crash loses that moment. */
  readonly audit: 'write-ahead' | 'relaxed'
}

/** In relaxed mode, this much that is not durable yet makes the next decision wait. */
const MAX_RELAXED_PENDING_BYTES = 16 * 1024 * 1024
/** … and so does this many events of one session, or a command of this size. */
const MAX_RELAXED_WAITING_EVENTS = 400
const MAX_RELAXED_COMMAND_BYTES = 64 * 1024

export class Gate {
  readonly #options: GateOptions
  readonly #schedule = new FlushSchedule()
  readonly #rate: StatementRate

  constructor(options: GateOptions) {
    this.#options = options
    this.#rate = new StatementRate(options.clock)
  }

  /** Opens a session; rejects when its first event cannot be made durable, and then nobody may be let in. */
  async open(request: SessionRequest): Promise<GateSession> {
    const { store, clock } = this.#options
    const source = inOnePiece(this.#options.source)
    const id = inOnePiece(randomUUID() as string)
    const published = (events: readonly NewEvent[]): void => this.#publish(events)
    const journal = new Journal(id, { store, source, clock, published, staged: (it) => this.#schedule.soon(it) })
    const session = new GateSession(id, request, journal, rfc3339(clock.now()))
    const { protocol, identity, target, address, tls, claimed } = request
    journal.stage('session.opened.v1', { session: id, protocol, identity, target, address, tls, claimed }, { subject: id })
    await journal.flush().catch((error: unknown) => {
      void this.close(session, { reason: 'error', bytesFromClient: 0, bytesToClient: 0, error: 'it could not be recorded' })
      throw error
    })
    return session
  }

  /** Decides on a command. Never rejects. Answers at once only if the verdict is known and nothing has to become durable first. */
  decide(session: GateSession, command: Command): Decision | Promise<Decision> {
    const before = session.evaluating
    if (before !== undefined) return this.#inTurn(session, command, before.then(() => this.#evaluate(session, command)))
    const verdict = this.#evaluate(session, command)
    if (verdict instanceof Promise) return this.#inTurn(session, command, verdict)
    return this.#record(session, command, verdict)
  }

  #evaluate(session: GateSession, command: Command): Verdict | Promise<Verdict> {
    const { engine, clock } = this.#options
    const { identity, target } = session
    session.commands++
    try {
      const verdict = engine.evaluate({ command, identity, target, session, now: clock.now() })
      return verdict instanceof Promise ? verdict.catch(() => unevaluated(engine.digest())) : verdict
    } catch {
      return unevaluated(engine.digest())
    }
  }

  /** Later commands wait until this one is recorded (boxed: not until that is durable), so the record has the order they came in. */
  #inTurn(session: GateSession, asked: Command, verdict: Promise<Verdict>): Promise<Decision> {
    const recorded = verdict.then((late) => {
      if (session.evaluating === recorded) session.evaluating = undefined
      return { decision: this.#record(session, asked, late) }
    })
    session.evaluating = recorded
    return recorded.then(({ decision }) => decision)
  }

  /** Command and decision are one append. A crash before it: nothing was forwarded. A crash after it: the outcome is unknown. */
  #record(session: GateSession, asked: Command, given: Verdict): Decision | Promise<Decision> {
    const { journal } = session
    const verdict = this.#measured(session, asked, this.#options.grants?.apply(given, session) ?? given)
    const command = journal.stage('command.received.v1', { session: session.id, number: session.commands, command: asked }, { bytes: sizeOf(asked) })
    const id = journal.stage('decision.made.v1', { session: session.id, command, verdict }, { subject: command, causation: command })
    const decision: Decision = { id, command, verdict, session, asked }
    const mayRunAhead = this.#options.audit === 'relaxed' && !journal.broken && this.#options.store.pending() < MAX_RELAXED_PENDING_BYTES
    // Nobody waits for it, so it waits for company: the next flush of the schedule, or the store when there is too much.
    if (mayRunAhead && verdict.effect !== 'await-approval' && journal.waiting < MAX_RELAXED_WAITING_EVENTS && sizeOf(asked) < MAX_RELAXED_COMMAND_BYTES) return decision
    const durable = journal.flush()
    return durable.then(() => decision, () => this.#failed(decision))
  }

  /** A block, where there were too many statements in the last minute. Nothing is run by being prepared. */
  #measured({ identity }: GateSession, { phase }: Command, given: Verdict): Verdict {
    const limit = given.obligations.limits?.statementsPerMinute
    if (limit === undefined || given.effect === 'block' || phase !== 'execute') return given
    const wait = this.#rate.take(identity, limit)
    if (wait === undefined) return given
    return { ...given, effect: 'block', by: 'enforcement', reason: `limit reached: more than ${limit} statements per minute; try again in ${wait} s` }
  }

  /** The store would not take it: a block, with an event of its own once the store takes events again. */
  #failed(decision: Decision): Decision {
    const reason = 'the decision could not be recorded, so the command was not run; try again in a moment'
    const verdict: Verdict = { ...decision.verdict, effect: 'block', by: 'failure', reason }
    const id = this.#overrule(decision, verdict)
    return { ...decision, id, verdict }
  }

  /**
   * Holds a command until a second person answers, the time is up, or `signal` aborts. Never rejects.
   * `asked` is called once the request is durable. The decision that comes back is final: allow, mask or block.
   * `impact` is what the reviewer is shown of what the command would change.
   */
  async hold(decision: Decision, signal: AbortSignal, asked: (request: ApprovalRequested) => void, impact?: Impact): Promise<Decision> {
    const { approvals, engine } = this.#options
    const { session, command, verdict } = decision
    const terms = verdict.obligations.approval ?? { approvers: [], timeoutSeconds: 0 }
    try {
      const bound = { session: session.id, command, asked: decision.asked, identity: session.identity, target: session.target, ruleset: verdict.ruleset }
      const request = await approvals.request(bound, terms, verdict.votes, impact)
      asked(request)
      const resolution = await approvals.resolution(request, signal)
      if (resolution.status !== 'granted') return await this.#resolve(decision, 'block', refusalOf(resolution), request)
      if (engine.digest() !== verdict.ruleset) return await this.#resolve(decision, 'block', 'the rules changed while it was held; send it again', request)
      if (this.#options.grants?.stillHolds(verdict) === false) return await this.#resolve(decision, 'block', 'a grant that it relies on has ended; send it again', request)
      await approvals.consume(request)
      return await this.#resolve(decision, 'allow', `approved by ${resolution.by.subject}`, request)
    } catch {
      return this.#failed(decision)
    }
  }

  async #resolve(decision: Decision, effect: 'allow' | 'block', reason: string, request: ApprovalRequested): Promise<Decision> {
    const { masks, detections = [] } = decision.verdict.obligations
    const masked = effect === 'allow' && (masks.length > 0 || detections.length > 0)
    const verdict: Verdict = { ...decision.verdict, effect: masked ? 'mask' : effect, by: 'approval', reason }
    const id = this.#overrule(decision, verdict, request.approval)
    await decision.session.journal.flush()
    return { ...decision, id, verdict }
  }

  /** An adapter that cannot enforce what was decided (a column it cannot trace) blocks; durable when it resolves. */
  async block(decision: Decision, reason: string): Promise<Decision> {
    const verdict: Verdict = { ...decision.verdict, effect: 'block', by: 'enforcement', reason }
    const id = this.#overrule(decision, verdict)
    const blocked = { ...decision, id, verdict }
    return decision.session.journal.flush().then(() => blocked, () => blocked)
  }

  #overrule(decision: Decision, verdict: Verdict, approval?: string): string {
    const { session, command } = decision
    const data = { session: session.id, command, verdict, ...(approval === undefined ? {} : { approval }) }
    return session.journal.stage('decision.made.v1', data, { subject: command, causation: decision.id })
  }

  /** How it ended. Durable with the session's next append, or a few ms later. */
  settle(decision: Decision, outcome: Outcome, recording?: Recording): void {
    const { session, command } = decision
    const about = { subject: command, causation: decision.id }
    session.journal.stage('outcome.recorded.v1', { session: session.id, command, outcome }, about)
    if (recording === undefined) return
    const bytes = recording.chunks.reduce((sum, { data }) => sum + data.length, 0)
    session.journal.stage('recording.captured.v1', { session: session.id, command, recording }, { ...about, bytes })
  }

  /** Ends a session. Resolves when its last event is durable, or cannot be. */
  async close(session: GateSession, end: Omit<SessionClosed, 'session' | 'commands'>): Promise<void> {
    session.journal.stage('session.closed.v1', { session: session.id, commands: session.commands, ...end }, { subject: session.id })
    await session.journal.flush().catch(() => {})
  }

  /** They are durable: that the bus cannot take one (it is closed, or the event is too large for it) undoes nothing. */
  #publish(events: readonly NewEvent[]): void {
    for (const event of events) {
      try {
        this.#options.bus.publish(subjectOf(event.type), event)
      } catch {}
    }
  }
}

/** The engine broke its contract. */
function unevaluated(ruleset: string): Verdict {
  return { effect: 'block', by: 'failure', reason: 'the rules could not be evaluated', votes: [], obligations: { masks: [] }, ruleset }
}

function sizeOf({ text, values }: Command): number {
  let bytes = text.length
  for (const value of values) bytes += value?.length ?? 0
  return bytes
}

const subjects = new Map<string, string>()
/** `command.received.v1` → `sallyport.event.command.received`. */
function subjectOf(type: string): string {
  let subject = subjects.get(type)
  if (subject === undefined) subjects.set(type, (subject = `sallyport.event.${type.replace(/\.v\d+$/, '')}`))
  return subject
}

function refusalOf(resolution: Exclude<Resolution, { status: 'granted' }>): string {
  switch (resolution.status) {
    case 'denied':
      return `denied by ${resolution.by.subject}${resolution.comment === '' ? '' : `: ${resolution.comment}`}`
    case 'expired':
      return 'nobody answered in time'
    case 'withdrawn':
      return `withdrawn: ${resolution.reason}`
    default:
      return resolution satisfies never
  }
}
