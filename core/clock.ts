/** Time as the gateway sees it; tests pass their own. */
export interface Clock {
  /** Unix time in ms. */
  now(): number
  /** A monotonic reading in ms, for durations. */
  ticks(): number
}

export const systemClock: Clock = { now: () => Date.now(), ticks: () => performance.now() }

let lastMs = -1
let lastText = ''
/** RFC 3339 in UTC with milliseconds; the last one is kept, for many events share a millisecond. */
export function rfc3339(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms
    lastText = new Date(ms).toISOString()
  }
  return lastText
}
