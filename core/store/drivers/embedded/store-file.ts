/**
 * The file of the embedded store.
 *
 *   commits       one row per commit; `digest` chains every row to the one before it (commit-row.ts)
 *   segments      where a stream's appends are; derived from `commits`, and behind it (stream-index.ts)
 *   store         one row: the format of all this, the store's id, and how far `segments` reaches
 *
 * A commit writes one row of `commits` and nothing else: an index by stream would have it write a page per stream.
 * What `segments` does not cover yet is found by scanning the last rows.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '../../../errors.ts'
import { corrupt } from './store-failure.ts'

/** `PRAGMA application_id`: "SPes". */
const APPLICATION_ID = 0x53506573
/** `store.format`: raised with every change that an older or newer version of Sallyport could misread. */
const FORMAT = 2
/** How long a reader waits for another process that is recovering the write-ahead log. */
const BUSY_TIMEOUT_MS = 5_000
/** The write-ahead log is cut back to this when it was reset after a burst. */
const WAL_KEPT_BYTES = 64 * 1024 * 1024
const CACHE_KIB = 8 * 1024

const SCHEMA = `
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY, count INTEGER NOT NULL, appends TEXT NOT NULL,
    size INTEGER NOT NULL, codec INTEGER NOT NULL, body BLOB NOT NULL, digest TEXT NOT NULL
  ) STRICT;
  CREATE TABLE segments (
    stream TEXT NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL, places TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (stream, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, id TEXT NOT NULL, indexed INTEGER NOT NULL) STRICT;
`

/** Creates the store's file if there is none; returns false if there is one. A crash leaves a whole file or none. */
export function createStoreFile(path: string): boolean {
  if (existsSync(path)) return false
  const draft = `${path}-new`
  for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true })
  closeSync(openSync(draft, 'wx', 0o600))
  const db = new DatabaseSync(draft)
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; BEGIN')
  db.exec(SCHEMA)
  db.prepare('INSERT INTO store VALUES (1, ?, ?, 0)').run(FORMAT, randomUUID())
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; COMMIT`)
  db.close()
  renameSync(draft, path)
  syncFolder(dirname(path))
  return true
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Opens for writing; every COMMIT is on the disk when it returns. Throws `STORE_CORRUPT` for what is no store. */
export function openForWriting(path: string): DatabaseSync {
  return opened(path, false, (db) => {
    db.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
      PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}; PRAGMA cache_size = -${CACHE_KIB}`)
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()
    if (mode?.['journal_mode'] !== 'wal') {
      throw new SallyportError('STORE_UNAVAILABLE', `${path}: its file system has no shared memory, which the store needs`)
    }
  })
}

export function openForReading(path: string): DatabaseSync {
  return opened(path, true, (db) => db.exec(`PRAGMA cache_size = -${CACHE_KIB}`))
}

function opened(path: string, readOnly: boolean, prepare: (db: DatabaseSync) => void): DatabaseSync {
  mustHoldSomething(path)
  const db = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS })
  try {
    mustBeAStore(db, path)
    prepare(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite takes an empty file for a new database, and creates one where there is none. */
function mustHoldSomething(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) throw corrupt(path, 'the file is missing')
  if (size === 0) throw corrupt(path, 'the file is empty')
}

function mustBeAStore(db: DatabaseSync, path: string): void {
  const application = db.prepare('PRAGMA application_id').get()?.['application_id']
  if (application !== APPLICATION_ID) throw corrupt(path, 'it is an SQLite file, but not an event store')
  const format = formatOf(db)
  if (format === FORMAT) return
  throw new SallyportError('STORE_UNAVAILABLE', `${path} has format ${format}; this version of Sallyport reads and writes format ${FORMAT}`)
}

/** Format 1 did not say so in the row. */
function formatOf(db: DatabaseSync): number {
  const row = db.prepare('SELECT * FROM store').get()
  const format = row?.['format'] ?? 1
  return typeof format === 'number' ? format : Number.NaN
}

/** The store's id, a UUID: also what the chain of digests starts from. */
export function storeId(db: DatabaseSync, path: string): string {
  const id = db.prepare('SELECT id FROM store').get()?.['id']
  if (typeof id !== 'string') throw corrupt(path, 'its id is missing')
  return id
}
