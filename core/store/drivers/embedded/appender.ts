import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { NewEvent } from '../../../events/index.ts'
import { digestOf, eventsOf, type AppendRow } from './append-row.ts'
import { RecentMap } from './recent-map.ts'
import { openForWriting } from './store-file.ts'
import { StreamIndex, writeSegments, type Unindexed } from './stream-index.ts'
import { verifyStore, type Head, type Verification } from './verify-store.ts'

/** Rows that gather before they are moved into the index. A reader scans at most about so many. */
const FLUSH_ROWS = 4096
/** Streams whose heads are remembered; others are looked up. */
const HEADS = 16_384
/** Appends with `any` by which a retry is recognised. */
const RECENT_ANY = 4096
/** Of the rows found at start, how many are remembered for retries with `any`. */
const RECENT_ANY_AT_START = 512

/** `AppendRequest.expected` for what is not a revision. */
export const EXPECT_ANY = -2
export const EXPECT_NO_STREAM = -1
/** `AppendAnswer.position` of a conflict; `revision` is then the actual one, -1 for no stream. */
export const CONFLICT = 0

export interface AppendRequest {
  readonly stream: string
  readonly expected: number
  readonly count: number
  /** The events as a JSON array. */
  readonly events: string
  /** The events' ids, one a line, when `expected` is `EXPECT_ANY`; else empty. */
  readonly ids: string
}

/** Of the last event. */
export interface AppendAnswer {
  readonly revision: number
  readonly position: number
}

interface RecentAppend extends AppendAnswer {
  readonly stream: string
}

/**
 * Writes appends, many to a transaction. Synchronous: it belongs to the writer's thread.
 * After an error nothing it remembers can be relied on: discard it and open another.
 */
export class Appender {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #index: StreamIndex
  readonly #insert: StatementSync
  readonly #rowsAt: StatementSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #checkpoint: StatementSync
  /** Stream → its next revision. */
  readonly #next = new RecentMap<string, number>(HEADS)
  /** Ids of an append with `any` → what it was answered. */
  readonly #recentAny = new RecentMap<string, RecentAppend>(RECENT_ANY)
  #unindexed = new Map<string, Unindexed>()
  #unindexedRows = 0
  #head: Head

  /** Opens the store and holds it against its digests. Throws `STORE_CORRUPT`, `STORE_UNAVAILABLE`, or SQLite's errors. */
  constructor(path: string, verification: Verification, known?: Head) {
    this.#path = path
    this.#db = openForWriting(path)
    try {
      this.#head = verifyStore(this.#db, path, verification, known)
      this.#index = new StreamIndex(this.#db, path)
      this.#insert = this.#db.prepare('INSERT INTO appends VALUES (?, ?, ?, ?, ?, ?)')
      this.#rowsAt = this.#db.prepare('SELECT position, stream, revision, count, events FROM appends WHERE position = ?')
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
      this.#commit = this.#db.prepare('COMMIT')
      this.#checkpoint = this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
      this.#gatherUnindexed()
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get head(): Head {
    return this.#head
  }

  /** Whether enough rows have gathered for `flushIndex`. */
  get indexIsDue(): boolean {
    return this.#unindexedRows >= FLUSH_ROWS
  }

  /** One transaction. When it returns, all that was answered with a position is durable. */
  append(requests: readonly AppendRequest[]): AppendAnswer[] {
    this.#begin.run()
    const answers = requests.map((request) => this.#one(request))
    this.#commit.run()
    return answers
  }

  #one(request: AppendRequest): AppendAnswer {
    const { stream, expected } = request
    if (expected === EXPECT_ANY) {
      const earlier = this.#recentAny.get(request.ids)
      if (earlier?.stream === stream) return earlier
    }
    const next = this.#nextOf(stream)
    if (expected !== EXPECT_ANY && expected !== next - 1) {
      return this.#retryOf(request, next) ?? { revision: next - 1, position: CONFLICT }
    }
    return this.#write(request, next)
  }

  #write({ stream, expected, count, events, ids }: AppendRequest, revision: number): AppendAnswer {
    const row: AppendRow = { position: this.#head.position + 1, stream, revision, count, events }
    const digest = digestOf(this.#head.digest, row)
    this.#insert.run(row.position, stream, revision, count, events, digest)
    this.#head = { position: row.position + count - 1, digest }
    this.#next.set(stream, revision + count)
    this.#gather(stream, row.position, revision, count)
    const answer = { revision: revision + count - 1, position: this.#head.position }
    if (expected === EXPECT_ANY) this.#recentAny.set(ids, { ...answer, stream })
    return answer
  }

  #nextOf(stream: string): number {
    const known = this.#next.get(stream) ?? this.#unindexed.get(stream)?.next
    if (known !== undefined) return known
    const next = this.#index.nextInSegments(stream)
    this.#next.set(stream, next)
    return next
  }

  /** What the very same events were answered when they were written after the same revision; else undefined. */
  #retryOf(request: AppendRequest, next: number): AppendAnswer | undefined {
    const revision = request.expected + 1
    if (revision + request.count > next) return undefined
    const place = this.#index.placesAround(request.stream, revision).find((each) => each.revision === revision)
    const row = place && (this.#rowsAt.get(place.position) as unknown as AppendRow | undefined)
    if (row === undefined || row.count !== request.count) return undefined
    const wanted = JSON.parse(request.events) as NewEvent[]
    const written = eventsOf(row, this.#path)
    if (!written.every((event, i) => event.id === wanted[i]?.id)) return undefined
    return { revision: revision + row.count - 1, position: row.position + row.count - 1 }
  }

  #gather(stream: string, position: number, revision: number, count: number): void {
    this.#unindexedRows++
    const unindexed = this.#unindexed.get(stream)
    if (unindexed === undefined) {
      this.#unindexed.set(stream, { next: revision + count, places: [position, revision] })
      return
    }
    unindexed.next = revision + count
    unindexed.places.push(position, revision)
  }

  #gatherUnindexed(): void {
    const rows = this.#db.prepare(
      'SELECT position, stream, revision, count FROM appends WHERE position > (SELECT indexed FROM store) ORDER BY position',
    )
    for (const each of rows.iterate()) {
      const row = each as unknown as AppendRow
      this.#gather(row.stream, row.position, row.revision, row.count)
    }
    this.#rememberRecent()
  }

  #rememberRecent(): void {
    const rows = this.#db.prepare('SELECT position, stream, revision, count, events FROM appends ORDER BY position DESC LIMIT ?')
    for (const each of rows.iterate(RECENT_ANY_AT_START)) {
      const row = each as unknown as AppendRow
      const ids = eventsOf(row, this.#path).map((event) => event.id).join('\n')
      this.#recentAny.set(ids, { stream: row.stream, revision: row.revision + row.count - 1, position: row.position + row.count - 1 })
    }
  }

  /** Brings `segments` up to the last append. A crash before its end costs nothing: the rows are gathered again. */
  flushIndex(): void {
    if (this.#unindexedRows === 0) return
    this.#begin.run()
    writeSegments(this.#db, this.#unindexed, this.#head.position)
    this.#commit.run()
    this.#unindexed = new Map()
    this.#unindexedRows = 0
  }

  /** Copies the write-ahead log into the file as far as readers allow; the next append may then start it anew. */
  checkpoint(): void {
    this.#checkpoint.get()
  }

  close(): void {
    this.#db.close()
  }
}
