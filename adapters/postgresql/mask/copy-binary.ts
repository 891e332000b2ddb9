/**
 * The binary format:
 *
 *     "PGCOPY\n" 0xff "\r\n" 0x00   Int32(flags)   Int32(bytes of the extension) Byte[n]
 *     { Int16(columns) { Int32(bytes of the value, -1 is NULL) Byte[n] }* }*   Int16(-1)
 */
import { int16At, int32At, putInt32 } from '../../shared/bytes.ts'
import { copyViolation } from './copy-lines.ts'
import type { CopyMask, FieldMask } from './copy-mask.ts'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
const MAX_EXTENSION_BYTES = 64 * 1024
const MAX_ROW_BYTES = 64 * 1024 * 1024
const TRAILER = -1

export class BinaryCopy implements CopyMask {
  readonly #fields: readonly (FieldMask | undefined)[]
  #kept: Buffer = Buffer.alloc(0)
  #state: 'header' | 'rows' | 'over' = 'header'

  constructor(fields: readonly (FieldMask | undefined)[]) {
    this.#fields = fields
  }

  get values(): number {
    return this.#fields.reduce((sum, field) => sum + (field?.values ?? 0), 0)
  }

  push(bytes: Buffer): Buffer {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    if (this.#state === 'over' && all.length > 0) throw copyViolation('bytes follow the end of the rows')
    const out: Buffer[] = []
    let at = 0
    for (let end = this.#next(all, at, out); end > at; end = this.#next(all, at, out)) at = end
    this.#kept = Buffer.from(all.subarray(at))
    if (this.#kept.length > MAX_ROW_BYTES) throw copyViolation(`a row has more than ${MAX_ROW_BYTES} bytes`)
    return Buffer.concat(out)
  }

  end(): Buffer {
    if (this.#kept.length > 0) throw copyViolation('the last one is cut off')
    return this.#kept
  }

  /** Takes one part that is complete; returns its end, or `at` when none is. */
  #next(bytes: Buffer, at: number, out: Buffer[]): number {
    if (this.#state === 'header') return this.#header(bytes, at, out)
    if (this.#state === 'over' || bytes.length - at < 2) return at
    const count = int16At(bytes, at)
    if (count === TRAILER) {
      this.#state = 'over'
      out.push(bytes.subarray(at, at + 2))
      return at + 2
    }
    if (count !== this.#fields.length) throw copyViolation(`one has ${count} columns, and ${this.#fields.length} were announced`)
    return this.#row(bytes, at, out)
  }

  /** Flags in its upper half are about the layout of what follows: none that servers of today set. */
  #header(bytes: Buffer, at: number, out: Buffer[]): number {
    if (bytes.length - at < HEADER_BYTES) return at
    if (!bytes.subarray(at, at + SIGNATURE.length).equals(SIGNATURE)) throw copyViolation('they do not begin as binary rows do')
    if (int32At(bytes, at + SIGNATURE.length) !== 0) throw copyViolation('their layout is not known')
    const extension = int32At(bytes, at + SIGNATURE.length + 4)
    if (extension < 0 || extension > MAX_EXTENSION_BYTES) throw copyViolation('their header is too long')
    const end = at + HEADER_BYTES + extension
    if (bytes.length < end) return at
    out.push(bytes.subarray(at, end))
    this.#state = 'rows'
    return end
  }

  #row(bytes: Buffer, start: number, out: Buffer[]): number {
    const parts: Buffer[] = [bytes.subarray(start, start + 2)]
    const places = this.#places(bytes, start)
    if (places === undefined) return start
    for (const [index, [from, to]] of places.entries()) {
      const field = this.#fields[index]
      if (field === undefined) parts.push(bytes.subarray(from - 4, to))
      else parts.push(...written(field.apply(int32At(bytes, from - 4) === -1 ? undefined : Buffer.from(bytes.subarray(from, to)))))
    }
    out.push(...parts)
    return places.at(-1)?.[1] ?? start + 2
  }

  /** Where the values are; `undefined` while the row is not complete. */
  #places(bytes: Buffer, start: number): (readonly [number, number])[] | undefined {
    const places: (readonly [number, number])[] = []
    let at = start + 2
    for (const _ of this.#fields) {
      if (bytes.length - at < 4) return undefined
      const length = int32At(bytes, at)
      if (length < -1) throw copyViolation('a value has no length')
      at += 4
      const end = at + Math.max(0, length)
      if (end > bytes.length) return undefined
      places.push([at, end])
      at = end
    }
    return places
  }
}

function written(value: Buffer | null): Buffer[] {
  const length = Buffer.alloc(4)
  putInt32(length, 0, value === null ? -1 : value.length)
  return value === null ? [length] : [length, Buffer.from(value)]
}
