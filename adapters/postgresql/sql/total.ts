/**
 * Whether an expression gives a value for whatever its columns hold. An expression that can fail for some values and
 * not for others tells them apart, even where its own value is hidden: `1 / (ascii(ssn) - 65)`. So only what is known
 * not to fail counts; what is not understood here may fail.
 *
 * Two things fail by size or by their turn, and are followed through sub-selects for it: text that is joined to itself
 * again and again (`weight`), and what is computed only where a condition says so (`brittle`).
 */
import type { A_Expr, CaseExpr, FuncCall, Node, SubLink, TypeCast } from 'libpg-query'
import { OID, isTextType } from '../mask/type-oids.ts'
import { qualifiedName, stringOf, stringsOf } from './ast.ts'
import { builtInType } from './built-in-type.ts'
import { resolve, type ScopeColumn, type ScopeItem } from './scope.ts'
import { TOTAL_FUNCTIONS, type TotalFunction } from './total-functions.ts'
import type { Env, Walk } from './walk.ts'

/** What kind of value it gives. `other`: of a type that is not known here; `parameter`: of one the client chose. */
export type ValueKind = 'text' | 'number' | 'scalar' | 'constant' | 'parameter' | 'json' | 'array' | 'row' | 'other'

export interface Total {
  readonly kind: ValueKind
  /** How many columns' lengths its length can add up to. */
  readonly weight: number
  /** Made of whole columns and constants: no condition chose how long it is. */
  readonly plain: boolean
  /**
   * It may fail for all rows alike: a sub-select with more than one row, texts whose collations do not agree. So it must
   * not stand where a condition decides whether it is computed.
   */
  readonly brittle: boolean
}

/** Lengths that are added up: a thousand values of a megabyte are where the server gives up. */
const MAX_WEIGHT = 200
/** Weight of a whole row. */
const ROW_WEIGHT = 20

interface Look {
  readonly env: Env
  readonly walk: Walk
  /** Whether it is computed at all depends on a value. */
  readonly conditional: boolean
}

/** `undefined`: it may fail. */
export function totality(value: Node | undefined, env: Env, walk: Walk): Total | undefined {
  return look(value, { env, walk, conditional: false })
}

/** What holds of each of several values that come out in one place. */
export function together(parts: readonly (Total | undefined)[]): Total | undefined {
  const known = parts.filter((part) => part !== undefined)
  const [first] = known
  if (known.length < parts.length || first === undefined) return undefined
  return {
    kind: known.every(({ kind }) => kind === first.kind) ? first.kind : 'other',
    weight: Math.max(...known.map(({ weight }) => weight)),
    plain: parts.length === 1 && first.plain,
    brittle: known.some(({ brittle }) => brittle) || severalTexts(parts),
  }
}

/** Each may have a collation of its own. */
function severalTexts(parts: readonly (Total | undefined)[]): boolean {
  return parts.filter((part) => part?.kind === 'text' || part?.kind === 'other' || part?.kind === 'array').length > 1
}

function look(value: Node | undefined, at: Look): Total | undefined {
  if (value === undefined) return undefined
  at.walk.budget.enter()
  const total = examine(value, at)
  at.walk.budget.leave()
  return total === undefined || total.weight > MAX_WEIGHT || (at.conditional && total.brittle) ? undefined : total
}

const given = (kind: ValueKind, weight = 0): Total => ({ kind, weight, plain: false, brittle: false })
const constant = (kind: ValueKind): Total => ({ ...given(kind, 1), plain: true })

function examine(node: Node, at: Look): Total | undefined {
  if ('A_Const' in node) return constant(node.A_Const.ival !== undefined || node.A_Const.fval !== undefined ? 'number' : node.A_Const.boolval !== undefined ? 'scalar' : 'constant')
  if ('ParamRef' in node) return constant('parameter')
  if ('ColumnRef' in node) return column(node, at)
  if ('TypeCast' in node) return cast(node.TypeCast, at)
  if ('FuncCall' in node) return call(node.FuncCall, at)
  if ('A_Expr' in node) return operator(node.A_Expr, at)
  if ('SubLink' in node) return subLink(node.SubLink, at)
  if ('CollateClause' in node) return collated(look(node.CollateClause.arg, at))
  if ('SQLValueFunction' in node) return given('scalar', 1)
  return choice(node, at) ?? construction(node, at)
}

function collated(total: Total | undefined): Total | undefined {
  return total === undefined ? undefined : { ...total, brittle: true }
}

/** What decides by a value, or chooses one. */
function choice(node: Node, at: Look): Total | undefined {
  if ('CaseExpr' in node) return caseOf(node.CaseExpr, at)
  if ('CoalesceExpr' in node) return value(inTurn(node.CoalesceExpr.args, at))
  if ('MinMaxExpr' in node) return value(all(node.MinMaxExpr.args, at))
  if ('BoolExpr' in node) return truth(inTurn(node.BoolExpr.args, at))
  if ('NullTest' in node) return truth([look(node.NullTest.arg, at)])
  if ('BooleanTest' in node) return truth([look(node.BooleanTest.arg, at)])
  return undefined
}

/** Rows, arrays, JSON and XML, and parts of them. */
function construction(node: Node, at: Look): Total | undefined {
  if ('RowExpr' in node) return joined('row', all(node.RowExpr.args, at))
  if ('A_ArrayExpr' in node) return arrayOf(all(node.A_ArrayExpr.elements, at))
  if ('JsonArrayConstructor' in node) return node.JsonArrayConstructor.output === undefined ? joined('json', all(node.JsonArrayConstructor.exprs, at)) : undefined
  if ('JsonValueExpr' in node) return jsonValue(node.JsonValueExpr, at)
  if ('JsonObjectConstructor' in node) return node.JsonObjectConstructor.output === undefined && node.JsonObjectConstructor.unique !== true ? joined('json', all(node.JsonObjectConstructor.exprs, at)) : undefined
  if ('JsonKeyValue' in node) return 'A_Const' in (node.JsonKeyValue.key ?? {}) && node.JsonKeyValue.value !== undefined ? jsonValue(node.JsonKeyValue.value, at) : undefined
  if ('XmlExpr' in node) return xml(node.XmlExpr, at)
  if ('A_Indirection' in node) return part(node.A_Indirection.arg, node.A_Indirection.indirection ?? [], at)
  return undefined
}

function all(nodes: readonly Node[] | undefined, at: Look): (Total | undefined)[] {
  return (nodes ?? []).map((node) => look(node, at))
}

/** The first is always computed, the others when it comes to them. */
function inTurn(nodes: readonly Node[] | undefined, at: Look): (Total | undefined)[] {
  return (nodes ?? []).map((node, index) => look(node, index === 0 ? at : { ...at, conditional: true }))
}

/** One of several. Its length says which, so it is no plain column any more. */
function value(parts: readonly (Total | undefined)[]): Total | undefined {
  const total = together(parts)
  return total === undefined ? undefined : { ...total, plain: false }
}

function truth(parts: readonly (Total | undefined)[]): Total | undefined {
  const total = together(parts)
  return total === undefined ? undefined : { ...given('scalar', 1), brittle: total.brittle }
}

/** All of them, one behind the other. */
function joined(kind: ValueKind, parts: readonly (Total | undefined)[]): Total | undefined {
  if (parts.length === 0) return given(kind, 1)
  const total = together(parts)
  if (total === undefined) return undefined
  return { kind, weight: parts.reduce((sum, one) => sum + (one?.weight ?? 0), 1), plain: parts.every((one) => one?.plain === true), brittle: total.brittle }
}

function column(node: Extract<Node, { ColumnRef: unknown }>, { env, walk, conditional }: Look): Total | undefined {
  const fields = node.ColumnRef.fields ?? []
  const parts = fields.flatMap((field) => ('String' in field ? [field.String.sval ?? ''] : []))
  if (parts.length < fields.length) return undefined
  const found = resolve(parts, env.scope, walk.budget)
  if (found.kind === 'row') return found.item === undefined ? undefined : row(found.item, conditional)
  return found.kind === 'column' && found.plain ? columnTotal(found, conditional) : undefined
}

export function columnTotal({ sources, derived, total }: Omit<ScopeColumn, 'name'>, conditional: boolean): Total | undefined {
  if (derived.length > 0 || sources.length === 0) return total
  const [source] = sources
  // A view's column may be computed, and then fails in its turn.
  if (conditional && sources.some(({ relation }) => relation === undefined || relation.kind === 'view')) return undefined
  const type = source?.relation?.columns.find(({ attnum }) => attnum === source.attnum)?.type
  return { kind: sources.length === 1 && type !== undefined ? kindOf(type) : 'other', weight: 1, plain: sources.length === 1, brittle: false }
}

/** A whole row of one base relation, or of columns that cannot fail. */
function row(item: ScopeItem, conditional: boolean): Total | undefined {
  if (item.open || (conditional && item.relations.some(({ kind }) => kind === 'view'))) return undefined
  const base = item.relations.length === 1
  if (base) return { kind: 'row', weight: ROW_WEIGHT, plain: true, brittle: false }
  const parts = item.columns.map(({ sources, derived, total }) => (sources.length > 0 && derived.length === 0 ? given('other', 1) : total))
  const total = joined('row', parts)
  return total === undefined ? undefined : { ...total, plain: item.columns.every(({ sources, derived }) => sources.length === 1 && derived.length === 0) }
}

const SCALARS: ReadonlySet<number> = new Set([OID.bool, OID.uuid, OID.date, OID.time, OID.timetz, OID.timestamp, OID.timestamptz, OID.interval, OID.inet, OID.cidr, OID.macaddr, OID.macaddr8, OID.bytea, OID.oid, OID.jsonb])
const NUMBERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8, OID.numeric])

function kindOf(type: number): ValueKind {
  if (isTextType(type)) return 'text'
  if (NUMBERS.has(type)) return 'number'
  return SCALARS.has(type) ? 'scalar' : 'other'
}

const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name'])
const NUMBER_TYPES = new Set(['int2', 'int4', 'int8', 'numeric'])
const SCALAR_TYPES = new Set(['bool', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'interval'])

/** A constant is read before the statement runs; anything can be written as text. */
function cast({ arg, typeName }: TypeCast, at: Look): Total | undefined {
  const type = builtInType(typeName, at.walk.found.context)
  if (type === undefined || arg === undefined) return undefined
  if ('A_Const' in arg && arg.A_Const.sval !== undefined) {
    return TEXTS.has(type) ? constant('text') : NUMBER_TYPES.has(type) ? constant('number') : SCALAR_TYPES.has(type) ? constant('scalar') : undefined
  }
  const inner = look(arg, at)
  if (inner === undefined || !TEXTS.has(type) || inner.kind === 'parameter') return undefined
  return { ...inner, kind: 'text' }
}

function call(func: FuncCall, at: Look): Total | undefined {
  const { schema, name } = qualifiedName(func.funcname)
  const { resolver, searchPath } = at.walk.found.context
  const known = TOTAL_FUNCTIONS.get(name)
  if (known === undefined || func.func_variadic === true || func.agg_within_group === true) return undefined
  if ((schema !== undefined && schema !== 'pg_catalog') || (schema === undefined && resolver === undefined) || (resolver?.functions(schema, name, searchPath).length ?? 0) > 0) return undefined
  const args = all(func.args, at)
  const [least, most] = known.arguments
  if (args.length < least || args.length > most || !args.every((each) => each !== undefined) || !fits(known, func, args, at)) return undefined
  const around = all([...(func.agg_filter === undefined ? [] : [func.agg_filter]), ...(func.agg_order ?? []).flatMap((sort) => ('SortBy' in sort ? (sort.SortBy.node ?? []) : []))], at)
  if (!around.every((each) => each !== undefined)) return undefined
  return result(known, args, [...args, ...around].some(({ brittle }) => brittle) || (known.gives !== 'json' && severalTexts(args)))
}

/** Whether these arguments are among those it never fails for. */
function fits({ grows, adds, keyed, noJson, counts }: TotalFunction, func: FuncCall, args: readonly Total[], at: Look): boolean {
  const [first] = args
  if (counts !== undefined) at.walk.found.literal()
  if (noJson === true && args.some(({ kind }) => kind === 'other' || kind === 'parameter')) return false
  if (keyed === true && (func.args ?? []).some((arg, index) => index % 2 === 0 && !('A_Const' in arg && arg.A_Const.sval !== undefined))) return false
  if (counts !== undefined && !(func.args ?? []).slice(1).every((arg, index) => 'A_Const' in arg && (index + 1 < counts || (arg.A_Const.ival?.ival ?? 0) > 0))) return false
  if (adds === true) return first?.plain === true && first.kind === 'number'
  if (grows !== true) return true
  if (func.agg_filter !== undefined || func.agg_distinct === true) return false
  return first?.plain === true && first.kind !== 'other' && args.slice(1).every(({ kind }) => kind === 'constant')
}

function result({ gives, joins }: TotalFunction, args: readonly Total[], brittle: boolean): Total {
  const kind = gives === 'argument' ? (args[0]?.kind ?? 'other') : gives
  const weight = joins === true ? args.reduce((sum, arg) => sum + arg.weight, 1) : Math.max(1, ...args.map((arg) => arg.weight))
  return { kind, weight, plain: joins === true && args.every((arg) => arg.plain), brittle }
}

/** BETWEEN, IN, CASE and NULLIF compare without a symbol: somebody may have made another meaning for theirs. */
function comparesBuiltIn({ walk: { found: { context: { resolver } } } }: Look): boolean {
  return resolver !== undefined && [...COMPARES].every((symbol) => resolver.operatorFunctions(symbol).length === 0)
}

const COMPARES = new Set(['=', '<>', '<', '>', '<=', '>='])
const COMPARABLE: ReadonlySet<ValueKind> = new Set(['text', 'number', 'scalar', 'constant', 'parameter'])
const JOINABLE: ReadonlySet<ValueKind> = new Set(['text', 'number', 'scalar', 'constant'])

function operator({ kind, name, lexpr, rexpr }: A_Expr, at: Look): Total | undefined {
  const { schema, name: symbol } = qualifiedName(name)
  if (at.walk.found.context.resolver?.operatorFunctions(symbol).length !== 0 || (schema !== undefined && schema !== 'pg_catalog')) return undefined
  const right = rexpr !== undefined && 'List' in rexpr && (kind === 'AEXPR_IN' || kind?.startsWith('AEXPR_BETWEEN') === true || kind?.startsWith('AEXPR_NOT_BETWEEN') === true) ? all(rexpr.List.items, at) : [look(rexpr, at)]
  const left = look(lexpr, at)
  const parts = [left, ...right]
  if (kind === 'AEXPR_OP' && symbol === '||') {
    const texts = parts.every((part) => part !== undefined && JOINABLE.has(part.kind)) && parts.some((part) => part?.kind === 'text')
    return texts ? joined('text', parts) : undefined
  }
  if (kind === 'AEXPR_OP' && (symbol === '->' || symbol === '->>')) return member(symbol, left, right[0])
  if (!parts.every((part) => part !== undefined && COMPARABLE.has(part.kind))) return undefined
  if (!comparesBuiltIn(at)) return undefined
  if (kind === 'AEXPR_NULLIF') return value([left])
  return kind !== 'AEXPR_OP' || COMPARES.has(symbol) ? compared(kind, parts) : undefined
}

/** A member of JSON that was made here, or of `jsonb`: a column of the type `json` may hold what no text may. */
function member(symbol: string, left: Total | undefined, right: Total | undefined): Total | undefined {
  if (left === undefined || right === undefined || (right.kind !== 'constant' && right.kind !== 'number')) return undefined
  if (left.kind !== 'scalar' && left.kind !== 'json') return undefined
  return { ...left, kind: symbol === '->' ? 'json' : 'text', plain: false }
}

const COMPARISONS = new Set(['AEXPR_OP', 'AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT', 'AEXPR_IN', 'AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM'])

function compared(kind: string | undefined, parts: readonly (Total | undefined)[]): Total | undefined {
  return kind !== undefined && COMPARISONS.has(kind) ? truth(parts) : undefined
}

function caseOf({ arg, args = [], defresult }: CaseExpr, at: Look): Total | undefined {
  const later: Look = { ...at, conditional: true }
  const whens = args.flatMap((node) => ('CaseWhen' in node ? [node.CaseWhen] : []))
  const conditions = whens.map(({ expr }, index) => look(expr, index === 0 && arg === undefined ? at : later))
  const subject = arg === undefined ? [] : [look(arg, at)]
  if (arg !== undefined && !comparesBuiltIn(at)) return undefined
  if (arg !== undefined && ![...subject, ...conditions].every((part) => part !== undefined && COMPARABLE.has(part.kind))) return undefined
  if (truth([...subject, ...conditions]) === undefined) return undefined
  const results = whens.map(({ result: then }) => look(then, later))
  const total = value(defresult === undefined ? results : [...results, look(defresult, later)])
  return total === undefined ? undefined : { ...total, brittle: [...subject, ...conditions].some((part) => part?.brittle === true) || total.brittle }
}

/** Elements that are arrays themselves must have the same length, or the server complains. */
function arrayOf(parts: readonly (Total | undefined)[]): Total | undefined {
  return parts.every((one) => one !== undefined && JOINABLE.has(one.kind)) ? joined('array', parts) : undefined
}

/** FORMAT JSON reads its value; without, it is only written. */
function jsonValue({ raw_expr, format }: { raw_expr?: Node; format?: { format_type?: string } }, at: Look): Total | undefined {
  return format?.format_type === 'JS_FORMAT_DEFAULT' ? look(raw_expr, at) : undefined
}

function xml({ op, args, named_args }: { op?: string; args?: Node[]; named_args?: Node[] }, at: Look): Total | undefined {
  // A server may have been built without XML, and says so when it comes to it.
  if ((op !== 'IS_XMLELEMENT' && op !== 'IS_XMLFOREST') || at.conditional) return undefined
  const named = (named_args ?? []).map((node) => ('ResTarget' in node ? node.ResTarget.val : undefined))
  const parts = [...(args ?? []), ...named].map((node) => look(node, at))
  // XML has no infinite dates, and takes XML as it is.
  return parts.every((one) => one !== undefined && (one.kind === 'text' || one.kind === 'number' || one.kind === 'constant')) ? collated(joined('json', parts)) : undefined
}

/** A field of a row, or an element of an array. */
function part(arg: Node | undefined, steps: readonly Node[], at: Look): Total | undefined {
  const whole = look(arg, at)
  const [step, ...more] = steps
  if (whole === undefined || arg === undefined || step === undefined || more.length > 0) return undefined
  const fits = whole.kind === 'array' ? 'A_Indices' in step && indexed(step, at) : whole.kind === 'row' && ('A_Star' in step || hasField(arg, stringOf(step), at))
  return fits ? { kind: 'other', weight: whole.weight, plain: false, brittle: whole.brittle } : undefined
}

/** Anything else would be called as a function. */
function hasField(arg: Node, name: string | undefined, { env, walk }: Look): boolean {
  if (name === undefined) return false
  if ('RowExpr' in arg) return /^f\d+$/.test(name)
  if (!('ColumnRef' in arg)) return false
  const found = resolve(stringsOf(arg.ColumnRef.fields), env.scope, walk.budget)
  return found.kind === 'row' && found.item?.columns.some((each) => each.name === name) === true
}

function indexed(step: Node, at: Look): boolean {
  if (!('A_Indices' in step)) return true
  const { lidx, uidx } = step.A_Indices
  return [lidx, uidx].every((index) => index === undefined || look(index, at) !== undefined)
}

/** It gives one row or fails, whatever the masked values are: they choose no rows here, or it would be noted. */
function subLink({ subLinkType, subselect, testexpr, operName }: SubLink, at: Look): Total | undefined {
  if (subselect === undefined || !('SelectStmt' in subselect)) return undefined
  const outputs = at.walk.subqueries.get(subselect.SelectStmt)
  if (outputs === undefined || at.conditional) return undefined
  if (subLinkType === 'EXISTS_SUBLINK') return { ...given('scalar', 1), brittle: true }
  const [only, ...others] = outputs.columns
  if (only === undefined || others.length > 0 || outputs.open) return undefined
  const total = columnTotal(only, false)
  if (total === undefined) return undefined
  if (subLinkType === 'EXPR_SUBLINK') return { ...total, plain: false, brittle: true }
  if (subLinkType === 'ARRAY_SUBLINK') return total.plain && total.kind !== 'other' && total.kind !== 'array' ? { ...given('array', 1), brittle: true } : undefined
  if (subLinkType !== 'ANY_SUBLINK' || !COMPARES.has(stringsOf(operName).at(-1) ?? '=') || !comparesBuiltIn(at)) return undefined
  const test = look(testexpr, at)
  return test !== undefined && COMPARABLE.has(test.kind) && COMPARABLE.has(total.kind) ? { ...given('scalar', 1), brittle: true } : undefined
}
