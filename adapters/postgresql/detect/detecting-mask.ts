/**
 * Masks what detection finds in the values of a column that no mask covers: the second net.
 *
 * - texts, JSON, XML, and arrays of them: what was found, where it stands, so that the value stays valid in its type;
 * - bigint and numeric (a card number without its spaces): the whole value, as a mask of that method would;
 * - enums, composites and extensions' types: what was found in their text or bytes, without changing their length;
 * - types that hold numbers, times, addresses or bits are not looked at, and neither is bytea.
 */
import { isUtf8 } from 'node:buffer'
import type { MaskMethod } from '../../../core/index.ts'
import { fixedValue } from '../mask/fixed-value.ts'
import { MAX_HASH_BYTES } from '../mask/hash-value.ts'
import { numberFormat } from '../mask/number-format.ts'
import { printDecimal } from '../mask/decimal.ts'
import { textEncoding, type TextEncoding } from '../mask/text-encoding.ts'
import { ARRAY_ELEMENT, isTextType, OID } from '../mask/type-oids.ts'
import { createValueMask, type Replacement, type ValueMask, type ValueMaskOptions } from '../mask/value-mask.ts'
import { changeArrayBinary, changeArrayText } from './array-elements.ts'
import { stricterMethod, type ContentDetection } from './content-detection.ts'
import { maskJsonFindings } from './mask-json-findings.ts'
import { maskTextFindings, WHOLE, type FindingsMaskOptions, type MaskedText } from './mask-text-findings.ts'

export interface DetectingColumn {
  readonly name: string
  readonly type: number
  readonly typmod: number
  readonly format: 0 | 1
}

/** Of built-in types with values that are no texts. */
const NOT_LOOKED_AT: ReadonlySet<number> = new Set([
  OID.bool, OID.bytea, OID.char, OID.int2, OID.int4, OID.oid, OID.float4, OID.float8, OID.money, OID.date, OID.time, OID.timetz, OID.timestamp,
  OID.timestamptz, OID.interval, OID.uuid, OID.inet, OID.cidr, OID.macaddr, OID.macaddr8, OID.bit, OID.varbit, OID.pg_lsn,
  // int2vector, tid, xid, cid, oidvector, point to polygon, line, circle, txid_snapshot, xid8, void
  22, 27, 28, 29, 30, 600, 601, 602, 603, 604, 628, 718, 2970, 5069, 2278,
  // int4range to int8range, and their multiranges
  3904, 3906, 3908, 3910, 3912, 3926, 4451, 4532, 4533, 4534, 4535, 4536,
])

/** Whether values of the type are looked at. */
export function isLookedAt(type: number): boolean {
  return !NOT_LOOKED_AT.has(ARRAY_ELEMENT.get(type) ?? type)
}

/** @returns `undefined` for a type that is not looked at. A mask that returns `undefined` has found nothing, and changed nothing. */
export function createDetectingMask(column: DetectingColumn, detection: ContentDetection, options: ValueMaskOptions): ValueMask | undefined {
  if (!isLookedAt(column.type)) return undefined
  const { mask, growth } = maskOf(column, detection, options)
  return { mask: (bytes, start, end) => withinGrowth(mask(bytes, start, end), end - start + growth), growth, detects: true }
}

/** Values that no server sends (JSON with bare control characters) may grow; constants of many elements may add up. */
function withinGrowth(masked: Replacement, most: number): Replacement {
  return masked !== null && masked !== undefined && masked.length > most ? null : masked
}

function maskOf(column: DetectingColumn, detection: ContentDetection, options: ValueMaskOptions): ValueMask {
  const { type } = column
  const element = ARRAY_ELEMENT.get(type)
  if (element !== undefined) return arrayMask(column, maskOf({ ...column, type: element }, detection, options), detection, options)
  if (type === OID.int8 || type === OID.numeric) return numberMask(column, detection, options)
  const encoding = textEncoding(options.clientEncoding)
  const texts = { column, detection, encoding, key: options.key }
  if (type === OID.json) return stringMask(texts, maskJsonFindings, {})
  if (type === OID.jsonb) return column.format === 1 ? behindVersion(stringMask(texts, maskJsonFindings, {})) : stringMask(texts, maskJsonFindings, {})
  if (type === OID.xml) return stringMask(texts, maskTextFindings, { notWithin: /[<>&]/ })
  if (isTextType(type) || type === UNKNOWN) return stringMask(texts, maskTextFindings, {})
  return stringMask({ ...texts, encoding: 'single-byte' }, maskTextFindings, { sameLength: true })
}

/** What a literal is before anybody asks for more; text by another name. */
const UNKNOWN = 705

interface Texts {
  readonly column: DetectingColumn
  readonly detection: ContentDetection
  readonly encoding: TextEncoding
  readonly key: Buffer
}

type MaskFindings = (text: string, hint: string, detection: ContentDetection, options: FindingsMaskOptions) => MaskedText

function stringMask({ column: { name, type, typmod, format }, detection, encoding, key }: Texts, maskFindings: MaskFindings, how: Omit<FindingsMaskOptions, 'key'>): ValueMask {
  const constant = fixedValue(type === UNKNOWN ? OID.text : type, typmod, type === OID.jsonb ? 0 : format)
  const options = { ...how, key }
  return {
    growth: constant?.length ?? 0,
    mask(bytes, start, end) {
      // An escape in JSON may stand for any character; elsewhere what is not in the bytes is not in the text.
      if (!detection.mayContain(bytes, start, end) && !(maskFindings === maskJsonFindings && hasEscape(bytes, start, end))) return undefined
      const coding = codingOf(bytes, start, end, encoding)
      const masked = maskFindings(bytes.toString(coding === 'utf8' ? 'utf8' : 'latin1', start, end), name, detection, options)
      if (masked === undefined || masked === null) return masked
      // Where a byte may be half a character, none can be changed.
      return masked === WHOLE || coding === 'unknown' ? constant : Buffer.from(masked, coding)
    },
  }
}

function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  const at = bytes.subarray(start, end).indexOf(0x5c)
  return at >= 0
}

/** `latin1`: a character for a byte, and back. */
function codingOf(bytes: Buffer, start: number, end: number, encoding: TextEncoding): 'utf8' | 'latin1' | 'unknown' {
  if (encoding === 'single-byte') return 'latin1'
  let high = false
  for (let i = start; i < end && !high; i++) high = (bytes[i] as number) >= 0x80
  if (!high) return 'latin1'
  if (encoding === 'other') return 'unknown'
  return isUtf8(bytes.subarray(start, end)) ? 'utf8' : 'latin1'
}

/** jsonb in binary format: a byte that says 1, then its text. */
function behindVersion(mask: ValueMask): ValueMask {
  return {
    growth: mask.growth,
    mask(bytes, start, end) {
      const masked = mask.mask(bytes, start + 1, end)
      return masked === undefined || masked === null ? masked : Buffer.concat([Buffer.of(1), masked])
    },
  }
}

function arrayMask({ name, type, typmod, format }: DetectingColumn, { mask, growth }: ValueMask, detection: ContentDetection, options: ValueMaskOptions): ValueMask {
  const change = (element: Buffer): Buffer | null | undefined => mask(element, 0, element.length)
  const encoding = textEncoding(options.clientEncoding)
  return {
    growth: 12 + growth,
    mask(bytes, start, end) {
      if (format === 1) return changeArrayBinary(bytes, start, end, change)
      const text = bytes.toString('latin1', start, end)
      // Where a byte may be half a character, it cannot be told where an element ends.
      if (codingOf(bytes, start, end, encoding) === 'unknown') return detection.find(text, name).length > 0 ? fixedValue(type, typmod, format) : undefined
      const masked = changeArrayText(text, change)
      return typeof masked === 'string' ? Buffer.from(masked, 'latin1') : masked
    },
  }
}

function numberMask({ name, type, typmod, format }: DetectingColumn, detection: ContentDetection, options: ValueMaskOptions): ValueMask {
  const numbers = numberFormat(type, typmod, format)
  const maskBy = remembered((method: MaskMethod) => createValueMask({ type, typmod, format, method }, options))
  return {
    growth: (numbers?.growth ?? 0) + MAX_HASH_BYTES,
    mask(bytes, start, end) {
      const value = numbers?.read(bytes, start, end)
      if (value === undefined || value.digits.length < LEAST_DIGITS) return undefined
      const [first, ...more] = detection.find(printDecimal(value), name)
      if (first === undefined) return undefined
      const copy = Buffer.from(bytes.subarray(start, end))
      const masked = maskBy(more.reduce((method, finding) => stricterMethod(method, finding.method), first.method)).mask(copy, 0, copy.length)
      return masked === undefined ? copy : masked
    },
  }
}

function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>()
  return (key) => {
    const value = made.get(key) ?? make(key)
    made.set(key, value)
    return value
  }
}

/** Nothing that is looked for has fewer. */
const LEAST_DIGITS = 6
