import type { Alias, RangeVar } from 'libpg-query'
import type { Source } from './analysis.ts'
import { stringsOf, writtenName } from './ast.ts'
import type { AnalysisContext } from './collector.ts'
import type { Relation } from './resolver.ts'
import { temporaryNamed } from './temporary-table.ts'
import { renameColumns } from './column-aliases.ts'
import { tableKey, unknownColumn, type ScopeColumn, type ScopeItem } from './scope.ts'

/** The relations a name stands for; the written name where the catalogue knows none. */
export interface Named {
  readonly written: string
  readonly relations: readonly Relation[]
}

export function lookUp(range: RangeVar, context: AnalysisContext): Named {
  const relations = context.resolver?.relations(range.schemaname, range.relname ?? '', context.searchPath) ?? []
  const temporary = temporaryNamed(range, context)
  if (temporary === undefined) return { written: writtenName(range), relations }
  // What the server planned before the table was made goes on reading what had the name then.
  return { written: writtenName(range), relations: range.schemaname === undefined ? [temporary, ...relations] : [temporary] }
}

/** What a relation offers to the names of a query. */
export function relationItem(range: RangeVar, { written, relations }: Named, alias: Alias | undefined = range.alias): ScopeItem {
  const keys = relations.length === 0 ? [tableKey(undefined, written)] : relations.map((relation) => tableKey(relation, ''))
  return {
    name: alias?.aliasname ?? range.relname,
    aliased: alias !== undefined,
    columns: renamed(relations.flatMap(columnsOf), stringsOf(alias?.colnames), relations.length),
    open: relations.length === 0 || relations.some(({ open }) => open === true),
    ordered: relations.length === 1,
    relations,
    unknownTable: relations.length === 0 ? written : undefined,
    unqualified: true,
    rows: () => new Map(keys.map((key) => [key, 'true'])),
    touched: false,
  }
}

function columnsOf(relation: Relation): ScopeColumn[] {
  if (relation.made !== undefined) return relation.columns.map(({ name }, index) => ({ name, sources: [], derived: [], ...relation.made?.[index] }))
  const table = `${relation.schema}.${relation.name}`
  return relation.columns.map(({ name, attnum }) => ({ name, sources: [{ relation, table, column: name, attnum }], derived: [] }))
}

/** A column alias list renames by place. When the place cannot be told, each new name stands for every column. */
function renamed(columns: ScopeColumn[], names: readonly string[], relations: number): ScopeColumn[] {
  if (names.length === 0) return columns
  if (relations === 1) return renameColumns(columns, names)
  const all = columns.flatMap(({ sources }) => sources)
  return [...columns, ...names.map((name) => ({ name, sources: all, derived: [] }))]
}

/** The sources that `*` stands for. */
export function starSources(item: ScopeItem): readonly (readonly Source[])[] {
  if (item.unknownTable !== undefined) return [[unknownColumn(item.unknownTable, '*')]]
  return item.columns.map(({ sources }) => sources)
}
