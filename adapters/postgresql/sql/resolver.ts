import type { OutputColumn, Source } from './analysis.ts'

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
  /** Partitioned and inherited tables, all the way up. */
  ancestors(oid: number): ReadonlySet<number>
  /** Functions outside the built-in set that the name may stand for. */
  functions(schema: string | undefined, name: string, searchPath: readonly string[] | undefined): readonly FunctionEntry[]
  /** Whether somebody made a type that shares its name with a built-in one, in whatever schema. */
  hasUserType(name: string): boolean
  /** What a type that did not come with the server is made of; `undefined` for built-in ones and for base types of extensions. */
  typeForm(oid: number): TypeForm | undefined
  isGenerated(relation: Relation, column: string): boolean
  /** What a view's column is made of, one view down. */
  behind(relation: Relation, column: string): readonly Source[]
  function(oid: number): FunctionEntry | undefined
  /** The functions behind the operators of that name that somebody added, those of extensions left out; `undefined` for a built-in one. */
  operatorFunctions(name: string): readonly (FunctionEntry | undefined)[]
  /** What follows when rows of the relation are written; `undefined` when nothing does. */
  followers(relation: Relation): Followers | undefined
  /** Whether anything of the database's own may run that a statement does not name: the four below may have something to say. */
  readonly hasImpliedCode: boolean
  /** What converts, checks and compares values of the types of that name, and of what is made of them; `undefined` for what cannot be read. */
  typeCode(name: string): readonly (FunctionEntry | undefined)[]
  /** The same for the types of a relation's columns. */
  rowCode(relation: Relation): readonly (FunctionEntry | undefined)[]
  /** The same for what a function takes and gives. */
  signatureCode(oid: number): readonly (FunctionEntry | undefined)[]
  /** What converts built-in types where nobody asks for it. */
  castCode(): readonly (FunctionEntry | undefined)[]
  /** Conditions that row security adds to what is done with a relation, as SQL, every name in full. */
  policies(relation: Relation): readonly string[]
  /** Functions that run after DDL. */
  eventTriggers(): readonly FunctionEntry[]
  /** Views and materialized views that read it, directly or through others. */
  dependents(oid: number): readonly Relation[]
  /** The query behind a view or materialized view, every name in full. */
  definition(oid: number): string | undefined
}

export type TypeForm =
  | { readonly kind: 'domain'; readonly base: number }
  | { readonly kind: 'array'; readonly element: number }
  | { readonly kind: 'row'; readonly relation: Relation }
  | { readonly kind: 'enum' | 'range' }

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
  /** What a foreign table stands for is there. */
  readonly server?: string
  /** Attribute numbers of its primary key, unless that may be broken for the time of a transaction, or something may inherit from it. */
  readonly primaryKey?: readonly number[]
  /** Of other unique indexes on columns that are never NULL. */
  readonly otherKeys?: readonly (readonly number[])[]
  /** In the order of their attribute numbers, dropped ones left out. */
  readonly columns: readonly Column[]
  /** Of a temporary table that the session's open transaction made, and no catalogue shows: what each column holds. */
  readonly made?: readonly OutputColumn[]
  /** It may have other columns than these. */
  readonly open?: boolean
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
  /** It is computed each time that it is read. */
  readonly virtual?: boolean
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
  readonly oid: number
  /** Arguments of a call: at least, and at most. */
  readonly minArguments: number
  readonly maxArguments: number
  /** Runs as its owner. */
  readonly securityDefiner: boolean
  /** Its CREATE FUNCTION, names of types in full; empty when its body is not SQL or PL/pgSQL, or too long. */
  readonly definition: string
  /** The functions that an aggregate is made of. */
  readonly support: readonly number[]
}

export type RowEvent = 'insert' | 'update' | 'delete' | 'truncate'

/** What a table's owner made to happen when its rows are written. */
export interface Followers {
  readonly triggers: readonly { readonly function: number; readonly events: readonly RowEvent[] }[]
  /** Tables whose rows point here. The action on them when a row here is deleted, or its key changed; `undefined` when they only refuse. */
  readonly referencing: readonly { readonly relation: Relation; /** Columns here that it points to. */ readonly key: readonly string[]; readonly onDelete: RowEvent | undefined; readonly onUpdate: RowEvent | undefined }[]
  /** Rewrite rules: what runs beside the write, or in its place, as CREATE RULE. */
  readonly rules: readonly { readonly event: RowEvent; readonly definition: string }[]
  /** Functions in defaults, checks, indexes, policies. */
  readonly attached: readonly number[]
}

export const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])
