import type { A_Expr, CaseExpr, Node, SelectStmt, SubLink } from 'libpg-query'
import { argumentText, qualifiedName, stringOf, stringsOf, typeName } from './ast.ts'
import { expression } from './expression.ts'
import { WHERE } from './place.ts'
import { SYSTEM_COLUMNS } from './resolver.ts'
import type { ScopeItem } from './scope.ts'
import type { Env, Walk } from './walk.ts'

/** What a condition is known to be for every row. `unknown` depends on rows, or cannot be told. */
export type Truth = 'true' | 'false' | 'unknown'

/**
 * Whether a condition narrows down the rows of `item`. It does not when it is always true, or when it says
 * nothing of these rows: `WHERE random() < 2` or `WHERE other.x = 1` takes all of them or none.
 */
export function restricts(condition: Node, item: ScopeItem, env: Env, walk: Walk): boolean {
  const look = { item, env, walk }
  const truth = truthOf(condition, look)
  if (truth !== 'unknown') return truth === 'false'
  if ('BoolExpr' in condition) {
    const { boolop, args = [] } = condition.BoolExpr
    if (boolop === 'AND_EXPR') return args.some((part) => restricts(part, item, env, walk))
    if (boolop === 'OR_EXPR') return args.every((part) => restricts(part, item, env, walk))
  }
  if ('CurrentOfExpr' in condition) return true
  return mentions(condition, look)
}

/** Whose rows are looked at, and what the names around stand for. */
interface Look {
  readonly item: ScopeItem
  readonly env: Env
  readonly walk: Walk
}

function mentions(node: Node | undefined, { item, env, walk }: Look): boolean {
  const before = item.touched
  item.touched = false
  expression(node, env, WHERE, walk.probe())
  const hit = item.touched
  item.touched ||= before
  return hit
}

function truthOf(node: Node | undefined, look: Look): Truth {
  if (node === undefined) return 'unknown'
  look.walk.budget.enter()
  const truth = examine(node, look)
  look.walk.budget.leave()
  return truth
}

function examine(node: Node, look: Look): Truth {
  if ('A_Const' in node || 'TypeCast' in node) return constantTruth(node, look)
  if ('BoolExpr' in node) return logic(node.BoolExpr.boolop ?? '', node.BoolExpr.args ?? [], look)
  if ('A_Expr' in node) return comparison(node.A_Expr, look)
  if ('NullTest' in node) return nullTest(node.NullTest.arg, node.NullTest.nulltesttype === 'IS_NULL', look)
  if ('BooleanTest' in node) return booleanTest(truthOf(node.BooleanTest.arg, look), node.BooleanTest.booltesttype ?? '')
  if ('CoalesceExpr' in node) return coalesce(node.CoalesceExpr.args ?? [], look)
  if ('CaseExpr' in node) return caseTruth(node.CaseExpr, look)
  if ('MinMaxExpr' in node) return logic(node.MinMaxExpr.op === 'IS_LEAST' ? 'AND_EXPR' : 'OR_EXPR', node.MinMaxExpr.args ?? [], look)
  if ('SubLink' in node) return subLinkTruth(node.SubLink, look)
  return 'unknown'
}

function constantTruth(node: Node, look: Look): Truth {
  const text = argumentText(node)
  if (text === undefined) return 'unknown'
  if (text === null) return 'false'
  if (!('A_Const' in node && node.A_Const.boolval !== undefined)) look.walk.found.literal()
  const isBoolean = 'A_Const' in node || ('TypeCast' in node && typeName(node.TypeCast.typeName).startsWith('bool'))
  if (!isBoolean) return 'unknown'
  if (/^\s*(t(r(ue?)?)?|y(es?)?|on|0*[1-9]\d*)\s*$/i.test(text)) return 'true'
  return /^\s*(f(a(l(se?)?)?)?|no?|off?|0+)\s*$/i.test(text) ? 'false' : 'unknown'
}

function logic(operator: string, args: readonly Node[], look: Look): Truth {
  const truths = args.map((part) => truthOf(part, look))
  if (operator === 'NOT_EXPR') return opposite(truths[0] ?? 'unknown')
  const deciding = operator === 'AND_EXPR' ? 'false' : 'true'
  if (truths.includes(deciding)) return deciding
  if (truths.every((truth) => truth === opposite(deciding))) return opposite(deciding)
  return operator === 'OR_EXPR' && complementary(args, look) ? 'true' : 'unknown'
}

function opposite(truth: Truth): Truth {
  if (truth === 'unknown') return truth
  return truth === 'true' ? 'false' : 'true'
}

const OPPOSITE: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' }

/** `a = 1 OR a <> 1`, `a IS NULL OR a IS NOT NULL`, `p OR NOT p`. */
function complementary(args: readonly Node[], look: Look): boolean {
  if (args.length > 64) return false
  return args.some((left, index) => args.slice(index + 1).some((right) => contradicts(left, right, look) || contradicts(right, left, look)))
}

function contradicts(left: Node, right: Node, look: Look): boolean {
  if ('BoolExpr' in right && right.BoolExpr.boolop === 'NOT_EXPR') return same(left, right.BoolExpr.args?.[0], look)
  if ('NullTest' in left && 'NullTest' in right) {
    return left.NullTest.nulltesttype !== right.NullTest.nulltesttype && same(left.NullTest.arg, right.NullTest.arg, look)
  }
  if (!('A_Expr' in left) || !('A_Expr' in right)) return false
  const [a, b] = [left.A_Expr, right.A_Expr]
  return OPPOSITE[operatorOf(a)] === operatorOf(b) && same(a.lexpr, b.lexpr, look) && same(a.rexpr, b.rexpr, look)
}

function operatorOf(expr: A_Expr): string {
  return qualifiedName(expr.name).name
}

function comparison(expr: A_Expr, look: Look): Truth {
  const operator = operatorOf(expr)
  const { lexpr, rexpr } = expr
  switch (expr.kind) {
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      if (!same(lexpr, rexpr, look)) return 'unknown'
      return expr.kind === 'AEXPR_DISTINCT' ? 'false' : 'true'
    case 'AEXPR_IN':
    case 'AEXPR_OP_ANY':
      return operator === '=' ? membership(lexpr, rexpr, look) : 'unknown'
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return operator.startsWith('!') ? 'unknown' : matchesAll(rexpr, /^%+$/, look)
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return between(lexpr, rexpr, look)
    case 'AEXPR_OP':
      return binary(operator, lexpr, rexpr, look)
    default:
      return 'unknown'
  }
}

function matchesAll(pattern: Node | undefined, everything: RegExp, look: Look): Truth {
  const text = argumentText(pattern)
  if (typeof text === 'string') look.walk.found.literal()
  return typeof text === 'string' && everything.test(text) ? 'true' : 'unknown'
}

function membership(value: Node | undefined, list: Node | undefined, look: Look): Truth {
  if (list === undefined) return 'unknown'
  const items = 'List' in list ? list.List.items : 'A_ArrayExpr' in list ? list.A_ArrayExpr.elements : undefined
  const outcomes = (items ?? []).map((part) => binary('=', value, part, look))
  if (outcomes.includes('true')) return 'true'
  return outcomes.length > 0 && outcomes.every((truth) => truth === 'false') ? 'false' : 'unknown'
}

function between(value: Node | undefined, bounds: Node | undefined, look: Look): Truth {
  const [low, high] = bounds !== undefined && 'List' in bounds ? (bounds.List.items ?? []) : []
  return logicOf(binary('>=', value, low, look), binary('<=', value, high, look))
}

function logicOf(left: Truth, right: Truth): Truth {
  if (left === 'false' || right === 'false') return 'false'
  return left === 'true' && right === 'true' ? 'true' : 'unknown'
}

const HOLDS_FOR_EQUALS: Readonly<Record<string, boolean>> = { '=': true, '>=': true, '<=': true, '<>': false, '<': false, '>': false }

function binary(operator: string, left: Node | undefined, right: Node | undefined, look: Look): Truth {
  if (/^~\*?$/.test(operator)) return matchesAll(right, /^\^?(\.\*)?\$?$/, look)
  const holds = HOLDS_FOR_EQUALS[operator]
  if (holds === undefined) return 'unknown'
  const [a, b] = [argumentText(left), argumentText(right)]
  if (a === null || b === null) return 'false'
  if (a !== undefined && b !== undefined) return ordered(operator, a, b, look)
  if (same(left, right, look)) return holds ? 'true' : 'false'
  if (b !== undefined && isDifferenceOfSame(left, look)) return ordered(operator, '0', b, look)
  if (!neverNegative(left) || b === undefined) return 'unknown'
  look.walk.found.literal()
  return Number(b) <= 0 && /^>=?$/.test(operator) && (operator === '>=' || Number(b) < 0) ? 'true' : 'unknown'
}

function ordered(operator: string, left: string, right: string, look: Look): Truth {
  look.walk.found.literal()
  const numeric = left.trim() !== '' && right.trim() !== '' && Number.isFinite(Number(left)) && Number.isFinite(Number(right))
  if (!numeric && operator !== '=' && operator !== '<>') return 'unknown'
  const order = numeric ? Math.sign(Number(left) - Number(right)) : left === right ? 0 : 1
  const result = { '=': order === 0, '<>': order !== 0, '<': order < 0, '>': order > 0, '<=': order <= 0, '>=': order >= 0 }[operator]
  return result === true ? 'true' : 'false'
}

/** `id - id`. */
function isDifferenceOfSame(node: Node | undefined, look: Look): boolean {
  if (node === undefined || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP' || operatorOf(node.A_Expr) !== '-') return false
  return node.A_Expr.lexpr !== undefined && same(node.A_Expr.lexpr, node.A_Expr.rexpr, look)
}

function neverNegative(node: Node | undefined): boolean {
  return node !== undefined && 'FuncCall' in node && /^(length|char_length|character_length|octet_length|bit_length|abs)$/.test(qualifiedName(node.FuncCall.funcname).name)
}

function nullTest(argument: Node | undefined, isNull: boolean, { item, ...rest }: Look): Truth {
  const text = argumentText(argument)
  if (text !== undefined) return (text === null) === isNull ? 'true' : 'false'
  if (argument !== undefined && 'CoalesceExpr' in argument && argument.CoalesceExpr.args?.some((part) => typeof argumentText(part) === 'string') === true) return isNull ? 'false' : 'true'
  const name = argument !== undefined && 'ColumnRef' in argument ? stringsOf(argument.ColumnRef.fields).at(-1) : undefined
  const never = name !== undefined && item.relations.length > 0 && item.relations.every(({ columns }) => SYSTEM_COLUMNS.has(name) || columns.some((column) => column.name === name && column.notNull))
  return never && mentions(argument, { item, ...rest }) ? (isNull ? 'false' : 'true') : 'unknown'
}

function booleanTest(truth: Truth, test: string): Truth {
  if (truth === 'unknown') return 'unknown'
  const wanted: Readonly<Record<string, boolean>> = { IS_TRUE: truth === 'true', IS_NOT_TRUE: truth !== 'true', IS_FALSE: truth === 'false', IS_NOT_FALSE: truth !== 'false' }
  const result = wanted[test]
  if (result === undefined) return 'unknown'
  return result ? 'true' : 'false'
}

function coalesce(args: readonly Node[], look: Look): Truth {
  const given = args.filter((part) => argumentText(part) !== null)
  const truths = given.map((part) => truthOf(part, look))
  const [first = 'unknown'] = truths
  if (first !== 'unknown') return first
  return 'unknown'
}

function caseTruth({ arg, args = [], defresult }: CaseExpr, look: Look): Truth {
  if (arg !== undefined) return 'unknown'
  const results: Truth[] = []
  for (const node of args) {
    if (!('CaseWhen' in node)) return 'unknown'
    const when = truthOf(node.CaseWhen.expr, look)
    if (when === 'false') continue
    results.push(truthOf(node.CaseWhen.result, look))
    if (when === 'true') return agreed(results)
  }
  return agreed([...results, defresult === undefined ? 'false' : truthOf(defresult, look)])
}

function agreed(results: readonly Truth[]): Truth {
  const [first = 'unknown'] = results
  return results.every((truth) => truth === first) ? first : 'unknown'
}

/** EXISTS or a scalar of a SELECT without FROM; `x IN (SELECT x FROM the same table)`. */
function subLinkTruth(link: SubLink, look: Look): Truth {
  const select = link.subselect !== undefined && 'SelectStmt' in link.subselect ? link.subselect.SelectStmt : undefined
  if (select !== undefined && isEmpty(select, look)) return EMPTY[link.subLinkType ?? ''] ?? 'unknown'
  if (select === undefined || isNarrowed(select)) return 'unknown'
  if (link.subLinkType === 'ANY_SUBLINK') return takesAll(link, select, look) ? 'true' : 'unknown'
  if (select.fromClause !== undefined || select.targetList === undefined) return 'unknown'
  if (link.subLinkType === 'EXISTS_SUBLINK') return 'true'
  const [target] = select.targetList
  return link.subLinkType === 'EXPR_SUBLINK' && target !== undefined && 'ResTarget' in target ? truthOf(target.ResTarget.val, look) : 'unknown'
}

/** What is said of no rows at all. */
const EMPTY: Readonly<Record<string, Truth>> = { EXISTS_SUBLINK: 'false', ANY_SUBLINK: 'false', ALL_SUBLINK: 'true' }

/** Its own WHERE is never true, and nothing gives a row in spite of that, as an aggregate would. */
function isEmpty({ whereClause, groupClause, havingClause, larg, targetList = [] }: SelectStmt, look: Look): boolean {
  const plain = groupClause === undefined && havingClause === undefined && larg === undefined && !JSON.stringify(targetList).includes('"FuncCall"')
  return plain && truthOf(whereClause, look) === 'false'
}

function isNarrowed(select: SelectStmt): boolean {
  return [select.whereClause, select.havingClause, select.limitCount, select.limitOffset, select.groupClause, select.withClause, select.larg].some((part) => part !== undefined)
}

function takesAll(link: SubLink, select: SelectStmt, look: Look): boolean {
  const [from, ...others] = select.fromClause ?? []
  const [target, ...more] = select.targetList ?? []
  if (from === undefined || !('RangeVar' in from) || others.length > 0 || more.length > 0) return false
  const names = look.item.relations.map(({ name }) => name).concat(look.item.unknownTable ?? [], look.item.name ?? [])
  const column = target !== undefined && 'ResTarget' in target ? lastName(target.ResTarget.val) : undefined
  return names.includes(from.RangeVar.relname ?? '') && column !== undefined && column === lastName(link.testexpr) && mentions(link.testexpr, look)
}

function lastName(node: Node | undefined): string | undefined {
  return node !== undefined && 'ColumnRef' in node ? stringOf(node.ColumnRef.fields?.at(-1)) : undefined
}

/** The same expression twice: `id = id`, `t.id = id`. What changes from call to call is never the same. */
function same(left: Node | undefined, right: Node | undefined, look: Look): boolean {
  if (left === undefined || right === undefined) return false
  const name = lastName(left)
  if (name !== undefined) return name === lastName(right) && (written(left) === written(right) || (mentions(left, look) && mentions(right, look)))
  if (Object.keys(left)[0] !== Object.keys(right)[0]) return false
  const text = written(left)
  if (text.includes('"A_Const"')) look.walk.found.literal()
  return text === written(right) && !/"(FuncCall|SubLink|ParamRef)"/.test(text)
}

function written(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value))
}
