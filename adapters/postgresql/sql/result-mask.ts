import type { CopyFormat } from '../mask/copy-format.ts'
import type { Lineage, Source, Statement } from './analysis.ts'
import { strictest, WHOLE, type ColumnMask, type MaskTerms } from './column-mask.ts'
import type { MaskedColumns } from './masked-columns.ts'

/**
 * What becomes of the columns of one statement's rows. Where RowDescription names the origin of a column, its mask is
 * known by that; what was computed has no origin, and is masked whole by its place.
 */
export type ResultMask =
  /** Nothing was computed from a masked column: origins say all there is to say. */
  | { readonly kind: 'origins' }
  | {
    readonly kind: 'places'
    /** How many columns there must be. */
    readonly columns: number
    /** Places, from 0, of what was computed from masked columns. */
    readonly whole: ReadonlySet<number>
    /** Places of what is a masked column itself, and so must have an origin. */
    readonly plain: ReadonlySet<number>
    /** By place: how to mask what comes from a table that no catalogue shows, where it is known what that was made of. */
    readonly made?: readonly (MaskTerms | undefined)[]
  }
  /** Something was, and its place cannot be told: every column without an origin is masked whole. */
  | { readonly kind: 'computed' }
  | { readonly kind: 'everything' }
  | { readonly kind: 'copy'; readonly format: CopyFormat; readonly columns: readonly (CopyColumnMask | undefined)[] }

/** COPY describes no columns: what they are is known from the catalogue. */
export interface CopyColumnMask extends MaskTerms {
  /** OID and modifier of the type; 0 when it is not known. */
  readonly type: number
  readonly typmod: number
}

export const ORIGINS: ResultMask = Object.freeze({ kind: 'origins' })
export const COMPUTED: ResultMask = Object.freeze({ kind: 'computed' })
export const EVERYTHING: ResultMask = Object.freeze({ kind: 'everything' })

/** How a statement's rows are masked, or why they cannot be. */
export function resultMask({ lineage, copies }: Statement, columns: MaskedColumns): ResultMask | string {
  const { outputs, placed } = lineage
  const masked = (sources: readonly Source[]): boolean => sources.some((source) => columns.isMasked(source))
  const places = (which: 'sources' | 'derived'): Set<number> => new Set(outputs.flatMap((output, index) => (masked(output[which]) ? [index] : [])))
  const [plain, whole] = [places('sources'), places('derived')]
  const made = copies === undefined && placed ? madeMasks(lineage, columns) : undefined
  if (made !== undefined) return { kind: 'places', columns: outputs.length, whole, plain, made }
  if (plain.size + whole.size === 0) return ORIGINS
  if (copies === undefined) return placed ? { kind: 'places', columns: outputs.length, whole, plain } : whole.size === 0 ? ORIGINS : COMPUTED
  if (copies.problem !== '') return `COPY cannot be masked: ${copies.problem}`
  if (!placed) return 'COPY cannot be masked: the places of its columns cannot be told'
  return { kind: 'copy', format: copies, columns: outputs.map(({ sources }, index) => (whole.has(index) ? HIDDEN : plain.has(index) ? copied(sources, columns) : undefined)) }
}

/** Nothing is said where another table may be meant that no catalogue shows. */
function madeMasks({ relations, outputs, unresolved }: Lineage, columns: MaskedColumns): (MaskTerms | undefined)[] | undefined {
  if (unresolved.length > 0 || relations.some(({ relation }) => relation === undefined) || relations.every(({ relation }) => relation?.made === undefined)) return undefined
  return outputs.map(({ sources, derived }) => {
    if (derived.some((source) => columns.isMasked(source))) return WHOLE
    return sources.reduce<ColumnMask | undefined>((mask, source) => {
      const own = columns.maskOf(source)
      return own === undefined ? mask : strictest(mask, own)
    }, undefined)
  })
}

const HIDDEN: CopyColumnMask = { method: 'null', whole: true, type: 0, typmod: -1 }

function copied(sources: readonly Source[], columns: MaskedColumns): CopyColumnMask {
  const [source, ...others] = sources
  const mask = source === undefined ? undefined : columns.maskOf(source)
  const column = source?.relation?.columns.find(({ attnum }) => attnum === source.attnum)
  if (mask === undefined || column === undefined || others.length > 0) return HIDDEN
  const { method, bucket, whole } = mask.whole === true ? { ...mask, ...WHOLE } : mask
  return { method, type: column.type, typmod: column.typmod, ...(bucket === undefined ? {} : { bucket }), ...(whole === true ? { whole } : {}) }
}
