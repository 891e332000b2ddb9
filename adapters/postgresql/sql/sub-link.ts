/** Sub-selects in a condition: EXISTS, IN and scalars that are the same for every row. */
import type { Node, SelectStmt, SubLink } from 'libpg-query'
import { argumentText, qualifiedName } from './ast.ts'
import { compare } from './comparison.ts'
import { onlyTarget } from './known-value.ts'
import type { Look, Truth } from './look.ts'
import { allOf, inside, witness } from './own-rows.ts'

export function subLinkTruth(link: SubLink, look: Look): Truth {
  const select = link.subselect !== undefined && 'SelectStmt' in link.subselect ? link.subselect.SelectStmt : undefined
  if (select === undefined) return 'unknown'
  const array = link.subLinkType === 'ARRAY_SUBLINK' && link.testexpr !== undefined
  const kind = array ? 'ANY_SUBLINK' : link.subLinkType
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return kind === 'EXISTS_SUBLINK' || kind === 'ANY_SUBLINK' ? setOperation(link, select, look) : 'unknown'
  if (isEmpty(select, look)) return EMPTY[kind ?? ''] ?? 'unknown'
  if (kind === 'EXISTS_SUBLINK') return exists(select, look)
  if (link.testexpr !== undefined && (kind === 'ANY_SUBLINK' || kind === 'ALL_SUBLINK') && isOneRow(select)) return compare(operatorOf(link), link.testexpr, { SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: { SelectStmt: select } } }, look)
  if (kind === 'ANY_SUBLINK') return isAmong(link, select, look)
  if (kind !== 'EXPR_SUBLINK') return 'unknown'
  return link.testexpr === undefined ? scalar(select, look) : inAggregate(link, select, look)
}

/** What is said of no rows at all. */
const EMPTY: Readonly<Record<string, Truth>> = { EXISTS_SUBLINK: 'false', ANY_SUBLINK: 'false', ALL_SUBLINK: 'true' }

/** Its own WHERE is never true, and nothing gives a row in spite of that, as an aggregate would. */
function isEmpty(select: SelectStmt, look: Look): boolean {
  const { whereClause, groupClause, havingClause, larg, targetList = [], limitCount } = select
  const limit = argumentText(limitCount)
  if (typeof limit === 'string') look.walk.found.literal()
  if (limit === '0') return true
  const plain = groupClause === undefined && havingClause === undefined && larg === undefined && !JSON.stringify(targetList).includes('"FuncCall"')
  return plain && whereClause !== undefined && look.truth(whereClause, inside(select, look).look) === 'false'
}

/** Of a union one branch that holds is enough. What two rows have in common need not be the whole of them, so EXISTS is not followed there. */
function setOperation(link: SubLink, { op, larg, rarg, limitCount, limitOffset }: SelectStmt, look: Look): Truth {
  if (limitCount !== undefined || limitOffset !== undefined) return 'unknown'
  const [left = 'unknown', right = 'unknown'] = [larg, rarg].map((branch) => (branch === undefined ? 'unknown' : subLinkTruth({ ...link, subselect: { SelectStmt: branch } }, look)))
  if (op === 'SETOP_UNION') return left === 'true' || right === 'true' ? 'true' : left === 'even' || right === 'even' ? 'even' : left === 'false' && right === 'false' ? 'false' : 'unknown'
  if (link.subLinkType === 'EXISTS_SUBLINK') return 'unknown'
  return left === 'true' && right === (op === 'SETOP_INTERSECT' ? 'true' : 'false') ? 'true' : 'unknown'
}

/** A limit leaves one row at least, VALUES has one, and so has an aggregate over nothing. */
function exists(select: SelectStmt, look: Look): Truth {
  const { limitCount: _limit, distinctClause: _distinct, ...whole } = select
  if (isOneRow(select) || (select.valuesLists !== undefined && select.limitOffset === undefined)) return 'true'
  return witness(whole, look)?.truth ?? 'unknown'
}

function isOneRow(select: SelectStmt): boolean {
  const target = onlyTarget(select)
  const aggregate = target !== undefined && 'FuncCall' in target && AGGREGATES.test(qualifiedName(target.FuncCall.funcname).name)
  return aggregate && [select.groupClause, select.havingClause, select.limitOffset].every((part) => part === undefined)
}

function operatorOf({ operName }: SubLink): string {
  return operName === undefined ? '=' : qualifiedName(operName).name
}

const AGGREGATES = /^(count|sum|avg|min|max|bool_and|bool_or|every|string_agg|array_agg|jsonb?_agg)$/

/** `x IN (SELECT x FROM …)`: what its own row gives is in there. */
function isAmong(link: SubLink, select: SelectStmt, look: Look): Truth {
  const { testexpr } = link
  if (testexpr !== undefined && select.valuesLists !== undefined && select.limitOffset === undefined && select.limitCount === undefined) return isListed(operatorOf(link), testexpr, select.valuesLists, look)
  const found = witness(select, look)
  if (found === undefined || testexpr === undefined || found.truth === 'false' || found.truth === 'unknown') return 'unknown'
  const operator = operatorOf(link)
  const tests = 'RowExpr' in testexpr ? (testexpr.RowExpr.args ?? []) : [testexpr]
  const given = targetsOf(select, found.look)
  if (given.length !== tests.length || (tests.length > 1 && operator !== '=')) return 'unknown'
  const holds = tests.every((test, index) => compare(operator, test, given[index], look, found.look) === 'true')
  return holds ? found.truth : 'unknown'
}

/** `x IN (VALUES (x), (1))`. */
function isListed(operator: string, test: Node, lists: readonly Node[], look: Look): Truth {
  const tests = 'RowExpr' in test ? (test.RowExpr.args ?? []) : [test]
  if (tests.length > 1 && operator !== '=') return 'unknown'
  const rows = lists.map((list) => ('List' in list ? (list.List.items ?? []) : []))
  return rows.some((row) => row.length === tests.length && tests.every((part, index) => compare(operator, part, row[index], look) === 'true')) ? 'true' : 'unknown'
}

/** `*` stands for the columns of what is in FROM. */
function targetsOf({ targetList = [] }: SelectStmt, look: Look): Node[] {
  return targetList.flatMap((target) => {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined
    if (value === undefined) return []
    const fields = 'ColumnRef' in value ? (value.ColumnRef.fields ?? []) : []
    if (!fields.some((field) => 'A_Star' in field)) return [value]
    const items = look.env.scope?.items ?? []
    const [item] = items
    return item === undefined || items.length > 1 ? [] : item.columns.map(({ name }): Node => ({ ColumnRef: { fields: [{ String: { sval: item.name ?? '' } }, { String: { sval: name } }] } }))
  })
}

function scalar(select: SelectStmt, look: Look): Truth {
  const target = onlyTarget(select)
  const found = target === undefined ? undefined : witness(select, look)
  if (found === undefined) return 'unknown'
  return allOf([found.truth, look.truth(target, found.look)])
}

/** `id = ANY ((SELECT array_agg(id) FROM t))`. */
function inAggregate(link: SubLink, select: SelectStmt, look: Look): Truth {
  const target = onlyTarget(select)
  if (target === undefined || !('FuncCall' in target) || qualifiedName(target.FuncCall.funcname).name !== 'array_agg' || target.FuncCall.agg_filter !== undefined) return 'unknown'
  const [val] = target.FuncCall.args ?? []
  if (val === undefined || select.groupClause !== undefined) return 'unknown'
  return isAmong(link, { ...select, targetList: [{ ResTarget: { val } }] }, look)
}
