import type { DeleteStmt, InferClause, InsertStmt, MergeStmt, MergeWhenClause, Node, OnConflictClause, RangeVar, ReturningClause, UpdateStmt } from 'libpg-query'
import type { Source } from './analysis.ts'
import { assignment } from './assignment.ts'
import { restricts } from './condition.ts'
import { withCtes } from './ctes.ts'
import { expression } from './expression.ts'
import { filter } from './filter.ts'
import { follow, runViews } from './followers.ts'
import { fromItems, touchAll } from './from-clause.ts'
import { COPIED, INSERT_COLUMN, MERGE_ACTION, MERGE_CONDITION, ON_CONFLICT, WHERE } from './place.ts'
import { targets } from './query.ts'
import { lookUp, relationItem } from './relation-item.ts'
import type { RowEvent } from './resolver.ts'
import { tableKey, type ScopeItem } from './scope.ts'
import { computedItem, NO_OUTPUTS, useOutputs, type Env, type Outputs, type Walk } from './walk.ts'

/** Follows INSERT, UPDATE, DELETE and MERGE; returns what RETURNING gives. */
export function write(node: Node, env: Env, walk: Walk): Outputs | undefined {
  return walk.budget.nested(() => {
    if ('InsertStmt' in node) return insert(node.InsertStmt, env, walk)
    if ('UpdateStmt' in node) return update(node.UpdateStmt, env, walk)
    if ('DeleteStmt' in node) return remove(node.DeleteStmt, env, walk)
    if ('MergeStmt' in node) return merge(node.MergeStmt, env, walk)
    return undefined
  })
}

function insert(statement: InsertStmt, outer: Env, walk: Walk): Outputs {
  const env = withCtes(statement.withClause, outer, walk)
  walk.found.act('insert')
  const item = target(statement.relation, 'insert', statement.cols === undefined && statement.selectStmt !== undefined ? EACH : assigned(statement.cols), walk)
  subscripts(statement.cols, env, walk)
  const { selectStmt } = statement
  let given = NO_OUTPUTS
  if (selectStmt !== undefined && 'SelectStmt' in selectStmt) {
    const { SelectStmt: source } = selectStmt
    const rows = (): Outputs => walk.query(source, env)
    given = source.valuesLists === undefined ? walk.found.choosing(rows) : rows()
    useOutputs(given, COPIED, walk)
  }
  if (statement.onConflictClause !== undefined) onConflict(statement.onConflictClause, statement, given, item, env, walk)
  return returning(statement.returningClause, [item], env, walk)
}

/** EXCLUDED holds the rows proposed; where they come from has been noted. */
function onConflict(clause: OnConflictClause, { cols }: InsertStmt, given: Outputs, item: ScopeItem, env: Env, walk: Walk): void {
  const excluded = { ...computedItem('excluded', { columns: item.columns.map(({ name }) => ({ name, sources: [], derived: [] })), ordered: true, open: true }), unqualified: false }
  const inner = within([item, excluded], env)
  expression(clause.infer, inner, ON_CONFLICT, walk)
  if (clause.action !== 'ONCONFLICT_UPDATE') return
  walk.found.act('update')
  follow({ written: '', relations: item.relations }, 'update', walk)
  assignments(clause.targetList, item, inner, walk)
  expression(clause.whereClause, inner, WHERE, walk)
  const { whereClause } = clause
  if (givesItself(given, assigned(cols), clause.infer, item) && (whereClause === undefined || !restricts(whereClause, item, inner, walk))) walk.found.flag('unbounded')
}

/** `INSERT INTO t SELECT * FROM t`: each row of the table is in conflict with itself. */
function givesItself({ columns, rows, ordered, open }: Outputs, names: readonly string[], infer: InferClause | undefined, item: ScopeItem): boolean {
  const tables = item.rows?.() ?? new Map<string, never>()
  const isOwn = ({ relation, table }: Source): boolean => tables.has(tableKey(relation, table))
  if (![...(rows?.() ?? [])].some(([table]) => tables.has(table))) return false
  if (!ordered || open) return true
  const into = names.length > 0 ? names : item.columns.map(({ name }) => name)
  const keys = (infer?.indexElems ?? []).flatMap((node) => ('IndexElem' in node ? (node.IndexElem.name ?? []) : []))
  return keys.every((key) => columns[into.indexOf(key)]?.sources.some((source) => isOwn(source) && source.column === key) === true)
}

function update(statement: UpdateStmt, outer: Env, walk: Walk): Outputs {
  const env = withCtes(statement.withClause, outer, walk)
  walk.found.act('update')
  if (statement.fromClause !== undefined) walk.found.act('read')
  const item = target(statement.relation, 'update', [], walk, assigned(statement.targetList))
  const items = [item, ...walk.found.choosing(() => fromItems(statement.fromClause, env, walk, [item]))]
  const inner = within(items, env)
  assignments(statement.targetList, item, inner, walk)
  where(statement.whereClause, item, inner, walk, statement.fromClause)
  return returning(statement.returningClause, items, env, walk)
}

function remove(statement: DeleteStmt, outer: Env, walk: Walk): Outputs {
  const env = withCtes(statement.withClause, outer, walk)
  walk.found.act('delete')
  if (statement.usingClause !== undefined) walk.found.act('read')
  const item = target(statement.relation, 'delete', [], walk)
  const items = [item, ...walk.found.choosing(() => fromItems(statement.usingClause, env, walk, [item]))]
  where(statement.whereClause, item, within(items, env), walk, statement.usingClause)
  return returning(statement.returningClause, items, env, walk)
}

function merge(statement: MergeStmt, outer: Env, walk: Walk): Outputs {
  const env = withCtes(statement.withClause, outer, walk)
  walk.found.act('read')
  const item = target(statement.relation, undefined, [], walk)
  const source = fromItems(statement.sourceRelation === undefined ? [] : [statement.sourceRelation], env, walk)
  const items = [item, ...source].map((part) => Object.assign(part, { ordered: false }))
  const inner = within(items, env)
  expression(statement.joinCondition, inner, MERGE_CONDITION, walk)
  for (const node of statement.mergeWhenClauses ?? []) {
    if ('MergeWhenClause' in node) when(node.MergeWhenClause, statement, item, inner, walk)
  }
  return returning(statement.returningClause, items, env, walk)
}

function when(clause: MergeWhenClause, { joinCondition, sourceRelation }: MergeStmt, item: ScopeItem, env: Env, walk: Walk): void {
  expression(clause.condition, env, MERGE_CONDITION, walk)
  expression(clause.values, env, MERGE_ACTION, walk)
  const action = MERGE_ACTIONS[clause.commandType ?? '']
  if (action === undefined) return
  walk.found.act(action)
  follow({ written: '', relations: item.relations }, action, walk)
  if (action === 'insert') return written(item, clause.targetList === undefined && clause.values !== undefined ? EACH : assigned(clause.targetList), walk)
  assignments(clause.targetList, item, env, walk)
  const conditions = [clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' ? undefined : joinCondition, clause.condition].filter((node) => node !== undefined)
  const limited = restricts({ BoolExpr: { boolop: 'AND_EXPR', args: conditions } }, item, env, walk, sourceRelation === undefined ? [] : [sourceRelation])
  if (!limited) walk.found.flag('unbounded')
}

const MERGE_ACTIONS: Readonly<Record<string, 'insert' | 'update' | 'delete'>> = { CMD_INSERT: 'insert', CMD_UPDATE: 'update', CMD_DELETE: 'delete' }

/** No columns are named: values are for them all, in their order. */
const EACH = Object.freeze(['*'])

/** A table written to. A common table expression of the same name does not hide it. */
function target(range: RangeVar | undefined, event: RowEvent | undefined, columns: readonly string[], walk: Walk, set?: readonly string[]): ScopeItem {
  const named = lookUp(range ?? {}, walk.found.context)
  touchAll(named, 'write', walk, columns === EACH ? [...new Set(named.relations.flatMap((relation) => relation.columns.map(({ name }) => name)))] : columns)
  runViews(named, walk)
  if (event !== undefined) follow(named, event, walk, set)
  return relationItem(range ?? {}, named)
}

function written(item: ScopeItem, columns: readonly string[], walk: Walk): void {
  for (const relation of item.relations) walk.found.touch(relation, relation.name, 'write', columns === EACH ? relation.columns.map(({ name }) => name) : columns)
  if (item.unknownTable !== undefined) walk.found.touch(undefined, item.unknownTable, 'write', columns)
}

function assigned(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((node) => ('ResTarget' in node && node.ResTarget.name !== undefined ? [node.ResTarget.name] : []))
}

/** SET a = …, and a[i] = … */
function assignments(list: readonly Node[] | undefined, item: ScopeItem, env: Env, walk: Walk): void {
  written(item, assigned(list), walk)
  for (const node of list ?? []) {
    if ('ResTarget' in node) assignment(node.ResTarget, item, env, walk)
  }
}

function subscripts(list: readonly Node[] | undefined, env: Env, walk: Walk): void {
  for (const node of list ?? []) if ('ResTarget' in node) expression(node.ResTarget.indirection, env, INSERT_COLUMN, walk)
}

function where(condition: Node | undefined, item: ScopeItem, env: Env, walk: Walk, from: readonly Node[] = []): void {
  walk.found.choosing(() => filter(condition, env, walk))
  if (condition !== undefined && 'CurrentOfExpr' in condition) walk.found.flag('uncountable')
  if (condition === undefined || !restricts(condition, item, env, walk, from)) walk.found.flag('unbounded')
}

function returning(clause: ReturningClause | undefined, items: readonly ScopeItem[], env: Env, walk: Walk): Outputs {
  if (clause === undefined) return NO_OUTPUTS
  walk.found.flag('returning')
  return targets(clause.exprs, within([...items, ...oldAndNew(clause, items)], env), walk)
}

/** OLD and NEW, or what WITH (OLD AS …) calls them: the target's row before and after. */
function oldAndNew(clause: ReturningClause, [item, ...others]: readonly ScopeItem[]): ScopeItem[] {
  if (item === undefined) return []
  const taken = new Set([item.name, ...others.map(({ name }) => name)])
  const chosen = (clause.options ?? []).flatMap((node) => ('ReturningOption' in node ? (node.ReturningOption.value ?? []) : []))
  const names = [...chosen, ...['old', 'new'].filter((name) => !taken.has(name))]
  return names.map((name) => ({ ...item, name, aliased: true, unqualified: false }))
}

function within(items: readonly ScopeItem[], env: Env): Env {
  return { scope: { items, parent: env.scope }, ctes: env.ctes }
}
