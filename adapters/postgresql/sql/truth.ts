/** What a condition is known to be for every row, by its form. */
import type { A_Expr, CaseExpr, Node } from 'libpg-query'
import { argumentText, qualifiedName, typeName } from './ast.ts'
import { SYSTEM_COLUMNS } from './resolver.ts'
import { isOpposite, lastName, mentions, operatorOf, same, type Look } from './sameness.ts'
import { givesAll, subLinkTruth } from './subselect-truth.ts'

/** `unknown` depends on rows, or cannot be told. */
export type Truth = 'true' | 'false' | 'null' | 'unknown'

export function truthOf(node: Node | undefined, look: Look): Truth {
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
  if (text === null) return 'null'
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
  if (truths.every((truth) => truth === 'null' || truth === opposite(deciding))) return 'null'
  return operator === 'OR_EXPR' && complementary(args, look) ? 'true' : 'unknown'
}

function opposite(truth: Truth): Truth {
  if (truth === 'unknown' || truth === 'null') return truth
  return truth === 'true' ? 'false' : 'true'
}

/** `a = 1 OR a <> 1`, `a IS NULL OR a IS NOT NULL`, `p OR NOT p`, `a < 3 OR a > 2`. */
function complementary(args: readonly Node[], look: Look): boolean {
  if (args.length > 64) return false
  return args.some((left, index) => args.slice(index + 1).some((right) => isOpposite(left, right, look)))
}

function comparison(expr: A_Expr, look: Look): Truth {
  const operator = operatorOf(expr)
  const { lexpr, rexpr } = expr
  switch (expr.kind) {
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return distinctness(lexpr, rexpr, expr.kind === 'AEXPR_DISTINCT', look)
    case 'AEXPR_IN':
    case 'AEXPR_OP_ANY':
      return operator === '=' ? membership(lexpr, rexpr, look) : 'unknown'
    case 'AEXPR_SIMILAR':
      return operator.startsWith('!') ? 'unknown' : matchesAll(patternIn(rexpr), /^%+$/, look)
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

function patternIn(node: Node | undefined): Node | undefined {
  return node !== undefined && 'FuncCall' in node ? node.FuncCall.args?.[0] : node
}

/** `x IS DISTINCT FROM NULL` asks whether it is NULL. */
function distinctness(left: Node | undefined, right: Node | undefined, isDistinct: boolean, look: Look): Truth {
  if (argumentText(right) === null) return nullTest(left, !isDistinct, look)
  if (!same(left, right, look)) return 'unknown'
  return isDistinct ? 'false' : 'true'
}

function matchesAll(pattern: Node | undefined, everything: RegExp, look: Look): Truth {
  const text = argumentText(pattern)
  if (typeof text === 'string') look.walk.found.literal()
  return typeof text === 'string' && everything.test(text) ? 'true' : 'unknown'
}

function membership(value: Node | undefined, list: Node | undefined, look: Look): Truth {
  if (list === undefined) return 'unknown'
  if ('SubLink' in list) return list.SubLink.subLinkType === 'ARRAY_SUBLINK' && givesAll(list.SubLink.subselect, value, look) ? 'true' : 'unknown'
  const items = 'List' in list ? list.List.items : 'A_ArrayExpr' in list ? list.A_ArrayExpr.elements : undefined
  if (['true', 'false'].every((truth) => items?.some((item) => 'A_Const' in item && item.A_Const.boolval !== undefined && truthOf(item, look) === truth) === true)) return 'true'
  const outcomes = (items ?? []).map((part) => binary('=', value, part, look))
  if (outcomes.includes('true')) return 'true'
  return outcomes.length > 0 && outcomes.every((truth) => truth === 'false' || truth === 'null') ? 'false' : 'unknown'
}

function between(value: Node | undefined, bounds: Node | undefined, look: Look): Truth {
  const [low, high] = bounds !== undefined && 'List' in bounds ? (bounds.List.items ?? []) : []
  return logicOf(binary('>=', value, low, look), binary('<=', value, high, look))
}

function logicOf(left: Truth, right: Truth): Truth {
  if (left === 'false' || right === 'false') return 'false'
  if (left === 'null' || right === 'null') return left === 'unknown' || right === 'unknown' ? 'unknown' : 'null'
  return left === 'true' && right === 'true' ? 'true' : 'unknown'
}

const HOLDS_FOR_EQUALS: Readonly<Record<string, boolean>> = { '=': true, '>=': true, '<=': true, '<>': false, '<': false, '>': false }

function binary(operator: string, left: Node | undefined, right: Node | undefined, look: Look): Truth {
  if (/^~\*?$/.test(operator)) return matchesAll(right, /^\^?(\.\*)?\$?$/, look)
  const holds = HOLDS_FOR_EQUALS[operator]
  if (holds === undefined) return 'unknown'
  const [a, b] = [argumentText(left), argumentText(right)]
  if (a === null || b === null) return 'null'
  if (a !== undefined && b !== undefined) return ordered(operator, a, b, look)
  if (same(left, right, look)) return holds ? 'true' : 'false'
  if (b !== undefined && isZero(left, look)) return ordered(operator, '0', b, look)
  const truth = operator === '=' || operator === '<>' ? booleans(left, right, look) : 'unknown'
  if (truth !== 'unknown') return operator === '=' ? truth : opposite(truth)
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

/** `(id = id) = true`. */
function booleans(left: Node | undefined, right: Node | undefined, look: Look): Truth {
  if (![left, right].some((side) => side !== undefined && 'A_Const' in side && side.A_Const.boolval !== undefined)) return 'unknown'
  const [one, other] = [truthOf(left, look), truthOf(right, look)]
  if (one === 'unknown' || other === 'unknown') return 'unknown'
  if (one === 'null' || other === 'null') return 'null'
  return one === other ? 'true' : 'false'
}

/** `id - id`, `id * 0`. */
function isZero(node: Node | undefined, look: Look): boolean {
  if (node === undefined || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return false
  const { lexpr, rexpr } = node.A_Expr
  if (operatorOf(node.A_Expr) === '-') return lexpr !== undefined && same(lexpr, rexpr, look)
  if (operatorOf(node.A_Expr) !== '*') return false
  look.walk.found.literal()
  return argumentText(lexpr) === '0' || argumentText(rexpr) === '0'
}

function neverNegative(node: Node | undefined): boolean {
  return node !== undefined && 'FuncCall' in node && /^(length|char_length|character_length|octet_length|bit_length|abs)$/.test(qualifiedName(node.FuncCall.funcname).name)
}

function nullTest(argument: Node | undefined, isNull: boolean, look: Look): Truth {
  if (isNull && isRowWithValues(argument, look)) return 'false'
  const known = nullness(argument, look)
  if (known === undefined) return 'unknown'
  return known === isNull ? 'true' : 'false'
}

/** Whether it is NULL for every row (true), or for none (false). */
function nullness(argument: Node | undefined, look: Look): boolean | undefined {
  if (argument === undefined) return undefined
  const text = argumentText(argument)
  if (text !== undefined) return text === null
  if ('CoalesceExpr' in argument) return argument.CoalesceExpr.args?.some((part) => typeof argumentText(part) === 'string') === true ? false : undefined
  if ('A_Expr' in argument && (argument.A_Expr.kind === 'AEXPR_OP' || argument.A_Expr.kind === 'AEXPR_NULLIF')) {
    const { kind, lexpr, rexpr } = argument.A_Expr
    if (kind === 'AEXPR_NULLIF') return same(lexpr, rexpr, look) ? true : undefined
    if (argumentText(lexpr) === null || argumentText(rexpr) === null) return true
  }
  return 'ColumnRef' in argument && isNeverNull(argument, look) ? false : undefined
}

/** A whole row is NULL when all its columns are. */
function isRowWithValues(argument: Node | undefined, { item: { name, relations } }: Look): boolean {
  if (argument === undefined || !('ColumnRef' in argument) || argument.ColumnRef.fields?.length !== 1 || lastName(argument) !== name || relations.length === 0) return false
  return relations.every(({ columns }) => columns.some(({ notNull }) => notNull) && !columns.some((column) => column.name === name))
}

function isNeverNull(argument: Extract<Node, { ColumnRef: unknown }>, look: Look): boolean {
  const { item } = look
  const name = lastName(argument)
  if (name === undefined || item.relations.length === 0 || !mentions(argument, look)) return name === 'tableoid'
  return item.relations.every(({ columns }) => SYSTEM_COLUMNS.has(name) || columns.some((column) => column.name === name && column.notNull))
}

function booleanTest(truth: Truth, test: string): Truth {
  if (truth === 'unknown') return 'unknown'
  const wanted: Readonly<Record<string, boolean>> = {
    IS_TRUE: truth === 'true', IS_NOT_TRUE: truth !== 'true', IS_FALSE: truth === 'false', IS_NOT_FALSE: truth !== 'false', IS_UNKNOWN: truth === 'null', IS_NOT_UNKNOWN: truth !== 'null',
  }
  const result = wanted[test]
  if (result === undefined) return 'unknown'
  return result ? 'true' : 'false'
}

/** The first that is not NULL. */
function coalesce(args: readonly Node[], look: Look): Truth {
  for (const part of args) {
    const truth = truthOf(part, look)
    if (truth !== 'null') return truth
  }
  return 'null'
}

function caseTruth({ arg, args = [], defresult }: CaseExpr, look: Look): Truth {
  if (arg !== undefined) return agreed([...args.map((node) => ('CaseWhen' in node ? truthOf(node.CaseWhen.result, look) : 'unknown')), defresult === undefined ? 'null' : truthOf(defresult, look)])
  const results: Truth[] = []
  for (const node of args) {
    if (!('CaseWhen' in node)) return 'unknown'
    const when = truthOf(node.CaseWhen.expr, look)
    if (when === 'false' || when === 'null') continue
    results.push(truthOf(node.CaseWhen.result, look))
    if (when === 'true') return agreed(results)
  }
  return agreed([...results, defresult === undefined ? 'null' : truthOf(defresult, look)])
}

function agreed(results: readonly Truth[]): Truth {
  const [first = 'unknown'] = results
  return results.every((truth) => truth === first) ? first : 'unknown'
}

