import { isAscii } from 'node:buffer'
import { WireViolation } from './violation.ts'

/** A server tells the names of prepared statements and portals apart by this many bytes (`NAMEDATALEN` - 1) and ignores the rest. */
const MAX_NAME_BYTES = 63

/**
 * Begins a name that is not ASCII, before its bytes as Latin-1. What such bytes mean depends on `client_encoding` when
 * they arrive, so equal bytes may name two things and different bytes one. A lone surrogate: no name in SQL begins so.
 */
export const NOT_ASCII = '\ud800'

/** Walks the body of one message; every read is checked against its end. Throws `WireViolation`. */
export class BodyReader {
  readonly #buffer: Buffer
  readonly #end: number
  at: number

  /** `start` is the first byte of the body, after the five of the header. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.at = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.at
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#take(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2))
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  /** A zero-terminated string, as UTF-8. */
  cstring(): string {
    const start = this.at
    return this.#buffer.toString('utf8', start, this.#terminator())
  }

  /** The bytes of a zero-terminated string, without the zero. A view, not a copy. */
  cstringBytes(): Buffer {
    const start = this.at
    return this.#buffer.subarray(start, this.#terminator())
  }

  /** The name of a prepared statement or a portal; see `NOT_ASCII`. */
  name(): string {
    const bytes = this.cstringBytes()
    const known = bytes.subarray(0, MAX_NAME_BYTES)
    return isAscii(known) ? known.toString('latin1') : NOT_ASCII + bytes.toString('latin1')
  }

  #terminator(): number {
    const end = this.#buffer.indexOf(0, this.at)
    if (end < 0 || end >= this.#end) throw new WireViolation('a string has no end')
    this.at = end + 1
    return end
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const at = this.#take(length)
    return this.#buffer.subarray(at, at + length)
  }

  finish(): void {
    if (this.at !== this.#end) throw new WireViolation(`${this.left} bytes too many`)
  }

  #take(bytes: number): number {
    const at = this.at
    if (bytes < 0 || bytes > this.#end - at) throw new WireViolation('a message ends too early')
    this.at = at + bytes
    return at
  }
}
