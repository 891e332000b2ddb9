import type { Gate, GateSession } from '../../core/index.ts'
import type { ByteStream } from './byte-stream.ts'
import { Decisions } from './decisions.ts'
import { cancelled } from './enforce.ts'
import { ExtendedQuery, MAX_VALUE_BYTES, type Intake } from './extended-query.ts'
import { opaque, type Observer, type Understood } from './observe.ts'
import type { Operation } from './operation.ts'
import { RequestQueue } from './request-queue.ts'
import type { Responses } from './responses.ts'
import { Run } from './run.ts'
import { FRAME, FrameReader, NEED_MORE, PIECE } from './wire/frame-reader.ts'
import { decodeQuery, encodeCopyFail } from './wire/frontend.ts'
import { FRONTEND } from './wire/message-types.ts'
import { WireViolation } from './wire/violation.ts'

/** Messages of more than this are passed on in pieces (CopyData) or held with `statementBytes` as their cap. */
const MAX_SMALL_BYTES = 256 * 1024
/** What has to be here of a message that cannot be held, before it is decided on. */
const BEGINNING_BYTES = 64 * 1024
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
 * waits. What comes in several messages is `ExtendedQuery`'s.
 *
 * A refused message is replaced by one that the target must fail on, and its error by ours: so the target itself
 * aborts the transaction and skips to the next Sync, as it would for a missing privilege.
 */
export class Requests {
  readonly #o: RequestOptions
  readonly #reader: FrameReader
  readonly #decisions: Decisions
  readonly #queue: RequestQueue
  readonly #extended: ExtendedQuery
  #abandoned = false
  #finishing = false
  /** What comes behind Terminate is not looked at. */
  #terminated = false
  #backlog: Buffer[] = []
  #stalled = false
  #paused = false
  /** What becomes of the pieces of a message that is too large to be held. */
  #pieces: 'copy' | 'forward' | 'discard' = 'copy'

  constructor(options: RequestOptions) {
    this.#o = options
    const { gate, session, observer, target, responses, handlers, limits } = options
    this.#reader = new FrameReader(Math.min(MAX_SMALL_BYTES, limits.statementBytes))
    this.#queue = new RequestQueue(target, responses)
    this.#decisions = new Decisions({
      gate, session, observer,
      prepared: (name) => this.#extended.preparedByName(name),
      settledBefore: (run) => this.#settledBefore(run),
      decided: (run) => this.#decided(run),
      say: (notice) => {
        responses.say(notice)
        handlers.flush()
      },
      broken: (error) => handlers.broken(error),
    })
    const intake: Intake = {
      understand: (text, then) => this.#understand(text, then),
      whenUnderstood: (understood, then) => this.#whenUnderstood(understood, then),
      whenNamed: (then) => this.#stall(this.#settledBefore(undefined), then),
      whenAnswered: (until, then) => this.#whenAnswered(until, then),
      run: (understood, phase, values, valuesComplete) => this.#run(understood, phase, values, valuesComplete),
    }
    this.#extended = new ExtendedQuery({ intake, observer, responses, decisions: this.#decisions, queue: this.#queue })
  }

  receive(chunk: Buffer): void {
    if (this.#stalled) {
      this.#backlog.push(chunk)
      return
    }
    this.#reader.feed(chunk)
    this.#drain()
  }

  ended(run: Run): void {
    this.#extended.ended(run)
  }

  /** The target is ready for the next query, in this state of the transaction. */
  ready(transaction: string): void {
    this.#extended.ready(transaction)
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
    if (full) this.#extended.decidePreparations()
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

  #largeBind(): true {
    const { buffer, start, end } = this.#reader
    const begun = this.#extended.bindInPart(buffer, start, end)
    return begun === undefined ? true : this.#largeDecided(begun.run, begun.operation)
  }

  /** Nobody can read it whole, so nobody may run it: refused like any other statement, and the session goes on. */
  #largeStatement(type: number, length: number): true {
    const { buffer, start, end } = this.#reader
    const { statementBytes } = this.#o.limits
    this.#extended.decidePreparations()
    const reason = `a statement of ${length} bytes; this gateway reads ${statementBytes} (limits.statement-bytes)`
    const run = this.#run(opaque('unknown', buffer.toString('utf8', start + 5, Math.min(end, start + 5 + 1024)), reason), 'execute', [], true)
    this.#decisions.decide(run, reason)
    if (type === FRONTEND.query) this.#extended.nextSegment()
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
        return this.#extended.bind(buffer, start, end)
      case FRONTEND.execute:
        return this.#extended.execute(buffer, start, end)
      case FRONTEND.sync:
        return this.#extended.sync(buffer, start, end)
      case FRONTEND.query:
        return this.#query(buffer, start, end)
      case FRONTEND.parse:
        return this.#extended.parse(buffer, start, end)
      case FRONTEND.describe:
        return this.#extended.describe(buffer, start, end)
      case FRONTEND.close:
        return this.#extended.close(buffer, start, end)
      case FRONTEND.flush:
        this.#extended.decidePreparations()
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
    this.#extended.decidePreparations()
    this.#understand(decodeQuery(buffer, start, end), (understood) => {
      this.#extended.nextSegment()
      const run = this.#run(understood, 'execute', [], true)
      this.#decisions.decide(run)
      this.#queue.add({ buffer, start, end, operation: { kind: 'query', run }, run, undecided: false })
    })
  }

  #functionCall(buffer: Buffer, start: number, end: number): void {
    this.#extended.decidePreparations()
    this.#extended.nextSegment()
    const run = this.#run(this.#o.observer.functionCall, 'execute', [], true)
    this.#decisions.decide(run, this.#o.limits.functionCalls ? undefined : 'fast-path function calls are not allowed on this target')
    this.#queue.add({ buffer, start, end, operation: { kind: 'call', run }, run, undecided: false })
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
    this.#whenUnderstood(observer.understand(text, (name) => this.#extended.preparedByName(name)), then)
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

  #whenAnswered(until: Promise<unknown>, then: () => void): void {
    this.#advance()
    this.#o.handlers.flush()
    this.#stall(until, then)
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

/** A message that has to be whole is larger than the configuration allows. */
export class TooLarge extends Error {}
