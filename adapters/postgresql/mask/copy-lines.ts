import { copyBytes } from '../../shared/bytes.ts'
import type { ColumnMasks } from './column-masks.ts'
import { CopyRows, copyViolation } from './copy-rows.ts'
import type { MessageRewriter } from './message-rewriter.ts'
import type { Replacement } from './value-mask.ts'

export const LINE_FEED = 0x0a

/** What text and CSV have in common: rows that end with a line feed, and may begin with one that holds names. */
export abstract class CopyLines extends CopyRows {
  /** Where the fields of the row at hand begin, and behind the last, where another would. */
  protected readonly starts: Int32Array
  #header: boolean

  constructor(header: boolean, columns: ColumnMasks) {
    super(columns)
    this.#header = header
    this.starts = new Int32Array(columns.masks.length + 1)
  }

  /** Finds the row's fields; returns the place behind its line feed, or -1. Calls `begins` at each field but the first, and `complete`. */
  protected abstract scan(bytes: Buffer, from: number, to: number): number

  /** Whether a field is NULL for sure. */
  protected abstract isNull(bytes: Buffer, start: number, end: number): boolean

  /** Whether a field is written as its value is. */
  protected abstract isPlain(bytes: Buffer, start: number, end: number): boolean

  /** The value that a field stands for. */
  protected abstract read(bytes: Buffer, start: number, end: number): Buffer

  /** The field that stands for a value. */
  protected abstract written(value: Buffer): Buffer

  /** The field that stands for NULL. */
  protected abstract readonly null: Buffer

  protected row(bytes: Buffer, from: number, to: number, rewriter: MessageRewriter): number {
    const end = this.scan(bytes, from, to)
    if (end < 0) return end
    if (this.#header) this.#header = false
    else for (const column of this.columns.places) this.#field(column, bytes, this.starts[column] as number, (this.starts[column + 1] as number) - 1, rewriter)
    return end
  }

  /** A field begins at `at`; `column` counts from 0. */
  protected begins(column: number, at: number): void {
    if (column >= this.columns.masks.length) throw this.#miscounted(column + 1)
    this.starts[column] = at
  }

  /** The row ends before `at`, and has so many columns. */
  protected complete(columns: number, at: number): number {
    if (columns !== this.columns.masks.length) throw this.#miscounted(columns)
    this.starts[columns] = at
    return at
  }

  #miscounted(columns: number): Error {
    return copyViolation(`one has ${columns} columns, and ${this.columns.masks.length} were announced`)
  }

  #field(column: number, bytes: Buffer, start: number, end: number, rewriter: MessageRewriter): void {
    const mask = this.columns.masks[column]
    if (mask === undefined) return
    if (this.isNull(bytes, start, end)) {
      const constant = this.columns.nulls[column]
      if (constant !== undefined) rewriter.replace(start, end, this.#fieldOf(constant))
    } else if (this.isPlain(bytes, start, end)) {
      this.#put(this.columns.apply(column, mask, bytes, start, end), mask.detects === true, bytes, start, end, rewriter)
    } else {
      const value = this.read(bytes, start, end)
      const replacement = this.columns.apply(column, mask, value, 0, value.length)
      if (replacement === undefined && mask.detects === true) return
      rewriter.replace(start, end, this.#fieldOf(replacement === undefined ? value : replacement))
    }
  }

  /** What became of a plain field. */
  #put(replacement: Replacement, detected: boolean, bytes: Buffer, start: number, end: number, rewriter: MessageRewriter): void {
    if (replacement === undefined) {
      // A mask may leave bytes that have to be written otherwise.
      if (!detected && !this.isPlain(bytes, start, end)) rewriter.replace(start, end, this.#fieldOf(bytes.subarray(start, end)))
      return
    }
    const field = this.#fieldOf(replacement)
    if (field.length === end - start) copyBytes(field, 0, field.length, bytes, start)
    else rewriter.replace(start, end, field)
  }

  #fieldOf(value: Buffer | null): Buffer {
    if (value === null) return this.null
    return this.isPlain(value, 0, value.length) ? value : this.written(value)
  }
}
