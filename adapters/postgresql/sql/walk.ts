import type { Node, SelectStmt } from 'libpg-query'
import type { Place, Source } from './analysis.ts'
import type { Collector } from './collector.ts'
import type { Budget } from './limit.ts'
import { relationItem } from './relation-item.ts'
import type { FunctionEntry, Relation } from './resolver.ts'
import type { Scope, ScopeColumn, ScopeItem, TableRows } from './scope.ts'

/** A column that a query gives. */
export type Output = ScopeColumn

export interface Outputs {
  readonly columns: readonly Output[]
  /** False when a `*` made the places uncertain. */
  readonly ordered: boolean
  /** There may be more columns than these. */
  readonly open: boolean
  /** The tables of which it gives a row for each of theirs; looked for when somebody asks. */
  readonly rows?: (() => TableRows) | undefined
}

export const NO_OUTPUTS: Outputs = { columns: [], ordered: true, open: false }

/** Common table expressions in reach, innermost first. */
export interface CteEnv {
  readonly name: string
  readonly outputs: () => Outputs
  readonly next: CteEnv | undefined
}

/** Where a node stands: the names it sees. */
export interface Env {
  readonly scope: Scope | undefined
  readonly ctes: CteEnv | undefined
}

/** Outside of every query; in a trigger, its rows are there. */
export function top({ found: { context: { triggered } } }: Walk): Env {
  if (triggered === undefined) return TOP
  const items = ['old', 'new'].map((name) => ({ ...relationItem({ relname: name }, { written: name, relations: [triggered] }), aliased: true, unqualified: false }))
  return { scope: { items, parent: undefined }, ctes: undefined }
}

export const TOP: Env = { scope: undefined, ctes: undefined }

/** One statement's walk: what it gathers, and the walks that call each other. */
export interface Walk {
  readonly found: Collector
  readonly budget: Budget
  query(select: SelectStmt, env: Env): Outputs
  /** INSERT, UPDATE, DELETE or MERGE; `undefined` when the node is none of them. */
  write(node: Node, env: Env): Outputs | undefined
  /** What the sub-selects that were walked give, by their node. */
  readonly subqueries: WeakMap<SelectStmt, Outputs>
  /** Takes in what a function does. `place` is where the data it reads comes out; without it, nothing does. */
  routine(entry: FunctionEntry, place?: Place): void
  /** Takes in what code does that runs without being named, and yet has a part in what comes out. */
  implied(entry: FunctionEntry): void
  /** Takes in what a trigger does when rows of its relation are written. */
  trigger(entry: FunctionEntry, relation: Relation): void
  /** Takes in what row security does with the rows of a relation. */
  policies(relation: Relation): void
  /** Takes in what the text of a DO block does. */
  block(code: string, language: string): void
  /** Takes in what reading a view runs. */
  view(relation: Relation): void
  /** Takes in what a rewrite rule runs. */
  rule(relation: Relation, definition: string): void
  /** The same walk with a collector that is thrown away, to look at a part twice. */
  probe(): Walk
}

/** A computed FROM item: a sub-select, a CTE, a function. */
export function computedItem(name: string | undefined, { columns, ordered, open, rows }: Outputs): ScopeItem {
  return { name, aliased: true, columns, open, ordered, relations: [], unqualified: true, rows, touched: false }
}

/** Notes that what a query gives is used in a way that hides where it came from. */
export function useOutputs({ columns }: Outputs, place: Place, walk: Walk): void {
  for (const output of columns) useColumn(output, place, walk)
}

export function useColumn({ sources, derived }: ScopeColumn, place: Place, walk: Walk): void {
  walk.found.use(sources, place)
  walk.found.use(derived, place)
}

/** Every base column behind what a query gives. */
export function allSources({ columns }: Outputs): Source[] {
  return columns.flatMap(({ sources, derived }) => [...sources, ...derived])
}
