import { NOT_ASCII } from './wire/body-reader.ts'

/** Looked up while an earlier change to the name is not yet confirmed by the target. */
export const UNSETTLED = Symbol('unsettled')

/** A definition (or, without `value`, a removal) that the target has not confirmed. */
export interface Change<T> {
  readonly name: string
  readonly segment: number
  readonly value: T | undefined
}

/**
 * Prepared statements or portals by name, as the target knows them.
 *
 * A client may send on before the target has answered. Between two Syncs that is safe to follow: after an error the
 * target skips the rest of the segment, so what is run under a name is what this segment defined. Across a Sync it
 * is not: had the definition failed, the target would run what the name meant before. There a look-up is `UNSETTLED`,
 * and the caller has to wait.
 *
 * A name that is not ASCII is never found: which thing it names depends on the encoding of the moment.
 */
export class Names<T> {
  readonly #confirmed = new Map<string, T>()
  readonly #open = new Map<string, Change<T>[]>()

  lookup(name: string, segment: number): T | undefined | typeof UNSETTLED {
    const changes = this.#open.get(name)
    if (changes === undefined) return this.#confirmed.get(name)
    const last = changes[changes.length - 1]
    return last?.segment === segment ? last.value : UNSETTLED
  }

  /** What the target is known to have under the name, whatever is on its way. */
  confirmed(name: string): T | undefined {
    return this.#confirmed.get(name)
  }

  change(name: string, segment: number, value: T | undefined): Change<T> {
    const change = { name, segment, value }
    if (name.startsWith(NOT_ASCII)) return change
    const changes = this.#open.get(name)
    if (changes === undefined) this.#open.set(name, [change])
    else changes.push(change)
    return change
  }

  /** The target has answered: `done`, or not (an error, or skipped after one). In the order of the changes. */
  settle(change: Change<T>, done: boolean): void {
    const changes = this.#open.get(change.name)
    const at = changes?.indexOf(change) ?? -1
    if (changes === undefined || at < 0) return
    if (changes.length === 1) this.#open.delete(change.name)
    else changes.splice(at, 1)
    if (done) this.define(change.name, change.value)
  }

  /** What the target is known to have, from SQL (`PREPARE`, `DEALLOCATE`) or from `settle`. */
  define(name: string, value: T | undefined): void {
    if (value === undefined || name.startsWith(NOT_ASCII)) this.#confirmed.delete(name)
    else this.#confirmed.set(name, value)
  }

  clear(): void {
    this.#confirmed.clear()
  }

  get size(): number {
    return this.#confirmed.size + this.#open.size
  }
}
