/**
 * Masks what COPY TO STDOUT sends: a stream of bytes in CopyData messages, in one of three formats. The server sends a
 * row per message, and nothing relies on it.
 * Source: PostgreSQL documentation, COPY, "File Formats"; src/backend/commands/copyto.c.
 */
import { SallyportError } from '../../../core/index.ts'
import { BinaryCopy } from './copy-binary.ts'
import { CsvCopy } from './copy-csv.ts'
import type { CopyFormat } from './copy-format.ts'
import { TextCopy } from './copy-text.ts'
import { createValueMask, type Replacement, type ValueDescription, type ValueMask, type ValueMaskOptions } from './value-mask.ts'

/** A column to mask. `type` 0 is not known: only its absence is sure to be understood. */
export type CopyColumn = Omit<ValueDescription, 'format'> & { readonly whole?: boolean }

export interface CopyMask {
  /**
   * Takes the next bytes; returns the rows that are complete now, masked, good until the next call. What is not complete is kept.
   * @throws SallyportError PROTOCOL_VIOLATION when they are not rows of as many columns as were announced.
   */
  push(bytes: Buffer): Buffer
  /**
   * The stream is over: what goes behind the rest, if anything.
   * @throws SallyportError PROTOCOL_VIOLATION when a row is cut off.
   */
  end(): Buffer
  /** Values masked so far; those that were NULL do not count. */
  readonly values: number
}

/** One field of a row: what is written in its place, null for SQL NULL. */
export class FieldMask {
  readonly #mask: ValueMask
  readonly #whole: boolean
  values = 0

  constructor(column: CopyColumn, format: 0 | 1, options: ValueMaskOptions) {
    this.#mask = createValueMask({ ...column, format }, options)
    this.#whole = column.whole === true
  }

  /** Masks a value that is not NULL where it stands, `[start, end)`; `undefined`: it is masked there. */
  applyAt(bytes: Buffer, start: number, end: number): Replacement {
    this.values++
    return this.#mask.mask(bytes, start, end)
  }

  /** `value` may be changed; `undefined` is NULL. */
  apply(value: Buffer | undefined): Buffer | null {
    if (value === undefined) return this.#whole ? (this.#mask.mask(Buffer.alloc(0), 0, 0) ?? null) : null
    this.values++
    const replacement = this.#mask.mask(value, 0, value.length)
    return replacement === undefined ? value : replacement
  }
}

export function createCopyMask(format: CopyFormat, columns: readonly (CopyColumn | undefined)[], options: ValueMaskOptions): CopyMask {
  const fields = columns.map((column) => (column === undefined ? undefined : new FieldMask(column, format.kind === 'binary' ? 1 : 0, options)))
  switch (format.kind) {
    case 'text': return new TextCopy(format, fields)
    case 'csv': return new CsvCopy(format, fields)
    case 'binary': return new BinaryCopy(fields)
    default: throw new SallyportError('PROTOCOL_VIOLATION', `COPY in the format ${String(format.kind satisfies never)} cannot be masked`)
  }
}
