import type { DatabaseSync } from 'node:sqlite'
import { appendLines, COMMIT_COLUMNS, digestOf, firstRevisions, type ChainedRow } from './commit-row.ts'
import { corrupt } from './store-failure.ts'
import { storeId } from './store-file.ts'
import { PlaceSum, sumOfSegments } from './stream-index.ts'

/** Rows before the end of the index that `tail` looks at again. */
const TAIL_ROWS = 4096

/** The end of the record: the position of the last event (0: none) and the digest of its row. */
export interface Head {
  readonly position: number
  readonly digest: string
}

/** `full`: every byte of the record. `tail`: what was written last, for files too large to read at every start. */
export type Verification = 'full' | 'tail'

/**
 * Holds the record against its chain of digests and returns its end. Throws `STORE_CORRUPT`.
 *
 * Finds changed bytes, and rows that were removed, added or moved, anywhere (`full`) or in the last rows (`tail`).
 * `known` is an end the record had earlier: rows removed from the end are found by it, and only by it.
 * What it cannot find, when it is newer than `known`: commits at the end that went with a write-ahead log somebody
 * deleted or cut short, or that stood behind a damaged place in it (SQLite takes that for where the log ends).
 */
export function verifyStore(db: DatabaseSync, path: string, verification: Verification, known?: Head): Head {
  if (verification === 'full') checkStructure(db, path)
  const indexed = indexedUpTo(db, path)
  const sum = new PlaceSum()
  const head = verification === 'full' ? checkChain(db, path, genesis(db, path), indexed, sum) : checkTail(db, path, indexed)
  if (head.position < indexed) throw corrupt(path, `its events end at position ${head.position}, but its index at ${indexed}`)
  if (verification === 'full' && sum.value !== sumOfSegments(db)) throw corrupt(path, 'its index does not agree with its events')
  if (known !== undefined) checkKnown(db, path, known)
  return head
}

function checkStructure(db: DatabaseSync, path: string): void {
  const [first] = db.prepare('PRAGMA quick_check(1)').all()
  const verdict = first?.['quick_check']
  if (verdict !== 'ok') throw corrupt(path, `SQLite's check says: ${String(verdict).replaceAll('\n', ' ')}`)
}

function indexedUpTo(db: DatabaseSync, path: string): number {
  const indexed = db.prepare('SELECT indexed FROM store').get()?.['indexed']
  if (typeof indexed !== 'number') throw corrupt(path, 'how far its index reaches is missing')
  return indexed
}

function genesis(db: DatabaseSync, path: string): Head {
  return { position: 0, digest: storeId(db, path) }
}

function checkTail(db: DatabaseSync, path: string, indexed: number): Head {
  const start = db
    .prepare('SELECT position + count - 1 AS position, digest FROM commits WHERE position <= ? ORDER BY position DESC LIMIT 1 OFFSET ?')
    .get(indexed, TAIL_ROWS)
  return checkChain(db, path, (start as unknown as Head | undefined) ?? genesis(db, path), indexed, new PlaceSum())
}

/** Follows the chain from the row after `start` to the end. Adds the places up to `indexed` to `sum`. */
function checkChain(db: DatabaseSync, path: string, start: Head, indexed: number, sum: PlaceSum): Head {
  let { position, digest } = start
  const rows = db.prepare(`SELECT ${COMMIT_COLUMNS}, digest FROM commits WHERE position > ? ORDER BY position`)
  for (const each of rows.iterate(position)) {
    const row = each as unknown as ChainedRow
    if (row.position !== position + 1) throw corrupt(path, `the events after position ${position} are missing up to ${row.position}`)
    if (row.digest !== digestOf(digest, row)) throw corrupt(path, `the commit at position ${row.position} does not fit its digest: it or the one before it has changed`)
    if (row.position <= indexed) addPlaces(sum, row, path)
    digest = row.digest
    position = row.position + row.count - 1
  }
  return { position, digest }
}

function addPlaces(sum: PlaceSum, row: ChainedRow, path: string): void {
  const { position } = row
  for (const [stream, revision] of firstRevisions(appendLines(row, path))) sum.add(stream, { position, revision })
}

function checkKnown(db: DatabaseSync, path: string, known: Head): void {
  if (known.position === 0) return
  const row = db
    .prepare('SELECT position + count - 1 AS position, digest FROM commits WHERE position <= ? ORDER BY position DESC LIMIT 1')
    .get(known.position)
  const found = row as unknown as Head | undefined
  if (found?.position === known.position && found.digest === known.digest) return
  throw corrupt(
    path,
    `it once held events up to position ${known.position}, and they are missing or others (known from ${path}-lock; ` +
      'remove that file only if you have put an older copy here on purpose)',
  )
}
