/** Compares which relations a text writes, as the analysis says, with what the server wrote when it ran. */
import { FOLLOWERS, FUNCTIONS } from '../../../../../adapters/postgresql/sql/catalogue-queries.ts'
import { analyse, attach, Catalogue, SessionNames, type Analysis } from '../../../../../adapters/postgresql/sql/index.ts'
import type { PostgresServer } from '../../../../support/postgres-server.ts'
import { ObservedSession, WATCH_DDL, type Observation } from './observed-session.ts'

type Rows = readonly (readonly (string | null)[])[]

const rowsOf = (...catalogues: readonly string[]): string =>
  catalogues.map((name) => `(SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(ctid, xmin), 0)) FROM pg_catalog.${name})`).join(`, ' ', `)

/** Signs of change: of what functions are made of, and of what follows writes. */
const PARTS = `SELECT pg_catalog.concat(${rowsOf('pg_proc', 'pg_namespace', 'pg_aggregate', 'pg_operator')}), pg_catalog.concat(
  ${rowsOf('pg_proc', 'pg_operator', 'pg_trigger', 'pg_constraint', 'pg_attrdef', 'pg_policy', 'pg_event_trigger', 'pg_rewrite', 'pg_index', 'pg_partitioned_table')},
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_type WHERE typtype = 'd'), (SELECT pg_catalog.sum(a.atttypid::bigint) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE t.typtype = 'd'))`

export interface Compared {
  readonly text: string
  readonly analysis: Analysis
  readonly observation: Observation
  /** The server wrote these, and the analysis does not say so. */
  readonly missing: readonly string[]
  /** The analysis says that these are written, and the server did not touch them. */
  readonly extra: readonly string[]
}

/** A session that is followed the way the gateway follows one: its catalogue is read by another connection. */
export class Comparison {
  readonly #session: ObservedSession
  readonly #reader: ObservedSession
  #names = new SessionNames({ user: 'postgres', searchPath: undefined })
  #catalogue: Catalogue | undefined
  #stale = true
  readonly #read = new Map<string, { readonly stamp: string; readonly rows: Rows }>()

  constructor(server: PostgresServer, database: string) {
    this.#session = new ObservedSession(server, database, '-c statement_timeout=60s')
    this.#reader = new ObservedSession(server, database)
  }

  async open(): Promise<void> {
    await this.#session.connect()
    await this.#reader.connect()
    await this.#reader.plain(WATCH_DDL, '')
  }

  async close(): Promise<void> {
    await this.#session.end()
    await this.#reader.end()
  }

  async run(text: string, data: string): Promise<Compared> {
    await this.#prepare()
    const analysis = this.#understand(text)
    const measured = analysis.actions.some((action) => action !== 'transaction' && action !== 'session' && action !== 'listen')
    const controls = analysis.statements.some(({ effects }) => effects.transaction !== undefined)
    const observation = await (measured && !controls ? this.#session.observe(text, data) : this.#session.plain(text, data))
    this.#names.observe(analysis, observation.ok)
    this.#names.ready({ I: 'idle', T: 'open' }[this.#session.status] ?? 'failed')
    if (!/^(read|insert|update|delete|session|lock|prepare)$/.test(analysis.action) || analysis.fidelity === 'opaque') this.#stale = true
    return { text, analysis, observation, ...this.#difference(analysis, observation) }
  }

  #understand(text: string): Analysis {
    const context = { resolver: this.#catalogue, searchPath: this.#names.searchPath(), standardStrings: this.#names.standardStrings(), unsettled: this.#names.unsettled(), temporaries: this.#names.temporaries() }
    return attach(analyse(text, context), this.#names)
  }

  async #prepare(): Promise<void> {
    if (this.#names.searchPath() === undefined && this.#names.unsettled() === undefined && this.#session.status !== 'E') {
      this.#names.report('search_path', await this.#session.value('SHOW search_path'))
    }
    if (!this.#stale && this.#catalogue !== undefined) return
    const query = async (sql: string): Promise<Rows> => (await this.#reader.plain(sql, '')).rows
    const stamp = await Catalogue.readStamp(query)
    if (stamp !== this.#catalogue?.stamp) this.#catalogue = await Catalogue.load(await this.#remembering(query))
    this.#stale = false
  }

  /** Most definitions change tables alone: functions and what follows writes are read again only where their own catalogues changed. */
  async #remembering(query: (sql: string) => Promise<Rows>): Promise<(sql: string) => Promise<Rows>> {
    const [[functions = '', followers = ''] = []] = await query(PARTS)
    const stamps = new Map([[FUNCTIONS, functions], [FOLLOWERS, followers]])
    return async (sql) => {
      const stamp = stamps.get(sql)
      const known = this.#read.get(sql)
      if (stamp !== undefined && known?.stamp === stamp) return known.rows
      const rows = withoutWatch(await query(sql))
      if (typeof stamp === 'string') this.#read.set(sql, { stamp, rows })
      return rows
    }
  }

  #difference({ sql, fidelity }: Analysis, { ok, written }: Observation): Pick<Compared, 'missing' | 'extra'> {
    if (!ok || written === undefined) return { missing: [], extra: [] }
    const names = Array.from(written, ([oid, name]) => this.#nameOf(oid, name))
    const missing = fidelity === 'opaque' ? [] : names.filter((name) => !sql.writes.some((said) => isSame(said, name)))
    return { missing, extra: sql.writes.filter((said) => !names.some((name) => isSame(said, name))) }
  }

  /** What a relation was called when the statement came. */
  #nameOf(oid: number, name: string): string {
    const relation = this.#catalogue?.relation(oid)
    return relation === undefined ? name.replaceAll('"', '') : `${relation.schema}.${relation.name}`
  }
}

/** What watches is no part of the database; event triggers of the tests are. */
function withoutWatch(rows: Rows): Rows {
  return rows.filter((row) => row[0] !== 'sallyport_watch')
}

/** Relations that are not there yet are called as they were written: perhaps without a schema. */
function isSame(said: string, name: string): boolean {
  if (said === name || name.replace(/^pg_temp(_\d+)?\./, 'pg_temp.') === said) return true
  return !said.includes('.') && name.slice(name.indexOf('.') + 1) === said
}

