import type { ImpactDiff } from '../../../core/index.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import type { Curtain } from './curtain.ts'
import { setAmount, type Draft, type DraftEffect } from './draft.ts'
import type { FollowedChange } from './followed-change.ts'
import { PreviewConnection, type PreviewConnectionOptions, Refusal } from './preview-connection.ts'
import type { Answer, Bound } from './question-connection.ts'
import { label } from './reach.ts'
import { rowValues } from './row-values.ts'
import type { Trial } from './trial.ts'

/** A trial locks the rows it changes: more than these are not locked for a look. */
const MAX_TRIAL_ROWS = 1000
const MAX_SHOWN_ROWS = 20

export interface DryRunOptions {
  readonly draft: Draft
  readonly curtain: Curtain
  readonly bound: Bound
  readonly catalogue: Catalogue
  readonly connection: PreviewConnectionOptions
}

/**
 * Runs the statement in a transaction of its own and undoes it. There is no COMMIT on this way: the connection is closed after
 * ROLLBACK and on any doubt, and the target undoes what a lost connection leaves.
 */
export async function dryRun(trial: Trial, options: DryRunOptions): Promise<void> {
  const { draft } = options
  const dear = tooMany(trial.followed)
  if (dear !== undefined) return draft.unknown(`no trial run: ${dear}`)
  const connection = await PreviewConnection.open(options.connection, 'write')
  try {
    await connection.becomeSession()
    const found = await connection.attempt(() => run(trial, options, connection))
    if (found instanceof Refusal) return draft.unknown(`no trial run: ${found.words}`)
    draft.diff = diffOf(trial, options.curtain, found)
    tally(trial.followed, found.changed, options.catalogue)
    const [only, ...others] = trial.followed
    if (only !== undefined && others.length === 0) setAmount(only.effect, found.after.rows.length, 'exact')
    draft.note('the amounts and the changes shown are from a trial run that was undone')
  } finally {
    connection.close()
  }
}

function tooMany(followed: readonly FollowedChange[]): string | undefined {
  const effects = followed.flatMap(({ effect, carried }) => [effect, ...carried.filter(({ to }) => to.depth === 1).map((each) => each.effect)])
  const uncounted = effects.find(({ certainty }) => certainty === 'unknown' || certainty === 'estimate')
  if (uncounted !== undefined) return `how many rows of ${uncounted.resource} it would lock is not known`
  const large = effects.find(({ amount = 0 }) => amount > MAX_TRIAL_ROWS)
  return large === undefined ? undefined : `it would lock ${large.amount ?? 0} rows of ${large.resource}, and at most ${MAX_TRIAL_ROWS} are`
}

interface Found {
  readonly before: Answer | undefined
  readonly after: Answer
  /** Relation OID, rows inserted, updated, deleted: as the target counted them in this transaction. */
  readonly changed: readonly (readonly (string | null)[])[]
}

async function run(trial: Trial, { bound }: DryRunOptions, connection: PreviewConnection): Promise<Found> {
  await connection.ask('SET CONSTRAINTS ALL IMMEDIATE')
  const before = trial.before === undefined ? undefined : await connection.ask(trial.before, bound)
  const after = await connection.ask(trial.text, bound)
  const changed = await connection.catalogue(CHANGED, JSON.stringify(trial.oids))
  await connection.ask('ROLLBACK')
  return { before, after, changed }
}

/** Of relations given as JSON. */
const CHANGED = `
SELECT s.relid::pg_catalog.text, s.n_tup_ins::pg_catalog.text, s.n_tup_upd::pg_catalog.text, s.n_tup_del::pg_catalog.text
FROM pg_catalog.pg_stat_xact_user_tables s
WHERE s.relid IN (SELECT o::pg_catalog.oid FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) o)`

function diffOf({ relation, kind, form, key }: Trial, curtain: Curtain, { before, after }: Found): ImpactDiff {
  const shown = { ...after, rows: after.rows.slice(0, MAX_SHOWN_ROWS) }
  const { columns, rows, masked } = curtain.table(label(relation), shown)
  const about = { resource: label(relation), masked }
  if (form === 'old-and-new') {
    const half = columns.length / 2
    return { ...about, columns: columns.slice(0, half), rows: rows.map((row) => ({ before: unlessAbsent(row.slice(0, half)), after: unlessAbsent(row.slice(half)) })) }
  }
  if (kind === 'delete') return { ...about, columns, rows: rows.map((row) => ({ before: row, after: null })) }
  if (kind === 'insert' || before === undefined) return { ...about, columns, rows: rows.map((row) => ({ before: null, after: row })) }
  const places = key.map((column) => columns.indexOf(column))
  const old = new Map<string, (string | null)[]>()
  const earlier = curtain.table(label(relation), before)
  for (const [index, row] of before.rows.entries()) old.set(keyOf(row, places), earlier.rows[index] ?? [])
  return { ...about, columns, rows: rows.map((row, index) => ({ before: old.get(keyOf(shown.rows[index], places)) ?? null, after: row })) }
}

/** A row of which nothing is there is not there: OLD of an INSERT, NEW of a DELETE. */
function unlessAbsent(row: (string | null)[]): (string | null)[] | null {
  return row.every((value) => value === null) ? null : row
}

function keyOf(row: Buffer | undefined, places: readonly number[]): string {
  const values = row === undefined ? [] : rowValues(row)
  return JSON.stringify(places.map((place) => values[place] ?? null))
}

const PLACES: Readonly<Record<string, number>> = { insert: 1, update: 2, delete: 3 }

/** What the target counted takes the place of what was guessed, where it is clear which is which. */
function tally(followed: readonly FollowedChange[], changed: Found['changed'], catalogue: Catalogue): void {
  const effects: [number, DraftEffect][] = followed.flatMap(({ relation, effect, carried }) => [[relation.oid, effect], ...carried.map(({ to, effect: each }) => [to.relation.oid, each])] as [number, DraftEffect][])
  for (const [oid, effect] of effects) {
    const place = PLACES[effect.change]
    if (place === undefined || effects.some(([other, each]) => each !== effect && other === oid && each.change === effect.change)) continue
    const oids = new Set([oid, ...catalogue.descendants(oid)])
    setAmount(effect, changed.reduce((sum, row) => (oids.has(Number(row[0])) ? sum + Number(row[place]) : sum), 0), 'exact')
  }
}

