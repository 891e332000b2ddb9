import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { RecordedEvent } from '../../../events/index.ts'
import type { ReadAllOptions, ReadOptions } from '../../event-store.ts'
import { COMMIT_COLUMNS, type CommitRow } from './commit-row.ts'
import { RecentMap } from './recent-map.ts'
import { recordedEventsOf } from './recorded-events.ts'
import { corrupt, storeFailure } from './store-failure.ts'
import { openForReading } from './store-file.ts'
import { appendsOf, type StoredAppend } from './stored-append.ts'
import { StreamIndex, type Place } from './stream-index.ts'

/** Unpacked in one go; between two goes the event loop turns, and the write-ahead log may be reset. */
const CHUNK_BYTES = 256 * 1024
const CHUNK_ROWS = 512
/** Rows kept unpacked (up to twice so many), since streams that are read one after the other share them; none larger than that. */
const KEPT_ROWS = 8
const KEPT_ROW_BYTES = 256 * 1024

/** A row, unpacked. */
interface Unpacked {
  readonly size: number
  readonly appends: readonly StoredAppend[]
}

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
  readonly #kept = new RecentMap<number, Unpacked>(KEPT_ROWS)

  constructor(path: string) {
    this.#path = path
    this.#db = openForReading(path)
    this.#index = new StreamIndex(this.#db, path)
    this.#rowAt = this.#db.prepare(`SELECT ${COMMIT_COLUMNS} FROM commits WHERE position = ?`)
    this.#rowsFrom = this.#db.prepare(`SELECT ${COMMIT_COLUMNS} FROM commits WHERE position >= ? ORDER BY position LIMIT ${CHUNK_ROWS}`)
    this.#rowBefore = this.#db.prepare('SELECT position FROM commits WHERE position <= ? ORDER BY position DESC LIMIT 1')
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
    if (left <= 0) return
    for await (const append of this.#appendsOf(stream, options)) {
      for (const event of eventsWithin(append, options, this.#path)) {
        yield event
        if (--left <= 0) return
      }
    }
  }

  async *#appendsOf(stream: string, { from, direction }: ReadOptions): AsyncGenerator<StoredAppend> {
    const backwards = direction === 'backwards'
    let revision = backwards ? this.#lastRevision(stream, from) : Number(from ?? 0n)
    let bytes = 0
    while (revision >= 0) {
      const places = this.#placesFrom(stream, revision, backwards)
      if (places.length === 0) return
      for (const { position } of places) {
        const row = this.#unpackedAt(position)
        const appends = row.appends.filter((append) => append.stream === stream)
        yield* backwards ? appends.toReversed() : appends
        revision = beyond(appends, backwards) ?? missing(this.#path, stream, position)
        bytes += row.size
        if (bytes < CHUNK_BYTES) continue
        bytes = 0
        await setImmediate()
      }
    }
  }

  #lastRevision(stream: string, from: bigint | undefined): number {
    const head = this.#atOnce(() => this.#index.head(stream))
    return from === undefined ? head : Math.min(Number(from), head)
  }

  /** Some of the stream's places in the order asked for, beginning with the one that holds `revision`. */
  #placesFrom(stream: string, revision: number, backwards: boolean): Place[] {
    const places = this.#atOnce(() => this.#index.placesAround(stream, revision))
    const holding = places.findLastIndex((place) => place.revision <= revision)
    return backwards ? places.slice(0, holding + 1).toReversed() : places.slice(Math.max(0, holding))
  }

  #unpackedAt(position: number): Unpacked {
    const kept = this.#kept.get(position)
    if (kept !== undefined) return kept
    const row = this.#atOnce(() => this.#rowAt.get(position))
    if (row === undefined) throw corrupt(this.#path, `the commit at position ${position} is in the index, but missing`)
    return this.#unpacked(row as unknown as CommitRow)
  }

  #unpacked(row: CommitRow): Unpacked {
    const unpacked = { size: row.size, appends: appendsOf(row, this.#path) }
    if (row.size <= KEPT_ROW_BYTES) this.#kept.set(row.position, unpacked)
    return unpacked
  }

  /** Every event after a position; `more` is asked at the end whether to look again. */
  async *readAll({ after = 0n, signal }: ReadAllOptions, more: () => Promise<boolean>): AsyncGenerator<RecordedEvent> {
    let position = after < 0n ? 0n : after
    do {
      for (;;) {
        const rows = this.#chunkAfter(Number(position))
        if (rows.length === 0) break
        for (const append of this.#appendsIn(rows)) {
          if (append.position + append.count - 1 <= position) continue
          for (const event of recordedEventsOf(append, this.#path)) {
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

  *#appendsIn(rows: readonly CommitRow[]): Generator<StoredAppend> {
    for (const row of rows) yield* (this.#kept.get(row.position) ?? this.#unpacked(row)).appends
  }

  #chunkAfter(position: number): CommitRow[] {
    return this.#atOnce(() => {
      const containing = this.#rowBefore.get(position + 1)?.['position']
      if (typeof containing !== 'number') return []
      const rows = upToChunk(this.#rowsFrom.iterate(containing))
      const last = rows.at(-1)
      return last === undefined || last.position + last.count - 1 <= position ? [] : rows
    })
  }

  /** One read transaction: what is looked at is seen as of one commit. */
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

function upToChunk(found: Iterable<unknown>): CommitRow[] {
  const rows: CommitRow[] = []
  let bytes = 0
  for (const each of found) {
    const row = each as CommitRow
    rows.push(row)
    bytes += row.size
    if (bytes >= CHUNK_BYTES) break
  }
  return rows
}

/** The revision to go on with after these appends of one stream. */
function beyond(appends: readonly StoredAppend[], backwards: boolean): number | undefined {
  const edge = appends.at(backwards ? 0 : -1)
  if (edge === undefined) return undefined
  return backwards ? edge.revision - 1 : edge.revision + edge.count
}

function missing(path: string, stream: string, position: number): never {
  throw corrupt(path, `the commit at position ${position} has no event of stream "${stream}", and its index says it has`)
}

/** The events of an append that the options ask for, in their direction. */
function eventsWithin(append: StoredAppend, { from, direction }: ReadOptions, path: string): RecordedEvent[] {
  if (outside(append, from, direction)) return []
  const events = recordedEventsOf(append, path)
  if (direction === 'backwards') {
    const wanted = from === undefined ? events : events.filter((event) => event.revision <= from)
    return wanted.toReversed()
  }
  return from === undefined ? events : events.filter((event) => event.revision >= from)
}

function outside({ revision, count }: StoredAppend, from: bigint | undefined, direction: ReadOptions['direction']): boolean {
  if (from === undefined) return false
  return direction === 'backwards' ? BigInt(revision) > from : BigInt(revision + count - 1) < from
}
