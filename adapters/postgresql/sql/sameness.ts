/** Whether two expressions give the same, or the opposite, for every row: as far as their form tells. */
import type { A_Expr, Node } from 'libpg-query'
import { argumentText, qualifiedName, stringOf } from './ast.ts'
import { expression } from './expression.ts'
import { WHERE } from './place.ts'
import type { ScopeItem } from './scope.ts'
import { TOTAL_FUNCTIONS } from './total-functions.ts'
import type { Env, Walk } from './walk.ts'

/** Whose rows are looked at, and what the names around stand for. */
export interface Look {
  readonly item: ScopeItem
  readonly env: Env
  readonly walk: Walk
}

/** Whether an expression looks at the rows. The type of a column, or the table that a row is of, is the same for all. */
export function mentions(node: Node | undefined, { item, env, walk }: Look): boolean {
  if (lastName(node) === 'tableoid' || calls(node) === 'pg_typeof') return false
  if (node !== undefined && 'A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') return [node.A_Expr.lexpr, node.A_Expr.rexpr].some((side) => mentions(side, { item, env, walk }))
  if (node !== undefined && 'TypeCast' in node) return mentions(node.TypeCast.arg, { item, env, walk })
  const before = item.touched
  item.touched = false
  expression(node, env, WHERE, walk.probe())
  const hit = item.touched
  item.touched ||= before
  return hit
}

function calls(node: Node | undefined): string | undefined {
  return node !== undefined && 'FuncCall' in node ? qualifiedName(node.FuncCall.funcname).name : undefined
}

export function lastName(node: Node | undefined): string | undefined {
  return node !== undefined && 'ColumnRef' in node ? stringOf(node.ColumnRef.fields?.at(-1)) : undefined
}

export function operatorOf(expr: A_Expr): string {
  return qualifiedName(expr.name).name
}

/** The same expression twice: `id = id`, `t.id = id + 0`. What changes from call to call is never the same. */
export function same(one: Node | undefined, other: Node | undefined, look: Look): boolean {
  const [left, right] = [bare(one, look), bare(other, look)]
  if (left === undefined || right === undefined) return false
  const name = lastName(left)
  if (name !== undefined) return name === lastName(right) && (written(left) === written(right) || (mentions(left, look) && mentions(right, look)))
  if (Object.keys(left)[0] !== Object.keys(right)[0]) return false
  const text = written(left)
  if (text.includes('"A_Const"')) look.walk.found.literal()
  return text === written(right) && !/"(SubLink|ParamRef)"/.test(text) && isSteady(left)
}

/** Functions in it give the same for the same. */
function isSteady(node: Node): boolean {
  const names = [...JSON.stringify(node).matchAll(/"funcname":\[(?:\{"String":\{"sval":"pg_catalog"\}\},)?\{"String":\{"sval":"(\w+)"\}\}\]/g)].map(([, name = '']) => name)
  return names.length === (JSON.stringify(node).match(/"FuncCall"/g) ?? []).length && names.every((name) => (TOTAL_FUNCTIONS.get(name)?.arguments[0] ?? 0) > 0)
}

/** Without what leaves a value as it is: `+ 0`, `|| ''`, a SELECT around it. */
export function bare(node: Node | undefined, look: Look): Node | undefined {
  if (node === undefined) return undefined
  if ('CollateClause' in node) return bare(node.CollateClause.arg, look)
  if ('MinMaxExpr' in node) {
    const [first, ...others] = node.MinMaxExpr.args ?? []
    return others.every((part) => same(first, part, look)) ? bare(first, look) : node
  }
  if ('SubLink' in node) return scalar(node, look)
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return node
  const kept = unchanged(node.A_Expr, look)
  return kept === undefined ? node : bare(kept, look)
}

function scalar(node: Extract<Node, { SubLink: unknown }>, look: Look): Node {
  const { subLinkType, subselect } = node.SubLink
  const select = subselect !== undefined && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined
  const [target, ...others] = select?.targetList ?? []
  const plain = subLinkType === 'EXPR_SUBLINK' && select?.fromClause === undefined && select?.whereClause === undefined && others.length === 0
  return (plain && target !== undefined && 'ResTarget' in target ? bare(target.ResTarget.val, look) : undefined) ?? node
}

/** What is the neutral element on the left, on the right. */
const NEUTRAL: Readonly<Record<string, readonly [left: string | undefined, right: string]>> = { '+': ['0', '0'], '-': [undefined, '0'], '*': ['1', '1'], '/': [undefined, '1'], '||': ['', ''] }

function unchanged(expr: A_Expr, { walk }: Look): Node | undefined {
  const neutral = NEUTRAL[operatorOf(expr)]
  if (neutral === undefined || expr.lexpr === undefined) return undefined
  const [left, right] = [argumentText(expr.lexpr), argumentText(expr.rexpr)]
  if (left !== undefined || right !== undefined) walk.found.literal()
  if (right === neutral[1]) return expr.lexpr
  return neutral[0] !== undefined && left === neutral[0] ? expr.rexpr : undefined
}

/** One of two is true of every row, but for NULL. */
export function isOpposite(left: Node, right: Node, look: Look): boolean {
  if (written(left).includes('"A_Const"')) look.walk.found.literal()
  const [one, other] = [positive(left), positive(right)]
  if (one.negated !== other.negated && written(one.node) === written(other.node)) return true
  if (one.negated !== other.negated && 'NullTest' in one.node && 'NullTest' in other.node) return same(one.node.NullTest.arg, other.node.NullTest.arg, look)
  if (!('A_Expr' in one.node) || !('A_Expr' in other.node)) return false
  const [a, b] = [one.node.A_Expr, other.node.A_Expr]
  if (!same(a.lexpr, b.lexpr, look)) return false
  if (OPPOSITE[operatorOf(a)] === operatorOf(b) && one.negated === other.negated && same(a.rexpr, b.rexpr, look)) return true
  return !one.negated && !other.negated && (meets(a, b, look) || meets(b, a, look))
}

const OPPOSITE: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' }

/** `x < 3 OR x > 2`: no value lies between. */
function meets(below: A_Expr, above: A_Expr, { walk }: Look): boolean {
  const [high, low] = [argumentText(below.rexpr), argumentText(above.rexpr)]
  if (typeof high !== 'string' || typeof low !== 'string' || !/^<=?$/.test(operatorOf(below)) || !/^>=?$/.test(operatorOf(above))) return false
  walk.found.literal()
  const gap = Number(low) - Number(high)
  return gap < 0 || (gap === 0 && (operatorOf(below) === '<=' || operatorOf(above) === '>='))
}

/** Kinds and operators that are others' negations, and which. */
const NEGATIONS: Readonly<Record<string, string>> = { AEXPR_NOT_BETWEEN: 'AEXPR_BETWEEN', AEXPR_NOT_BETWEEN_SYM: 'AEXPR_BETWEEN_SYM', AEXPR_DISTINCT: 'AEXPR_NOT_DISTINCT' }
const NEGATED_TESTS: Readonly<Record<string, string>> = { IS_NOT_TRUE: 'IS_TRUE', IS_NOT_FALSE: 'IS_FALSE', IS_NOT_UNKNOWN: 'IS_UNKNOWN' }

interface Positive {
  readonly node: Node
  readonly negated: boolean
}

function positive(node: Node): Positive {
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'NOT_EXPR' && node.BoolExpr.args?.[0] !== undefined) {
    const inner = positive(node.BoolExpr.args[0])
    return { node: inner.node, negated: !inner.negated }
  }
  if ('NullTest' in node && node.NullTest.nulltesttype === 'IS_NOT_NULL') return { node: { NullTest: { ...node.NullTest, nulltesttype: 'IS_NULL' } }, negated: true }
  if ('BooleanTest' in node) {
    const test = NEGATED_TESTS[node.BooleanTest.booltesttype ?? '']
    return test === undefined ? { node, negated: false } : { node: { BooleanTest: { ...node.BooleanTest, booltesttype: test as 'IS_TRUE' } }, negated: true }
  }
  return 'A_Expr' in node ? positiveExpr(node.A_Expr) : { node, negated: false }
}

function positiveExpr(expr: A_Expr): Positive {
  const kind = NEGATIONS[expr.kind ?? '']
  const name = operatorOf(expr)
  const negated = kind !== undefined || name.startsWith('!~') || (name === '<>' && expr.kind !== 'AEXPR_DISTINCT')
  const plain = name === '<>' ? '=' : name.replace(/^!~/, '~')
  if (!negated) return { node: { A_Expr: expr }, negated }
  return { node: { A_Expr: { ...expr, kind: (kind ?? expr.kind) as 'AEXPR_OP', name: kind === undefined ? [{ String: { sval: plain } }] : namedAs(expr.kind ?? '', expr.name ?? []) } }, negated }
}

/** The grammar puts words in place of operators there. */
function namedAs(kind: string, name: NonNullable<A_Expr['name']>): NonNullable<A_Expr['name']> {
  return kind === 'AEXPR_DISTINCT' ? name : [{ String: { sval: kind === 'AEXPR_NOT_BETWEEN' ? 'BETWEEN' : 'BETWEEN SYMMETRIC' } }]
}

const PLACES = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end'])

export function written(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) => (PLACES.has(key) ? undefined : value))
}
