import type { ColumnRef, Node, SelectStmt } from 'libpg-query'
import type { Place } from './analysis.ts'
import { stringOf, stringsOf } from './ast.ts'
import { renameOutputs } from './column-aliases.ts'
import { truthOf } from './condition.ts'
import { smeared, withCtes } from './ctes.ts'
import { applyField, expression, reference } from './expression.ts'
import { filter } from './filter.ts'
import { fill, fromItems, made } from './from-clause.ts'
import { determinedByKey } from './group-by.ts'
import { impliedName, NAMELESS } from './implied-name.ts'
import { AnalysisLimit, MAX_COLUMNS } from './limit.ts'
import { wholeTables } from './own-rows.ts'
import { starSources } from './relation-item.ts'
import { useSortedAggregates } from './sorted-aggregates.ts'
import { DISTINCT, GROUP_BY, handedTo, HAVING, LIMIT, OFFSET, ORDER_BY, OUTPUT, RISKY, SET_OPERATION, VALUES, WHOLE_ROW, WINDOW } from './place.ts'
import { findItem, resolve, type Scope, type ScopeItem } from './scope.ts'
import { distinctSources } from './source.ts'
import { columnTotal, together, totality, typed } from './total.ts'
import { commonKind, mayConvert } from './value-kind.ts'
import { allSources, NO_OUTPUTS, useColumn, useOutputs, type Env, type Output, type Outputs, type Walk } from './walk.ts'

/** Follows a SELECT, VALUES, TABLE or set operation: notes every use of a column, and returns what it gives. */
export function query(select: SelectStmt, outer: Env, walk: Walk): Outputs {
  return walk.found.within(() => follow(select, outer, walk))
}

function follow(select: SelectStmt, outer: Env, walk: Walk): Outputs {
  return walk.budget.nested(() => {
    const env = withCtes(select.withClause, outer, walk)
    const outputs = body(select, env, walk)
    into(select, outputs, walk)
    return outputs
  })
}

function body(select: SelectStmt, env: Env, walk: Walk): Outputs {
  if (select.valuesLists !== undefined) return values(select, env, walk)
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return setOperation(select, env, walk)
  return plainSelect(select, env, walk)
}

function values(select: SelectStmt, env: Env, walk: Walk): Outputs {
  const rows = (select.valuesLists ?? []).map((row) => ('List' in row ? (row.List.items ?? []) : []))
  const columns = (rows[0] ?? []).map((_, index) => valuesColumn(rows.map((row) => row[index]), `column${index + 1}`, env, walk))
  const outputs = { columns, ordered: true, open: false }
  tail(select, { items: [], parent: env.scope }, env, outputs, walk)
  return outputs
}

function valuesColumn(values: readonly (Node | undefined)[], name: string, env: Env, walk: Walk): Output {
  const derived = walk.found.tapped(() => expression(values, env, VALUES, walk))
  const total = together(values.map((value) => totality(value, env, walk)))
  if (total === undefined) walk.found.use(derived, RISKY)
  return { name, sources: [], derived, total }
}

/** The branches of a left-leaning chain are followed in a loop: generated unions are long. */
function setOperation(select: SelectStmt, env: Env, walk: Walk): Outputs {
  const branches: SelectStmt[] = []
  let left: SelectStmt | undefined = select
  let compares = false
  while (left !== undefined && isBareSetOperation(left, select)) {
    compares ||= left.op !== 'SETOP_UNION' || left.all !== true
    if (left.rarg !== undefined) branches.push(left.rarg)
    left = left.larg
  }
  if (left !== undefined) branches.push(left)
  const given = branches.map((branch) => query(branch, env, walk))
  if (compares) for (const outputs of given) useOutputs(outputs, SET_OPERATION, walk)
  const computed = united(given, walk)
  tail(select, { items: [], parent: env.scope }, env, computed, walk)
  return computed
}

/** The leftmost branch, which is the last one here, gives the names. A column is made from those in its place in each branch. */
function united(given: readonly Outputs[], walk: Walk): Outputs {
  const named = given.at(-1) ?? NO_OUTPUTS
  const width = named.columns.length
  walk.budget.spend(width * given.length)
  if (!given.every(({ columns, ordered, open }) => ordered && !open && columns.length === width)) {
    const all = given.flatMap(allSources)
    if (mayConvert(given.flatMap(({ columns }) => columns.map((part) => typed(columnTotal(part, walk)))))) walk.found.use(all, RISKY)
    return smeared(named, all)
  }
  const columns = named.columns.map(({ name }, index) => {
    const parts = given.flatMap(({ columns: all }) => all[index] ?? [])
    const totals = parts.map((part) => columnTotal(part, walk))
    const total = together(totals)
    const derived = distinctSources(parts.flatMap(({ sources, derived: computed }) => [...sources, ...computed]))
    // What is not known to be total has been noted where it is computed, or is what a recursive query gives: of the type of the others.
    if (commonKind(totals.flatMap((part) => (part === undefined ? [] : [typed(part)]))) === undefined) walk.found.use(derived, RISKY)
    return { name, sources: [], derived, total: total && { ...total, plain: false, brittle: true } }
  })
  return { columns, ordered: true, open: false }
}

function isBareSetOperation(part: SelectStmt, top: SelectStmt): boolean {
  if (part.op === undefined || part.op === 'SETOP_NONE') return false
  return part === top || (part.withClause === undefined && part.sortClause === undefined && part.limitCount === undefined && part.limitOffset === undefined)
}

function plainSelect(select: SelectStmt, env: Env, walk: Walk): Outputs {
  const { found } = walk
  found.act('read')
  const { changes } = found
  const scope: Scope = { items: fromItems(select.fromClause, env, walk), parent: env.scope }
  const inner: Env = { scope, ctes: env.ctes }
  const outputs = targets(select.targetList, inner, walk)
  const changesBefore = found.changes
  filter(select.whereClause, inner, walk)
  const chosenByChanges = found.changes > changesBefore && scope.items.some(({ rows }) => rows !== undefined)
  expression(select.havingClause, inner, HAVING, walk)
  expression(select.windowClause, inner, WINDOW, walk)
  groupBy(select, inner, outputs, walk)
  distinct(select, inner, outputs, walk)
  useSortedAggregates(select, inner, walk)
  tail(select, scope, env, outputs, walk)
  const rows = asked(() => wholeTables(select, inner, walk, truthOf))
  if (chosenByChanges || (found.changes > changes && rows().size > 0)) found.flag('unbounded')
  return { ...outputs, rows }
}

/** Most queries stand where nobody asks. */
function asked<T>(find: () => T): () => T {
  let found: T | undefined
  return () => (found ??= find())
}

function groupBy({ groupClause = [], targetList }: SelectStmt, env: Env, outputs: Outputs, walk: Walk): void {
  const determined = determinedByKey(groupClause, targetList, env, walk)
  for (const by of groupClause) {
    const column = determined.get(by)
    if (column === undefined) ordering(by, env, outputs, GROUP_BY, walk)
    else reference(column, env, walk)
    if ('A_Const' in by) walk.found.literal()
  }
}

function distinct(select: SelectStmt, env: Env, outputs: Outputs, walk: Walk): void {
  for (const by of select.distinctClause ?? []) {
    if (Object.keys(by).length === 0) useOutputs(outputs, DISTINCT, walk)
    else ordering(by, env, outputs, DISTINCT, walk)
  }
}

/** ORDER BY, LIMIT and row locks. */
function tail(select: SelectStmt, scope: Scope, env: Env, outputs: Outputs, walk: Walk): void {
  const inner: Env = { scope, ctes: env.ctes }
  for (const sort of select.sortClause ?? []) {
    if ('SortBy' in sort && sort.SortBy.node !== undefined) ordering(sort.SortBy.node, inner, outputs, ORDER_BY, walk)
  }
  expression(select.limitCount, inner, LIMIT, walk)
  expression(select.limitOffset, inner, OFFSET, walk)
  if (select.lockingClause !== undefined) walk.found.lock('rows')
}

/** An item of ORDER BY, GROUP BY or DISTINCT ON: a place, a name of the target list, or an expression. */
function ordering(by: Node, env: Env, outputs: Outputs, at: Place, walk: Walk): void {
  if ('A_Const' in by) walk.found.literal()
  if ('A_Const' in by && by.A_Const.ival !== undefined) {
    const place = outputs.ordered && !outputs.open ? outputs.columns[(by.A_Const.ival.ival ?? 0) - 1] : undefined
    return place === undefined ? useOutputs(outputs, at, walk) : useColumn(place, at, walk)
  }
  const parts = at === GROUP_BY ? grouped(by) : undefined
  if (parts !== undefined) {
    for (const part of parts) ordering(part, env, outputs, at, walk)
    return
  }
  const name = bareName(by)
  const named = name === undefined ? [] : outputs.columns.filter((column) => column.name === name)
  for (const output of named) useColumn(output, at, walk)
  // What a `*` stands for may not be called so at all.
  if (named.length === 0 || at === GROUP_BY || outputs.open) expressionUnlessNamed(by, env, at, named.length > 0, walk)
}

/** What ROLLUP, CUBE, GROUPING SETS and `(a, b)` group by; names and places count inside them, too. */
function grouped(by: Node): readonly Node[] | undefined {
  if ('GroupingSet' in by) return by.GroupingSet.content ?? []
  return 'RowExpr' in by && by.RowExpr.row_format === 'COERCE_IMPLICIT_CAST' ? (by.RowExpr.args ?? []) : undefined
}

/** Where an output has the name, there need be no such column, and nothing is unresolved. GROUP BY prefers the column. */
function expressionUnlessNamed(by: Node, env: Env, at: Place, named: boolean, walk: Walk): void {
  if (!named) return expression(by, env, at, walk)
  for (const item of env.scope?.items ?? []) {
    for (const column of item.columns) if (column.name === bareName(by)) useColumn(column, at, walk)
  }
}

function bareName(node: Node): string | undefined {
  if (!('ColumnRef' in node)) return undefined
  const fields = node.ColumnRef.fields ?? []
  return fields.length === 1 ? stringOf(fields[0]) : undefined
}

/** A target or RETURNING list. */
export function targets(list: readonly Node[] | undefined, env: Env, walk: Walk): Outputs {
  const columns: Output[] = []
  let ordered = true
  let open = false
  for (const target of list ?? []) {
    if (!('ResTarget' in target)) continue
    const { val, name } = target.ResTarget
    const column = columnRef(val, env, walk)
    const given = column === undefined ? computedTarget(val, name, env, walk) : plainTarget(column, name, env, walk)
    ordered &&= given.ordered
    open ||= given.open
    columns.push(...given.columns)
    walk.budget.spend(given.columns.length)
    if (columns.length > MAX_COLUMNS) throw new AnalysisLimit(`a list has more than ${MAX_COLUMNS} columns`)
  }
  return { columns, ordered, open }
}

/** A column, or what is another way to write one: `(p).email`, `(p).*`. */
function columnRef(value: Node | undefined, env: Env, walk: Walk): ColumnRef | undefined {
  if (value === undefined || 'ColumnRef' in value) return value?.ColumnRef
  if (!('A_Indirection' in value)) return undefined
  const { arg, indirection: [step, ...more] = [] } = value.A_Indirection
  if (arg === undefined || !('ColumnRef' in arg) || step === undefined || more.length > 0) return undefined
  const fields = arg.ColumnRef.fields ?? []
  const parts = stringsOf(fields)
  const found = parts.length === fields.length ? resolve(parts, env.scope, walk.budget) : undefined
  if (found?.kind !== 'row' || found.item === undefined) return undefined
  const known = 'A_Star' in step || found.item.columns.some(({ name }) => name === stringOf(step))
  return known ? { fields: [...fields, step] } : undefined
}

function computedTarget(value: Node | undefined, name: string | undefined, env: Env, walk: Walk): Outputs {
  const derived = walk.found.tapped(() => expression(value, env, OUTPUT, walk))
  const total = totality(value, env, walk)
  if (total === undefined) walk.found.use(derived, RISKY)
  const expands = value !== undefined && 'A_Indirection' in value && (value.A_Indirection.indirection ?? []).some((part) => 'A_Star' in part)
  return { columns: [{ name: name ?? impliedName(value, (select) => walk.subqueries.get(select)?.columns[0]?.name), sources: [], derived, total }], ordered: !expands, open: expands }
}

function plainTarget(column: ColumnRef, name: string | undefined, env: Env, walk: Walk): Outputs {
  const fields = column.fields ?? []
  const parts = stringsOf(fields)
  if (parts.length < fields.length) return expandStar(parts, env, walk)
  const found = reference(column, env, walk)
  const output = name ?? parts.at(-1) ?? NAMELESS
  if (found.kind === 'column' && found.plain) return oneColumn({ name: output, sources: found.sources, derived: found.derived, total: found.total })
  if (found.kind === 'unresolved') return oneColumn({ name: output, sources: [], derived: [] })
  const behind = found.kind === 'row' ? found.sources : [...found.sources, ...found.derived]
  const called = found.kind === 'row' && found.field !== undefined && !applyField(found.field, OUTPUT, walk) ? handedTo(found.field) : undefined
  const derived = walk.found.tapped(() => walk.found.use(behind, called ?? (found.kind === 'row' ? WHOLE_ROW : OUTPUT)))
  const total = totality({ ColumnRef: column }, env, walk)
  if (total === undefined) walk.found.use(derived, RISKY)
  return oneColumn({ name: output, sources: [], derived, total })
}

function oneColumn(column: Output): Outputs {
  return { columns: [column], ordered: true, open: false }
}

function expandStar(parts: readonly string[], env: Env, walk: Walk): Outputs {
  const items = starItems(parts, env, walk)
  const columns: Output[] = []
  for (const item of items) {
    item.touched = true
    walk.budget.spend(item.columns.length)
    if (item.unknownTable !== undefined) columns.push(...starSources(item).map((sources) => ({ name: '*', sources, derived: [] })))
    columns.push(...item.columns)
    if (columns.length > MAX_COLUMNS) throw new AnalysisLimit(`a list has more than ${MAX_COLUMNS} columns`)
  }
  for (const { sources } of columns) walk.found.name(sources)
  return { columns, ordered: items.every(({ ordered }) => ordered), open: items.some((item) => item.open) }
}

function starItems(parts: readonly string[], env: Env, walk: Walk): readonly ScopeItem[] {
  if (parts.length === 0) return (env.scope?.items ?? []).filter(({ unqualified }) => unqualified)
  const item = findItem(parts.at(-1) ?? '', parts.at(-2), env.scope, walk.budget)
  if (item === undefined) walk.found.unresolved({ name: `${parts.join('.')}.*`, relations: [], computed: [] })
  return item === undefined ? [] : [item]
}

function into(select: SelectStmt, outputs: Outputs, walk: Walk): void {
  const relation = select.intoClause?.rel
  if (relation === undefined) return
  walk.found.act('create')
  walk.found.effects.redefines = { code: false, creates: relation.relname ?? '' }
  made(relation, walk)
  fill(relation, renameOutputs(outputs, stringsOf(select.intoClause?.colNames)), false, walk)
}
