/** What a condition is looked at with: whether it narrows down the rows of one table. */
import type { ColumnRef, Node } from 'libpg-query'
import { isTree, qualifiedName, stringsOf } from './ast.ts'
import { expression } from './expression.ts'
import { builtInEffect, isVolatileBuiltIn } from './function-effects.ts'
import { parse } from './load.ts'
import { WHERE } from './place.ts'
import { SYSTEM_COLUMNS, type Column, type Relation } from './resolver.ts'
import { resolve, tableKey, type ScopeItem } from './scope.ts'
import type { Source } from './analysis.ts'
import { TOP, type Env, type Outputs, type Walk } from './walk.ts'

/** What a condition is known to be. `even`: the same for every row, whichever that is; `unknown`: it depends on the row, or cannot be told. */
export type Truth = 'true' | 'false' | 'even' | 'unknown'

export interface Look {
  /** The table, and the FROM items that hold its own rows: all are taken to stand at the same row. */
  readonly items: readonly ScopeItem[]
  /** FROM items whose rows depend on those through a join. */
  readonly linked: readonly ScopeItem[]
  /** The tables that each row of the first is a row of, by `tableKey`. */
  readonly tables: ReadonlySet<string>
  readonly env: Env
  readonly walk: Walk
  /** It is a HAVING: no group is empty. */
  readonly grouped: boolean
  /** It stands over all rows at once, the table's own among them: what aggregates give is known of each. */
  readonly gathers: boolean
  readonly views: Map<number, Outputs | undefined>
  truth(node: Node | undefined, look: Look): Truth
}

export function lookAt(item: ScopeItem, env: Env, walk: Walk, truth: Look['truth']): Look {
  const look: Look = { items: [item], linked: [], tables: new Set<string>(), env, walk, grouped: false, gathers: false, views: new Map(), truth }
  const keys = item.unknownTable !== undefined ? [tableKey(undefined, item.unknownTable)] : item.relations.flatMap((relation) => memberships(relation, look))
  const own = item.rows === undefined ? [] : item.rows().keys()
  return { ...look, tables: new Set([...keys, ...own]) }
}

/** A row of a partition is one of its parent, a row of a view one of the table behind it. */
function memberships(relation: Relation, look: Look): string[] {
  const above = look.walk.found.context.resolver?.ancestors(relation.oid) ?? []
  const behind = viewOutputs(relation, look)?.columns.flatMap(({ sources }) => sources) ?? []
  const keys = behind.map((source) => tableKey(source.relation, source.table))
  return [String(relation.oid), ...Array.from(above, String), ...keys]
}

/** Whether its value depends on the row. */
export function mentions(node: Node | undefined, { items, linked, env, walk }: Look): boolean {
  return touches([...items, ...linked], () => expression(node, env, WHERE, walk.probe()))
}

function touches(items: readonly ScopeItem[], walk: () => void): boolean {
  const before = items.map(({ touched }) => touched)
  for (const item of items) item.touched = false
  walk()
  const hit = items.some(({ touched }) => touched)
  items.forEach((item, index) => (item.touched ||= before[index] === true))
  return hit
}

/** The column of the table's own row that a reference stands for, in whichever item it is named. */
export interface OwnColumn {
  readonly name: string
  /** What the catalogue knows of it; `undefined` for a system column, and where there is no catalogue. */
  readonly known: Column | undefined
}

export function ownColumn(reference: ColumnRef, look: Look): OwnColumn | undefined {
  const { fields = [] } = reference
  const parts = stringsOf(fields)
  if (parts.length < fields.length) return undefined
  let found = resolve(parts, undefined, look.walk.budget)
  if (!touches(look.items, () => (found = resolve(parts, look.env.scope, look.walk.budget)))) return undefined
  const name = parts.at(-1) ?? ''
  if (found.kind === 'row') return found.item !== undefined && found.item.relations.length > 0 ? { name: '*', known: undefined } : undefined
  if (found.kind !== 'column' || !found.plain || found.derived.length > 0) return undefined
  if (found.sources.length === 0) return SYSTEM_COLUMNS.has(name) ? { name, known: undefined } : undefined
  const own = found.sources.flatMap((source) => origins(source, look)).filter(({ relation, table }) => look.tables.has(tableKey(relation, table)))
  const [first] = own
  if (first === undefined) return undefined
  const known = own.map(({ relation, attnum }) => relation?.columns.find((column) => column.attnum === attnum))
  return { name: first.column, known: agreed(known) }
}

/** Where a name may mean several tables, only what holds for all of them is known. */
function agreed(columns: readonly (Column | undefined)[]): Column | undefined {
  const [first] = columns
  if (first === undefined || !columns.every((column) => column?.type === first.type)) return undefined
  return { ...first, notNull: columns.every((column) => column?.notNull === true) }
}

/** The column of a view is one of the table behind it, where it shows all of its rows. */
function origins(source: Source, look: Look): readonly Source[] {
  const { relation, attnum } = source
  const outputs = relation === undefined ? undefined : viewOutputs(relation, look)
  const index = relation?.columns.findIndex((column) => column.attnum === attnum) ?? -1
  const behind = outputs !== undefined && outputs.ordered && !outputs.open ? outputs.columns[index]?.sources : undefined
  if (behind === undefined || behind.length !== 1) return [source]
  const rows = outputs?.rows?.()
  return behind.flatMap((each) => origins(each, look)).map((each) => (rows?.has(tableKey(each.relation, each.table)) === true ? each : nullable(each)))
}

function nullable(source: Source): Source {
  const { relation } = source
  if (relation === undefined) return source
  return { ...source, relation: { ...relation, columns: relation.columns.map((column) => ({ ...column, notNull: false })) } }
}

/** What the query behind a view gives; `undefined` when it is no view, or cannot be read. */
export function viewOutputs({ oid, kind }: Relation, { walk, views }: Look): Outputs | undefined {
  if (kind !== 'view') return undefined
  if (views.has(oid)) return views.get(oid)
  views.set(oid, undefined)
  const parsed = parse(walk.found.context.resolver?.definition(oid) ?? '')
  const node = parsed.kind === 'parsed' ? parsed.statements[0]?.node : undefined
  if (node === undefined || !('SelectStmt' in node)) return undefined
  const probe = walk.probe()
  probe.found.context = { ...probe.found.context, searchPath: [] }
  const outputs = probe.query(node.SelectStmt, TOP)
  views.set(oid, outputs)
  return outputs
}

/** An expression as a text that is the same for the same value; `undefined` when two of one text may differ. `alone`: other tables' columns may. */
export function canonical(node: Node, look: Look, alone = false): string | undefined {
  let steady = true
  const text = JSON.stringify(node, (key, value: unknown) => {
    if (PLACES.test(key)) return undefined
    if (!isTree(value)) return value
    if ('ColumnRef' in value) {
      const own = ownColumn(value['ColumnRef'] as ColumnRef, look)
      steady &&= own !== undefined || !alone
      return own === undefined ? value : { own: own.name }
    }
    const only = 'MinMaxExpr' in value ? onlyValue((value['MinMaxExpr'] as { args?: Node[] }).args ?? [], look, alone) : undefined
    if (only !== undefined) return only
    if ('SubLink' in value || 'ParamRef' in value || ('FuncCall' in value && !isSteady(value['FuncCall'] as { funcname?: Node[] }, look))) steady = false
    return value
  })
  return steady ? text : undefined
}

/** The greatest and the least of one value is that value. */
function onlyValue([first, ...others]: readonly Node[], look: Look, alone: boolean): unknown {
  const text = first === undefined ? undefined : canonical(first, look, alone)
  return text !== undefined && others.every((other) => canonical(other, look, alone) === text) ? JSON.parse(text) : undefined
}

/** Where a part stands in the text. */
const PLACES = /location$|list_(start|end)$/

/** A function that somebody made may answer otherwise each time, whatever it says of itself. */
function isSteady({ funcname }: { funcname?: Node[] }, { walk }: Look): boolean {
  const { schema, name } = qualifiedName(funcname)
  const { resolver, searchPath } = walk.found.context
  if ((resolver?.functions(schema, name, searchPath).length ?? 0) > 0) return false
  const effect = builtInEffect(schema, name)
  return effect !== undefined && !isVolatileBuiltIn(name, effect)
}
