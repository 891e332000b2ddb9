import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query'
import { argumentText, isTree, nodeType, qualifiedName, stringOf, stringsOf, type Tree } from './ast.ts'
import { functionEffect, isKnownFunction } from './function-effects.ts'
import type { Place } from './analysis.ts'
import { FROM_CALL, FROM_FUNCTION, handedTo, subselect, wholeRow, WINDOW } from './place.ts'
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
 * Walks any part of the tree in which columns are used rather than given out.
 * Structures it has no special word for are walked through, so that nothing inside escapes.
 */
export function expression(value: unknown, env: Env, place: Place, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const part of value) expression(part, env, place, walk)
    return
  }
  if (!isTree(value)) return
  walk.budget.enter()
  const type = nodeType(value)
  if (type === undefined) children(value, env, place, walk)
  else node(value as unknown as Node, type, env, place, walk)
  walk.budget.leave()
}

function children(tree: Tree, env: Env, place: Place, walk: Walk): void {
  for (const key in tree) {
    const part = tree[key]
    if (typeof part === 'object') expression(part, env, place, walk)
  }
}

function node(wrapped: Node, type: string, env: Env, place: Place, walk: Walk): void {
  if ('A_Const' in wrapped || 'ParamRef' in wrapped || 'TypeName' in wrapped || 'String' in wrapped) return
  if ('ColumnRef' in wrapped) return use(wrapped.ColumnRef, env, place, walk)
  if ('SubLink' in wrapped) return subLink(wrapped.SubLink, env, place, walk)
  if ('FuncCall' in wrapped) return call(wrapped.FuncCall, env, place, walk)
  if ('A_Expr' in wrapped) return operator(wrapped.A_Expr, env, place, walk)
  if ('SelectStmt' in wrapped) return useOutputs(walk.query(wrapped.SelectStmt, env), subselect(place), walk)
  if ('A_Indirection' in wrapped) return indirection(wrapped.A_Indirection, env, place, walk)
  const name = CALL_LIKE[type]
  if (name !== undefined) keywordCall(name, place, walk)
  children((wrapped as unknown as Record<string, Tree>)[type] ?? {}, env, place, walk)
}

function use(column: ColumnRef, env: Env, place: Place, walk: Walk): void {
  const found = reference(column, env, walk)
  if (found.kind === 'column') walk.found.use([...found.sources, ...found.derived], place)
  if (found.kind !== 'row') return
  const computes = found.field === undefined || applyField(found.field, place, walk)
  walk.found.use(found.sources, computes ? wholeRow(place) : handedTo(found.field ?? ''))
}

/** `(x).name` is a field of x, or the call name(x). */
function indirection({ arg, indirection: steps = [] }: { arg?: Node; indirection?: Node[] }, env: Env, place: Place, walk: Walk): void {
  const calls = stringsOf(steps).filter((name) => !applyField(name, place, walk))
  expression([arg, steps], env, calls[0] === undefined ? place : handedTo(calls[0]), walk)
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

function subLink(link: SubLink, env: Env, place: Place, walk: Walk): void {
  expression(link.testexpr, env, place, walk)
  if (link.subselect === undefined || !('SelectStmt' in link.subselect)) return
  const outputs = walk.query(link.subselect.SelectStmt, env)
  walk.subqueries.set(link.subselect.SelectStmt, outputs)
  if (link.subLinkType !== 'EXISTS_SUBLINK') useOutputs(outputs, subselect(place), walk)
}

function operator(expr: A_Expr, env: Env, place: Place, walk: Walk): void {
  const { name } = qualifiedName(expr.name)
  if (walk.found.context.resolver?.hasUserOperator(name) === true) {
    walk.found.untraced(`the operator ${name} is not a built-in one`)
  }
  expression(expr.lexpr, env, place, walk)
  expression(expr.rexpr, env, place, walk)
}

function keywordCall(name: string, place: Place, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, place, walk)
}

/** A function call: its effect, its arguments, its FILTER, ORDER BY and OVER. */
export function call(func: FuncCall, env: Env, place: Place, walk: Walk): void {
  const { schema, name } = qualifiedName(func.funcname)
  const computes = apply(schema, name, place, walk)
  if (name === 'set_config') setConfig(func, walk)
  const { over, ...rest } = func
  children(rest as unknown as Tree, env, computes ? (place === FROM_CALL ? FROM_FUNCTION : place) : handedTo(name), walk)
  // The rows come out in the order that a window needs them in.
  if (over !== undefined) expression(over, env, place.kind === 'flow' ? place : WINDOW, walk)
}

/** What may be a field, or a function of one argument that is called as one. */
export function applyField(name: string, place: Place, walk: Walk): boolean {
  const { resolver, searchPath } = walk.found.context
  return !isKnownFunction(name, resolver, searchPath) || apply(undefined, name, place, walk)
}

/** Notes what a call means; true when it only computes a value from its arguments. */
function apply(schema: string | undefined, name: string, place: Place, walk: Walk): boolean {
  const { found } = walk
  const { resolver, searchPath } = found.context
  const effect = functionEffect(schema, name, resolver, searchPath)
  found.function(schema === undefined || schema === 'pg_catalog' ? name : `${schema}.${name}`)
  if (effect.action !== undefined) found.act(effect.action)
  // Where rows are chosen by what it gives, hiding the columns hides nothing.
  const maskable = effect.onlyResult === true && place.kind === 'output'
  if (effect.opaque !== undefined) found.opaqueResult(`function ${name}(): ${effect.opaque}`, maskable)
  if (effect.reveals !== undefined) found.untraced(`function ${name}(): ${effect.reveals}`, maskable)
  if (effect.files === true) found.flag('files')
  if (effect.databaseWide === true) found.flag('databaseWide')
  return Object.keys(effect).length === 0
}

/** It may run or not, once or for each row: what it leaves behind is known only as "changed". */
function setConfig(func: FuncCall, walk: Walk): void {
  const [setting] = func.args ?? []
  walk.found.literal()
  const name = argumentText(setting)
  walk.found.setting({ name: typeof name === 'string' ? name.toLowerCase() : '*', value: 'unknown', local: false })
}
