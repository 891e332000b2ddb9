import type { Alias, JoinExpr, Node, RangeFunction, RangeSubselect, RangeVar } from 'libpg-query'
import { argumentText, isTree, nodeType, qualifiedName, stringsOf, type Tree } from './ast.ts'
import { renameOutputs } from './column-aliases.ts'
import { expression } from './expression.ts'
import { runViews } from './followers.ts'
import { runRowCode } from './implied-code.ts'
import { AnalysisLimit, MAX_COLUMNS } from './limit.ts'
import { COPIED, FROM_CALL, FROM_FUNCTION, FROM_TABLE_FUNCTION, JOIN, TABLESAMPLE } from './place.ts'
import { lookUp, relationItem, type Named } from './relation-item.ts'
import type { Relation } from './resolver.ts'
import type { ScopeColumn, ScopeItem } from './scope.ts'
import { isTemporary, tableOfOutputs } from './temporary-table.ts'
import { computedItem, NO_OUTPUTS, useOutputs, type CteEnv, type Env, type Outputs, type Walk } from './walk.ts'

/** The names that a FROM (or USING) list brings in. `before` are items that LATERAL ones see as well. */
export function fromItems(list: readonly Node[] | undefined, env: Env, walk: Walk, before: readonly ScopeItem[] = []): ScopeItem[] {
  const items: ScopeItem[] = []
  for (const node of list ?? []) {
    const left = [...before, ...items]
    walk.budget.spend(left.length)
    items.push(...walk.budget.nested(() => fromItem(node, left, env, walk)))
  }
  return items
}

function fromItem(node: Node, left: readonly ScopeItem[], env: Env, walk: Walk): readonly ScopeItem[] {
  if ('RangeVar' in node) return [rangeVar(node.RangeVar, env, walk)]
  if ('RangeSubselect' in node) return [subselect(node.RangeSubselect, left, env, walk)]
  if ('JoinExpr' in node) return join(node.JoinExpr, left, env, walk)
  if ('RangeFunction' in node) return [rangeFunction(node.RangeFunction, lateral(left, env), walk)]
  if ('RangeTableSample' in node) return sample(node.RangeTableSample, left, env, walk)
  return [tableFunction(node, lateral(left, env), walk)]
}

function lateral(left: readonly ScopeItem[], env: Env): Env {
  return { scope: { items: left, parent: env.scope }, ctes: env.ctes }
}

function rangeVar(range: RangeVar, env: Env, walk: Walk): ScopeItem {
  const cte = range.schemaname === undefined ? findCte(range.relname ?? '', env.ctes) : undefined
  if (cte !== undefined) {
    const outputs = renameOutputs(cte.outputs(), stringsOf(range.alias?.colnames))
    return computedItem(range.alias?.aliasname ?? range.relname, outputs)
  }
  const named = lookUp(range, walk.found.context)
  touchAll(named, 'read', walk)
  runViews(named, walk)
  return relationItem(range, named)
}

function findCte(name: string, ctes: CteEnv | undefined): CteEnv | undefined {
  for (let cte = ctes; cte !== undefined; cte = cte.next) if (cte.name === name) return cte
  return undefined
}

/** Notes every relation that a name may stand for. */
export function touchAll({ written, relations }: Named, use: 'read' | 'write' | 'define' | 'maintain', walk: Walk, columns: readonly string[] = []): void {
  for (const relation of relations) {
    walk.found.touch(relation, written, use, columns)
    if (use === 'read' || use === 'write') comesWith(relation, walk)
  }
  const isNew = walk.found.context.unsettled?.created.has(written.slice(written.lastIndexOf('.') + 1)) === true
  if (relations.length === 0 || isNew) walk.found.touch(undefined, written, use, columns)
  if (FILE_VIEWS.test(written)) walk.found.flag('files')
  // Who writes the catalogue's rows by hand can do whatever a definition could.
  if (use === 'write' && relations.some((relation) => isCatalogue(relation, walk))) walk.found.act('admin')
}

/** A system table, or a view that shows one. */
function isCatalogue(relation: Relation, walk: Walk): boolean {
  const { resolver } = walk.found.context
  if (relation.schema === 'pg_catalog' || relation.kind !== 'view') return relation.schema === 'pg_catalog'
  return relation.columns.some(({ name }) => resolver?.behind(relation, name).some((base) => base.relation !== undefined && isCatalogue(base.relation, walk)))
}

/** What runs wherever its rows are looked at. */
function comesWith(relation: Relation, walk: Walk): void {
  runRowCode(relation, walk)
  walk.policies(relation)
}

/**
 * Notes a relation that is made: it takes no notice of others of its name. Where none is resolved in its place (`IF NOT
 * EXISTS`, `OR REPLACE`), it is known as written, or as `pg_temp.name`.
 */
export function made(range: RangeVar, walk: Walk): void {
  const { relname = '', schemaname, relpersistence } = range
  if (relpersistence === 't') return walk.found.touch(undefined, `pg_temp.${relname}`, 'define')
  const named = lookUp(range, walk.found.context)
  touchAll(named, 'define', walk)
  if (schemaname === undefined && named.relations.length > 0) walk.found.touch(undefined, relname, 'define')
}

/**
 * A new relation is filled with what a query gives. Where that cannot be told column by column, it is a use like any other.
 * `conditional`: it may be there already, and then is not.
 */
export function fill(range: RangeVar | undefined, { columns, ordered, open }: Outputs, conditional: boolean, walk: Walk): void {
  const { found } = walk
  if (!found.mayMake || range?.relname === undefined) return useOutputs({ columns, ordered, open }, COPIED, walk)
  found.mayMake = false
  const temporary = isTemporary(range)
  if (temporary) found.flag('makesTemporary')
  const table = temporary && !conditional ? tableOfOutputs(range.relname, { columns, ordered, open }) : undefined
  if (table !== undefined) found.changesTemporary({ temporary: table })
  found.makes = { name: range.relname, temporary, columns: columns.map(({ sources, derived }) => ({ sources, derived })), placed: ordered && !open }
}

/** Views that show files of the server. */
const FILE_VIEWS = /(^|\.)"?pg_(hba_file_rules|ident_file_mappings|file_settings)"?$/

function subselect(range: RangeSubselect, left: readonly ScopeItem[], env: Env, walk: Walk): ScopeItem {
  const inner = range.lateral === true ? lateral(left, env) : env
  const select = range.subquery !== undefined && 'SelectStmt' in range.subquery ? range.subquery.SelectStmt : undefined
  const outputs = select === undefined ? NO_OUTPUTS : walk.query(select, inner)
  return computedItem(range.alias?.aliasname, renameOutputs(outputs, stringsOf(range.alias?.colnames)))
}

function join(node: JoinExpr, before: readonly ScopeItem[], env: Env, walk: Walk): readonly ScopeItem[] {
  const left = fromItems(node.larg === undefined ? [] : [node.larg], env, walk, before)
  const right = fromItems(node.rarg === undefined ? [] : [node.rarg], env, walk, [...before, ...left])
  const shared = node.isNatural === true ? commonNames(left, right) : stringsOf(node.usingClause)
  const merges = node.isNatural === true || shared.length > 0
  const items = merges ? merged([...left, ...right], new Set(shared)) : [...left, ...right]
  const inner: Env = { scope: { items, parent: env.scope }, ctes: env.ctes }
  expression(node.quals, inner, JOIN, walk)
  const keys = shared.map((name) => keyColumn(name, items, walk))
  if (node.alias !== undefined) return [aliased(node.alias, items)]
  const using = node.join_using_alias?.aliasname
  return using === undefined ? items : [...items, { ...computedItem(using, { columns: keys, ordered: true, open: false }), unqualified: false }]
}

/** Columns a NATURAL join compares: the names on both sides. */
function commonNames(left: readonly ScopeItem[], right: readonly ScopeItem[]): string[] {
  const names = new Set(left.flatMap(({ columns }) => columns.map(({ name }) => name)))
  const common = new Set(right.flatMap(({ columns }) => columns.flatMap(({ name }) => (names.has(name) ? [name] : []))))
  if ([...left, ...right].some(({ open }) => open)) for (const item of [...left, ...right]) for (const { name } of item.columns) common.add(name)
  return [...common]
}

/** A key may come from either side, and in another type than it had: it is computed. A bare `*` puts the keys first. */
function merged(items: readonly ScopeItem[], shared: ReadonlySet<string>): ScopeItem[] {
  return items.map((item) => ({ ...item, ordered: false, columns: item.columns.map((column) => (shared.has(column.name) ? key(column) : column)) }))
}

function key({ name, sources, derived }: ScopeColumn): ScopeColumn {
  return { name, sources: [], derived: [...sources, ...derived] }
}

function keyColumn(name: string, items: readonly ScopeItem[], walk: Walk): ScopeColumn {
  walk.budget.spend(items.length)
  const derived = items.flatMap((item) => item.columns.filter((column) => column.name === name).flatMap((column) => column.derived))
  walk.found.name(derived)
  walk.found.use(derived, JOIN)
  return { name, sources: [], derived }
}

/** A join's own alias hides the names inside. */
function aliased(alias: Alias, items: readonly ScopeItem[]): ScopeItem {
  const columns = items.filter(({ unqualified }) => unqualified).flatMap((item) => item.columns)
  if (columns.length > MAX_COLUMNS) throw new AnalysisLimit(`a join has more than ${MAX_COLUMNS} columns`)
  const outputs: Outputs = { columns, ordered: items.every(({ ordered }) => ordered), open: items.some(({ open }) => open) }
  return computedItem(alias.aliasname, renameOutputs(outputs, stringsOf(alias.colnames)))
}

function sample(range: { relation?: Node; args?: Node[]; repeatable?: Node }, left: readonly ScopeItem[], env: Env, walk: Walk): readonly ScopeItem[] {
  expression([range.args, range.repeatable], lateral(left, env), TABLESAMPLE, walk)
  const items = range.relation === undefined ? [] : fromItem(range.relation, left, env, walk)
  walk.found.literal()
  return Number(argumentText(range.args?.[0])) >= 100 ? items : items.map((item) => ({ ...item, rows: undefined }))
}

/** A function's columns are its own; which ones there are is known only from a definition list. */
function rangeFunction(range: RangeFunction, env: Env, walk: Walk): ScopeItem {
  const derived = walk.found.tapped(() => expression(range.functions, env, FROM_CALL, walk))
  walk.found.use(derived, FROM_FUNCTION)
  const name = range.alias?.aliasname ?? functionName(range)
  const given = [...stringsOf(range.alias?.colnames), ...definedColumns(range)]
  const names = given.length > 0 ? given : [name ?? '']
  return computedItem(name, { columns: names.map((column) => ({ name: column, sources: [], derived })), ordered: false, open: true })
}

function functionName(range: RangeFunction): string | undefined {
  const [first] = range.functions ?? []
  const [func] = first !== undefined && 'List' in first ? (first.List.items ?? []) : []
  return func !== undefined && 'FuncCall' in func ? qualifiedName(func.FuncCall.funcname).name : undefined
}

function definedColumns(range: RangeFunction): string[] {
  return (range.coldeflist ?? []).flatMap((node) => ('ColumnDef' in node && node.ColumnDef.colname !== undefined ? [node.ColumnDef.colname] : []))
}

/** XMLTABLE, JSON_TABLE and whatever else stands in FROM: everything inside is used, its columns are computed. */
function tableFunction(node: Node, env: Env, walk: Walk): ScopeItem {
  const type = nodeType(node as unknown as Tree) ?? ''
  const body = (node as unknown as Record<string, Tree>)[type] ?? {}
  if (type !== 'RangeTableFunc' && type !== 'JsonTable') walk.found.opaque(`${type} in FROM is not understood`)
  const derived = walk.found.tapped(() => expression(body, env, FROM_TABLE_FUNCTION, walk))
  walk.found.use(derived, FROM_TABLE_FUNCTION)
  const alias = isTree(body['alias']) ? (body['alias'] as Alias) : undefined
  return computedItem(alias?.aliasname, { columns: [{ name: '*', sources: [], derived }], ordered: false, open: true })
}
