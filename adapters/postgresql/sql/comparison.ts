/** Comparisons whose outcome is the same for every row. */
import type { A_Expr, Node } from 'libpg-query'
import { argumentText, qualifiedName } from './ast.ts'
import type { Known } from './known.ts'
import { sameText, valueOf } from './known-value.ts'
import { ownColumn, type Look, type Truth } from './look.ts'

const HOLDS_FOR_EQUALS: Readonly<Record<string, boolean>> = { '=': true, '>=': true, '<=': true, '<>': false, '<': false, '>': false }

/** `true` may be NULL where a column is: a condition that is false for no row chooses none. The right side may stand in a sub-select. */
export function compare(operator: string, left: Node | undefined, right: Node | undefined, look: Look, inner: Look = look): Truth {
  const holds = HOLDS_FOR_EQUALS[operator]
  if (holds === undefined || left === undefined || right === undefined) return 'unknown'
  const [a, b] = [argumentText(left), argumentText(right)]
  if (a === null || b === null) return 'false'
  if (a !== undefined && b !== undefined) return ordered(operator, a, b, look)
  if ('RowExpr' in left && 'RowExpr' in right) return rows(operator, left.RowExpr.args ?? [], right.RowExpr.args ?? [], look)
  if (sameText(left, right, look, inner)) return holds ? 'true' : 'false'
  if (isOwnTable(left, b, look) || isOwnTable(right, a, look)) return holds ? 'true' : 'false'
  const [known, other] = [valueOf(left, look), valueOf(right, inner)]
  const empty = b === '' ? againstEmpty(operator, known) : a === '' ? againstEmpty(FLIPPED[operator] ?? '', other) : 'unknown'
  if (known.base !== undefined && known.base === other.base) {
    look.walk.found.literal()
    return outcome(operator, { low: known.from, high: known.to }, { low: other.from, high: other.to })
  }
  // Statements that look up one value repeat more than any others: they share what is known of their shape.
  const found = operator === '=' && (isNarrow(known) || isNarrow(other)) ? 'unknown' : outcome(operator, known, other)
  const reads = (b !== undefined && mayReadText(operator, known)) || (a !== undefined && mayReadText(FLIPPED[operator] ?? '', other))
  if (found !== 'unknown' || reads || (operator !== '=' && (isNarrow(known) || isNarrow(other)))) look.walk.found.literal()
  return empty === 'unknown' ? found : empty
}

/** `tableoid = 't'::regclass`. */
function isOwnTable(side: Node, text: string | undefined, look: Look): boolean {
  if (text === undefined) return false
  const inner = 'TypeCast' in side ? withoutCasts(side) : side
  const name = 'ColumnRef' in inner ? ownColumn(inner.ColumnRef, look)?.name : undefined
  if (name !== 'tableoid') return false
  look.walk.found.literal()
  const table = text.slice(text.lastIndexOf('.') + 1).replaceAll('"', '')
  return look.items[0]?.relations.every((relation) => relation.name === table) === true
}

function withoutCasts(node: Node): Node {
  return 'TypeCast' in node && node.TypeCast.arg !== undefined ? withoutCasts(node.TypeCast.arg) : node
}

const FLIPPED: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '>': '<', '<=': '>=', '>=': '<=' }

/** No text comes before the empty one. */
function againstEmpty(operator: string, { filled }: Known): Truth {
  if (operator === '>=' || ((operator === '<>' || operator === '>') && filled)) return 'true'
  return operator === '<' || (operator === '=' && filled) ? 'false' : 'unknown'
}

/** Whether an empty text in the place of a constant would decide it. */
function mayReadText(operator: string, { low, filled }: Known): boolean {
  return Number.isNaN(low) && (filled || operator === '>=' || operator === '<')
}

/** Constants of a shape have at most nine digits: against wider bounds none of them decides anything. */
function isNarrow({ low, high }: Known): boolean {
  return low !== high && (Math.abs(low) < 1e9 || Math.abs(high) < 1e9)
}

interface Bounds { readonly low: number; readonly high: number }

function outcome(operator: string, left: Bounds, right: Bounds): Truth {
  const above = left.low > right.high
  const below = left.high < right.low
  const notAbove = left.high <= right.low
  const notBelow = left.low >= right.high
  const equal = notAbove && notBelow
  const found: Readonly<Record<string, readonly [always: boolean, never: boolean]>> = {
    '=': [equal, above || below], '<>': [above || below, equal], '>': [above, notAbove], '<': [below, notBelow], '>=': [notBelow, below], '<=': [notAbove, above],
  }
  const [always = false, never = false] = found[operator] ?? []
  return always ? 'true' : never ? 'false' : 'unknown'
}

/** Rows are compared by the first of their values that differ. */
function rows(operator: string, left: readonly Node[], right: readonly Node[], look: Look): Truth {
  if (left.length !== right.length || left.length === 0) return 'unknown'
  const differs = left.findIndex((node, index) => compare('=', node, right[index], look) !== 'true')
  if (differs < 0) return HOLDS_FOR_EQUALS[operator] === true ? 'true' : 'false'
  const strictly = operator.slice(0, 1)
  if (!/^[<>]=?$/.test(operator)) return 'unknown'
  if (compare(strictly, left[differs], right[differs], look) === 'true') return 'true'
  return compare(FLIPPED[strictly] ?? '', left[differs], right[differs], look) === 'true' ? 'false' : 'unknown'
}

function ordered(operator: string, left: string, right: string, look: Look): Truth {
  look.walk.found.literal()
  const numeric = left.trim() !== '' && right.trim() !== '' && Number.isFinite(Number(left)) && Number.isFinite(Number(right))
  if (!numeric && operator !== '=' && operator !== '<>') return 'unknown'
  const order = numeric ? Math.sign(Number(left) - Number(right)) : left === right ? 0 : 1
  const result = { '=': order === 0, '<>': order !== 0, '<': order < 0, '>': order > 0, '<=': order <= 0, '>=': order >= 0 }[operator]
  return result === true ? 'true' : 'false'
}

export function operatorOf(expr: A_Expr): string {
  return qualifiedName(expr.name).name
}

const OPPOSITE: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>', '~~': '!~~', '!~~': '~~', '~~*': '!~~*', '!~~*': '~~*', '~': '!~', '!~': '~', '~*': '!~*', '!~*': '~*' }
const OPPOSITE_KIND: Readonly<Record<string, string>> = {
  AEXPR_DISTINCT: 'AEXPR_NOT_DISTINCT', AEXPR_NOT_DISTINCT: 'AEXPR_DISTINCT', AEXPR_BETWEEN: 'AEXPR_NOT_BETWEEN', AEXPR_NOT_BETWEEN: 'AEXPR_BETWEEN',
  AEXPR_OP_ANY: 'AEXPR_OP_ALL', AEXPR_OP_ALL: 'AEXPR_OP_ANY',
}
const WITHOUT_OPERATOR = /DISTINCT|BETWEEN/

/** Of several, two that cannot both be false: `a = 1` and `a <> 1`, `a IS NULL` and `a IS NOT NULL`, `p` and `NOT p`, `a > 1` and `a < 5`. */
export function complementary(args: readonly Node[], look: Look): boolean {
  if (args.length > 64) return false
  return args.some((left, index) => args.slice(index + 1).some((right) => isOpposite(left, right, look) || isOpposite(right, left, look) || overlap(left, right, look)))
}

/** Of several, two that cannot both hold. */
export function contradictory(args: readonly Node[], look: Look): boolean {
  if (args.length > 64) return false
  return args.some((left, index) => args.slice(index + 1).some((right) => isOpposite(left, right, look) || isOpposite(right, left, look)))
}

function isOpposite(left: Node, right: Node, look: Look): boolean {
  const same = (a: Node | undefined, b: Node | undefined): boolean => a !== undefined && b !== undefined && identical(a, b, look)
  if ('BoolExpr' in right && right.BoolExpr.boolop === 'NOT_EXPR') return same(left, right.BoolExpr.args?.[0])
  if ('NullTest' in left && 'NullTest' in right) {
    return left.NullTest.nulltesttype !== right.NullTest.nulltesttype && same(left.NullTest.arg, right.NullTest.arg)
  }
  if ('BooleanTest' in left && 'BooleanTest' in right) {
    return left.BooleanTest.booltesttype === right.BooleanTest.booltesttype?.replace('IS_NOT_', 'IS_') && left.BooleanTest.booltesttype !== right.BooleanTest.booltesttype && same(left.BooleanTest.arg, right.BooleanTest.arg)
  }
  if (!('A_Expr' in left) || !('A_Expr' in right)) return false
  const [a, b] = [left.A_Expr, right.A_Expr]
  if ((OPPOSITE_KIND[a.kind ?? ''] ?? a.kind) !== b.kind) return false
  return (WITHOUT_OPERATOR.test(a.kind ?? '') || OPPOSITE[operatorOf(a)] === operatorOf(b)) && same(a.lexpr, b.lexpr) && same(a.rexpr, b.rexpr)
}

function identical(left: Node, right: Node, look: Look): boolean {
  look.walk.found.literal()
  return sameText(left, right, look)
}

/** `id > 5 OR id < 10`. */
function overlap(left: Node, right: Node, look: Look): boolean {
  const [a, b] = [endless(left, look), endless(right, look)]
  if (a === undefined || b === undefined || a.base !== b.base || a.upward === b.upward) return false
  const [up, down] = a.upward ? [a, b] : [b, a]
  return up.from < down.from || (up.from === down.from && (up.closed || down.closed))
}

interface Endless { readonly base: string; readonly upward: boolean; readonly from: number; readonly closed: boolean }

/** All numbers on one side of a constant. */
function endless(node: Node, look: Look): Endless | undefined {
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return undefined
  const { lexpr, rexpr } = node.A_Expr
  const turned = argumentText(lexpr) !== undefined
  const operator = turned ? (FLIPPED[operatorOf(node.A_Expr)] ?? '') : operatorOf(node.A_Expr)
  const [side, limit] = turned ? [rexpr, argumentText(lexpr)] : [lexpr, argumentText(rexpr)]
  if (typeof limit !== 'string' || !/^[<>]=?$/.test(operator)) return undefined
  look.walk.found.literal()
  const { base, from, to } = valueOf(side, look)
  return base === undefined || from !== to || limit.trim() === '' ? undefined : { base, upward: operator.startsWith('>'), from: Number(limit) - from, closed: operator.endsWith('=') }
}
