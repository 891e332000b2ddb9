import type { Source } from './analysis.ts'
import { DEFINITIONS, EDGES, FOLLOWERS, FUNCTIONS, PREPARE_READING, RELATIONS, SERVER_MAJOR, STAMP } from './catalogue-queries.ts'
import { NO_COPIES, type CopiedRelations } from './copied.ts'
import type { Column, Followers, FunctionEntry, Relation, RelationKind, Resolver, RowEvent, TypeForm } from './resolver.ts'
import { viewLineage } from './view-lineage.ts'

/** Runs one SQL text on the gateway's own connection; every value as text. */
export type CatalogueQuery = (sql: string) => Promise<readonly (readonly (string | null)[])[]>

/** Rows as the queries of `catalogue-queries.ts` give them. */
export interface CatalogueRows {
  readonly serverMajor: number
  readonly stamp: string
  readonly relations: readonly (readonly (string | null)[])[]
  readonly edges: readonly (readonly (string | null)[])[]
  readonly functions: readonly (readonly (string | null)[])[]
  readonly definitions: readonly (readonly (string | null)[])[]
  readonly followers: readonly (readonly (string | null)[])[]
}

export interface GeneratedColumn {
  readonly column: string
  /** The expression, as SQL. */
  readonly expression: string
}

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table', p: 'partitioned-table', v: 'view', m: 'materialized-view', f: 'foreign-table', S: 'sequence', c: 'composite-type',
}
const FUNCTION_KINDS: Readonly<Record<string, FunctionEntry['kind']>> = { f: 'function', p: 'procedure', a: 'aggregate', w: 'window' }
const VOLATILITY: Readonly<Record<string, FunctionEntry['volatility']>> = { i: 'immutable', s: 'stable', v: 'volatile' }
/** What a foreign key does to the rows that point: cascade, set null, set default. */
const REFERENCE_ACTIONS: Readonly<Record<string, RowEvent>> = { c: 'update', n: 'update', d: 'update' }
type MutableFollowers = { readonly [K in keyof Followers]: Followers[K][number][] }
const EMPTY: readonly never[] = []
/** Of one relation; a table of many thousand partitions names so many of them. */
const MAX_KIN = 1000

/** One reading of a target's catalogue. Immutable: a refresh makes a new one. */
export class Catalogue implements Resolver {
  readonly serverMajor: number
  /** What `STAMP` said when it was read. */
  readonly stamp: string
  /** Relations that were made of others: set once, before it is used. */
  copies: CopiedRelations = NO_COPIES
  readonly #byOid = new Map<number, Relation>()
  readonly #byName = new Map<string, Relation[]>()
  readonly #functions = new Map<string, FunctionEntry[]>()
  readonly #functionByOid = new Map<number, FunctionEntry>()
  readonly #operators = new Map<string, number[]>()
  readonly #followers = new Map<number, MutableFollowers>()
  readonly #eventTriggers: number[] = []
  readonly #types = new Set<string>()
  readonly #typeForms = new Map<number, TypeForm>()
  readonly #typeCode = new Map<string, number[]>()
  readonly #codedTypes = new Set<number>()
  readonly #rowCode = new Map<number, number[]>()
  readonly #signatureCode = new Map<number, number[]>()
  readonly #castCode: number[] = []
  readonly #policies = new Map<number, string[]>()
  readonly #definitions = new Map<number, string>()
  readonly #generated = new Map<number, GeneratedColumn[]>()
  readonly #checked = new Map<number, string[]>()
  readonly #children = new Map<number, number[]>()
  readonly #parents = new Map<number, number[]>()
  readonly #dependents = new Map<number, number[]>()
  readonly #bases = new Map<number, number[]>()
  readonly #kin = new Map<number, readonly Relation[]>()

  constructor(rows: CatalogueRows) {
    this.serverMajor = rows.serverMajor
    this.stamp = rows.stamp
    for (const row of rows.relations) this.#addRelation(row)
    for (const [kind, from, to] of rows.edges) this.#addEdge(kind ?? '', Number(from), Number(to))
    for (const row of rows.functions) this.#addFunction(row)
    for (const row of rows.definitions) this.#addDefinition(row)
    for (const [kind, oid, other, detail] of rows.followers) this.#addFollower(kind ?? '', Number(oid), Number(other), detail ?? '')
  }

  /** Reads everything in eight statements. The connection's `search_path` is empty afterwards. */
  static async load(query: CatalogueQuery): Promise<Catalogue> {
    await query(PREPARE_READING)
    const [[major] = EMPTY] = await query(SERVER_MAJOR)
    const stamp = await Catalogue.readStamp(query)
    return new Catalogue({
      serverMajor: Number(major),
      stamp,
      relations: await query(RELATIONS),
      edges: await query(EDGES),
      functions: await query(FUNCTIONS),
      definitions: await query(DEFINITIONS),
      followers: await query(FOLLOWERS),
    })
  }

  static async readStamp(query: CatalogueQuery): Promise<string> {
    const [[stamp] = EMPTY] = await query(STAMP)
    return stamp ?? ''
  }

  #addRelation([oid, schema, name, kind, persistence, triggers, rules, columns, server, key, others]: readonly (string | null)[]): void {
    const relation: Relation = Object.freeze({
      oid: Number(oid),
      schema: schema ?? '',
      name: name ?? '',
      kind: KINDS[kind ?? ''] ?? 'table',
      temporary: persistence === 't',
      hasTriggers: triggers === 'true',
      hasRules: rules === 'true',
      columns: Object.freeze(readColumns(columns ?? null)),
      ...(typeof server === 'string' ? { server } : {}),
      ...(typeof key === 'string' ? { primaryKey: JSON.parse(key) as number[] } : {}),
      ...(typeof others === 'string' ? { otherKeys: JSON.parse(others) as number[][] } : {}),
    })
    this.#byOid.set(relation.oid, relation)
    push(this.#byName, relation.name, relation)
  }

  #addEdge(kind: string, from: number, to: number): void {
    if (kind === 'depends') {
      push(this.#dependents, to, from)
      push(this.#bases, from, to)
      return
    }
    push(this.#children, to, from)
    push(this.#parents, from, to)
  }

  #addFunction([schema, name, kind, volatility, language, extension, oid, least, most, securityDefiner, definition, support]: readonly (string | null)[]): void {
    const entry: FunctionEntry = Object.freeze({
      schema: schema ?? '',
      name: name ?? '',
      kind: FUNCTION_KINDS[kind ?? ''] ?? 'function',
      volatility: VOLATILITY[volatility ?? ''] ?? 'volatile',
      language: language ?? '',
      extension: extension === 'true',
      oid: Number(oid),
      minArguments: Number(least),
      maxArguments: most === '-1' ? Number.POSITIVE_INFINITY : Number(most),
      securityDefiner: securityDefiner === 'true',
      definition: definition ?? '',
      support: typeof support === 'string' ? (JSON.parse(support) as number[]).filter((part) => part > 0) : EMPTY,
    })
    push(this.#functions, entry.name, entry)
    this.#functionByOid.set(entry.oid, entry)
  }

  #addDefinition([kind, oid, name, text]: readonly (string | null)[]): void {
    if (kind === 'view') this.#definitions.set(Number(oid), text ?? '')
    else if (kind === 'generated') push(this.#generated, Number(oid), { column: name ?? '', expression: text ?? '' })
    else if (kind === 'checked') push(this.#checked, Number(oid), text ?? '')
    else if (kind === 'type') this.#types.add(name ?? '')
    else if (kind === 'form') this.#addTypeForm(Number(oid), name ?? '', Number(text))
    else push(this.#operators, name ?? '', Number(oid))
  }

  #addTypeForm(oid: number, kind: string, of: number): void {
    const relation = kind === 'c' ? this.#byOid.get(of) : undefined
    if (kind === 'd') this.#typeForms.set(oid, { kind: 'domain', base: of })
    else if (kind === 'a') this.#typeForms.set(oid, { kind: 'array', element: of })
    else if (kind === 'e') this.#typeForms.set(oid, { kind: 'enum' })
    else if (relation !== undefined) this.#typeForms.set(oid, { kind: 'row', relation })
    else if (kind !== 'c') this.#typeForms.set(oid, { kind: 'range' })
  }

  #addFollower(kind: string, oid: number, other: number, detail: string): void {
    if (this.#addImplied(kind, oid, other, detail)) return
    let followers = this.#followers.get(oid)
    if (followers === undefined) this.#followers.set(oid, (followers = { triggers: [], referencing: [], rules: [], attached: [] }))
    if (kind === 'trigger') followers.triggers.push({ function: other, events: eventsOf(Number(detail)) })
    else if (kind === 'rule') addRule(followers, detail)
    else if (kind === 'attached') followers.attached.push(other)
    else this.#addReference(followers, oid, other, detail)
  }

  /** Code that is not in the way of writes alone. */
  #addImplied(kind: string, oid: number, other: number, detail: string): boolean {
    if (kind === 'event') this.#eventTriggers.push(other)
    else if (kind === 'type') this.#addTypeCode(oid, detail, other)
    else if (kind === 'row') push(this.#rowCode, oid, other)
    else if (kind === 'signature') push(this.#signatureCode, oid, other)
    else if (kind === 'any') this.#castCode.push(other)
    else if (kind === 'policy') push(this.#policies, oid, detail)
    else return false
    return true
  }

  #addTypeCode(oid: number, name: string, code: number): void {
    this.#codedTypes.add(oid)
    push(this.#typeCode, name, code)
  }

  #addReference(followers: MutableFollowers, referenced: number, oid: number, detail: string): void {
    const relation = this.#byOid.get(oid)
    const [onDelete = '', onUpdate = ''] = detail
    const numbers = detail.slice(2).split(',').map(Number)
    const key = (this.#byOid.get(referenced)?.columns ?? []).flatMap(({ name, attnum }) => (numbers.includes(attnum) ? [name] : []))
    if (relation !== undefined) followers.referencing.push({ relation, key, onDelete: onDelete === 'c' ? 'delete' : REFERENCE_ACTIONS[onDelete], onUpdate: REFERENCE_ACTIONS[onUpdate] })
  }

  relations(schema: string | undefined, name: string, searchPath: readonly string[] | undefined): readonly Relation[] {
    const all = this.#byName.get(name)
    if (all === undefined) return EMPTY
    if (schema === 'pg_temp') return all.filter(({ temporary }) => temporary)
    if (schema !== undefined) return all.filter((relation) => relation.schema === schema)
    return searchPath === undefined ? all : visible(all, searchPath)
  }

  kin(relation: Relation): readonly Relation[] {
    const { oid } = relation
    let kin = this.#kin.get(oid)
    if (kin === undefined) this.#kin.set(oid, (kin = this.#findKin(oid)))
    return kin
  }

  #findKin(oid: number): readonly Relation[] {
    const found = new Set<number>()
    for (const each of [oid, ...reach(oid, this.#bases)]) {
      for (const other of [each, ...this.ancestors(each), ...this.descendants(each)]) if (other !== oid) found.add(other)
    }
    return Array.from(found, (other) => this.#byOid.get(other)).filter((other) => other !== undefined).slice(0, MAX_KIN)
  }

  functions(schema: string | undefined, name: string, searchPath: readonly string[] | undefined): readonly FunctionEntry[] {
    const all = this.#functions.get(name) ?? EMPTY
    if (schema !== undefined) return all.filter((entry) => entry.schema === schema)
    return searchPath === undefined ? all : all.filter(({ schema: where }) => where === 'pg_catalog' || searchPath.includes(where))
  }

  function(oid: number): FunctionEntry | undefined {
    return this.#functionByOid.get(oid)
  }

  operatorFunctions(name: string): readonly (FunctionEntry | undefined)[] {
    return (this.#operators.get(name) ?? EMPTY).map((oid) => this.#functionByOid.get(oid))
  }

  get hasImpliedCode(): boolean {
    return this.#typeCode.size > 0 || this.#castCode.length > 0 || this.#operators.size > 0
  }

  typeCode(name: string): readonly (FunctionEntry | undefined)[] {
    return this.#entries(this.#typeCode.get(name))
  }

  /** Whether making a value of the type runs code of the database's own. */
  runsCode(type: number): boolean {
    return this.#codedTypes.has(type)
  }

  rowCode({ oid }: Relation): readonly (FunctionEntry | undefined)[] {
    return this.#entries(this.#rowCode.get(oid))
  }

  signatureCode(oid: number): readonly (FunctionEntry | undefined)[] {
    return this.#entries(this.#signatureCode.get(oid))
  }

  castCode(): readonly (FunctionEntry | undefined)[] {
    return this.#entries(this.#castCode)
  }

  policies({ oid }: Relation): readonly string[] {
    return this.#policies.get(oid) ?? EMPTY
  }

  #entries(oids: readonly number[] = EMPTY): readonly (FunctionEntry | undefined)[] {
    return oids.map((oid) => this.#functionByOid.get(oid))
  }

  followers({ oid }: Relation): Followers | undefined {
    return this.#followers.get(oid)
  }

  eventTriggers(): readonly FunctionEntry[] {
    return this.#eventTriggers.map((oid) => this.#functionByOid.get(oid)).filter((entry) => entry !== undefined)
  }

  hasUserType(name: string): boolean {
    return this.#types.has(name)
  }

  typeForm(oid: number): TypeForm | undefined {
    return this.#typeForms.get(oid)
  }

  isGenerated({ oid }: Relation, column: string): boolean {
    return this.generatedColumns(oid).some((generated) => generated.column === column)
  }

  relation(oid: number): Relation | undefined {
    return this.#byOid.get(oid)
  }

  all(): IterableIterator<Relation> {
    return this.#byOid.values()
  }

  /** Relations that share a name, in any schema. */
  named(name: string): readonly Relation[] {
    return this.#byName.get(name) ?? EMPTY
  }

  definition(oid: number): string | undefined {
    return this.#definitions.get(oid)
  }

  generatedColumns(oid: number): readonly GeneratedColumn[] {
    return this.#generated.get(oid) ?? EMPTY
  }

  /** What is computed of rows that are written or looked through: checks, indexes, statistics; empty texts for what is not known. */
  checkedExpressions(oid: number): readonly string[] {
    return this.#checked.get(oid) ?? EMPTY
  }

  /** Partitions and inheriting tables, all the way down. */
  descendants(oid: number): ReadonlySet<number> {
    return reach(oid, this.#children)
  }

  /** Partitioned and inherited tables, all the way up. */
  ancestors(oid: number): ReadonlySet<number> {
    return reach(oid, this.#parents)
  }

  behind({ oid, kind, columns }: Relation, column: string): readonly Source[] {
    const view = kind === 'view' || kind === 'materialized-view' ? this.#byOid.get(oid) : undefined
    const output = view === undefined ? undefined : viewLineage(view, this).outputs[columns.findIndex(({ name }) => name === column)]
    return output === undefined ? EMPTY : [...output.sources, ...output.derived]
  }

  dependents(oid: number): readonly Relation[] {
    return Array.from(reach(oid, this.#dependents), (other) => this.#byOid.get(other)).filter((other) => other !== undefined)
  }
}

/** Bits of `pg_trigger.tgtype`. */
const EVENT_BITS: readonly (readonly [RowEvent, number])[] = [['insert', 4], ['delete', 8], ['update', 16], ['truncate', 32]]

/** `pg_rewrite.ev_type`. */
const RULE_EVENTS: Readonly<Record<string, RowEvent>> = { 2: 'update', 3: 'insert', 4: 'delete' }

function addRule({ rules }: MutableFollowers, detail: string): void {
  const event = RULE_EVENTS[detail[0] ?? '']
  if (event !== undefined) rules.push({ event, definition: detail.slice(2) })
}

function eventsOf(type: number): RowEvent[] {
  return EVENT_BITS.filter(([, bit]) => (type & bit) !== 0).map(([event]) => event)
}

function readColumns(json: string | null): Column[] {
  if (json === null) return []
  const rows = JSON.parse(json) as [name: string, attnum: number, type: number, notNull: boolean, typmod: number, virtual: boolean][]
  return rows.map(([name, attnum, type, notNull, typmod, virtual]) => Object.freeze({ name, attnum, type, typmod, notNull, ...(virtual ? { virtual } : {}) }))
}

/** The first of the search path that has it. Temporary relations come before all, and whose they are cannot be told. */
function visible(all: readonly Relation[], searchPath: readonly string[]): readonly Relation[] {
  const temporary = all.filter((relation) => relation.temporary)
  const path = searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath]
  for (const schema of path) {
    const found = all.find((relation) => relation.schema === schema && !relation.temporary)
    if (found !== undefined) return [...temporary, found]
  }
  return temporary
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function reach(start: number, edges: ReadonlyMap<number, readonly number[]>): Set<number> {
  const found = new Set<number>()
  const pending = [start]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const next of edges.get(at) ?? EMPTY) {
      if (found.has(next)) continue
      found.add(next)
      pending.push(next)
    }
  }
  return found
}
