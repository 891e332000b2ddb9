import { LimitWatch } from './limit-watch.ts'
import type { Run } from './run.ts'
import { BACKEND } from './wire/message-types.ts'

export interface LimitGuardHandlers {
  /** The run went beyond a limit: the target is to end it. `delivered` once no cancel is under way any more. */
  limitReached(run: Run): void
  /** What waited behind the run may go. */
  freed(): void
}

/**
 * The one run in flight that may use only so much. What the client sends behind it waits (see `RequestQueue`): a cancel
 * for it hits nobody else, and where it went beyond a limit, what follows can still be made to fail with it.
 *
 * Once it did, the rest of its response is swallowed and the target is asked to end it. Then the client gets an error:
 * - the target ended it: in place of the target's error;
 * - the target had completed it, within a transaction or a segment: that is made to fail, so nothing of it is kept;
 * - the target had completed it for good: the error says so.
 */
export class LimitGuard {
  readonly #handlers: LimitGuardHandlers
  #run: Run | undefined
  /** A cancel may be on its way. */
  #delivering = false
  #mayFree = false

  constructor(handlers: LimitGuardHandlers) {
    this.#handlers = handlers
  }

  /** Whether what comes behind has to wait. */
  get barred(): boolean {
    return this.#run !== undefined || this.#delivering
  }

  /** The run that went beyond its limit, until it is over. */
  get ending(): Run | undefined {
    return this.#run?.watch?.exceeded === undefined ? undefined : this.#run
  }

  /** It was sent. */
  sent(run: Run): void {
    const { limits } = run
    if (limits === undefined) return
    run.watch ??= new LimitWatch(limits, () => this.#reached(run))
    this.#run = run
  }

  /** The target has come to this run, or to something else. */
  reachedBy(run: Run | undefined): void {
    if (this.#run !== undefined && this.#run === run) run.watch?.start()
  }

  /** Whether so many rows and bytes may be passed on. */
  admits(run: Run, rows: number, bytes: number): boolean {
    if (run.watch === undefined || run.watch.admits(rows, bytes, run.bytes)) return true
    this.#reached(run)
    return false
  }

  #reached(run: Run): void {
    if (this.#delivering) return
    this.#delivering = true
    this.#handlers.limitReached(run)
  }

  /** The run is over, or its portal is suspended. `settle` lets go what waited. */
  over(run: Run): void {
    if (this.#run !== run) return
    run.watch?.stop()
    this.#run = undefined
    this.#mayFree = true
  }

  /** No cancel is under way any more. */
  delivered(): void {
    this.#delivering = false
    this.#mayFree = true
    this.settle()
  }

  /** To be called between two messages. */
  settle(): void {
    if (!this.#mayFree || this.barred) return
    this.#mayFree = false
    this.#handlers.freed()
  }
}

/** What belongs to the response of a run, and must not reach the client once the run went beyond its limit. */
export const SWALLOWED: ReadonlySet<number> = new Set([
  BACKEND.dataRow, BACKEND.rowDescription, BACKEND.noData, BACKEND.copyOutResponse, BACKEND.copyBothResponse, BACKEND.copyData,
  BACKEND.copyDone, BACKEND.functionCallResponse, BACKEND.noticeResponse,
])

/** The last message of a COPY in binary says only that it is over (int16 -1): it is no row. */
export function rowsInCopyData(buffer: Buffer, start: number, end: number): number {
  return end - start === 7 && buffer.readInt16BE(start + 5) === -1 ? 0 : 1
}
