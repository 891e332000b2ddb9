import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { SallyportError, type EventStore, type RecordedEvent, type SallyportRecordedEvent } from '../core/index.ts'
import { openProjectionFile } from './projection-file.ts'
import type { Projection } from './projection.ts'

/** Events per transaction: large enough to spread the cost of a commit, small enough not to block for long. */
const BATCH_EVENTS = 1000
/** Every projection starts after this: positions are never negative. */
const BEFORE_FIRST = -1n

interface Checkpoint {
  readonly position: bigint
  /** Id of the event at that position; empty at the start. Tells whether the store is still the one we read. */
  readonly event: string
}

interface Running {
  readonly projection: Projection
  readonly handles: ReadonlySet<string>
  apply: (event: SallyportRecordedEvent) => void
}

export interface ProjectionsOptions {
  /** SQLite file, made if it is not there; `:memory:` for none. */
  readonly path: string
  readonly projections: readonly Projection[]
}

export interface Progress {
  /** Events read from the store. */
  readonly events: number
  /** Projections that had to begin from the first event. */
  readonly rebuilt: readonly string[]
}

/**
 * Keeps projections up to date with an event store, which it reads only through `readAll`. Checkpoints are
 * written in the transaction that applies the events they cover. Several processes may run over one file: each
 * batch begins by looking where the others got to.
 */
export class Projections {
  readonly database: DatabaseSync
  readonly #running: Running[]
  readonly #readCheckpoint: StatementSync
  readonly #writeCheckpoint: StatementSync

  /** Throws `STORE_UNAVAILABLE` when the file cannot be used, or was written by a newer version. */
  constructor({ path, projections }: ProjectionsOptions) {
    this.database = openProjectionFile(path)
    this.#readCheckpoint = this.database.prepare('SELECT version, position, event FROM checkpoints WHERE name = ?')
    this.#writeCheckpoint = this.database.prepare('INSERT INTO checkpoints VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, position = excluded.position, event = excluded.event')
    this.#running = projections.map((projection) => this.#start(projection))
  }

  /** Applies everything the store holds by now. */
  async catchUp(store: EventStore, signal?: AbortSignal): Promise<Progress> {
    const rebuilt = await this.#restartStrangers(store)
    const events = await this.#run(store, false, signal)
    return { events, rebuilt }
  }

  /** Applies what the store holds and goes on with new events until `signal` aborts. */
  async follow(store: EventStore, signal: AbortSignal): Promise<void> {
    await this.#restartStrangers(store)
    await this.#run(store, true, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  /** Throws everything away and builds it again. */
  async rebuild(store: EventStore, signal?: AbortSignal): Promise<Progress> {
    for (const running of this.#running) this.#inTransaction(() => this.#restart(running))
    return { events: await this.#run(store, false, signal), rebuilt: this.#running.map(({ projection }) => projection.name) }
  }

  /** The content of a projection in canonical order, one line per row: two that were built from the same events are equal. */
  *dump(name: string): Generator<string> {
    for (const table of this.#named(name).projection.tables) yield* this.#dumpTable(table)
  }

  close(): void {
    if (this.database.isOpen) this.database.close()
  }

  *#dumpTable(table: string): Generator<string> {
    const columns = this.database.prepare('SELECT count(*) AS count FROM pragma_table_info(?)').get(table)?.['count']
    const order = Array.from({ length: Number(columns) }, (_, index) => index + 1).join(', ')
    const rows = this.database.prepare(`SELECT * FROM "${table}" ORDER BY ${order}`)
    rows.setReadBigInts(true)
    rows.setReturnArrays(true)
    for (const row of rows.iterate()) yield `${table} ${JSON.stringify(row, canonical)}`
  }

  #named(name: string): Running {
    const found = this.#running.find(({ projection }) => projection.name === name)
    if (found === undefined) throw new TypeError(`there is no projection "${name}"`)
    return found
  }

  #start(projection: Projection): Running {
    const running: Running = { projection, handles: new Set(projection.handles), apply: () => {} }
    this.#inTransaction(() => {
      const stored = this.#readCheckpoint.get(projection.name)
      const version = stored === undefined ? 0 : Number(stored['version'])
      if (version > projection.version) throw new SallyportError('STORE_UNAVAILABLE', `the projection "${projection.name}" was written by a newer version of Sallyport; use that, or another projections file`)
      if (version < projection.version) this.#restart(running)
    })
    running.apply = projection.prepare(this.database) as Running['apply']
    return running
  }

  /** Back to nothing, inside the caller's transaction. */
  #restart(running: Running): void {
    const { name, version, tables, schema } = running.projection
    for (const table of tables) this.database.exec(`DROP TABLE IF EXISTS "${table}"`)
    this.database.exec(schema)
    this.#writeCheckpoint.run(name, version, String(BEFORE_FIRST), '')
    running.apply = running.projection.prepare(this.database) as Running['apply']
  }

  #checkpoint({ projection }: Running): Checkpoint {
    const row = this.#readCheckpoint.get(projection.name)
    return { position: BigInt(String(row?.['position'] ?? BEFORE_FIRST)), event: String(row?.['event'] ?? '') }
  }

  /** A checkpoint whose event is not in the store (another store, an older backup) says nothing: begin again. */
  async #restartStrangers(store: EventStore): Promise<string[]> {
    const rebuilt: string[] = []
    for (const running of this.#running) {
      const checkpoint = this.#checkpoint(running)
      if (checkpoint.event === '' || (await isIn(store, checkpoint))) continue
      this.#inTransaction(() => this.#restart(running))
      rebuilt.push(running.projection.name)
    }
    return rebuilt
  }

  async #run(store: EventStore, follow: boolean, signal: AbortSignal | undefined): Promise<number> {
    let events = 0
    for await (const batch of batches(store, { after: this.#earliest(), follow, ...(signal === undefined ? {} : { signal }) })) {
      this.#applyBatch(batch)
      events += batch.length
      if (signal?.aborted === true) break
    }
    return events
  }

  #earliest(): bigint {
    return this.#running.map((running) => this.#checkpoint(running).position).reduce((a, b) => (a < b ? a : b), this.#running.length === 0 ? BEFORE_FIRST : 2n ** 63n - 1n)
  }

  #applyBatch(batch: readonly RecordedEvent[]): void {
    const last = batch.at(-1)
    if (last === undefined) return
    this.#inTransaction(() => {
      for (const running of this.#running) this.#applyTo(running, batch, last)
    })
  }

  #applyTo(running: Running, batch: readonly RecordedEvent[], last: RecordedEvent): void {
    const { position } = this.#checkpoint(running)
    if (position >= last.position) return
    for (const event of batch) {
      if (event.position > position && running.handles.has(event.type)) running.apply(event as SallyportRecordedEvent)
    }
    this.#writeCheckpoint.run(running.projection.name, running.projection.version, String(last.position), last.id)
  }

  /** IMMEDIATE: no other process writes between reading a checkpoint and moving it. */
  #inTransaction(work: () => void): void {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.database.exec('COMMIT')
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      throw error
    }
  }
}

async function isIn(store: EventStore, { position, event }: Checkpoint): Promise<boolean> {
  const from = position === 0n ? {} : { after: position - 1n }
  for await (const found of store.readAll(from)) return found.position === position && found.id === event
  return false
}

/**
 * Groups events for one transaction each. Following, a batch is what is there by now: what has come is not kept
 * waiting for what has not.
 */
async function* batches(store: EventStore, { after, follow, signal }: { after: bigint; follow: boolean; signal?: AbortSignal }): AsyncGenerator<RecordedEvent[]> {
  const events = store.readAll({ ...(after < 0n ? {} : { after }), follow, ...(signal === undefined ? {} : { signal }) })[Symbol.asyncIterator]()
  try {
    let batch: RecordedEvent[] = []
    for (let next = events.next(); ;) {
      const settled = follow && batch.length > 0 ? await Promise.race([next, afterThisTurn()]) : await next
      if (settled === undefined || batch.length >= BATCH_EVENTS) {
        yield batch
        batch = []
      }
      if (settled === undefined) continue
      if (settled.done === true) break
      batch.push(settled.value)
      next = events.next()
    }
    if (batch.length > 0) yield batch
  } finally {
    await events.return?.()
  }
}

function afterThisTurn(): Promise<undefined> {
  return new Promise((resolve) => { setImmediate(resolve, undefined) })
}

function canonical(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value
}
