import { analyse } from './analyse.ts'
import type { Lineage, Source } from './analysis.ts'
import type { Catalogue } from './catalogue.ts'
import type { Relation } from './resolver.ts'

export const UNKNOWN: Lineage = { outputs: [], placed: false, uses: [], relations: [], unresolved: [], untraced: 'its definition is not known' }
const lineages = new WeakMap<Catalogue, Map<number, Lineage>>()

/** What a view's own query does. The same for every mask, so it is kept with the catalogue. */
export function viewLineage(view: Relation, catalogue: Catalogue): Lineage {
  let known = lineages.get(catalogue)
  if (known === undefined) lineages.set(catalogue, (known = new Map()))
  let lineage = known.get(view.oid)
  if (lineage === undefined) known.set(view.oid, (lineage = followView(view, catalogue)))
  return lineage
}

function followView(view: Relation, catalogue: Catalogue): Lineage {
  const text = catalogue.definition(view.oid)
  if (text === undefined) return UNKNOWN
  const { statements } = analyse(text, { resolver: catalogue, searchPath: [] })
  const [only] = statements
  if (only === undefined || statements.length > 1) return UNKNOWN
  const fits = only.lineage.outputs.length === view.columns.length && only.lineage.placed
  return fits || only.lineage.untraced !== '' ? only.lineage : { ...only.lineage, untraced: 'its columns do not fit its definition' }
}

export interface ComputedFrom {
  readonly sources: readonly Source[]
  /** Those of which some values may make it fail. */
  readonly risky: readonly Source[]
  readonly untraced: string
}

/** What a generated column, a check or an index is computed from. */
export function generatedSources(relation: Relation, expression: string, catalogue: Catalogue): ComputedFrom {
  const { statements } = analyse(`SELECT ${expression} FROM ${quoted(relation)}`, { resolver: catalogue, searchPath: [] })
  const { uses, outputs, untraced } = statements[0]?.lineage ?? UNKNOWN
  const risky = uses.filter(({ kind }) => kind === 'risky-output').map(({ source }) => source)
  return { sources: [...uses.map(({ source }) => source), ...outputs.flatMap((output) => output.sources)], risky, untraced }
}

function quoted({ schema, name }: Relation): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}
