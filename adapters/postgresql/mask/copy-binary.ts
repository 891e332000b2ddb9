/**
 * The binary format:
 *
 *     "PGCOPY\n" 0xff "\r\n" 0x00   Int32(flags)   Int32(bytes of the extension) Byte[n]
 *     { Int16(columns) { Int32(bytes of the value, -1 is NULL) Byte[n] }* }*   Int16(-1)
 */
import { int16At, int32At } from '../../shared/bytes.ts'
import { CopyRows, copyViolation } from './copy-rows.ts'
import type { MessageRewriter } from './message-rewriter.ts'
import { maskTuple } from './tuple-mask.ts'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
const MAX_EXTENSION_BYTES = 64 * 1024
const TRAILER = -1

export class BinaryCopy extends CopyRows {
  #state: 'header' | 'rows' | 'over' = 'header'

  /** The header and the trailer are rows of their own. */
  protected row(bytes: Buffer, from: number, to: number, rewriter: MessageRewriter): number {
    if (this.#state === 'header') return this.#header(bytes, from, to)
    if (this.#state === 'over') throw copyViolation('bytes follow the end of the rows')
    if (to - from < 2) return -1
    const count = int16At(bytes, from)
    if (count === TRAILER) {
      this.#state = 'over'
      return from + 2
    }
    const columns = this.columns.masks.length
    if (count !== columns) throw copyViolation(`one has ${count} columns, and ${columns} were announced`)
    return isWhole(bytes, from, to, count) ? maskTuple(this.columns, bytes, from, to, rewriter) : -1
  }

  /** Flags in its upper half are about the layout of what follows: none that servers of today set. */
  #header(bytes: Buffer, at: number, to: number): number {
    if (to - at < HEADER_BYTES) return -1
    if (!bytes.subarray(at, at + SIGNATURE.length).equals(SIGNATURE)) throw copyViolation('they do not begin as binary rows do')
    if (int32At(bytes, at + SIGNATURE.length) !== 0) throw copyViolation('their layout is not known')
    const extension = int32At(bytes, at + SIGNATURE.length + 4)
    if (extension < 0 || extension > MAX_EXTENSION_BYTES) throw copyViolation('their header is too long')
    const end = at + HEADER_BYTES + extension
    if (to < end) return -1
    this.#state = 'rows'
    return end
  }
}

function isWhole(bytes: Buffer, start: number, to: number, columns: number): boolean {
  let at = start + 2
  for (let column = 0; column < columns; column++) {
    if (to - at < 4) return false
    const length = int32At(bytes, at)
    if (length < -1) throw copyViolation('a value has no length')
    at += 4 + Math.max(0, length)
    if (at > to) return false
  }
  return true
}
