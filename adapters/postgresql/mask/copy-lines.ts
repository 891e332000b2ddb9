import { copyBytes } from '../../shared/bytes.ts'
import type { ColumnMasks } from './column-masks.ts'
import { CopyRows, copyViolation } from './copy-rows.ts'
import type { MessageRewriter } from './message-rewriter.ts'
import type { ValueMask } from './value-mask.ts'

export const LINE_FEED = 0x0a

/** What a byte may be in a row. */
const ORDINARY = 0, DELIMITER = 1, LINE_END = 2, QUOTE = 3, ESCAPE = 4

export interface LineFormat {
  readonly header: boolean
  readonly delimiter: number
  /** Between two of these a delimiter is none, and neither is a line feed. */
  readonly quote?: number
  /** Takes its meaning from the next byte: between quotes, where there are quotes, and everywhere else otherwise. */
  readonly escape?: number
  readonly null: string
  /** Bytes that a field cannot have as they are. */
  readonly special: readonly number[]
}

/** What text and CSV have in common: rows that end with a line feed, and may begin with one that holds names. */
export abstract class CopyLines extends CopyRows {
  protected readonly null: Buffer
  readonly #kinds = new Uint8Array(256)
  /** Not `ORDINARY`: what a field cannot have as it is. */
  readonly #special = new Uint8Array(256)
  readonly #escapesInQuotes: boolean
  #header: boolean
  /** Where the fields of the row at hand begin, and behind the last, where another would. */
  readonly #starts: Int32Array
  /** 1 for fields with quotes or escapes. */
  readonly #marks: Uint8Array

  constructor({ header, delimiter, quote, escape, null: none, special }: LineFormat, columns: ColumnMasks) {
    super(columns)
    this.null = Buffer.from(none)
    this.#header = header
    this.#escapesInQuotes = quote !== undefined
    this.#kinds[LINE_FEED] = LINE_END
    this.#kinds[delimiter] = DELIMITER
    if (escape !== undefined) this.#kinds[escape] = ESCAPE
    if (quote !== undefined) this.#kinds[quote] = QUOTE
    for (const byte of special) this.#special[byte] = 1
    this.#starts = new Int32Array(columns.masks.length + 1)
    this.#marks = new Uint8Array(columns.masks.length + 1)
  }

  /** Whether a field is NULL for sure; `marked`: it has quotes or escapes. */
  protected abstract isNull(bytes: Buffer, start: number, end: number, marked: boolean): boolean

  /** The value that a field with quotes or escapes stands for. */
  protected abstract read(bytes: Buffer, start: number, end: number): Buffer

  /** The field that stands for a value that cannot be written as it is. */
  protected abstract written(value: Buffer): Buffer

  /** Whether a value is written as it is. */
  protected isPlain(bytes: Buffer, start: number, end: number): boolean {
    return passOver(this.#special, bytes, start, end) === end
  }

  protected row(bytes: Buffer, from: number, to: number, rewriter: MessageRewriter): number {
    const end = this.#scan(bytes, from, to)
    if (end < 0) return end
    if (this.#header) this.#header = false
    else for (const column of this.columns.places) this.#field(column, bytes, rewriter)
    return end
  }

  /**
   * Finds the fields of the row; returns the place behind its line feed, or -1. Where quote and escape are the same, `""` leaves
   * the quotes and comes back. A line feed outside quotes always ends a row.
   */
  #scan(bytes: Buffer, from: number, to: number): number {
    const kinds = this.#kinds
    const starts = this.#starts
    const marks = this.#marks
    const last = starts.length - 2
    const escapesInQuotes = this.#escapesInQuotes
    let column = 0
    let quoted = false
    starts[0] = from
    marks[0] = 0
    for (let at = passOver(kinds, bytes, from, to); at < to; at = passOver(kinds, bytes, at + 1, to)) {
      const kind = kinds[bytes[at] as number]
      if (kind === DELIMITER) {
        if (quoted) continue
        if (column === last) throw miscounted(column + 2, last + 1)
        starts[++column] = at + 1
        marks[column] = 0
      } else if (kind === LINE_END) {
        if (quoted) continue
        if (column !== last) throw miscounted(column + 1, last + 1)
        starts[column + 1] = at + 1
        return at + 1
      } else {
        marks[column] = 1
        if (kind === QUOTE) quoted = !quoted
        else if (quoted === escapesInQuotes && bytes[at + 1] !== LINE_FEED) at++
      }
    }
    return -1
  }

  #field(column: number, bytes: Buffer, rewriter: MessageRewriter): void {
    const mask = this.columns.masks[column]
    if (mask === undefined) return
    const start = this.#starts[column] as number
    const end = (this.#starts[column + 1] as number) - 1
    const marked = this.#marks[column] === 1
    if (this.isNull(bytes, start, end, marked)) {
      const constant = this.columns.nulls[column]
      if (constant !== undefined) rewriter.replace(start, end, this.#fieldOf(constant))
    } else if (marked) this.#marked(column, mask, bytes, start, end, rewriter)
    else this.#plain(column, mask, bytes, start, end, rewriter)
  }

  /** The field is the value. */
  #plain(column: number, mask: ValueMask, bytes: Buffer, start: number, end: number, rewriter: MessageRewriter): void {
    const replacement = this.columns.apply(column, mask, bytes, start, end)
    if (replacement === undefined && (mask.detects === true || this.isPlain(bytes, start, end))) return
    const field = this.#fieldOf(replacement === undefined ? bytes.subarray(start, end) : replacement)
    if (field.length === end - start) copyBytes(field, 0, field.length, bytes, start)
    else rewriter.replace(start, end, field)
  }

  #marked(column: number, mask: ValueMask, bytes: Buffer, start: number, end: number, rewriter: MessageRewriter): void {
    const value = this.read(bytes, start, end)
    const replacement = this.columns.apply(column, mask, value, 0, value.length)
    if (replacement === undefined && mask.detects === true) return
    rewriter.replace(start, end, this.#fieldOf(replacement === undefined ? value : replacement))
  }

  #fieldOf(value: Buffer | null): Buffer {
    if (value === null) return this.null
    return this.isPlain(value, 0, value.length) ? value : this.written(value)
  }
}

/** The place of the next byte that is not ordinary, or `to`. By fours: this is most of what a row costs. */
function passOver(kinds: Uint8Array, bytes: Buffer, from: number, to: number): number {
  let at = from
  while (at <= to - 4 && ((kinds[bytes[at] as number] as number) | (kinds[bytes[at + 1] as number] as number) | (kinds[bytes[at + 2] as number] as number) | (kinds[bytes[at + 3] as number] as number)) === ORDINARY) at += 4
  while (at < to && kinds[bytes[at] as number] === ORDINARY) at++
  return at
}

function miscounted(columns: number, announced: number): Error {
  return copyViolation(`one has ${columns} columns, and ${announced} were announced`)
}
