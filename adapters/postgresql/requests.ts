import type { Gate, GateSession } from '../../core/index.ts'
import type { ByteStream } from './byte-stream.ts'
import { Decisions } from './decisions.ts'
import { cancelled } from './enforce.ts'
import { Names, UNSETTLED } from './names.ts'
import { opaque, type Observer, type Understood } from './observe.ts'
import type { Operation, Portal, Prepared } from './operation.ts'
import { RequestQueue, type Entry } from './request-queue.ts'
import type { Responses } from './responses.ts'
import { Run } from './run.ts'
import { FRAME, FrameReader, NEED_MORE, PIECE } from './wire/frame-reader.ts'
import { decodeBind, decodeExecute, decodeNamed, decodeParse, decodeQuery, encodeCopyFail } from './wire/frontend.ts'
import { FRONTEND } from './wire/message-types.ts'
import { WireViolation } from './wire/violation.ts'

/** Messages of more than this are passed on in pieces (CopyData) or held with `statementBytes` as their cap. */
const MAX_SMALL_BYTES = 256 * 1024
/** Bound values that are kept for the decision and the record, per Bind. A larger Bind is decided on its beginning, then passed on in pieces. */
const MAX_VALUE_BYTES = 1024 * 1024
/** What has to be here of a message that cannot be held, before it is decided on. */
const BEGINNING_BYTES = 64 * 1024
/** Prepared statements and portals a session may have at a time. */
const MAX_NAMES = 50_000

export interface RequestHandlers {
  /** Something was queued for the target or the client outside a read: write it. */
  flush(): void
  /** The client is done and everything it sent is on its way. */
  finished(): void
  /** A run that ends without the target having heard of it. */
  notForwarded(run: Run): void
  /** A prefix of what was sent cannot be understood; the session has to end. */
  broken(error: unknown): void
  now(): number
}

export interface RequestLimits {
  readonly statementBytes: number
  readonly recordingBytes: number
  readonly functionCalls: boolean
}

export interface RequestOptions {
  readonly gate: Gate
  readonly session: GateSession
  readonly client: ByteStream
  readonly target: ByteStream
  readonly responses: Responses
  readonly observer: Observer
  readonly limits: RequestLimits
  readonly handlers: RequestHandlers
}

/**
 * The way in: what the client sends, understood, decided and passed on in order. Nothing overtakes a message that
 * waits. Parse and Bind wait for the Execute that says what they are for; without one, they are decided as a
 * preparation when the client asks for an answer (Flush or Sync).
 *
 * A refused message is replaced by one that the target must fail on, and its error by ours: so the target itself
 * aborts the transaction and skips to the next Sync, as it would for a missing privilege.
 */
export class Requests {
  readonly #o: RequestOptions
  readonly #reader: FrameReader
  readonly #statements = new Names<Prepared>()
  readonly #portals = new Names<Portal>()
  readonly #decisions: Decisions
  readonly #queue: RequestQueue
  #undecided: Entry[] = []
  #abandoned = false
  #finishing = false
  /** What comes behind Terminate is not looked at. */
  #terminated = false
  #segment = 0
  #backlog: Buffer[] = []
  #stalled = false
  #paused = false
  #wakeOnSettled: (() => void)[] = []
  /** What becomes of the pieces of a message that is too large to be held. */
  #pieces: 'copy' | 'forward' | 'discard' = 'copy'

  constructor(options: RequestOptions) {
    this.#o = options
    const { gate, session, observer, target, responses, handlers, limits } = options
    this.#reader = new FrameReader(Math.min(MAX_SMALL_BYTES, limits.statementBytes))
    this.#queue = new RequestQueue(target, responses)
    this.#decisions = new Decisions({
      gate, session, observer,
      prepared: (name) => this.#preparedByName(name),
      settledBefore: (run) => this.#settledBefore(run),
      decided: (run) => this.#decided(run),
      say: (notice) => {
        responses.say(notice)
        handlers.flush()
      },
      broken: (error) => handlers.broken(error),
    })
  }

  receive(chunk: Buffer): void {
    if (this.#stalled) {
      this.#backlog.push(chunk)
      return
    }
    this.#reader.feed(chunk)
    this.#drain()
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

  /** A CancelRequest came. True when it was for a statement that is held here, or waits here for its decision. */
  cancel(): boolean {
    if (this.#decisions.cancel()) return true
    const waiting = this.#o.responses.idle ? this.#queue.waitingRun : undefined
    if (waiting === undefined) return false
    // The target has nothing of it yet, so it would not know what to cancel.
    waiting.refusal ??= cancelled()
    return true
  }

  /** What waited behind a limit may go. */
  freed(): void {
    this.#advance()
    this.#throttle()
  }

  /** See `RequestQueue.spoil`. */
  spoil(run: Run, kind: 'query' | 'execute'): void {
    this.#queue.spoil(run, kind)
  }

  /** Ends a COPY that the target waits for the rows of. False when there is none, or a row is with the target in part. */
  failCopy(): boolean {
    const { responses, target } = this.#o
    if (!responses.copyingIn || this.#reader.passing) return false
    target.add(encodeCopyFail('a limit was reached'))
    responses.expect({ kind: 'copy-end' })
    return true
  }

  /** The client is done: what it sent before is still carried out, but nobody is left to wait for a reviewer. */
  finish(reason: string): void {
    this.#decisions.withdraw(reason)
    this.#finishing = true
    this.#advance()
  }

  /** The session ends: what is held is withdrawn, what waits will not be sent. */
  abandon(reason: string): void {
    this.#decisions.withdraw(reason)
    this.#abandoned = true
    for (const run of this.#queue.abandon()) this.#o.handlers.notForwarded(run)
  }

  #drain(): void {
    while (!this.#stalled && !this.#terminated) {
      const step = this.#reader.next()
      if (step === FRAME) this.#frame()
      else if (step === PIECE) this.#piece()
      else if (step === NEED_MORE || !this.#large()) {
        const chunk = this.#backlog.shift()
        if (chunk === undefined) break
        this.#reader.feed(chunk)
      }
    }
    this.#advance()
    this.#throttle()
  }

  /** Stops reading until `until` resolves; what comes meanwhile is kept in order. */
  #stall(until: Promise<unknown>, then: () => void): true {
    this.#stalled = true
    this.#o.client.pause('stalled')
    until.then(() => {
      this.#stalled = false
      this.#o.client.resume('stalled')
      then()
      this.#drain()
      this.#o.handlers.flush()
    }).catch((error: unknown) => this.#o.handlers.broken(error))
    return true
  }

  #throttle(): void {
    const full = this.#queue.isFull
    if (full) this.#decideUndecided(undefined)
    if (full === this.#paused) return
    this.#paused = full
    if (full) this.#o.client.pause('queue')
    else this.#o.client.resume('queue')
  }

  /** False when more of the message has to be here first. */
  #large(): boolean {
    const { type, length } = this.#reader
    const { statementBytes } = this.#o.limits
    if (type === FRONTEND.copyData) return this.#passOn('copy')
    if (type === FRONTEND.bind && length > MAX_VALUE_BYTES) return this.#reader.gather(BEGINNING_BYTES) && this.#largeBind()
    if (length <= statementBytes || type === FRONTEND.bind) this.#reader.hold()
    else if (type === FRONTEND.query || type === FRONTEND.parse) return this.#reader.gather(BEGINNING_BYTES) && this.#largeStatement(type, length)
    else throw new TooLarge(`a message of ${length} bytes; this gateway takes ${statementBytes} (limits.statement-bytes)`)
    return true
  }

  #passOn(pieces: 'copy' | 'forward' | 'discard'): true {
    this.#pieces = pieces
    this.#reader.passThrough()
    return true
  }

  #piece(): void {
    const { buffer, start, end } = this.#reader
    if (this.#pieces === 'copy') return this.#copy(buffer, start, end)
    if (this.#pieces === 'forward') this.#queue.add({ buffer, start, end, operation: undefined, run: undefined, undecided: false })
  }

  /** Its values cannot all be held: it is decided now, on those that are here, and the Execute that follows is the decided run. */
  #largeBind(): true {
    const { observer } = this.#o
    if (observer.unsettled || observer.renaming) return this.#stall(this.#settledBefore(undefined), () => {})
    const { buffer, start, end } = this.#reader
    const { portal: name, statement, values } = decodeBind(buffer, start, end, MAX_VALUE_BYTES, false)
    const found = this.#statements.lookup(statement, this.#segment)
    if (found === UNSETTLED) return this.#whenSettled(() => {})
    const prepared = found ?? { understood: observer.unknownStatement(statement) }
    const understood = observer.again(prepared.understood, (other) => this.#preparedByName(other))
    if (understood instanceof Promise) return this.#stall(understood, () => {})
    observer.takesPortal(name)
    // It is decided as a whole with its statement: what else waits is a preparation, and comes first.
    const entries = this.#undecided
    this.#undecided = entries.filter((entry) => entry.prepared !== prepared)
    this.#decideUndecided(undefined)
    const run = this.#run(understood, 'execute', values, false)
    cover(entries.filter((entry) => entry.prepared === prepared), run)
    const portal: Portal = { name, prepared, values, valuesComplete: false, described: false, description: undefined, run, cursor: false }
    const change = this.#portalChange(name, portal)
    const settle = (done: boolean): void => {
      change(done)
      if (done) this.#o.responses.bound(run)
      else if (run.refusal === undefined) this.#o.responses.left(run)
    }
    this.#decisions.decide(run)
    return this.#largeDecided(run, { kind: 'bind', settle, serves: run })
  }

  /** Nobody can read it whole, so nobody may run it: refused like any other statement, and the session goes on. */
  #largeStatement(type: number, length: number): true {
    const { buffer, start, end } = this.#reader
    const { statementBytes } = this.#o.limits
    this.#decideUndecided(undefined)
    const reason = `a statement of ${length} bytes; this gateway reads ${statementBytes} (limits.statement-bytes)`
    const run = this.#run(opaque('unknown', buffer.toString('utf8', start + 5, Math.min(end, start + 5 + 1024)), reason), 'execute', [], true)
    this.#decisions.decide(run, reason)
    if (type === FRONTEND.query) this.#segment++
    return this.#largeDecided(run, { kind: type === FRONTEND.query ? 'query' : 'parse', run })
  }

  /** Reads on once the run is decided and everything before it is sent; the message then follows in pieces, or is dropped. */
  #largeDecided(run: Run, operation: Operation): true {
    const ready = run.whenDecided().then(() => this.#empty())
    this.#stall(ready, () => {
      if (run.refusal === undefined) {
        this.#o.responses.expect(operation)
        this.#passOn('forward')
      } else {
        this.#queue.refuse(operation, run, run.refusal)
        this.#passOn('discard')
      }
    })
    return true
  }

  async #empty(): Promise<void> {
    this.#advance()
    this.#o.handlers.flush()
    await this.#queue.emptied()
  }

  #frame(): void {
    const { type, buffer, start, end } = this.#reader
    this.#message(type, buffer, start, end)
  }

  #message(type: number, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case FRONTEND.bind:
        return this.#bind(buffer, start, end)
      case FRONTEND.execute:
        return this.#execute(buffer, start, end)
      case FRONTEND.sync:
        return this.#sync(buffer, start, end)
      case FRONTEND.query:
        return this.#query(buffer, start, end)
      case FRONTEND.parse:
        return this.#parse(buffer, start, end)
      case FRONTEND.describe:
        return this.#describe(buffer, start, end)
      case FRONTEND.close:
        return this.#close(buffer, start, end)
      case FRONTEND.flush:
        this.#decideUndecided(undefined)
        return this.#queue.add({ buffer, start, end, operation: undefined, run: undefined, undecided: false })
      case FRONTEND.copyData:
        return this.#copy(buffer, start, end)
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        return this.#copy(buffer, start, end, { kind: 'copy-end' })
      case FRONTEND.functionCall:
        return this.#functionCall(buffer, start, end)
      case FRONTEND.terminate:
        this.#terminated = true
        return this.finish('the client has left')
      default:
        throw new WireViolation(`type 0x${type.toString(16)} is not a message a client may send here`)
    }
  }

  /** Rows of a COPY belong to a command that is decided. PostgreSQL ignores them anywhere else; so they end here. */
  #copy(buffer: Buffer, start: number, end: number, operation?: Operation): void {
    if (this.#o.responses.idle && this.#queue.isEmpty) return
    this.#queue.add({ buffer, start, end, operation, run: undefined, undecided: false })
  }

  #query(buffer: Buffer, start: number, end: number): void {
    this.#decideUndecided(undefined)
    this.#understand(decodeQuery(buffer, start, end), (understood) => {
      this.#segment++
      const run = this.#run(understood, 'execute', [], true)
      this.#decisions.decide(run)
      this.#queue.add({ buffer, start, end, operation: { kind: 'query', run }, run, undecided: false })
    })
  }

  #functionCall(buffer: Buffer, start: number, end: number): void {
    this.#decideUndecided(undefined)
    this.#segment++
    const run = this.#run(this.#o.observer.functionCall, 'execute', [], true)
    this.#decisions.decide(run, this.#o.limits.functionCalls ? undefined : 'fast-path function calls are not allowed on this target')
    this.#queue.add({ buffer, start, end, operation: { kind: 'call', run }, run, undecided: false })
  }

  #parse(buffer: Buffer, start: number, end: number): void {
    const { name, text, types } = decodeParse(buffer, start, end)
    if (this.#statements.size > MAX_NAMES) throw new WireViolation(`more than ${MAX_NAMES} prepared statements`)
    this.#understand(text, (understood) => {
      this.#o.observer.takesStatement(name)
      const prepared: Prepared = { understood: this.#o.observer.withTypes(understood, types), types }
      const settle = this.#change(this.#statements, name, prepared)
      this.#enqueueUndecided({ buffer, start, end, operation: { kind: 'parse', settle }, run: undefined, undecided: true, prepared })
    })
  }

  #bind(buffer: Buffer, start: number, end: number): void {
    if (this.#o.observer.renaming) return this.#whenNamed(() => this.#bind(buffer, start, end))
    const { portal: name, statement, values, complete, formats } = decodeBind(buffer, start, end, MAX_VALUE_BYTES)
    const found = this.#statements.lookup(statement, this.#segment)
    if (found === UNSETTLED) return void this.#whenSettled(() => this.#bind(buffer, start, end))
    this.#o.observer.takesPortal(name)
    if (this.#portals.size > MAX_NAMES) throw new WireViolation(`more than ${MAX_NAMES} portals`)
    const prepared = found ?? { understood: this.#o.observer.unknownStatement(statement) }
    const portal: Portal = { name, prepared, values, valuesComplete: complete, formats, described: false, description: undefined, run: undefined, cursor: false }
    const settle = this.#portalChange(name, portal)
    this.#enqueueUndecided({ buffer, start, end, operation: { kind: 'bind', settle }, run: undefined, undecided: true, portal })
  }

  #describe(buffer: Buffer, start: number, end: number): void {
    if (this.#o.observer.renaming) return this.#whenNamed(() => this.#describe(buffer, start, end))
    const { kind, name } = decodeNamed(buffer, start, end)
    const portal = kind === 'P' ? this.#portals.lookup(name, this.#segment) : undefined
    if (portal === UNSETTLED) return void this.#whenSettled(() => this.#describe(buffer, start, end))
    this.#queue.add({ buffer, start, end, operation: { kind: 'describe', portal }, run: undefined, undecided: false })
  }

  #close(buffer: Buffer, start: number, end: number): void {
    if (this.#o.observer.renaming) return this.#whenNamed(() => this.#close(buffer, start, end))
    const { kind, name } = decodeNamed(buffer, start, end)
    if (kind === 'S') this.#o.observer.takesStatement(name)
    else this.#o.observer.takesPortal(name)
    const settle = kind === 'S' ? this.#change(this.#statements, name, undefined) : this.#portalChange(name, undefined)
    this.#queue.add({ buffer, start, end, operation: { kind: 'close', settle }, run: undefined, undecided: false })
  }

  #execute(buffer: Buffer, start: number, end: number): void {
    if (this.#o.observer.renaming || this.#o.observer.unsettled) return this.#whenNamed(() => this.#execute(buffer, start, end))
    const { portal: name, maxRows } = decodeExecute(buffer, start, end)
    const found = this.#portals.lookup(name, this.#segment)
    if (found === UNSETTLED) return void this.#whenSettled(() => this.#execute(buffer, start, end))
    const portal = found ?? this.#cursorPortal(name)
    const operation: Operation = { kind: 'execute', run: undefined, portal, maxRows }
    // A portal runs its statement once: another Execute goes on where the last one stopped.
    if (portal.run?.settled === false) return this.#enqueueExecute(buffer, start, end, operation, portal.run)
    this.#whenUnderstood(this.#o.observer.again(portal.prepared.understood, (name) => this.#preparedByName(name)), (understood) => {
      const covered = this.#decideUndecided(portal)
      const run = this.#run(understood, 'execute', portal.values, portal.valuesComplete)
      run.portal = portal
      cover(covered, run)
      this.#decisions.decide(run)
      portal.run = run
      this.#enqueueExecute(buffer, start, end, operation, run)
    })
  }

  #enqueueExecute(buffer: Buffer, start: number, end: number, operation: Operation, run: Run): void {
    this.#decideUndecided(undefined)
    operation.run = run
    this.#queue.add({ buffer, start, end, operation, run, undecided: false })
  }

  /** A portal that Bind did not make: a cursor that SQL declared, or one nobody knows. */
  #cursorPortal(name: string): Portal {
    const understood = this.#o.observer.cursor(name)
    return { name, prepared: { understood }, values: [], valuesComplete: true, described: false, description: undefined, run: undefined, cursor: true }
  }

  #sync(buffer: Buffer, start: number, end: number): void {
    this.#decideUndecided(undefined)
    this.#segment++
    this.#queue.add({ buffer, start, end, operation: { kind: 'sync' }, run: undefined, undecided: false })
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
    const run = this.#run(statement.understood, 'prepare', portal?.values ?? [], portal?.valuesComplete ?? true)
    this.#decisions.decide(run)
    return run
  }

  #run(understood: Understood, phase: 'execute' | 'prepare', values: readonly (string | null)[], valuesComplete: boolean): Run {
    const { handlers, limits, observer } = this.#o
    const run = new Run(understood, { ...understood.command, phase, values: values as (string | null)[], valuesComplete }, limits.recordingBytes, handlers.now())
    observer.started(run)
    return run
  }

  #understand(text: Buffer, then: (understood: Understood) => void): void {
    const { observer } = this.#o
    if (observer.unsettled) return void this.#stall(this.#settledBefore(undefined), () => this.#understand(text, then))
    this.#whenUnderstood(observer.understand(text, (name) => this.#preparedByName(name)), then)
  }

  #whenUnderstood(understood: Understood | Promise<Understood>, then: (understood: Understood) => void): void {
    if (!(understood instanceof Promise)) return then(understood)
    let result: Understood | undefined
    this.#stall(understood.then((late) => (result = late)), () => result !== undefined && then(result))
  }

  /** The target answers only when it is asked to; what is waited for here was sent without a Sync, maybe. */
  #settledBefore(run: Run | undefined): Promise<void> {
    if (this.#o.observer.isSettledBefore(run)) return Promise.resolve()
    this.#queue.flush()
    this.#advance()
    this.#o.handlers.flush()
    return this.#o.observer.settledBefore(run).finally(() => this.#queue.flushed())
  }

  #preparedByName(name: string): Understood | undefined {
    const found = this.#statements.lookup(name, this.#segment)
    return found === undefined || found === UNSETTLED ? undefined : found.understood
  }

  /** Notes what a name is about to stand for; the result is told whether the target did it. */
  /** What had the name before is gone once the target has done it. */
  #portalChange(name: string, portal: Portal | undefined): (done: boolean) => void {
    const settle = this.#change(this.#portals, name, portal)
    return (done) => {
      const before = this.#portals.confirmed(name)?.run
      settle(done)
      if (done && before?.suspended === true) this.#o.responses.left(before)
    }
  }

  #change<T>(names: Names<T>, name: string, value: T | undefined): (done: boolean) => void {
    const change = names.change(name, this.#segment, value)
    return (done) => {
      names.settle(change, done)
      this.#wake()
    }
  }

  #wake(): void {
    for (const wake of this.#wakeOnSettled.splice(0)) wake()
  }

  /** Once nothing under way can change what a name means. */
  #whenNamed(then: () => void): void {
    this.#stall(this.#settledBefore(undefined), then)
  }

  #whenSettled(then: () => void): true {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeOnSettled.push(resolve)
    this.#advance()
    this.#o.handlers.flush()
    this.#stall(promise, then)
    return true
  }

  #enqueueUndecided(entry: Entry): void {
    this.#undecided.push(entry)
    this.#queue.add(entry)
  }

  #decided(run: Run): void {
    if (this.#abandoned) return this.#o.handlers.notForwarded(run)
    this.#advance()
    this.#throttle()
    this.#o.handlers.flush()
  }

  #advance(): void {
    this.#queue.advance()
    if (!this.#finishing || this.#stalled) return
    this.#queue.dropUndecided()
    if (this.#queue.isEmpty) this.#o.handlers.finished()
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

/** A message that has to be whole is larger than the configuration allows. */
export class TooLarge extends Error {}
