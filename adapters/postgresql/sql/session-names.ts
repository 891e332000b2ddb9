import { redefinitionBy, unsettledBy, type Analysis, type SettingChange, type Statement, type TransactionControl, type Unsettled } from './analysis.ts'
import { forget, type NamedStatements } from './attach.ts'
import { definesTemporaryOnly, putsTemporaryFirst, temporariesAfter, type TemporaryTables } from './temporary-table.ts'

type Value = readonly string[] | 'unknown'
type Setting = 'search_path' | 'role' | 'session_authorization' | 'standard_conforming_strings' | 'client_encoding'

/** What names and strings mean in a session when it starts. */
export interface SessionStart {
  /** The role the gateway logged in as at the target. */
  readonly user: string
  /** `search_path` as the server shows it, split; `undefined` when not asked. */
  readonly searchPath: readonly string[] | undefined
}

interface Values {
  readonly session: Map<Setting, Value>
  readonly local: Map<Setting, Value>
}

interface Snapshot extends Values {
  /** The savepoint; empty for the transaction itself. */
  readonly name: string
  readonly cursors: Map<string, Statement>
  readonly temporaries: TemporaryTables | undefined
}

const NO_TABLES: TemporaryTables = new Map()

/**
 * Follows what changes the meaning of later statements: prepared names, cursors, `search_path`, roles, string
 * syntax. It follows transactions, and says `undefined` where it is not sure: then a name stands for all it may stand for.
 */
export class SessionNames implements NamedStatements {
  readonly #start: Map<Setting, Value>
  readonly #user: string
  readonly #prepared = new Map<string, Statement>()
  #cursors = new Map<string, Statement>()
  #values: Values
  #snapshots: Snapshot[] = []
  #failed = false
  /** What the open transaction redefined. */
  #unsettled: Unsettled | undefined
  /** The temporary tables that it made: `undefined` when that cannot be told. A new map for each change. */
  #temporaries: TemporaryTables | undefined = NO_TABLES
  /** Values from before the first change of a transaction that nobody began: a text, or all up to a Sync. */
  #implicit: Values | undefined
  /** The last search path with `$user` filled in: it is asked for with every statement, and hardly ever another. */
  #filled: { readonly path: readonly string[]; readonly role: string; readonly names: readonly string[] } | undefined

  constructor({ user, searchPath }: SessionStart) {
    this.#user = user
    this.#start = new Map<Setting, Value>([
      ['search_path', searchPath ?? 'unknown'],
      ['role', ['none']],
      ['session_authorization', [user]],
      ['standard_conforming_strings', ['on']],
      ['client_encoding', ['UTF8']],
    ])
    this.#values = { session: new Map(this.#start), local: new Map() }
  }

  /** Schema names in order, `$user` filled in; `undefined` when uncertain, also while a transaction holds DDL that others cannot see. */
  searchPath(): readonly string[] | undefined {
    const path = this.#current('search_path')
    if (path === 'unknown' || this.#unsettled !== undefined) return undefined
    if (!path.includes('$user')) return path
    const role = this.role()
    if (role === undefined) return undefined
    if (this.#filled?.path !== path || this.#filled.role !== role) this.#filled = { path, role, names: path.map((schema) => (schema === '$user' ? role : schema)) }
    return this.#filled.names
  }

  /** What the open transaction redefined, which the catalogue does not show yet. */
  unsettled(): Unsettled | undefined {
    return this.#unsettled
  }

  /** The temporary tables that the open transaction made, if all about them is known and their names stand for them. */
  temporaries(): TemporaryTables | undefined {
    return this.#unsettled === undefined && putsTemporaryFirst(this.searchPath()) ? this.#temporaries : undefined
  }

  /** Whether it may have made tables that no catalogue shows. */
  get madeTables(): boolean {
    return this.#temporaries === undefined || this.#temporaries.size > 0
  }

  /** The role that is acting. */
  role(): string | undefined {
    const role = this.#current('role')
    if (role === 'unknown') return undefined
    if (role[0] !== undefined && role[0] !== 'none') return role[0]
    const authorization = this.#current('session_authorization')
    return authorization === 'unknown' ? undefined : (authorization[0] ?? this.#user)
  }

  /** `standard_conforming_strings`. */
  standardStrings(): boolean | undefined {
    const value = this.#current('standard_conforming_strings')
    if (value === 'unknown') return undefined
    return /^(on|true|yes|1|t|y)$/i.test(value[0] ?? '')
  }

  /** False when the text on the wire may not be UTF-8: decode nothing, treat it as opaque. */
  isUtf8(): boolean {
    const value = this.#current('client_encoding')
    return value !== 'unknown' && /^(utf-?8|unicode)$/i.test(value[0] ?? '')
  }

  prepared(name: string): Statement | undefined {
    return this.#prepared.get(name)
  }

  cursor(name: string): Statement | undefined {
    return this.#cursors.get(name)
  }

  /** A statement or portal made by the protocol shares the names of PREPARE and DECLARE. */
  prepare(name: string, statement: Statement): void {
    this.#prepared.set(name, statement)
  }

  declare(name: string, statement: Statement): void {
    this.#cursors.set(name, statement)
  }

  closePrepared(name: string): void {
    this.#prepared.delete(name)
  }

  closeCursor(name: string): void {
    this.#cursors.delete(name)
  }

  /** A ParameterStatus from the server is the truth for what it names. `search_path` comes quoted, as SHOW gives it. */
  report(name: string, value: string): void {
    const setting = tracked(name)
    if (setting === undefined) return
    const next = setting === 'search_path' ? splitPath(value) : [value]
    const current = this.#current(setting)
    // What is known to hold for this transaction only must go on being known as that.
    if (current === 'unknown' || current.join('\0') !== next.join('\0')) this.#set(setting, next, false)
  }

  /**
   * Takes in a text that ran (`ok`), or failed. A text of several statements that failed leaves doubt about each of them.
   * A `pipelined` one shares its implicit transaction with what comes before the next `ready`.
   */
  observe(analysis: Analysis, ok: boolean, how: 'alone' | 'pipelined' = 'alone'): void {
    const { statements } = analysis
    if (!ok) this.#fail(statements)
    else for (const statement of statements) this.#apply(statement)
    if (how === 'alone' && this.#snapshots.length === 0) this.#committed()
  }

  /** Something ran that nobody could read. */
  unseen(): void {
    this.#temporaries = undefined
    this.#forget('*')
  }

  /** The server reported an error: the transaction has failed, and one that nobody began is undone. */
  failed(): void {
    if (this.#snapshots.length > 0) this.#failed = true
    else this.#undoImplicit()
  }

  /** What the server says of the transaction has the last word: `idle`, `open` or `failed`. */
  ready(transaction: string): void {
    const open = this.#snapshots.length > 0
    if (transaction === 'idle') {
      if (open) this.#lost()
      return this.#committed()
    }
    if (!open) {
      this.#forget('*')
      this.#snapshots.push(this.#snapshot(''))
    }
    this.#implicit = undefined
    this.#failed = transaction === 'failed'
  }

  /** An implicit transaction is over. */
  #committed(): void {
    this.#implicit = undefined
    this.#values.local.clear()
    this.#unsettled = undefined
    this.#temporaries = NO_TABLES
  }

  #undoImplicit(): void {
    if (this.#implicit !== undefined) this.#values = this.#implicit
    this.#implicit = undefined
    this.#temporaries = NO_TABLES
  }

  #fail(statements: readonly Statement[]): void {
    if (statements.length > 1) for (const statement of statements) this.#doubt(statement)
    const [only] = statements
    const control = statements.length === 1 ? only?.effects.transaction?.kind : undefined
    if (control === 'commit' || control === 'prepare') this.#rollback(false)
    else if (this.#snapshots.length > 0) this.#failed = true
  }

  /** It may have run or not. */
  #doubt({ effects: { settings, prepares, declares, transaction } }: Statement): void {
    for (const { name } of settings) this.#forget(name)
    if (prepares !== undefined) this.#prepared.delete(prepares)
    if (declares !== undefined) this.#cursors.delete(declares.name)
    if (transaction !== undefined) this.#lost()
  }

  #apply(statement: Statement): void {
    const { effects, fidelity, lineage } = statement
    if (this.#snapshots.length === 0 && effects.settings.length > 0) this.#implicit ??= { session: new Map(this.#values.session), local: new Map(this.#values.local) }
    if (fidelity === 'opaque' || lineage.untraced !== '') this.#forget('*')
    for (const change of effects.settings) this.#change(change)
    if (effects.prepares !== undefined) this.#prepared.set(effects.prepares, statement)
    if (effects.declares !== undefined) this.#cursors.set(effects.declares.name, statement)
    forget(this.#prepared, effects.discards === 'all' ? { name: undefined } : effects.deallocates)
    forget(this.#cursors, effects.discards === 'all' ? { name: undefined } : effects.closes)
    const redefines = definesTemporaryOnly(statement) ? undefined : redefinitionBy(statement)
    this.#temporaries = this.#temporaries && temporariesAfter(effects, this.#temporaries)
    if (redefines !== undefined) this.#unsettled = unsettledBy(redefines, this.#unsettled)
    if (effects.transaction !== undefined) this.#control(effects.transaction, statement)
  }

  #control({ kind, name, chain }: TransactionControl, statement: Statement): void {
    if (kind === 'begin') {
      // What was set before BEGIN in the same text or pipeline becomes part of its transaction.
      if (this.#snapshots.length === 0) this.#snapshots.push({ ...this.#snapshot(''), ...this.#implicit })
      this.#implicit = undefined
    } else if (kind === 'savepoint') this.#snapshots.push(this.#snapshot(name))
    else if (kind === 'release') this.#snapshots.length = this.#place(name)
    else if (kind === 'rollback-to') this.#rollbackTo(name)
    else if (kind === 'rollback' || this.#failed) this.#rollback(chain)
    else if (kind === 'commit') this.#commit(chain)
    else if (kind === 'prepare') this.#doubt(statement)
  }

  #snapshot(name: string): Snapshot {
    return { name, session: new Map(this.#values.session), local: new Map(this.#values.local), cursors: new Map(this.#cursors), temporaries: this.#temporaries }
  }

  /** Index of a savepoint; everything is in doubt when it was not seen. */
  #place(name: string): number {
    const place = this.#snapshots.findLastIndex((snapshot) => snapshot.name === name)
    if (place < 0) this.#forget('*')
    return place < 0 ? this.#snapshots.length : place
  }

  #rollbackTo(name: string): void {
    const place = this.#place(name)
    const snapshot = this.#snapshots[place]
    this.#failed = false
    if (snapshot === undefined) return
    this.#restore(snapshot)
    this.#snapshots.length = place + 1
  }

  #restore({ session, local, cursors, temporaries }: Snapshot): void {
    this.#temporaries = this.#temporaries && temporaries
    this.#values = { session: new Map(session), local: new Map(local) }
    this.#cursors = new Map([...this.#cursors].filter(([name]) => cursors.has(name)))
  }

  #rollback(chain: boolean): void {
    const [first] = this.#snapshots
    if (first !== undefined) this.#restore(first)
    else this.#undoImplicit()
    this.#end(chain)
  }

  #commit(chain: boolean): void {
    this.#values.local.clear()
    this.#cursors = new Map([...this.#cursors].filter(([, { effects }]) => effects.declares?.hold === true))
    this.#end(chain)
  }

  #end(chain: boolean): void {
    this.#snapshots = []
    this.#failed = false
    this.#unsettled = undefined
    this.#temporaries = NO_TABLES
    this.#implicit = undefined
    if (chain) this.#snapshots.push(this.#snapshot(''))
  }

  /** Whether a transaction is open is itself in doubt. */
  #lost(): void {
    this.#temporaries = undefined
    this.#forget('*')
    this.#cursors.clear()
    this.#snapshots = []
    this.#failed = false
  }

  #change({ name, value, local }: SettingChange): void {
    if (name === '*' || value === 'unknown') return value === 'default' ? this.#reset() : this.#forget(name)
    const setting = tracked(name)
    if (setting === undefined) return
    const next = value === 'default' ? (this.#start.get(setting) ?? 'unknown') : value
    this.#set(setting, next, local)
    if (setting === 'session_authorization') this.#set('role', ['none'], local)
  }

  /** SET LOCAL outside a transaction block lasts as long as its text; `observe` ends it. */
  #set(setting: Setting, value: Value, local: boolean): void {
    if (local) this.#values.local.set(setting, value)
    else {
      this.#values.session.set(setting, value)
      this.#values.local.delete(setting)
    }
  }

  /** RESET ALL leaves the roles as they are; DISCARD ALL does not, but never runs where that matters to a name. */
  #reset(): void {
    for (const [setting, value] of this.#start) {
      if (setting !== 'role' && setting !== 'session_authorization') this.#set(setting, value, false)
    }
    this.#set('role', 'unknown', false)
  }

  /** What the server reports by itself when it changes is never in doubt for long; the search path and roles are. */
  #forget(name: string): void {
    const settings: readonly Setting[] = name === '*' ? ['search_path', 'role', 'session_authorization'] : [tracked(name)].filter((setting) => setting !== undefined)
    for (const setting of settings) this.#set(setting, 'unknown', false)
  }

  #current(setting: Setting): Value {
    return this.#values.local.get(setting) ?? this.#values.session.get(setting) ?? 'unknown'
  }
}

function tracked(name: string): Setting | undefined {
  switch (name.toLowerCase()) {
    case 'search_path':
    case 'role':
    case 'session_authorization':
    case 'standard_conforming_strings':
    case 'client_encoding':
      return name.toLowerCase() as Setting
    default:
      return undefined
  }
}

/** Splits what `SHOW search_path` gives: `"$user", public`. Quotes inside quotes are doubled. */
export function splitPath(text: string): string[] {
  const parts = text.match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? []
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()))
}
