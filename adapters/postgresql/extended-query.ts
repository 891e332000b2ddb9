import type { Decisions } from './decisions.ts'
import { Names, UNSETTLED } from './names.ts'
import type { Observer, Understood } from './observe.ts'
import type { Operation, Portal, Prepared } from './operation.ts'
import type { Entry, RequestQueue } from './request-queue.ts'
import type { Responses } from './responses.ts'
import type { Run } from './run.ts'
import { decodeBind, decodeExecute, decodeNamed, decodeParse } from './wire/frontend.ts'
import { WireViolation } from './wire/violation.ts'

/** Bound values that are kept for the decision and the record, per Bind. A larger Bind is decided on its beginning, then passed on in pieces. */
export const MAX_VALUE_BYTES = 1024 * 1024
/** Prepared statements and portals a session may have at a time. */
const MAX_NAMES = 50_000

/** What the messages of the extended protocol ask of the way in. While something is waited for, the client is not read. */
export interface Intake {
  /** Calls `then` with what a text means, once that can be told. */
  understand(text: Buffer, then: (understood: Understood) => void): void
  whenUnderstood(understood: Understood | Promise<Understood>, then: (understood: Understood) => void): void
  /** Calls `then` once nothing under way can change what a name stands for. */
  whenNamed(then: () => void): void
  /** Sends what may go, and calls `then` once `until` resolves. */
  whenAnswered(until: Promise<unknown>, then: () => void): void
  run(understood: Understood, phase: 'execute' | 'prepare', values: readonly (string | null)[], valuesComplete: boolean): Run
}

export interface ExtendedQueryOptions {
  readonly intake: Intake
  readonly observer: Observer
  readonly decisions: Decisions
  readonly queue: RequestQueue
  readonly responses: Responses
}

/**
 * Parse, Bind, Describe, Execute, Close and Sync: which statement, under which name, with which values. Parse and Bind wait
 * for the Execute that says what they are for; without one, they are decided as a preparation when the client asks for an
 * answer (Flush or Sync).
 */
export class ExtendedQuery {
  readonly #o: ExtendedQueryOptions
  readonly #statements = new Names<Prepared>()
  readonly #portals = new Names<Portal>()
  #undecided: Entry[] = []
  /** Counts Syncs and simple queries: after an error, the target skips to the next. */
  #segment = 0
  #wakeOnSettled: (() => void)[] = []

  constructor(options: ExtendedQueryOptions) {
    this.#o = options
  }

  /** SQL shares its names with the protocol: what PREPARE, DEALLOCATE, DECLARE and CLOSE name is not what Parse or Bind made. */
  ended(run: Run): void {
    const { analysis } = run.understood
    if (analysis === undefined || run.command.phase === 'prepare' || !run.reached) return
    if (!run.ok && analysis.statements.length === 1) return
    for (const { effects: { prepares, deallocates, declares, closes, discards } } of analysis.statements) {
      if (prepares !== undefined) this.#statements.define(prepares, undefined)
      if (declares !== undefined) this.#portals.define(declares.name, undefined)
      if (discards === 'all') {
        this.#statements.clear()
        this.#portals.clear()
      }
      forget(this.#statements, deallocates)
      forget(this.#portals, closes)
    }
  }

  /** The target is ready: names are settled. Portals do not outlive their transaction. */
  ready(transaction: string): void {
    if (transaction === 'idle') this.#portals.clear()
    this.#wake()
  }

  preparedByName(name: string): Understood | undefined {
    const found = this.#statements.lookup(name, this.#segment)
    return found === undefined || found === UNSETTLED ? undefined : found.understood
  }

  /** What was parsed and bound for no Execute is decided by itself. */
  decidePreparations(): void {
    this.#decideUndecided(undefined)
  }

  /** A Sync or a simple query. */
  nextSegment(): void {
    this.#segment++
  }

  parse(buffer: Buffer, start: number, end: number): void {
    const { name, text, types } = decodeParse(buffer, start, end)
    if (this.#statements.size > MAX_NAMES) throw new WireViolation(`more than ${MAX_NAMES} prepared statements`)
    this.#o.intake.understand(text, (understood) => {
      this.#o.observer.takesStatement(name)
      const prepared: Prepared = { understood: this.#o.observer.withTypes(understood, types), types }
      const settle = this.#change(this.#statements, name, prepared)
      this.#enqueueUndecided({ buffer, start, end, operation: { kind: 'parse', settle }, run: undefined, undecided: true, prepared })
    })
  }

  bind(buffer: Buffer, start: number, end: number): void {
    const { observer, intake } = this.#o
    if (observer.renaming) return intake.whenNamed(() => this.bind(buffer, start, end))
    const { portal: name, statement, values, complete, formats } = decodeBind(buffer, start, end, MAX_VALUE_BYTES)
    const found = this.#statements.lookup(statement, this.#segment)
    if (found === UNSETTLED) return this.#whenSettled(() => this.bind(buffer, start, end))
    observer.takesPortal(name)
    if (this.#portals.size > MAX_NAMES) throw new WireViolation(`more than ${MAX_NAMES} portals`)
    const prepared = found ?? { understood: observer.unknownStatement(statement) }
    const portal: Portal = { name, prepared, values, valuesComplete: complete, formats, described: false, description: undefined, run: undefined, cursor: false }
    const settle = this.#portalChange(name, portal)
    this.#enqueueUndecided({ buffer, start, end, operation: { kind: 'bind', settle }, run: undefined, undecided: true, portal })
  }

  /**
   * A Bind of which only the beginning is here, for its values cannot all be held: it is decided now, on those that are, and
   * the Execute that follows is the decided run. `undefined` while something has to be waited for; it is to be tried again then.
   */
  bindInPart(buffer: Buffer, start: number, end: number): { readonly run: Run; readonly operation: Operation } | undefined {
    const { observer, intake, decisions, responses } = this.#o
    if (observer.unsettled || observer.renaming) {
      intake.whenNamed(() => {})
      return undefined
    }
    const { portal: name, statement, values } = decodeBind(buffer, start, end, MAX_VALUE_BYTES, false)
    const found = this.#statements.lookup(statement, this.#segment)
    if (found === UNSETTLED) {
      this.#whenSettled(() => {})
      return undefined
    }
    const prepared = found ?? { understood: observer.unknownStatement(statement) }
    const understood = observer.again(prepared.understood, (other) => this.preparedByName(other))
    if (understood instanceof Promise) {
      intake.whenUnderstood(understood, () => {})
      return undefined
    }
    observer.takesPortal(name)
    // It is decided as a whole with its statement: what else waits is a preparation, and comes first.
    const entries = this.#undecided
    this.#undecided = entries.filter((entry) => entry.prepared !== prepared)
    this.#decideUndecided(undefined)
    const run = intake.run(understood, 'execute', values, false)
    cover(entries.filter((entry) => entry.prepared === prepared), run)
    const portal: Portal = { name, prepared, values, valuesComplete: false, described: false, description: undefined, run, cursor: false }
    const change = this.#portalChange(name, portal)
    const settle = (done: boolean): void => {
      change(done)
      if (done) responses.bound(run)
      else if (run.refusal === undefined) responses.left(run)
    }
    decisions.decide(run)
    return { run, operation: { kind: 'bind', settle, serves: run } }
  }

  describe(buffer: Buffer, start: number, end: number): void {
    const { observer, intake, queue } = this.#o
    if (observer.renaming) return intake.whenNamed(() => this.describe(buffer, start, end))
    const { kind, name } = decodeNamed(buffer, start, end)
    const portal = kind === 'P' ? this.#portals.lookup(name, this.#segment) : undefined
    if (portal === UNSETTLED) return this.#whenSettled(() => this.describe(buffer, start, end))
    queue.add({ buffer, start, end, operation: { kind: 'describe', portal }, run: undefined, undecided: false })
  }

  close(buffer: Buffer, start: number, end: number): void {
    const { observer, intake, queue } = this.#o
    if (observer.renaming) return intake.whenNamed(() => this.close(buffer, start, end))
    const { kind, name } = decodeNamed(buffer, start, end)
    if (kind === 'S') observer.takesStatement(name)
    else observer.takesPortal(name)
    const settle = kind === 'S' ? this.#change(this.#statements, name, undefined) : this.#portalChange(name, undefined)
    queue.add({ buffer, start, end, operation: { kind: 'close', settle }, run: undefined, undecided: false })
  }

  execute(buffer: Buffer, start: number, end: number): void {
    const { observer, intake, decisions } = this.#o
    if (observer.renaming || observer.unsettled) return intake.whenNamed(() => this.execute(buffer, start, end))
    const { portal: name, maxRows } = decodeExecute(buffer, start, end)
    const found = this.#portals.lookup(name, this.#segment)
    if (found === UNSETTLED) return this.#whenSettled(() => this.execute(buffer, start, end))
    const portal = found ?? this.#cursorPortal(name)
    const operation: Operation = { kind: 'execute', run: undefined, portal, maxRows }
    // A portal runs its statement once: another Execute goes on where the last one stopped.
    if (portal.run?.settled === false) return this.#enqueueExecute(buffer, start, end, operation, portal.run)
    intake.whenUnderstood(observer.again(portal.prepared.understood, (other) => this.preparedByName(other)), (understood) => {
      const covered = this.#decideUndecided(portal)
      const run = intake.run(understood, 'execute', portal.values, portal.valuesComplete)
      run.portal = portal
      cover(covered, run)
      decisions.decide(run)
      portal.run = run
      this.#enqueueExecute(buffer, start, end, operation, run)
    })
  }

  #enqueueExecute(buffer: Buffer, start: number, end: number, operation: Operation, run: Run): void {
    this.#decideUndecided(undefined)
    operation.run = run
    this.#o.queue.add({ buffer, start, end, operation, run, undecided: false })
  }

  /** A portal that Bind did not make: a cursor that SQL declared, or one nobody knows. */
  #cursorPortal(name: string): Portal {
    const understood = this.#o.observer.cursor(name)
    return { name, prepared: { understood }, values: [], valuesComplete: true, described: false, description: undefined, run: undefined, cursor: true }
  }

  sync(buffer: Buffer, start: number, end: number): void {
    this.#decideUndecided(undefined)
    this.#segment++
    this.#o.queue.add({ buffer, start, end, operation: { kind: 'sync' }, run: undefined, undecided: false })
  }

  #enqueueUndecided(entry: Entry): void {
    this.#undecided.push(entry)
    this.#o.queue.add(entry)
  }

  /**
   * Gives each undecided Parse and Bind that is not for `portal` a preparation of its own; returns the others, for `cover`.
   * It comes before the run of that portal is made: a run may wait for older ones, and those are ahead of it in the queue.
   */
  #decideUndecided(portal: Portal | undefined): readonly Entry[] {
    const entries = this.#undecided
    if (entries.length === 0) return entries
    this.#undecided = []
    const covered: Entry[] = []
    for (const entry of entries) {
      if (portal !== undefined && (entry.portal === portal || entry.prepared === portal.prepared)) covered.push(entry)
      else this.#decidePreparation(entry)
    }
    return covered
  }

  #decidePreparation(entry: Entry): void {
    entry.undecided = false
    entry.run = this.#preparation(entry)
    if (entry.operation !== undefined) entry.operation.run = entry.run
  }

  #preparation({ prepared, portal }: Entry): Run | undefined {
    const statement = prepared ?? portal?.prepared
    if (statement === undefined) return undefined
    const run = this.#o.intake.run(statement.understood, 'prepare', portal?.values ?? [], portal?.valuesComplete ?? true)
    this.#o.decisions.decide(run)
    return run
  }

  /** What had the name before is gone once the target has done it. */
  #portalChange(name: string, portal: Portal | undefined): (done: boolean) => void {
    const settle = this.#change(this.#portals, name, portal)
    return (done) => {
      const before = this.#portals.confirmed(name)?.run
      settle(done)
      if (done && before?.suspended === true) this.#o.responses.left(before)
    }
  }

  /** Notes what a name is about to stand for; the result is told whether the target did it. */
  #change<T>(names: Names<T>, name: string, value: T | undefined): (done: boolean) => void {
    const change = names.change(name, this.#segment, value)
    return (done) => {
      names.settle(change, done)
      this.#wake()
    }
  }

  #wake(): void {
    if (this.#wakeOnSettled.length === 0) return
    for (const wake of this.#wakeOnSettled.splice(0)) wake()
  }

  /** A name is looked up that the target has not confirmed yet. */
  #whenSettled(then: () => void): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeOnSettled.push(resolve)
    this.#o.intake.whenAnswered(promise, then)
  }
}

/** They are for this run, and go when it may. */
function cover(entries: readonly Entry[], run: Run): void {
  for (const entry of entries) {
    entry.undecided = false
    entry.run = run
    if (entry.operation !== undefined) entry.operation.serves = run
  }
}

function forget<T>(names: Names<T>, gone: { readonly name: string | undefined } | undefined): void {
  if (gone === undefined) return
  if (gone.name === undefined) names.clear()
  else names.define(gone.name, undefined)
}
