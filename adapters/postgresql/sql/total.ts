/**
 * Whether an expression gives a value for whatever its columns hold. An expression that can fail for some values and
 * not for others tells them apart, even where its own value is hidden: `1 / (ascii(ssn) - 65)`. So only what is known
 * not to fail counts; what is not understood here may fail.
 *
 * Some fail by size or by their turn, and are followed through sub-selects for it: text that is joined to itself
 * again and again (`weight`), what is computed only where a condition says so (`brittle`), and what is not computed for
 * NULL, where a condition makes it NULL (`chosen`).
 */
import type { CaseExpr, FuncCall, JsonFuncExpr, Node, SubLink, TypeCast } from 'libpg-query'
import type { Source } from './analysis.ts'
import { qualifiedName, stringOf, stringsOf } from './ast.ts'
import { builtInType } from './built-in-type.ts'
import { resolve, type ScopeColumn, type ScopeItem } from './scope.ts'
import { PART_FUNCTIONS, PARTS_OF_A_DATE, PARTS_OF_A_MOMENT, TOTAL_FUNCTIONS, type TotalFunction } from './total-functions.ts'
import { castTo, COMPARES, operate, type Operands } from './total-operators.ts'
import { COMPARABLE, commonKind, compareWell, elementType, fieldType, IN_XML, JOINABLE, kindOfType, type Typed, type ValueKind } from './value-kind.ts'
import type { Env, Walk } from './walk.ts'

export interface Total {
  readonly kind: ValueKind
  /** Of a column and what is taken from it: the type's oid, below all domains. */
  readonly type?: number | undefined
  /** How many columns' lengths its length can add up to. */
  readonly weight: number
  /** Made of whole columns and constants: no condition chose how long it is. */
  readonly plain: boolean
  /**
   * It may fail for all rows alike: a sub-select with more than one row, texts whose collations do not agree. So it must
   * not stand where a condition decides whether it is computed.
   */
  readonly brittle: boolean
  /** Whether it is NULL may be decided by more than whether a column is: functions and comparisons pass over NULL. */
  readonly chosen: boolean
  /** A `numeric` of a column without a precision, or of a text: as large as they get. Where a condition chose it, nothing can be computed of it. */
  readonly endless?: boolean | undefined
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

type Parts = readonly (Total | undefined)[]

/** `undefined`: it may fail. */
export function totality(value: Node | undefined, env: Env, walk: Walk): Total | undefined {
  return look(value, { env, walk, conditional: false })
}

/** What holds of each of several values that come out in one place, converted to one type. */
export function together(parts: Parts): Total | undefined {
  const total = each(parts)
  const kind = allTotal(parts) ? commonKind(parts.map(typed)) : undefined
  return total === undefined || kind === undefined ? undefined : { ...total, kind, type: parts.every((part) => part?.type === total.type) ? total.type : undefined }
}

/** What is asked where several types come together. */
export function typed(total: Total | undefined): Typed {
  return total === undefined ? { kind: 'other', written: false } : { kind: total.kind, type: total.type, written: total.plain && total.type === undefined }
}

/** What holds of each of several values that are all computed. */
function each(parts: Parts): Total | undefined {
  const [first] = parts
  if (!allTotal(parts) || first === undefined) return undefined
  return {
    ...first,
    weight: Math.max(...parts.map(({ weight }) => weight)),
    plain: parts.length === 1 && first.plain,
    brittle: parts.some(({ brittle }) => brittle) || severalTexts(parts),
    chosen: parts.some(({ chosen }) => chosen),
    endless: parts.some(({ endless }) => endless === true),
  }
}

function allTotal(parts: Parts): parts is readonly Total[] {
  return parts.every((part) => part !== undefined)
}

const MAY_BE_TEXT: ReadonlySet<ValueKind> = new Set(['text', 'other', 'array', 'range'])

/** Each may have a collation of its own. */
function severalTexts(parts: Parts): boolean {
  return parts.filter((part) => part !== undefined && MAY_BE_TEXT.has(part.kind)).length > 1
}

/** What is not done for NULL, and may fail: where a condition says what is NULL, it says whether it fails. */
function skipsByChoice(parts: readonly Total[], brittle = false): boolean {
  return parts.some(({ chosen }) => chosen) && (brittle || parts.some((part) => part.brittle) || severalTexts(parts))
}

/** The same of what is compared, where elements are compared that may not be there, or one after the other. */
function comparesByChoice(parts: readonly Total[], brittle = false): boolean {
  const collected = parts.some(({ kind }) => kind === 'array' || kind === 'range' || kind === 'row')
  return skipsByChoice(collected ? parts.map((part) => ({ ...part, chosen: true })) : parts, brittle)
}

function look(value: Node | undefined, at: Look): Total | undefined {
  if (value === undefined) return undefined
  at.walk.budget.enter()
  const total = examine(value, at)
  at.walk.budget.leave()
  return total === undefined || total.weight > MAX_WEIGHT || (at.conditional && total.brittle) ? undefined : total
}

const given = (kind: ValueKind, weight = 0): Total => ({ kind, weight, plain: false, brittle: false, chosen: false })
const constant = (kind: ValueKind): Total => ({ ...given(kind, 1), plain: true })

function examine(node: Node, at: Look): Total | undefined {
  if ('A_Const' in node) return constant(kindOfConstant(node.A_Const))
  if ('ParamRef' in node) return constant('parameter')
  if ('ColumnRef' in node) return column(node, at)
  if ('TypeCast' in node) return cast(node.TypeCast, at)
  if ('FuncCall' in node) return call(node.FuncCall, at)
  if ('A_Expr' in node) return operator(node.A_Expr, at)
  if ('SubLink' in node) return subLink(node.SubLink, at)
  if ('CollateClause' in node) return collated(look(node.CollateClause.arg, at))
  if ('SQLValueFunction' in node) return sessionValue(node.SQLValueFunction.op)
  return choice(node, at) ?? construction(node, at)
}

/** Larger numbers than these could not be worked with safely (`operate`). */
const MAX_NUMBER = 1e15

function kindOfConstant({ ival, fval, boolval }: Extract<Node, { A_Const: unknown }>['A_Const']): ValueKind {
  if (ival !== undefined) return 'int'
  if (fval !== undefined) return Math.abs(Number(fval.fval)) <= MAX_NUMBER ? 'numeric' : 'other'
  return boolval === undefined ? 'constant' : 'bool'
}

/** CURRENT_USER and the like are texts of a collation of their own. */
function sessionValue(op = ''): Total {
  const kind: ValueKind = /USER|ROLE|CATALOG|SCHEMA/.test(op) ? 'text' : op.includes('DATE') ? 'date' : op.includes('TIMESTAMP') ? 'moment' : 'scalar'
  return given(kind, 1)
}

function collated(total: Total | undefined): Total | undefined {
  return total === undefined ? undefined : { ...total, brittle: true }
}

/** What decides by a value, or chooses one. */
function choice(node: Node, at: Look): Total | undefined {
  if ('CaseExpr' in node) return caseOf(node.CaseExpr, at)
  if ('CoalesceExpr' in node) return coalesce(node.CoalesceExpr.args ?? [], at)
  if ('MinMaxExpr' in node) return least(all(node.MinMaxExpr.args, at))
  if ('BoolExpr' in node) return truth(inTurn(node.BoolExpr.args, at), true)
  if ('NullTest' in node) return truth([look(node.NullTest.arg, at)], false)
  if ('BooleanTest' in node) return truth([look(node.BooleanTest.arg, at)], false)
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
  if ('JsonFuncExpr' in node) return jsonPath(node.JsonFuncExpr, at)
  if ('XmlExpr' in node) return xml(node.XmlExpr, at)
  if ('A_Indirection' in node) return part(node.A_Indirection.arg, node.A_Indirection.indirection ?? [], at)
  return undefined
}

function all(nodes: readonly Node[] | undefined, at: Look): Parts {
  return (nodes ?? []).map((node) => look(node, at))
}

/** The first is always computed, the others when it comes to them. */
function inTurn(nodes: readonly Node[] | undefined, at: Look): Parts {
  return (nodes ?? []).map((node, index) => look(node, index === 0 ? at : { ...at, conditional: true }))
}

/** One of several. Its length says which, so it is no plain column any more. */
function value(parts: Parts): Total | undefined {
  const total = together(parts)
  return total === undefined ? undefined : { ...total, plain: false, ...(parts.length > 1 && total.endless === true ? { kind: 'other' } : {}) }
}

function coalesce(args: readonly Node[], at: Look): Total | undefined {
  const total = value(inTurn(args, at))
  return total === undefined || !args.some(isValue) ? total : { ...total, chosen: false }
}

/** A constant that is not NULL. */
function isValue(node: Node | undefined): boolean {
  return node !== undefined && 'A_Const' in node && node.A_Const.isnull !== true
}

/** GREATEST and LEAST compare, and pass over NULL. */
function least(parts: Parts): Total | undefined {
  return allTotal(parts) && !comparesByChoice(parts) ? value(parts) : undefined
}

/** `chosen`: whether it is NULL may depend on more than NULLs. */
function truth(parts: Parts, chosen: boolean): Total | undefined {
  const total = each(parts)
  return total === undefined ? undefined : { ...given('bool', 1), brittle: total.brittle, chosen }
}

/** All of them, one behind the other. */
function joined(kind: ValueKind, parts: Parts): Total | undefined {
  if (parts.length === 0) return given(kind, 1)
  const total = each(parts)
  if (total === undefined) return undefined
  return { ...total, kind, type: undefined, weight: parts.reduce((sum, one) => sum + (one?.weight ?? 0), 1), plain: parts.every((one) => one?.plain === true) }
}

function column(node: Extract<Node, { ColumnRef: unknown }>, { env, walk, conditional }: Look): Total | undefined {
  const fields = node.ColumnRef.fields ?? []
  const parts = fields.flatMap((field) => ('String' in field ? [field.String.sval ?? ''] : []))
  if (parts.length < fields.length) return undefined
  const found = resolve(parts, env.scope, walk.budget)
  if (found.kind === 'row') return found.item === undefined ? undefined : row(found.item, conditional)
  return found.kind === 'column' && found.plain ? columnTotal(found, walk, conditional) : undefined
}

export function columnTotal({ sources, derived, total }: Omit<ScopeColumn, 'name'>, walk: Walk, conditional = false): Total | undefined {
  if (derived.length > 0 || sources.length === 0) return total
  const [source] = sources
  // What two tables hold may have two collations.
  const merged = sources.length > 1
  if (conditional && (merged || sources.some(isComputed))) return undefined
  const column = source?.relation?.columns.find(({ attnum }) => attnum === source.attnum)
  const known = merged || column === undefined ? undefined : kindOfType(column.type, walk.found.context.resolver)
  const endless = known?.kind === 'numeric' && (column?.typmod ?? -1) < 0
  return { ...given(known?.kind ?? 'other', 1), type: known?.type, plain: !merged, brittle: merged, endless }
}

/** A view's column, or one that is generated when it is read, may fail in its turn. */
function isComputed({ relation, attnum }: Source): boolean {
  return relation === undefined || relation.kind === 'view' || relation.columns.some((column) => column.virtual === true && (attnum === 0 || column.attnum === attnum))
}

/** A whole row of one base relation, or of columns that cannot fail. */
function row(item: ScopeItem, conditional: boolean): Total | undefined {
  if (item.open || (conditional && item.relations.some(({ kind, columns }) => kind === 'view' || columns.some(({ virtual }) => virtual === true)))) return undefined
  const base = item.relations.length === 1
  if (base) return { ...given('row', ROW_WEIGHT), plain: true }
  const parts = item.columns.map(({ sources, derived, total }) => (sources.length > 0 && derived.length === 0 ? given('other', 1) : total))
  const total = joined('row', parts)
  return total === undefined ? undefined : { ...total, plain: item.columns.every(({ sources, derived }) => sources.length === 1 && derived.length === 0) }
}

function cast({ arg, typeName }: TypeCast, at: Look): Total | undefined {
  const type = builtInType(typeName, at.walk.found.context)
  return type === undefined || arg === undefined ? undefined : castTo(type, look(arg, at), { text: 'A_Const' in arg && arg.A_Const.sval !== undefined, narrowed: typeName?.typmods !== undefined })
}

function call(func: FuncCall, at: Look): Total | undefined {
  const { schema, name } = qualifiedName(func.funcname)
  const { resolver, searchPath } = at.walk.found.context
  if (func.func_variadic === true || func.agg_within_group === true) return undefined
  if ((schema !== undefined && schema !== 'pg_catalog') || (schema === undefined && resolver === undefined) || (resolver?.functions(schema, name, searchPath).length ?? 0) > 0) return undefined
  const args = all(func.args, func.agg_filter === undefined ? at : { ...at, conditional: true })
  const order = all((func.agg_order ?? []).flatMap((sort) => ('SortBy' in sort ? (sort.SortBy.node ?? []) : [])), at)
  const around = [...all(func.agg_filter === undefined ? [] : [func.agg_filter], at), ...order]
  if (!allTotal(args) || !allTotal(around) || (allTotal(order) && comparesByChoice(order))) return undefined
  const known = PART_FUNCTIONS.has(name) ? (args[1]?.kind === 'date' ? PARTS_OF_A_DATE : PARTS_OF_A_MOMENT) : TOTAL_FUNCTIONS.get(name)
  return known === undefined || !fits(known, func, args, at) ? undefined : result(known, func, args, around)
}

/** Whether these arguments are among those it never fails for. */
function fits({ gives, arguments: [fewest, most], takes = {}, written = {}, grows, levels, keyed, noJson, joins, brittle, moves }: TotalFunction, func: FuncCall, args: readonly Total[], at: Look): boolean {
  const [first] = args
  const nodes = func.args ?? []
  if (args.length < fewest || args.length > most) return false
  if (args.some(({ kind }, index) => takes[index]?.has(kind) === false)) return false
  if (nodes.some((arg, index) => written[index] !== undefined && !looksLike(literalText(arg), written[index], at))) return false
  if (noJson === true && args.some(({ kind }) => kind === 'other' || kind === 'parameter')) return false
  if (keyed === true && nodes.some((arg, index) => index % 2 === 0 && !('A_Const' in arg && arg.A_Const.sval !== undefined))) return false
  const compares = gives === 'argument' || func.agg_distinct === true
  if (joins !== true && (compares ? comparesByChoice(args, brittle) : skipsByChoice(args, brittle))) return false
  if (takes[0] !== undefined && first?.endless === true && (first.chosen || func.agg_filter !== undefined)) return false
  if (moves === true && !args.every(({ plain }) => plain)) return false
  if (grows !== true) return true
  if (func.agg_filter !== undefined || func.agg_distinct === true) return false
  // One that was made here has a type that is not known.
  if (levels === true && first?.kind === 'array' && first.type !== undefined) return false
  return first?.plain === true && first.kind !== 'other' && args.slice(1).every(({ kind }) => kind === 'constant')
}

/** A string or a number that is written out; `undefined` for anything else, NULL as well. */
function literalText(node: Node): string | undefined {
  if (!('A_Const' in node)) return undefined
  const { sval, ival } = node.A_Const
  return sval === undefined ? (ival === undefined ? undefined : String(ival.ival ?? 0)) : (sval.sval ?? '')
}

function looksLike(text: string | undefined, wanted: RegExp | ReadonlySet<string> | 'anything', at: Look): boolean {
  if (text === undefined) return false
  if (wanted === 'anything') return true
  if (wanted instanceof RegExp) at.walk.found.literal()
  return wanted instanceof RegExp ? wanted.test(text) : wanted.has(text)
}

function result({ gives, joins, lengthens, brittle = false, chooses = false }: TotalFunction, func: FuncCall, args: readonly Total[], around: readonly Total[]): Total {
  const [first] = args
  const texts = (func.args ?? []).map(literalText)
  const weight = joins === true ? args.reduce((sum, arg) => sum + arg.weight, 1) : Math.max(1, ...args.map((arg) => arg.weight)) * (lengthens?.(texts) ?? 1)
  return {
    // The ends of a range go by the names of functions of text.
    kind: gives === 'argument' ? (first?.kind ?? 'other') : first?.kind === 'range' && gives === 'text' ? 'other' : gives,
    weight, plain: joins === true && args.every((arg) => arg.plain),
    brittle: brittle || [...args, ...around].some((arg) => arg.brittle) || (gives !== 'json' && severalTexts(args)),
    endless: args.some(({ endless }) => endless === true),
    chosen: chooses || first?.kind === 'range' || func.agg_filter !== undefined || (joins !== true && args.some(({ chosen }) => chosen)),
  }
}

/** BETWEEN, IN, CASE and NULLIF compare without a symbol: somebody may have made another meaning for theirs. */
function comparesBuiltIn({ walk: { found: { context: { resolver } } } }: Look): boolean {
  return resolver !== undefined && [...COMPARES].every((symbol) => resolver.operatorFunctions(symbol).length === 0)
}

const LISTS = new Set(['AEXPR_IN', 'AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM'])
/** They compare one after the other, until one decides. */
const IN_TURN = new Set([...LISTS, 'AEXPR_OP_ANY', 'AEXPR_OP_ALL'])

function operator({ kind = 'AEXPR_OP', name, lexpr, rexpr }: Extract<Node, { A_Expr: unknown }>['A_Expr'], at: Look): Total | undefined {
  const { schema, name: symbol } = qualifiedName(name)
  if (at.walk.found.context.resolver?.operatorFunctions(symbol).length !== 0 || (schema !== undefined && schema !== 'pg_catalog')) return undefined
  const right = rexpr !== undefined && 'List' in rexpr && LISTS.has(kind) ? all(rexpr.List.items, at) : [look(rexpr, at)]
  const parts = lexpr === undefined ? right : [look(lexpr, at), ...right]
  if (!allTotal(parts) || (kind !== 'AEXPR_OP' && !comparesBuiltIn(at))) return undefined
  const operands: Operands = { kind, symbol, parts, written: rexpr === undefined ? undefined : literalText(rexpr), literal: () => at.walk.found.literal() }
  const found = operate(operands)
  if (found === undefined) return undefined
  if (found === 'joined') return joined('text', parts)
  if (IN_TURN.has(kind) ? parts.some(({ brittle }) => brittle) || severalTexts(parts) : comparesByChoice(parts, found.brittle)) return undefined
  return { ...given(found.kind, Math.max(1, found.weight)), endless: parts.some(({ endless }) => endless === true), brittle: found.brittle || parts.some(({ brittle }) => brittle) || severalTexts(parts), chosen: found.chosen || parts.some(({ chosen }) => chosen) }
}

function caseOf({ arg, args = [], defresult }: CaseExpr, at: Look): Total | undefined {
  const later: Look = { ...at, conditional: true }
  const whens = args.flatMap((node) => ('CaseWhen' in node ? [node.CaseWhen] : []))
  const conditions = whens.map(({ expr }, index) => look(expr, index === 0 && arg === undefined ? at : later))
  const asked: Parts = arg === undefined ? conditions : [look(arg, at), ...conditions]
  if (!allTotal(asked)) return undefined
  // It compares one after the other, until one is the same.
  if (arg !== undefined && (!comparesBuiltIn(at) || !asked.every(({ kind }) => COMPARABLE.has(kind)) || !compareWell(asked.map(typed)) || skipsByChoice(asked) || severalTexts(asked))) return undefined
  const results = whens.map(({ result: then }) => look(then, later))
  const total = value(defresult === undefined ? results : [...results, look(defresult, later)])
  if (total === undefined) return undefined
  const never = isValue(defresult) && whens.every(({ result: then }) => isValue(then))
  return { ...total, brittle: total.brittle || asked.some(({ brittle }) => brittle), chosen: !never }
}

/** Elements that are arrays themselves must have the same length, or the server complains. */
function arrayOf(parts: Parts): Total | undefined {
  return parts.length === 0 || (parts.every((one) => one !== undefined && JOINABLE.has(one.kind)) && together(parts) !== undefined) ? joined('array', parts) : undefined
}

/** FORMAT JSON reads its value; without, it is only written. */
function jsonValue({ raw_expr, format }: { raw_expr?: Node; format?: { format_type?: string } }, at: Look): Total | undefined {
  return format?.format_type === 'JS_FORMAT_DEFAULT' ? look(raw_expr, at) : undefined
}

/** JSON_VALUE, JSON_QUERY and JSON_EXISTS give NULL for what they cannot do, unless they are told to fail. */
function jsonPath({ context_item, pathspec, passing, output, on_empty, on_error }: JsonFuncExpr, at: Look): Total | undefined {
  const item = look(context_item?.raw_expr, at)
  const plain = pathspec !== undefined && 'A_Const' in pathspec && passing === undefined && output === undefined && on_empty === undefined && on_error === undefined
  return plain && (item?.kind === 'jsonb' || item?.kind === 'json') ? { ...item, kind: 'other', type: undefined, plain: false, chosen: true } : undefined
}

function xml({ op, args, named_args }: { op?: string; args?: Node[]; named_args?: Node[] }, at: Look): Total | undefined {
  // A server may have been built without XML, and says so when it comes to it.
  if ((op !== 'IS_XMLELEMENT' && op !== 'IS_XMLFOREST') || at.conditional) return undefined
  const named = (named_args ?? []).map((node) => ('ResTarget' in node ? node.ResTarget.val : undefined))
  const parts = [...(args ?? []), ...named].map((node) => look(node, at))
  return parts.every((one) => one !== undefined && IN_XML.has(one.kind)) ? collated(joined('json', parts)) : undefined
}

/** A field of a row, an element of an array, a member of `jsonb`, and what is in that. */
function part(arg: Node | undefined, steps: readonly Node[], at: Look): Total | undefined {
  let found = look(arg, at)
  for (const [index, step] of steps.entries()) {
    if (found === undefined || arg === undefined) return undefined
    found = 'A_Indices' in step ? element(step, found, at) : (index === 0 ? ownField(arg, step, at) : undefined) ?? field(step, found, at)
  }
  return found === undefined ? undefined : { ...found, plain: false }
}

function element(step: Extract<Node, { A_Indices: unknown }>, whole: Total, at: Look): Total | undefined {
  if (!indexed(step, whole, at)) return undefined
  if (whole.kind === 'jsonb' || step.A_Indices.is_slice === true) return { ...whole, chosen: true }
  return { ...whole, ...ofType(elementType(whole.type, at.walk.found.context.resolver), at), chosen: true }
}

/** Of a composite type: anything else would be called as a function. */
function field(step: Node, whole: Total, at: Look): Total | undefined {
  if (whole.kind !== 'row') return undefined
  if ('A_Star' in step) return { ...whole, kind: 'other', type: undefined }
  const type = fieldType(whole.type, stringOf(step) ?? '', at.walk.found.context.resolver)
  return type === undefined ? undefined : { ...whole, ...ofType(type, at) }
}

function ofType(type: number | undefined, at: Look): { readonly kind: ValueKind; readonly type: number | undefined } {
  return type === undefined ? { kind: 'other', type } : kindOfType(type, at.walk.found.context.resolver)
}

/** Of a row that is made here, or of a table. */
function ownField(arg: Node, step: Node, { env, walk, conditional }: Look): Total | undefined {
  const name = stringOf(step)
  if ('RowExpr' in arg) return name !== undefined && /^f\d+$/.test(name) ? given('other', ROW_WEIGHT) : undefined
  if (!('ColumnRef' in arg)) return undefined
  const found = resolve(stringsOf(arg.ColumnRef.fields), env.scope, walk.budget)
  const column = found.kind === 'row' ? found.item?.columns.find((each) => each.name === name) : undefined
  return column === undefined ? undefined : columnTotal(column, walk, conditional)
}

/** Larger numbers than an `integer` would have to be made one. */
const INDEXES: ReadonlySet<ValueKind> = new Set(['int', 'parameter'])

function indexed({ A_Indices: { lidx, uidx } }: Extract<Node, { A_Indices: unknown }>, { kind }: Total, at: Look): boolean {
  // Of NULL there is nothing to look for.
  const indexes = [lidx, uidx].filter((index) => index !== undefined).map((index) => look(index, { ...at, conditional: true }))
  if (kind === 'jsonb') return indexes.every((index) => index !== undefined && (index.kind === 'int' || index.kind === 'constant' || index.kind === 'text'))
  return kind === 'array' && indexes.every((index) => index !== undefined && INDEXES.has(index.kind))
}

/** It gives one row or fails, whatever the masked values are: they choose no rows here, or it would be noted. */
function subLink({ subLinkType, subselect, testexpr, operName }: SubLink, at: Look): Total | undefined {
  if (subselect === undefined || !('SelectStmt' in subselect)) return undefined
  const outputs = at.walk.subqueries.get(subselect.SelectStmt)
  if (outputs === undefined || at.conditional) return undefined
  if (subLinkType === 'EXISTS_SUBLINK') return { ...given('bool', 1), brittle: true }
  const [only, ...others] = outputs.columns
  if (only === undefined || others.length > 0 || outputs.open) return undefined
  const total = columnTotal(only, at.walk)
  if (total === undefined) return undefined
  if (subLinkType === 'EXPR_SUBLINK') return { ...total, plain: false, brittle: true }
  if (subLinkType === 'ARRAY_SUBLINK') return total.plain && total.kind !== 'other' && total.kind !== 'array' ? { ...given('array', 1), brittle: true } : undefined
  if (subLinkType !== 'ANY_SUBLINK' || !COMPARES.has(stringsOf(operName).at(-1) ?? '=') || !comparesBuiltIn(at)) return undefined
  const test = look(testexpr, at)
  if (test === undefined || !COMPARABLE.has(test.kind) || !COMPARABLE.has(total.kind) || !compareWell([test, total].map(typed)) || skipsByChoice([test, total], true)) return undefined
  return { ...given('bool', 1), brittle: true, chosen: true }
}
