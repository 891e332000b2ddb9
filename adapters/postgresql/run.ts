import type { Command, Decision, Limits, Outcome, Recording } from '../../core/index.ts'
import type { MaskedResult } from './masked-result.ts'
import type { LimitWatch } from './limit-watch.ts'
import type { Understood } from './observe.ts'
import type { Portal } from './operation.ts'
import { firesDeferred, type ErrorExposure } from './sql/index.ts'

/** Bytes of the response that are kept for replay, by reference until the run is over. */
class Recorder {
  readonly #cap: number
  #chunks: { buffer: Buffer; start: number; end: number; at: number }[] = []
  #kept = 0
  #detached = 0
  bytes = 0

  constructor(cap: number) {
    this.#cap = cap
  }

  add(buffer: Buffer, start: number, end: number, at: number): void {
    this.bytes += end - start
    const room = this.#cap - this.#kept
    if (room <= 0) return
    const until = Math.min(end, start + room)
    this.#kept += until - start
    const last = this.#chunks[this.#chunks.length - 1]
    if (last !== undefined && last.buffer === buffer && last.end === start) last.end = until
    else this.#chunks.push({ buffer, start, end: until, at })
  }

  /** What is kept by reference is copied: it is about to be overwritten. */
  detach(): void {
    for (const chunk of this.#chunks.slice(this.#detached)) {
      chunk.buffer = Buffer.from(chunk.buffer.subarray(chunk.start, chunk.end))
      chunk.end -= chunk.start
      chunk.start = 0
    }
    this.#detached = this.#chunks.length
  }

  take(): Recording | undefined {
    if (this.bytes === 0) return undefined
    const chunks = this.#chunks.map(({ buffer, start, end, at }) => ({ at, data: buffer.toString('base64', start, end) }))
    this.#chunks = []
    const recording = { encoding: 'postgresql/backend', chunks, bytes: this.bytes }
    return this.bytes > this.#kept ? { ...recording, cappedAt: this.#cap } : recording
  }
}

/** One command on its way: from the moment it is understood until its outcome is settled. */
let count = 0

export class Run {
  /** Grows with every run of the process. */
  readonly number = ++count
  readonly understood: Understood
  readonly command: Command
  readonly #recorder: Recorder
  readonly #started: number
  decision: Decision | undefined
  /** Of the extended protocol. */
  portal: Portal | undefined
  /** The ErrorResponse for the client; set when it will not run. */
  refusal: Buffer | undefined
  /** True once it is decided for good: allowed, or refused. */
  decided = false
  #wake: (() => void)[] = []
  /** It was refused, and the target has something to fail on in its place. */
  replaced = false
  /** Masks that may apply to its rows; undefined when nothing it returns can be masked. */
  masked: MaskedResult | undefined
  /** Where errors and notices might quote a masked value. */
  errors: ErrorExposure = 'none'
  /** Made when it is sent, if it may use only so much. */
  watch: LimitWatch | undefined
  /** It went beyond a limit, and the target had completed it for good. */
  keptBeyondLimit = false
  /** The target passed over it, after an error in what came before. */
  skipped = false
  /** The portal was left open by a row limit; the next Execute goes on with this run. */
  suspended = false
  #rows = 0
  #tag: string | undefined
  #error: { code: string; message: string } | undefined
  settled = false

  constructor(understood: Understood, command: Command, recordingCap: number, now: number) {
    this.understood = understood
    this.command = command
    this.#recorder = new Recorder(recordingCap)
    this.#started = now
  }

  /** Whether what the transaction did before may speak during it. */
  get firesDeferred(): boolean {
    return this.understood.analysis?.statements.some(firesDeferred) !== false
  }

  /** Resolves once it is decided for good. */
  async whenDecided(): Promise<void> {
    if (this.decided) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake.push(resolve)
    await promise
  }

  settleDecision(): void {
    this.decided = true
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** What it may use, where that has to be watched. */
  get limits(): Limits | undefined {
    const limits = this.decision?.verdict.obligations.limits
    if (limits === undefined) return undefined
    return limits.rows === undefined && limits.bytes === undefined && limits.seconds === undefined ? undefined : limits
  }

  /** Bytes of its response so far. */
  get bytes(): number {
    return this.#recorder.bytes
  }

  get tag(): string | undefined {
    return this.#tag
  }

  record(buffer: Buffer, start: number, end: number, now: number): void {
    this.#recorder.add(buffer, start, end, Math.round((now - this.#started) * 100) / 100)
  }

  /** The chunk that was recorded from is about to be used again. */
  keepRecording(): void {
    this.#recorder.detach()
  }

  completed(tag: string, rows: number): void {
    this.#tag = this.#tag === undefined ? tag : `${this.#tag}; ${tag}`.slice(0, 1024)
    this.#rows += rows
  }

  /** A row limit was reached. */
  suspend(rows: number): void {
    this.suspended = true
    this.#rows += rows
  }

  failed(code: string, message: string): void {
    this.#error ??= { code, message }
  }

  /** The target was given it, and has taken it up. */
  get reached(): boolean {
    return this.refusal === undefined && !this.skipped
  }

  get ok(): boolean {
    return (this.#error === undefined || this.keptBeyondLimit) && this.refusal === undefined
  }

  /** `otherwise`: how it ended when neither a refusal nor an error tells. */
  outcome(otherwise: Outcome['status'], now: number): Outcome {
    const error = this.#error
    const masked = this.masked?.summary()
    const limit = this.watch?.exceeded
    return {
      status: this.refusal !== undefined ? 'not-forwarded' : error === undefined ? otherwise : limit !== undefined ? this.#endAtLimit() : error.code === '57014' ? 'cancelled' : 'failed',
      rows: limit === undefined || this.keptBeyondLimit ? this.#rows : this.watch?.rows ?? 0,
      bytes: this.#recorder.bytes,
      durationMs: Math.round((now - this.#started) * 1000) / 1000,
      ...(this.#tag === undefined ? {} : { tag: this.#tag }),
      ...(error === undefined ? {} : { error }),
      ...(limit === undefined ? {} : { limit }),
      ...(masked === undefined ? {} : { masked }),
    }
  }

  #endAtLimit(): Outcome['status'] {
    return this.keptBeyondLimit ? 'completed' : 'cancelled'
  }

  recording(): Recording | undefined {
    return this.#recorder.take()
  }
}
