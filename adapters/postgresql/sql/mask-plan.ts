import type { Mask, Target } from '../../../core/index.ts'
import type { Analysis, ColumnUse, Lineage, Statement } from './analysis.ts'
import type { Catalogue } from './catalogue.ts'
import { changesEncoding } from './copy-shape.ts'
import { carriesSource, label, MaskedColumns, type MaskedOrigins } from './masked-columns.ts'
import { COPIED } from './place.ts'
import type { Relation } from './resolver.ts'
import { EVERYTHING, ORIGINS, resultMask, type ResultMask } from './result-mask.ts'

/** How a masked answer can be given. */
export type MaskPlan =
  | {
    /** `none`: no value of a masked column comes out, nor anything that was computed from one. */
    readonly kind: 'none' | 'masked'
    /** One for each statement of the text. */
    readonly results: readonly ResultMask[]
    readonly errors: ErrorExposure
  }
  | { readonly kind: 'blocked'; readonly reason: string; readonly errors: ErrorExposure }

/** Where an error or notice could quote a masked value: nowhere, in DETAIL, HINT and CONTEXT, or in the message as well. */
export type ErrorExposure = 'none' | 'detail' | 'message'

interface StatementOptions extends MaskPlanOptions {
  /** It is all there is of its text. */
  readonly alone: boolean
}

export interface MaskPlanOptions {
  /**
   * What it means that a relation or column is not in the catalogue. `absent` when the catalogue was read after
   * the statement arrived and the session has no DDL of its own under way: the server will then refuse the
   * statement itself. Otherwise leave it out: unknown is blocked.
   */
  readonly unknown?: 'absent'
  /** What is copied into a new relation is followed there. Otherwise leave it out: nothing masked is copied. */
  readonly copies?: 'followed'
}

type Running = Exclude<MaskPlan, { kind: 'blocked' }>

const NOTHING: Running = Object.freeze({ kind: 'none', results: Object.freeze([]), errors: 'none' })
const NO_ROWS: Running = Object.freeze({ ...NOTHING, results: Object.freeze([ORIGINS]) })

/**
 * Decides how a statement may be answered under masks. Without a catalogue, only what touches no relation passes.
 * Enforce `results`, and `maskedOrigins` on every RowDescription, also where the plan says `none`.
 */
export function maskPlan(analysis: Analysis, masks: readonly Mask[], catalogue: Catalogue | undefined, target: Target, options: MaskPlanOptions = {}): MaskPlan {
  if (masks.length === 0 || analysis.cannotRun) return NOTHING
  const columns = catalogue === undefined ? undefined : maskedColumns(masks, catalogue, target)
  if (columns?.unreadable !== undefined) return blocked(`the mask ${columns.unreadable} cannot be read`)
  const plans: Running[] = []
  for (const statement of analysis.statements) {
    const next = columns === undefined ? withoutCatalogue(statement) : planStatement(statement, columns, { ...options, alone: analysis.statements.length === 1 })
    if (next.kind === 'blocked') return next
    plans.push(next)
  }
  const results = plans.flatMap((plan) => plan.results)
  const kind = plans.some((plan) => plan.kind === 'masked') ? 'masked' : 'none'
  if (kind === 'masked' && analysis.statements.some(changesEncoding)) return blocked('what a text shows cannot be masked if it may change the encoding')
  return { kind, results, errors: plans.reduce<ErrorExposure>((errors, plan) => worse(errors, plan.errors), 'none') }
}

/** The masks of one decision as a look-up for RowDescription; remembered for as long as the catalogue lives. */
export function maskedOrigins(masks: readonly Mask[], catalogue: Catalogue, target: Target): MaskedOrigins {
  return maskedColumns(masks, catalogue, target).origins
}

/** Whether DETAIL, HINT, CONTEXT or the message of an error may quote a masked value, so that they must be taken out. */
export function leaksInErrors(_analysis: Analysis, plan: MaskPlan): boolean {
  return plan.errors !== 'none'
}

/** Distinct sets of masks that are remembered for one catalogue. */
const MAX_REMEMBERED = 256
const remembered = new WeakMap<Catalogue, Map<string, MaskedColumns>>()

function maskedColumns(masks: readonly Mask[], catalogue: Catalogue, target: Target): MaskedColumns {
  let sets = remembered.get(catalogue)
  if (sets === undefined) remembered.set(catalogue, (sets = new Map()))
  const key = JSON.stringify([masks.map(({ column, method, bucket, predicates, untraced, except }) => [column, method, bucket, predicates, untraced, except]), usesClasses(masks) || catalogue.copies.size > 0 ? target.classes : null])
  let columns = sets.get(key)
  if (columns === undefined) {
    if (sets.size >= MAX_REMEMBERED) sets.clear()
    sets.set(key, (columns = new MaskedColumns(masks, catalogue, target)))
  }
  return columns
}

function usesClasses(masks: readonly Mask[]): boolean {
  return masks.some(({ column }) => column.startsWith('class:'))
}

function withoutCatalogue({ lineage }: Statement): MaskPlan {
  if (lineage.untraced !== '') return blocked(lineage.untraced)
  const [first] = lineage.relations
  return first === undefined ? NO_ROWS : blocked(`the catalogue of the target is not at hand, so ${first.name} cannot be checked against the masks`)
}

function planStatement(statement: Statement, columns: MaskedColumns, options: StatementOptions): MaskPlan {
  const { lineage, effects } = statement
  const reason = hindrance(statement, columns) ?? copyHindrance(statement, columns, options) ?? oddName(lineage, columns) ?? (options.unknown === 'absent' ? undefined : unknownName(lineage, columns))
  if (reason !== undefined) return blocked(reason)
  if (isMadeByBodies(lineage, columns)) return { kind: 'masked', results: [EVERYTHING], errors: 'message' }
  const result = resultMask(statement, columns)
  if (typeof result === 'string') return blocked(result)
  const shows = result !== ORIGINS || lineage.outputs.some(({ sources }) => sources.some((source) => columns.isMasked(source)))
  const ends = firesDeferred(statement) || (effects.transaction !== undefined && effects.transaction.kind !== 'begin')
  const errors = worse(ends ? 'detail' : 'none', exposure(lineage, columns))
  return { kind: shows ? 'masked' : 'none', results: [result], errors }
}

/** Whether triggers and constraints that were put off may run with it, and the queries of cursors that are held. */
export function firesDeferred({ kind, effects: { transaction } }: Statement): boolean {
  return kind === 'ConstraintsSetStmt' || transaction?.kind === 'commit' || transaction?.kind === 'prepare'
}

/** Whether the body of a function reads masked values, so that what the function gives may be made of them. */
function isMadeByBodies({ uses }: Lineage, columns: MaskedColumns): boolean {
  return uses.some(({ kind, source }) => kind === 'body' && columns.isMasked(source))
}

/** Why a masked value would escape, or could. */
function hindrance(statement: Statement, columns: MaskedColumns): string | undefined {
  const { lineage } = statement
  if (lineage.untraced !== '') return lineage.untraced
  const use = lineage.uses.find((each) => !columns.permits(each) || (each.kind === 'body' && columns.isMasked(each.source) && !onlyGives(statement)))
  if (use !== undefined) return forbidden(use)
  const touched = [...lineage.uses.map(({ source }) => source), ...[...lineage.outputs, ...statement.makes?.columns ?? []].flatMap(({ sources, derived }) => [...sources, ...derived])]
  const carried = touched.find(carriesSource)
  if (carried !== undefined) return `${carried.table}.${carried.column} may hold values of masked columns`
  return relationHindrance(lineage, columns)
}

/** Bytes of a name that PostgreSQL keeps. */
const MAX_NAME_BYTES = 63

/** Why what is masked cannot be followed into the relation that is made of it. */
function copyHindrance({ makes }: Statement, columns: MaskedColumns, { copies, alone }: StatementOptions): string | undefined {
  const source = makes?.columns.flatMap(({ sources, derived }) => [...sources, ...derived]).find((each) => columns.isMasked(each))
  if (makes === undefined || source === undefined) return undefined
  const { name, temporary, placed } = makes
  if (copies !== 'followed') return forbidden({ source, ...COPIED, forOutput: false })
  if (!placed) return 'the places of the columns that it copies cannot be told'
  if (!alone) return 'a copy of masked columns has to be made by a statement of its own'
  if (name.length > MAX_NAME_BYTES || !/^[\x20-\x7e]+$/.test(name)) return `a copy of masked columns needs a name of up to ${MAX_NAME_BYTES} plain characters`
  if (columns.catalogue.named(name).some((other) => !temporary || !other.temporary)) return `something is called ${name} already; a copy of masked columns needs a name of its own`
  return undefined
}

function forbidden({ source, how, kind }: ColumnUse): string {
  const column = source.attnum === 0 ? `a row of ${source.table}, which holds masked columns,` : `the masked column ${source.table}.${source.column}`
  if (kind === 'risky-output') return `${column} is used in ${how}, which would let its value be guessed`
  return `${column} is used in ${how}, which would show its value or let it be guessed`
}

const QUERIES = new Set(['SelectStmt', 'PrepareStmt', 'ExecuteStmt', 'DeclareCursorStmt', 'FetchStmt'])

/** Whether all that comes of it are rows, so that nothing is shown when these are masked. */
function onlyGives({ kind, lineage, effects }: Statement): boolean {
  return QUERIES.has(kind) && effects.settings.length === 0 && lineage.relations.every(({ use }) => use === 'read')
}

function relationHindrance(lineage: Lineage, columns: MaskedColumns): string | undefined {
  for (const { relation, use } of lineage.relations) {
    if (relation === undefined) continue
    if (use === 'define' && columns.covers(relation)) return `${label(relation)} holds masked columns; its definition cannot be changed under a mask`
    const problem = columns.problem(relation)
    if (problem !== undefined && (use === 'read' || use === 'write')) return problem
  }
  return undefined
}

/** Something the catalogue does not explain may be a view made a moment ago. */
function unknownName(lineage: Lineage, columns: MaskedColumns): string | undefined {
  const unknown = lineage.relations.find(({ relation, use }) => relation === undefined && use !== 'define')
  if (unknown !== undefined) return `${unknown.name} is not in the catalogue as it was last read`
  const column = lineage.unresolved.find(({ relations }) => relations.some((relation) => columns.covers(relation)))
  return column === undefined ? undefined : `${column.name} is not in the catalogue as it was last read, next to masked columns`
}

/**
 * Even a name that is surely absent is not waved through when it resembles something masked, is not plain ASCII
 * (the server folds such names by its own encoding and locale), is of a kind that the catalogue leaves out, or may be what the
 * server calls a column that nobody named.
 */
function oddName(lineage: Lineage, columns: MaskedColumns): string | undefined {
  for (const { relation, name, use } of lineage.relations) {
    if (relation !== undefined || use === 'define') continue
    if (!/^[\x20-\x7e]*$/.test(name) || /(^|\.)pg_toast/.test(name) || columns.mayName(name)) return `${name} is not in the catalogue`
  }
  const column = lineage.unresolved.find(({ name, computed }) => name.endsWith('*') || columns.mayName(name) || computed.some((source) => columns.isMasked(source)))
  return column === undefined ? undefined : `${column.name} cannot be told from a masked column`
}

/** DETAIL of a failed write shows the whole row, whatever view, partition or parent it went through; a trigger, or what a rule runs, may say anything. */
function exposure(lineage: Lineage, columns: MaskedColumns): ErrorExposure {
  let found: ErrorExposure = 'none'
  if (lineage.uses.some((use) => computes(use) && columns.isMasked(use.source))) return 'message'
  for (const { relation, use } of lineage.relations) {
    if (relation === undefined) continue
    for (const each of [relation, ...columns.catalogue.kin(relation)]) {
      if ((use !== 'read' && runsCode(each, columns)) || columns.mayFail(each, use !== 'read') || (use === 'maintain' && columns.problem(each) !== undefined)) return 'message'
      if (columns.covers(each)) found = 'detail'
    }
  }
  return found
}

/** Whether somebody's own code is given its rows when they change, and may say what is in them. */
function runsCode(relation: Relation, { catalogue }: MaskedColumns): boolean {
  return relation.hasTriggers || relation.hasRules || (catalogue.followers(relation)?.attached.length ?? 0) > 0
}

/** An error of what is computed may quote what it was computed from. */
function computes({ kind }: ColumnUse): boolean {
  return kind === 'risky-output' || kind === 'predicate'
}

export function worse(left: ErrorExposure, right: ErrorExposure): ErrorExposure {
  if (left === 'message' || right === 'message') return 'message'
  return left === 'detail' ? left : right
}

function blocked(reason: string): MaskPlan {
  return { kind: 'blocked', reason, errors: 'message' }
}
