import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { appendLines, lineStart, type CommitRow } from './commit-row.ts'
import { corrupt } from './store-failure.ts'

/** A commit that a stream has events in. */
export interface Place {
  /** Of the commit's row. */
  readonly position: number
  /** Of the stream's first event in it. */
  readonly revision: number
}

/** Consecutive places of one stream, as `segments` holds them. */
interface Segment {
  readonly first: number
  /** The revision that follows its last. */
  readonly next: number
  /** JSON: position, revision, position, revision, … */
  readonly places: string
  readonly checksum: number
}

/**
 * Finds a stream's commits: in `segments`, and for the rows that are not in there yet by scanning them.
 * Call within one read transaction; a flush in between would move rows from one to the other.
 */
export class StreamIndex {
  readonly #path: string
  readonly #last: StatementSync
  readonly #containing: StatementSync
  readonly #indexed: StatementSync
  readonly #tail: StatementSync

  constructor(db: DatabaseSync, path: string) {
    this.#path = path
    this.#last = db.prepare('SELECT first, next, places, checksum FROM segments WHERE stream = ? ORDER BY first DESC LIMIT 1')
    this.#containing = db.prepare(
      'SELECT first, next, places, checksum FROM segments WHERE stream = ? AND first <= ? ORDER BY first DESC LIMIT 1',
    )
    this.#indexed = db.prepare('SELECT indexed FROM store')
    this.#tail = db.prepare('SELECT position, appends FROM commits WHERE position > ? AND instr(appends, ?) ORDER BY position')
  }

  /** The stream's next revision, as far as `segments` knows; 0 for a stream it does not have. */
  nextInSegments(stream: string): number {
    const last = this.#segment(stream, this.#last.get(stream))
    return last?.next ?? 0
  }

  /** The revision of the stream's last event; -1 when there is none. */
  head(stream: string): number {
    return (this.#tailOf(stream)?.next ?? this.nextInSegments(stream)) - 1
  }

  /** Consecutive places of the stream, in order, that include the one with `revision`; empty past its end. */
  placesAround(stream: string, revision: number): Place[] {
    const segment = this.#segment(stream, this.#containing.get(stream, revision))
    if (segment !== undefined && revision < segment.next) return placesOf(segment)
    const tail = this.#tailOf(stream)
    return tail !== undefined && revision < tail.next ? tail.places : []
  }

  #tailOf(stream: string): Tail | undefined {
    const indexed = this.#indexed.get()?.['indexed']
    if (typeof indexed !== 'number') throw corrupt(this.#path, 'how far its index reaches is missing')
    const rows = this.#tail.all(indexed, lineStart(stream)) as unknown as Pick<CommitRow, 'position' | 'appends'>[]
    const last = rows.at(-1)
    const line = last && appendLines(last, this.#path).findLast((each) => each.stream === stream)
    if (line === undefined) return undefined
    return { places: rows.map((row) => placeIn(row, stream)), next: line.revision + line.count }
  }

  #segment(stream: string, row: unknown): Segment | undefined {
    if (row === undefined) return undefined
    const segment = row as Segment
    if (segment.checksum === checksumOf(stream, segment.first, segment.next, segment.places)) return segment
    throw corrupt(this.#path, `its index of stream "${stream}" at revision ${segment.first} has changed`)
  }
}

/** Where a stream is in the rows that `segments` does not have. */
interface Tail {
  readonly places: Place[]
  /** The revision that follows its last. */
  readonly next: number
}

/** A row is only looked at for the start of its line: many are scanned at a time. */
function placeIn({ position, appends }: Pick<CommitRow, 'position' | 'appends'>, stream: string): Place {
  const start = lineStart(stream)
  const from = appends.indexOf(start) + start.length
  return { position, revision: Number(appends.slice(from, appends.indexOf('\t', from))) }
}

function placesOf(segment: Segment): Place[] {
  const flat = JSON.parse(segment.places) as number[]
  const places: Place[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) places.push({ position: flat[i] ?? 0, revision: flat[i + 1] ?? 0 })
  return places
}

function checksumOf(stream: string, first: number, next: number, places: string): number {
  return crc32(`${stream}\n${first}\n${next}\n${places}`)
}

/** The places of one stream that are not in `segments` yet. */
export interface Unindexed {
  next: number
  /** position, revision, position, revision, … */
  readonly places: number[]
}

/**
 * Moves what has gathered into `segments`, one row per stream in the order of its key, and notes that the index
 * reaches to `position`. Within the caller's transaction.
 */
export function writeSegments(db: DatabaseSync, gathered: ReadonlyMap<string, Unindexed>, position: number): void {
  const insert = db.prepare('INSERT INTO segments VALUES (?, ?, ?, ?, ?)')
  for (const stream of [...gathered.keys()].toSorted()) {
    const unindexed = gathered.get(stream)
    const first = unindexed?.places[1]
    if (unindexed === undefined || first === undefined) continue
    const places = JSON.stringify(unindexed.places)
    insert.run(stream, first, unindexed.next, places, checksumOf(stream, first, unindexed.next, places))
  }
  db.prepare('UPDATE store SET indexed = ?').run(position)
}

/**
 * A sum over (stream, position, revision) of places that does not depend on their order, so that `segments` can
 * be held against `commits` without sorting either. Below 2^53: each term is below 2^32, the sum taken modulo 2^52.
 */
export class PlaceSum {
  #sum = 0

  get value(): number {
    return this.#sum
  }

  add(stream: string, place: Place): void {
    this.#sum = (this.#sum + crc32(`${stream}\n${place.position}\n${place.revision}`)) % 2 ** 52
  }
}

/** The sum of all that `segments` holds. */
export function sumOfSegments(db: DatabaseSync): number {
  const sum = new PlaceSum()
  for (const row of db.prepare('SELECT stream, first, next, places, checksum FROM segments').iterate()) {
    const { stream, ...segment } = row as unknown as Segment & { stream: string }
    for (const place of placesOf(segment)) sum.add(stream, place)
  }
  return sum.value
}
