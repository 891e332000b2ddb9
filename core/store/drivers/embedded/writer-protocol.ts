import type { SentFailure } from './store-failure.ts'
import type { Head, Verification } from './verify-store.ts'

/** `workerData` of the writer's thread. */
export interface WriterSettings {
  readonly path: string
  readonly verification: Verification
  readonly known: Head | undefined
}

/**
 * Appends in the order of the calls. Field by field, which is cheaper to copy between threads than objects; the events
 * are not copied at all, but change hands.
 */
export interface AppendsMessage {
  readonly type: 'appends'
  readonly streams: string[]
  /** Revisions, or `EXPECT_ANY`, `EXPECT_NO_STREAM`. */
  readonly expected: number[]
  /** Events of each append. */
  readonly counts: number[]
  /** The bytes of `events` that belong to each append. */
  readonly sizes: number[]
  /** The ids of the events of each append, one a line, when `EXPECT_ANY` is expected; else empty. */
  readonly ids: string[]
  /** A line for each append: its events as a JSON array, in UTF-8. The memory goes back with the answer. */
  readonly events: ArrayBuffer
  /** How many of `events` are used. */
  readonly bytes: number
}
export type ToWriter = AppendsMessage | { readonly type: 'close' }

export type FromWriter =
  /** Once, after the start: the store is open and in order. */
  | { readonly type: 'opened'; readonly head: Head }
  | { readonly type: 'not-opened'; readonly failure: SentFailure }
  /** One transaction, in the order of the appends: revision, position, revision, position, … (`AppendAnswer`). */
  | { readonly type: 'committed'; readonly answers: number[]; readonly buffers: ArrayBuffer[] }
  /** The next `count` appends were not written, or nobody knows. */
  | { readonly type: 'failed'; readonly count: number; readonly failure: SentFailure; readonly buffers: ArrayBuffer[] }
  /** The last message. Without a head the store could not be closed in order; nothing is lost by that. */
  | { readonly type: 'closed'; readonly head: Head | undefined }

/** `AppendsMessage.expected` for what is not a revision. */
export const EXPECT_ANY = -2
export const EXPECT_NO_STREAM = -1
/** The position in the answer to a conflict; its revision is then the actual one, -1 for no stream. */
export const CONFLICT = 0
