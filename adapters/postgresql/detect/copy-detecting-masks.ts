import type { CopyShape, CopyShapeColumn } from '../sql/copy-shape.ts'
import type { ValueMask, ValueMaskOptions } from '../mask/value-mask.ts'
import type { ContentDetection } from './content-detection.ts'
import { createDetectingMask } from './detecting-mask.ts'
import { createUntypedMask } from './untyped-mask.ts'

/** OIDs below are of built-in types, the same in every server. */
const FIRST_USER_OID = 16_384
const UNKNOWN: CopyShapeColumn = Object.freeze({ name: '', type: undefined })

/** What is known of the columns of a COPY that has `count`: of none, when it was thought to have another number. */
export function copyColumns(shape: CopyShape | undefined, count: number): readonly CopyShapeColumn[] {
  return shape?.columns.length === count ? shape.columns : Array.from({ length: count }, () => UNKNOWN)
}

/** By place, for those that are looked at. */
export function copyDetectingMasks(columns: readonly CopyShapeColumn[], format: 0 | 1, detection: ContentDetection, options: ValueMaskOptions): ReadonlyMap<number, ValueMask> {
  return new Map(columns.flatMap((column, index) => {
    const mask = maskOf(column, format, detection, options)
    return mask === undefined ? [] : [[index, mask] as const]
  }))
}

/** RowDescription would give a domain's base type; the catalogue does not, so it may be anything. */
function maskOf({ name, type }: CopyShapeColumn, format: 0 | 1, detection: ContentDetection, options: ValueMaskOptions): ValueMask | undefined {
  if (type === undefined || type.type >= FIRST_USER_OID) return createUntypedMask({ name, sameLength: type !== undefined, format }, detection, options)
  return createDetectingMask({ name, ...type, format }, detection, options)
}
