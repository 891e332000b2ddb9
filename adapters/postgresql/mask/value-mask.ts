/**
 * The core of masking: what one value becomes, by method, type and format. Knows nothing of messages,
 * so that rows, COPY lines and whatever else carries values can share it.
 *
 * | method    | text types                 | others                                                            |
 * |-----------|----------------------------|-------------------------------------------------------------------|
 * | `null`    | NULL                       | NULL                                                              |
 * | `fixed`   | `***`                      | the type's constant (fixed-value.ts); NULL where there is none    |
 * | `partial` | see partial-text.ts        | dates and timestamps keep the year; the rest as `fixed`           |
 * | `hash`    | hexadecimal digits         | integers, uuid, bytea: see hash-value.ts; the rest NULL           |
 *
 * A type that is not known becomes NULL, whatever the method. NULL itself stays NULL, and so is never handed in.
 */
import type { MaskMethod } from '../../../core/index.ts'
import { fillBytes } from '../../shared/bytes.ts'
import { fixedValue } from './fixed-value.ts'
import { hashValue, MAX_HASH_BYTES, trimmedEnd } from './hash-value.ts'
import { maskDateBinary, maskDateText, maskTimestampBinary, maskTimestampText } from './partial-date.ts'
import { maskTextInPlace } from './partial-text.ts'
import { textEncoding } from './text-encoding.ts'
import { isTextType, maxCharacters, OID } from './type-oids.ts'

/** A value's replacement: `undefined` means it was masked where it stands, null that it becomes SQL NULL. */
export type Replacement = Buffer | null | undefined

export interface ValueMask {
  /**
   * Masks `[start, end)`. A buffer that is returned is only to be read, and only until the next call.
   * Takes any bytes, also such as the type would never have.
   */
  mask(bytes: Buffer, start: number, end: number): Replacement
  /** No value grows by more than this many bytes. */
  readonly growth: number
}

export interface ValueDescription {
  /** Type OID of the value, as RowDescription gives it. */
  readonly type: number
  /** Type modifier, -1 for none. */
  readonly typmod: number
  /** 0 text, 1 binary. */
  readonly format: 0 | 1
  readonly method: MaskMethod
  /** Of `generalise`: the width of a bucket. */
  readonly bucket?: number
}

export interface ValueMaskOptions {
  /** Secret of `hash` masks. */
  readonly key: Buffer
  /** The session's `client_encoding`. */
  readonly clientEncoding: string
}

export function createValueMask(value: ValueDescription, options: ValueMaskOptions): ValueMask {
  switch (value.method) {
    case 'null': return replaceBy(null)
    case 'shuffle':
    case 'generalise':
    case 'fixed': return fixed(value)
    case 'partial': return partial(value, options)
    case 'hash': return hashed(value, options)
    // What JavaScript callers, or a newer rule file, may hand in: the strictest.
    default: return replaceBy(null, value.method satisfies never)
  }
}

function replaceBy(replacement: Buffer | null, _never?: never): ValueMask {
  return { mask: () => replacement, growth: replacement?.length ?? 0 }
}

const isFormat = (format: number): format is 0 | 1 => format === 0 || format === 1

function fixed({ type, typmod, format }: ValueDescription): ValueMask {
  return replaceBy(isFormat(format) ? fixedValue(type, typmod, format) : null)
}

function hashed({ type, typmod, format }: ValueDescription, options: ValueMaskOptions): ValueMask {
  const mask = isFormat(format) ? hashValue(type, typmod, format, options.key) : null
  return mask === null ? replaceBy(null) : { mask, growth: MAX_HASH_BYTES }
}

function partial(value: ValueDescription, options: ValueMaskOptions): ValueMask {
  if (!isFormat(value.format)) return replaceBy(null)
  if (isTextType(value.type)) return partialText(value, options)
  return partialDate(value) ?? fixed(value)
}

function partialText({ type, typmod }: ValueDescription, options: ValueMaskOptions): ValueMask {
  const encoding = textEncoding(options.clientEncoding)
  const most = maxCharacters(type, typmod)
  const padded = type === OID.bpchar
  return {
    growth: 0,
    mask(bytes, start, end) {
      // Every byte that is covered becomes a character: more than the type takes, when they were several bytes each.
      if (end - start > most) return cover(bytes, start, start + most)
      maskTextInPlace(bytes, start, padded ? trimmedEnd(bytes, start, end) : end, encoding)
      return undefined
    },
  }
}

function cover(bytes: Buffer, start: number, end: number): Buffer {
  fillBytes(bytes, 0x2a, start, end)
  return bytes.subarray(start, end)
}

type DateMask = (bytes: Buffer, start: number, end: number) => boolean

function whenSized(size: number, mask: (bytes: Buffer, start: number) => void): DateMask {
  return (bytes, start, end) => {
    if (end - start !== size) return false
    mask(bytes, start)
    return true
  }
}

/** By format: text, binary. */
const DATE_MASKS: ReadonlyMap<number, readonly [DateMask, DateMask]> = new Map([
  [OID.date, [maskDateText, whenSized(4, maskDateBinary)]],
  [OID.timestamp, [maskTimestampText, whenSized(8, maskTimestampBinary)]],
  [OID.timestamptz, [maskTimestampText, whenSized(8, maskTimestampBinary)]],
])

/** Infinity, and whatever else has no year, becomes the type's constant. */
function partialDate({ type, typmod, format }: ValueDescription): ValueMask | undefined {
  const inPlace = DATE_MASKS.get(type)?.[format]
  if (inPlace === undefined) return undefined
  const constant = fixedValue(type, typmod, format)
  return {
    growth: constant?.length ?? 0,
    mask: (bytes, start, end) => inPlace(bytes, start, end) ? undefined : constant,
  }
}
