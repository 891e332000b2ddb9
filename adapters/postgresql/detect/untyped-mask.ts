/**
 * Masks what detection finds in values of COPY whose type is not known, for COPY describes no columns and what is computed has no
 * place in the catalogue. A value is taken for whatever its bytes can be:
 *
 * - as text (also the text and CSV formats of everything else): a text; if it is JSON, that first;
 * - in binary: an array (they say of what), jsonb, a whole number or numeric that may be a card's, a text, and else what an
 *   extension's type is: bytes in which findings are covered without changing their length.
 */
import { isUtf8 } from 'node:buffer'
import { int16At, int32At } from '../../shared/bytes.ts'
import { ARRAY_ELEMENT, OID } from '../mask/type-oids.ts'
import type { Replacement, ValueMask, ValueMaskOptions } from '../mask/value-mask.ts'
import type { ContentDetection } from './content-detection.ts'
import { createDetectingMask } from './detecting-mask.ts'

export interface UntypedColumn {
  /** What it is called, or empty. */
  readonly name: string
  /** Of an extension's or user's type, as its own: findings keep their length. */
  readonly sameLength: boolean
  readonly format: 0 | 1
}

export function createUntypedMask({ name, sameLength, format }: UntypedColumn, detection: ContentDetection, options: ValueMaskOptions): ValueMask {
  const as = (type: number): ValueMask => createDetectingMask({ name, type, typmod: -1, format }, detection, options) ?? NOTHING
  const [text, json, covered] = [sameLength ? as(UNKNOWN_TYPE) : as(OID.text), as(OID.json), as(UNKNOWN_TYPE)]
  const asText = (bytes: Buffer, start: number, end: number): Replacement => inText(text, json, bytes, start, end)
  if (format === 0) return { mask: asText, growth: text.growth + json.growth, detects: true }
  const [whole, numeric, jsonb] = [as(OID.int8), as(OID.numeric), as(OID.jsonb)]
  const arrays = new Map(Array.from(ARRAY_ELEMENT, ([type, element]) => [element, as(type)] as const))
  const masks = [text, json, covered, whole, numeric, jsonb, ...arrays.values()]
  return {
    growth: Math.max(text.growth + json.growth, ...masks.map((mask) => mask.growth)),
    detects: true,
    mask(bytes, start, end) {
      if (isPrintable(bytes, start, end)) return asText(bytes, start, end)
      if (bytes[start] === JSONB_VERSION && isPrintable(bytes, start + 1, end)) return jsonb.mask(bytes, start, end)
      const array = elementOf(bytes, start, end)
      const known = array !== undefined ? arrays.get(array) : isSmallWhole(bytes, start, end) ? whole : isNumeric(bytes, start, end) ? numeric : undefined
      return (known ?? covered).mask(bytes, start, end)
    },
  }
}

const NOTHING: ValueMask = { mask: () => undefined, growth: 0, detects: true }
/** No type has it, so it is treated as one that nobody knows. */
const UNKNOWN_TYPE = 0
const JSONB_VERSION = 1
const [BACKSLASH, BRACE, BRACKET] = [0x5c, 0x7b, 0x5b]

/** An escape in JSON may stand for any character, and what becomes of a number has to be one. */
function inText(text: ValueMask, json: ValueMask, bytes: Buffer, start: number, end: number): Replacement {
  const masked = isJson(bytes.subarray(start, end)) ? json.mask(bytes, start, end) : undefined
  if (masked === null) return null
  const again = masked === undefined ? text.mask(bytes, start, end) : text.mask(masked, 0, masked.length)
  return again === undefined ? masked : again
}

function isJson(value: Buffer): boolean {
  if (value[0] !== BRACE && value[0] !== BRACKET && !value.includes(BACKSLASH)) return false
  try {
    JSON.parse(value.toString())
    return true
  } catch {
    return false
  }
}

/** A text has no control characters but those that part its lines and words. */
function isPrintable(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false
  }
  return isUtf8(bytes.subarray(start, end))
}

/** Int32(dimensions) Int32(has NULLs) Int32(type of the elements) { Int32(length) Int32(lower bound) }* … Source: array_send in arrayfuncs.c. */
function elementOf(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start < 12) return undefined
  const dimensions = int32At(bytes, start)
  const nulls = int32At(bytes, start + 4)
  return dimensions >= 0 && dimensions <= 6 && end - start >= 12 + 8 * dimensions && (nulls === 0 || nulls === 1) ? int32At(bytes, start + 8) : undefined
}

/** Up to 16 digits: no usual double has such bytes. Of timestamps, few have the digits of a card. */
function isSmallWhole(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 8 && bytes[start] === 0
}

/** Int16(digits) Int16(weight) Int16(sign) Int16(scale) { Int16(below 10,000) }*. Source: numeric_send in numeric.c. */
function isNumeric(bytes: Buffer, start: number, end: number): boolean {
  const digits = end - start < 8 ? -1 : int16At(bytes, start)
  if (digits < 0 || end - start !== 8 + 2 * digits || (int16At(bytes, start + 4) & ~0x4000) !== 0) return false
  for (let at = start + 8; at < end; at += 2) if (int16At(bytes, at) < 0 || int16At(bytes, at) >= 10_000) return false
  return true
}
