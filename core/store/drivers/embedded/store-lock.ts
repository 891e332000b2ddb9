/**
 * The one-writer lock: a small SQLite file beside the store, `<path>-lock`, in whose write transaction the owner stays.
 * The operating system drops the lock with the process, however it ends. The committed row says who it is (for the
 * error message), and what the store held last, so that a store that vanished or shrank is not taken for a new one.
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '../../../errors.ts'
import { SQLITE_BUSY, sqliteCode, storeFailure } from './store-failure.ts'
import type { Head } from './verify-store.ts'

/** What the store was known to hold. */
export interface KnownStore {
  readonly id: string
  readonly head: Head
}

export class StoreLock {
  readonly #db: DatabaseSync
  #known: KnownStore | undefined

  private constructor(db: DatabaseSync) {
    this.#db = db
    this.#known = knownStore(db)
  }

  /** Throws `STORE_LOCKED` when another process, or another part of this one, has it. */
  static acquire(path: string): StoreLock {
    const file = `${path}-lock`
    // Never opened otherwise once it exists: closing any descriptor of it would drop this process's lock (POSIX).
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
    let db: DatabaseSync | undefined
    try {
      db = new DatabaseSync(file, { timeout: 0 })
      db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
      db.exec(`CREATE TABLE IF NOT EXISTS owner (
        one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER, store TEXT, position INTEGER, digest TEXT) STRICT`)
      return new StoreLock(db)
    } catch (error) {
      const failure = sqliteCode(error) === SQLITE_BUSY ? locked(path, db, error) : storeFailure(file, error)
      db?.close()
      throw failure
    }
  }

  get known(): KnownStore | undefined {
    return this.#known
  }

  /** Notes what the store holds now, and who has it. */
  remember(known: KnownStore): void {
    this.#known = known
    this.#write(process.pid)
    this.#db.exec('BEGIN IMMEDIATE')
  }

  /** Gives the lock back; `head` is where the record ended, if it was closed in order. */
  release(head: Head | undefined): void {
    try {
      if (head !== undefined && this.#known !== undefined) this.#known = { id: this.#known.id, head }
      this.#write(null)
    } finally {
      this.#db.close()
    }
  }

  #write(pid: number | null): void {
    const { id = null, head } = this.#known ?? {}
    this.#db.prepare('INSERT OR REPLACE INTO owner VALUES (1, ?, ?, ?, ?)').run(pid, id, head?.position ?? null, head?.digest ?? null)
    this.#db.exec('COMMIT')
  }
}

function knownStore(db: DatabaseSync): KnownStore | undefined {
  const row = db.prepare('SELECT store, position, digest FROM owner').get()
  const { store, position, digest } = row ?? {}
  if (typeof store !== 'string' || typeof position !== 'number' || typeof digest !== 'string') return undefined
  return { id: store, head: { position, digest } }
}

function locked(path: string, db: DatabaseSync | undefined, cause: unknown): SallyportError {
  const pid = ownerOf(db)
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return new SallyportError('STORE_LOCKED', `${path} is in use by ${who}; an event store has one writer at a time`, { cause })
}

/** The row can be read beside the owner's transaction, except in the instant it is written. */
function ownerOf(db: DatabaseSync | undefined): number | undefined {
  try {
    const pid = db?.prepare('SELECT pid FROM owner').get()?.['pid']
    return typeof pid === 'number' ? pid : undefined
  } catch {
    return undefined
  }
}
