import type { Resource } from '../../../core/index.ts'
import { deepFreeze, weightiest } from './analysis.ts'
import type { Action, ColumnUse, Effects, Lineage, LockKind, Made, OutputColumn, Place, RelationUse, SettingChange, Source, SqlFacts, Statement, Unresolved, Unsettled } from './analysis.ts'
import type { CopyFormat } from '../mask/copy-format.ts'
import { HIDDEN, implied } from './place.ts'
import type { Relation, Resolver } from './resolver.ts'
import { distinctSources, sourceKey } from './source.ts'
import { putsTemporaryFirst, type TemporaryTables } from './temporary-table.ts'
import { TouchedTables, type TouchedTable } from './touched-tables.ts'

/** What analysis is made with. */
export interface AnalysisContext {
  readonly resolver: Resolver | undefined
  /** Schema names in order, without the implicit ones; `undefined` when uncertain. */
  readonly searchPath: readonly string[] | undefined
  /** Whether a backslash in a plain string is just a character; `true` when left out. `undefined` is uncertain. */
  readonly standardStrings?: boolean | undefined
  /** Of the body of a trigger: whose rows OLD and NEW are. */
  readonly triggered?: Relation | undefined
  /** What the session's own transaction redefined: the catalogue, read by another, does not have it. */
  readonly unsettled?: Unsettled | undefined
  /** What it made so far, and knows all about. */
  readonly temporaries?: TemporaryTables | undefined
}

type Flag = 'unbounded' | 'returning' | 'programs' | 'files' | 'largeObjects' | 'databaseWide' | 'uncountable' | 'makesTemporary'
type MutableEffects = { -readonly [K in keyof Effects]: Effects[K] }

/** In these, constants are nothing but values in expressions, and whoever looks at one says so. Elsewhere they are names, options, code. */
const QUERIES = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TransactionStmt'])

const LARGE_OBJECTS = new Set(['pg_largeobject', 'pg_largeobject_metadata'])
const COUNTABLE = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt'])

/** What may be done to temporary tables without a trace elsewhere. */
const OWN_TABLE_ACTIONS: ReadonlySet<Action> = new Set<Action>(['read', 'explain', 'insert', 'copy-in', 'update', 'delete', 'truncate', 'create', 'drop', 'prepare'])

/** Gathers everything said of one statement while its tree is walked, then freezes it. */
export class Collector {
  /** Changes when a body that is read moves names. */
  context: AnalysisContext
  readonly #actions = new Set<Action>()
  readonly #tables = new TouchedTables()
  readonly #functions = new Set<string>()
  readonly #volatileFunctions = new Set<string>()
  /** Functions that run without being called by name, and what may be a call in another notation. */
  readonly #routines = new Set<string>()
  #volatileCalls = 0
  /** How often code that it runs changes rows. */
  changes = 0
  readonly #namedSettings = new Set<string>()
  readonly #roles = new Set<string>()
  readonly #locks = new Set<LockKind>()
  readonly #flags = new Set<Flag>()
  readonly #opaque = new Set<string>()
  readonly #uses = new Map<string, ColumnUse>()
  readonly #relations = new Map<string, RelationUse>()
  readonly #unresolved: Unresolved[] = []
  readonly #untraced = new Set<string>()
  readonly #settings: SettingChange[] = []
  readonly #objects: Resource[] = []
  readonly effects: Omit<MutableEffects, 'settings'> = {}
  readonly unknown = new Set<string>()
  outputs: readonly OutputColumn[] = []
  placed = true
  copies: CopyFormat | undefined
  /** Set while the statement may say what it makes of what it reads: once, and not inside another one. */
  mayMake = false
  makes: Made | undefined
  /** What is untraced may come out by another way than the rows. */
  #nesting = 0
  /** It may run more than once. */
  repeats = false
  /** It is the body of a function that gives any number of rows. */
  givesSet = false
  /** Set while a statement is explained: what its plan tells of values is more than the statement itself would. */
  explaining = false
  /** What the output that is being computed has used so far. */
  #tap: Source[] | undefined
  #literals = false
  readonly #outer: Collector | undefined
  /** It runs code that somebody wrote. */
  #absorbed = false
  /** Code that it runs defines something. */
  #absorbedDefinitions = false
  /** Set while something is walked that is planned but not run. */
  planning = false
  /** Code that it runs does more than read, and the server may run it to make a plan: it does not call itself volatile. */
  runsEarly = false

  /** `outer` is what a part is looked at a second time for. */
  constructor(context: AnalysisContext, outer?: Collector) {
    this.context = context
    this.#outer = outer
  }

  act(action: Action): void {
    if (!this.planning) this.#actions.add(action)
  }

  flag(flag: Flag): void {
    if (!this.planning) this.#flags.add(flag)
  }

  lock(kind: LockKind): void {
    this.act('lock')
    if (!this.planning) this.#locks.add(kind)
  }

  role(name: string | undefined): void {
    if (name !== undefined) this.#roles.add(name)
  }

  function(name: string, isVolatile: boolean): void {
    this.#functions.add(name)
    if (!isVolatile) return
    this.#volatileFunctions.add(name)
    this.#volatileCalls++
  }

  /** A function that runs, or may run, without being called. */
  runs(name: string): void {
    this.#routines.add(name)
  }

  /** Another server that is reached, or `*`. */
  server(name: string): void {
    this.#tables.servers.add(name)
  }

  /** A setting that is changed for others than this session. */
  namedSetting(name: string): void {
    this.#namedSettings.add(name)
  }

  /** Walks what chooses the rows of a write: where a volatile function has a say, they cannot be counted beforehand. */
  choosing<T>(walk: () => T): T {
    const before = this.#volatileCalls
    const result = walk()
    if (this.#volatileCalls > before) this.flag('uncountable')
    return result
  }

  /** Something that is no relation: a schema, a function, a database. */
  object(kind: string, name: string): void {
    if (this.#objects.length < 1000) this.#objects.push({ name, kind, access: 'write', columns: [] })
  }

  /** The statement does, or may do, what is not seen. */
  opaque(reason: string): void {
    this.#opaque.add(reason)
    this.untraced(reason)
  }

  /** It does, or may do, what is not seen, and yet gives the client nothing but what is seen. */
  hidden(reason: string): void {
    this.#opaque.add(reason)
  }

  /** What it does is known, where its data comes from is not. */
  untraced(reason: string): void {
    this.#untraced.add(reason)
  }

  /** The value of a constant was looked at. */
  literal(): void {
    this.#literals = true
    this.#outer?.literal()
  }

  setting(change: SettingChange): void {
    this.#settings.push(change)
  }

  /** Notes that a relation takes part. `columns` are those written. */
  touch(relation: Relation | undefined, name: string, use: RelationUse['use'], columns: readonly string[] = []): void {
    const key = relationKey(relation, name, use)
    if (!this.#relations.has(key)) this.#relations.set(key, { relation, name, use })
    if (relation === undefined && use !== 'define') this.#unknown(name)
    if (relation !== undefined && LARGE_OBJECTS.has(relation.name)) this.flag('largeObjects')
    this.#note(relation, name, use === 'read' ? 'reads' : 'writes', columns)
  }

  #note(relation: Relation | undefined, name: string, access: 'reads' | 'writes', columns: readonly string[]): void {
    const kin = relation === undefined ? [] : (this.context.resolver?.kin(relation) ?? [])
    this.#tables.touch(relation, name, this.planning ? 'reads' : access, columns, kin)
    if (relation?.kind === 'view') for (const column of columns) for (const base of this.context.resolver?.behind(relation, column) ?? []) this.#note(base.relation, base.table, access, [base.column])
  }

  #unknown(name: string): void {
    this.unknown.add(name)
    const { unsettled } = this.context
    if (unsettled?.created.has(name.slice(name.lastIndexOf('.') + 1)) === false) this.hidden(`${name} was made or renamed in this transaction`)
  }

  /** Rows of a relation are written that the statement does not name. */
  change(relation: Relation): void {
    this.#note(relation, relation.name, 'writes', [])
  }

  /** Notes columns named in any place, for the facts. */
  name(sources: readonly Source[]): void {
    for (const source of sources) this.#name(source)
  }

  /** A view's column is named together with what it shows. */
  #name(source: Source): void {
    this.#tables.name(source)
    const { relation, column } = source
    for (const base of relation === undefined ? [] : this.context.resolver?.behind(relation, column) ?? []) this.#name(base)
  }

  /** Base columns that are used in a way their values can be guessed from, or that changes them. */
  use(sources: readonly Source[], { how, kind: said }: Place): void {
    const kind = this.explaining && said !== 'output' ? 'flow' : said
    const forOutput = this.#tap !== undefined
    for (const source of sources) {
      const key = `${sourceKey(source)} ${kind} ${forOutput}`
      if (!this.#uses.has(key)) this.#uses.set(key, { source, how, kind, forOutput })
    }
    if (kind !== 'body') this.#tap?.push(...sources)
  }

  /** Walks a query; `outermost` tells whether one is walked inside another, where what it gives may choose rows. */
  within<T>(query: () => T): T {
    this.#nesting++
    try {
      return query()
    } finally {
      this.#nesting--
    }
  }

  get outermost(): boolean {
    return this.#nesting <= 1
  }

  /** Runs a walk and returns the sources it used: those of a computed output. */
  tapped(walk: () => void): readonly Source[] {
    const outer = this.#tap
    const tap: Source[] = []
    this.#tap = tap
    try {
      walk()
    } finally {
      this.#tap = outer
    }
    const sources = distinctSources(tap)
    outer?.push(...sources)
    return sources
  }

  unresolved(unresolved: Unresolved): void {
    if (this.#unresolved.length < 1000) this.#unresolved.push(unresolved)
  }

  /**
   * Takes in what code does that the statement runs without naming it. `how` is the place where the data that it
   * reads comes out; without it, the code gives nothing to the client.
   */
  absorb(code: Collector, place?: Place): void {
    const { planning } = this
    if (code.runsEarly) this.runsEarly = true
    if (code.runsEarly && this.explaining) this.planning = false
    this.#takeIn(code)
    this.planning = planning
    if (place !== undefined) this.#absorbLineage(code, place.kind === 'body' && !code.onlyReads ? { ...place, kind: 'flow' } : place)
  }

  #takeIn(code: Collector): void {
    this.#absorbed = true
    for (const action of code.#actions) if (action !== 'read' || code.#tables.size > 0) this.act(action)
    for (const flag of code.#flags) if (flag !== 'returning' && flag !== 'uncountable') this.flag(flag)
    this.#tables.absorb(code.#tables, this.planning)
    for (const name of code.#functions) this.#functions.add(name)
    for (const name of code.#volatileFunctions) this.function(name, true)
    for (const name of code.#routines) this.#routines.add(name)
    for (const role of code.#roles) this.#roles.add(role)
    for (const kind of code.#locks) this.lock(kind)
    for (const { kind, name } of code.#objects) this.object(kind, name)
    for (const name of code.#namedSettings) this.#namedSettings.add(name)
    for (const { name } of code.#settings) this.#settings.push({ name, value: 'unknown', local: false })
    for (const reason of code.#opaque) this.#opaque.add(reason)
    if (code.#defines) this.#absorbedDefinitions = true
    if (code.changesRows) this.changes++
  }

  get #defines(): boolean {
    return this.#opaque.size > 0 || this.#absorbedDefinitions || [...this.#actions].some((action) => action === 'create' || action === 'alter' || action === 'drop')
  }

  /** A temporary table is made, or some are dropped, by nothing but the statement itself. */
  changesTemporary(change: Pick<MutableEffects, 'temporary' | 'dropsTemporary'>): void {
    const { resolver, searchPath } = this.context
    if (this.#absorbedDefinitions || this.planning || resolver === undefined || resolver.eventTriggers().length > 0 || !putsTemporaryFirst(searchPath)) return
    Object.assign(this.effects, change)
  }

  /** As `absorb`, of what gives the client nothing, and yet may put what it reads where somebody looks later: a trigger, a default. */
  absorbHidden(code: Collector): void {
    this.absorb(code)
    this.#usesOf(code, HIDDEN)
  }

  /**
   * As `absorbHidden`, of a trigger: what of the relation's own rows it only looks at stays there. Where it cannot be read, or reads
   * what only a trigger sees, it may put them anywhere.
   */
  absorbTrigger(code: Collector, relation: Relation): void {
    this.absorb(code)
    const unseen = code.#opaque.size > 0 || [...code.#relations.values()].some((each) => each.relation === undefined && each.use === 'read')
    if (unseen) this.use([{ relation, table: `${relation.schema}.${relation.name}`, column: '*', attnum: 0 }], HIDDEN)
    this.#usesOf(code, HIDDEN, ({ source, kind }) => source.relation !== relation || kind !== 'predicate')
  }

  /** As `absorb`, of what has a part in rows and results without being named. */
  absorbImplied(code: Collector, name: string): void {
    this.absorb(code)
    for (const reason of code.#untraced) this.untraced(reason)
    this.#usesOf(code, implied(name))
  }

  /** Columns that code uses in whatever way are used by what runs it. */
  #usesOf(code: Collector, place: Place, counts: (use: ColumnUse) => boolean = () => true): void {
    const tap = this.#tap
    this.#tap = undefined
    for (const use of code.#uses.values()) if (use.source.relation !== undefined && counts(use)) this.use([use.source], place)
    this.#tap = tap
  }

  /** Whether nothing else comes of it than what it gives: no row, setting or message that somebody could look at later. */
  get onlyReads(): boolean {
    return this.#opaque.size === 0 && this.#settings.length === 0 && [...this.#actions].every((action) => action === 'read')
  }

  /** Whatever it reads may be in what it gives; and how many rows it gives tells what it compared. */
  #absorbLineage(code: Collector, place: Place): void {
    for (const reason of code.#untraced) this.untraced(reason)
    if (place.kind === 'body' && code.givesSet) this.#usesOf(code, { ...place, kind: 'flow' }, ({ kind }) => kind !== 'output' && kind !== 'risky-output')
    for (const { relation, name, use } of code.#relations.values()) {
      if (relation === undefined) this.untraced(`${place.how} names ${name}, which is not in the catalogue`)
      else this.#relations.set(relationKey(relation, name, use), { relation, name, use })
      if (relation?.made !== undefined) this.use(relation.made.flatMap(({ sources, derived }) => [...sources, ...derived]), place)
      else if (relation !== undefined) this.use([{ relation, table: `${relation.schema}.${relation.name}`, column: '*', attnum: 0 }], place)
    }
  }

  /** Whether it does nothing, and runs nothing that somebody defined. */
  get onlyComputes(): boolean {
    return this.onlyReads && this.#actions.size === 0 && !this.#absorbed
  }

  /** Whether its statements give rows to whoever runs them. */
  get givesRows(): boolean {
    return this.#flags.has('returning')
  }

  get changesRows(): boolean {
    return this.#actions.has('update') || this.#actions.has('delete')
  }

  /** Whether something is left behind that only the session itself may leave. */
  get leavesEffects(): boolean {
    return Object.values(this.effects).some((effect) => effect !== undefined)
  }

  /** Whether what it did leaves doubt about what names mean from here on. */
  get movesNames(): boolean {
    const { transaction, prepares, executes, discards } = this.effects
    if (this.#opaque.size > 0 || transaction !== undefined || prepares !== undefined || executes !== undefined || discards !== undefined) return true
    if (this.#settings.some(({ name }) => /^(\*|search_path|role|session_authorization)$/.test(name))) return true
    return [...this.#actions].some((action) => action === 'create' || action === 'alter' || action === 'drop')
  }

  /** What it runs may have been redefined by the session's own transaction. */
  get isUnsettled(): boolean {
    const { unsettled } = this.context
    if (unsettled === undefined || this.planning) return false
    if (unsettled.code) return this.#tables.size > 0 || this.#functions.size > 0
    const { routines } = unsettled
    if (routines === undefined || routines.size === 0) return false
    return [...this.#functions, ...this.#routines].some((name) => routines.has(name.slice(name.lastIndexOf('.') + 1)))
  }

  finish(start: number, end: number, kind: string): Statement {
    const actions = [...this.#actions]
    return deepFreeze({
      start,
      end,
      kind,
      actions,
      action: weightiest(actions),
      resources: [...this.#tables.resources(), ...this.#objects],
      fidelity: this.#opaque.size > 0 ? 'opaque' : 'parsed',
      opaque: [...this.#opaque].join('; '),
      literals: this.#literals || !QUERIES.has(kind),
      sql: this.#facts(kind),
      effects: { ...this.effects, settings: this.#settings },
      lineage: this.#lineage(),
      ...(this.copies === undefined ? {} : { copies: this.copies }),
      ...(this.makes === undefined ? {} : { makes: this.makes }),
      ...(this.runsEarly ? { runsEarly: true } : {}),
    })
  }

  #facts(kind: string): SqlFacts {
    const tables = this.#tables.all()
    const has = (flag: Flag): boolean => this.#flags.has(flag)
    return {
      statements: 1,
      tables: tables.map(({ name }) => name),
      reads: tables.filter(({ reads }) => reads !== undefined).map(({ name }) => name),
      writes: tables.filter(({ writes }) => writes !== undefined).map(({ name }) => name),
      columns: [...this.#tables.columns],
      functions: [...this.#functions],
      volatileFunctions: [...this.#volatileFunctions],
      unbounded: has('unbounded'),
      countable: COUNTABLE.has(kind) && !has('uncountable'),
      returning: has('returning'),
      settings: [...new Set([...this.#settings.map(({ name }) => name), ...this.#namedSettings])],
      roles: [...this.#roles],
      locks: [...this.#locks],
      programs: has('programs'),
      files: has('files'),
      largeObjects: has('largeObjects'),
      foreignServers: [...this.#tables.servers],
      databaseWide: has('databaseWide'),
      temporary: this.#changesOwnTables(tables),
      catalogOnly: tables.length > 0 && this.#opaque.size === 0 && tables.every(({ system, writes }) => system && writes === undefined),
    }
  }

  #changesOwnTables(tables: readonly TouchedTable[]): boolean {
    const { size } = this.#opaque
    const written = tables.filter(({ writes }) => writes !== undefined)
    if (size > 0 || written.length === 0 || this.#objects.length > 0 || this.#flags.has('databaseWide')) return false
    if (this.#absorbedDefinitions || (this.#actions.has('create') && !this.#flags.has('makesTemporary'))) return false
    return written.every(({ own }) => own) && [...this.#actions].every((action) => OWN_TABLE_ACTIONS.has(action))
  }

  #lineage(): Lineage {
    return {
      outputs: this.outputs,
      placed: this.placed,
      uses: [...this.#uses.values()],
      relations: [...this.#relations.values()],
      unresolved: this.#unresolved,
      untraced: [...this.#untraced].join('; '),
    }
  }
}

/** Those that no catalogue shows have no number of their own. */
function relationKey(relation: Relation | undefined, name: string, use: RelationUse['use']): string {
  return relation === undefined ? `${name} ${use}` : `${relation.oid} ${relation.made === undefined ? '' : relation.name} ${use}`
}
