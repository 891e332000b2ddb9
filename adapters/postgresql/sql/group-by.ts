import type { ColumnRef, Node } from 'libpg-query'
import type { Source } from './analysis.ts'
import { stringsOf } from './ast.ts'
import type { Relation, Resolver } from './resolver.ts'
import type { ScopeItem } from './scope.ts'
import type { Env, Walk } from './walk.ts'

interface Grouped {
  readonly by: Node
  readonly column: ColumnRef
  readonly item: ScopeItem
  readonly source: Source
}

/**
 * Of what is grouped by, the columns that say nothing: those of a row whose primary key is grouped by as well. There is one
 * group for each key, with them or without, and the server itself leaves them out (remove_useless_groupby_columns), so
 * that nothing is sorted by them either, unless it is another key that it keeps.
 */
export function determinedByKey(groups: readonly Node[], targetList: readonly Node[] | undefined, env: Env, walk: Walk): ReadonlyMap<Node, ColumnRef> {
  const { resolver, unsettled } = walk.found.context
  if (unsettled !== undefined || groups.some((by) => 'GroupingSet' in by)) return new Map()
  const columns = groups.flatMap((by) => grouped(by, targetList, env) ?? [])
  const determined = columns.filter(({ item, source }) => {
    const [relation] = item.relations
    const { primaryKey } = relation ?? {}
    if (relation === undefined || primaryKey === undefined || primaryKey.includes(source.attnum) || !isWhole(relation, resolver?.kin(relation) ?? [])) return false
    const together = new Set(columns.filter((other) => other.item === item).map((other) => other.source.attnum))
    return primaryKey.every((attnum) => together.has(attnum)) && !(mayKeepAny(resolver) && isInOtherKey(source.attnum, relation, together))
  })
  return new Map(determined.map(({ by, column }) => [by, column]))
}

/** From PostgreSQL 18 on, it may be any key that the server keeps. */
function mayKeepAny(resolver: Resolver | undefined): boolean {
  const major = resolver?.serverMajor ?? 0
  return major === 0 || major >= 18
}

/** The server prefers the shortest. */
function isInOtherKey(attnum: number, { primaryKey = [], otherKeys = [] }: Relation, together: ReadonlySet<number>): boolean {
  return otherKeys.some((key) => key.includes(attnum) && key.length <= primaryKey.length && key.every((part) => together.has(part)))
}

/** Keys of a table say nothing of what inherits from it. */
function isWhole({ kind }: Relation, kin: readonly Relation[]): boolean {
  return kind === 'partitioned-table' || (kind === 'table' && kin.length === 0)
}

/** The one column of one table that is grouped by. */
function grouped(by: Node, targetList: readonly Node[] | undefined, env: Env): Grouped | undefined {
  const column = 'A_Const' in by ? targetAt((by.A_Const.ival?.ival ?? 0) - 1, targetList) : by
  if (column === undefined || !('ColumnRef' in column)) return undefined
  const { fields = [] } = column.ColumnRef
  const parts = stringsOf(fields)
  const [name, qualifier] = [parts.at(-1), parts.at(-2)]
  if (name === undefined || parts.length < fields.length || parts.length > 2) return undefined
  const items = (env.scope?.items ?? []).filter((item) => (qualifier === undefined ? item.unqualified : item.name === qualifier) && item.columns.some((each) => each.name === name))
  const [item] = items
  const [found, ...others] = item?.columns.filter((each) => each.name === name) ?? []
  const [source, ...more] = found?.sources ?? []
  if (item?.relations.length !== 1 || items.length > 1 || found === undefined || source === undefined) return undefined
  return others.length + more.length + found.derived.length > 0 ? undefined : { by, column: column.ColumnRef, item, source }
}

/** Places count where no `*` stands before them. */
function targetAt(place: number, targetList: readonly Node[] = []): Node | undefined {
  const values = targetList.map((target) => ('ResTarget' in target ? target.ResTarget.val : undefined))
  const isPlain = values.slice(0, place + 1).every((value) => value !== undefined && !('A_Indirection' in value) && !JSON.stringify(value).includes('"A_Star"'))
  return isPlain ? values[place] : undefined
}
