import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query'
import { argumentText, isTree, nodeType, qualifiedName, stringOf, stringsOf, typeName, type Tree } from './ast.ts'
import { builtInEffect, effectOf, isKnownFunction, isVolatileBuiltIn, noteEffect } from './function-effects.ts'
import { runNamedType, runSignatureCode } from './implied-code.ts'
import type { Place } from './analysis.ts'
import { bodyOf, FROM_CALL, FROM_FUNCTION, handedTo, subselect, wholeRow, WINDOW } from './place.ts'
import { usePresence } from './presence.ts'
import { lookUp } from './relation-item.ts'
import { isRoleChange } from './role-change.ts'
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
  if ('NullTest' in wrapped && usePresence(wrapped.NullTest.arg, env, place, walk)) return
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
  if (found.kind === 'unresolved') walk.found.unresolved({ name: parts.join('.'), ...reachable(env.scope) })
  else walk.found.name(found.sources)
  // What looks like a column may be the call of a function that the catalogue does not have yet.
  if (parts.length > 1 && (found.kind !== 'column' || !found.sources.some(({ relation }) => relation !== undefined))) walk.found.runs(parts.at(-1) ?? '')
  if (found.kind !== 'column' && parts.length > 1) attribute(parts.at(-1) ?? '', walk)
  return found
}

/** `p.f` is the call f(p) where p has no such column. */
function attribute(name: string, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, 1, handedTo(name), walk)
}

function star(parts: readonly string[], env: Env, walk: Walk): Resolution {
  const named = findItem(parts.at(-1) ?? '', parts.at(-2), env.scope, walk.budget)
  if (parts.length > 0 && named === undefined) return { kind: 'unresolved' }
  const items = named === undefined ? (env.scope?.items ?? []) : [named]
  for (const item of items) item.touched = true
  return { kind: 'row', sources: items.flatMap(rowSources) }
}

function subLink(link: SubLink, env: Env, outer: Place, walk: Walk): void {
  const symbol = stringsOf(link.operName).at(-1) ?? '='
  const isOwn = link.testexpr !== undefined && (walk.found.context.resolver?.operatorFunctions(symbol).length ?? 0) > 0
  const place = isOwn ? handedTo(symbol) : outer
  expression(link.testexpr, env, place, walk)
  if (link.subselect === undefined || !('SelectStmt' in link.subselect)) return
  const outputs = walk.query(link.subselect.SelectStmt, env)
  walk.subqueries.set(link.subselect.SelectStmt, outputs)
  if (link.subLinkType !== 'EXISTS_SUBLINK') useOutputs(outputs, subselect(place), walk)
}

function operator(expr: A_Expr, env: Env, outer: Place, walk: Walk): void {
  const { name } = qualifiedName(expr.name)
  let place = outer
  for (const entry of walk.found.context.resolver?.operatorFunctions(name) ?? []) {
    if (entry === undefined) walk.found.opaque(`the operator ${name} is not a built-in one`)
    else if (!own(entry, outer, walk)) place = handedTo(name)
  }
  expression(expr.lexpr, env, place, walk)
  expression(expr.rexpr, env, place, walk)
}

function keywordCall(name: string, place: Place, walk: Walk): void {
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(undefined, name, searchPath).length ?? 0) > 0) apply(undefined, name, undefined, place, walk)
}

/** A function call: its effect, its arguments, its FILTER, ORDER BY and OVER. */
export function call(func: FuncCall, env: Env, place: Place, walk: Walk): void {
  const { schema, name } = qualifiedName(func.funcname)
  const computes = apply(schema, name, func.args?.length ?? 0, place, walk)
  if (name === 'set_config') setConfig(func, walk)
  if (name === 'setval') setSequence(func, walk)
  if (name.startsWith('dblink')) dblink(func, walk)
  if (name.startsWith('pg_input_')) runNamedType(func, walk)
  const { over, ...rest } = func
  const counted = name === 'count' && computes && rest.agg_distinct !== true && usePresence(rest.args?.[0], env, place, walk)
  children({ ...rest, ...(counted ? { args: [] } : {}) } as unknown as Tree, env, computes ? (place === FROM_CALL ? FROM_FUNCTION : place) : handedTo(name), walk)
  // The rows come out in the order that a window needs them in.
  if (over !== undefined) expression(over, env, place.kind === 'flow' ? place : WINDOW, walk)
}

/** What may be a field, or a function of one argument that is called as one. */
export function applyField(name: string, place: Place, walk: Walk): boolean {
  const { resolver, searchPath } = walk.found.context
  walk.found.runs(name)
  return !isKnownFunction(name, resolver, searchPath) || apply(undefined, name, 1, place, walk)
}

/**
 * Notes what a call means; true when it only computes a value from its arguments. A name that somebody also defined outside
 * `pg_catalog` may stand for that function, so both count.
 */
function apply(schema: string | undefined, name: string, given: number | undefined, place: Place, walk: Walk): boolean {
  const { found } = walk
  const entries = candidates(schema, name, given, walk)
  const builtIn = entries.length > 0 && schema !== undefined && schema !== 'pg_catalog' ? undefined : builtInEffect(schema, name)
  const isVolatile = entries.some(({ volatility }) => volatility === 'volatile') || (entries.length === 0 || builtIn !== undefined) && isVolatileBuiltIn(name, builtIn)
  found.function(schema === undefined || schema === 'pg_catalog' ? name : `${schema}.${name}`, isVolatile)
  const computes = entries.map((entry) => own(entry, place, walk))
  if (builtIn !== undefined) computes.push(noteEffect(builtIn, name, found))
  else if (entries.length === 0) computes.push(noteEffect({ action: 'call', opaque: 'it is not known' }, name, found))
  return computes.every(Boolean)
}

/** The functions outside `pg_catalog` that a call with so many arguments may mean. */
function candidates(schema: string | undefined, name: string, given: number | undefined, { found }: Walk): readonly FunctionEntry[] {
  const { resolver, searchPath } = found.context
  const all = resolver?.functions(schema, name, searchPath) ?? []
  if (given === undefined) return all
  const fitting = all.filter(({ minArguments, maxArguments }) => minArguments <= given && given <= maxArguments)
  return fitting.length > 0 ? fitting : all
}

/** A function that somebody defined: one that is known for what it does, or does what its body does. */
function own(entry: FunctionEntry, place: Place, walk: Walk): boolean {
  const effect = effectOf(entry)
  walk.found.runs(entry.name)
  runSignatureCode(entry, walk)
  if (effect !== undefined) return noteEffect(effect, entry.name, walk.found)
  if (entry.definition !== '') walk.routine(entry, bodyOf(entry.name, place.kind === 'output' && walk.found.outermost))
  else for (const oid of entry.support) {
    const part = walk.found.context.resolver?.function(oid)
    if (part !== undefined) own(part, place, walk)
  }
  // Its body may put its arguments anywhere.
  return false
}

/** The server of a connection that is named, not described; `*` for what is not given as a constant. */
function dblink({ args }: FuncCall, walk: Walk): void {
  const name = argumentText(args?.[0])
  walk.found.literal()
  walk.found.server(typeof name === 'string' && /^\w+$/.test(name) ? name : '*')
}

/** The sequence that is set, where its name is given as a constant. */
function setSequence({ args }: FuncCall, walk: Walk): void {
  walk.found.literal()
  const named = /^\s*(?:("(?:[^"]|"")+"|[\w$]+)\s*\.\s*)?("(?:[^"]|"")+"|[\w$]+)\s*$/.exec(argumentText(args?.[0]) ?? '')
  if (named === null) return
  const [schemaname, relname] = named.slice(1).map((part: string | undefined) => (part?.startsWith('"') === true ? part.slice(1, -1).replaceAll('""', '"') : part?.toLowerCase()))
  const { written, relations } = lookUp({ ...(schemaname === undefined ? {} : { schemaname }), relname: relname ?? '' }, walk.found.context)
  for (const relation of relations) walk.found.touch(relation, written, 'write', [])
  if (relations.length === 0) walk.found.touch(undefined, written, 'write', [])
}

/** A constant that no cast shortens. */
function plainText(node: Node | undefined): string | null | undefined {
  if (node === undefined || !('TypeCast' in node)) return node !== undefined && 'A_Const' in node ? argumentText(node) : undefined
  const { typeName: type, arg } = node.TypeCast
  return typeName(type) === 'text' && type?.arrayBounds === undefined ? plainText(arg) : undefined
}

/** It may run or not, once or for each row: what it leaves behind is known only as "changed". */
function setConfig(func: FuncCall, walk: Walk): void {
  const [setting] = func.args ?? []
  walk.found.literal()
  const name = plainText(setting)
  const change = { name: typeof name === 'string' ? name.toLowerCase() : '*', value: 'unknown', local: false } as const
  walk.found.setting(change)
  if (isRoleChange(change)) walk.found.role('*')
}
