import type { CatalogueConnection, CatalogueRow } from '../auth/catalogue-connection.ts'
import { UpstreamError } from '../auth/upstream-error.ts'
import type { ClassifiableColumn, ClassifiableTable } from './table-columns.ts'

export interface SampleLimits {
  /** Rows of each table. */
  readonly rows: number
  /** For each query, at the target. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Values by column, or why there are none. */
export type TableSample =
  | { readonly values: ReadonlyMap<ClassifiableColumn, readonly (string | null)[]> }
  /** A SQLSTATE. The target's message may quote a value, so it is not passed on. */
  | { readonly refused: string }

/** Of each value: what is looked for shows in its beginning. */
const MAX_VALUE_CHARS = 512
const MAX_COLUMNS_AT_ONCE = 40
const MAX_RESULT_BYTES = 64 * 1024 * 1024
const LOCK_TIMEOUT_MS = 500
/** A sample of pages is asked for so many times the rows wanted, so that they come from all over the table. */
const OVERSAMPLE = 4
/** Below this many rows a table is read from its beginning. */
const SMALL_TABLE_ROWS = 20_000

/** Reads a bounded sample of the columns that it is worth looking at, in a read-only transaction. Rejects when the connection is lost. */
export async function sampleTable(connection: CatalogueConnection, table: ClassifiableTable, limits: SampleLimits): Promise<TableSample> {
  const columns = table.columns.filter(isWorthLookingAt)
  const values = new Map<ClassifiableColumn, (string | null)[]>()
  try {
    for (let at = 0; at < columns.length; at += MAX_COLUMNS_AT_ONCE) {
      const some = columns.slice(at, at + MAX_COLUMNS_AT_ONCE)
      const rows = await readRows(connection, table, some, limits)
      for (const [index, column] of some.entries()) values.set(column, rows.map((row) => row[index] ?? null))
    }
    return { values }
  } catch (cause) {
    if (!(cause instanceof UpstreamError) || cause.fields === undefined) throw cause
    await connection.query('ROLLBACK')
    return { refused: /^[0-9A-Z]{5}$/.test(cause.fields.code ?? '') ? cause.fields.code ?? '' : 'unknown' }
  }
}

/** Numbers too: cards and telephone numbers are stored as such. */
function isWorthLookingAt({ kind, type, readable }: ClassifiableColumn): boolean {
  return readable && (kind === 'text' || kind === 'json' || type === 'int8' || type === 'numeric')
}

async function readRows(connection: CatalogueConnection, table: ClassifiableTable, columns: readonly ClassifiableColumn[], limits: SampleLimits): Promise<CatalogueRow[]> {
  const read = (sample: string): Promise<CatalogueRow[]> => connection.query(statement(table, columns, sample, limits), { maxBytes: MAX_RESULT_BYTES, ...(limits.signal === undefined ? {} : { signal: limits.signal }) })
  if (table.rows < SMALL_TABLE_ROWS) return read('')
  const percent = Math.min(100, Math.max(0.0001, limits.rows * OVERSAMPLE / table.rows * 100))
  const rows = await read(` TABLESAMPLE SYSTEM (${percent.toFixed(4)})`)
  return rows.length * 4 >= limits.rows ? rows : read('')
}

/** One transaction in one message, so that it holds through a pooler as well. */
function statement({ schema, name }: ClassifiableTable, columns: readonly ClassifiableColumn[], sample: string, { rows, timeoutMs }: SampleLimits): string {
  const list = columns.map((column) => `pg_catalog.left((${quoted(column.name)})::pg_catalog.text, ${MAX_VALUE_CHARS})`).join(', ')
  return `BEGIN READ ONLY; SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; `
    + `SELECT ${list} FROM ${quoted(schema)}.${quoted(name)}${sample} LIMIT ${rows}; COMMIT`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
