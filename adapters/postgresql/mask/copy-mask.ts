/**
 * Masks what COPY TO STDOUT sends: a stream of bytes in CopyData messages, in one of three formats. The server sends a
 * row per message, and nothing relies on it.
 * Source: PostgreSQL documentation, COPY, "File Formats"; src/backend/commands/copyto.c.
 */
import { SallyportError } from '../../../core/index.ts'
import { ColumnMasks, type ColumnMasksOptions } from './column-masks.ts'
import { BinaryCopy } from './copy-binary.ts'
import { CsvCopy } from './copy-csv.ts'
import type { CopyFormat } from './copy-format.ts'
import type { CopyRows } from './copy-rows.ts'
import { TextCopy } from './copy-text.ts'
import type { MaskedColumn } from './column-masks.ts'

/** A column to mask. `type` 0 is not known: only its absence is sure to be understood. */
export type CopyColumn = Omit<MaskedColumn, 'format' | 'index'>
export type CopyMask = CopyRows

/** `columns`: one for each that a row has; those without a mask may have one that detects, by their place. */
export function createCopyMask(format: CopyFormat, columns: readonly (CopyColumn | undefined)[], options: Omit<ColumnMasksOptions, 'columnCount'>): CopyMask {
  const masked = columns.flatMap((column, index) => (column === undefined ? [] : [{ ...column, index, format: valueFormat(format) }]))
  const masks = new ColumnMasks(masked, { ...options, columnCount: columns.length })
  switch (format.kind) {
    case 'text': return new TextCopy(format, masks)
    case 'csv': return new CsvCopy(format, masks)
    case 'binary': return new BinaryCopy(masks)
    default: throw new SallyportError('PROTOCOL_VIOLATION', `COPY in the format ${String(format.kind satisfies never)} cannot be masked`)
  }
}

/** The format, as RowDescription numbers it, that its values are in. */
export function valueFormat({ kind }: CopyFormat): 0 | 1 {
  return kind === 'binary' ? 1 : 0
}
