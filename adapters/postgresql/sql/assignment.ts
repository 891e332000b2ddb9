import type { Node, ResTarget } from 'libpg-query'
import { stringsOf } from './ast.ts'
import { expression, reference } from './expression.ts'
import { SET } from './place.ts'
import type { ScopeItem } from './scope.ts'
import type { Env, Walk } from './walk.ts'

/** `SET a = …`: the value is stored, unless it is the one that the column of this row has already. */
export function assignment({ name = '', val, indirection }: ResTarget, item: ScopeItem, env: Env, walk: Walk): void {
  if (indirection !== undefined) return expression([indirection, val], env, SET, walk)
  value(val, name, item, env, walk)
}

/** Of what is given for the case that there is nothing new: `coalesce($1, email)`. */
function value(node: Node | undefined, name: string, item: ScopeItem, env: Env, walk: Walk): void {
  if (node !== undefined && 'CoalesceExpr' in node) for (const part of node.CoalesceExpr.args ?? []) value(part, name, item, env, walk)
  else if (node !== undefined && 'ColumnRef' in node && isOwn(stringsOf(node.ColumnRef.fields), name, item, env)) reference(node.ColumnRef, env, walk)
  else expression(node, env, SET, walk)
}

/** Whether it is that column of the row that is written, and of no other row. */
function isOwn(parts: readonly string[], name: string, item: ScopeItem, { scope }: Env): boolean {
  const [column, qualifier, ...more] = parts.toReversed()
  const [relation] = item.relations
  if (column !== name || more.length > 0 || item.relations.length !== 1 || relation === undefined || relation.kind.endsWith('view')) return false
  if (item.columns.filter((each) => each.name === name).length !== 1) return false
  const others = (scope?.items ?? []).filter((other) => other !== item)
  if (qualifier !== undefined) return item.name === qualifier && others.every((other) => other.name !== qualifier)
  return others.every((other) => !other.unqualified || (!other.open && other.columns.every((each) => each.name !== name)))
}
