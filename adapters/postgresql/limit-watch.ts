import type { Limits } from '../../core/index.ts'

/** A limit that a run went beyond. */
export interface Exceeded {
  readonly name: 'rows' | 'bytes' | 'seconds'
  readonly value: number
}

const MS_PER_SECOND = 1000

/**
 * What one run may still use: rows and bytes of its response, and time. Time passes from when the target begins with it
 * until its last word, also while the client is slow to read or to send, but not while its portal is suspended.
 */
export class LimitWatch {
  readonly #limits: Limits
  readonly #expired: () => void
  #timer: NodeJS.Timeout | undefined
  #startedAt = 0
  #leftMs: number
  /** Rows that were passed on. */
  rows = 0
  exceeded: Exceeded | undefined
  /** The client was told. */
  told = false
  /** The target reported an error since: nothing of the run is kept. */
  undone = false

  constructor(limits: Limits, expired: () => void) {
    this.#limits = limits
    this.#expired = expired
    this.#leftMs = (limits.seconds ?? 0) * MS_PER_SECOND
  }

  /** Whether so many rows and bytes may be passed on, when there were `before` bytes. If not, the run has gone beyond its limit. */
  admits(rows: number, bytes: number, before: number): boolean {
    const { rows: maxRows = Infinity, bytes: maxBytes = Infinity } = this.#limits
    if (this.rows + rows > maxRows) this.exceeded ??= { name: 'rows', value: maxRows }
    else if (before + bytes > maxBytes) this.exceeded ??= { name: 'bytes', value: maxBytes }
    else this.rows += rows
    return this.exceeded === undefined
  }

  /** How many more rows may be passed on without a look at each, when they have `bytes` at most. */
  room(bytes: number, before: number): number {
    const { rows = Infinity, bytes: maxBytes = Infinity } = this.#limits
    return before + bytes > maxBytes ? 0 : rows - this.rows
  }

  /** The target begins, or goes on, with the run. */
  start(): void {
    const { seconds } = this.#limits
    if (seconds === undefined || this.#timer !== undefined || this.exceeded !== undefined) return
    this.#startedAt = performance.now()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.exceeded ??= { name: 'seconds', value: seconds }
      this.#expired()
    }, Math.max(0, this.#leftMs))
  }

  /** The run is over, or its portal is suspended. */
  stop(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#leftMs -= performance.now() - this.#startedAt
  }
}
