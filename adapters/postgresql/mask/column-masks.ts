import { createValueMask, type Replacement, type ValueDescription, type ValueMask, type ValueMaskOptions } from './value-mask.ts'

export interface MaskedColumn extends ValueDescription {
  /** Place in the row, from 0. */
  readonly index: number
  /** It was computed from a masked value: every value becomes the same, NULL as well. Its method is `fixed` or `null`. */
  readonly whole?: boolean
}

export interface ColumnMasksOptions extends ValueMaskOptions {
  /** Columns that a row has, masked or not. */
  readonly columnCount: number
  /** Masks for columns that have none otherwise, by their place. */
  readonly detecting?: ReadonlyMap<number, ValueMask>
}

/** What becomes of each column of the rows of one result, and what it came to. */
export class ColumnMasks {
  /** One for each column. */
  readonly masks: readonly (ValueMask | undefined)[]
  /** What becomes of NULL, where it does not stay NULL. */
  readonly nulls: readonly (Buffer | undefined)[]
  /** Places of columns whose values or NULLs may change. */
  readonly places: readonly number[]
  /** Values masked so far; those that were NULL do not count. */
  values = 0
  /** Places of columns in which a detecting mask has found something so far. */
  readonly detected = new Set<number>()

  /** @throws RangeError when a column is named twice or is not in the row: a mask that would silently not apply. */
  constructor(columns: readonly MaskedColumn[], options: ColumnMasksOptions) {
    const masks = Array.from<ValueMask | undefined>({ length: options.columnCount })
    for (const column of columns) {
      if (!Number.isInteger(column.index) || column.index < 0 || column.index >= options.columnCount) {
        throw new RangeError(`column ${column.index} is not one of the row's ${options.columnCount}`)
      }
      if (masks[column.index] !== undefined) throw new RangeError(`column ${column.index} has two masks`)
      masks[column.index] = createValueMask(column, options)
    }
    for (const [index, mask] of options.detecting ?? []) if (index < masks.length) masks[index] ??= mask
    this.masks = masks
    this.nulls = masks.map((mask, index) => (columns.some((column) => column.index === index && column.whole === true) ? constantOf(mask) : undefined))
    this.places = masks.flatMap((mask, index) => (mask === undefined ? [] : [index]))
  }

  /**
   * Masks a value that is not NULL where it stands, `[start, end)`. What is returned takes its place, null as NULL. `undefined`: what
   * stands there now is what is to be shown; for a detecting mask, it is what stood there before.
   */
  apply(column: number, mask: ValueMask, bytes: Buffer, start: number, end: number): Replacement {
    const replacement = mask.mask(bytes, start, end)
    if (mask.detects !== true) this.values++
    else if (replacement !== undefined) {
      this.values++
      this.detected.add(column)
    }
    return replacement
  }
}

/** What `fixed` puts in the place of any value. */
function constantOf(mask: ValueMask | undefined): Buffer | undefined {
  return mask?.mask(Buffer.alloc(0), 0, 0) ?? undefined
}
