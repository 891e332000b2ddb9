/** The CSV format: fields that may be quoted, quotes inside them behind an escape, an unquoted NULL. */
import type { ColumnMasks } from './column-masks.ts'
import type { CopyFormat } from './copy-format.ts'
import { CopyLines, LINE_FEED } from './copy-lines.ts'

const BACKSLASH = 0x5c
const CARRIAGE_RETURN = 0x0d

export class CsvCopy extends CopyLines {
  protected readonly null: Buffer
  readonly #format: CopyFormat

  constructor(format: CopyFormat, columns: ColumnMasks) {
    super(format.header, columns)
    this.#format = format
    this.null = Buffer.from(format.null)
  }

  /** Where quote and escape are the same, `""` leaves and comes back. */
  protected scan(bytes: Buffer, from: number, to: number): number {
    const { quote, escape, delimiter } = this.#format
    const escapes = escape !== quote
    let column = 0
    let quoted = false
    this.begins(0, from)
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number
      if (byte === quote) quoted = !quoted
      else if (quoted) {
        if (escapes && byte === escape) at++
      } else if (byte === delimiter) this.begins(++column, at + 1)
      else if (byte === LINE_FEED) return this.complete(column + 1, at + 1)
    }
    return -1
  }

  /** The server quotes a value that looks like NULL, so an unquoted one is NULL. */
  protected isNull(bytes: Buffer, start: number, end: number): boolean {
    return end - start === this.null.length && bytes.compare(this.null, 0, this.null.length, start, end) === 0
  }

  protected isPlain(bytes: Buffer, start: number, end: number): boolean {
    const { quote, escape, delimiter, forceQuote } = this.#format
    if (forceQuote || bytes[start] === BACKSLASH || this.isNull(bytes, start, end)) return false
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if (byte === quote || byte === escape || byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN) return false
    }
    return true
  }

  protected read(bytes: Buffer, start: number, end: number): Buffer {
    const { quote, escape } = this.#format
    if (bytes[start] !== quote || end === start) return Buffer.from(bytes.subarray(start, end))
    const out: number[] = []
    for (let at = start + 1; at < end - 1; at++) {
      const next = bytes[at + 1]
      if (bytes[at] === escape && at + 1 < end - 1 && (next === quote || next === escape)) at++
      out.push(bytes[at] as number)
    }
    return Buffer.from(out)
  }

  protected written(value: Buffer): Buffer {
    const { quote, escape } = this.#format
    const out: number[] = [quote]
    for (const byte of value) {
      if (byte === quote || byte === escape) out.push(escape)
      out.push(byte)
    }
    out.push(quote)
    return Buffer.from(out)
  }
}
