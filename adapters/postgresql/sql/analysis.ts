import type { Fidelity, Resource } from '../../../core/index.ts'
import type { CopyFormat } from '../mask/copy-format.ts'
import type { Relation } from './resolver.ts'

/** From lightest to weightiest: a command's `action` is the last of its actions in this order. */
export const ACTIONS = [
  'transaction', 'session', 'prepare', 'explain', 'listen', 'read', 'lock', 'notify', 'copy-out', 'insert', 'copy-in',
  'update', 'delete', 'truncate', 'create', 'alter', 'call', 'do', 'grant', 'drop', 'admin', 'unknown',
] as const
export type Action = (typeof ACTIONS)[number]

/** What is locked: rows that a query finds, whole tables, or numbers that only say something to whoever asks for them. */
export type LockKind = 'rows' | 'tables' | 'advisory'

/** The facts a rule sees as `command.sql`; names and meaning in `facts-declaration.ts`. */
export interface SqlFacts {
  readonly statements: number
  readonly tables: readonly string[]
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly columns: readonly string[]
  readonly functions: readonly string[]
  readonly volatileFunctions: readonly string[]
  readonly unbounded: boolean
  readonly countable: boolean
  readonly returning: boolean
  readonly settings: readonly string[]
  readonly roles: readonly string[]
  readonly locks: readonly LockKind[]
  readonly programs: boolean
  readonly files: boolean
  readonly largeObjects: boolean
  readonly foreignServers: readonly string[]
  readonly databaseWide: boolean
  readonly catalogOnly: boolean
  readonly temporary: boolean
}

/** What both one statement and a whole text say of themselves. */
export interface Understanding {
  readonly action: Action
  readonly actions: readonly Action[]
  readonly resources: readonly Resource[]
  readonly fidelity: Fidelity
  /** Why it is opaque; empty otherwise. */
  readonly opaque: string
  /**
   * Whether the value of a constant had a part in any of this, or may have had. Where it had none, every text that
   * differs only in the values of its string and number constants is understood alike, `start` and `end` apart.
   */
  readonly literals: boolean
  readonly sql: SqlFacts
}

/** One text as the client sent it. Deeply frozen; valid as long as the catalogue and the context it was made with. */
export interface Analysis extends Understanding {
  readonly statements: readonly Statement[]
  /** The grammar's complaint; empty when it has none. */
  readonly syntaxError: string
  /** The server's grammar is ours and refuses the text: whatever it says, it cannot run. */
  readonly cannotRun: boolean
  /** Relations the catalogue does not know: refresh it and analyse again before trusting a mask. */
  readonly unknown: readonly string[]
}

export interface Statement extends Understanding {
  /** Bytes into the text; `end` is exclusive. */
  readonly start: number
  readonly end: number
  /** The grammar's name: `SelectStmt`. Empty for a text that was not parsed. */
  readonly kind: string
  readonly effects: Effects
  readonly lineage: Lineage
  /** Of a COPY to the client: how its rows are written. */
  readonly copies?: CopyFormat
  /** Of CREATE TABLE AS and the like, not inside another statement: the relation that is filled with what it reads. */
  readonly makes?: Made
  /** Code that it runs does more than read, and may do so when it is only planned. */
  readonly runsEarly?: true
}

/** A new relation, and what its columns are made of. */
export interface Made {
  /** Without its schema. */
  readonly name: string
  readonly temporary: boolean
  /** In order; the first has attribute number 1. */
  readonly columns: readonly OutputColumn[]
  /** Whether its columns are these, one for one. */
  readonly placed: boolean
}

/** What a statement changes about the session, or takes from it. */
export interface Effects {
  readonly transaction?: TransactionControl
  readonly settings: readonly SettingChange[]
  /** SQL-level PREPARE: the statement's own facts and lineage are those of its body. */
  readonly prepares?: string
  readonly executes?: string
  /** The EXECUTE stands inside of EXPLAIN, which plans it or tells how it went, or of CREATE TABLE AS. */
  readonly executesFor?: 'plan' | 'report' | 'table'
  /** `undefined` inside means ALL. */
  readonly deallocates?: { readonly name: string | undefined }
  readonly declares?: { readonly name: string; readonly hold: boolean }
  readonly fetches?: string
  readonly closes?: { readonly name: string | undefined }
  readonly discards?: 'all' | 'plans' | 'sequences' | 'temp'
  readonly redefines?: Redefinition
  /** A plain temporary table that it makes, and nothing else: all that there is to know of it is known. */
  readonly temporary?: Relation
  /** Those of the transaction's own that it drops, and nothing else. */
  readonly dropsTemporary?: readonly string[]
}

/** What a definition changes that other sessions cannot see before its transaction ends. */
export interface Redefinition {
  /** It may change what runs, or which rows are reached, when something that was there before is used. */
  readonly code: boolean
  /** A plain new table, as written without its schema: writing it sets off nothing else. Empty when it makes none. */
  readonly creates: string
  /** Functions, without their schemas: only what runs one of that name may be another than before. */
  readonly routines?: readonly string[]
}

/** All that a session's transaction has redefined so far. */
export interface Unsettled {
  readonly code: boolean
  readonly created: ReadonlySet<string>
  readonly routines?: ReadonlySet<string>
}

/** What a statement redefines: as it says, or whatever it may where its code could not be read. */
export function redefinitionBy({ effects, actions, fidelity }: Statement): Redefinition | undefined {
  if (effects.redefines !== undefined) return effects.redefines
  const anything = fidelity === 'opaque' && actions.some((action) => action === 'call' || action === 'do' || action === 'unknown')
  return anything || actions.some((action) => action === 'create' || action === 'alter' || action === 'drop') ? { code: true, creates: '' } : undefined
}

/** New tables of one transaction that are told apart; more are as unclear as code is. */
const MAX_CREATED = 100

export function unsettledBy({ code, creates, routines = [] }: Redefinition, before: Unsettled | undefined): Unsettled {
  if ((before?.created.size ?? 0) + (before?.routines?.size ?? 0) >= MAX_CREATED) return { code: true, created: new Set() }
  return { code: code || before?.code === true, created: new Set([...(before?.created ?? []), ...(creates === '' ? [] : [creates])]), routines: new Set([...(before?.routines ?? []), ...routines]) }
}

export interface TransactionControl {
  readonly kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'prepare' | 'commit-prepared' | 'rollback-prepared'
  readonly name: string
  readonly chain: boolean
}

export interface SettingChange {
  /** Lower case; `*` for RESET ALL and DISCARD ALL. */
  readonly name: string
  /** The elements given; `default` puts the start value back; `unknown` when it cannot be told. */
  readonly value: readonly string[] | 'default' | 'unknown'
  readonly local: boolean
}

/** Where data flows. Masks are decided on this alone. */
export interface Lineage {
  /** Columns of the rows the client gets, in order; empty when it gets none, or none that hold table data. */
  readonly outputs: readonly OutputColumn[]
  /** Whether the columns of its rows are these, one for one. False when a `*` made the number or the places uncertain. */
  readonly placed: boolean
  /** Base columns used in any other way, each with the place. */
  readonly uses: readonly ColumnUse[]
  readonly relations: readonly RelationUse[]
  /** Column names no known relation explains, with the relations in reach, and what computed columns in reach are made of. */
  readonly unresolved: readonly Unresolved[]
  /** Why the flow cannot be followed; empty when it can. */
  readonly untraced: string
}

export interface Unresolved {
  readonly name: string
  readonly relations: readonly Relation[]
  readonly computed: readonly Source[]
}

/** A column of a base relation. `attnum` 0 stands for the whole row, -1 for a column the catalogue does not know. */
export interface Source {
  readonly relation: Relation | undefined
  /** `schema.table` or as written. */
  readonly table: string
  readonly column: string
  readonly attnum: number
  /** Nothing of the value was used but whether it is NULL. */
  readonly presence?: true
}

export interface OutputColumn {
  /** The base columns whose value it is, unchanged. */
  readonly sources: readonly Source[]
  /** The base columns its value was computed from. */
  readonly derived: readonly Source[]
}

/** What a use of a column can give away, from least to most. */
export type UseKind =
  /** A column of the rows was computed from it, in a way that cannot fail: hiding that column hides it. */
  | 'output'
  /** As `output`, but whether the statement fails may tell something of the value. */
  | 'risky-output'
  /** It is compared for equality with constants: whoever asks learns whether a guess is right. */
  | 'equality'
  /** It decides which rows come out, how many, or in what order. */
  | 'predicate'
  /** The body of a function that is called among the outputs reads it: what the function gives may be made of it. */
  | 'body'
  /** It is stored, or leaves by another way than the rows. */
  | 'flow'

/** Where a column is used. */
export interface Place {
  /** `WHERE`, `an expression`, … as it reads in a reason. */
  readonly how: string
  readonly kind: UseKind
}

export interface ColumnUse extends Place {
  readonly source: Source
  /** It was used to compute an output, and nowhere else. */
  readonly forOutput: boolean
}

export interface RelationUse {
  readonly relation: Relation | undefined
  readonly name: string
  readonly use: 'read' | 'write' | 'define' | 'maintain'
}

export function weightiest(actions: Iterable<Action>): Action {
  let rank = -1
  for (const action of actions) rank = Math.max(rank, ACTIONS.indexOf(action))
  return ACTIONS[rank] ?? 'session'
}

/** Freezes a tree of plain values in place. Trees already frozen are not walked again. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  // This is a tenth of all analysis; a list of the values would double it.
  for (const key in value) {
    const part = value[key]
    if (typeof part === 'object') deepFreeze(part)
  }
  return value
}
