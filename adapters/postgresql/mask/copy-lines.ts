import { SallyportError } from '../../../core/index.ts'
import type { CopyMask, FieldMask } from './copy-mask.ts'

export function copyViolation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `rows of a COPY cannot be masked: ${what}`)
}

/** Bytes of a row that are kept until it is complete. */
const MAX_ROW_BYTES = 64 * 1024 * 1024
export const LINE_FEED = 0x0a
const NEW_LINE = Buffer.from([LINE_FEED])
const NOTHING = Buffer.alloc(0)

/** What text and CSV have in common: rows that end with a line feed, of which some do not end one. */
export abstract class CopyLines implements CopyMask {
  readonly fields: readonly (FieldMask | undefined)[]
  #kept: Buffer[] = []
  #keptBytes = 0
  #header: boolean

  constructor(header: boolean, fields: readonly (FieldMask | undefined)[]) {
    this.#header = header
    this.fields = fields
  }

  get values(): number {
    return this.fields.reduce((sum, field) => sum + (field?.values ?? 0), 0)
  }

  /** Goes on looking for the end of a row; the place behind its line feed, or -1. Called once for each byte, in order. */
  protected abstract rowEnd(bytes: Buffer, from: number): number

  /** One row, masked, without its line feed. */
  protected abstract row(bytes: Buffer): Buffer

  /** One row with its line feed, masked; good until the next call. What nearly every push is. */
  protected line(row: Buffer): Buffer {
    return Buffer.concat([this.row(row), NEW_LINE])
  }

  push(bytes: Buffer): Buffer {
    const out: Buffer[] = []
    let at = 0
    const first = this.rowEnd(bytes, at)
    if (first === bytes.length && this.#keptBytes === 0 && !this.#header) return this.line(bytes.subarray(0, first - 1))
    for (let end = first; end >= 0; end = this.rowEnd(bytes, at)) {
      out.push(this.#masked(this.#take(bytes.subarray(at, end - 1))), NEW_LINE)
      at = end
    }
    this.#keep(bytes.subarray(at))
    return Buffer.concat(out)
  }

  end(): Buffer {
    if (this.#keptBytes > 0) throw copyViolation('the last one is cut off')
    return NOTHING
  }

  #masked(row: Buffer): Buffer {
    if (!this.#header) return this.row(row)
    this.#header = false
    return row
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#keptBytes += bytes.length
    if (this.#keptBytes > MAX_ROW_BYTES) throw copyViolation(`a row has more than ${MAX_ROW_BYTES} bytes`)
    this.#kept.push(Buffer.from(bytes))
  }

  #take(rest: Buffer): Buffer {
    if (this.#keptBytes === 0) return rest
    const row = Buffer.concat([...this.#kept, rest])
    this.#kept = []
    this.#keptBytes = 0
    return row
  }
}
