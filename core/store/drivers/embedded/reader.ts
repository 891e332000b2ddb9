import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { RecordedEvent } from '../../../events/index.ts'
import type { ReadAllOptions, ReadOptions } from '../../event-store.ts'
import type { AppendRow } from './append-row.ts'
import { recordedEventsOf } from './recorded-events.ts'
import { storeFailure } from './store-failure.ts'
import { openForReading } from './store-file.ts'
import { StreamIndex, type Place } from './stream-index.ts'

/** Read in one go; between two goes the event loop turns, and the write-ahead log may be reset. */
const CHUNK_BYTES = 256 * 1024
const CHUNK_ROWS = 512

/** Reads a store in this thread, a chunk at a time. Works beside the writer, in its process or another. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #index: StreamIndex
  readonly #rowAt: StatementSync
  readonly #rowsFrom: StatementSync
  readonly #rowBefore: StatementSync
  readonly #begin: StatementSync
  readonly #end: StatementSync

  constructor(path: string) {
    this.#path = path
    this.#db = openForReading(path)
    this.#index = new StreamIndex(this.#db, path)
    const columns = 'position, stream, revision, count, events'
    this.#rowAt = this.#db.prepare(`SELECT ${columns} FROM appends WHERE position = ?`)
    this.#rowsFrom = this.#db.prepare(`SELECT ${columns} FROM appends WHERE position >= ? ORDER BY position LIMIT ${CHUNK_ROWS}`)
    this.#rowBefore = this.#db.prepare('SELECT position FROM appends WHERE position <= ? ORDER BY position DESC LIMIT 1')
    this.#begin = this.#db.prepare('BEGIN')
    this.#end = this.#db.prepare('COMMIT')
  }

  get database(): DatabaseSync {
    return this.#db
  }

  close(): void {
    this.#db.close()
  }

  async *read(stream: string, options: ReadOptions): AsyncGenerator<RecordedEvent> {
    let left = options.limit ?? Infinity
    for await (const row of this.#rowsOf(stream, options)) {
      for (const event of eventsWithin(row, options, this.#path)) {
        if (left-- <= 0) return
        yield event
      }
    }
  }

  async *#rowsOf(stream: string, { from, direction }: ReadOptions): AsyncGenerator<AppendRow> {
    const backwards = direction === 'backwards'
    let revision = backwards ? this.#lastRevision(stream, from) : Number(from ?? 0n)
    for (;;) {
      const rows = revision < 0 && backwards ? [] : this.#chunkOf(stream, revision, backwards)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined) return
      revision = backwards ? last.revision - 1 : last.revision + last.count
      await setImmediate()
    }
  }

  #lastRevision(stream: string, from: bigint | undefined): number {
    const head = this.#atOnce(() => this.#index.head(stream))
    return from === undefined ? head : Math.min(Number(from), head)
  }

  #chunkOf(stream: string, revision: number, backwards: boolean): AppendRow[] {
    return this.#atOnce(() => {
      const places = this.#index.placesAround(stream, Math.max(0, revision))
      const wanted = backwards ? before(places, revision).toReversed() : from(places, revision)
      return this.#rowsAt(wanted)
    })
  }

  #rowsAt(places: readonly Place[]): AppendRow[] {
    const rows: AppendRow[] = []
    let bytes = 0
    for (const { position } of places) {
      const row = this.#rowAt.get(position) as unknown as AppendRow | undefined
      if (row === undefined) throw new Error(`the append at position ${position} is in the index, but missing`)
      rows.push(row)
      bytes += row.events.length
      if (bytes >= CHUNK_BYTES || rows.length >= CHUNK_ROWS) break
    }
    return rows
  }

  /** Every event after a position; `more` is asked at the end whether to look again. */
  async *readAll({ after = 0n, signal }: ReadAllOptions, more: () => Promise<boolean>): AsyncGenerator<RecordedEvent> {
    let position = after < 0n ? 0n : after
    do {
      for (;;) {
        const rows = this.#chunkAfter(Number(position))
        if (rows.length === 0) break
        for (const row of rows) {
          for (const event of recordedEventsOf(row, this.#path)) {
            if (signal?.aborted === true) return
            if (event.position <= position) continue
            position = event.position
            yield event
          }
        }
        await setImmediate()
      }
    } while (await more())
  }

  #chunkAfter(position: number): AppendRow[] {
    return this.#atOnce(() => {
      const containing = this.#rowBefore.get(position + 1)?.['position']
      if (typeof containing !== 'number') return []
      const rows = this.#upToChunk(this.#rowsFrom.iterate(containing))
      const last = rows.at(-1)
      return last === undefined || last.position + last.count - 1 <= position ? [] : rows
    })
  }

  #upToChunk(found: Iterable<unknown>): AppendRow[] {
    const rows: AppendRow[] = []
    let bytes = 0
    for (const each of found) {
      const row = each as AppendRow
      rows.push(row)
      bytes += row.events.length
      if (bytes >= CHUNK_BYTES) break
    }
    return rows
  }

  /** One read transaction: the index and the rows behind it are seen as of one commit. */
  #atOnce<T>(look: () => T): T {
    try {
      this.#begin.run()
      try {
        return look()
      } finally {
        this.#end.run()
      }
    } catch (error) {
      throw storeFailure(this.#path, error)
    }
  }
}

/** The places from the one that holds `revision`. */
function from(places: readonly Place[], revision: number): Place[] {
  const after = places.findIndex((place) => place.revision > revision)
  return places.slice(after < 0 ? -1 : Math.max(0, after - 1))
}

/** The places up to the one that holds `revision`. */
function before(places: readonly Place[], revision: number): Place[] {
  return places.filter((place) => place.revision <= revision)
}

/** The events of a row that the options ask for, in their direction. */
function eventsWithin(row: AppendRow, { from, direction }: ReadOptions, path: string): RecordedEvent[] {
  const events = recordedEventsOf(row, path)
  if (direction === 'backwards') {
    const wanted = from === undefined ? events : events.filter((event) => event.revision <= from)
    return wanted.toReversed()
  }
  return from === undefined ? events : events.filter((event) => event.revision >= from)
}
