import { ARRAY_ELEMENT, isTextType, OID } from '../mask/type-oids.ts'
import { binaryText } from './binary-values.ts'
import { display, isPrintable } from './display.ts'
import type { DecodeText } from './text-decoder.ts'

const NUMBERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8, OID.oid, OID.float4, OID.float8, OID.numeric, OID.money])

/** Whether psql shows the type to the right. */
export function isNumber(type: number): boolean {
  return NUMBERS.has(type)
}

/**
 * A value as text that is safe to print.
 * A description of a prepared statement says text also where the client then asked for binary, and the description may be
 * missing altogether (`type` 0): what is no text is shown as binary, and what is neither, in hexadecimal.
 */
export function valueText(type: number, format: 0 | 1, bytes: Buffer, decode: DecodeText): string {
  const asText = format === 0 && mayBeText(type, bytes) ? decode(bytes) : undefined
  if (asText !== undefined && (isTextType(type) || isPrintable(asText))) return display(asText)
  const asBinary = binaryText(type, bytes, decode)
  if (asBinary !== undefined) return display(asBinary)
  // What is left is a type of the user's own, or none is known: its characters, if it has any.
  const text = decode(bytes)
  const shown = text !== undefined && !text.includes('\0') && (isPrintable(text) || (type !== 0 && format === 0))
  return shown ? display(text) : `\\x${bytes.toString('hex')}`
}

/** What the text format of a type, in whatever session, never fails to look like. */
function mayBeText(type: number, bytes: Buffer): boolean {
  if (type === 0 || isTextType(type)) return true
  if (ARRAY_ELEMENT.has(type)) return bytes[0] === 0x7b || bytes[0] === 0x5b
  const form = FORMS.get(type)
  return form === undefined || form.test(bytes.toString('latin1', 0, MAX_FORM_BYTES))
}

const MAX_FORM_BYTES = 64
const INTEGER = /^-?\d{1,20}$/
const FLOAT = /^(-?\d[\d.]*(e[+-]?\d+)?|-?Infinity|NaN)$/
const FORMS: ReadonlyMap<number, RegExp> = new Map([
  [OID.bool, /^[tf]$/],
  [OID.int2, INTEGER],
  [OID.int4, INTEGER],
  [OID.int8, INTEGER],
  [OID.oid, INTEGER],
  [OID.float4, FLOAT],
  [OID.float8, FLOAT],
  [OID.numeric, /^(-?\d[\d.]*|-?Infinity|NaN)$/],
  [OID.uuid, /^[\da-f]{8}-/],
  [OID.bit, /^[01]*$/],
  [OID.varbit, /^[01]*$/],
])
