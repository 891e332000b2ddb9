/**
 * Masks DataRow messages.
 *
 *     Byte1('D') Int32(length, itself included) Int16(columns) { Int32(bytes of the value, -1 is NULL) Byte[n] }*
 *
 * Source: PostgreSQL, "Message Formats", DataRow.
 */
import { SallyportError } from '../../../core/index.ts'
import { copyBytes, int16At, int32At, putInt32 } from '../../shared/bytes.ts'
import { createValueMask, type Replacement, type ValueDescription, type ValueMask, type ValueMaskOptions } from './value-mask.ts'

export interface MaskedColumn extends ValueDescription {
  /** Place in the row, from 0. */
  readonly index: number
  /** It was computed from a masked value: every value becomes the same, NULL as well. Its method is `fixed` or `null`. */
  readonly whole?: boolean
}

export interface RowMaskOptions extends ValueMaskOptions {
  /** Columns that a row has, masked or not. */
  readonly columnCount: number
  /** Masks for columns that have none otherwise, by their place. */
  readonly detecting?: ReadonlyMap<number, ValueMask>
}

/** Masks the rows of one result. Not to be shared between results of different shape. */
export interface RowMask {
  /**
   * Masks one complete DataRow, `[start, end)`, header included.
   *
   * Always changes `buffer`; what stands there afterwards is either the masked message (`undefined` is returned) or
   * to be thrown away (a new message is returned, of another length).
   * @throws SallyportError PROTOCOL_VIOLATION when the row is malformed or has another number of columns: nothing of
   *   it may be shown.
   */
  apply(buffer: Buffer, start: number, end: number): Buffer | undefined
  /** Values masked so far; those that were NULL do not count. */
  readonly values: number
  /** Places of columns in which a detecting mask has found something so far. */
  readonly detected: ReadonlySet<number>
}

const DATA_ROW = 0x44
const HEADER_BYTES = 7
const NULL_LENGTH = -1
/** Rows that change their length are written one after the other into slabs that double up to this size. */
const MAX_SLAB_BYTES = 65_536
const MIN_SLAB_BYTES = 2048

/**
 * @throws RangeError when a column is named twice or is not in the row: a mask that would silently not apply.
 */
export function createRowMask(columns: readonly MaskedColumn[], options: RowMaskOptions): RowMask {
  const masks = Array.from<ValueMask | undefined>({ length: options.columnCount })
  for (const column of columns) {
    if (!Number.isInteger(column.index) || column.index < 0 || column.index >= options.columnCount) {
      throw new RangeError(`column ${column.index} is not one of the row's ${options.columnCount}`)
    }
    if (masks[column.index] !== undefined) throw new RangeError(`column ${column.index} has two masks`)
    masks[column.index] = createValueMask(column, options)
  }
  for (const [index, mask] of options.detecting ?? []) if (index < masks.length) masks[index] ??= mask
  const nulls = masks.map((mask, index) => (columns.some((column) => column.index === index && column.whole === true) ? constantOf(mask) : undefined))
  return new ColumnwiseRowMask(masks, nulls)
}

/** What `fixed` puts in the place of any value. */
function constantOf(mask: ValueMask | undefined): Buffer | undefined {
  return mask?.mask(Buffer.alloc(0), 0, 0) ?? undefined
}

class ColumnwiseRowMask implements RowMask {
  values = 0
  readonly detected = new Set<number>()
  readonly #masks: readonly (ValueMask | undefined)[]
  /** What becomes of NULL, where it does not stay NULL. */
  readonly #nulls: readonly (Buffer | undefined)[]
  readonly #growth: number
  #slab = Buffer.alloc(0)
  #slabUsed = 0

  constructor(masks: readonly (ValueMask | undefined)[], nulls: readonly (Buffer | undefined)[]) {
    this.#masks = masks
    this.#nulls = nulls
    this.#growth = masks.reduce((sum, mask) => sum + (mask?.growth ?? 0), 0)
  }

  apply(buffer: Buffer, start: number, end: number): Buffer | undefined {
    const masks = this.#masks
    checkHeader(buffer, start, end, masks.length)
    let at = start + HEADER_BYTES
    for (let column = 0; column < masks.length; column++) {
      const length = valueLength(buffer, at, end)
      at += 4
      if (length === NULL_LENGTH) {
        const constant = this.#nulls[column]
        if (constant !== undefined) return this.#rewrite(buffer, start, end, column, at, constant)
        continue
      }
      const mask = masks[column]
      if (mask !== undefined) {
        const replacement = mask.mask(buffer, at, at + length)
        if (mask.detects !== true) this.values++
        else if (replacement !== undefined) this.#count(column)
        if (changesLength(buffer, at, length, replacement)) return this.#rewrite(buffer, start, end, column, at, replacement)
      }
      at += length
    }
    checkEnd(at, end)
    return undefined
  }

  /** Goes on from the value at `at`, whose replacement has another length, in a new message. */
  #rewrite(buffer: Buffer, start: number, end: number, from: number, valueAt: number, first: Buffer | null): Buffer {
    const masks = this.#masks
    const target = this.#reserve(end - start + this.#growth)
    const begin = this.#slabUsed
    copyBytes(buffer, start, valueAt - 4, target, begin)
    let out = writeValue(target, begin + valueAt - 4 - start, first)
    let at = valueAt + Math.max(0, int32At(buffer, valueAt - 4))
    let copied = at
    for (let column = from + 1; column < masks.length; column++) {
      const length = valueLength(buffer, at, end)
      at += 4
      if (length === NULL_LENGTH) {
        const constant = this.#nulls[column]
        if (constant === undefined) continue
        copyBytes(buffer, copied, at - 4, target, out)
        out = writeValue(target, out + at - 4 - copied, constant)
        copied = at
        continue
      }
      const mask = masks[column]
      if (mask !== undefined) {
        const replacement = mask.mask(buffer, at, at + length)
        if (mask.detects !== true) this.values++
        else if (replacement !== undefined) this.#count(column)
        if (changesLength(buffer, at, length, replacement)) {
          copyBytes(buffer, copied, at - 4, target, out)
          out = writeValue(target, out + at - 4 - copied, replacement)
          copied = at + length
        }
      }
      at += length
    }
    checkEnd(at, end)
    copyBytes(buffer, copied, end, target, out)
    return this.#take(target, begin, out + end - copied)
  }

  #count(column: number): void {
    this.values++
    this.detected.add(column)
  }

  #reserve(bytes: number): Buffer {
    if (this.#slab.length - this.#slabUsed >= bytes) return this.#slab
    const size = Math.min(MAX_SLAB_BYTES, Math.max(MIN_SLAB_BYTES, this.#slab.length * 2))
    this.#slab = Buffer.allocUnsafeSlow(Math.max(size, bytes))
    this.#slabUsed = 0
    return this.#slab
  }

  #take(slab: Buffer, begin: number, end: number): Buffer {
    putInt32(slab, begin + 1, end - begin - 1)
    this.#slabUsed = end
    return slab.subarray(begin, end)
  }
}

/** Whether the message must be written anew; a replacement of the same length is written over the value instead. */
function changesLength(buffer: Buffer, at: number, length: number, replacement: Replacement): replacement is Buffer | null {
  if (replacement === undefined) return false
  if (replacement === null || replacement.length !== length) return true
  copyBytes(replacement, 0, length, buffer, at)
  return false
}

function writeValue(target: Buffer, at: number, value: Buffer | null): number {
  putInt32(target, at, value === null ? NULL_LENGTH : value.length)
  if (value === null) return at + 4
  copyBytes(value, 0, value.length, target, at + 4)
  return at + 4 + value.length
}

function checkHeader(buffer: Buffer, start: number, end: number, columns: number): void {
  if (end > buffer.length || end - start < HEADER_BYTES || buffer[start] !== DATA_ROW) throw violation('it is not a complete DataRow')
  if (int32At(buffer, start + 1) !== end - start - 1) throw violation('its length is wrong')
  const count = int16At(buffer, start + 5)
  if (count !== columns) throw violation(`it has ${count} columns, but ${columns} were announced`)
}

/** Bytes of the value whose length field is at `at`, or -1 for NULL; they all lie before `end`. */
function valueLength(buffer: Buffer, at: number, end: number): number {
  if (end - at < 4) throw violation('it ends within a column')
  const length = int32At(buffer, at)
  if (length < NULL_LENGTH || length > end - at - 4) throw violation('a value is longer than the row')
  return length
}

function checkEnd(at: number, end: number): void {
  if (at !== end) throw violation('bytes follow its last column')
}

function violation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `a row from the target cannot be masked: ${what}`)
}
