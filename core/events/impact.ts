import { Type, type Static } from 'typebox'

/** How well an amount is known. */
export const CertaintySchema = Type.Union([
  Type.Literal('exact'),
  Type.Literal('at-most'),
  Type.Literal('estimate'),
  Type.Literal('unknown'),
])
export type Certainty = Static<typeof CertaintySchema>

const Cell = Type.Union([Type.String(), Type.Null()])

/** One kind of change to one resource. */
export const ImpactEffectSchema = Type.Object({
  resource: Type.String(),
  /** `insert`, `update`, `delete`, … in the adapter's words. */
  change: Type.String(),
  /** Absent when `certainty` is `unknown`. */
  amount: Type.Optional(Type.Integer({ minimum: 0 })),
  certainty: CertaintySchema,
  /** What carries the change there; empty for what the command names itself. */
  through: Type.String(),
})
export type ImpactEffect = Static<typeof ImpactEffectSchema>

/** Some of what would change, masked as if for somebody who may see nothing. */
export const ImpactSampleSchema = Type.Object({
  resource: Type.String(),
  columns: Type.Array(Type.String()),
  rows: Type.Array(Type.Array(Cell)),
  /** Of `columns`: those whose values are not the real ones. */
  masked: Type.Array(Type.String()),
})
export type ImpactSample = Static<typeof ImpactSampleSchema>

/** What a trial run that was undone has changed, masked like a sample. `before` is null for what is new, `after` for what goes. */
export const ImpactDiffSchema = Type.Object({
  resource: Type.String(),
  columns: Type.Array(Type.String()),
  rows: Type.Array(Type.Object({
    before: Type.Union([Type.Array(Cell), Type.Null()]),
    after: Type.Union([Type.Array(Cell), Type.Null()]),
  })),
  masked: Type.Array(Type.String()),
})
export type ImpactDiff = Static<typeof ImpactDiffSchema>

/** What a command would change, as far as it could be told before it ran. A reviewer's aid: nothing is decided on it. */
export const ImpactSchema = Type.Object({
  /** In one line, the amount and the resources first. */
  summary: Type.String(),
  effects: Type.Array(ImpactEffectSchema),
  /** What else is worth a line each. */
  notes: Type.Array(Type.String()),
  /** What could not be known, and why; a sentence each. */
  unknown: Type.Array(Type.String()),
  /** How the target would find what is to change, as text. */
  plan: Type.Optional(Type.String()),
  sample: Type.Optional(ImpactSampleSchema),
  diff: Type.Optional(ImpactDiffSchema),
})
export type Impact = Static<typeof ImpactSchema>

export const MAX_IMPACT_LINES = 50
export const MAX_IMPACT_ROWS = 20
export const MAX_IMPACT_COLUMNS = 50
export const MAX_IMPACT_LINE_CHARS = 500
export const MAX_IMPACT_CELL_CHARS = 200
export const MAX_IMPACT_PLAN_CHARS = 8_000

/** An impact of bounded size, whatever an adapter made of it. What was left out is said. */
export function boundedImpact(impact: Impact): Impact {
  const { summary, effects, notes, unknown, plan, sample, diff } = impact
  const left = effects.length - MAX_IMPACT_LINES
  return {
    summary: line(summary),
    effects: effects.slice(0, MAX_IMPACT_LINES).map((each) => ({ ...each, resource: line(each.resource), change: line(each.change), through: line(each.through) })),
    notes: notes.slice(0, MAX_IMPACT_LINES).map(line),
    unknown: [...left > 0 ? [`${left} more effects are not listed`] : [], ...unknown].slice(0, MAX_IMPACT_LINES).map(line),
    ...plan === undefined ? {} : { plan: cut(plan, MAX_IMPACT_PLAN_CHARS) },
    ...sample === undefined ? {} : { sample: { ...named(sample), rows: sample.rows.slice(0, MAX_IMPACT_ROWS).map(cells) } },
    ...diff === undefined ? {} : { diff: { ...named(diff), rows: diff.rows.slice(0, MAX_IMPACT_ROWS).map(({ before, after }) => ({ before: before && cells(before), after: after && cells(after) })) } },
  }
}

function named<T extends Pick<ImpactSample, 'resource' | 'columns' | 'masked'>>(table: T): T {
  const { resource, columns, masked } = table
  return { ...table, resource: line(resource), columns: columns.slice(0, MAX_IMPACT_COLUMNS).map(line), masked: masked.slice(0, MAX_IMPACT_COLUMNS).map(line) }
}

function cells(row: readonly (string | null)[]): (string | null)[] {
  return row.slice(0, MAX_IMPACT_COLUMNS).map((cell) => (cell === null ? null : cut(cell, MAX_IMPACT_CELL_CHARS)))
}

function line(text: string): string {
  return cut(text, MAX_IMPACT_LINE_CHARS)
}

/** The cut may go through a surrogate pair: an event holds well-formed text only. */
function cut(text: string, characters: number): string {
  return (text.length <= characters ? text : `${text.slice(0, characters - 1)}…`).toWellFormed()
}
