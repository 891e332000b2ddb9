/**
 * Masks DataRow messages.
 *
 *     Byte1('D') Int32(length, itself included) Int16(columns) { Int32(bytes of the value, -1 is NULL) Byte[n] }*
 *
 * Source: PostgreSQL, "Message Formats", DataRow.
 */
import { int32At } from '../../shared/bytes.ts'
import { ColumnMasks, type ColumnMasksOptions, type MaskedColumn } from './column-masks.ts'
import type { MessageMask } from './message-mask.ts'
import { MessageRewriter } from './message-rewriter.ts'
import { maskTuple, tupleViolation } from './tuple-mask.ts'

export type { MaskedColumn } from './column-masks.ts'
export type RowMaskOptions = ColumnMasksOptions
export type RowMask = MessageMask

const DATA_ROW = 0x44
const HEADER_BYTES = 5

/** @throws RangeError when a column is named twice or is not in the row: a mask that would silently not apply. */
export function createRowMask(columns: readonly MaskedColumn[], options: RowMaskOptions): RowMask {
  return new DataRowMask(new ColumnMasks(columns, options))
}

class DataRowMask implements MessageMask {
  readonly #columns: ColumnMasks
  readonly #rewriter = new MessageRewriter()

  constructor(columns: ColumnMasks) {
    this.#columns = columns
  }

  get values(): number {
    return this.#columns.values
  }

  get detected(): ReadonlySet<number> {
    return this.#columns.detected
  }

  apply(buffer: Buffer, start: number, end: number, reusable = false): Buffer | undefined {
    const rewriter = this.#rewriter
    rewriter.begin(buffer, start, reusable)
    let at = start
    do {
      const next = endOfRow(buffer, at, end)
      rewriter.message(at)
      if (maskTuple(this.#columns, buffer, at + HEADER_BYTES, next, rewriter) !== next) throw tupleViolation('bytes follow its last column')
      rewriter.messageEnds(next)
      at = next
    } while (at < end)
    return rewriter.finish(end)
  }
}

function endOfRow(buffer: Buffer, at: number, end: number): number {
  if (end > buffer.length || end - at < HEADER_BYTES || buffer[at] !== DATA_ROW) throw tupleViolation('it is not a complete DataRow')
  const next = at + 1 + int32At(buffer, at + 1)
  if (next > end || next < at + HEADER_BYTES) throw tupleViolation('its length is wrong')
  return next
}
