import type { AppendRequest } from './appender.ts'
import type { SentFailure } from './store-failure.ts'
import type { Head, Verification } from './verify-store.ts'

/** `workerData` of the writer's thread. */
export interface WriterSettings {
  readonly path: string
  readonly verification: Verification
  readonly known: Head | undefined
}

/** Appends in the order of the calls. Field by field, which is cheaper to copy between threads than objects. */
export interface AppendsMessage {
  readonly type: 'appends'
  readonly streams: string[]
  readonly expected: number[]
  readonly counts: number[]
  readonly events: string[]
  readonly ids: string[]
  /** Of all `events`, in bytes. */
  readonly bytes: number
}
export type ToWriter = AppendsMessage | { readonly type: 'close' }

export type FromWriter =
  /** Once, after the start: the store is open and in order. */
  | { readonly type: 'opened'; readonly head: Head }
  | { readonly type: 'not-opened'; readonly failure: SentFailure }
  /** One transaction, in the order of the appends: revision, position, revision, position, … (`AppendAnswer`). */
  | { readonly type: 'committed'; readonly answers: number[] }
  /** The next `count` appends were not written, or nobody knows. */
  | { readonly type: 'failed'; readonly count: number; readonly failure: SentFailure }
  /** The last message. Without a head the store could not be closed in order; nothing is lost by that. */
  | { readonly type: 'closed'; readonly head: Head | undefined }

export function emptyAppends(): AppendsMessage & { bytes: number } {
  return { type: 'appends', streams: [], expected: [], counts: [], events: [], ids: [], bytes: 0 }
}

/** Appends the message's requests to `requests`. */
export function collectRequests(message: AppendsMessage, requests: AppendRequest[]): void {
  const { streams, expected, counts, events, ids } = message
  for (const [i, stream] of streams.entries()) {
    requests.push({ stream, expected: expected[i] ?? 0, count: counts[i] ?? 0, events: events[i] ?? '', ids: ids[i] ?? '' })
  }
}
