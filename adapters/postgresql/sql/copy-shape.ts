import type { CopyFormat } from '../mask/copy-format.ts'
import type { Analysis, OutputColumn, Statement } from './analysis.ts'

/** What is known of the rows of a COPY to the client, which describes none of it. */
export interface CopyShape {
  readonly format: CopyFormat
  /** One for each column; empty where their places cannot be told. */
  readonly columns: readonly CopyShapeColumn[]
}

export interface CopyShapeColumn {
  /** Of the column of a table that it is; empty for one that is computed. */
  readonly name: string
  /** OID and modifier; absent where it is not sure. */
  readonly type: { readonly type: number; readonly typmod: number } | undefined
}

/** By statement; `undefined` for those that are no COPY to the client. `sure`: the catalogue is the one that the text will find. */
export function copyShapes({ statements }: Analysis, sure: boolean): readonly (CopyShape | undefined)[] {
  return statements.map(({ copies, lineage }) => copies && { format: copies, columns: sure && lineage.placed ? lineage.outputs.map(shapeOf) : [] })
}

/** What it is, where all that it may stand for agree. */
function shapeOf({ sources, derived }: OutputColumn): CopyShapeColumn {
  const columns = sources.map(({ relation, attnum }) => relation?.columns.find((column) => column.attnum === attnum))
  const [first, ...others] = columns
  if (first === undefined || derived.length > 0 || !others.every((other) => other?.type === first.type && other.typmod === first.typmod)) return { name: '', type: undefined }
  return { name: first.name, type: { type: first.type, typmod: first.typmod } }
}

/** Why the rows of a text's COPYs cannot be looked at; empty when they can. */
export function copyProblem({ statements }: Analysis): string {
  if (!statements.some(copiesOut)) return ''
  const elsewhere = statements.find((statement) => copiesOut(statement) && statement.copies === undefined)
  if (elsewhere !== undefined) return 'what a COPY writes on the server cannot be looked at'
  if (statements.some(changesEncoding)) return 'COPY cannot be looked at in a text that may change the encoding'
  const problem = statements.find(({ copies }) => copies !== undefined && copies.problem !== '')?.copies?.problem
  return problem === undefined ? '' : `COPY cannot be looked at: ${problem}`
}

function copiesOut({ actions }: Statement): boolean {
  return actions.includes('copy-out')
}

/** What comes before the rows in one text decides how their bytes are read. */
export function changesEncoding({ effects: { settings } }: Statement): boolean {
  return settings.some(({ name }) => /^(\*|client_encoding|names)$/.test(name))
}
