import type { Clock } from './clock.ts'
import { rfc3339 } from './clock.ts'
import { SallyportError } from './errors.ts'
import type { EventData, EventType, NewEvent } from './events/index.ts'
import { eventIds } from './ids.ts'
import type { EventStore, ExpectedRevision } from './store/event-store.ts'

/** Events that could not be written yet, per session, and their size. A session that has more is ended. */
const MAX_UNWRITTEN_EVENTS = 1024
const MAX_UNWRITTEN_BYTES = 64 * 1024 * 1024
/** One append has no more than this, so that no store refuses it: many outcomes may come between two flushes. */
const MAX_BATCH_EVENTS = 512
const MAX_BATCH_BYTES = 4 * 1024 * 1024

const NOTHING: About = {}

interface Batch {
  readonly events: readonly NewEvent[]
  readonly expected: ExpectedRevision
  readonly bytes: number
}

/** What goes with an event besides its data. */
export interface About {
  /** Default: the event's own id. */
  readonly subject?: string
  readonly causation?: string
  /** Length of what is long in its data; 0 when nothing is. */
  readonly bytes?: number
}

export interface JournalOptions {
  readonly store: EventStore
  readonly source: string
  readonly clock: Clock
  /** Told of events once they are durable. */
  readonly published: (events: readonly NewEvent[]) => void
  /** Told when something is staged, so that it is flushed soon even if no command follows. */
  readonly staged: (journal: Journal) => void
}

/**
 * The one writer of a session's stream. Events are staged in order, which fixes their revision and so their id;
 * `flush` appends what is staged as one batch. Batches may overlap in flight; the store keeps their order.
 *
 * When an append fails nobody knows whether it was written. Every batch from there on is kept and, at the next
 * flush, appended again word for word: same ids, same revision, so a batch that did arrive is recognised.
 */
export class Journal {
  readonly stream: string
  readonly #id: string
  readonly #options: JournalOptions
  readonly #eventId: (revision: number) => string
  #next = 0
  #staged: NewEvent[] = []
  #stagedBytes: number[] = []
  #unwritten: Batch[] = []
  #unwrittenBytes = 0
  #inFlight = 0
  #last: Promise<void> = Promise.resolve()
  #unwritable: SallyportError | undefined
  #recovery: Promise<void> | undefined

  constructor(id: string, options: JournalOptions) {
    this.#id = id
    this.stream = `session-${id}`
    this.#options = options
    this.#eventId = eventIds(id)
  }

  /** Adds an event to the next batch and returns its id. */
  stage<T extends EventType>(type: T, data: EventData<T>, about: About = NOTHING): string {
    const { source, clock } = this.#options
    const time = rfc3339(clock.now())
    const id = this.#eventId(this.#next++)
    const { subject = id, causation, bytes = 0 } = about
    this.#staged.push(causation === undefined
      ? { id, source, type, subject, time, correlationid: this.#id, data }
      : { id, source, type, subject, time, correlationid: this.#id, causationid: causation, data })
    this.#stagedBytes.push(bytes)
    if (this.#staged.length === 1) this.#options.staged(this)
    return id
  }

  /** The id that the next staged event will get. */
  nextId(): string {
    return this.#eventId(this.#next)
  }

  /** Events that wait to be flushed. */
  get waiting(): number {
    return this.#staged.length
  }

  /** True while something failed to be written; until it is, nothing may be forwarded. */
  get broken(): boolean {
    return this.#unwritten.length > 0
  }

  /** True when the session has to end: too much is unwritten, or what is unwritten never can be. */
  get full(): boolean {
    if (!this.broken) return false
    if (this.#unwritable !== undefined || this.#unwrittenBytes > MAX_UNWRITTEN_BYTES) return true
    return this.#unwritten.reduce((sum, batch) => sum + batch.events.length, this.#staged.length) > MAX_UNWRITTEN_EVENTS
  }

  /** Resolves when everything staged so far is durable; rejects with the store's error. */
  flush(): Promise<void> {
    if (this.broken) return this.#recover()
    if (this.#staged.length === 0) return this.#last
    const batches = this.#take()
    const [only] = batches
    this.#last = only !== undefined && batches.length === 1 ? this.#append(only) : this.#appendAll(batches)
    return this.#last
  }

  /** What is staged, in batches that a store takes. A command and its decision stay together. */
  #take(): Batch[] {
    const events = this.#staged
    const sizes = this.#stagedBytes
    let revision = this.#next - events.length
    this.#staged = []
    this.#stagedBytes = []
    const batches: Batch[] = []
    for (let at = 0; at < events.length;) {
      const { until, bytes } = batchEnd(events, sizes, at)
      batches.push({ events: at === 0 && until === events.length ? events : events.slice(at, until), expected: revision === 0 ? 'no_stream' : BigInt(revision - 1), bytes })
      revision += until - at
      at = until
    }
    return batches
  }

  /** All at once: the store keeps their order, and none is written unless those before it are. */
  async #appendAll(batches: readonly Batch[]): Promise<void> {
    await Promise.all(batches.map((batch) => this.#append(batch)))
  }

  #append(batch: Batch): Promise<void> {
    this.#inFlight++
    return this.#options.store.append(this.stream, batch.events, batch.expected).then(() => {
      this.#inFlight--
      this.#options.published(batch.events)
    }, (error: unknown) => {
      this.#inFlight--
      this.#keep(batch)
      throw asStoreError(error)
    })
  }

  #recover(): Promise<void> {
    this.#recovery ??= this.#rewrite().finally(() => {
      this.#recovery = undefined
    })
    return this.#recovery
  }

  async #rewrite(): Promise<void> {
    if (this.#unwritable !== undefined) throw this.#unwritable
    if (this.#inFlight > 0) throw new SallyportError('STORE_UNAVAILABLE', 'earlier events are still being written')
    this.#unwritten.sort((a, b) => compareExpected(a.expected, b.expected))
    for (let batch = this.#head(); batch !== undefined; batch = this.#head()) {
      await this.#options.store.append(this.stream, batch.events, batch.expected).catch((error: unknown) => {
        throw this.#judged(asStoreError(error))
      })
      this.#unwritten.shift()
      this.#unwrittenBytes -= batch.bytes
      this.#options.published(batch.events)
    }
  }

  /** All before it is durable: what is refused now always will be, and a conflict means that somebody else wrote here. */
  #judged(error: SallyportError): SallyportError {
    if (error.code === 'STORE_REFUSED' || error.code === 'STORE_CONFLICT') this.#unwritable = error
    return error
  }

  #keep(batch: Batch): void {
    this.#unwritten.push(batch)
    this.#unwrittenBytes += batch.bytes
  }

  /** The next batch to write again; what was staged meanwhile comes last. */
  #head(): Batch | undefined {
    if (this.#unwritten.length === 0) for (const batch of this.#take()) this.#keep(batch)
    return this.#unwritten[0]
  }
}

/** Where the batch that begins at `start` ends, and its size. */
function batchEnd(events: readonly NewEvent[], sizes: readonly number[], start: number): { until: number; bytes: number } {
  let bytes = 0
  let until = start
  while (until < events.length) {
    const count = events[until]?.type === 'command.received.v1' ? 2 : 1
    const size = (sizes[until] ?? 0) + (count === 2 ? (sizes[until + 1] ?? 0) : 0)
    if (until > start && (until + count - start > MAX_BATCH_EVENTS || bytes + size > MAX_BATCH_BYTES)) break
    bytes += size
    until += count
  }
  return { until: Math.min(until, events.length), bytes }
}

function compareExpected(a: ExpectedRevision, b: ExpectedRevision): number {
  const left = typeof a === 'bigint' ? a : -1n
  const right = typeof b === 'bigint' ? b : -1n
  return left < right ? -1 : left > right ? 1 : 0
}

function asStoreError(error: unknown): SallyportError {
  if (error instanceof SallyportError) return error
  return new SallyportError('STORE_UNAVAILABLE', 'the event store failed', { cause: error })
}
