import { SallyportError } from '../../core/errors.ts'
import type { NewEvent, RecordedEvent } from '../../core/events/index.ts'
import type { AppendResult, EventStore, ExpectedRevision, ReadAllOptions, ReadOptions } from '../../core/store/event-store.ts'

/**
 * How an append goes wrong:
 * - `lost`: nothing is written, and the caller is told that it failed.
 * - `written`: it is written, and the caller is told that it failed.
 * - `hung`: nothing happens until `release`; then as `lost`. Later appends wait behind it, as in a real store.
 * - `garbage`: as `lost`, with an error that is not one of ours.
 */
export type Fault = 'lost' | 'written' | 'hung' | 'garbage'

export type Matches = (events: readonly NewEvent[], stream: string) => boolean

interface Planned {
  readonly matches: Matches
  readonly fault: Fault
  readonly struck: PromiseWithResolvers<void>
  readonly released: PromiseWithResolvers<void>
}

/** Matches an append that has an event of this type. */
export const appendOf = (type: string): Matches => (events) => events.some((event) => event.type === type)

/** A store with a fault for the next append that matches, in front of one that works. Appends are applied in the order of the calls. */
export class FaultyStore implements EventStore {
  readonly inner: EventStore
  /** While true, every append is lost. */
  down = false
  readonly appends: { readonly stream: string; readonly types: readonly string[]; readonly expected: ExpectedRevision }[] = []
  #planned: Planned[] = []
  #tail: Promise<unknown> = Promise.resolve()
  #pendingBytes = 0

  constructor(inner: EventStore) {
    this.inner = inner
  }

  /** `struck` resolves when the append came; `release` lets a hung one go on. */
  failNext(matches: Matches, fault: Fault): { readonly struck: Promise<void>; readonly release: () => void } {
    const planned = { matches, fault, struck: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() }
    this.#planned.push(planned)
    return { struck: planned.struck.promise, release: () => planned.released.resolve() }
  }

  /** Faults that nothing has met yet. */
  get unmet(): number {
    return this.#planned.length
  }

  set pendingBytes(bytes: number) {
    this.#pendingBytes = bytes
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.appends.push({ stream, types: events.map(({ type }) => type), expected })
    const planned = this.#planned.find(({ matches }) => matches(events, stream))
    this.#planned = this.#planned.filter((other) => other !== planned)
    const down = this.down
    const result = this.#tail.then(() => (down ? fail() : this.#apply(planned, stream, events, expected)))
    this.#tail = result.catch(() => {})
    return result
  }

  read(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent> {
    return this.inner.read(stream, options)
  }

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    return this.inner.readAll(options)
  }

  pending(): number {
    return this.#pendingBytes
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  async #apply(planned: Planned | undefined, stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    if (planned === undefined) return this.inner.append(stream, events, expected)
    planned.struck.resolve()
    if (planned.fault === 'hung') await planned.released.promise
    if (planned.fault === 'written') await this.inner.append(stream, events, expected)
    if (planned.fault === 'garbage') throw new RangeError('a driver forgot to wrap this')
    return fail()
  }
}

function fail(): never {
  throw new SallyportError('STORE_UNAVAILABLE', 'the disk is full')
}
