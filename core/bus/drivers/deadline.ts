import { SallyportError } from '../../errors.ts'

/** What `setTimeout` can hold; anything longer would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export interface Deadline {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** A wait in whole milliseconds, at least 1. NaN counts as no time at all. */
export function clampTimeout(timeoutMs: number): number {
  return Math.min(Math.max(Math.ceil(timeoutMs) || 1, 1), MAX_TIMEOUT_MS)
}

export function timedOut(subject: string, timeoutMs: number): SallyportError {
  return new SallyportError('BUS_TIMEOUT', `no answer on "${subject}" within ${timeoutMs} ms`)
}

export function noResponders(subject: string): SallyportError {
  return new SallyportError('BUS_TIMEOUT', `nobody answers on "${subject}"`)
}

/** One promise that is settled once, by whoever comes first: an answer, the timer, or the caller's signal. */
export class PendingReply {
  readonly promise: Promise<unknown>
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  readonly #done: () => void

  /** `done` runs whatever the end is; it may be told more than once. */
  constructor(subject: string, deadline: Deadline, done: (reply: PendingReply) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#done = () => done(this)
    this.#signal = deadline.signal
    this.#timer = setTimeout(() => this.fail(timedOut(subject, deadline.timeoutMs)), clampTimeout(deadline.timeoutMs))
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  answer(value: unknown): void {
    this.#settle()
    this.#resolve(value)
  }

  fail(error: unknown): void {
    this.#settle()
    this.#reject(error)
  }

  readonly #abort = (): void => this.fail(this.#signal?.reason)

  #settle(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#done()
  }
}
