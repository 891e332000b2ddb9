/**
 * Whether an expression gives a value for whatever its columns hold. An expression that can fail for some values and
 * not for others tells them apart, even where its own value is hidden: `1 / (ascii(ssn) - 65)`. So only what is known
 * not to fail counts; what is not understood here may fail.
 *
 * Three things fail by size, by their turn or by what they are given, and are followed through sub-selects for it: text that is joined
 * to itself again and again (`weight`), what is computed only where a condition says so (`brittle`), and functions that need to know a
 * collation where several are meant (`collation`), which is found out only where no argument is NULL (`absent`).
 */
import type { A_Const, A_Expr, CaseExpr, FuncCall, Node, SubLink, TypeCast } from 'libpg-query'
import { OID, isTextType, type KnownType } from '../mask/type-oids.ts'
import { qualifiedName, stringOf, stringsOf } from './ast.ts'
import type { Source } from './analysis.ts'
import { builtInType } from './built-in-type.ts'
import { resolve, type ScopeColumn, type ScopeItem } from './scope.ts'
import { TOTAL_FUNCTIONS, type TotalFunction } from './total-functions.ts'
import { arrayFamily, BOOLEAN, commonFamily, comparesWell, elementFamily, familyOf, type TypeFamily } from './type-family.ts'
import type { Env, Walk } from './walk.ts'

/** What kind of value it gives. `other`: of a type that is not known here; `parameter`: of one the client chose. */
export type ValueKind = 'text' | 'number' | 'scalar' | 'constant' | 'parameter' | 'json' | 'array' | 'row' | 'other'

export interface Total {
  readonly kind: ValueKind
  /** What it may be converted to where others come out beside it. */
  readonly family: TypeFamily
  /** How many columns' lengths its length can add up to. */
  readonly weight: number
  /** Made of whole columns and constants: no condition chose how long it is. */
  readonly plain: boolean
  /**
   * It may fail for all rows alike: a sub-select with more than one row, texts whose collations do not agree. So it must
   * not stand where a condition decides whether it is computed.
   */
  readonly brittle: boolean
  /** Which collation it has: empty for the database's own or none, `MIXED` where several do not agree. */
  readonly collation: string
  /** A condition may have made it NULL. */
  readonly absent: boolean
}

const MIXED = 'mixed'

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

/** What holds of each of several values that come out in one place, converted to one type. */
export function together(parts: readonly (Total | undefined)[]): Total | undefined {
  const total = each(parts)
  const family = commonFamily(parts.flatMap((part) => part?.family ?? []))
  return total === undefined || family === undefined ? undefined : { ...total, family }
}

/** What holds of each of several values that are all computed. */
function each(parts: readonly (Total | undefined)[]): Total | undefined {
  const known = parts.filter((part) => part !== undefined)
  const [first] = known
  if (known.length < parts.length || first === undefined) return undefined
  return {
    kind: known.every(({ kind }) => kind === first.kind) ? first.kind : 'other',
    family: first.family,
    weight: Math.max(...known.map(({ weight }) => weight)),
    plain: parts.length === 1 && first.plain,
    brittle: known.some(({ brittle }) => brittle) || severalTexts(parts),
    ...texts(known),
  }
}

/** What becomes of the collations of several values where one value is made of them. */
function texts(parts: readonly Total[]): Pick<Total, 'collation' | 'absent'> {
  const [collation = '', another] = new Set(parts.flatMap((part) => (part.collation === '' ? [] : [part.collation])))
  return { collation: another === undefined ? collation : MIXED, absent: parts.some(({ absent }) => absent) }
}

/** Whether it is the same for all values that no collation can be told where one is needed. */
function collates(parts: readonly (Total | undefined)[]): boolean {
  const { collation, absent } = texts(parts.filter((part) => part !== undefined))
  return collation !== MIXED || !absent
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

const given = (kind: ValueKind, family: TypeFamily, weight = 1): Total => ({ kind, family, weight, plain: false, brittle: false, collation: '', absent: false })
const constant = (kind: ValueKind, family: TypeFamily): Total => ({ ...given(kind, family), plain: true })

function examine(node: Node, at: Look): Total | undefined {
  if ('A_Const' in node) return literal(node.A_Const)
  if ('ParamRef' in node) return constant('parameter', 'parameter')
  if ('ColumnRef' in node) return column(node, at)
  if ('TypeCast' in node) return cast(node.TypeCast, at)
  if ('FuncCall' in node) return call(node.FuncCall, at)
  if ('A_Expr' in node) return operator(node.A_Expr, at)
  if ('SubLink' in node) return subLink(node.SubLink, at)
  if ('CollateClause' in node) return collated(look(node.CollateClause.arg, at), stringsOf(node.CollateClause.collname).join('.'))
  if ('SQLValueFunction' in node) return sessionValue(node.SQLValueFunction.op)
  return choice(node, at) ?? construction(node, at)
}

function literal({ ival, fval, boolval }: A_Const): Total {
  if (ival !== undefined || fval !== undefined) return constant('number', ival === undefined ? 'number' : 'integer')
  return boolval === undefined ? constant('constant', 'constant') : constant('scalar', BOOLEAN)
}

function sessionValue(op = ''): Total {
  const family = SESSION_VALUES.find(([pattern]) => pattern.test(op))?.[1] ?? 'unknown'
  return { ...given('scalar', family), collation: family === 'text' ? NAMES : '' }
}

/** The collation of the type `name`. */
const NAMES = '950'

const SESSION_VALUES: readonly (readonly [RegExp, TypeFamily])[] = [
  [/CURRENT_DATE/, familyOf(OID.date)], [/CURRENT_TIMESTAMP/, familyOf(OID.timestamptz)], [/CURRENT_TIME/, familyOf(OID.timetz)],
  [/LOCALTIMESTAMP/, familyOf(OID.timestamp)], [/LOCALTIME/, familyOf(OID.time)], [/USER|ROLE|CATALOG|SCHEMA/, 'text'],
]

function collated(total: Total | undefined, collation: string): Total | undefined {
  return total === undefined ? undefined : { ...total, brittle: true, collation }
}

/** What decides by a value, or chooses one. */
function choice(node: Node, at: Look): Total | undefined {
  if ('CaseExpr' in node) return caseOf(node.CaseExpr, at)
  if ('CoalesceExpr' in node) return value(inTurn(node.CoalesceExpr.args, at))
  if ('MinMaxExpr' in node) return greatest(all(node.MinMaxExpr.args, at))
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

function greatest(parts: readonly (Total | undefined)[]): Total | undefined {
  return collates(parts) ? value(parts) : undefined
}

function truth(parts: readonly (Total | undefined)[]): Total | undefined {
  const total = each(parts)
  return total === undefined ? undefined : { ...given('scalar', BOOLEAN), brittle: total.brittle, absent: total.absent }
}

/** All of them, one behind the other. */
function joined(kind: ValueKind, parts: readonly (Total | undefined)[]): Total | undefined {
  if (parts.length === 0) return given(kind, kind)
  const total = each(parts)
  if (total === undefined) return undefined
  return { ...total, kind, family: kind, weight: parts.reduce((sum, one) => sum + (one?.weight ?? 0), 1), plain: parts.every((one) => one?.plain === true) }
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
  if (conditional && sources.some(isComputed)) return undefined
  const found = sources.length === 1 ? source?.relation?.columns.find(({ attnum }) => attnum === source.attnum) : undefined
  if (found === undefined) return { ...given('other', 'unknown'), collation: MIXED, plain: sources.length === 1 }
  return { ...given(kindOf(found.type), familyOf(found.type)), collation: String(found.collation ?? ''), plain: true }
}

/** A view's column may be computed, and then fails in its turn. */
function isComputed({ relation, attnum }: Source): boolean {
  return relation === undefined || relation.kind === 'view' || relation.columns.some((column) => column.virtual === true && (attnum === 0 || column.attnum === attnum))
}

/** A whole row of one base relation, or of columns that cannot fail. */
function row(item: ScopeItem, conditional: boolean): Total | undefined {
  if (item.open || (conditional && item.relations.some(({ kind, columns }) => kind === 'view' || columns.some((each) => each.virtual)))) return undefined
  const base = item.relations.length === 1
  if (base) return { ...given('row', 'row', ROW_WEIGHT), plain: true }
  const parts = item.columns.map(({ sources, derived, total }) => (sources.length > 0 && derived.length === 0 ? given('other', 'unknown') : total))
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
    const kind = TEXTS.has(type) ? 'text' : NUMBER_TYPES.has(type) ? 'number' : SCALAR_TYPES.has(type) ? 'scalar' : undefined
    return kind === undefined ? undefined : { ...constant(kind, familyOf(OID[type as KnownType])), collation: type === 'name' ? NAMES : '' }
  }
  const inner = look(arg, at)
  if (inner === undefined || !TEXTS.has(type) || inner.kind === 'parameter') return undefined
  return { ...inner, kind: 'text', family: 'text' }
}

function call(func: FuncCall, at: Look): Total | undefined {
  const { schema, name } = qualifiedName(func.funcname)
  const { resolver, searchPath } = at.walk.found.context
  const known = TOTAL_FUNCTIONS.get(name)
  if (known === undefined || func.func_variadic === true || func.agg_within_group === true) return undefined
  if ((schema !== undefined && schema !== 'pg_catalog') || (schema === undefined && resolver === undefined) || (resolver?.functions(schema, name, searchPath).length ?? 0) > 0) return undefined
  // Only of rows that a FILTER lets through anything else is computed.
  const inside: Look = func.agg_filter === undefined ? at : { ...at, conditional: true }
  const args = all(func.args, inside)
  const [least, most] = known.arguments
  if (args.length < least || args.length > most || !args.every((arg) => arg !== undefined) || !fits(known, func, args, at)) return undefined
  const around = [...all(func.agg_filter === undefined ? [] : [func.agg_filter], at), ...all((func.agg_order ?? []).flatMap((sort) => ('SortBy' in sort ? (sort.SortBy.node ?? []) : [])), inside)]
  if (!around.every((part) => part !== undefined)) return undefined
  if (known.collates === true && !collates(args)) return undefined
  const total = result(known, args, [...args, ...around].some(({ brittle }) => brittle) || (known.gives !== 'json' && severalTexts(args)))
  return func.agg_filter === undefined ? total : { ...total, absent: true }
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
  const [first = given('other', 'unknown')] = args
  const kind = gives === 'argument' ? first.kind : gives === 'truth' ? 'scalar' : gives === 'integer' ? 'number' : gives
  const family = gives === 'argument' ? first.family : gives === 'truth' ? BOOLEAN : gives === 'array' ? arrayFamily(first.family) : gives
  const weight = joins === true ? args.reduce((sum, arg) => sum + arg.weight, 1) : Math.max(1, ...args.map((arg) => arg.weight))
  return { kind, family, weight, plain: joins === true && args.every((arg) => arg.plain), brittle, ...texts(args) }
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
  // A list is gone through as far as it takes to know.
  const right = rexpr !== undefined && 'List' in rexpr && (kind === 'AEXPR_IN' || kind?.startsWith('AEXPR_BETWEEN') === true || kind?.startsWith('AEXPR_NOT_BETWEEN') === true) ? inTurn(rexpr.List.items, at) : [look(rexpr, at)]
  const left = look(lexpr, at)
  const parts = [left, ...right]
  if (kind === 'AEXPR_OP' && symbol === '||') {
    const texts = parts.every((part) => part !== undefined && JOINABLE.has(part.kind)) && parts.some((part) => part?.kind === 'text')
    return texts ? joined('text', parts) : undefined
  }
  if (kind === 'AEXPR_OP' && (symbol === '->' || symbol === '->>')) return member(symbol, left, right[0])
  if (!comparable(parts)) return undefined
  // A list may become an array.
  if (kind === 'AEXPR_IN' && together(parts) === undefined) return undefined
  if (!comparesBuiltIn(at)) return undefined
  if (kind === 'AEXPR_NULLIF') return absent(value([left]))
  return kind !== 'AEXPR_OP' || COMPARES.has(symbol) ? compared(kind, parts) : undefined
}

/** Whether they can be compared with each other, whatever they are. */
function comparable(parts: readonly (Total | undefined)[]): boolean {
  return parts.every((part) => part !== undefined && COMPARABLE.has(part.kind)) && collates(parts) && comparesWell(parts.flatMap((part) => part?.family ?? []))
}

/** A member of JSON that was made here, or of `jsonb`: a column of the type `json` may hold what no text may. */
function member(symbol: string, left: Total | undefined, right: Total | undefined): Total | undefined {
  if (left === undefined || right === undefined || (right.kind !== 'constant' && right.kind !== 'number')) return undefined
  if (left.kind !== 'scalar' && left.kind !== 'json') return undefined
  const kind = symbol === '->' ? 'json' : 'text'
  return { ...left, kind, family: kind, plain: false }
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
  if (arg !== undefined && !comparable([...subject, ...conditions])) return undefined
  if (truth([...subject, ...conditions]) === undefined) return undefined
  const results = whens.map(({ result: then }) => look(then, later))
  const total = value(defresult === undefined ? results : [...results, look(defresult, later)])
  return absent(total === undefined ? undefined : { ...total, brittle: [...subject, ...conditions].some((part) => part?.brittle === true) || total.brittle })
}

function absent(total: Total | undefined): Total | undefined {
  return total === undefined ? undefined : { ...total, absent: true }
}

/** Elements that are arrays themselves must have the same length, or the server complains. */
function arrayOf(parts: readonly (Total | undefined)[]): Total | undefined {
  const family = commonFamily(parts.flatMap((one) => one?.family ?? []))
  const total = parts.every((one) => one !== undefined && JOINABLE.has(one.kind)) ? joined('array', parts) : undefined
  return total === undefined || family === undefined ? undefined : { ...total, family: arrayFamily(family) }
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
  return parts.every((one) => one !== undefined && (one.kind === 'text' || one.kind === 'number' || one.kind === 'constant')) ? fragile(joined('json', parts)) : undefined
}

function fragile(total: Total | undefined): Total | undefined {
  return total === undefined ? undefined : { ...total, brittle: true }
}

/** A field of a row, or an element of an array. */
function part(arg: Node | undefined, steps: readonly Node[], at: Look): Total | undefined {
  const whole = look(arg, at)
  const [step, ...more] = steps
  if (whole === undefined || arg === undefined || step === undefined || more.length > 0) return undefined
  const fits = whole.kind === 'array' ? 'A_Indices' in step && indexed(step, at) : whole.kind === 'row' && ('A_Star' in step || hasField(arg, stringOf(step), at))
  return fits ? { ...whole, kind: 'other', family: elementFamily(whole.family), plain: false } : undefined
}

/** Anything else would be called as a function. */
function hasField(arg: Node, name: string | undefined, { env, walk }: Look): boolean {
  if (name === undefined) return false
  if ('RowExpr' in arg) return /^f\d+$/.test(name)
  if (!('ColumnRef' in arg)) return false
  const found = resolve(stringsOf(arg.ColumnRef.fields), env.scope, walk.budget)
  return found.kind === 'row' && found.item?.columns.some((each) => each.name === name) === true
}

/** Other numbers may be too large for a subscript, which is computed only where there is an array. */
function indexed({ A_Indices: { lidx, uidx } }: Extract<Node, { A_Indices: unknown }>, at: Look): boolean {
  return [lidx, uidx].every((index) => index === undefined || look(index, { ...at, conditional: true })?.family === 'integer')
}

/** It gives one row or fails, whatever the masked values are: they choose no rows here, or it would be noted. */
function subLink({ subLinkType, subselect, testexpr, operName }: SubLink, at: Look): Total | undefined {
  if (subselect === undefined || !('SelectStmt' in subselect)) return undefined
  const outputs = at.walk.subqueries.get(subselect.SelectStmt)
  if (outputs === undefined || at.conditional) return undefined
  if (subLinkType === 'EXISTS_SUBLINK') return { ...given('scalar', BOOLEAN), brittle: true }
  const [only, ...others] = outputs.columns
  if (only === undefined || others.length > 0 || outputs.open) return undefined
  const total = columnTotal(only, false)
  if (total === undefined) return undefined
  if (subLinkType === 'EXPR_SUBLINK') return { ...total, plain: false, brittle: true }
  if (subLinkType === 'ARRAY_SUBLINK') return total.plain && total.kind !== 'other' && total.kind !== 'array' ? { ...given('array', arrayFamily(total.family)), brittle: true } : undefined
  if (subLinkType !== 'ANY_SUBLINK' || !COMPARES.has(stringsOf(operName).at(-1) ?? '=') || !comparesBuiltIn(at)) return undefined
  const test = look(testexpr, at)
  return comparable([test, total]) ? { ...given('scalar', BOOLEAN), brittle: true } : undefined
}
