import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '../core/index.ts'

const BUSY_TIMEOUT_MS = 10_000

/**
 * Opens the SQLite file that projections live in. It may be lost: `synchronous=NORMAL` can lose the last transactions
 * in a power cut, tables and checkpoint together, and they are applied again.
 */
export function openProjectionFile(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') createPrivately(path)
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;
      CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, version INTEGER NOT NULL, position TEXT NOT NULL, event TEXT NOT NULL) WITHOUT ROWID;`)
    return database
  } catch (error) {
    throw new SallyportError('STORE_UNAVAILABLE', `the projections at ${path} cannot be opened (${messageOf(error)}); they hold nothing that the event store does not: if the file is damaged, delete it and it is built again`, { cause: error })
  }
}

/** Audited text is for its owner only; SQLite gives its side files the same mode. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
