import { SallyportError } from '../errors.ts'
import type { NewEvent, RecordedEvent } from '../events/index.ts'

/** `any`: append whatever is there. `no_stream`: it must not exist. A bigint: the revision of its last event. */
export type ExpectedRevision = 'any' | 'no_stream' | bigint

export interface AppendResult {
  /** Revision of the last event appended. */
  readonly revision: bigint
  /** Position of the last event appended. */
  readonly position: bigint
}

export interface ReadOptions {
  /** First revision to return; default 0n (forwards), the last (backwards). */
  readonly from?: bigint
  readonly direction?: 'forwards' | 'backwards'
  readonly limit?: number
}

export interface ReadAllOptions {
  /** Only events after this position; default: from the first. */
  readonly after?: bigint
  /** Go on with new events as they become durable, until `signal` aborts. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * The append-only record.
 *
 * - When `append` resolves, its events are durable, ordered, and seen by every later read: all of them or none.
 * - Appends to one stream are applied in the order of the calls, also when a caller does not wait in between.
 * - A wrong `expected` rejects with `StoreConflict` and writes nothing. The store never retries a conflict.
 * - A retry of the very same events (same ids) with the same exact revision or `no_stream` resolves with the first
 *   result and writes nothing. With `any`, retries are recognised only while recent (best effort).
 * - An event that the catalogue does not know is refused (`STORE_REFUSED`), and so is an empty append.
 * - When `append` rejects with `STORE_UNAVAILABLE`, the events may or may not have been written: read, or retry.
 * - `read` of a stream that does not exist yields nothing. Both reads up-cast.
 * - `readAll` yields every event once, in position order; position order agrees with each stream's revision order.
 * - `close` finishes the appends already taken, then rejects new ones with `STORE_UNAVAILABLE`. It is idempotent.
 */
export interface EventStore {
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>
  read(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent>
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>
  /** Bytes handed to `append` that are not durable yet; what back-pressure goes by. */
  pending(): number
  close(): Promise<void>
}

/** Somebody else wrote to the stream first (or it is not where the caller thought). */
export class StoreConflict extends SallyportError {
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly actual: 'no_stream' | bigint
  constructor(stream: string, expected: ExpectedRevision, actual: 'no_stream' | bigint) {
    super('STORE_CONFLICT', `stream "${stream}": expected revision ${expected}, but it is ${actual}`)
    this.name = 'StoreConflict'
    this.stream = stream
    this.expected = expected
    this.actual = actual
  }
}
