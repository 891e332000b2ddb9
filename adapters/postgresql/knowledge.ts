import { inOnePiece, type Mask, type Target } from '../../core/index.ts'
import { CatalogueConnection } from './auth/catalogue-connection.ts'
import { Preview, type PreviewLimits } from './impact/preview.ts'
import type { Copies } from './copies.ts'
import { opaque, type Understood } from './observe.ts'
import { RecentCache } from './recent-cache.ts'
import type { Run } from './run.ts'
import { analyse, Catalogue, maskedOrigins, maskPlan, originKey, type Analysis, type MaskTerms, type ResultMask, type SessionNames, type Statement } from './sql/index.ts'
import { deepFreeze, type Unsettled } from './sql/analysis.ts'
import { UNKNOWN_TABLE } from './sql/column-mask.ts'
import { shapeOf } from './sql/shape.ts'
import { splitPath } from './sql/session-names.ts'
import type { TemporaryTables } from './sql/temporary-table.ts'
import type { Route } from './target.ts'

export interface KnowledgeOptions {
  readonly route: Route
  /** Whether a rule in force depends on what names stand for. */
  readonly needsNames: () => boolean
  readonly copies: Copies
  /** For statements that are held; `undefined`: nothing is found out about them. */
  readonly preview?: PreviewLimits | undefined
}

/** What masks mean for a statement. */
export type KnownPlan = { readonly catalogue?: Catalogue } & (
  | { readonly kind: 'blocked'; readonly reason: string }
  | {
    readonly kind: 'run'
    /** A masked column comes out: rows must not pass without a description. */
    readonly showsMasked: boolean
    readonly maskOf: (table: number, attribute: number) => MaskTerms | undefined
    /** What becomes of the rows of each statement. */
    readonly results: readonly ResultMask[]
    readonly errors: 'none' | 'detail' | 'message'
    /** What it copies into new relations, as `Copies` knows it. */
    readonly copies?: readonly string[]
  }
)

/** The key of a session, and what it was made of. */
interface SessionKey {
  readonly edition: number
  readonly path: readonly string[] | undefined
  readonly standardStrings: boolean | undefined
  readonly unsettled: Unsettled | undefined
  readonly temporaries: TemporaryTables | undefined
  readonly key: string
}

/** Texts larger than this are analysed each time. */
const MAX_REMEMBERED_TEXT = 64 * 1024
/** Longer texts are seldom sent again with other constants. */
const MAX_SHAPED_TEXT = 16 * 1024
/** Changes that did not come through the gateway are noticed this late at most, while masks are in force. */
const MAX_STAMP_AGE_MS = 1000
/** The connection for the catalogue is closed when it was not used for this long. */
const IDLE_CLOSE_MS = 10_000
const CATALOGUE_TIMEOUT_MS = 15_000
const MAX_CATALOGUE_BYTES = 256 * 1024 * 1024

/**
 * What the gateway knows of one database, shared by its sessions: the catalogue, as read over a connection of the
 * gateway's own, and what statements mean under it. The catalogue is read again when DDL passes through, when a
 * statement names something unknown, and when its stamp has changed.
 */
export class Knowledge {
  readonly needsNames: () => boolean
  readonly copies: Copies
  /** What held statements would change. */
  readonly preview: Preview | undefined
  readonly #route: Route
  readonly #remembered = new RecentCache<Understood>(20_000, 16 * 1024 * 1024)
  /** By shape: of statements whose constants decide nothing. */
  readonly #alike = new RecentCache<Understood>(20_000, 16 * 1024 * 1024)
  #catalogue: Catalogue | undefined
  #defaultSearchPath: readonly string[] | undefined
  /** Counts readings: what was understood under an older one is understood again. */
  #edition = 0
  #stale = true
  /** Counts what made it stale: a reading that began before the last one is stale when it ends. */
  #changes = 0
  #checkedAt = 0
  #refreshing: Promise<void> | undefined
  #checking: Promise<void> | undefined
  #connecting: Promise<CatalogueConnection> | undefined
  #asking = 0
  readonly #keys = new WeakMap<SessionNames, SessionKey>()
  readonly #plans = new WeakMap<readonly Mask[], WeakMap<Analysis | Understood, KnownPlan>>()
  #idleTimer: NodeJS.Timeout | undefined

  constructor({ route, needsNames, preview, copies }: KnowledgeOptions) {
    this.#route = route
    this.copies = copies
    this.preview = preview === undefined ? undefined : new Preview({ route, limits: preview, catalogue: () => this.#now() })
    this.needsNames = needsNames
  }

  /** Whether a parameter of one of these types runs code of the database's own when it is bound. */
  runsCode(types: readonly number[]): boolean {
    return types.some((type) => this.#catalogue?.runsCode(type) === true)
  }

  /** `search_path` of a session that does not set it; `undefined` until the catalogue was read. */
  get defaultSearchPath(): readonly string[] | undefined {
    return this.#defaultSearchPath
  }

  /** Reads the catalogue if a rule needs it. Never rejects: what cannot be resolved is opaque. */
  async prepare(): Promise<void> {
    if (this.needsNames()) await this.#fresh().catch(() => {})
  }

  /** DDL passed through, or may have. */
  changed(): void {
    this.#stale = true
    this.#changes++
  }

  /** Understood under the catalogue as it is now, if a rule needs names; `undefined` text was analysed before and is still good. */
  isCurrent(understood: Understood, names: SessionNames): boolean {
    return understood.key === this.#key(names) && (!this.needsNames() || !this.#stale)
  }

  understand(text: string, names: SessionNames): Understood | Promise<Understood> {
    if (!this.needsNames()) return this.#understandNow(text, names, undefined)
    if (this.#stale || this.#catalogue === undefined) return this.#understandLater(text, names)
    const understood = this.#understandNow(text, names, this.#catalogue)
    return hasUnknown(understood) ? this.#understandLater(text, names) : understood
  }

  /** A statement that SQL prepared or declared. */
  ofStatement(statement: Statement): Understood {
    const { action, actions, resources, fidelity, opaque: reason, literals, sql } = statement
    const analysis: Analysis = { action, actions, resources, fidelity, opaque: reason, literals, sql, statements: [statement], syntaxError: '', cannotRun: false, unknown: [] }
    return this.ofAnalysis('', analysis, '')
  }

  ofAnalysis(text: string, analysis: Analysis, key: string): Understood {
    const { action, actions, resources, fidelity, opaque: reason, sql } = analysis
    const command = deepFreeze(inOnePiece({ protocol: 'postgresql', action, actions: [...actions], resources: [...resources], fidelity, opaque: reason, facts: { sql } }))
    return { command: Object.freeze({ ...command, text }), analysis, changesMeaning: analysis.statements.some(changesMeaning), key }
  }

  /**
   * Decides under a catalogue that is hardly older than `MAX_STAMP_AGE_MS` for changes that came another way. At once
   * when the statement was planned before and nothing has to be looked at again. `runs`: it goes to the target next.
   */
  maskPlan(run: Run, runs: boolean, masks: readonly Mask[], target: Target, names: SessionNames, attach: (understood: Understood) => Understood): KnownPlan | Promise<KnownPlan> {
    const { understood } = run
    const catalogue = this.#isFresh() ? this.#catalogue : undefined
    if (catalogue === undefined || understood.key !== this.#key(names) || hasUnknown(understood)) return this.#planLater(run, runs, masks, target, names, attach)
    return this.#admit(run, runs, understood, this.#plan(understood, masks, target, catalogue, names))
  }

  /** Nothing may come between the plan and this: the catalogue must still be the one at hand. */
  #admit(run: Run, runs: boolean, { analysis }: Understood, plan: KnownPlan): KnownPlan | Promise<KnownPlan> {
    const { catalogue } = plan
    if (plan.kind === 'blocked' || analysis === undefined || catalogue === undefined) return plan
    const reason = this.copies.enter(run, analysis)
    if (reason !== undefined) return { kind: 'blocked', reason, catalogue }
    return runs && copiesAnything(analysis) ? this.#beginCopies(run, analysis, plan, catalogue) : plan
  }

  async #beginCopies(run: Run, analysis: Analysis, plan: Extract<KnownPlan, { kind: 'run' }>, catalogue: Catalogue): Promise<KnownPlan> {
    const copies = await this.copies.begin(run, analysis, catalogue, true)
    return typeof copies === 'string' ? { kind: 'blocked', reason: copies, catalogue } : { ...plan, copies }
  }

  /** What is copied without a mask may be masked for somebody else. The ids of the copies, or why it must not run. */
  async follow(run: Run): Promise<readonly string[] | string> {
    const { analysis } = run.understood
    const catalogue = await this.#fresh().catch(() => undefined)
    if (analysis === undefined || catalogue === undefined) return []
    return this.copies.begin(run, analysis, catalogue, false)
  }

  /** A text as it is under the catalogue of this moment, whoever changed it; `undefined` when that cannot be read. */
  async atThisMoment(text: string, names: SessionNames): Promise<Analysis | undefined> {
    const resolver = await this.#now().catch(() => undefined)
    return resolver === undefined ? undefined : this.#understandNow(text, names, resolver).analysis
  }

  async #planLater(run: Run, runs: boolean, masks: readonly Mask[], target: Target, names: SessionNames, attach: (understood: Understood) => Understood): Promise<KnownPlan> {
    const { understood } = run
    const catalogue = await this.#fresh(true).catch(() => undefined)
    if (catalogue === undefined) return { kind: 'blocked', reason: 'the catalogue of the target cannot be read, so masks cannot be applied' }
    const fresh = understood.key === '' ? understood : attach(await this.#checked(understood.command.text, names))
    return this.#admit(run, runs, fresh, this.#plan(fresh, masks, target, this.#catalogue ?? catalogue, names))
  }

  /** What was planned is remembered with what it was planned for; both are objects of one edition of the catalogue. */
  #plan(understood: Understood, masks: readonly Mask[], target: Target, catalogue: Catalogue, names: SessionNames): KnownPlan {
    let plans = this.#plans.get(masks)
    if (plans === undefined) this.#plans.set(masks, (plans = new WeakMap()))
    const statement = understood.analysis ?? understood
    const alone = !names.madeTables
    const known = plans.get(statement)
    if (known !== undefined && known.catalogue === catalogue && alone) return known
    const plan = planOf(understood, masks, target, catalogue, alone)
    if (alone) plans.set(statement, plan)
    return plan
  }

  async #understandLater(text: string, names: SessionNames): Promise<Understood> {
    try {
      await this.#fresh()
      return await this.#checked(text, names)
    } catch (error) {
      return opaque('unknown', text, `the target's catalogue cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** Looks once more when something is not in the catalogue: it may have been made a moment ago. */
  async #checked(text: string, names: SessionNames): Promise<Understood> {
    const understood = this.#understandNow(text, names, this.#catalogue)
    if (!hasUnknown(understood)) return understood
    await this.#checking?.catch(() => {})
    await this.#checkStamp()
    return this.#understandNow(text, names, this.#catalogue)
  }

  #understandNow(text: string, names: SessionNames, resolver: Catalogue | undefined): Understood {
    const key = this.#key(names)
    const place = `${key}\0${text}`
    const known = this.#remembered.get(place)
    if (known !== undefined) return known
    const shape = text.length <= MAX_SHAPED_TEXT ? shapeOf(text) : undefined
    const alike = shape === undefined ? undefined : this.#alike.get(`${key}\0${shape}`)
    if (alike !== undefined) return { ...alike, command: Object.freeze({ ...alike.command, text }) }
    const searchPath = resolver === undefined ? undefined : names.searchPath()
    const understood = this.ofAnalysis(text, analyse(text, { resolver, searchPath, standardStrings: names.standardStrings(), unsettled: names.unsettled(), temporaries: resolver === undefined ? undefined : names.temporaries() }), key)
    if (text.length <= MAX_REMEMBERED_TEXT) this.#remembered.set(place, understood, text.length * 2)
    if (shape !== undefined && isOfShape(understood)) this.#alike.set(`${key}\0${shape}`, understood, shape.length * 2)
    return understood
  }

  /** What a statement means depends on the catalogue and on this of the session. The same text while that is the same. */
  #key(names: SessionNames): string {
    const standardStrings = names.standardStrings()
    if (!this.needsNames()) return `-${String(standardStrings)}`
    const edition = this.#edition
    const path = names.searchPath()
    const unsettled = names.unsettled()
    const temporaries = names.temporaries()
    const last = this.#keys.get(names)
    if (last !== undefined && last.edition === edition && last.path === path && last.standardStrings === standardStrings && last.unsettled === unsettled && last.temporaries === temporaries) return last.key
    const key = inOnePiece(`${edition}|${path?.join() ?? '?'}|${String(standardStrings)}|${unsettledKey(unsettled)}|${temporariesKey(temporaries)}`)
    this.#keys.set(names, { edition, path, standardStrings, unsettled, temporaries, key })
    return key
  }

  /** Whether the catalogue may be used as it is. One that grows old is looked at in the background meanwhile. */
  #isFresh(): boolean {
    if (this.#stale) return false
    const age = performance.now() - this.#checkedAt
    if (age > MAX_STAMP_AGE_MS) this.#checkStamp().catch(() => {})
    return age <= 2 * MAX_STAMP_AGE_MS
  }

  /** The catalogue, read again if it is stale. Rejects when it cannot be read. */
  async #fresh(checkStamp = false): Promise<Catalogue> {
    // A reading that is under way may have begun before what it is asked for.
    if (this.#stale) await this.#refreshing?.catch(() => {})
    if (this.#stale || this.#catalogue === undefined) await (this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined)))
    else if (checkStamp && performance.now() - this.#checkedAt > MAX_STAMP_AGE_MS) await this.#checkStamp()
    if (this.#catalogue === undefined) throw new Error('it was not read')
    return this.#catalogue
  }

  /** The catalogue as it is at this moment, whoever changed it. */
  async #now(): Promise<Catalogue> {
    await this.#fresh()
    await this.#checking?.catch(() => {})
    await this.#checkStamp()
    return this.#fresh()
  }

  /** One look serves all who ask while it is under way, but not those who ask for something that came later. */
  #checkStamp(): Promise<void> {
    this.#checking ??= this.#readStamp().finally(() => (this.#checking = undefined))
    return this.#checking
  }

  async #readStamp(): Promise<void> {
    const stamp = await this.#ask((query) => Catalogue.readStamp(query))
    if (stamp !== this.#catalogue?.stamp) this.changed()
    this.#checkedAt = performance.now()
    if (this.#stale) await this.#fresh()
  }

  async #refresh(): Promise<void> {
    const changes = this.#changes
    try {
      const [path, { catalogue, used }] = await this.#ask(async (query) => [this.#defaultSearchPath ?? (await query('SHOW search_path'))[0]?.[0], await this.copies.look(() => Catalogue.load(query))] as const)
      if (typeof path === 'string') this.#defaultSearchPath = splitPath(path)
      this.#catalogue = catalogue
      used()
      this.#edition++
      this.#checkedAt = performance.now()
      this.#stale = this.#changes !== changes
    } catch (error) {
      this.#stale = true
      throw error
    }
  }

  async #ask<T>(work: (query: (sql: string) => Promise<readonly (readonly (string | null)[])[]>) => Promise<T>): Promise<T> {
    this.#asking++
    clearTimeout(this.#idleTimer)
    try {
      const connection = await this.#connected()
      return await work((sql) => connection.query(sql, { maxBytes: MAX_CATALOGUE_BYTES, signal: AbortSignal.timeout(CATALOGUE_TIMEOUT_MS) }))
    } finally {
      this.#asking--
      if (this.#asking === 0) this.#idleTimer = setTimeout(() => this.close(), IDLE_CLOSE_MS).unref()
    }
  }

  /** One connection for all; opened again when it was lost. */
  async #connected(): Promise<CatalogueConnection> {
    const open = await this.#connecting?.catch(() => undefined)
    if (open !== undefined && !open.closed) return open
    const { target, database } = this.#route
    const { host, port, user, password, tls, connectTimeoutMs: timeoutMs } = target
    const connecting = CatalogueConnection.open({ host, port, user, password, tls, timeoutMs, database, parameters: { application_name: 'sallyport catalogue' } })
    this.#connecting = connecting
    return connecting
  }

  /** Lets go of the connection; the next question opens another. */
  close(): void {
    clearTimeout(this.#idleTimer)
    this.#connecting?.then((connection) => connection.close(), () => {})
    this.#connecting = undefined
  }
}

/** `alone`: the session's transaction has made nothing that the catalogue does not show. */
function planOf({ analysis, command }: Understood, masks: readonly Mask[], target: Target, catalogue: Catalogue, alone: boolean): KnownPlan {
  if (analysis === undefined) return { kind: 'blocked', reason: `what it reads cannot be traced: ${command.opaque}`, catalogue }
  const plan = maskPlan(analysis, masks, catalogue, target, { ...(alone ? { unknown: 'absent' } : {}), copies: 'followed' })
  if (plan.kind === 'blocked') return { kind: 'blocked', reason: plan.reason, catalogue }
  const origins = maskedOrigins(masks, catalogue, target)
  // What is not in the catalogue was made after it was read, of nobody knows what.
  const maskOf = (table: number, attribute: number): MaskTerms | undefined => (table === 0 ? undefined : origins.get(originKey(table, attribute)) ?? (catalogue.relation(table) === undefined ? UNKNOWN_TABLE : undefined))
  return { kind: 'run', showsMasked: plan.kind === 'masked', maskOf, results: plan.results, errors: plan.errors, catalogue }
}

export function copiesAnything(analysis: Analysis | undefined): boolean {
  return analysis !== undefined && analysis.statements.some(({ makes }) => makes !== undefined && makes.columns.some(({ sources, derived }) => sources.length + derived.length > 0))
}

/** Of a text with several statements, each one's place depends on its constants. */
function isOfShape({ analysis }: Understood): boolean {
  return analysis !== undefined && !analysis.literals && analysis.statements.length === 1 && analysis.unknown.length === 0
}

let count = 0
const numbers = new WeakMap<object, number>()

/** Whoever has made tables of their own shares what is understood with nobody, nor with themselves at another time. */
function temporariesKey(temporaries: TemporaryTables | undefined): string {
  if (temporaries === undefined) return '?'
  if (temporaries.size === 0) return ''
  const number = numbers.get(temporaries) ?? ++count
  numbers.set(temporaries, number)
  return String(number)
}

/** Texts mean something else while the session's transaction has redefined things. */
function unsettledKey(unsettled: Unsettled | undefined): string {
  return unsettled === undefined ? '' : `${String(unsettled.code)} ${[...unsettled.created].join()}`
}

function hasUnknown({ analysis }: Understood): boolean {
  return analysis !== undefined && analysis.unknown.length > 0
}

/** What a statement may leave behind that makes a later one mean something else. */
function changesMeaning({ effects, fidelity, lineage, actions }: Statement): boolean {
  if (fidelity === 'opaque' || lineage.untraced !== '') return true
  if (actions.some((action) => action === 'create' || action === 'alter' || action === 'drop')) return true
  const { transaction, settings, prepares, deallocates, declares, closes, discards } = effects
  const ends = transaction !== undefined && transaction.kind !== 'begin' && transaction.kind !== 'savepoint'
  return ends || settings.length > 0 || [prepares, deallocates, declares, closes, discards].some((effect) => effect !== undefined)
}
