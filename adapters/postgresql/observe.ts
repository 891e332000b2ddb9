import { isAscii } from 'node:buffer'
import type { Command, Decision, Impact, Target } from '../../core/index.ts'
import { ContentDetection, type ContentDetections } from './detect/content-detection.ts'
import { MaskedResult, type MaskOf } from './masked-result.ts'
import { copyProblem, copyShapes, type CopyShape, type ErrorExposure, type ResultMask } from './sql/index.ts'
import { FollowedSettings } from './impact/followed-settings.ts'
import { copiesAnything, type KnownPlan, type Knowledge } from './knowledge.ts'
import type { Run } from './run.ts'
import { SessionCopies } from './session-copies.ts'
import type { Analysis, Statement } from './sql/analysis.ts'
import { attach } from './sql/attach.ts'
import { definesTemporaryOnly } from './sql/temporary-table.ts'
import { SessionNames, splitPath } from './sql/session-names.ts'

/** A statement as far as it is understood; shared by all its runs. */
export interface Understood {
  readonly command: Omit<Command, 'phase' | 'values' | 'valuesComplete'>
  readonly analysis: Analysis | undefined
  /** What it may change about the session, so that what comes after it may mean something else. */
  readonly changesMeaning: boolean
  /** Under which catalogue and session state; empty when its text cannot be analysed again. */
  readonly key: string
}

/** What the masks of a decision mean for one statement. */
export type Plan =
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'run'; readonly masked: MaskedResult; readonly errors: ErrorExposure }

export interface ObserverOptions {
  /** What the target said at login. */
  readonly parameters: ReadonlyMap<string, string>
  /** What the client asked for at login. */
  readonly startup: ReadonlyMap<string, string>
  readonly target: Target
  /** The role that the gateway acts as at the target. */
  readonly user: string
  /** The target's key for masks, as it is at the moment. */
  readonly maskKey: () => Buffer
  /** What can be looked for in what comes out. */
  readonly detections: ContentDetections
}

/**
 * Turns messages into commands: one observer per session. It follows what changes the meaning of later statements;
 * what is common to all sessions of a database is `Knowledge`.
 */
export class Observer {
  readonly functionCall = opaque('call', '', 'a fast-path function call carries no SQL')
  readonly #knowledge: Knowledge
  readonly #o: ObserverOptions
  readonly #names: SessionNames
  /** Stays for a transaction at least: a cursor's rows come in many answers. */
  #maskKey: Buffer
  /** Runs under way that may change what later statements mean, oldest first. */
  readonly #changing = new Set<Run>()
  #waiting: (() => void)[] = []
  #definedInTransaction = false
  /** Among it is something else than temporary tables of its own. */
  #untracked = false
  /** It listens, or may, under masks. */
  hidesNotifications = false
  readonly #copies: SessionCopies
  readonly #reported = new Map<string, string>()
  readonly #settings: FollowedSettings
  /** Texts of PREPARE statements. */
  readonly #texts = new WeakMap<Statement, string>()

  constructor(knowledge: Knowledge, options: ObserverOptions) {
    this.#knowledge = knowledge
    this.#copies = new SessionCopies(knowledge.copies)
    this.#o = options
    this.#maskKey = options.maskKey()
    this.#names = new SessionNames({ user: options.user, searchPath: startPath(knowledge, options) })
    this.#settings = new FollowedSettings(options.parameters)
    for (const [name, value] of options.parameters) this.#names.report(name, value)
  }

  /** Whether something before it has to end before a statement can be understood. */
  get unsettled(): boolean {
    if (this.#changing.size === 0) return false
    return this.#knowledge.needsNames() || this.#changes(changesReading)
  }

  /** Whether something under way may give the name of a statement or portal to another one. */
  get renaming(): boolean {
    return this.#changing.size > 0 && this.#changes(changesNamed)
  }

  #changes(what: (statement: Statement) => boolean): boolean {
    for (const { understood: { analysis } } of this.#changing) if (analysis === undefined || analysis.statements.some(what)) return true
    return false
  }

  /** Whether nothing that came before `run` (or nothing at all) can still change what names mean. */
  isSettledBefore(run: Run | undefined): boolean {
    const [oldest] = this.#changing
    return oldest === undefined || (run !== undefined && oldest.number >= run.number)
  }

  /** Resolves once nothing that came before `run` (or nothing at all) can change what names mean. */
  async settledBefore(run: Run | undefined): Promise<void> {
    while (!this.isSettledBefore(run)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
  }

  /** `prepared` looks up a statement of the extended protocol. */
  understand(bytes: Buffer, prepared: (name: string) => Understood | undefined): Understood | Promise<Understood> {
    const text = this.#decode(bytes)
    if (text === undefined) return opaque('unknown', bytes.toString('latin1'), 'the text is not in an encoding that can be followed')
    const found = this.#knowledge.understand(text, this.#names)
    return found instanceof Promise ? found.then((late) => this.#attach(late, prepared)) : this.#attach(found, prepared)
  }

  /** The same statement under what its names stand for now. */
  again(understood: Understood, prepared: (name: string) => Understood | undefined): Understood | Promise<Understood> {
    if (understood.key === '' || (this.#knowledge.isCurrent(understood, this.#names) && !namesAnother(understood.analysis))) return understood
    return this.understand(Buffer.from(understood.command.text), prepared)
  }

  /** With the types that its client gave its parameters, by object id: some run code when they are bound. */
  withTypes(understood: Understood, types: readonly number[]): Understood {
    return this.#knowledge.runsCode(types) ? opaque('unknown', understood.command.text, 'the type of a parameter runs code that is not followed') : understood
  }

  unknownStatement(name: string): Understood {
    const known = this.#prepared(name)
    return known === undefined ? opaque('unknown', '', `prepared statement "${name}" is not known to the gateway`) : this.#knowledge.ofStatement(known)
  }

  cursor(name: string): Understood {
    const known = this.#names.cursor(name)
    return known === undefined ? opaque('unknown', '', `portal "${name}" is not known to the gateway`) : this.#knowledge.ofStatement(known)
  }

  /** Parse and Close: what SQL prepared under that name is gone, or the target refuses. */
  takesStatement(name: string): void {
    this.#names.closePrepared(name)
  }

  /** Bind and Close: what SQL declared under that name is gone, or the target refuses. */
  takesPortal(name: string): void {
    this.#names.closeCursor(name)
  }

  /** What SQL prepared, under what names stand for now: the target plans it again when the search path or a table has changed. */
  #prepared(name: string): Statement | undefined {
    const known = this.#names.prepared(name)
    const text = known === undefined ? undefined : this.#texts.get(known)
    if (text === undefined) return known
    const now = this.#knowledge.understand(text, this.#names)
    return now instanceof Promise ? undefined : now.analysis?.statements.findLast(({ effects }) => effects.prepares === name)
  }

  started(run: Run): void {
    if (run.understood.changesMeaning && run.command.phase === 'execute') this.#changing.add(run)
  }

  ended(run: Run): void {
    const { analysis, changesMeaning, command: { text } } = run.understood
    this.#copies.ended(run)
    if (run.command.phase === 'prepare') return
    if (run.reached) {
      if (analysis === undefined) this.#names.unseen()
      else this.#names.observe(analysis, run.ok, 'pipelined')
      this.#settings.observe(analysis)
      for (const statement of analysis?.statements ?? []) if (statement.effects.prepares !== undefined) this.#texts.set(statement, text)
      if (changesMeaning && definesRelations(analysis)) {
        this.#definedInTransaction = true
        if (analysis?.statements.every((statement) => !defines(statement) || definesTemporaryOnly(statement)) !== true) this.#untracked = true
      }
      // Until it ends, the gateway's own connection cannot see what was defined, and would wait for its locks.
      if (this.#definedInTransaction && endsTransaction(analysis)) this.#knowledge.changed()
    }
    if (!this.#changing.delete(run)) return
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** The session ends. */
  closed(): void {
    this.#copies.close(this.#changing.size === 0)
  }

  /** The target says what a setting has become: by the time it is ready, and whatever came before is taken in. */
  parameter(name: string, value: string): void {
    this.#reported.set(name, value)
    this.#settings.report(name, value)
  }

  /** The target reported an error. */
  failed(): void {
    this.#names.failed()
  }

  /** The target is ready for the next query, in this state of the transaction. */
  ready(transaction: string): void {
    this.#names.ready(transaction)
    const copied = this.#copies.ready(transaction)
    if (transaction === 'idle') this.#maskKey = this.#o.maskKey()
    if (this.#reported.size > 0) this.#takeReports()
    if (transaction === 'idle' && this.#definedInTransaction) {
      this.#definedInTransaction = false
      this.#untracked = false
      this.#knowledge.changed()
      // They are known by their names until they are seen: soon, so that nobody changes these meanwhile.
      if (copied) void this.#knowledge.prepare()
    }
  }

  #takeReports(): void {
    for (const [name, value] of this.#reported) this.#names.report(name, value)
    this.#reported.clear()
  }


  /** Decided under the catalogue as it is now, once `isSettledBefore` the run. At once when nothing has to be looked up. */
  maskPlan(run: Run, decision: Decision, prepared: (name: string) => Understood | undefined): Plan | Promise<Plan> {
    const { detections = [] } = decision.verdict.obligations
    if (detections.length === 0) return this.#plan(run, decision, prepared, NO_LOOK)
    const detection = this.#o.detections.of(detections)
    const { analysis, command } = run.understood
    const reason = hindrance(analysis, command.opaque, detection, this.#names.isUtf8())
    if (!(detection instanceof ContentDetection) || analysis === undefined || reason !== '') return { kind: 'blocked', reason }
    if (analysis.statements.every(({ copies }) => copies === undefined)) return this.#plan(run, decision, prepared, { detection, copies: [] })
    return this.#copyShapes(analysis, command.text).then((copies) => this.#plan(run, decision, prepared, { detection, copies }))
  }

  #plan(run: Run, decision: Decision, prepared: (name: string) => Understood | undefined, look: Look): Plan | Promise<Plan> {
    const { understood } = run
    const runs = run.command.phase === 'execute' && decision.verdict.effect !== 'await-approval'
    const { masks } = decision.verdict.obligations
    if (masks.length > 0 && listens(understood.analysis)) this.hidesNotifications = true
    if (masks.length === 0) {
      const plan: Plan = { kind: 'run', masked: this.#maskedResult(NO_COLUMN, 'unmasked', true, look), errors: 'none' }
      return runs && this.copies(run) ? this.#followed(run, plan) : plan
    }
    if (this.#definedInTransaction && (this.#untracked || this.#names.temporaries() === undefined) && touchesRelations(understood.analysis)) {
      return { kind: 'blocked', reason: 'this transaction has changed the schema, so masks cannot be traced until it ends; commit or roll back first' }
    }
    const plan = this.#knowledge.maskPlan(run, runs, masks, this.#o.target, this.#names, (fresh) => this.#attach(fresh, prepared))
    return plan instanceof Promise ? plan.then((late) => this.#planned(run, late, look)) : this.#planned(run, plan, look)
  }

  /** Where what the text finds may be something else than what the catalogue has, no type is sure. */
  async #copyShapes(analysis: Analysis, text: string): Promise<readonly (CopyShape | undefined)[]> {
    const sure = !this.#definedInTransaction && !definesRelations(analysis) && analysis.statements.every(({ effects: { settings } }) => settings.length === 0)
    const now = sure ? await this.#knowledge.atThisMoment(text, this.#names) : undefined
    return copyShapes(now ?? analysis, now !== undefined)
  }

  /** Whether what it reads goes into a new relation, where it has to be followed. */
  copies({ understood: { analysis }, command: { phase } }: Run): boolean {
    return phase === 'execute' && copiesAnything(analysis) && this.#knowledge.needsNames()
  }

  async #followed(run: Run, plan: Plan): Promise<Plan> {
    const copies = await this.#knowledge.follow(run)
    if (typeof copies === 'string') return { kind: 'blocked', reason: copies }
    return this.#copies.begun(run, copies) ? plan : SESSION_OVER
  }

  /** What a held statement would change; see `Preview`. `transaction`: where the session stands. */
  async impact(run: Run, { verdict }: Decision, transaction: string, withdrawn: AbortSignal): Promise<Impact | undefined> {
    const { types = [], formats = [] } = { ...run.portal?.prepared, ...run.portal }
    return this.#knowledge.preview?.of({
      command: run.command, obligations: verdict.obligations, target: this.#o.target,
      bound: run.portal === undefined ? undefined : { types, formats },
      session: {
        startup: this.#o.startup, transaction, schemaChanged: this.#definedInTransaction,
        settings: this.#settings.repeatable(), unrepeated: this.#settings.unrepeatable(),
        searchPath: this.#names.searchPath(), role: this.#names.role(), utf8: this.#names.isUtf8(), standardStrings: this.#names.standardStrings(),
      },
    }, withdrawn)
  }

  #planned(run: Run, plan: KnownPlan, look: Look): Plan {
    if (plan.kind === 'blocked') return plan
    const { results, showsMasked, maskOf, errors, copies = [] } = plan
    if (!this.#copies.begun(run, copies)) return SESSION_OVER
    if (!this.#names.isUtf8() && results.some(({ kind }) => kind === 'copy')) return { kind: 'blocked', reason: 'COPY can be masked only where client_encoding is UTF8' }
    return { kind: 'run', masked: this.#maskedResult(maskOf, results, showsMasked || look.detection !== undefined, look), errors }
  }

  #maskedResult(maskOf: MaskOf, results: readonly ResultMask[] | 'unmasked', strict: boolean, look: Look): MaskedResult {
    const clientEncoding = this.#names.isUtf8() ? 'UTF8' : 'SQL_ASCII'
    return new MaskedResult(maskOf, { key: this.#maskKey, clientEncoding, strict, results, ...look })
  }

  #attach(understood: Understood, prepared: (name: string) => Understood | undefined): Understood {
    const { analysis } = understood
    if (analysis === undefined || !analysis.statements.some(({ effects }) => effects.executes !== undefined || effects.fetches !== undefined)) return understood
    const attached = attach(analysis, {
      prepared: (name) => this.#prepared(name) ?? onlyStatement(prepared(name)),
      cursor: (name) => this.#names.cursor(name),
    })
    return attached === analysis ? understood : this.#knowledge.ofAnalysis(understood.command.text, attached, understood.key)
  }

  /** `undefined` when the bytes may mean another text to the target than to us. */
  #decode(bytes: Buffer): string | undefined {
    if (isAscii(bytes)) return bytes.toString('latin1')
    return this.#names.isUtf8() ? utf8(bytes) : undefined
  }
}

const SESSION_OVER: Plan = Object.freeze({ kind: 'blocked', reason: 'its session has ended' })
const NO_COLUMN = (): undefined => undefined

/** What is looked for in what comes out, and what the rows are that describe nothing themselves. */
interface Look {
  readonly detection: ContentDetection | undefined
  /** By statement, for each COPY to the client. */
  readonly copies: readonly (CopyShape | undefined)[]
}

const NO_LOOK: Look = Object.freeze({ detection: undefined, copies: [] })

/** Why what comes out cannot be looked at; empty when it can. */
function hindrance(analysis: Analysis | undefined, opaqueReason: string, found: ContentDetection | { readonly unknown: string }, isUtf8: boolean): string {
  if (!(found instanceof ContentDetection)) return `the rules ask to detect "${found.unknown}", which this gateway does not know`
  if (analysis === undefined) return `what comes out of it cannot be looked at: ${opaqueReason}`
  const problem = copyProblem(analysis)
  if (problem !== '') return problem
  return isUtf8 || analysis.statements.every(({ copies }) => copies === undefined) ? '' : 'COPY can be looked at only where client_encoding is UTF8'
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function onlyStatement(understood: Understood | undefined): Statement | undefined {
  const statements = understood?.analysis?.statements
  return statements?.length === 1 ? statements[0] : undefined
}

function listens(analysis: Analysis | undefined): boolean {
  return analysis === undefined || analysis.fidelity === 'opaque' || analysis.actions.includes('listen')
}

/** EXECUTE and FETCH mean what their name stands for when they run. */
function namesAnother(analysis: Analysis | undefined): boolean {
  return analysis !== undefined && analysis.statements.some(({ effects }) => effects.executes !== undefined || effects.fetches !== undefined)
}

function changesNamed({ effects: { prepares, deallocates, declares, closes, discards } }: Statement): boolean {
  return [prepares, deallocates, declares, closes, discards].some((effect) => effect !== undefined)
}

/** It may have: nobody knows what the unreadable does. */
function endsTransaction(analysis: Analysis | undefined): boolean {
  return analysis === undefined || analysis.statements.some(({ effects: { transaction } }) => transaction !== undefined && /^(commit|rollback|prepare)$/.test(transaction.kind))
}

/** What changes how the bytes of a text are read, or what an EXECUTE in it runs. */
function changesReading(statement: Statement): boolean {
  const { effects: { settings, transaction }, fidelity } = statement
  const ends = transaction !== undefined && transaction.kind !== 'begin' && transaction.kind !== 'savepoint'
  return ends || fidelity === 'opaque' || changesNamed(statement) || settings.some(({ name }) => /^(\*|standard_conforming_strings|client_encoding|names)$/.test(name))
}

function touchesRelations(analysis: Analysis | undefined): boolean {
  return analysis === undefined || analysis.statements.some(({ lineage }) => lineage.untraced !== '' || lineage.relations.length > 0)
}

function definesRelations(analysis: Analysis | undefined): boolean {
  return analysis === undefined || analysis.statements.some(defines)
}

function defines({ fidelity, actions }: Statement): boolean {
  return fidelity === 'opaque' || actions.some((action) => action === 'create' || action === 'alter' || action === 'drop')
}

/** Where the search path of a session begins; `undefined` when the client may have set it at login in a way we did not read. */
function startPath(knowledge: Knowledge, { startup }: ObserverOptions): readonly string[] | undefined {
  for (const [name, value] of startup) {
    if (name.toLowerCase() === 'search_path') return splitPath(value)
    if (/^(role|session_authorization)$/i.test(name)) return undefined
    // `--search-path=x` is the same as `-c search_path=x`, and any character may be escaped.
    if (name === 'options' && /\\|search[-_]path|role|session[-_]authorization/i.test(value)) return undefined
  }
  return knowledge.defaultSearchPath
}

/** A command nobody could read: what it does is up to the rules for what is opaque. */
export function opaque(action: string, text: string, reason: string): Understood {
  return {
    command: Object.freeze({ protocol: 'postgresql', action, actions: [action], text, resources: [], fidelity: 'opaque', opaque: reason, facts: {} }),
    analysis: undefined,
    changesMeaning: true,
    key: '',
  }
}
