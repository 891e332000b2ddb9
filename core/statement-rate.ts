import type { Clock } from './clock.ts'
import type { Identity } from './events/index.ts'

const WINDOW_MS = 60_000
/** With more identities than this, those whose minute is over are forgotten. */
const MAX_IDENTITIES = 1000

/** When each of the statements of the last minute was let through. */
interface Window {
  times: number[]
  first: number
}

/**
 * Statements per minute: a sliding window for each identity, over all its sessions at this gateway. Only statements that
 * carry such a limit are counted, and only those that were let through.
 */
export class StatementRate {
  readonly #clock: Clock
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one more, if there is room under `limit`. Otherwise: in how many seconds there will be. */
  take(identity: Identity, limit: number): number | undefined {
    const now = this.#clock.ticks()
    const window = this.#windowOf(identity, now)
    forget(window, now)
    const { times, first } = window
    const count = times.length - first
    if (count < limit) {
      times.push(now)
      return undefined
    }
    // There is room once so many have left the window that fewer than `limit` remain.
    const last = times[first + count - limit] ?? now
    return Math.max(1, Math.ceil((last + WINDOW_MS - now) / 1000))
  }

  #windowOf({ subject, actor }: Identity, now: number): Window {
    const key = JSON.stringify([subject, actor])
    let window = this.#windows.get(key)
    if (window === undefined) {
      if (this.#windows.size >= MAX_IDENTITIES) this.#forgetIdle(now)
      this.#windows.set(key, (window = { times: [], first: 0 }))
    }
    return window
  }

  #forgetIdle(now: number): void {
    for (const [key, { times }] of this.#windows) if ((times.at(-1) ?? 0) + WINDOW_MS <= now) this.#windows.delete(key)
  }
}

function forget(window: Window, now: number): void {
  const { times } = window
  while (window.first < times.length && (times[window.first] ?? 0) + WINDOW_MS <= now) window.first++
  if (window.first < 1024 && window.first < times.length) return
  window.times = times.slice(window.first)
  window.first = 0
}
