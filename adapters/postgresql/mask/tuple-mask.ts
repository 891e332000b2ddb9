/**
 * Masks the values of a row as DataRow and binary COPY have them.
 *
 *     Int16(columns) { Int32(bytes of the value, -1 is NULL) Byte[n] }*
 */
import { SallyportError } from '../../../core/index.ts'
import { copyBytes, int16At, int32At } from '../../shared/bytes.ts'
import type { ColumnMasks } from './column-masks.ts'
import type { MessageRewriter } from './message-rewriter.ts'

const NULL_LENGTH = -1

/**
 * Masks the row at `start`; returns its end, which is not behind `limit`.
 * @throws SallyportError PROTOCOL_VIOLATION when it is malformed or has another number of columns: nothing of it may be shown.
 */
export function maskTuple(columns: ColumnMasks, buffer: Buffer, start: number, limit: number, rewriter: MessageRewriter): number {
  const { masks, nulls } = columns
  if (limit - start < 2) throw tupleViolation('it ends before its columns')
  const count = int16At(buffer, start)
  if (count !== masks.length) throw tupleViolation(`it has ${count} columns, but ${masks.length} were announced`)
  let at = start + 2
  for (let column = 0; column < count; column++) {
    const length = valueLength(buffer, at, limit)
    at += 4
    if (length === NULL_LENGTH) {
      const constant = nulls[column]
      if (constant !== undefined) rewriter.replaceValue(at, 0, constant)
      continue
    }
    const mask = masks[column]
    if (mask !== undefined) {
      const replacement = columns.apply(column, mask, buffer, at, at + length)
      if (replacement === null || (replacement !== undefined && replacement.length !== length)) rewriter.replaceValue(at, length, replacement)
      else if (replacement !== undefined) copyBytes(replacement, 0, length, buffer, at)
    }
    at += length
  }
  return at
}

/** Bytes of the value whose length field is at `at`, or -1 for NULL; they all lie before `limit`. */
function valueLength(buffer: Buffer, at: number, limit: number): number {
  if (limit - at < 4) throw tupleViolation('it ends within a column')
  const length = int32At(buffer, at)
  if (length < NULL_LENGTH || length > limit - at - 4) throw tupleViolation('a value is longer than the row')
  return length
}

export function tupleViolation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `a row from the target cannot be masked: ${what}`)
}
