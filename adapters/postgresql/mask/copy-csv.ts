/** The CSV format: fields that may be quoted, quotes inside them behind an escape, an unquoted NULL. */
import type { ColumnMasks } from './column-masks.ts'
import type { CopyFormat } from './copy-format.ts'
import { CopyLines, LINE_FEED } from './copy-lines.ts'

const BACKSLASH = 0x5c
const CARRIAGE_RETURN = 0x0d

export class CsvCopy extends CopyLines {
  readonly #format: CopyFormat

  constructor(format: CopyFormat, columns: ColumnMasks) {
    const { header, delimiter, quote, escape, null: none } = format
    super({ header, delimiter, quote, null: none, special: [quote, escape, delimiter, LINE_FEED, CARRIAGE_RETURN], ...(escape === quote ? {} : { escape }) }, columns)
    this.#format = format
  }

  /** The server quotes a value that looks like NULL, so an unquoted one is NULL. */
  protected isNull(bytes: Buffer, start: number, end: number, marked: boolean): boolean {
    return !marked && this.#looksLikeNull(bytes, start, end)
  }

  #looksLikeNull(bytes: Buffer, start: number, end: number): boolean {
    return end - start === this.null.length && (end === start || bytes.compare(this.null, 0, this.null.length, start, end) === 0)
  }

  protected override isPlain(bytes: Buffer, start: number, end: number): boolean {
    return !this.#format.forceQuote && bytes[start] !== BACKSLASH && !this.#looksLikeNull(bytes, start, end) && super.isPlain(bytes, start, end)
  }

  protected read(bytes: Buffer, start: number, end: number): Buffer {
    const { quote, escape } = this.#format
    if (bytes[start] !== quote) return Buffer.from(bytes.subarray(start, end))
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
