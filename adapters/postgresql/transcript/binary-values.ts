/**
 * Values in binary format as text, for people: as the server would write them, with ISO dates in UTC.
 * Source: the `_send` functions of PostgreSQL, src/backend/utils/adt.
 */
import { BodyReader } from '../wire/body-reader.ts'
import { ARRAY_ELEMENT, isTextType, OID } from '../mask/type-oids.ts'
import { dateText, intervalText, timestampText, timetzText, timeText } from './binary-times.ts'
import type { DecodeText } from './text-decoder.ts'

const MAX_DIMENSIONS = 6

/** @returns undefined when the type is not known, or the bytes are none of its values. */
export function binaryText(type: number, bytes: Buffer, decode: DecodeText): string | undefined {
  try {
    return render(type, bytes, decode)
  } catch {
    // Too short, or of another shape: readers of bytes throw in many words. Nobody's mistake here but the peer's.
    return undefined
  }
}

function render(type: number, bytes: Buffer, decode: DecodeText): string | undefined {
  const element = ARRAY_ELEMENT.get(type)
  if (element !== undefined) return arrayText(bytes, decode)
  const fixed = FIXED.get(type)
  if (fixed !== undefined) return bytes.length === fixed[0] ? fixed[1](bytes) : undefined
  if (isTextType(type) || type === OID.json || type === OID.xml) return decode(bytes)
  if (type === OID.jsonb) return bytes[0] === 1 ? decode(bytes.subarray(1)) : undefined
  return VARIABLE.get(type)?.(bytes)
}

type Show = (bytes: Buffer) => string
const hex = (bytes: Buffer): string => bytes.toString('hex')
const colons = (bytes: Buffer): string => hex(bytes).replaceAll(/..(?!$)/g, '$&:')

/** Type → size in bytes, and how to show it. */
const FIXED: ReadonlyMap<number, readonly [size: number, show: Show]> = new Map<number, readonly [number, Show]>([
  [OID.bool, [1, (bytes) => bytes[0] === 0 ? 'f' : 't']],
  [OID.int2, [2, (bytes) => String(bytes.readInt16BE())]],
  [OID.int4, [4, (bytes) => String(bytes.readInt32BE())]],
  [OID.int8, [8, (bytes) => String(bytes.readBigInt64BE())]],
  [OID.oid, [4, (bytes) => String(bytes.readUInt32BE())]],
  [OID.float4, [4, (bytes) => float4Text(bytes.readFloatBE())]],
  [OID.float8, [8, (bytes) => floatText(bytes.readDoubleBE())]],
  [OID.money, [8, (bytes) => moneyText(bytes.readBigInt64BE())]],
  [OID.date, [4, dateText]],
  [OID.time, [8, timeText]],
  [OID.timetz, [12, timetzText]],
  [OID.timestamp, [8, (bytes) => timestampText(bytes, '')]],
  [OID.timestamptz, [8, (bytes) => timestampText(bytes, '+00')]],
  [OID.interval, [16, intervalText]],
  [OID.uuid, [16, (bytes) => hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')]],
  [OID.macaddr, [6, colons]],
  [OID.macaddr8, [8, colons]],
  [OID.pg_lsn, [8, (bytes) => `${bytes.readUInt32BE().toString(16).toUpperCase()}/${bytes.readUInt32BE(4).toString(16).toUpperCase()}`]],
])

const VARIABLE: ReadonlyMap<number, (bytes: Buffer) => string | undefined> = new Map<number, (bytes: Buffer) => string | undefined>([
  [OID.bytea, (bytes) => `\\x${hex(bytes)}`],
  [OID.numeric, numericText],
  [OID.inet, inetText],
  [OID.cidr, inetText],
  [OID.bit, bitText],
  [OID.varbit, bitText],
])

function float4Text(value: number): string {
  for (let precision = 6; precision < 9; precision++) {
    const short = Number(value.toPrecision(precision))
    if (Math.fround(short) === value) return floatText(short)
  }
  return floatText(Number(value.toPrecision(9)))
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

/** The currency is the server's secret. */
function moneyText(cents: bigint): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const NUMERIC_SIGNS: Readonly<Record<number, string>> = { 0: '', 0x4000: '-' }
const NUMERIC_SPECIAL: Readonly<Record<number, string>> = { 0xc000: 'NaN', 0xd000: 'Infinity', 0xf000: '-Infinity' }
/** More zeros than this at either end, which a few bytes can claim, are not written out. */
const MAX_IMPLIED_GROUPS = 75

/** uint16 groups, int16 weight, uint16 sign, uint16 scale, then groups of four decimal digits. */
function numericText(bytes: Buffer): string | undefined {
  const body = new BodyReader(bytes, 0, bytes.length)
  const count = body.uint16()
  const weight = body.int16()
  const sign = body.uint16()
  const scale = body.uint16()
  if (NUMERIC_SPECIAL[sign] !== undefined) return NUMERIC_SPECIAL[sign]
  if (NUMERIC_SIGNS[sign] === undefined || body.left !== 2 * count) return undefined
  if (weight > count + MAX_IMPLIED_GROUPS || weight < -MAX_IMPLIED_GROUPS || scale > 4 * (count + MAX_IMPLIED_GROUPS)) return undefined
  const groups = Array.from({ length: count }, () => String(body.uint16()).padStart(4, '0'))
  const group = (power: number): string => groups[weight - power] ?? '0000'
  let whole = ''
  for (let power = weight; power >= 0; power--) whole += group(power)
  let fraction = ''
  for (let power = -1; fraction.length < scale; power--) fraction += group(power)
  const integer = whole.replace(/^0+/, '') || '0'
  return `${NUMERIC_SIGNS[sign]}${integer}${scale === 0 ? '' : `.${fraction.slice(0, scale)}`}`
}

/** byte family (2 or 3), byte bits, byte is_cidr, byte size, address. */
function inetText(bytes: Buffer): string | undefined {
  const [family, bits = 0, cidr, size] = bytes
  const address = bytes.subarray(4)
  if (address.length !== size || size !== (family === 2 ? 4 : 16)) return undefined
  const text = family === 2 ? address.join('.') : ipv6Text(address)
  return cidr === 0 && bits === size * 8 ? text : `${text}/${bits}`
}

/** Source: RFC 5952, section 4. */
function ipv6Text(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16)).join(':')
  const zeros = groups.match(/\b0(?::0)+\b/g)?.reduce((longest, run) => run.length > longest.length ? run : longest, '') ?? ''
  return zeros === '' ? groups : groups.replace(new RegExp(`(^|:)${zeros}(:|$)`), '::')
}

/** int32 bits, then the bits from the left. */
function bitText(bytes: Buffer): string | undefined {
  const bits = bytes.readInt32BE()
  if (bits < 0 || bytes.length !== 4 + Math.ceil(bits / 8)) return undefined
  return Array.from(bytes.subarray(4), (byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, bits)
}

/** int32 dimensions, int32 has NULLs, uint32 element type, { int32 length, int32 lower bound } per dimension, elements. */
function arrayText(bytes: Buffer, decode: DecodeText): string | undefined {
  const body = new BodyReader(bytes, 0, bytes.length)
  const dimensions = body.int32()
  body.skip(4)
  const type = body.uint32()
  if (dimensions === 0) return '{}'
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS) return undefined
  const lengths = Array.from({ length: dimensions }, () => {
    const length = body.int32()
    body.skip(4)
    return length
  })
  // Each element takes four bytes at least; an empty outer dimension would not have been sent.
  if (lengths.some((length) => length < 1) || lengths.reduce((product, length) => product * length, 4) > body.left) return undefined
  return level(lengths, 0, () => elementText(body, type, decode))
}

function level(lengths: readonly number[], depth: number, next: () => string): string {
  const inner = depth === lengths.length - 1 ? next : () => level(lengths, depth + 1, next)
  return `{${Array.from({ length: lengths[depth] ?? 0 }, inner).join(',')}}`
}

function elementText(body: BodyReader, type: number, decode: DecodeText): string {
  const length = body.int32()
  if (length === -1) return 'NULL'
  const text = ARRAY_ELEMENT.has(type) ? undefined : render(type, body.bytes(length), decode)
  if (text === undefined) throw new TypeError(`no text for an element of type ${type}`)
  return /^$|^null$|[{}",\\\s]/i.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text
}
