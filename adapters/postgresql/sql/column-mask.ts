import { MASK_METHODS, PREDICATE_USES, type Mask, type PredicateUse } from '../../../core/index.ts'

/** How values of a masked column are replaced. */
export interface MaskTerms extends Pick<Mask, 'method' | 'bucket'> {
  /** It was computed from a masked column: every value becomes the same, NULL as well. */
  readonly whole?: boolean
}

/** One column under all masks that cover it. */
export interface ColumnMask extends MaskTerms {
  readonly predicates: PredicateUse
}

export const WHOLE: MaskTerms = Object.freeze({ method: 'fixed', whole: true })
/** Of what comes from a table that the catalogue does not show. */
export const UNKNOWN_TABLE: MaskTerms = Object.freeze({ ...WHOLE })

export function maskOf({ method, bucket, predicates = 'block' }: Mask): ColumnMask {
  return { method, predicates, ...(bucket === undefined ? {} : { bucket }) }
}

/** When several masks cover a column: the strictest method with its own terms, and the strictest of what each permits. */
export function strictest(left: ColumnMask | undefined, right: ColumnMask): ColumnMask {
  if (left === undefined) return right
  const terms = isStricter(left, right) ? left : right
  const predicates = PREDICATE_USES.indexOf(left.predicates) > PREDICATE_USES.indexOf(right.predicates) ? left.predicates : right.predicates
  return { ...terms, predicates, ...(left.whole === true || right.whole === true ? { whole: true } : {}) }
}

function isStricter(left: MaskTerms, right: MaskTerms): boolean {
  if (left.method !== right.method) return MASK_METHODS.indexOf(left.method) > MASK_METHODS.indexOf(right.method)
  return (left.bucket ?? 0) > (right.bucket ?? 0)
}
