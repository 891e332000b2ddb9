import type { Outcome } from '../../core/index.ts'
import type { ByteStream } from './byte-stream.ts'
import { beyondLimit, withoutDetails } from './enforce.ts'
import { LimitGuard, rowsInCopyData, SWALLOWED, type LimitGuardHandlers } from './limit-guard.ts'
import type { Operation } from './operation.ts'
import { OwedAnswers } from './owed-answers.ts'
import { Rows } from './rows.ts'
import type { Run } from './run.ts'
import { worse, type ErrorExposure } from './sql/index.ts'
import { parseErrorFields } from './startup/error-fields.ts'
import { decodeCommandTag, decodeParameterStatus, decodeReady, rowsOfTag, withoutPayload } from './wire/backend.ts'
import { FRAME, FrameReader, NEED_MORE, PIECE } from './wire/frame-reader.ts'
import { BACKEND } from './wire/message-types.ts'
import { WireViolation } from './wire/violation.ts'

/** Responses of more than this are passed on in pieces, unless they have to be changed. */
const MAX_PASSED_WHOLE_BYTES = 128 * 1024
/** A row to mask, a description or an error may have this much. */
const MAX_HELD_RESPONSE_BYTES = 64 * 1024 * 1024
/** Commands between two Syncs that are told when their commit fails; a client may send any number, and beyond this they are not kept. */
const MAX_UNCOMMITTED = 10_000
/** Of ReadyForQuery: no transaction is open, so no portal is. */
const IDLE = 0x49
const IN_TRANSACTION = 0x54

export interface ResponseHandlers extends LimitGuardHandlers {
  /** A run is over; `otherwise` is how, unless its refusal or error tells. */
  runOver(run: Run, otherwise: Outcome['status']): void
  /** What it did was undone after it was over: the implicit transaction that it was in could not be committed. */
  undone(run: Run): void
  /** A row limit was reached; the run may go on, or never. */
  suspended(run: Run): void
  /** The target reported an error: what the transaction did so far is undone, or will be. */
  failed(): void
  /** Makes the target fail, where it completed what went beyond a limit. */
  spoil(run: Run, kind: 'query' | 'execute'): void
  /** The target is ready for the next query: `I`, `T` or `E`. */
  ready(status: number): void
  parameter(name: string, value: string): void
  /** The client began to listen under masks: what others notify it of could hold anything. */
  hidesNotifications(): boolean
  now(): number
}

/**
 * The way back: what the target answers, matched with what it was sent, masked, recorded and passed on.
 * Most bytes are passed on as they came; a message is only taken apart when something depends on it.
 */
export class Responses {
  readonly #client: ByteStream
  readonly #handlers: ResponseHandlers
  readonly #reader = new FrameReader(MAX_PASSED_WHOLE_BYTES)
  /** Runs that wait for an Execute, and how they end if none comes. */
  readonly #open = new Map<Run, Outcome['status']>()
  readonly #owed = new OwedAnswers()
  /** A RowDescription that belongs to the run that comes next. */
  #prelude: Buffer | undefined
  /** The chunk at hand, when it must not be referred to later; and the runs whose recordings do. */
  #lent: Buffer | undefined
  readonly #recorded = new Set<Run>()
  /** Of all that ran in the open transaction: triggers that were put off speak when it ends. */
  #exposure: ErrorExposure = 'none'
  /** It was begun, and ends where the client says so; otherwise whatever comes next may end it. */
  #begun = false
  /** Completed since the target was last ready: without a transaction block, the next Sync commits them all. */
  #uncommitted: Run[] = []
  #waitingNotices: Buffer[] = []
  #midMessage = false
  readonly limits: LimitGuard
  readonly #rows: Rows
  /** A row that went beyond a limit is let go by in pieces. */
  #dropping = false
  /** The target said goodbye itself. */
  fatalSeen = false

  constructor(client: ByteStream, handlers: ResponseHandlers) {
    this.#client = client
    this.#handlers = handlers
    this.limits = new LimitGuard(handlers)
    this.#rows = new Rows({ client, reader: this.#reader, limits: this.limits, forward: (run, buffer, start, end) => this.#forward(run, buffer, start, end) })
  }

  /** The target was sent this. */
  expect(operation: Operation): void {
    const place = this.#owed.add(operation)
    if (place === 'skipped') this.#skip(operation)
    else if (place === 'owed' && operation.run?.limits !== undefined && isExecution(operation)) this.#limited(operation.run)
  }

  #limited(run: Run): void {
    this.limits.sent(run)
    this.limits.reachedBy(this.#owed.head?.run)
  }

  /** The target waits for the rows of a COPY. */
  get copyingIn(): boolean {
    return this.#owed.copyingIn
  }

  get idle(): boolean {
    return this.#owed.isEmpty
  }

  /** Sends the client something of our own, between two messages. */
  say(notice: Buffer): void {
    if (this.#midMessage) this.#waitingNotices.push(notice)
    else this.#client.add(notice)
  }

  /** True while a message is partly with the client: nothing else may be said to it. */
  get midMessage(): boolean {
    return this.#midMessage
  }

  /** `lent`: the chunk is only good until this returns and what it gave to the client is written, and free before `start`. */
  receive(chunk: Buffer, start = 0, end = chunk.length, lent = false): void {
    this.#lent = lent ? chunk : undefined
    try {
      if (lent) this.#reader.feedBehindRoom(chunk, start, end)
      else this.#reader.feed(chunk, start, end)
      this.#drain()
    } finally {
      for (const run of this.#recorded) run.keepRecording()
      this.#recorded.clear()
      this.#lent = undefined
    }
  }

  #drain(): void {
    const reader = this.#reader
    for (;;) {
      const step = reader.next()
      if (step === FRAME) this.#frame()
      else if (step === PIECE) this.#piece()
      else if (step === NEED_MORE) return this.limits.settle()
      else this.#large()
    }
  }

  /** The connection is over: what is still owed will never come. */
  abandon(): void {
    for (let operation = this.#shift(); operation !== undefined; operation = this.#shift()) {
      operation.settle?.(false)
      if (operation.run !== undefined) this.#over(operation.run, 'unknown')
    }
    this.#closePortals()
  }

  /** It is bound, and runs when an Execute comes. */
  bound(run: Run): void {
    this.#open.set(run, 'cancelled')
  }

  /** Its portal is gone, or was never made. */
  left(run: Run): void {
    this.#over(run, this.#open.get(run) ?? 'cancelled')
  }

  #closePortals(): void {
    for (const run of this.#open.keys()) this.left(run)
  }

  #shift(): Operation | undefined {
    const head = this.#owed.shift()
    if (head !== undefined && this.limits.barred) this.limits.reachedBy(this.#owed.head?.run)
    return head
  }

  #frame(): void {
    const { type, buffer, start, end } = this.#reader
    if (this.limits.barred && this.#beyondLimit(type, buffer, start, end)) return
    switch (type) {
      case BACKEND.dataRow:
        return this.#rows.data(this.#owed.head)
      case BACKEND.bindComplete:
      case BACKEND.parseComplete:
      case BACKEND.closeComplete:
        return this.#acknowledged(buffer, start, end)
      case BACKEND.commandComplete:
      case BACKEND.emptyQueryResponse:
      case BACKEND.portalSuspended:
        return this.#commandOver(type, buffer, start, end)
      case BACKEND.readyForQuery:
        return this.#ready(buffer, start, end)
      case BACKEND.rowDescription:
      case BACKEND.noData:
        return this.#described(type, buffer, start, end)
      case BACKEND.errorResponse:
        return this.#error(buffer, start, end)
      case BACKEND.noticeResponse:
        return this.#notice(buffer, start, end)
      case BACKEND.parameterStatus:
        return this.#parameter(buffer, start, end)
      case BACKEND.copyInResponse:
        return this.#copyIn(buffer, start, end)
      case BACKEND.notificationResponse:
        return this.#notification(buffer, start, end)
      case BACKEND.parameterDescription:
      case BACKEND.copyBothResponse:
      case BACKEND.functionCallResponse:
        return this.#forward(this.#owed.head?.run, buffer, start, end)
      case BACKEND.copyOutResponse:
        this.#owed.head?.run?.masked?.copyBegins(buffer, start, end)
        return this.#forward(this.#owed.head?.run, buffer, start, end)
      case BACKEND.copyData:
        return this.#rows.copyData(this.#owed.head?.run)
      case BACKEND.copyDone:
        return this.#rows.copyDone(this.#owed.head?.run)
      default:
        throw new WireViolation(`the target sent a message of type 0x${type.toString(16)}`)
    }
  }

  #forward(run: Run | undefined, buffer: Buffer, start: number, end: number): void {
    this.#client.add(buffer, start, end)
    if (run !== undefined) this.#record(run, buffer, start, end)
  }

  #record(run: Run, buffer: Buffer, start: number, end: number): void {
    const now = this.#handlers.now()
    if (this.#prelude !== undefined) run.record(this.#prelude, 0, this.#prelude.length, now)
    this.#prelude = undefined
    run.record(buffer, start, end, now)
    if (this.#lent !== undefined) this.#recorded.add(run)
  }

  #pass(run: Run | undefined, message: Buffer): void {
    this.#forward(run, message, 0, message.length)
  }

  #acknowledged(buffer: Buffer, start: number, end: number): void {
    const operation = this.#shift()
    if (operation === undefined || ACKNOWLEDGED[operation.kind] !== buffer[start]) throw outOfStep()
    operation.settle?.(true)
    if (operation.run !== undefined) this.#over(operation.run, 'completed')
    if (operation.injected !== true) this.#forward(undefined, buffer, start, end)
  }

  #described(type: number, buffer: Buffer, start: number, end: number): void {
    const head = this.#owed.head
    if (head?.kind !== 'describe') {
      head?.run?.masked?.describe(buffer, start, end)
      return this.#forward(head?.run, buffer, start, end)
    }
    this.#shift()
    if (head.portal !== undefined) {
      this.#prelude = type === BACKEND.rowDescription ? this.#kept(buffer.subarray(start, end)) : undefined
      head.portal.description = this.#prelude
    }
    if (head.injected !== true) this.#forward(undefined, buffer, start, end)
  }

  #kept(bytes: Buffer): Buffer {
    return this.#lent === undefined ? bytes : Buffer.from(bytes)
  }

  #commandOver(type: number, buffer: Buffer, start: number, end: number): void {
    const head = this.#owed.head
    const run = head?.run
    this.#forward(run, buffer, start, end)
    if (run === undefined || head === undefined) return
    this.#exposure = worse(this.#exposure, run.errors)
    if (type === BACKEND.commandComplete) {
      const tag = decodeCommandTag(buffer, start, end)
      run.completed(tag, rowsOfTag(tag))
    }
    this.#owed.copyOver()
    if (head.kind !== 'execute') return run.masked?.end()
    this.#shift()
    if (type === BACKEND.portalSuspended) this.#suspended(run, head)
    else this.#over(run, 'completed')
  }

  /** It may be gone on with, until its portal is gone. */
  #suspended(run: Run, { maxRows = 0, portal }: Operation): void {
    run.suspend(maxRows)
    this.limits.over(run)
    if (portal?.cursor === true) return this.#over(run, 'completed')
    this.#open.set(run, 'completed')
    this.#handlers.suspended(run)
  }

  #error(buffer: Buffer, start: number, end: number): void {
    const head = this.#owed.head
    const run = head?.run ?? head?.serves
    const shown = head?.refusal ?? this.#stripped(run, buffer, start, end)
    const { code = '', message = '', severity, severityText } = parseErrorFields(shown, 5, shown.length)
    const fatal = (severity ?? severityText) === 'FATAL'
    const { ending } = this.limits
    this.fatalSeen ||= fatal
    this.#owed.copyOver()
    this.#handlers.failed()
    if (ending !== undefined && !fatal) {
      this.#undone(ending)
    } else {
      run?.failed(code, message)
      this.#pass(run, shown)
    }
    // With a fatal one nobody knows: it may have been committed.
    if (head?.kind === 'sync' && !fatal) this.#commitFailed(code, message)
    if (head === undefined || head.kind === 'query' || head.kind === 'call' || head.kind === 'sync') return
    this.#shift()
    head.settle?.(false)
    if (head.run !== undefined) this.#over(head.run, 'failed')
    this.#owed.skipToSync((skipped) => {
      this.#shift()
      this.#skip(skipped)
    })
  }

  /** A deferred constraint, say: the statements had their answers, and nothing of them stays. */
  #commitFailed(code: string, message: string): void {
    for (const run of this.#uncommitted.splice(0)) {
      run.failed(code, message)
      this.#handlers.undone(run)
    }
  }

  /** Whether it is of a response that the client must see no more of. */
  #beyondLimit(type: number, buffer: Buffer, start: number, end: number): boolean {
    const run = this.#owed.head?.run
    if (this.limits.ending === undefined) return run?.watch !== undefined && COUNTED.has(type) && !this.limits.admits(run, type === BACKEND.copyData ? rowsInCopyData(buffer, start, end) : 0, end - start)
    if (SWALLOWED.has(type)) return true
    if (type === BACKEND.copyInResponse) this.#copyBegins()
    else if (type === BACKEND.commandComplete || type === BACKEND.emptyQueryResponse || type === BACKEND.portalSuspended) this.#completedBeyondLimit(type, buffer, start, end)
    else return false
    return true
  }

  /** It was too late to end it. Unless its Sync is under way, what comes before that can still undo it. */
  #completedBeyondLimit(type: number, buffer: Buffer, start: number, end: number): void {
    const run = this.limits.ending
    if (run === undefined) return
    if (type === BACKEND.commandComplete) {
      const tag = decodeCommandTag(buffer, start, end)
      run.completed(tag, rowsOfTag(tag))
    }
    this.#owed.copyOver()
    if (this.#owed.head?.kind !== 'execute') return
    this.#shift()
    if (this.idle) this.#handlers.spoil(run, 'execute')
  }

  /** The target has failed what went beyond a limit. */
  #undone(run: Run): void {
    if (run.watch !== undefined) run.watch.undone = true
    this.#tellLimit(run)
  }

  /**
   * The target is ready, and has not failed what went beyond a limit. Within a transaction it is made to, and its next
   * ReadyForQuery is the one that counts: true. Otherwise all that is left is to say what became of it.
   */
  #readyBeyondLimit(run: Run, status: number): boolean {
    if (status === IN_TRANSACTION) {
      this.#handlers.spoil(run, 'query')
      return true
    }
    run.keptBeyondLimit = true
    this.#tellLimit(run)
    this.#over(run, 'completed')
    return false
  }

  #tellLimit(run: Run): void {
    const { watch, decision, tag = '', keptBeyondLimit } = run
    if (watch?.exceeded === undefined || watch.told) return
    watch.told = true
    const { code, message, bytes } = beyondLimit(decision, watch.exceeded, keptBeyondLimit ? tag : undefined)
    run.failed(code, message)
    this.#pass(run, bytes)
  }

  #notice(buffer: Buffer, start: number, end: number): void {
    const run = this.#owed.head?.run ?? this.#owed.head?.serves
    this.#pass(run, this.#stripped(run, buffer, start, end))
  }

  #stripped(run: Run | undefined, buffer: Buffer, start: number, end: number): Buffer {
    const own = run?.errors ?? 'none'
    const exposure = this.#begun && run?.firesDeferred === false ? own : worse(own, this.#exposure)
    const shown = exposure === 'none' ? buffer.subarray(start, end) : withoutDetails(buffer, start, end, exposure)
    return run?.masked?.report(shown) ?? shown
  }

  /** Another session's words, of which nobody knows what they are made of. */
  #notification(buffer: Buffer, start: number, end: number): void {
    const run = this.#owed.head?.run
    if (this.#handlers.hidesNotifications()) this.#pass(run, withoutPayload(buffer, start, end))
    else this.#forward(run, buffer, start, end)
  }

  #skip(operation: Operation): void {
    operation.settle?.(false)
    if (operation.run === undefined) return
    operation.run.skipped = true
    this.#over(operation.run, 'cancelled')
  }

  #ready(buffer: Buffer, start: number, end: number): void {
    const status = decodeReady(buffer, start, end)
    const head = this.#shift()
    if (head !== undefined && head.kind !== 'sync' && head.kind !== 'query' && head.kind !== 'call') throw outOfStep()
    this.#owed.ready()
    this.#prelude = undefined
    if (this.#uncommitted.length > 0) this.#uncommitted = []
    const { ending } = this.limits
    if (ending?.watch?.undone === false && this.#readyBeyondLimit(ending, status)) return
    head?.settle?.(true)
    if (head?.run !== undefined) this.#over(head.run, 'completed')
    this.#begun = status !== IDLE
    if (!this.#begun) this.#exposure = 'none'
    if (status === IDLE && this.#open.size > 0) this.#closePortals()
    this.#client.add(buffer, start, end)
    this.#handlers.ready(status)
  }

  #over(run: Run, otherwise: Outcome['status']): void {
    if (run.settled) return
    run.settled = true
    run.suspended = false
    this.limits.over(run)
    if (this.#open.size > 0) this.#open.delete(run)
    run.masked?.end()
    if (otherwise === 'completed' && run.ok && this.#owed.head?.kind !== 'query' && this.#uncommitted.length < MAX_UNCOMMITTED) this.#uncommitted.push(run)
    this.#handlers.runOver(run, otherwise)
  }

  #parameter(buffer: Buffer, start: number, end: number): void {
    const { name, value } = decodeParameterStatus(buffer, start, end)
    this.#handlers.parameter(name, value)
    this.#client.add(buffer, start, end)
  }

  #copyBegins(): void {
    this.#owed.copyBegins()
    // What waits behind a limit may be a Sync, which the target ignores now, and the rows that it waits for.
    if (this.limits.barred) this.#handlers.freed()
  }

  #copyIn(buffer: Buffer, start: number, end: number): void {
    this.#copyBegins()
    this.#forward(this.#owed.head?.run, buffer, start, end)
  }

  #piece(): void {
    const { buffer, start, end } = this.#reader
    if (this.#dropping) {
      this.#dropping = this.#reader.passing
      return
    }
    this.#forward(this.#owed.head?.run, buffer, start, end)
    this.#midMessage = this.#reader.passing
    if (this.#midMessage) return
    for (const notice of this.#waitingNotices.splice(0)) this.#client.add(notice)
  }

  #large(): void {
    const { type, length } = this.#reader
    const run = this.#owed.head?.run
    const changed = type === BACKEND.dataRow ? run?.masked !== undefined || run === undefined : type !== BACKEND.copyData || run?.masked?.copies === true
    if (!changed) {
      this.#dropping = this.limits.ending !== undefined || (run?.watch !== undefined && !this.limits.admits(run, 1, length))
      this.#midMessage = !this.#dropping
      return this.#reader.passThrough()
    }
    if (length <= MAX_HELD_RESPONSE_BYTES) return this.#reader.hold()
    throw new WireViolation(`the target sent a message of ${length} bytes, and at most ${MAX_HELD_RESPONSE_BYTES} can be held to be masked`)
  }
}

/** Besides rows: what counts against the bytes that a run may give back. */
const COUNTED: ReadonlySet<number> = new Set([BACKEND.copyData, BACKEND.functionCallResponse, BACKEND.noticeResponse])

function isExecution({ kind, refusal }: Operation): boolean {
  return refusal === undefined && (kind === 'execute' || kind === 'query' || kind === 'call')
}

/** What acknowledges a message that has no other answer. */
const ACKNOWLEDGED: Partial<Record<Operation['kind'], number>> = { parse: BACKEND.parseComplete, bind: BACKEND.bindComplete, close: BACKEND.closeComplete }

function outOfStep(): WireViolation {
  return new WireViolation('the target answered what it was not asked')
}
