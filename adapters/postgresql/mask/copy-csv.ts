/** The CSV format: fields that may be quoted, quotes inside them behind an escape, an unquoted NULL. */
import type { CopyFormat } from './copy-format.ts'
import { CopyLines, copyViolation, LINE_FEED } from './copy-lines.ts'
import type { FieldMask } from './copy-mask.ts'

const CARRIAGE_RETURN = 0x0d

interface Field {
  /** As it stands. */
  readonly raw: Buffer
  readonly quoted: boolean
}

export class CsvCopy extends CopyLines {
  readonly #format: CopyFormat
  readonly #null: Buffer
  /** Of the row that `rowEnd` is in the middle of: inside quotes, and whether the byte before was an escape. */
  #quoted = false
  #escaped = false

  constructor(format: CopyFormat, fields: readonly (FieldMask | undefined)[]) {
    super(format.header, fields)
    this.#format = format
    this.#null = Buffer.from(format.null)
  }

  protected rowEnd(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (this.#passes(bytes[at] as number) && bytes[at] === LINE_FEED) return at + 1
    }
    return -1
  }

  /** Follows one byte; true when it is outside quotes. Where quote and escape are the same, `""` leaves and comes back. */
  #passes(byte: number): boolean {
    const { quote, escape } = this.#format
    if (this.#quoted && this.#escaped) {
      this.#escaped = false
      return false
    }
    if (this.#quoted && byte === escape && escape !== quote) this.#escaped = true
    else if (byte === quote) this.#quoted = !this.#quoted
    return !this.#quoted
  }

  protected row(bytes: Buffer): Buffer {
    const fields = this.#split(bytes)
    if (fields.length !== this.fields.length) throw copyViolation(`one has ${fields.length} columns, and ${this.fields.length} were announced`)
    const delimiter = Buffer.from([this.#format.delimiter])
    return Buffer.concat(fields.flatMap((field, index) => (index === 0 ? [this.#field(field, index)] : [delimiter, this.#field(field, index)])))
  }

  #split(bytes: Buffer): Field[] {
    const fields: Field[] = []
    let start = 0
    const add = (end: number): void => void fields.push({ raw: bytes.subarray(start, end), quoted: bytes[start] === this.#format.quote && end > start })
    for (let at = 0; at < bytes.length; at++) {
      if (!this.#passes(bytes[at] as number) || bytes[at] !== this.#format.delimiter) continue
      add(at)
      start = at + 1
    }
    this.#quoted = this.#escaped = false
    add(bytes.length)
    return fields
  }

  /** The server quotes a value that looks like NULL, so an unquoted one is NULL. */
  #field({ raw, quoted }: Field, index: number): Buffer {
    const mask = this.fields[index]
    if (mask === undefined) return raw
    const masked = mask.apply(!quoted && raw.equals(this.#null) ? undefined : this.#value(raw, quoted))
    return masked === null ? this.#null : this.#written(masked)
  }

  #value(raw: Buffer, quoted: boolean): Buffer {
    if (!quoted) return Buffer.from(raw)
    const { quote, escape } = this.#format
    const out: number[] = []
    for (let at = 1; at < raw.length - 1; at++) {
      const next = raw[at + 1]
      if (raw[at] === escape && at + 1 < raw.length - 1 && (next === quote || next === escape)) at++
      out.push(raw[at] as number)
    }
    return Buffer.from(out)
  }

  #written(value: Buffer): Buffer {
    const { quote, escape, delimiter, forceQuote } = this.#format
    const special = (byte: number): boolean => byte === quote || byte === escape || byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN
    if (!forceQuote && !value.equals(this.#null) && value[0] !== 0x5c && !value.some(special)) return value
    const out: number[] = [quote]
    for (const byte of value) {
      if (byte === quote || byte === escape) out.push(escape)
      out.push(byte)
    }
    out.push(quote)
    return Buffer.from(out)
  }
}
