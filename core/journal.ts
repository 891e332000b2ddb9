import type { Clock } from './clock.ts'
import { rfc3339 } from './clock.ts'
import { SallyportError } from './errors.ts'
import type { EventData, EventType, NewEvent } from './events/index.ts'
import { eventIds } from './ids.ts'
import type { EventStore, ExpectedRevision } from './store/event-store.ts'

/** Events that could not be written yet, per session. A session that has more is ended. */
const MAX_UNWRITTEN_EVENTS = 1024

interface Batch {
  readonly events: readonly NewEvent[]
  readonly expected: ExpectedRevision
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
  #unwritten: Batch[] = []
  #inFlight = 0
  #recovery: Promise<void> | undefined

  constructor(id: string, options: JournalOptions) {
    this.#id = id
    this.stream = `session-${id}`
    this.#options = options
    this.#eventId = eventIds(id)
  }

  /** Adds an event to the next batch and returns its id. `subject` defaults to the event's own id. */
  stage<T extends EventType>(type: T, data: EventData<T>, about: { subject?: string; causation?: string } = {}): string {
    const id = this.#eventId(this.#next++)
    const { source, clock } = this.#options
    const event = { id, source, type, subject: about.subject ?? id, time: rfc3339(clock.now()), correlationid: this.#id, data }
    this.#staged.push(about.causation === undefined ? event : { ...event, causationid: about.causation })
    if (this.#staged.length === 1) this.#options.staged(this)
    return id
  }

  /** The id that the next staged event will get. */
  nextId(): string {
    return this.#eventId(this.#next)
  }

  /** True while something failed to be written; until it is, nothing may be forwarded. */
  get broken(): boolean {
    return this.#unwritten.length > 0
  }

  /** True when so much is unwritten that the session has to end. */
  get full(): boolean {
    return this.broken && this.#unwritten.reduce((sum, batch) => sum + batch.events.length, this.#staged.length) > MAX_UNWRITTEN_EVENTS
  }

  /** Resolves when everything staged so far is durable; rejects with the store's error. */
  flush(): Promise<void> {
    if (this.broken) return this.#recover()
    if (this.#staged.length === 0) return Promise.resolve()
    return this.#append(this.#take())
  }

  #take(): Batch {
    const events = this.#staged
    this.#staged = []
    const first = this.#next - events.length
    return { events, expected: first === 0 ? 'no_stream' : BigInt(first - 1) }
  }

  async #append(batch: Batch): Promise<void> {
    this.#inFlight++
    try {
      await this.#options.store.append(this.stream, batch.events, batch.expected)
    } catch (error) {
      this.#unwritten.push(batch)
      throw asStoreError(error)
    } finally {
      this.#inFlight--
    }
    this.#options.published(batch.events)
  }

  #recover(): Promise<void> {
    this.#recovery ??= this.#rewrite().finally(() => {
      this.#recovery = undefined
    })
    return this.#recovery
  }

  async #rewrite(): Promise<void> {
    if (this.#inFlight > 0) throw new SallyportError('STORE_UNAVAILABLE', 'earlier events are still being written')
    this.#unwritten.sort((a, b) => compareExpected(a.expected, b.expected))
    for (let batch = this.#head(); batch !== undefined; batch = this.#head()) {
      await this.#options.store.append(this.stream, batch.events, batch.expected).catch((error: unknown) => {
        throw asStoreError(error)
      })
      this.#unwritten.shift()
      this.#options.published(batch.events)
    }
  }

  /** The next batch to write again; what was staged meanwhile comes last. */
  #head(): Batch | undefined {
    if (this.#unwritten.length === 0 && this.#staged.length > 0) this.#unwritten.push(this.#take())
    return this.#unwritten[0]
  }
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
