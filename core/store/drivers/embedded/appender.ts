import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { NewEvent } from '../../../events/index.ts'
import { eventsText, type AppendBatch, type AppendRequest } from './append-batch.ts'
import { appendLine, appendLines, COMMIT_COLUMNS, digestOf, NO_LINES, type CommitRow } from './commit-row.ts'
import { pack } from './packing.ts'
import { RecentMap } from './recent-map.ts'
import { openForWriting } from './store-file.ts'
import { appendsOf, eventsOf, type StoredAppend } from './stored-append.ts'
import { StreamIndex, writeSegments, type Unindexed } from './stream-index.ts'
import { verifyStore, type Head, type Verification } from './verify-store.ts'
import { CONFLICT, EXPECT_ANY } from './writer-protocol.ts'

/** Appends that gather before they are moved into the index. A reader scans the rows of about so many. */
const FLUSH_APPENDS = 4096
/** Streams whose heads are remembered; others are looked up. */
const HEADS = 16_384
/** Appends with `any` by which a retry is recognised. */
const RECENT_ANY = 4096
/** Of the appends found at start, about how many are remembered for retries with `any`. */
const RECENT_ANY_AT_START = 512

/**
 * About so much goes to the write-ahead log before it is copied into the file. With less, one append in a hundred would
 * meet the pause; with more it is longer, and it takes longer until the log stops growing, which syncs faster.
 */
const CHECKPOINT_BYTES = 4 * 1024 * 1024
/** What a commit costs in the log beyond what it stores: the page it begins in, and the pages above. */
const COMMIT_OVERHEAD_BYTES = 8 * 1024

/** Of the last event. */
export interface AppendAnswer {
  readonly revision: number
  /** `CONFLICT`: nothing was written. */
  readonly position: number
}

interface RecentAppend extends AppendAnswer {
  readonly stream: string
}

/** An append that goes into the next row. */
interface Taken {
  readonly request: AppendRequest
  readonly revision: number
  readonly position: number
}

/**
 * Writes appends, a batch of them as one row. Synchronous: it belongs to the writer's thread.
 * After an error nothing it remembers can be relied on: discard it and open another.
 */
export class Appender {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #index: StreamIndex
  readonly #insert: StatementSync
  readonly #rowAt: StatementSync
  readonly #checkpoint: StatementSync
  /** Stream → its next revision. */
  readonly #next = new RecentMap<string, number>(HEADS)
  /** Ids of an append with `any` → what it was answered. */
  readonly #recentAny = new RecentMap<string, RecentAppend>(RECENT_ANY)
  #unindexed = new Map<string, Unindexed>()
  #unindexedAppends = 0
  #taken: Taken[] = []
  /** Of `#taken`; see `CommitRow.appends`. */
  #lines = NO_LINES
  #head: Head
  #logBytes = 0

  /** Opens the store and holds it against its digests. Throws `STORE_CORRUPT`, `STORE_UNAVAILABLE`, or SQLite's errors. */
  constructor(path: string, verification: Verification, known?: Head) {
    this.#path = path
    this.#db = openForWriting(path)
    try {
      this.#head = verifyStore(this.#db, path, verification, known)
      this.#index = new StreamIndex(this.#db, path)
      this.#insert = this.#db.prepare(`INSERT INTO commits (${COMMIT_COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?)`)
      this.#rowAt = this.#db.prepare(`SELECT ${COMMIT_COLUMNS} FROM commits WHERE position = ?`)
      this.#checkpoint = this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
      this.#gatherUnindexed()
      this.#rememberRecent()
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get head(): Head {
    return this.#head
  }

  /** Whether enough has gathered for `flushIndex`. */
  get indexIsDue(): boolean {
    return this.#unindexedAppends >= FLUSH_APPENDS
  }

  get checkpointIsDue(): boolean {
    return this.#logBytes >= CHECKPOINT_BYTES
  }

  /** One transaction. When it returns, all that was answered with a position is durable. */
  append(batch: AppendBatch): AppendAnswer[] {
    const answers = batch.requests.map((request) => this.#one(request))
    if (this.#taken.length > 0) this.#write(batch)
    return answers
  }

  #one(request: AppendRequest): AppendAnswer {
    const { stream, expected } = request
    if (expected === EXPECT_ANY) {
      const earlier = this.#recentAny.get(request.ids)
      if (earlier?.stream === stream) return earlier
    }
    const next = this.#nextOf(stream)
    if (expected === EXPECT_ANY || expected === next - 1) return this.#take(request, next)
    return this.#retryOf(request, next) ?? { revision: next - 1, position: CONFLICT }
  }

  #take(request: AppendRequest, revision: number): AppendAnswer {
    const { stream, expected, count, ids } = request
    const last = this.#taken.at(-1)
    const position = last === undefined ? this.#head.position + 1 : last.position + last.request.count
    this.#taken.push({ request, revision, position })
    this.#lines += appendLine(stream, revision, count)
    this.#next.set(stream, revision + count)
    const answer = { revision: revision + count - 1, position: position + count - 1 }
    if (expected === EXPECT_ANY) this.#recentAny.set(ids, { ...answer, stream })
    return answer
  }

  /** A statement by itself is a transaction: it is durable when it returns. */
  #write(batch: AppendBatch): void {
    const taken = this.#taken
    const row = this.#rowOf(batch)
    const { position, count, appends, size, codec, body } = row
    const digest = digestOf(this.#head.digest, row)
    this.#insert.run(position, count, appends, size, codec, body, digest)
    this.#head = { position: position + count - 1, digest }
    this.#taken = []
    this.#lines = NO_LINES
    this.#logBytes += appends.length + body.length + COMMIT_OVERHEAD_BYTES
    for (const { request, revision } of taken) this.#gather(request.stream, position, revision, request.count)
  }

  #rowOf(batch: AppendBatch): CommitRow {
    const requests = this.#taken.map(({ request }) => request)
    const count = requests.reduce((sum, request) => sum + request.count, 0)
    return { position: this.#head.position + 1, count, appends: this.#lines, ...pack(batch.linesOf(requests)) }
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
    const written = this.#takenAt(request.stream, revision) ?? this.#storedAt(request.stream, revision)
    if (written === undefined || written.count !== request.count) return undefined
    if (idsIn(eventsText(request)) !== idsIn(written.events)) return undefined
    return { revision: revision + written.count - 1, position: written.position + written.count - 1 }
  }

  /** The append of this very batch that begins with `revision`. */
  #takenAt(stream: string, revision: number): StoredAppend | undefined {
    const taken = this.#taken.find((each) => each.request.stream === stream && each.revision === revision)
    return taken && { stream, revision, position: taken.position, count: taken.request.count, events: eventsText(taken.request) }
  }

  /** The append in the store that begins with `revision`. */
  #storedAt(stream: string, revision: number): StoredAppend | undefined {
    const place = this.#index.placesAround(stream, revision).findLast((each) => each.revision <= revision)
    const row = place && this.#rowAt.get(place.position)
    if (row === undefined) return undefined
    return appendsOf(row as unknown as CommitRow, this.#path).find((each) => each.stream === stream && each.revision === revision)
  }

  #gather(stream: string, position: number, revision: number, count: number): void {
    this.#unindexedAppends++
    const unindexed = this.#unindexed.get(stream)
    if (unindexed === undefined) {
      this.#unindexed.set(stream, { next: revision + count, places: [position, revision] })
      return
    }
    unindexed.next = revision + count
    if (unindexed.places.at(-2) !== position) unindexed.places.push(position, revision)
  }

  #gatherUnindexed(): void {
    const rows = this.#db.prepare('SELECT position, appends FROM commits WHERE position > (SELECT indexed FROM store) ORDER BY position')
    for (const each of rows.iterate()) {
      const row = each as unknown as CommitRow
      for (const { stream, revision, count } of appendLines(row, this.#path)) this.#gather(stream, row.position, revision, count)
    }
  }

  #rememberRecent(): void {
    const rows = this.#db.prepare(`SELECT ${COMMIT_COLUMNS} FROM commits ORDER BY position DESC`)
    let left = RECENT_ANY_AT_START
    for (const each of rows.iterate()) {
      const appends = appendsOf(each as unknown as CommitRow, this.#path)
      for (const append of appends) this.#remember(append)
      left -= appends.length
      if (left <= 0) return
    }
  }

  #remember(append: StoredAppend): void {
    const { stream, revision, position, count } = append
    const ids = eventsOf(append, this.#path).map((event) => event.id).join('\n')
    this.#recentAny.set(ids, { stream, revision: revision + count - 1, position: position + count - 1 })
  }

  /** Brings `segments` up to the last append. A crash before its end costs nothing: the rows are gathered again. */
  flushIndex(): void {
    if (this.#unindexedAppends === 0) return
    this.#db.exec('BEGIN IMMEDIATE')
    writeSegments(this.#db, this.#unindexed, this.#head.position)
    this.#db.exec('COMMIT')
    this.#unindexed = new Map()
    this.#unindexedAppends = 0
  }

  /** Copies the write-ahead log into the file as far as readers allow; the next append may then start it anew. */
  checkpoint(): void {
    this.#checkpoint.get()
    this.#logBytes = 0
  }

  close(): void {
    this.#db.close()
  }
}

/** The ids of events in a JSON array, one a line. */
function idsIn(events: string): string {
  return (JSON.parse(events) as NewEvent[]).map((event) => event.id).join('\n')
}
