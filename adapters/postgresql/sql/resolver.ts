/** What the target's catalogue can tell about names. All methods are synchronous and pure between refreshes. */
export interface Resolver {
  /** Major version of the server; 0 when unknown. */
  readonly serverMajor: number
  /**
   * The relations a name may stand for. More than one when the search path is uncertain, or when a
   * temporary relation may shadow another; empty when the catalogue has none of that name.
   * `searchPath` holds schema names in order, without the implicit `pg_temp` and `pg_catalog`; `undefined` is uncertain.
   */
  relations(schema: string | undefined, name: string, searchPath: readonly string[] | undefined): readonly Relation[]
  /**
   * Relations whose rows it stands for, so that a rule about one of them means this one too: what a view reads, the
   * tables that a partition belongs to, and its own partitions. Empty for a plain table.
   */
  kin(relation: Relation): readonly Relation[]
  /** Functions outside the built-in set that the name may stand for. */
  functions(schema: string | undefined, name: string, searchPath: readonly string[] | undefined): readonly FunctionEntry[]
  /** Whether somebody added an operator of that name; what it does is then unknown. */
  hasUserOperator(name: string): boolean
  /** Whether somebody made a type that shares its name with a built-in one, in whatever schema. */
  hasUserType(name: string): boolean
  isGenerated(relation: Relation, column: string): boolean
}

export type RelationKind =
  | 'table'
  | 'partitioned-table'
  | 'view'
  | 'materialized-view'
  | 'foreign-table'
  | 'sequence'
  | 'composite-type'

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: RelationKind
  readonly temporary: boolean
  readonly hasTriggers: boolean
  /** Has rewrite rules besides a view's own. */
  readonly hasRules: boolean
  /** In the order of their attribute numbers, dropped ones left out. */
  readonly columns: readonly Column[]
}

export interface Column {
  readonly name: string
  /** Attribute number, from 1. */
  readonly attnum: number
  /** OID of the type. */
  readonly type: number
  /** Modifier of the type, -1 for none. */
  readonly typmod: number
  readonly notNull: boolean
}

export interface FunctionEntry {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window'
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  /** `sql`, `plpgsql`, `c`, … */
  readonly language: string
  /** Part of an installed extension. */
  readonly extension: boolean
}

export const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])
