import { SallyportError } from '../../../errors.ts'
import { unavailable } from './failures.ts'

/**
 * One write at a time per stream, in the order of the calls: each append is a call of its own, and a server may
 * take up calls that are under way together in any order.
 *
 * After a write whose end is unknown, those already waiting behind it are rejected unsent: the first may still
 * take effect, and nothing may overtake it.
 */
export class OrderedWrites {
  readonly #tails = new Map<string, Promise<boolean>>()

  /** `write` must reject with `STORE_UNAVAILABLE` when its end is unknown, with any other code when it wrote nothing. */
  run<T>(stream: string, write: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(stream)
    const result = before === undefined ? write() : before.then((known) => (known ? write() : overtaken(stream)))
    const tail = result.then(always, isKnown)
    this.#tails.set(stream, tail)
    void tail.then(() => this.#forget(stream, tail))
    return result
  }

  /** Resolves when every write taken so far has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }

  #forget(stream: string, tail: Promise<boolean>): void {
    if (this.#tails.get(stream) === tail) this.#tails.delete(stream)
  }
}

function always(): true {
  return true
}

function isKnown(error: unknown): boolean {
  return error instanceof SallyportError && error.code !== 'STORE_UNAVAILABLE'
}

async function overtaken(stream: string): Promise<never> {
  throw unavailable(`an earlier append to "${stream}" has not been answered; this one was not sent`)
}
