/** What a condition is known to be that asks a sub-select. */
import type { Node, SelectStmt, SubLink } from 'libpg-query'
import { argumentText, qualifiedName, stringsOf } from './ast.ts'
import { bare, lastName, mentions, type Look } from './sameness.ts'
import { truthOf, type Truth } from './truth.ts'
import type { CteEnv } from './walk.ts'

/** EXISTS or a scalar of a SELECT without FROM; `x IN (SELECT x FROM the same table)`, `EXISTS` of the row itself. */
export function subLinkTruth(link: SubLink, look: Look): Truth {
  const select = selectOf(link.subselect)
  if (select !== undefined && isEmpty(select, look)) return EMPTY[link.subLinkType ?? ''] ?? 'unknown'
  if (select === undefined) return 'unknown'
  if (link.subLinkType === 'ANY_SUBLINK') return givesAll(link.subselect, link.testexpr, look) ? 'true' : 'unknown'
  if (link.subLinkType === 'EXISTS_SUBLINK' && findsItself(select, look)) return 'true'
  if (isNarrowed(select, look)) return 'unknown'
  if (link.subLinkType === 'EXISTS_SUBLINK' && select.valuesLists !== undefined) return 'true'
  if (select.fromClause !== undefined || select.targetList === undefined) return 'unknown'
  if (link.subLinkType === 'EXISTS_SUBLINK') return 'true'
  const [target] = select.targetList
  return link.subLinkType === 'EXPR_SUBLINK' && target !== undefined && 'ResTarget' in target ? truthOf(target.ResTarget.val, look) : 'unknown'
}

function selectOf(node: Node | undefined): SelectStmt | undefined {
  return node !== undefined && 'SelectStmt' in node ? node.SelectStmt : undefined
}

/** What is said of no rows at all. */
const EMPTY: Readonly<Record<string, Truth>> = { EXISTS_SUBLINK: 'false', ANY_SUBLINK: 'false', ALL_SUBLINK: 'true', EXPR_SUBLINK: 'null' }

/** Its own WHERE is never true, and nothing gives a row in spite of that, as an aggregate would. */
function isEmpty({ whereClause, groupClause, havingClause, larg, targetList = [] }: SelectStmt, look: Look): boolean {
  const plain = groupClause === undefined && havingClause === undefined && larg === undefined && !JSON.stringify(targetList).includes('"FuncCall"')
  const truth = plain && whereClause !== undefined ? truthOf(whereClause, look) : 'unknown'
  return truth === 'false' || truth === 'null'
}

/** Not by what leaves all rows: `WHERE true`, `LIMIT ALL`, `OFFSET 0`, GROUP BY. */
export function isNarrowed({ whereClause, havingClause, limitCount, limitOffset, larg }: SelectStmt, look: Look): boolean {
  if (havingClause !== undefined || larg !== undefined) return true
  if (limitOffset !== undefined && argumentText(limitOffset) !== '0') return true
  if (limitOffset !== undefined) look.walk.found.literal()
  return (limitCount !== undefined && argumentText(limitCount) !== null) || (whereClause !== undefined && truthOf(whereClause, look) !== 'true')
}

/** Whether what a sub-select gives holds the value for every row: it takes the same column of the same table. */
export function givesAll(node: Node | undefined, value: Node | undefined, look: Look): boolean {
  const select = selectOf(node)
  if (select === undefined) return false
  if (select.op === 'SETOP_UNION' && select.limitCount === undefined && select.limitOffset === undefined) return [select.larg, select.rarg].some((branch) => branch !== undefined && givesAll({ SelectStmt: branch }, value, look))
  const [target, ...more] = select.targetList ?? []
  if (more.length > 0 || target === undefined || !('ResTarget' in target)) return false
  const column = lastName(bare(target.ResTarget.val, look))
  return column !== undefined && column === lastName(bare(value, look)) && mentions(value, look) && isWholeTable(select, look)
}

/** Whether a SELECT goes through all rows of the table itself, perhaps by way of a WITH. */
export function isWholeTable(select: SelectStmt, look: Look): boolean {
  const [from, ...others] = select.fromClause ?? []
  if (from === undefined || !('RangeVar' in from) || others.length > 0 || isNarrowed(select, look)) return false
  const { relname = '', schemaname } = from.RangeVar
  const cte = schemaname === undefined ? cteQuery(relname, select, look.env.ctes) : undefined
  if (cte !== undefined) return 'SelectStmt' in cte && isWholeTable(cte.SelectStmt, look)
  return isOfItem(relname, look)
}

function isOfItem(name: string, { item }: Look): boolean {
  return item.relations.map((relation) => relation.name).concat(item.unknownTable ?? [], item.relations.length === 0 ? item.name ?? [] : []).includes(name)
}

function cteQuery(name: string, { withClause }: SelectStmt, ctes: CteEnv | undefined): Node | undefined {
  for (const node of withClause?.ctes ?? []) if ('CommonTableExpr' in node && node.CommonTableExpr.ctename === name) return node.CommonTableExpr.ctequery
  for (let cte = ctes; cte !== undefined; cte = cte.next) if (cte.name === name) return cte.query
  return undefined
}

/** `EXISTS (SELECT FROM t o WHERE o.id = t.id)`. */
function findsItself(select: SelectStmt, look: Look): boolean {
  const { whereClause, ...rest } = select
  if (whereClause === undefined || !('A_Expr' in whereClause) || whereClause.A_Expr.kind !== 'AEXPR_OP' || qualifiedName(whereClause.A_Expr.name).name !== '=') return false
  if (!isWholeTable(rest, look)) return false
  const { lexpr, rexpr } = whereClause.A_Expr
  const [left, right] = [lexpr, rexpr].map((side) => (side !== undefined && 'ColumnRef' in side ? stringsOf(side.ColumnRef.fields) : []))
  return left !== undefined && right !== undefined && left.length > 0 && left.at(-1) === right.at(-1) && [lexpr, rexpr].some((side) => mentions(side, look))
}
