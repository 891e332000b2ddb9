import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { SallyportError } from '../../../errors.ts'
import type { NewEvent, RecordedEvent } from '../../../events/index.ts'
import type { AppendResult, EventStore, ExpectedRevision, ReadAllOptions, ReadOptions } from '../../event-store.ts'
import { checkAppend } from '../../admit-append.ts'
import { CommitSignal } from '../../commit-signal.ts'
import { Reader } from './reader.ts'
import { corrupt, storeFailure } from './store-failure.ts'
import { createStoreFile, storeId } from './store-file.ts'
import { StoreLock } from './store-lock.ts'
import { verifyStore, type Verification } from './verify-store.ts'
import { WriterThread } from './writer-thread.ts'

/** Larger files are verified in their last rows only, unless `verify: 'full'` is asked for. */
const FULL_VERIFICATION_BYTES = 1024 ** 3
const DEFAULT_MAX_PENDING_BYTES = 256 * 1024 * 1024
/** How often a reader in another process looks for new events. */
const POLL_MS = 100

export interface EmbeddedStoreOptions {
  /** The store's file; created, with its folder, when there is none. Beside it: `-wal`, `-shm` (SQLite's) and `-lock`. */
  readonly path: string
  /** How much to verify before opening. Default: `full` below 1 GiB, else `tail`; nothing when `readOnly`. */
  readonly verify?: Verification
  /** Read beside the process that writes: `append` is refused with `STORE_REFUSED`. */
  readonly readOnly?: boolean
  /** Bytes that may wait for the disk before `append` rejects; default 256 MiB. */
  readonly maxPendingBytes?: number
}

/**
 * The event store of one machine: a file, written by one process at a time.
 *
 * Throws `STORE_LOCKED` when another process writes to it, `STORE_CORRUPT` when it is not what was written
 * (it is never started anew), and `STORE_UNAVAILABLE` when the disk or its permissions stand in the way.
 * A failing disk rejects the appends it fails; later ones work as soon as it does.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EventStore> {
  try {
    return options.readOnly === true ? openReadOnly(options) : await openWritable(options)
  } catch (error) {
    throw storeFailure(options.path, error)
  }
}

function openReadOnly({ path, verify }: EmbeddedStoreOptions): EventStore {
  const reader = new Reader(path)
  if (verify !== undefined) verifyStore(reader.database, path, verify)
  return new EmbeddedStore(path, reader)
}

async function openWritable(options: EmbeddedStoreOptions): Promise<EventStore> {
  const path = settledPath(options.path)
  const lock = StoreLock.acquire(path)
  const commits = new CommitSignal()
  const maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES
  const writer = new WriterThread({ path, maxPendingBytes, onCommit: () => commits.raise() })
  let reader: Reader | undefined
  try {
    createUnlessKnown(path, lock)
    const head = await writer.open(options.verify ?? defaultVerification(path), lock.known?.head)
    reader = new Reader(path)
    lock.remember({ id: sameStore(reader, path, lock), head })
    return new EmbeddedStore(path, reader, { writer, lock, commits })
  } catch (error) {
    reader?.close()
    await writer.close()
    lock.release(undefined)
    throw error
  }
}

/** The path without links in it, so that every name of a file leads to the same lock. */
function settledPath(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
}

/** A file that is gone while something beside it says that there was one is not replaced by a new one. */
function createUnlessKnown(path: string, lock: StoreLock): void {
  if (existsSync(path)) return
  if (lock.known !== undefined) {
    throw corrupt(path, `the file is missing, and ${path}-lock says that it held events up to position ${lock.known.head.position}`)
  }
  if (existsSync(`${path}-wal`)) throw corrupt(path, `the file is missing, but its write-ahead log ${path}-wal is there`)
  createStoreFile(path)
}

function defaultVerification(path: string): Verification {
  return statSync(path).size < FULL_VERIFICATION_BYTES ? 'full' : 'tail'
}

function sameStore(reader: Reader, path: string, lock: StoreLock): string {
  const id = storeId(reader.database, path)
  if (lock.known === undefined || lock.known.id === id) return id
  throw corrupt(path, `it is another store than the one that was here (remove ${path}-lock if that is on purpose)`)
}

interface WritingSide {
  readonly writer: WriterThread
  readonly lock: StoreLock
  readonly commits: CommitSignal
}

class EmbeddedStore implements EventStore {
  readonly #path: string
  readonly #reader: Reader
  readonly #side: WritingSide | undefined
  #closing: Promise<void> | undefined

  constructor(path: string, reader: Reader, side?: WritingSide) {
    this.#path = path
    this.#reader = reader
    this.#side = side
  }

  /** Not `async`: a promise less for every command. */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    try {
      return this.#append(stream, events, expected)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#mustBeOpen()
    if (this.#side === undefined) throw new SallyportError('STORE_REFUSED', `${this.#path} is opened read-only`)
    checkAppend(stream, events, expected)
    return this.#side.writer.append(stream, events, expected)
  }

  async *read(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#mustBeOpen()
    yield* this.#reader.read(stream, options)
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#mustBeOpen()
    let seen = this.#side?.commits.version ?? 0
    yield* this.#reader.readAll(options, async () => {
      if (options.follow !== true) return false
      await this.#somethingNew(seen, options.signal)
      if (options.signal?.aborted === true) return false
      this.#mustBeOpen()
      seen = this.#side?.commits.version ?? 0
      return true
    })
  }

  async #somethingNew(seen: number, signal?: AbortSignal): Promise<void> {
    if (this.#side !== undefined) return this.#side.commits.past(seen, signal)
    // An abort rejects the timer; the caller looks at the signal next.
    await setTimeout(POLL_MS, undefined, signal ? { signal } : {}).catch(() => undefined)
  }

  pending(): number {
    return this.#side?.writer.pendingBytes ?? 0
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const side = this.#side
    // Before the writer: the last to close cleans up the write-ahead log, and a reader cannot.
    this.#reader.close()
    if (side === undefined) return
    const finished = side.writer.close()
    side.commits.raise()
    side.lock.release(await finished)
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new SallyportError('STORE_UNAVAILABLE', `${this.#path}: the event store is closed`)
  }
}
