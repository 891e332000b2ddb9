import { copyBytes, putInt32 } from '../../shared/bytes.ts'

const EMPTY = Buffer.alloc(0)
/** Memory for what is written doubles up to this, or to what one call needs. */
const MAX_ALLOCATED_BYTES = 128 * 1024
const MIN_ALLOCATED_BYTES = 2048
/** What one large message needed is not kept for the next. */
const MAX_KEPT_BYTES = 1024 * 1024
const NULL_LENGTH = -1

/**
 * Whole messages in one piece, of which some bytes become others. As long as all keep their length they are changed where
 * they stand; from the first that does not, everything is written anew, in one piece again.
 *
 *     begin { message { replace | replaceValue }* messageEnds | instead }* finish
 */
export class MessageRewriter {
  #source: Buffer = EMPTY
  /** What of the source is written, or is to be left out. */
  #copied = 0
  #message = 0
  /** Where, from `#begin`, the header of the message at hand was written; -1 while the message stays as it is. */
  #header = -1
  #out: Buffer = EMPTY
  /** `[#begin, #end)` is written since `begin`. */
  #begin = 0
  #end = 0
  #changed = false

  /** `reusable`: what `finish` gave before is needed no more. */
  begin(source: Buffer, start: number, reusable: boolean): void {
    this.#source = source
    this.#copied = start
    if (this.#out.length > MAX_KEPT_BYTES) this.#out = EMPTY
    this.#begin = this.#end = reusable || this.#out === EMPTY ? 0 : this.#end
    this.#changed = false
  }

  /** A message begins at `at`: byte 1 type, bytes 2-5 length. */
  message(at: number): void {
    this.#message = at
    this.#header = -1
  }

  /** In the message at hand, `bytes` stand for `[from, to)`. */
  replace(from: number, to: number, bytes: Buffer): void {
    this.#write(from, to, bytes.length)
    copyBytes(bytes, 0, bytes.length, this.#out, this.#end)
    this.#end += bytes.length
  }

  /** In the message at hand, `value` stands for the `length` bytes at `at`, before which there is a length of four bytes; null is SQL NULL. */
  replaceValue(at: number, length: number, value: Buffer | null): void {
    const bytes = value ?? EMPTY
    this.#write(at - 4, at + length, bytes.length + 4)
    putInt32(this.#out, this.#end, value === null ? NULL_LENGTH : bytes.length)
    copyBytes(bytes, 0, bytes.length, this.#out, this.#end + 4)
    this.#end += bytes.length + 4
  }

  messageEnds(at: number): void {
    if (this.#header < 0) return
    this.#copy(at, 0)
    const header = this.#begin + this.#header
    putInt32(this.#out, header + 1, this.#end - header - 1)
  }

  /** Whole messages, or none, stand for `[from, to)`, which is one that was not changed. */
  instead(from: number, to: number, messages: Buffer): void {
    this.#message = from
    this.#header = -1
    this.replace(from, to, messages)
  }

  /** All of it that is to be sent, when that is not what stands in the source now. */
  finish(end: number): Buffer | undefined {
    if (!this.#changed) return undefined
    this.#copy(end, 0)
    return this.#out.subarray(this.#begin, this.#end)
  }

  #write(from: number, to: number, bytes: number): void {
    this.#changed = true
    if (this.#header < 0) this.#header = this.#end - this.#begin + this.#message - this.#copied
    this.#copy(from, bytes)
    this.#copied = to
  }

  /** Writes the source up to `until`; behind it there is room for `more`. */
  #copy(until: number, more: number): void {
    const bytes = until - this.#copied
    this.#reserve(bytes + more)
    copyBytes(this.#source, this.#copied, until, this.#out, this.#end)
    this.#end += bytes
    this.#copied = until
  }

  #reserve(bytes: number): void {
    if (this.#out.length - this.#end >= bytes) return
    const written = this.#end - this.#begin
    const size = Math.max(Math.min(MAX_ALLOCATED_BYTES, this.#out.length * 2), MIN_ALLOCATED_BYTES, (written + bytes) * 2)
    const grown = Buffer.allocUnsafeSlow(size)
    this.#out.copy(grown, 0, this.#begin, this.#end)
    this.#out = grown
    this.#begin = 0
    this.#end = written
  }
}
