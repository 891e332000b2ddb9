import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query'
import { argumentText, isTree, nodeType, qualifiedName, stringOf, type Tree } from './ast.ts'
import { functionEffect } from './function-effects.ts'
import { findItem, reachable, resolve, rowSources, type Resolution } from './scope.ts'
import { useOutputs, type Env, type Walk } from './walk.ts'

/** Keywords of the grammar that were names of ordinary functions before: the server may be that old. */
const CALL_LIKE: Readonly<Record<string, string>> = {
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonParseExpr: 'json',
  MergeSupportFunc: 'merge_action',
}

/**
 * Walks any part of the tree in which columns are used rather than given out. `how` names the place.
 * Structures it has no special word for are walked through, so that nothing inside escapes.
 */
export function expression(value: unknown, env: Env, how: string, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const part of value) expression(part, env, how, walk)
    return
  }
  if (!isTree(value)) return
  walk.budget.enter()
  const type = nodeType(value)
  if (type === undefined) children(value, env, how, walk)
  else node(value as unknown as Node, type, env, how, walk)
  walk.budget.leave()
}

function children(tree: Tree, env: Env, how: string, walk: Walk): void {
  for (const key in tree) {
    const part = tree[key]
    if (typeof part === 'object') expression(part, env, how, walk)
  }
}

function node(wrapped: Node, type: string, env: Env, how: string, walk: Walk): void {
  if ('A_Const' in wrapped || 'ParamRef' in wrapped || 'TypeName' in wrapped || 'String' in wrapped) return
  if ('ColumnRef' in wrapped) return use(wrapped.ColumnRef, env, how, walk)
  if ('SubLink' in wrapped) return subLink(wrapped.SubLink, env, how, walk)
  if ('FuncCall' in wrapped) return call(wrapped.FuncCall, env, how, walk)
  if ('A_Expr' in wrapped) return operator(wrapped.A_Expr, env, how, walk)
  if ('SelectStmt' in wrapped) return useOutputs(walk.query(wrapped.SelectStmt, env), 'a subquery', walk)
  const name = CALL_LIKE[type]
  if (name !== undefined) keywordCall(name, walk)
  children((wrapped as unknown as Record<string, Tree>)[type] ?? {}, env, how, walk)
}

function use(column: ColumnRef, env: Env, how: string, walk: Walk): void {
  const found = reference(column, env, walk)
  if (found.kind === 'column') walk.found.use([...found.sources, ...found.derived], how)
  if (found.kind === 'row') walk.found.use(found.sources, 'a whole-row reference')
}

/** Resolves a column reference and notes it for the facts. `p.*` in an expression is the row of `p`. */
export function reference(column: ColumnRef, env: Env, walk: Walk): Resolution {
  const fields = column.fields ?? []
  const parts = fields.flatMap((field) => stringOf(field) ?? [])
  const found = parts.length < fields.length ? star(parts, env, walk) : resolve(parts, env.scope, walk.budget)
  if (found.kind === 'unresolved') walk.found.unresolved(parts.join('.'), reachable(env.scope))
  else walk.found.name(found.sources)
  return found
}

function star(parts: readonly string[], env: Env, walk: Walk): Resolution {
  const named = findItem(parts.at(-1) ?? '', parts.at(-2), env.scope, walk.budget)
  if (parts.length > 0 && named === undefined) return { kind: 'unresolved' }
  const items = named === undefined ? (env.scope?.items ?? []) : [named]
  for (const item of items) item.touched = true
  return { kind: 'row', sources: items.flatMap(rowSources) }
}

function subLink(link: SubLink, env: Env, how: string, walk: Walk): void {
  expression(link.testexpr, env, how, walk)
  if (link.subselect === undefined || !('SelectStmt' in link.subselect)) return
  const outputs = walk.query(link.subselect.SelectStmt, env)
  if (link.subLinkType !== 'EXISTS_SUBLINK') useOutputs(outputs, 'a subquery', walk)
}

function operator(expr: A_Expr, env: Env, how: string, walk: Walk): void {
  const { name } = qualifiedName(expr.name)
  if (walk.found.context.resolver?.hasUserOperator(name) === true) {
    walk.found.untraced(`the operator ${name} is not a built-in one`)
  }
  expression(expr.lexpr, env, how, walk)
  expression(expr.rexpr, env, how, walk)
}

function keywordCall(name: string, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, walk)
}

/** A function call: its effect, its arguments, its FILTER, ORDER BY and OVER. */
export function call(func: FuncCall, env: Env, how: string, walk: Walk): void {
  const { schema, name } = qualifiedName(func.funcname)
  apply(schema, name, walk)
  if (name === 'set_config') setConfig(func, walk)
  children(func as unknown as Tree, env, how, walk)
}

function apply(schema: string | undefined, name: string, walk: Walk): void {
  const { found } = walk
  const { resolver, searchPath } = found.context
  const effect = functionEffect(schema, name, resolver, searchPath)
  found.function(schema === undefined || schema === 'pg_catalog' ? name : `${schema}.${name}`)
  if (effect.action !== undefined) found.act(effect.action)
  if (effect.opaque !== undefined) found.opaque(`function ${name}(): ${effect.opaque}`)
  if (effect.reveals !== undefined) found.untraced(`function ${name}(): ${effect.reveals}`)
  if (effect.files === true) found.flag('files')
  if (effect.databaseWide === true) found.flag('databaseWide')
}

/** It may run or not, once or for each row: what it leaves behind is known only as "changed". */
function setConfig(func: FuncCall, walk: Walk): void {
  const [setting] = func.args ?? []
  walk.found.literal()
  const name = argumentText(setting)
  walk.found.setting({ name: typeof name === 'string' ? name.toLowerCase() : '*', value: 'unknown', local: false })
}
