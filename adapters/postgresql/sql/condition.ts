import type { A_Expr, CaseExpr, FuncCall, Node } from 'libpg-query'
import { argumentText, qualifiedName, typeName } from './ast.ts'
import { compare, complementary, contradictory, operatorOf } from './comparison.ts'
import { IMMUTABLE_FUNCTIONS } from './immutable-functions.ts'
import { holdsSomething, sameText, valueOf } from './known-value.ts'
import { lookAt, mentions, type Look, type Truth } from './look.ts'
import { allOf, ownRows } from './own-rows.ts'
import { isLikeEverything, isRegexpForEverything } from './pattern.ts'
import type { ScopeItem } from './scope.ts'
import { subLinkTruth } from './sub-link.ts'
import type { Env, Walk } from './walk.ts'

/**
 * Whether a condition narrows down the rows of `item`. It does not when it is always true, or when it says
 * nothing of these rows: `WHERE random() < 2` or `WHERE other.x = 1` takes all of them or none. `from` is what the item is
 * joined with: where that is the item's own table, its row finds itself in there.
 */
export function restricts(condition: Node, item: ScopeItem, env: Env, walk: Walk, from: readonly Node[] = []): boolean {
  const look = lookAt(item, env, walk, truthOf)
  if (!narrows(truthOf(condition, look))) return false
  const own = ownRows(from, env.scope?.items ?? [], look)
  return own === undefined || [condition, ...own.conditions].some((part) => narrows(truthOf(part, own.look)))
}

function narrows(truth: Truth): boolean {
  return truth === 'false' || truth === 'unknown'
}

export function truthOf(node: Node | undefined, look: Look): Truth {
  if (node === undefined) return 'unknown'
  look.walk.budget.enter()
  const truth = 'BoolExpr' in node ? logic(node.BoolExpr.boolop ?? '', node.BoolExpr.args ?? [], look) : examine(node, look)
  const found = truth === 'unknown' && !('BoolExpr' in node) && !('CurrentOfExpr' in node) && !mentions(node, look) ? 'even' : truth
  look.walk.budget.leave()
  return found
}

function examine(node: Node, look: Look): Truth {
  if ('A_Const' in node || 'TypeCast' in node) return constantTruth(node, look)
  if ('A_Expr' in node) return comparison(node.A_Expr, look)
  if ('NullTest' in node) return nullTest(node.NullTest.arg, node.NullTest.nulltesttype === 'IS_NULL', look)
  if ('BooleanTest' in node) return booleanTest(node.BooleanTest.arg, node.BooleanTest.booltesttype ?? '', look)
  if ('CoalesceExpr' in node) return coalesce(node.CoalesceExpr.args ?? [], look)
  if ('CaseExpr' in node) return caseTruth(node.CaseExpr, look)
  if ('MinMaxExpr' in node) return logic(node.MinMaxExpr.op === 'IS_LEAST' ? 'AND_EXPR' : 'OR_EXPR', node.MinMaxExpr.args ?? [], look)
  if ('SubLink' in node) return subLinkTruth(node.SubLink, look)
  if ('FuncCall' in node) return callTruth(node.FuncCall, look)
  return 'unknown'
}

function constantTruth(node: Node, look: Look): Truth {
  const text = argumentText(node)
  if (text === undefined) return 'TypeCast' in node && typeName(node.TypeCast.typeName).startsWith('bool') ? truthOf(node.TypeCast.arg, look) : 'unknown'
  if (text === null) return 'false'
  if (!('A_Const' in node && node.A_Const.boolval !== undefined)) look.walk.found.literal()
  const isBoolean = 'A_Const' in node || ('TypeCast' in node && typeName(node.TypeCast.typeName).startsWith('bool'))
  if (!isBoolean) return 'unknown'
  if (/^\s*(t(r(ue?)?)?|y(es?)?|on|0*[1-9]\d*)\s*$/i.test(text)) return 'true'
  return /^\s*(f(a(l(se?)?)?)?|no?|off?|0+)\s*$/i.test(text) ? 'false' : 'unknown'
}

/** A NOT is taken inside: `NOT (a AND b)` is `NOT a OR NOT b`. */
function logic(operator: string, args: readonly Node[], look: Look, negated = false): Truth {
  const [first] = args
  if (operator === 'NOT_EXPR') {
    if (first !== undefined && 'BoolExpr' in first) return logic(first.BoolExpr.boolop ?? '', first.BoolExpr.args ?? [], look, !negated)
    return negated ? truthOf(first, look) : opposite(truthOf(first, look))
  }
  const truths = args.map((part) => (negated ? logic('NOT_EXPR', [part], look) : truthOf(part, look)))
  const isAnd = (operator === 'AND_EXPR') !== negated
  const decided = negated === isAnd ? complementary(args, look) : contradictory(args, look)
  if (decided) return isAnd ? 'false' : 'true'
  return isAnd ? allOf(truths) : anyOf(truths)
}

/** What is the same for every row may let all of them through, whatever the others say. */
function anyOf(truths: readonly Truth[]): Truth {
  return truths.includes('true') ? 'true' : truths.includes('even') ? 'even' : truths.includes('unknown') ? 'unknown' : 'false'
}

function opposite(truth: Truth): Truth {
  return truth === 'true' ? 'false' : truth === 'false' ? 'true' : truth
}

function comparison(expr: A_Expr, look: Look): Truth {
  const operator = operatorOf(expr)
  const { lexpr, rexpr } = expr
  switch (expr.kind) {
    case 'AEXPR_DISTINCT':
      return opposite(notDistinct(lexpr, rexpr, look))
    case 'AEXPR_NOT_DISTINCT':
      return notDistinct(lexpr, rexpr, look)
    case 'AEXPR_IN':
      return membership(operator, lexpr, rexpr, operator === '=', look)
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return membership(operator, lexpr, rexpr, expr.kind === 'AEXPR_OP_ANY', look)
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR': {
      const same = lexpr !== undefined && rexpr !== undefined && sameText(lexpr, rexpr, look)
      const truth = same || isLikeEverything(rexpr, valueOf(lexpr, look).filled, look.walk) ? 'true' : 'unknown'
      return operator.startsWith('!') ? opposite(truth) : truth
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return between(lexpr, rexpr, look)
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return opposite(between(lexpr, rexpr, look))
    case 'AEXPR_OP':
      return binary(operator, lexpr, rexpr, look)
    default:
      return 'unknown'
  }
}

/** Of two truth values, `=` and `<>` are logic. `NULL = NULL` is true for a session that set `transform_null_equals`. */
function binary(operator: string, left: Node | undefined, right: Node | undefined, look: Look): Truth {
  if (operator === '=' && isNothing(left, look) && isNothing(right, look)) return 'even'
  if (/^~\*?$/.test(operator)) return isRegexpForEverything(right, look.walk) ? 'true' : 'unknown'
  if (/^(@>|<@|&&)$/.test(operator)) return contains(operator, left, right, look)
  if (/^!~\*?$/.test(operator)) return isRegexpForEverything(right, look.walk) ? 'false' : 'unknown'
  if ((isTypeOf(left) && !mentions(right, look)) || (isTypeOf(right) && !mentions(left, look))) return 'even'
  const found = compare(operator, left, right, look)
  if (found !== 'unknown' || (operator !== '=' && operator !== '<>') || left === undefined || right === undefined) return found
  if (contradictory([left, right], look)) return operator === '=' ? 'false' : 'true'
  const [a, b] = [isTruth(left) ? truthOf(left, look) : 'unknown', isTruth(right) ? truthOf(right, look) : 'unknown']
  if ((a !== 'true' && a !== 'false') || (b !== 'true' && b !== 'false')) return 'unknown'
  return (a === b) === (operator === '=') ? 'true' : 'false'
}

/** The type of a column is the same in each row. */
function isTypeOf(node: Node | undefined): boolean {
  return node !== undefined && 'FuncCall' in node && qualifiedName(node.FuncCall.funcname).name === 'pg_typeof'
}

/** Everything contains itself, and what is empty. */
function contains(operator: string, left: Node | undefined, right: Node | undefined, look: Look): Truth {
  if (left === undefined || right === undefined) return 'unknown'
  if (sameText(left, right, look)) return 'true'
  const part = argumentText(operator === '@>' ? right : operator === '<@' ? left : undefined)
  if (typeof part !== 'string') return 'unknown'
  look.walk.found.literal()
  return EMPTY_ARRAY.test(part) ? 'true' : 'unknown'
}

/** Written as a truth value: other constants are numbers and texts. */
function isTruth(node: Node): boolean {
  if ('A_Const' in node) return node.A_Const.boolval !== undefined
  return ['BoolExpr', 'A_Expr', 'NullTest', 'BooleanTest', 'SubLink', 'TypeCast'].some((type) => type in node)
}

function notDistinct(left: Node | undefined, right: Node | undefined, look: Look): Truth {
  const [a, b] = [argumentText(left), argumentText(right)]
  if (a === null || b === null) return nullTest(a === null ? right : left, true, look)
  return binary('=', left, right, look)
}

function membership(operator: string, value: Node | undefined, list: Node | undefined, any: boolean, look: Look): Truth {
  if (list === undefined || value === undefined) return 'unknown'
  if ('TypeCast' in list && list.TypeCast.arg !== undefined && 'SubLink' in list.TypeCast.arg) return membership(operator, value, list.TypeCast.arg, any, look)
  if ('SubLink' in list) return subLinkTruth({ ...list.SubLink, testexpr: value, operName: [{ String: { sval: operator } }] }, look)
  if (isEmptyArray(list, look)) return any ? 'false' : 'true'
  const items = 'List' in list ? list.List.items : 'A_ArrayExpr' in list ? list.A_ArrayExpr.elements : undefined
  if (items === undefined || items.length === 0) return 'unknown'
  const truths = items.map((part) => binary(operator, value, part, look))
  const constants = items.map((part) => ('A_Const' in part ? part.A_Const.boolval : undefined)).filter((part) => part !== undefined)
  if (any && operator === '=' && constants.some(({ boolval }) => boolval === true) && constants.some(({ boolval }) => boolval !== true)) return nullTest(value, false, look)
  return any ? anyOf(truths) : allOf(truths)
}

/** `'{}'`, `ARRAY[]::int[]`. */
function isEmptyArray(list: Node, look: Look): boolean {
  const text = argumentText(list)
  if (typeof text === 'string') look.walk.found.literal()
  if (text !== undefined) return text !== null && EMPTY_ARRAY.test(text)
  const inner = 'TypeCast' in list ? list.TypeCast.arg : list
  return inner !== undefined && 'A_ArrayExpr' in inner && (inner.A_ArrayExpr.elements ?? []).length === 0
}

const EMPTY_ARRAY = /^\s*\{\s*\}\s*$/

function between(value: Node | undefined, bounds: Node | undefined, look: Look): Truth {
  const [low, high] = bounds !== undefined && 'List' in bounds ? (bounds.List.items ?? []) : []
  return allOf([compare('>=', value, low, look), compare('<=', value, high, look)])
}

function nullTest(argument: Node | undefined, isNull: boolean, look: Look): Truth {
  if (isNothing(argument, look)) return isNull ? 'true' : 'false'
  if (argumentText(argument) !== undefined) return isNull ? 'false' : 'true'
  if (isNull) return holdsSomething(argument, look) ? 'false' : 'unknown'
  return valueOf(argument, look).never ? 'true' : 'unknown'
}

/** NULL, or compared with it, or what is left of a value without itself. */
function isNothing(node: Node | undefined, look: Look): boolean {
  if (argumentText(node) === null) return true
  if (node === undefined || !('A_Expr' in node)) return false
  const { kind, lexpr, rexpr } = node.A_Expr
  if (kind === 'AEXPR_NULLIF') return lexpr !== undefined && rexpr !== undefined && sameText(lexpr, rexpr, look)
  return kind === 'AEXPR_OP' && /^(=|<>|[<>]=?)$/.test(operatorOf(node.A_Expr)) && (argumentText(lexpr) === null || argumentText(rexpr) === null)
}

function booleanTest(argument: Node | undefined, test: string, look: Look): Truth {
  if (/UNKNOWN/.test(test)) return nullTest(argument, test === 'IS_UNKNOWN', look)
  const truth = truthOf(argument, look)
  if (truth !== 'true' && truth !== 'false') return truth
  const wanted: Readonly<Record<string, boolean>> = { IS_TRUE: truth === 'true', IS_NOT_TRUE: truth !== 'true', IS_FALSE: truth === 'false', IS_NOT_FALSE: truth !== 'false' }
  const result = wanted[test]
  if (result === undefined) return 'unknown'
  return result ? 'true' : 'false'
}

/** The first that is not NULL; where each is true, or NULL, so is the whole. */
function coalesce(args: readonly Node[], look: Look): Truth {
  const truths: Truth[] = []
  for (const part of args) {
    if (isNothing(part, look)) continue
    truths.push(truthOf(part, look))
    if (valueOf(part, look).never) break
  }
  return truths[0] === 'true' ? 'true' : agreed(truths)
}

function caseTruth({ arg, args = [], defresult }: CaseExpr, look: Look): Truth {
  const results: Truth[] = []
  for (const node of args) {
    if (!('CaseWhen' in node)) return 'unknown'
    const when = arg === undefined ? truthOf(node.CaseWhen.expr, look) : compare('=', arg, node.CaseWhen.expr, look)
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

/** `starts_with(name, '')`, and operators that are called by the names of their functions: `int4eq(id, id)`. */
function callTruth({ funcname, args = [] }: FuncCall, look: Look): Truth {
  const { name } = qualifiedName(funcname)
  const [left, right, ...more] = args
  if (right === undefined || more.length > 0) return 'unknown'
  if (name === 'starts_with') return compare('=', right, { A_Const: { sval: {} } }, look)
  if (/^(text|bpchar|name)(ic)?like$/.test(name)) return isLikeEverything(right, valueOf(left, look).filled, look.walk) ? 'true' : 'unknown'
  if (/^(text|bpchar|name)(ic)?regexeq$/.test(name)) return isRegexpForEverything(right, look.walk) ? 'true' : 'unknown'
  const operator = IMMUTABLE_FUNCTIONS.has(name) ? BY_NAME[name.slice(-2)] : undefined
  return operator === undefined ? 'unknown' : compare(operator, left, right, look)
}

const BY_NAME: Readonly<Record<string, string>> = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }
