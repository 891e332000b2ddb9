/** What is known of an expression's value for every row: whether it may be NULL, and between which numbers it lies. */
import type { A_Expr, CaseExpr, FuncCall, Node, SelectStmt, SubLink, TypeCast } from 'libpg-query'
import { OID, isTextType } from '../mask/type-oids.ts'
import { argumentText, qualifiedName, stringsOf, typeName } from './ast.ts'
import { ANY, arithmetic, isNumber, MOST, number, present, type Known } from './known.ts'
import { canonical, ownColumn, type Look } from './look.ts'
import { witness } from './own-rows.ts'
import { SYSTEM_COLUMNS, type Column } from './resolver.ts'
import { resolve } from './scope.ts'

export function valueOf(node: Node | undefined, look: Look): Known {
  if (node === undefined) return ANY
  look.walk.budget.enter()
  const known = examine(node, look)
  look.walk.budget.leave()
  return known
}

const INTEGERS: Readonly<Record<number, number>> = { [OID.int2]: 2 ** 15, [OID.int4]: 2 ** 31, [OID.int8]: 2 ** 63 }
const ENDLESS: ReadonlySet<number> = new Set([OID.numeric, OID.float4, OID.float8, OID.date, OID.timestamp, OID.timestamptz])

function typeRange(type: number | undefined): readonly [low: number, high: number] {
  const limit = type === undefined ? undefined : INTEGERS[type]
  if (limit !== undefined) return [-limit, limit - 1]
  if (type === OID.oid) return [0, 2 ** 32 - 1]
  return type !== undefined && ENDLESS.has(type) ? [-MOST, MOST] : [Number.NaN, Number.NaN]
}

function examine(node: Node, look: Look): Known {
  if ('A_Const' in node || ('TypeCast' in node && argumentText(node) !== undefined)) return constant(argumentText(node))
  if ('ColumnRef' in node) return column(node, look)
  if ('TypeCast' in node) return cast(node.TypeCast, look)
  if ('A_Expr' in node) return operator(node.A_Expr, look)
  if ('FuncCall' in node) return call(node.FuncCall, look)
  if ('SubLink' in node) return subLink(node.SubLink, look)
  if ('CollateClause' in node) return valueOf(node.CollateClause.arg, look)
  if ('CoalesceExpr' in node) return first(node.CoalesceExpr.args, look) ?? oneOf(all(node.CoalesceExpr.args, look), (parts) => parts.some(({ never }) => never))
  if ('MinMaxExpr' in node) return oneOf(all(node.MinMaxExpr.args, look), (parts) => parts.some(({ never }) => never))
  if ('CaseExpr' in node) return oneOf(results(node.CaseExpr, look), (parts) => parts.every(({ never }) => never))
  if ('BoolExpr' in node) return present(all(node.BoolExpr.args, look).every(({ never }) => never))
  if ('RowExpr' in node) return present(all(node.RowExpr.args, look).every(({ never }) => never))
  return present(NEVER_NULL.some((type) => type in node))
}

const NEVER_NULL = ['NullTest', 'BooleanTest', 'A_ArrayExpr', 'SQLValueFunction', 'JsonObjectConstructor', 'JsonArrayConstructor']

function all(nodes: readonly Node[] | undefined, look: Look): Known[] {
  return (nodes ?? []).map((node) => valueOf(node, look))
}

function oneOf(parts: readonly Known[], never: (parts: readonly Known[]) => boolean): Known {
  return {
    ...ANY,
    never: never(parts),
    low: Math.min(...parts.map(({ low }) => low)),
    high: Math.max(...parts.map(({ high }) => high)),
    filled: parts.length > 0 && parts.every(({ filled }) => filled),
  }
}

/** Of COALESCE, what is never NULL is what it gives. */
function first(args: readonly Node[] | undefined, look: Look): Known | undefined {
  const known = valueOf(args?.[0], look)
  return known.never ? known : undefined
}

function results({ args = [], defresult }: CaseExpr, look: Look): Known[] {
  const each = args.map((arm) => ('CaseWhen' in arm ? arm.CaseWhen.result : undefined))
  return [...each, defresult].map((node) => valueOf(node, look))
}

function constant(text: string | null | undefined): Known {
  if (text === null || text === undefined) return ANY
  const value = /^\s*$/.test(text) ? Number.NaN : Number(text.replace(/infinity/i, 'Infinity'))
  return { ...number(value, value), filled: text !== '' }
}

/** One column, or a row: what it has in every row. */
function column(node: Extract<Node, { ColumnRef: unknown }>, look: Look): Known {
  const { fields = [] } = node.ColumnRef
  const parts = stringsOf(fields)
  const own = ownColumn(node.ColumnRef, look)
  if (own === undefined) return parts.length < fields.length ? wholeRow(parts, look) : ANY
  if (own.name === '*') return wholeRow(parts, look)
  const { known } = own
  const [low, high] = typeRange(known?.type)
  return { ...number(low, high, known?.notNull ?? SYSTEM_COLUMNS.has(own.name)), base: own.name }
}

/** Whether a value, or a part of a row, is never NULL: a row is NULL when all of it is. */
export function holdsSomething(node: Node | undefined, look: Look): boolean {
  if (node !== undefined && 'RowExpr' in node) return (node.RowExpr.args ?? []).some((part) => holdsSomething(part, look))
  if (node === undefined || !('ColumnRef' in node)) return valueOf(node, look).never
  return rowColumns(stringsOf(node.ColumnRef.fields), look)?.some(({ notNull }) => notNull) ?? valueOf(node, look).never
}

/** `t IS NOT NULL` holds when no column is. */
function wholeRow(parts: readonly string[], look: Look): Known {
  const columns = rowColumns(parts, look)
  return columns === undefined ? ANY : present(columns.length > 0 && columns.every(({ notNull }) => notNull))
}

/** Of the table's own row, if that is what is referred to. */
function rowColumns(parts: readonly string[], look: Look): readonly Column[] | undefined {
  const [item] = look.items
  const named = parts.length === 0 ? undefined : resolve(parts, look.env.scope, look.walk.budget)
  if (item === undefined || (parts.length > 0 && (named?.kind !== 'row' || named.item === undefined || !look.items.includes(named.item)))) return undefined
  return item.relations.flatMap((relation) => relation.columns)
}

const TEXTS = /^(text|varchar|bpchar|name)$/
const NUMBERS = /^(int2|int4|int8|numeric|float4|float8)$/

/** Numbers and the like are never written as nothing; a whole number stays what it is, or fails. */
function cast({ arg, typeName: type }: TypeCast, look: Look): Known {
  const inner = valueOf(arg, look)
  const name = typeName(type)
  const columnType = arg !== undefined && 'ColumnRef' in arg ? ownColumn(arg.ColumnRef, look)?.known?.type : undefined
  if (TEXTS.test(name)) return { ...ANY, never: inner.never, filled: inner.filled || isNumber(inner) || (columnType !== undefined && !isTextType(columnType)) }
  if (!NUMBERS.test(name) || !isNumber(inner)) return present(inner.never)
  return inner.high < MOST ? inner : { ...inner, base: undefined }
}

function operator({ kind, name, lexpr, rexpr }: A_Expr, look: Look): Known {
  const right = valueOf(rexpr, look)
  const symbol = qualifiedName(name).name
  if (lexpr === undefined && symbol === '+') return right
  if (lexpr === undefined) return symbol === '-' ? number(-right.high, -right.low, right.never) : present(right.never)
  const left = valueOf(lexpr, look)
  const never = left.never && right.never
  if (kind === 'AEXPR_DISTINCT' || kind === 'AEXPR_NOT_DISTINCT') return present(true)
  if (kind !== 'AEXPR_OP') return present(never && (kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE'))
  if (symbol === '||') look.walk.found.literal()
  if (symbol === '||' && (argumentText(lexpr) === '' || argumentText(rexpr) === '')) return argumentText(lexpr) === '' ? right : left
  if (symbol === '||') return { ...ANY, never, filled: left.filled || right.filled }
  // Not every operator gives a value for values: `doc -> 'a'` does not.
  if (!/^[-+*/%]$/.test(symbol)) return present(never && /^([<>]?=|<>|[<>]|!?~~?\*?)$/.test(symbol))
  look.walk.found.literal()
  const same = symbol === '-' && rexpr !== undefined && sameText(lexpr, rexpr, look)
  return { ...(same ? number(0, 0) : arithmetic(symbol, left, right)), never }
}

/** Whether two expressions are one: `id` and `t.id`, `lower(t.name)` and, where `u` stands at the same row, `lower(u.name)`. */
export function sameText(left: Node, right: Node, look: Look, inner: Look = look): boolean {
  const alike = Object.keys(left)[0] === Object.keys(right)[0] || 'MinMaxExpr' in left || 'MinMaxExpr' in right
  const text = alike ? canonical(left, look, look !== inner) : undefined
  if (text?.includes('"A_Const"') === true) look.walk.found.literal()
  return text !== undefined && text === canonical(right, inner, look !== inner)
}

/** Functions that never give less, and NULL only for NULL. */
const LEAST: Readonly<Record<string, number>> = {
  length: 0, char_length: 0, character_length: 0, octet_length: 0, bit_length: 0, abs: 0, ascii: 0, strpos: 0, position: 0, cardinality: 0, pg_column_size: 0,
  json_array_length: 0, jsonb_array_length: 0, sqrt: 0, exp: 0, sign: -1,
}
const LENGTHS = /^(length|char_length|character_length|octet_length)$/
/** NULL for nothing but NULL. */
const STRICT = new Set(`
  lower upper initcap reverse md5 btrim ltrim rtrim left right substr replace translate repeat quote_literal ceil ceiling floor round trunc mod power
  to_json to_jsonb row_to_json date_trunc text hashtext int4 int8 numeric float8 encode sha256 isfinite
`.trim().split(/\s+/))
const ALWAYS_GIVEN = new Set(['concat', 'now', 'count', 'json_build_object', 'jsonb_build_object', 'json_build_array', 'jsonb_build_array', 'clock_timestamp', 'random', 'quote_nullable'])

function call(func: FuncCall, look: Look): Known {
  const { name } = qualifiedName(func.funcname)
  const args = all(func.args, look)
  const never = args.every((arg) => arg.never)
  if (name === 'num_nonnulls' || name === 'num_nulls') return counted(name, func, args)
  if (name === 'min' || name === 'max') return extreme(name, func, look)
  if (name === 'count') return number((look.grouped || look.gathers) && func.agg_filter === undefined && (func.agg_star === true || never) ? 1 : 0, Infinity)
  const least = LEAST[name]
  if (least !== undefined) return number(LENGTHS.test(name) && args[0]?.filled === true ? 1 : least, name === 'sign' ? 1 : Infinity, never)
  if (STRICT.has(name)) return { ...ANY, never, filled: name === 'md5' || (/^(lower|upper|initcap|reverse)$/.test(name) && args[0]?.filled === true) }
  return { ...present(ALWAYS_GIVEN.has(name)), filled: name === 'concat' && args.some(({ filled }) => filled) }
}

function counted(name: string, func: FuncCall, args: readonly Known[]): Known {
  if (func.func_variadic === true) return number(0, Infinity, false)
  const given = args.filter(({ never }) => never).length
  return name === 'num_nonnulls' ? number(given, args.length) : number(0, args.length - given)
}

/** A scalar of the row itself, or of all of them: `(SELECT min(id) FROM t)` is no greater than any. */
function subLink({ subLinkType, subselect }: SubLink, look: Look): Known {
  if (subLinkType === 'EXISTS_SUBLINK' || subLinkType === 'ARRAY_SUBLINK') return present(true)
  const select = subselect !== undefined && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined
  const value = subLinkType === 'EXPR_SUBLINK' && select !== undefined ? onlyTarget(select) : undefined
  if (select === undefined || value === undefined) return ANY
  const found = witness(select, look)
  if (found?.truth === 'true') return valueOf(value, { ...found.look, gathers: select.groupClause === undefined })
  return 'FuncCall' in value && qualifiedName(value.FuncCall.funcname).name === 'count' ? number(0, Infinity) : ANY
}

/** The least and the greatest of all are below and above each. */
function extreme(name: string, { args = [], agg_filter }: FuncCall, look: Look): Known {
  const { base, from, to } = look.gathers && agg_filter === undefined ? valueOf(args[0], { ...look, gathers: false }) : ANY
  if (base === undefined) return ANY
  return name === 'min' ? { ...ANY, base, from: -Infinity, to } : { ...ANY, base, from, to: Infinity }
}

export function onlyTarget({ targetList = [] }: SelectStmt): Node | undefined {
  const [target, ...others] = targetList
  return target !== undefined && 'ResTarget' in target && others.length === 0 ? target.ResTarget.val : undefined
}
