import type { Relation } from '../sql/resolver.ts'
import type { Change } from './changes.ts'
import type { DraftEffect } from './draft.ts'
import type { Carried, Reach } from './reach.ts'
import { quoted, type RowsQuery } from './rows-query.ts'

/** A change to a relation that is known, with what it reaches. */
export interface FollowedChange {
  readonly change: Change
  readonly relation: Relation
  readonly reach: Reach
  readonly effect: DraftEffect
  /** The query for its rows, when it may be run. */
  readonly rows: RowsQuery | undefined
  readonly carried: readonly FollowedCarry[]
}

export interface FollowedCarry {
  readonly to: Carried
  readonly effect: DraftEffect
  /** Counts its rows, when it may be run. */
  readonly count: string | undefined
}

const ROWS = 'sallyport_rows'

export function countOf(rows: RowsQuery, relation: Relation): string {
  const select = rows.repeats && hasPlaces(rows, relation) ? `DISTINCT ${rows.row}.tableoid, ${rows.row}.ctid` : '1'
  return `SELECT pg_catalog.count(*) FROM (\n${rows.text(select)}\n) AS ${ROWS}`
}

export function sampleOf(rows: RowsQuery, relation: Relation, limit: number): string {
  const once = rows.repeats && hasPlaces(rows, relation) ? `DISTINCT ON (${rows.row}.tableoid, ${rows.row}.ctid) ` : ''
  return `${rows.text(once + rows.all)}\nLIMIT ${limit}`
}

/** Whether counting gives more than the rows that change. */
export function isAtMost(rows: RowsQuery, relation: Relation): boolean {
  return rows.atMost || (rows.repeats && !hasPlaces(rows, relation))
}

/** The rows of a table can be told apart by their place. */
function hasPlaces({ row }: RowsQuery, { kind }: Relation): boolean {
  return row !== '' && (kind === 'table' || kind === 'partitioned-table')
}

/** The rows that refer to those of a change by a foreign key; `undefined` when they cannot be asked for. */
export function referringCount(rows: RowsQuery, { key, relation }: Carried): string | undefined {
  if (rows.row === '' || key.parentColumns.length === 0 || key.parentColumns.length !== key.childColumns.length) return undefined
  const names = key.parentColumns.map((_, index) => `k${index}`)
  const gone = rows.text(key.parentColumns.map((column) => `${rows.row}.${quoted(column)}`).join(', '))
  const same = key.childColumns.map((column, index) => `sallyport_child.${quoted(column)} OPERATOR(pg_catalog.=) ${ROWS}.k${index}`)
  const child = `${relation.kind === 'table' ? 'ONLY ' : ''}${quoted(relation.schema, relation.name)}`
  return `SELECT pg_catalog.count(*) FROM ${child} AS sallyport_child WHERE EXISTS (SELECT FROM (\n${gone}\n) AS ${ROWS} (${names.join(', ')}) WHERE ${same.join(' AND ')})`
}
