import type { Source, Unresolved } from './analysis.ts'
import type { Budget } from './limit.ts'
import { SYSTEM_COLUMNS, type Relation } from './resolver.ts'
import { distinctSources } from './source.ts'
import type { Total } from './total.ts'

/** A column that a FROM item offers. */
export interface ScopeColumn {
  readonly name: string
  /** The base columns whose value it is, unchanged; empty for a computed one. */
  readonly sources: readonly Source[]
  /** The base columns it was computed from; they were noted as used there. */
  readonly derived: readonly Source[]
  /** Of a computed one: set when computing it cannot fail. */
  readonly total?: Total | undefined
}

/** One entry of the name space of a query level. */
export interface ScopeItem {
  /** The name that qualifies its columns; `undefined` when hidden behind the alias of a join. */
  readonly name: string | undefined
  /** It goes by another name than its relation's own. */
  readonly aliased: boolean
  readonly columns: readonly ScopeColumn[]
  /** There may be more columns than are known here: a function's result, or a relation without a catalogue. */
  readonly open: boolean
  /** False when `*` may give the columns in another order, or number, than they have here. */
  readonly ordered: boolean
  /** The relations it may stand for; empty for computed rows. */
  readonly relations: readonly Relation[]
  /** A relation that the catalogue does not know (or there is no catalogue): its written name. */
  readonly unknownTable?: string | undefined
  /** False for what only a qualified name reaches, such as OLD and NEW. */
  readonly unqualified: boolean
  /** The tables of which it has a row for each of theirs, columns as they are there. */
  readonly rows?: (() => TableRows) | undefined
  /** Set when a reference hits it: tells whether a condition looks at the rows of a target. */
  touched: boolean
  byName?: Map<string, ScopeColumn[]>
}

/** By `tableKey`: `even` when there may be none at all, for a reason that is the same for every row. */
export type TableRows = ReadonlyMap<string, 'true' | 'even'>

/** A table by its object id, or, without a catalogue, by its name alone. */
export function tableKey(relation: Relation | undefined, written: string): string {
  return relation === undefined ? written.slice(written.lastIndexOf('.') + 1) : String(relation.oid)
}

/** The names of one query level, and the levels around it. */
export interface Scope {
  readonly items: readonly ScopeItem[]
  readonly parent: Scope | undefined
}

export type Resolution =
  | { readonly kind: 'column'; readonly sources: readonly Source[]; readonly derived: readonly Source[]; readonly plain: boolean; readonly total?: Total | undefined }
  /** `field`: the name is no column that is known; it may call a function on the row. */
  | { readonly kind: 'row'; readonly sources: readonly Source[]; readonly item?: ScopeItem; readonly field?: string }
  | { readonly kind: 'unresolved' }

const UNRESOLVED: Resolution = { kind: 'unresolved' }

/** What a reference of one to four parts stands for, by PostgreSQL's own order: innermost level first, columns before rows. */
export function resolve(parts: readonly string[], scope: Scope | undefined, budget: Budget): Resolution {
  const column = parts.at(-1) ?? ''
  if (parts.length === 1) return resolveBare(column, scope, budget)
  const item = findItem(parts.at(-2) ?? '', parts.at(-3), scope, budget)
  if (item === undefined) return UNRESOLVED
  item.touched = true
  // `p.to_jsonb` is the call to_jsonb(p), so a name that is no known column may use the whole row.
  return columnOf(item, column) ?? { kind: 'row', sources: rowSources(item), field: column }
}

function resolveBare(name: string, scope: Scope | undefined, budget: Budget): Resolution {
  const open: ScopeItem[] = []
  for (let level = scope; level !== undefined; level = level.parent) {
    budget.spend(level.items.length)
    const found = bareInLevel(name, level)
    if (found !== undefined) return open.length === 0 ? found : maybeHidden(found, open)
    for (const item of level.items) if (item.open && item.unqualified) open.push(item)
  }
  const item = findItem(name, undefined, scope, budget)
  if (item === undefined) return open.length === 0 ? UNRESOLVED : { kind: 'column', sources: [], derived: open.flatMap(behind), plain: false }
  item.touched = true
  return { kind: 'row', sources: [...rowSources(item), ...open.flatMap(behind)], item }
}

/** A column found further out, unless an inner item whose columns are not known has one of that name. */
function maybeHidden({ sources, derived }: Extract<Resolution, { kind: 'column' }>, open: readonly ScopeItem[]): Resolution {
  return { kind: 'column', sources: [], derived: [...sources, ...derived, ...open.flatMap(behind)], plain: false }
}

/** Whatever the columns of an item, known or not, were made from. */
function behind({ columns }: ScopeItem): Source[] {
  return columns.flatMap(({ sources, derived }) => [...sources, ...derived])
}

function bareInLevel(name: string, level: Scope): Extract<Resolution, { kind: 'column' }> | undefined {
  const matches: ScopeColumn[] = []
  let found = false
  for (const item of level.items) {
    if (!item.unqualified) continue
    const columns = knownColumn(item, name)
    if (columns === undefined) continue
    item.touched = true
    found = true
    matches.push(...columns)
  }
  if (found) return columnResolution(matches)
  return unknownInLevel(name, level)
}

/** Without a catalogue a bare name belongs to every table whose columns are not known. */
function unknownInLevel(name: string, level: Scope): Extract<Resolution, { kind: 'column' }> | undefined {
  const sources: Source[] = []
  for (const item of level.items) {
    if (item.unknownTable === undefined || !item.unqualified || item.name === name) continue
    item.touched = true
    sources.push(unknownColumn(item.unknownTable, name))
  }
  return sources.length === 0 ? undefined : { kind: 'column', sources, derived: [], plain: true }
}

function columnResolution(columns: readonly ScopeColumn[]): Extract<Resolution, { kind: 'column' }> {
  const total = columns.length === 1 ? columns[0]?.total : undefined
  return { kind: 'column', sources: columns.flatMap(({ sources }) => sources), derived: columns.flatMap(({ derived }) => derived), plain: true, total }
}

function columnOf(item: ScopeItem, name: string): Resolution | undefined {
  const found = knownColumn(item, name)
  if (found !== undefined) return columnResolution(found)
  if (item.unknownTable !== undefined) return { kind: 'column', sources: [unknownColumn(item.unknownTable, name)], derived: [], plain: true }
  return undefined
}

function knownColumn(item: ScopeItem, name: string): readonly ScopeColumn[] | undefined {
  const found = named(item).get(name)
  if (found !== undefined) return found
  return SYSTEM_COLUMNS.has(name) && item.relations.length > 0 ? [] : undefined
}

function named(item: ScopeItem): Map<string, ScopeColumn[]> {
  if (item.byName !== undefined) return item.byName
  const map = new Map<string, ScopeColumn[]>()
  for (const column of item.columns) {
    const same = map.get(column.name)
    if (same === undefined) map.set(column.name, [column])
    else same.push(column)
  }
  item.byName = map
  return map
}

/** The FROM item of that name, innermost level first. */
export function findItem(name: string, schema: string | undefined, scope: Scope | undefined, budget: Budget): ScopeItem | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    budget.spend(level.items.length)
    for (const item of level.items) {
      if (item.name === name && (schema === undefined || inSchema(item, schema))) return item
    }
  }
  return undefined
}

/** A schema qualifies a relation only where it has no alias. */
function inSchema(item: ScopeItem, schema: string): boolean {
  return !item.aliased && (item.unknownTable !== undefined || item.relations.some((relation) => relation.schema === schema))
}

/** Every base column behind a row, and the row itself. */
export function rowSources(item: ScopeItem): Source[] {
  const sources = item.columns.flatMap((column) => [...column.sources, ...column.derived])
  for (const relation of item.relations) {
    sources.push({ relation, table: `${relation.schema}.${relation.name}`, column: '*', attnum: 0 })
  }
  if (item.unknownTable !== undefined) sources.push(unknownColumn(item.unknownTable, '*'))
  return sources
}

export function unknownColumn(table: string, column: string): Source {
  return { relation: undefined, table, column, attnum: column === '*' ? 0 : -1 }
}

/** What names at this level and around it may reach: relations, and what else is behind computed columns. */
export function reachable(scope: Scope | undefined): Omit<Unresolved, 'name'> {
  const relations: Relation[] = []
  const computed: Source[] = []
  for (let level = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      relations.push(...item.relations)
      for (const { sources, derived } of item.columns) {
        for (const { relation } of sources) if (relation !== undefined) relations.push(relation)
        computed.push(...derived)
      }
    }
  }
  return { relations: [...new Set(relations)], computed: distinctSources(computed) }
}
