import type { Command, Obligations, Target } from '../../../core/index.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import { parse } from '../sql/load.ts'
import type { Relation } from '../sql/resolver.ts'
import { tokensOf } from '../sql/tokens.ts'
import { changesOf, type Change } from './changes.ts'
import { Curtain } from './curtain.ts'
import { setAmount, type Draft, type DraftEffect } from './draft.ts'
import { dryRun } from './dry-run.ts'
import { countOf, isAtMost, referringCount, sampleOf, type FollowedCarry, type FollowedChange } from './followed-change.ts'
import { OwnCode } from './own-code.ts'
import { readPlan, type Plan } from './plan-text.ts'
import type { PreviewOptions } from './preview.ts'
import { PreviewConnection, Refusal, type PreviewConnectionOptions } from './preview-connection.ts'
import { UNBOUND, type Bound } from './question-connection.ts'
import { label, reachOf, type Reach } from './reach.ts'
import { rowValues } from './row-values.ts'
import type { RowsQuery } from './rows-query.ts'
import { hindranceIn, OWN_SETTING, type SessionState } from './session-state.ts'
import { prepareTrial } from './trial.ts'

/** A statement that is held. */
export interface HeldStatement {
  readonly command: Command
  /** Types as Parse and formats as Bind gave them; `undefined` without those. */
  readonly bound: { readonly types: readonly number[]; readonly formats: readonly number[] } | undefined
  readonly obligations: Obligations
  readonly session: SessionState
  readonly target: Target
}

/** Why something cannot be known, in words for a reviewer. */
export class Unknown extends Error {}

/** Statements of one text that are looked at. */
const MAX_STATEMENTS = 5
const MAX_TEXT_CHARS = 256 * 1024

/** One look at one statement. Writes what it finds into the draft as it finds it; rejects with what stopped it. */
export class PreviewRun {
  readonly #o: PreviewOptions
  readonly #held: HeldStatement
  readonly #draft: Draft
  readonly #signal: AbortSignal
  #bound: Bound = UNBOUND

  constructor(options: PreviewOptions, held: HeldStatement, draft: Draft, signal: AbortSignal) {
    this.#o = options
    this.#held = held
    this.#draft = draft
    this.#signal = signal
  }

  async run(): Promise<void> {
    const changes = this.#changes()
    const catalogue = await this.#o.catalogue()
    const connection = await PreviewConnection.open(this.#connectionOptions(), 'read')
    try {
      await this.#look(changes, catalogue, connection)
    } finally {
      connection.close()
    }
  }

  async #look(changes: readonly Change[], catalogue: Catalogue, connection: PreviewConnection): Promise<void> {
    const { session, obligations, target } = this.#held
    const ownCode = new OwnCode({ catalogue, ask: connection.catalogue, searchPath: session.searchPath ?? [] })
    const followed: FollowedChange[] = []
    for (const change of changes) followed.push(...await this.#follow(change, catalogue, connection, ownCode))
    const asked = { text: this.#held.command.text, changes, followed, catalogue, ask: connection.catalogue, ownCode }
    const trial = obligations.approval?.dryRun === true ? await prepareTrial(asked) : undefined
    if (typeof trial === 'string') this.#draft.unknown(`no trial run: ${trial}`)
    await connection.becomeSession()
    if (typeof trial === 'object' || followed.some(({ rows }) => rows !== undefined)) await this.#bind(connection)
    const cheap: FollowedChange[] = []
    for (const each of followed) if (await this.#measure(each, connection)) cheap.push(each)
    await this.#noteRowSecurity(followed, connection)
    const curtain = new Curtain(obligations, catalogue, target)
    if (typeof trial === 'object') await dryRun(trial, { draft: this.#draft, curtain, bound: this.#bound, catalogue, connection: this.#connectionOptions() })
    const [first] = cheap
    if (first !== undefined && this.#draft.diff === undefined) await this.#sample(first, connection, curtain)
  }

  #connectionOptions(): PreviewConnectionOptions {
    return { route: this.#o.route, session: this.#held.session, signal: this.#signal, statementTimeoutMs: Math.ceil(this.#o.limits.timeoutMs / 2) }
  }

  /** What the text says it changes. Throws when nothing can be asked in this session's place. */
  #changes(): readonly Change[] {
    const { session, command: { text, textBytes, action, fidelity, opaque } } = this.#held
    const hindrance = hindranceIn(session)
    if (hindrance !== undefined) throw new Unknown(`nothing was counted: ${hindrance}`)
    if (textBytes !== undefined || text.length > MAX_TEXT_CHARS) throw new Unknown('nothing was counted: the statement is too long')
    if (session.standardStrings !== true && text.includes('\\')) throw new Unknown('nothing was counted: what a backslash means in this session is not certain')
    const parsed = parse(text)
    const tokens = tokensOf(text)
    const statements = parsed.kind === 'parsed' ? parsed.statements : []
    const changes = tokens === undefined ? [] : statements.slice(0, MAX_STATEMENTS).flatMap((statement) => changesOf(text, statement, tokens))
    if (statements.some(({ node }) => 'ExecuteStmt' in node)) throw new Unknown('nothing was counted: it runs a statement that was prepared before')
    if (changes.length === 0) throw new Unknown(fidelity === 'opaque' ? `what it does cannot be followed: ${opaque}` : `what ${action} changes is not counted`)
    this.#doubts(statements.length)
    return changes
  }

  #doubts(statements: number): void {
    const { transaction, unrepeated, settings } = this.#held.session
    const own = [...settings.keys()].filter((name) => OWN_SETTING.test(name))
    if (own.length > 0) this.#draft.unknown(`${own.join(', ')} is taken to be as the session set it last`)
    if (transaction !== 'idle') this.#draft.unknown('what the session\'s open transaction has changed so far is not seen')
    if (unrepeated.length > 0) this.#draft.unknown(`the session has set ${unrepeated.join(', ')}, which is not repeated here`)
    if (statements > 1) this.#draft.unknown(`the text has ${statements} statements: each is looked at as if it ran alone${statements > MAX_STATEMENTS ? `, and only the first ${MAX_STATEMENTS}` : ''}`)
  }

  /** In the gateway's own name: what the change reaches, and whether the queries for it may be run. */
  async #follow(change: Change, catalogue: Catalogue, { catalogue: ask }: PreviewConnection, ownCode: OwnCode): Promise<FollowedChange[]> {
    const relation = this.#resolve(change, catalogue)
    if (relation === undefined) return []
    const effect = this.#draft.effect(label(relation), change.kind)
    const reach = await reachOf({ relation, kind: change.kind, columns: change.columns, only: change.relation.inh !== true, cascades: change.cascades === true }, catalogue, ask)
    this.#describe(relation, change, reach, catalogue)
    const rows = await this.#runnable(change, ownCode)
    const carried: FollowedCarry[] = []
    for (const to of reach.carried) {
      const count = rows === undefined || to.depth > 1 ? undefined : referringCount(rows, to)
      const mayRun = count !== undefined && (await ownCode.hindrance(count)) === undefined
      carried.push({ to, effect: this.#draft.effect(label(to.relation), to.kind, to.through), count: mayRun ? count : undefined })
    }
    return [{ change, relation, reach, effect, rows, carried }]
  }

  #resolve({ relation: { schemaname, relname = '' }, kind }: Change, catalogue: Catalogue): Relation | undefined {
    const found = catalogue.relations(schemaname, relname, this.#held.session.searchPath)
    const [relation, ...others] = found
    if (relation !== undefined && others.length === 0 && !relation.temporary) return relation
    const name = schemaname === undefined ? relname : `${schemaname}.${relname}`
    this.#draft.effect(name, kind)
    this.#draft.unknown(`the rows of ${name} were not counted: ${relation === undefined ? 'it is not in the catalogue' : 'it may be a temporary table, which only its session sees'}`)
    return undefined
  }

  #describe(relation: Relation, change: Change, reach: Reach, catalogue: Catalogue): void {
    const draft = this.#draft
    for (const { name, relation: on, when, function: runs } of reach.triggers) draft.note(`trigger ${name} on ${on} runs ${runs}() ${when}`)
    if (reach.triggers.length > 0) draft.unknown('what the triggers do is not followed')
    if (reach.restricting.length > 0) draft.note(`it fails if rows of these refer to what changes: ${reach.restricting.join(', ')}`)
    if (reach.more) draft.unknown('it reaches more tables than were followed')
    if (relation.hasRules) draft.unknown(`${label(relation)} has rewrite rules, which may do something else instead`)
    if (relation.kind === 'view') draft.unknown(`${label(relation)} is a view: what a change reaches from the tables behind it is not followed`)
    const partitions = catalogue.descendants(relation.oid).size
    if (partitions > 0) draft.note(`${label(relation)} has ${partitions} partitions or inheriting tables`)
    const computed = change.kind === 'update' ? catalogue.generatedColumns(relation.oid).map(({ column }) => column) : []
    if (computed.length > 0) draft.note(`computed again from what is set: ${computed.join(', ')}`)
  }

  async #runnable({ rows, amount, kind }: Change, ownCode: OwnCode): Promise<RowsQuery | undefined> {
    if (amount !== undefined) return undefined
    const reason = rows === undefined ? `which rows to ${kind} could not be made out from its text` : await ownCode.hindrance(rows.text(rows.all))
    if (reason === undefined) return rows
    this.#draft.unknown(`the rows were not counted: ${reason}`)
    return undefined
  }

  /** The values, with the types that the target gives them in the statement itself. */
  async #bind(connection: PreviewConnection): Promise<void> {
    const { command: { values, text }, bound } = this.#held
    if (values.length === 0) return
    if (bound === undefined) throw new Unknown('the rows were not counted: the types of its values are not known')
    const types = await connection.attempt(() => connection.parameterTypes(text, bound.types))
    if (types instanceof Refusal) throw new Unknown(`the rows were not counted: ${types.words}`)
    this.#bound = { types, formats: bound.formats, values: values.map((value, index) => valueBytes(value, bound.formats, index)) }
  }

  /** Plans and counts; whether the rows are cheap to have. */
  async #measure({ change, relation, effect, rows, carried }: FollowedChange, connection: PreviewConnection): Promise<boolean> {
    if (change.amount !== undefined) setAmount(effect, change.amount.rows, change.amount.atMost ? 'at-most' : 'exact')
    if (rows === undefined) return false
    const plan = await this.#plan(rows.text(rows.all), connection)
    if (plan instanceof Refusal) {
      this.#draft.unknown(`the rows were not counted: ${plan.words}`)
      return false
    }
    this.#draft.plan(plan.text)
    const counted = await this.#count(countOf(rows, relation), plan, effect, isAtMost(rows, relation) ? 'at-most' : 'exact', connection)
    for (const { to, effect: reached, count } of carried) {
      if (count === undefined) continue
      const way = await this.#plan(count, connection)
      // An update that leaves a key as it is, and rows that go anyway, carry nothing on.
      const certainty = change.kind === 'update' || to.relation.oid === relation.oid ? 'at-most' : isAtMost(rows, relation) ? 'at-most' : 'exact'
      if (!(way instanceof Refusal)) await this.#count(count, { ...way, rows: -1 }, reached, certainty, connection)
    }
    return counted
  }

  async #plan(query: string, connection: PreviewConnection): Promise<Plan | Refusal> {
    const answer = await connection.attempt(() => connection.ask(`EXPLAIN (FORMAT JSON, VERBOSE) ${query}`, this.#bound))
    if (answer instanceof Refusal) return answer
    const plan = readPlan(answer.rows.map((row) => rowValues(row)[0] ?? '').join(''))
    if (plan === undefined) throw new Unknown('the rows were not counted: the target did not say how it would find them')
    return plan
  }

  /** Counts unless that is too dear; then the planner's guess has to do, where it has one. */
  async #count(query: string, { cost, rows: guess }: Plan, effect: DraftEffect, certainty: 'exact' | 'at-most', connection: PreviewConnection): Promise<boolean> {
    const { maxCost } = this.#o.limits
    const dear = cost > maxCost
    const answer = dear ? undefined : await connection.attempt(() => connection.ask(query, this.#bound))
    if (answer === undefined || answer instanceof Refusal) {
      if (guess >= 0) setAmount(effect, Math.round(guess), 'estimate')
      const why = answer === undefined ? `counting them would cost ${Math.round(cost)} (at most ${maxCost} is spent: approvals.impact.max-cost)` : answer.words
      this.#draft.unknown(`the rows of ${effect.resource} ${guess >= 0 ? 'are the planner\'s guess' : 'were not counted'}: ${why}`)
      return false
    }
    const [row] = answer.rows
    setAmount(effect, Number(row === undefined ? 0 : rowValues(row)[0]), certainty)
    return true
  }

  async #noteRowSecurity(followed: readonly FollowedChange[], connection: PreviewConnection): Promise<void> {
    const relations = new Map(followed.flatMap(({ relation, carried }) => [relation, ...carried.map(({ to }) => to.relation)]).map((relation) => [String(relation.oid), label(relation)]))
    const rows = await connection.catalogue(ROW_SECURITY, JSON.stringify([...relations.keys()]))
    const names = rows.map(([oid]) => relations.get(oid ?? '') ?? '')
    if (names.length > 0) this.#draft.unknown(`row security hides rows of ${names.join(', ')} from the session's role: cascades may reach those too`)
  }

  async #sample({ rows, relation }: FollowedChange, connection: PreviewConnection, curtain: Curtain): Promise<void> {
    const { sampleRows } = this.#o.limits
    if (rows === undefined || sampleRows === 0) return
    const answer = await connection.attempt(() => connection.ask(sampleOf(rows, relation, sampleRows), this.#bound))
    if (answer instanceof Refusal) this.#draft.unknown(`no rows are shown: ${answer.words}`)
    else this.#draft.sample = curtain.table(label(relation), answer)
  }
}

/** Of relations given as JSON: those whose rows row security chooses for the current role. */
const ROW_SECURITY = `
SELECT o FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) o WHERE pg_catalog.row_security_active(o::pg_catalog.oid)`

/** As it came: binary values are kept as \`\\x…\`. One format for all, or one each; none means text. */
function valueBytes(value: string | null, formats: readonly number[], index: number): Buffer | null {
  if (value === null) return null
  const format = formats.length === 1 ? formats[0] : formats[index]
  return format === 1 ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value)
}
