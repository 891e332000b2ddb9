import type { RangeVar } from 'libpg-query'
import type { Effects, Statement } from './analysis.ts'
import type { AnalysisContext } from './collector.ts'
import { NAMELESS } from './implied-name.ts'
import type { Relation } from './resolver.ts'
import type { ScopeColumn } from './scope.ts'
import type { Outputs } from './walk.ts'

/** By name: what an open transaction has made, and nobody else sees. Each stands before everything else of its name. */
export type TemporaryTables = ReadonlyMap<string, Relation>

/** More than a session makes between two commits; beyond, they are as unclear as any other definition. */
const MAX_TEMPORARY = 100

export function isTemporary({ relpersistence, schemaname }: RangeVar): boolean {
  return relpersistence === 't' || /^pg_temp(_\d+)?$/.test(schemaname ?? '')
}

/** A table that is made of what a query gives. Columns without a name that is surely theirs may be called anything. */
export function tableOfOutputs(name: string, { columns, ordered, open }: Outputs): Relation | undefined {
  return ordered && !open ? table(name, columns, columns.some((column) => column.name === NAMELESS)) : undefined
}

/** One whose columns are written out. Nothing is in it yet. */
export function tableOfColumns(name: string, columns: readonly string[]): Relation {
  return table(name, columns.map((column) => ({ name: column, sources: [], derived: [] })), false)
}

function table(name: string, columns: readonly Pick<ScopeColumn, 'name' | 'sources' | 'derived'>[], open: boolean): Relation {
  return {
    oid: -1, schema: 'pg_temp', name, kind: 'table', temporary: true, hasTriggers: false, hasRules: false, open,
    columns: columns.map((column, index) => ({ name: column.name, attnum: index + 1, type: 0, typmod: -1, notNull: false })),
    made: columns.map(({ sources, derived }) => ({ sources, derived })),
  }
}

/** What a name stands for, if it is the transaction's own. */
export function temporaryNamed({ schemaname, relname = '' }: RangeVar, { temporaries }: AnalysisContext): Relation | undefined {
  return schemaname === undefined || schemaname === 'pg_temp' ? temporaries?.get(relname) : undefined
}

/** Whether a search path leaves temporary tables where they are by themselves: before everything else. */
export function putsTemporaryFirst(path: readonly string[] | undefined): path is readonly string[] {
  return path !== undefined && !path.some((schema) => schema.startsWith('pg_temp'))
}

/** What there is after a statement; `undefined` when that is more than can be told. */
export function temporariesAfter({ temporary, dropsTemporary, discards }: Effects, before: TemporaryTables): TemporaryTables | undefined {
  if (temporary === undefined && dropsTemporary === undefined && discards === undefined) return before
  const after = new Map(discards === 'temp' || discards === 'all' ? [] : before)
  if (temporary !== undefined) after.set(temporary.name, temporary)
  for (const name of dropsTemporary ?? []) after.delete(name)
  return after.size > MAX_TEMPORARY ? undefined : after
}

/** Whether all that it defines are temporary tables of its own, so that no other name means anything else afterwards. */
export function definesTemporaryOnly({ effects: { temporary, dropsTemporary }, fidelity, lineage }: Statement): boolean {
  return (temporary !== undefined || dropsTemporary !== undefined) && fidelity === 'parsed' && lineage.untraced === ''
}
