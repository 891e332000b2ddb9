/** One session at a real server that tells, of each statement, which relations the server itself wrote. */
import { once } from 'node:events'
import pg from 'pg'
import type { PostgresServer } from '../../../../support/postgres-server.ts'

export interface Observation {
  readonly ok: boolean
  readonly error: string
  readonly rows: readonly (readonly (string | null)[])[]
  readonly fields: readonly string[]
  /** OIDs of relations with rows inserted, updated or deleted, or made, altered or dropped; `undefined` when it could not be measured. */
  readonly written: ReadonlyMap<number, string> | undefined
}

/** Rows written so far in this transaction, by table. */
const COUNTERS = `
SELECT c.oid::pg_catalog.text, pg_catalog.concat(n.nspname, '.', c.relname),
  pg_catalog.concat_ws(' ', pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_updated(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,m}'::pg_catalog."char"[]) AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema,pg_toast}'::pg_catalog.name[])`

/** Leaves what DDL made, altered and dropped in a setting. */
export const WATCH_DDL = `
CREATE SCHEMA sallyport_watch;
CREATE FUNCTION sallyport_watch.note(what text) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS
  $$ SELECT set_config('sallyport.ddl', concat(current_setting('sallyport.ddl', true), what), false) $$;
CREATE FUNCTION sallyport_watch.ended() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN PERFORM sallyport_watch.note(concat(c.objid, ' ', c.object_identity, E'\\n')) FROM pg_event_trigger_ddl_commands() c WHERE c.object_type IN ('table', 'view', 'materialized view', 'foreign table'); END $$;
CREATE FUNCTION sallyport_watch.dropped() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN PERFORM sallyport_watch.note(concat(d.objid, ' ', d.object_identity, E'\\n')) FROM pg_event_trigger_dropped_objects() d WHERE d.object_type IN ('table', 'view', 'materialized view', 'foreign table') AND d.objsubid = 0; END $$;
CREATE EVENT TRIGGER sallyport_watch_ended ON ddl_command_end EXECUTE FUNCTION sallyport_watch.ended();
CREATE EVENT TRIGGER sallyport_watch_dropped ON sql_drop EXECUTE FUNCTION sallyport_watch.dropped();
GRANT USAGE ON SCHEMA sallyport_watch TO public;
`

interface CopyConnection { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }

/** A query that answers COPY … FROM STDIN with its own data. */
class CopyQuery extends (pg.Query as unknown as new (config: object, values: undefined, done: (error: Error | null, result: unknown) => void) => object) {
  readonly #data: string

  constructor(text: string, data: string, done: (error: Error | null, result: unknown) => void) {
    super({ text, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } }, undefined, done)
    this.#data = data
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.#data))
    connection.endCopyFrom()
  }
}

interface Result { readonly rows: (string | null)[][]; readonly fields: { name: string }[] }

export class ObservedSession {
  readonly #client: pg.Client
  #status = 'I'
  #isReady = (): void => {}
  #ended: Promise<unknown> = new Promise(() => {})

  constructor({ host, port, user, password }: PostgresServer, database: string, options = '') {
    this.#client = new pg.Client({ host, port, user, password, database, options })
    this.#client.on('error', () => {})
  }

  async connect(): Promise<void> {
    await this.#client.connect()
    const { connection } = this.#client as unknown as { connection: NodeJS.EventEmitter }
    connection.on('readyForQuery', ({ status }: { status: string }) => {
      this.#status = status
      this.#isReady()
    })
    this.#ended = once(connection, 'end')
  }

  end(): Promise<void> {
    return this.#client.end()
  }

  /** `I`, `T` or `E`: outside, in, or in a failed transaction. */
  get status(): string {
    return this.#status
  }

  async value(sql: string): Promise<string> {
    return (await this.#query(sql, '')).rows[0]?.[0] ?? ''
  }

  /** Runs it as it is, without measuring. */
  async plain(text: string, data: string): Promise<Observation> {
    try {
      return { ok: true, error: '', ...answerOf(await this.#query(text, data)), written: undefined }
    } catch (error) {
      return { ok: false, error: (error as Error).message, rows: [], fields: [], written: undefined }
    }
  }

  /** Runs it inside a transaction, its own if there is none, and counts what it wrote. */
  async observe(text: string, data: string): Promise<Observation> {
    if (this.#status === 'E') return this.plain(text, data)
    const own = this.#status === 'I'
    const [counted] = await this.#all(`${own ? 'BEGIN;' : ''} ${COUNTERS}; SELECT pg_catalog.set_config('sallyport.ddl', '', false)`, own ? 1 : 0)
    const before = countersOf(counted)
    const answer = await this.plain(text, data)
    if (this.#status !== 'T') {
      if (own && this.#status === 'E') await this.#query('ROLLBACK', '')
      const refused = /cannot (run inside|be executed from) a (transaction block|function)/.test(answer.error)
      return own && refused ? this.plain(text, data) : answer
    }
    return own ? this.#finish(answer, before) : { ...answer, written: await this.#written('', before) }
  }

  /** What is deferred to the end of the transaction is part of the statement. */
  async #finish(answer: Observation, before: Counters): Promise<Observation> {
    try {
      const written = await this.#written('SET CONSTRAINTS ALL IMMEDIATE;', before)
      await this.#query('COMMIT', '')
      return { ...answer, written }
    } catch (error) {
      if (this.#status !== 'I') await this.#query('ROLLBACK', '')
      return { ...answer, ok: false, error: (error as Error).message }
    }
  }

  async #written(first: string, before: Counters): Promise<Map<number, string>> {
    const [ddl, counted] = await this.#all(`${first} SELECT pg_catalog.current_setting('sallyport.ddl', true); ${COUNTERS}`, first === '' ? 0 : 1)
    const written = new Map<number, string>()
    for (const [oid, { name, counts }] of countersOf(counted)) {
      if (counts !== (before.get(oid)?.counts ?? '0 0 0')) written.set(oid, before.get(oid)?.name ?? name)
    }
    for (const line of (ddl?.rows[0]?.[0] ?? '').split('\n')) {
      const [oid = '', ...name] = line.split(' ')
      if (oid !== '' && !written.has(Number(oid))) written.set(Number(oid), name.join(' '))
    }
    return written
  }

  /** The results of several statements in one text, from that place on. */
  async #all(text: string, from: number): Promise<readonly Result[]> {
    return (await this.#results(text, '')).slice(from)
  }

  async #query(text: string, data: string): Promise<Result> {
    const results = await this.#results(text, data)
    return results.at(-1) ?? { rows: [], fields: [] }
  }

  /** An error is reported before the server is ready again; what state it is in is known only then. */
  async #results(text: string, data: string): Promise<readonly Result[]> {
    const ready = new Promise<void>((resolve) => (this.#isReady = resolve))
    const answer = new Promise<readonly Result[]>((resolve, reject) => {
      const query = new CopyQuery(text, data, (error, result) => (error === null || error === undefined ? resolve(Array.isArray(result) ? (result as Result[]) : [result as Result]) : reject(error)))
      this.#client.query(query as never)
    })
    await Promise.allSettled([answer, Promise.race([ready, this.#ended])])
    return answer
  }
}

type Counters = Map<number, { readonly name: string; readonly counts: string }>

function countersOf(result: Result | undefined): Counters {
  return new Map((result?.rows ?? []).map(([oid, name, counts]) => [Number(oid), { name: name ?? '', counts: counts ?? '' }]))
}

function answerOf({ rows, fields }: Result): Pick<Observation, 'rows' | 'fields'> {
  return { rows, fields: fields.map(({ name }) => name) }
}
