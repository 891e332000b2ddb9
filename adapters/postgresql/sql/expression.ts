import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query'
import { argumentText, isTree, nodeType, qualifiedName, stringOf, stringsOf, type Tree } from './ast.ts'
import { builtInEffect, effectOf, isVolatileBuiltIn, type FunctionEffect } from './function-effects.ts'
import type { FunctionEntry } from './resolver.ts'
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
  if ('A_Indirection' in wrapped) for (const field of stringsOf(wrapped.A_Indirection.indirection)) attribute(field, walk)
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
  if (found.kind !== 'column' && parts.length > 1) attribute(parts.at(-1) ?? '', walk)
  return found
}

/** `p.f` is the call f(p) where p has no such column. */
function attribute(name: string, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, 1, walk)
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
  for (const entry of walk.found.context.resolver?.operatorFunctions(name) ?? []) {
    if (entry === undefined) walk.found.opaque(`the operator ${name} is not a built-in one`)
    else own(entry, walk)
  }
  expression(expr.lexpr, env, how, walk)
  expression(expr.rexpr, env, how, walk)
}

function keywordCall(name: string, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, undefined, walk)
}

/** A function call: its effect, its arguments, its FILTER, ORDER BY and OVER. */
export function call(func: FuncCall, env: Env, how: string, walk: Walk): void {
  const { schema, name } = qualifiedName(func.funcname)
  apply(schema, name, func.args?.length ?? 0, walk)
  if (name === 'set_config') setConfig(func, walk)
  if (name.startsWith('dblink')) dblink(func, walk)
  children(func as unknown as Tree, env, how, walk)
}

/** A name that somebody also defined outside `pg_catalog` may stand for that function, so both count. */
function apply(schema: string | undefined, name: string, given: number | undefined, walk: Walk): void {
  const { found } = walk
  const entries = candidates(schema, name, given, walk)
  const builtIn = entries.length > 0 && schema !== undefined ? undefined : builtInEffect(schema, name)
  const isVolatile = entries.some(({ volatility }) => volatility === 'volatile') || (entries.length === 0 || builtIn !== undefined) && isVolatileBuiltIn(name, builtIn)
  found.function(schema === undefined || schema === 'pg_catalog' ? name : `${schema}.${name}`, isVolatile)
  for (const entry of entries) own(entry, walk)
  if (builtIn !== undefined) note(builtIn, name, walk)
  else if (entries.length === 0) note({ action: 'call', opaque: 'it is not known' }, name, walk)
}

/** The functions outside `pg_catalog` that a call with so many arguments may mean. */
function candidates(schema: string | undefined, name: string, given: number | undefined, { found }: Walk): readonly FunctionEntry[] {
  const { resolver, searchPath } = found.context
  const all = schema === 'pg_catalog' ? [] : (resolver?.functions(schema, name, searchPath) ?? [])
  if (given === undefined) return all
  const fitting = all.filter(({ minArguments, maxArguments }) => minArguments <= given && given <= maxArguments)
  return fitting.length > 0 ? fitting : all
}

/** A function that somebody defined: one that is known for what it does, or does what its body does. */
function own(entry: FunctionEntry, walk: Walk): void {
  const effect = effectOf(entry)
  if (effect !== undefined) return note(effect, entry.name, walk)
  if (entry.definition !== '') return walk.routine(entry, `function ${entry.name}()`)
  for (const oid of entry.support) {
    const part = walk.found.context.resolver?.function(oid)
    if (part !== undefined) own(part, walk)
  }
}

function note(effect: FunctionEffect, name: string, { found }: Walk): void {
  if (effect.action !== undefined) found.act(effect.action)
  if (effect.opaque !== undefined) found.opaque(`function ${name}(): ${effect.opaque}`)
  if (effect.reveals !== undefined) found.untraced(`function ${name}(): ${effect.reveals}`)
  if (effect.files === true) found.flag('files')
  if (effect.largeObjects === true) found.flag('largeObjects')
  if (effect.databaseWide === true) found.flag('databaseWide')
}

/** The server of a connection that is named, not described; `*` for what is not given as a constant. */
function dblink({ args }: FuncCall, walk: Walk): void {
  const name = argumentText(args?.[0])
  walk.found.literal()
  walk.found.server(typeof name === 'string' && /^\w+$/.test(name) ? name : '*')
}

/** It may run or not, once or for each row: what it leaves behind is known only as "changed". */
function setConfig(func: FuncCall, walk: Walk): void {
  const [setting] = func.args ?? []
  walk.found.literal()
  const name = argumentText(setting)
  walk.found.setting({ name: typeof name === 'string' ? name.toLowerCase() : '*', value: 'unknown', local: false })
}
