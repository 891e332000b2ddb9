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
 * | `shuffle` | see shuffle-text.ts        | see shuffle-value.ts; the rest as `fixed`                         |
 * | `generalise` | see generalise-text.ts  | see generalise-value.ts, dates as `partial`; the rest as `fixed`  |
 *
 * A type that is not known becomes NULL, whatever the method. NULL itself stays NULL, and so is never handed in.
 */
import type { MaskMethod } from '../../../core/index.ts'
import { fillBytes } from '../../shared/bytes.ts'
import { fixedValue } from './fixed-value.ts'
import { generaliseText, GENERALISED_TEXT_GROWTH } from './generalise-text.ts'
import { generaliseValue } from './generalise-value.ts'
import { hashValue, MAX_HASH_BYTES, trimmedEnd } from './hash-value.ts'
import { keyedDigest, subkey } from './keyed-digest.ts'
import { maskDateBinary, maskDateText, maskTimestampBinary, maskTimestampText } from './partial-date.ts'
import { maskTextInPlace } from './partial-text.ts'
import { shuffleText } from './shuffle-text.ts'
import { shuffleValue, type ValueChange } from './shuffle-value.ts'
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
  /** It masks only what it finds: `undefined` means that it found nothing, and left the value alone. */
  readonly detects?: true
}

export interface ValueDescription {
  /** Type OID of the value, as RowDescription gives it. */
  readonly type: number
  /** Type modifier, -1 for none. */
  readonly typmod: number
  /** 0 text, 1 binary. */
  readonly format: 0 | 1
  readonly method: MaskMethod
  /** With `generalise`, for numbers: the width of a bucket. */
  readonly bucket?: number
}

export interface ValueMaskOptions {
  /** Secret of `hash` and `shuffle` masks. */
  readonly key: Buffer
  /** The session's `client_encoding`. */
  readonly clientEncoding: string
}

export function createValueMask(value: ValueDescription, options: ValueMaskOptions): ValueMask {
  switch (value.method) {
    case 'null': return replaceBy(null)
    case 'fixed': return fixed(value)
    case 'shuffle': return shuffled(value, options)
    case 'generalise': return generalised(value)
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

function shuffled(value: ValueDescription, options: ValueMaskOptions): ValueMask {
  const { type, typmod, format } = value
  if (!isFormat(format)) return replaceBy(null)
  return isTextType(type) ? shuffledText(value, options) : changed(value, shuffleValue(type, typmod, format, options.key))
}

function shuffledText({ type, typmod }: ValueDescription, options: ValueMaskOptions): ValueMask {
  const encoding = textEncoding(options.clientEncoding)
  const digest = keyedDigest(subkey(options.key, 'shuffle text'))
  const most = maxCharacters(type, typmod)
  const padded = type === OID.bpchar
  return {
    growth: 0,
    mask(bytes, start, end) {
      const last = padded ? trimmedEnd(bytes, start, end) : end
      const until = shuffleText(bytes, start, last, encoding, digest, most)
      return until === last ? undefined : bytes.subarray(start, until)
    },
  }
}

function generalised(value: ValueDescription): ValueMask {
  const { type, typmod, format, bucket } = value
  if (!isFormat(format)) return replaceBy(null)
  if (isTextType(type)) return generalisedText(value)
  return partialDate(value) ?? changed(value, generaliseValue(type, typmod, format, bucket))
}

function generalisedText({ type, typmod, format }: ValueDescription): ValueMask {
  const constant = fixedValue(type, typmod, format)
  const most = maxCharacters(type, typmod)
  const padded = type === OID.bpchar
  return {
    growth: Math.max(GENERALISED_TEXT_GROWTH, constant?.length ?? 0),
    mask(bytes, start, end) {
      const coarse = generaliseText(bytes, start, padded ? trimmedEnd(bytes, start, end) : end)
      // Longer than the type takes, in bytes at least: the constant fits for sure.
      return coarse === undefined || coarse.length > most ? constant : coarse
    },
  }
}

/** What cannot be read becomes the type's constant. */
function changed(value: ValueDescription, change: ValueChange | null): ValueMask {
  if (change === null) return fixed(value)
  const constant = isFormat(value.format) ? fixedValue(value.type, value.typmod, value.format) : null
  return {
    growth: Math.max(change.growth, constant?.length ?? 0),
    mask: (bytes, start, end) => change.change(bytes, start, end) ?? constant,
  }
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
