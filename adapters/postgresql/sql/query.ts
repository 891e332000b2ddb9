import type { ColumnRef, CommonTableExpr, Node, SelectStmt, WithClause } from 'libpg-query'
import { stringOf, stringsOf } from './ast.ts'
import { renameOutputs } from './column-aliases.ts'
import { expression, reference } from './expression.ts'
import { fromItems, made } from './from-clause.ts'
import { AnalysisLimit, MAX_COLUMNS } from './limit.ts'
import { starSources } from './relation-item.ts'
import { findItem, type Scope, type ScopeItem } from './scope.ts'
import { NO_OUTPUTS, useColumn, useOutputs, type CteEnv, type Env, type Output, type Outputs, type Walk } from './walk.ts'

/** Follows a SELECT, VALUES, TABLE or set operation: notes every use of a column, and returns what it gives. */
export function query(select: SelectStmt, outer: Env, walk: Walk): Outputs {
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
  expression(select.valuesLists, env, 'a VALUES list', walk)
  const [first] = select.valuesLists ?? []
  const width = first !== undefined && 'List' in first ? (first.List.items?.length ?? 0) : 0
  const columns = Array.from({ length: width }, (_, index) => ({ name: `column${index + 1}`, sources: [], derived: [] }))
  const outputs = { columns, ordered: true, open: false }
  tail(select, { items: [], parent: env.scope }, env, outputs, walk)
  return outputs
}

/** The branches of a left-leaning chain are followed in a loop: generated unions are long. */
function setOperation(select: SelectStmt, env: Env, walk: Walk): Outputs {
  const branches: SelectStmt[] = []
  let left: SelectStmt | undefined = select
  while (left !== undefined && isBareSetOperation(left, select)) {
    if (left.rarg !== undefined) branches.push(left.rarg)
    left = left.larg
  }
  if (left !== undefined) branches.push(left)
  let outputs = NO_OUTPUTS
  for (const branch of branches) {
    outputs = query(branch, env, walk)
    useOutputs(outputs, 'a set operation', walk)
  }
  const computed = { ...outputs, columns: outputs.columns.map(({ name, sources, derived }) => ({ name, sources: [], derived: [...sources, ...derived] })) }
  tail(select, { items: [], parent: env.scope }, env, computed, walk)
  return computed
}

function isBareSetOperation(part: SelectStmt, top: SelectStmt): boolean {
  if (part.op === undefined || part.op === 'SETOP_NONE') return false
  return part === top || (part.withClause === undefined && part.sortClause === undefined && part.limitCount === undefined && part.limitOffset === undefined)
}

function plainSelect(select: SelectStmt, env: Env, walk: Walk): Outputs {
  walk.found.act('read')
  const scope: Scope = { items: fromItems(select.fromClause, env, walk), parent: env.scope }
  const inner: Env = { scope, ctes: env.ctes }
  const outputs = targets(select.targetList, inner, walk)
  expression(select.whereClause, inner, 'WHERE', walk)
  expression(select.havingClause, inner, 'HAVING', walk)
  expression(select.windowClause, inner, 'a window', walk)
  for (const group of select.groupClause ?? []) ordering(group, inner, outputs, 'GROUP BY', walk)
  distinct(select, inner, outputs, walk)
  tail(select, scope, env, outputs, walk)
  return outputs
}

function distinct(select: SelectStmt, env: Env, outputs: Outputs, walk: Walk): void {
  for (const by of select.distinctClause ?? []) {
    if (Object.keys(by).length === 0) useOutputs(outputs, 'DISTINCT', walk)
    else ordering(by, env, outputs, 'DISTINCT', walk)
  }
}

/** ORDER BY, LIMIT and row locks. */
function tail(select: SelectStmt, scope: Scope, env: Env, outputs: Outputs, walk: Walk): void {
  const inner: Env = { scope, ctes: env.ctes }
  for (const sort of select.sortClause ?? []) {
    if ('SortBy' in sort && sort.SortBy.node !== undefined) ordering(sort.SortBy.node, inner, outputs, 'ORDER BY', walk)
  }
  expression(select.limitCount, inner, 'LIMIT', walk)
  expression(select.limitOffset, inner, 'OFFSET', walk)
  if (select.lockingClause !== undefined) walk.found.act('lock')
}

/** An item of ORDER BY, GROUP BY or DISTINCT ON: a place, a name of the target list, or an expression. */
function ordering(by: Node, env: Env, outputs: Outputs, how: string, walk: Walk): void {
  if ('A_Const' in by) walk.found.literal()
  if ('A_Const' in by && by.A_Const.ival !== undefined) {
    const place = outputs.ordered && !outputs.open ? outputs.columns[(by.A_Const.ival.ival ?? 0) - 1] : undefined
    return place === undefined ? useOutputs(outputs, how, walk) : useColumn(place, how, walk)
  }
  const parts = how === 'GROUP BY' ? grouped(by) : undefined
  if (parts !== undefined) {
    for (const part of parts) ordering(part, env, outputs, how, walk)
    return
  }
  const name = bareName(by)
  const named = name === undefined ? [] : outputs.columns.filter((column) => column.name === name)
  for (const output of named) useColumn(output, how, walk)
  if (named.length === 0 || how === 'GROUP BY') expressionUnlessNamed(by, env, how, named.length > 0, walk)
}

/** What ROLLUP, CUBE, GROUPING SETS and `(a, b)` group by; names and places count inside them, too. */
function grouped(by: Node): readonly Node[] | undefined {
  if ('GroupingSet' in by) return by.GroupingSet.content ?? []
  return 'RowExpr' in by && by.RowExpr.row_format === 'COERCE_IMPLICIT_CAST' ? (by.RowExpr.args ?? []) : undefined
}

/** GROUP BY prefers a column to an output's name; where there is no such column, nothing is unresolved. */
function expressionUnlessNamed(by: Node, env: Env, how: string, named: boolean, walk: Walk): void {
  if (!named) return expression(by, env, how, walk)
  for (const item of env.scope?.items ?? []) {
    for (const column of item.columns) if (column.name === bareName(by)) useColumn(column, how, walk)
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
    const given = val !== undefined && 'ColumnRef' in val ? plainTarget(val.ColumnRef, name, env, walk) : computedTarget(val, name, env, walk)
    ordered &&= given.ordered
    open ||= given.open
    columns.push(...given.columns)
    walk.budget.spend(given.columns.length)
    if (columns.length > MAX_COLUMNS) throw new AnalysisLimit(`a list has more than ${MAX_COLUMNS} columns`)
  }
  return { columns, ordered, open }
}

function computedTarget(value: Node | undefined, name: string | undefined, env: Env, walk: Walk): Outputs {
  const derived = walk.found.tapped(() => expression(value, env, 'an expression', walk))
  const expands = value !== undefined && 'A_Indirection' in value && (value.A_Indirection.indirection ?? []).some((part) => 'A_Star' in part)
  return { columns: [{ name: name ?? impliedName(value), sources: [], derived }], ordered: !expands, open: expands }
}

/** The name PostgreSQL gives an unnamed column, as far as it can be referred to (FigureColname). */
function impliedName(value: Node | undefined): string {
  if (value === undefined) return '?column?'
  if ('FuncCall' in value) return stringsOf(value.FuncCall.funcname).at(-1) ?? '?column?'
  if ('TypeCast' in value) return impliedName(value.TypeCast.arg)
  if ('ColumnRef' in value) return stringsOf(value.ColumnRef.fields).at(-1) ?? '?column?'
  if ('A_Indirection' in value) return stringsOf(value.A_Indirection.indirection).at(-1) ?? impliedName(value.A_Indirection.arg)
  return '?column?'
}

function plainTarget(column: ColumnRef, name: string | undefined, env: Env, walk: Walk): Outputs {
  const fields = column.fields ?? []
  const parts = stringsOf(fields)
  if (parts.length < fields.length) return expandStar(parts, env, walk)
  const found = reference(column, env, walk)
  const output = name ?? parts.at(-1) ?? '?column?'
  if (found.kind === 'column' && found.plain) return oneColumn({ name: output, sources: found.sources, derived: found.derived })
  if (found.kind === 'unresolved') return oneColumn({ name: output, sources: [], derived: [] })
  const how = found.kind === 'row' ? 'a whole-row reference' : 'an expression'
  const derived = walk.found.tapped(() => walk.found.use(found.sources, how))
  return oneColumn({ name: output, sources: [], derived })
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
  if (item === undefined) walk.found.unresolved(`${parts.join('.')}.*`, [])
  return item === undefined ? [] : [item]
}

function into(select: SelectStmt, outputs: Outputs, walk: Walk): void {
  const relation = select.intoClause?.rel
  if (relation === undefined) return
  walk.found.act('create')
  walk.found.effects.redefines = { code: false, creates: relation.relname ?? '' }
  made(relation, walk)
  useOutputs(outputs, 'a copy into another table', walk)
}

/** Adds a WITH clause to the names in reach. Recursive ones see each other; the rest see those before them. */
export function withCtes(clause: WithClause | undefined, env: Env, walk: Walk): Env {
  let ctes = env.ctes
  const pending: (() => Outputs)[] = []
  for (const node of clause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) continue
    const cte = node.CommonTableExpr
    if (cte.ctequery !== undefined && !('SelectStmt' in cte.ctequery)) walk.found.flag('uncountable')
    const before = ctes
    const seen = (): CteEnv | undefined => (clause?.recursive === true ? ctes : before)
    const outputs = once(() => cteOutputs(cte, { scope: env.scope, ctes: seen() }, walk))
    ctes = { name: cte.ctename ?? '', outputs, next: before }
    pending.push(outputs)
  }
  for (const outputs of pending) walk.found.choosing(outputs)
  return { scope: env.scope, ctes }
}

/** Evaluates once. Asked again while it is at work, it is the recursive reference: columns that are not known yet. */
function once(evaluate: () => Outputs): () => Outputs {
  let result: Outputs | 'working' | undefined
  return () => {
    if (result === 'working') return { columns: [], ordered: false, open: true }
    if (result !== undefined) return result
    result = 'working'
    result = evaluate()
    return result
  }
}

function cteOutputs(cte: CommonTableExpr, env: Env, walk: Walk): Outputs {
  const { ctequery } = cte
  if (ctequery === undefined) return NO_OUTPUTS
  const given = 'SelectStmt' in ctequery ? walk.query(ctequery.SelectStmt, env) : (walk.write(ctequery, env) ?? NO_OUTPUTS)
  if (cte.cycle_clause !== undefined || cte.search_clause !== undefined) useOutputs(given, 'a SEARCH or CYCLE clause', walk)
  const named = renameOutputs(given, stringsOf(cte.aliascolnames))
  const extra = [cte.search_clause?.search_seq_column, cte.cycle_clause?.cycle_mark_column, cte.cycle_clause?.cycle_path_column]
  return { ...named, columns: [...named.columns, ...extra.flatMap((name) => (name === undefined ? [] : [{ name, sources: [], derived: [] }]))] }
}
