/**
 * An aggregate with DISTINCT or an ORDER BY of its own may have all rows of its query sorted for it, and then the others
 * beside it take them in that order.
 */
import type { FuncCall, Node, SelectStmt } from 'libpg-query'
import { isTree, qualifiedName } from './ast.ts'
import { expression } from './expression.ts'
import { ORDER_BY } from './place.ts'
import type { Env, Walk } from './walk.ts'

/** Built-in ones whose result depends on the order of the rows. */
const TELL_THE_ORDER = new Set(['string_agg', 'array_agg', 'json_agg', 'jsonb_agg', 'json_object_agg', 'jsonb_object_agg', 'xmlagg', 'any_value', 'json_agg_strict', 'jsonb_agg_strict'])

/** Notes what others could tell the order by. */
export function useSortedAggregates({ targetList, havingClause, sortClause }: SelectStmt, env: Env, walk: Walk): void {
  const calls: FuncCall[] = []
  let tell = collect([targetList, havingClause, sortClause], calls) ? 1 : 0
  const sorted = calls.filter(({ agg_order, agg_distinct, agg_within_group }) => (agg_order !== undefined || agg_distinct === true) && agg_within_group !== true)
  if (sorted.length === 0) return
  for (const call of calls) if (tells(call, walk)) tell++
  for (const call of sorted) {
    if (tell > (tells(call, walk) ? 1 : 0)) expression([call.agg_distinct === true ? call.args : undefined, call.agg_order], env, ORDER_BY, walk)
  }
}

function tells({ funcname, over }: FuncCall, { found: { context: { resolver, searchPath } } }: Walk): boolean {
  const { schema, name } = qualifiedName(funcname)
  return over === undefined && (TELL_THE_ORDER.has(name) || resolver?.functions(schema, name, searchPath).some(({ kind }) => kind === 'aggregate') === true)
}

/** The calls of this query, without those of sub-selects; whether there is a JSON_ARRAYAGG or the like among them. */
function collect(value: unknown, calls: FuncCall[]): boolean {
  if (Array.isArray(value)) return value.map((each: unknown) => collect(each, calls)).includes(true)
  if (!isTree(value)) return false
  const node = value as Partial<Record<string, unknown>> as Node
  if ('SubLink' in node) return collect(node.SubLink.testexpr, calls)
  if ('FuncCall' in node) calls.push(node.FuncCall)
  const own = 'JsonArrayAgg' in node || 'JsonObjectAgg' in node
  return Object.values(value).map((each) => collect(each, calls)).includes(true) || own
}
