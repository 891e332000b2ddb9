import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { BACKWARDS, END, FORWARDS, START, StreamNotFoundError, streamNameFilter, type AppendResult as ServerResult, type EventStoreDBClient, type Filter, type ResolvedEvent } from '@eventstore/db-client'
import { SallyportError } from '../../../errors.ts'
import type { NewEvent, RecordedEvent } from '../../../events/index.ts'
import { StoreConflict, type AppendResult, type EventStore, type ExpectedRevision, type ReadAllOptions, type ReadOptions } from '../../event-store.ts'
import { createClient, endClient } from './connection.ts'
import { corrupt, deleted, toStoreError, unavailable } from './failures.ts'
import { OrderedWrites } from './ordered-writes.ts'
import { decodeEvent, encodeEvents, type Encoded } from './records.ts'
import { streamEvents, type ServerStream } from './streaming.ts'

export interface EventStoreDbOptions {
  /** `esdb://user:password@host:port?key=value`; the user must be allowed to read `$all`. */
  readonly connectionString: string
  /** Stands before every stream's name on the server; default `sallyport-`. What does not begin with it is not ours. */
  readonly streamPrefix?: string
  /** How long an append waits for its answer before it rejects with `STORE_UNAVAILABLE`; default 5000. */
  readonly appendTimeoutMs?: number
  /** How long a followed read goes on trying to reach a lost server before it throws; default 60,000. */
  readonly followPatienceMs?: number
}

const DEFAULTS = { streamPrefix: 'sallyport-', appendTimeoutMs: 5000, followPatienceMs: 60_000 }
const FIRST_RETRY_MS = 50
const MAX_RETRY_MS = 5000
/** The largest revision EventStoreDB has. */
const MAX_REVISION = 2n ** 63n - 1n
const STREAM_DELETED = '$streamDeleted'

/**
 * A store on an EventStoreDB (KurrentDB) server or cluster, 22.6 or later. Rejects when the server cannot be reached
 * or does not let this account read `$all`.
 *
 * An event's position is its commit position in the server's log. For events written over gRPC that is the place of
 * that one event, so it is unique and grows; an explicit transaction, which only the retired TCP protocol had, would
 * give several events one position.
 *
 * Servers let streams be deleted and truncated. A hole in a stream that is read is reported as `STORE_CORRUPT`.
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  const settings = { ...DEFAULTS, ...options }
  const client = createClient(settings.connectionString)
  const store = new EventStoreDbStore(client, settings)
  try {
    await store.probe()
    return store
  } catch (error) {
    await endClient(client)
    throw error
  }
}

class EventStoreDbStore implements EventStore {
  readonly #client: EventStoreDBClient
  readonly #settings: Required<EventStoreDbOptions>
  readonly #writes = new OrderedWrites()
  readonly #ending = new AbortController()
  #pending = 0
  #closed: Promise<void> | undefined

  constructor(client: EventStoreDBClient, settings: Required<EventStoreDbOptions>) {
    this.#client = client
    this.#settings = settings
    // Every read listens to it; that many are no leak.
    setMaxListeners(0, this.#ending.signal)
  }

  /** One small read of `$all`. */
  async probe(): Promise<void> {
    const patience = AbortSignal.timeout(this.#settings.appendTimeoutMs)
    try {
      for await (const _ of streamEvents(() => this.#readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }), patience)) break
    } catch (error) {
      throw toStoreError('$all', error)
    }
    if (patience.aborted) throw unavailable(`EventStoreDB did not answer within ${this.#settings.appendTimeoutMs} ms`)
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#checkOpen()
    const encoded = encodeEvents(stream, events)
    this.#pending += encoded.bytes
    try {
      return await this.#writes.run(stream, () => this.#write(stream, encoded, expected))
    } finally {
      this.#pending -= encoded.bytes
    }
  }

  async *read(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen()
    if (options.limit !== undefined && options.limit <= 0) return
    const backwards = options.direction === 'backwards'
    if (!backwards && (options.from ?? 0n) > MAX_REVISION) return
    let next = backwards ? undefined : (options.from ?? 0n)
    try {
      for await (const resolved of streamEvents(() => this.#readStream(stream, options), this.#ending.signal)) {
        const event = decodeEvent(stream, resolved)
        if (next !== undefined && event.revision !== next) throw corrupt(`stream "${stream}" goes from revision ${next} to ${event.revision}; what is between was deleted on the server`)
        next = event.revision + (backwards ? -1n : 1n)
        yield event
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw readError(stream, error)
    }
    this.#checkOpen()
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen()
    const signal = options.signal === undefined ? this.#ending.signal : AbortSignal.any([options.signal, this.#ending.signal])
    if (options.follow === true) return yield* this.#follow(options.after, signal)
    yield* this.#after(options.after, () => this.#readAll({ direction: FORWARDS, fromPosition: positionAt(options.after) }), signal)
    if (!options.signal?.aborted) this.#checkOpen()
  }

  pending(): number {
    return this.#pending
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#writes.settled()
    this.#ending.abort()
    await endClient(this.#client)
  }

  async #write(stream: string, encoded: Encoded, expected: ExpectedRevision): Promise<AppendResult> {
    let result: ServerResult
    try {
      result = await this.#client.appendToStream(this.#nameOf(stream), encoded.events, {
        expectedRevision: expected,
        deadline: this.#settings.appendTimeoutMs,
      })
    } catch (error) {
      throw toStoreError(stream, error, expected)
    }
    const revision = result.nextExpectedRevision
    if (!result.success) throw new StoreConflict(stream, expected, revision < 0n ? 'no_stream' : revision)
    return { revision, position: result.position?.commit ?? (await this.#positionOf(stream, revision)) }
  }

  /** For an append that an older server recognised as a retry: it names the revision, but no position. */
  async #positionOf(stream: string, revision: bigint): Promise<bigint> {
    for await (const event of this.read(stream, { from: revision, limit: 1 })) return event.position
    throw unavailable(`event ${revision} of stream "${stream}" was confirmed, but cannot be read`)
  }

  /** Goes on from the last event seen when the connection is lost. */
  async *#follow(after: bigint | undefined, signal: AbortSignal): AsyncGenerator<RecordedEvent> {
    let last = after
    let wait = FIRST_RETRY_MS
    let lostAt: number | undefined
    const reached = (): void => {
      wait = FIRST_RETRY_MS
      lostAt = undefined
    }
    while (!signal.aborted) {
      try {
        for await (const event of this.#after(last, () => this.#subscribe(last, reached), signal)) {
          last = event.position
          yield event
        }
      } catch (error) {
        lostAt ??= performance.now()
        if (!isUnavailable(error) || performance.now() - lostAt > this.#settings.followPatienceMs) throw error
      }
      await pause(wait, signal)
      wait = Math.min(wait * 2, MAX_RETRY_MS)
    }
  }

  /** Our own events after a position. The server's answer begins with the event at that position, or just after it. */
  async *#after(after: bigint | undefined, open: () => ServerStream, signal: AbortSignal): AsyncGenerator<RecordedEvent> {
    let last = after ?? -1n
    try {
      for await (const resolved of streamEvents(open, signal)) {
        const stream = this.#streamOf(resolved)
        if (stream === undefined) continue
        if (resolved.event?.type === STREAM_DELETED) throw deleted(stream)
        const event = decodeEvent(stream, resolved)
        if (event.position <= last) continue
        last = event.position
        yield event
      }
    } catch (error) {
      throw readError('$all', error)
    }
  }

  #readStream(stream: string, { from, direction = 'forwards', limit }: ReadOptions): ServerStream {
    const known = from === undefined || from > MAX_REVISION ? undefined : from
    const read = this.#client.readStream(this.#nameOf(stream), {
      direction: direction === 'backwards' ? BACKWARDS : FORWARDS,
      fromRevision: known ?? (direction === 'backwards' ? END : START),
      ...(limit !== undefined && { maxCount: limit }),
    })
    return { events: read, stop: () => read.cancel() }
  }

  #readAll(options: Parameters<EventStoreDBClient['readAll']>[0]): ServerStream {
    const read = this.#client.readAll(options)
    return { events: read, stop: () => read.cancel() }
  }

  #subscribe(after: bigint | undefined, reached: () => void): ServerStream {
    const subscription = this.#client.subscribeToAll({ fromPosition: positionAt(after), filter: this.#filter() })
    subscription.on('confirmation', reached)
    return { events: subscription, stop: () => subscription.unsubscribe() }
  }

  /** System streams begin with `$`. */
  #filter(): Filter {
    const prefix = this.#settings.streamPrefix
    return prefix === '' ? streamNameFilter({ regex: '^[^$]' }) : streamNameFilter({ prefixes: [prefix] })
  }

  #nameOf(stream: string): string {
    return this.#settings.streamPrefix + stream
  }

  /** Our name of the stream, or `undefined` when it is not one of ours. */
  #streamOf(resolved: ResolvedEvent): string | undefined {
    const name = resolved.event?.streamId
    if (name === undefined || name.startsWith('$') || !name.startsWith(this.#settings.streamPrefix)) return undefined
    return name.slice(this.#settings.streamPrefix.length)
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw unavailable('the store is closed')
  }
}

function positionAt(position: bigint | undefined): typeof START | { commit: bigint; prepare: bigint } {
  return position === undefined || position < 0n ? START : { commit: position, prepare: position }
}

/** A type no up-cast knows (`TypeError`) is the reader's own trouble, not the server's. */
function readError(stream: string, error: unknown): unknown {
  return error instanceof TypeError ? error : toStoreError(stream, error)
}

function isUnavailable(error: unknown): boolean {
  return error instanceof SallyportError && error.code === 'STORE_UNAVAILABLE'
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {})
}
