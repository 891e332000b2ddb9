import { WireViolation } from './violation.ts'

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
