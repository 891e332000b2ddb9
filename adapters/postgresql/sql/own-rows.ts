/** Where a query names the very table whose rows are looked at: a join of it with itself, a sub-select of all of its rows. */
import type { JoinExpr, Node, SelectStmt } from 'libpg-query'
import { argumentText } from './ast.ts'
import { withCtes } from './ctes.ts'
import { fromItems } from './from-clause.ts'
import { lookAt, viewOutputs, type Look, type Truth } from './look.ts'
import type { ScopeItem, TableRows } from './scope.ts'
import type { Env, Walk } from './walk.ts'

/** The look at what is inside of a query, with those of its FROM items that hold the row itself at that row. */
export interface OwnRows {
  readonly look: Look
  /** They narrow down the rows, beside the WHERE. */
  readonly conditions: readonly Node[]
  /** Whether the row itself is surely among theirs: nothing else could leave no row at all. */
  readonly certain: boolean
}

/** `items` are what `from` brings in; `undefined` when none of them holds the row that is looked at. */
export function ownRows(from: readonly Node[], items: readonly ScopeItem[], look: Look): OwnRows | undefined {
  const own: ScopeItem[] = []
  const linked: ScopeItem[] = []
  const conditions: Node[] = []
  let certain = true
  for (const item of items) {
    const held = look.items.includes(item) ? undefined : holds(item, look)
    const found = held === undefined ? undefined : place(item, from)
    if (held === undefined || found === undefined) continue
    own.push(item)
    conditions.push(...found.conditions)
    linked.push(...items.filter((other) => found.joined.includes(other.name ?? '')))
    certain &&= held === 'true'
  }
  if (own.length === 0) return undefined
  const free = new Set(from.flatMap((node) => (isLateral(node) ? namesIn(node) : [])))
  linked.push(...items.filter(({ name }) => name !== undefined && free.has(name)))
  certain &&= items.every((item) => own.includes(item))
  return { look: { ...look, items: [...look.items, ...own], linked: [...look.linked, ...linked.filter((item) => !own.includes(item))] }, conditions, certain }
}

/** Whether an item has a row for the one that is looked at. */
function holds(item: ScopeItem, look: Look): Truth | undefined {
  const rows = [item.rows?.(), ...item.relations.map((relation) => (item.rows === undefined ? undefined : viewOutputs(relation, look)?.rows?.()))]
  const found = rows.flatMap((each) => Array.from(each ?? []).filter(([table]) => look.tables.has(table)))
  if (found.length === 0) return undefined
  return found.every(([, truth]) => truth === 'true') ? 'true' : 'even'
}

interface PlaceInFrom {
  /** The conditions of joins that may leave its rows out. */
  readonly conditions: readonly Node[]
  /** The names that are joined with it. */
  readonly joined: readonly string[]
}

function place({ name }: ScopeItem, from: readonly Node[]): PlaceInFrom | undefined {
  if (name === undefined) return undefined
  for (const node of from) {
    const conditions = conditionsOn(name, node)
    if (conditions === 'merged') return undefined
    if (conditions !== undefined) return { conditions, joined: 'JoinExpr' in node ? namesIn(node).filter((other) => other !== name) : [] }
  }
  return undefined
}

/** `undefined` when it is not in there; `merged` when columns are compared by their names. */
function conditionsOn(name: string, node: Node): readonly Node[] | 'merged' | undefined {
  if (!('JoinExpr' in node)) return namesIn(node).includes(name) ? [] : undefined
  const { larg, rarg, jointype, quals, isNatural, usingClause, alias } = node.JoinExpr
  if (alias !== undefined) return undefined
  const left = larg === undefined ? undefined : conditionsOn(name, larg)
  const inner = left ?? (rarg === undefined ? undefined : conditionsOn(name, rarg))
  if (inner === undefined || inner === 'merged') return inner
  if (jointype === 'JOIN_FULL' || jointype === (left === undefined ? 'JOIN_RIGHT' : 'JOIN_LEFT')) return inner
  if (isNatural === true || usingClause !== undefined) return 'merged'
  return quals === undefined ? inner : [...inner, quals]
}

function namesIn(node: Node): string[] {
  if ('JoinExpr' in node) return joinedNames(node.JoinExpr)
  if ('RangeTableSample' in node) return node.RangeTableSample.relation === undefined ? [] : namesIn(node.RangeTableSample.relation)
  if ('RangeVar' in node) return [node.RangeVar.alias?.aliasname ?? node.RangeVar.relname ?? '']
  const [body] = Object.values(node) as { alias?: { aliasname?: string } }[]
  return body?.alias?.aliasname === undefined ? [] : [body.alias.aliasname]
}

function joinedNames({ larg, rarg, alias }: JoinExpr): string[] {
  if (alias?.aliasname !== undefined) return [alias.aliasname]
  return [larg, rarg].flatMap((node) => (node === undefined ? [] : namesIn(node)))
}

function isLateral(node: Node): boolean {
  return 'RangeFunction' in node || ('RangeSubselect' in node && node.RangeSubselect.lateral === true)
}

/** The look from inside a sub-select: nothing is known of its rows yet. */
export function inside({ withClause, fromClause }: SelectStmt, look: Look): { readonly look: Look; readonly items: readonly ScopeItem[] } {
  const probe = look.walk.probe()
  const { scope, ctes } = withCtes(withClause, look.env, probe)
  const items = fromItems(fromClause, { scope, ctes }, probe)
  return { look: { ...look, env: { scope: { items, parent: scope }, ctes } }, items }
}

/** Whether it gives only some of the rows that it finds. */
export function picks({ limitCount, limitOffset, distinctClause = [] }: SelectStmt, { found }: Walk): boolean {
  const limit = argumentText(limitCount)
  const offset = argumentText(limitOffset)
  if (typeof offset === 'string') found.literal()
  if (limitCount !== undefined && limit !== null && !(Number(limit) >= EVERY_ROW)) return true
  if (limitOffset !== undefined && offset !== null && Number(offset) !== 0) return true
  return distinctClause.some((by) => Object.keys(by).length > 0)
}

const EVERY_ROW = 2_147_483_647

/** The tables of which a SELECT gives at least one row for each of theirs, columns as they are in there. */
export function wholeTables(select: SelectStmt, env: Env, walk: Walk, truth: Look['truth']): TableRows {
  const { whereClause, havingClause, fromClause = [] } = select
  const tables = new Map<string, 'true' | 'even'>()
  const items = env.scope?.items ?? []
  if (items.every(({ rows }) => rows === undefined) || picks(select, walk)) return tables
  for (const item of items) {
    const found = item.rows === undefined ? undefined : place(item, fromClause)
    if (item.rows === undefined || found === undefined) continue
    const look = { ...lookAt(item, env, walk, truth), linked: items.filter(({ name }) => found.joined.includes(name ?? '')) }
    const truths = [...found.conditions, whereClause].filter((node) => node !== undefined).map((node) => truth(node, look))
    if (havingClause !== undefined) truths.push(truth(havingClause, { ...look, grouped: true }))
    if (truths.some((one) => one === 'false' || one === 'unknown')) continue
    const sure = items.length === 1 && truths.every((one) => one === 'true')
    for (const [table, own] of item.rows()) tables.set(table, sure && own === 'true' ? 'true' : 'even')
    for (const relation of item.relations) for (const [table, own] of viewOutputs(relation, look)?.rows?.() ?? []) tables.set(table, sure && own === 'true' ? 'true' : 'even')
  }
  return tables
}

/** Whether a query finds a row for the one that is looked at: that row itself, or one that is there in any case. */
export function witness(select: SelectStmt, look: Look): { readonly truth: Truth; readonly look: Look } | undefined {
  const { valuesLists, op, whereClause, havingClause, fromClause = [] } = select
  if (valuesLists !== undefined || (op !== undefined && op !== 'SETOP_NONE') || picks(select, look.walk)) return undefined
  const { look: inner, items } = inside(select, look)
  const own = items.length === 0 ? { look: inner, conditions: [], certain: true } : ownRows(fromClause, items, inner)
  if (own === undefined) return undefined
  const truths = [...own.conditions, whereClause].filter((node) => node !== undefined).map((node) => look.truth(node, own.look))
  if (havingClause !== undefined) truths.push(look.truth(havingClause, { ...own.look, grouped: true }))
  return { truth: allOf([...truths, own.certain ? 'true' : 'even']), look: own.look }
}

export function allOf(truths: readonly Truth[]): Truth {
  return truths.includes('false') ? 'false' : truths.includes('unknown') ? 'unknown' : truths.includes('even') ? 'even' : 'true'
}
