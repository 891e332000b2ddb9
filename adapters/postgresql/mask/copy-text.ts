/** The text format: fields between delimiters, special characters behind a backslash, `\N` for NULL. */
import { copyBytes } from '../../shared/bytes.ts'
import type { CopyFormat } from './copy-format.ts'
import { CopyLines, copyViolation, LINE_FEED } from './copy-lines.ts'
import type { FieldMask } from './copy-mask.ts'

const BACKSLASH = 0x5c
/** The letter behind a backslash → the character it stands for, and the other way round. */
const ESCAPES = new Map([[0x62, 0x08], [0x66, 0x0c], [0x6e, 0x0a], [0x72, 0x0d], [0x74, 0x09], [0x76, 0x0b]])
const LETTERS = new Map([...ESCAPES].map(([letter, character]) => [character, letter]))

export class TextCopy extends CopyLines {
  readonly #delimiter: number
  readonly #null: Buffer
  #out = Buffer.allocUnsafeSlow(1024)
  /** A backslash cannot stand alone in a value: only then can no value look like NULL. */
  readonly #nullIsSure: boolean

  constructor({ delimiter, null: none, header }: CopyFormat, fields: readonly (FieldMask | undefined)[]) {
    super(header, fields)
    this.#delimiter = delimiter
    this.#null = Buffer.from(none)
    this.#nullIsSure = none === '\\N'
  }

  /** A line feed in a value is written as `\n`. */
  protected rowEnd(bytes: Buffer, from: number): number {
    return bytes.indexOf(LINE_FEED, from) + 1 || -1
  }

  /** In one pass, into memory that is used again; fields with an escape in them take the slower way. */
  protected override line(row: Buffer): Buffer {
    let at = 0
    let start = 0
    let column = 0
    let escaped = false
    for (let i = 0; i <= row.length; i++) {
      if (row[i] === BACKSLASH) {
        escaped = true
        if (i + 1 < row.length) i++
        continue
      }
      if (i < row.length && row[i] !== this.#delimiter) continue
      at = this.#put(row, start, i, column++, escaped, at)
      this.#out[at++] = i === row.length ? LINE_FEED : this.#delimiter
      start = i + 1
      escaped = false
    }
    if (column !== this.fields.length) throw copyViolation(`one has ${column} columns, and ${this.fields.length} were announced`)
    return this.#out.subarray(0, at)
  }

  /** Writes one field, masked if it has to be; where it ends. There is room for one byte behind it. */
  #put(row: Buffer, start: number, end: number, column: number, escaped: boolean, at: number): number {
    const mask = this.fields[column]
    if (mask === undefined) return this.#write(row, start, end, at)
    if (escaped) return this.#writeAll(this.#field(row.subarray(start, end), column), at)
    const until = this.#write(row, start, end, at)
    const replacement = mask.applyAt(this.#out, at, until)
    if (replacement === null) return this.#writeAll(this.#null, at)
    if (replacement === undefined) return this.#isPlain(this.#out, at, until) ? until : this.#writeAll(this.#escaped(this.#out.subarray(at, until)), at)
    return this.#writeAll(this.#isPlain(replacement, 0, replacement.length) ? replacement : this.#escaped(replacement), at)
  }

  #writeAll(bytes: Buffer, at: number): number {
    return this.#write(bytes, 0, bytes.length, at)
  }

  #write(bytes: Buffer, start: number, end: number, at: number): number {
    const until = at + end - start
    if (until >= this.#out.length) this.#grow(until + 1, at)
    copyBytes(bytes, start, end, this.#out, at)
    return until
  }

  #grow(needed: number, used: number): void {
    const grown = Buffer.allocUnsafeSlow(needed * 2)
    this.#out.copy(grown, 0, 0, used)
    this.#out = grown
  }

  /** Whether no byte of a value has to be escaped. */
  #isPlain(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0
      if (byte === BACKSLASH || byte === this.#delimiter || (byte >= 0x08 && byte <= 0x0d)) return false
    }
    return true
  }

  protected row(bytes: Buffer): Buffer {
    const fields = this.#split(bytes)
    if (fields.length !== this.fields.length) throw copyViolation(`one has ${fields.length} columns, and ${this.fields.length} were announced`)
    const delimiter = Buffer.from([this.#delimiter])
    return Buffer.concat(fields.flatMap((field, index) => (index === 0 ? [this.#field(field, index)] : [delimiter, this.#field(field, index)])))
  }

  #split(bytes: Buffer): Buffer[] {
    const fields: Buffer[] = []
    let start = 0
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === BACKSLASH) at++
      else if (bytes[at] === this.#delimiter) {
        fields.push(bytes.subarray(start, at))
        start = at + 1
      }
    }
    fields.push(bytes.subarray(start))
    return fields
  }

  /**
   * Where a value could look like NULL (the client chose what NULL looks like), both are masked alike: otherwise the
   * client could ask which values are equal to its choice.
   */
  #field(field: Buffer, index: number): Buffer {
    const mask = this.fields[index]
    if (mask === undefined) return field
    const isNull = this.#nullIsSure && field.equals(this.#null)
    const masked = mask.apply(isNull ? undefined : unescaped(field))
    return masked === null ? this.#null : this.#escaped(masked)
  }

  #escaped(value: Buffer): Buffer {
    const out: number[] = []
    for (const byte of value) {
      const letter = LETTERS.get(byte)
      if (letter !== undefined) out.push(BACKSLASH, letter)
      else if (byte === BACKSLASH || byte === this.#delimiter) out.push(BACKSLASH, byte)
      else out.push(byte)
    }
    return Buffer.from(out)
  }
}

function unescaped(field: Buffer): Buffer {
  const out = Buffer.alloc(field.length)
  let length = 0
  for (let at = 0; at < field.length; at++) {
    const byte = field[at] as number
    const next = byte === BACKSLASH ? field[++at] : undefined
    out[length++] = next === undefined ? byte : (ESCAPES.get(next) ?? next)
  }
  return out.subarray(0, length)
}
