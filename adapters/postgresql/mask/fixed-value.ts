import { putInt32 } from '../../shared/bytes.ts'
import { ARRAY_ELEMENT, isTextType, maxCharacters, OID } from './type-oids.ts'

const zeros = (bytes: number): Buffer => Buffer.alloc(bytes)
const NO_ADDRESS = [0, 0, 0, 0]
const AF_INET = 2

/** Text and binary form of one constant per type. Source: each type's `_in` and `_recv` in src/backend/utils/adt. */
const CONSTANTS: ReadonlyMap<number, readonly [text: string, binary: Buffer]> = new Map([
  [OID.bool, ['f', zeros(1)]],
  [OID.bytea, ['\\x', zeros(0)]],
  [OID.int2, ['0', zeros(2)]],
  [OID.int4, ['0', zeros(4)]],
  [OID.int8, ['0', zeros(8)]],
  [OID.oid, ['0', zeros(4)]],
  [OID.float4, ['0', zeros(4)]],
  [OID.float8, ['0', zeros(8)]],
  [OID.money, ['0', zeros(8)]],
  // Binary dates and timestamps count from 2000-01-01.
  [OID.date, ['2000-01-01', zeros(4)]],
  [OID.time, ['00:00:00', zeros(8)]],
  [OID.timetz, ['00:00:00+00', zeros(12)]],
  [OID.timestamp, ['2000-01-01 00:00:00', zeros(8)]],
  [OID.timestamptz, ['2000-01-01 00:00:00+00', zeros(8)]],
  [OID.interval, ['00:00:00', zeros(16)]],
  [OID.uuid, ['00000000-0000-0000-0000-000000000000', zeros(16)]],
  [OID.json, ['"***"', Buffer.from('"***"')]],
  [OID.jsonb, ['"***"', Buffer.from('\x01"***"')]],
  // An element, so that it is valid both as CONTENT and as DOCUMENT.
  [OID.xml, ['<masked/>', Buffer.from('<masked/>')]],
  // family, bits, is_cidr, address length, address
  [OID.inet, ['0.0.0.0', Buffer.from([AF_INET, 32, 0, 4, ...NO_ADDRESS])]],
  [OID.cidr, ['0.0.0.0/32', Buffer.from([AF_INET, 32, 1, 4, ...NO_ADDRESS])]],
  [OID.macaddr, ['00:00:00:00:00:00', zeros(6)]],
  [OID.macaddr8, ['00:00:00:00:00:00:00:00', zeros(8)]],
  [OID.varbit, ['', zeros(4)]],
  [OID.pg_lsn, ['0/0', zeros(8)]],
  // No lexemes. (An empty tsquery, which the server itself sends, it does not take back in binary format.)
  [OID.tsvector, ['', zeros(4)]],
])

/** Wider `bit(n)` columns become NULL: the constant would be as long as a peer says. */
export const MAX_FIXED_BITS = 1024

/**
 * The constant a `fixed` mask shows: valid for the type and its modifier, the same for every value.
 * @returns the bytes in that format, or null (SQL NULL) for types without one: enums, composites, ranges, geometry, tsquery, extensions' types, arrays of these.
 */
export function fixedValue(type: number, typmod: number, format: 0 | 1): Buffer | null {
  if (isTextType(type)) return Buffer.from('*'.repeat(Math.min(3, maxCharacters(type, typmod))))
  if (type === OID.bit) return fixedBits(typmod, format)
  if (type === OID.numeric) return zeroNumeric(typmod, format)
  const element = ARRAY_ELEMENT.get(type)
  if (element !== undefined) return format === 0 ? Buffer.from('{}') : emptyArray(element)
  const constant = CONSTANTS.get(type)
  return constant === undefined ? null : format === 0 ? Buffer.from(constant[0]) : constant[1]
}

/** `bit(n)` takes exactly n bits; its modifier is n itself. */
function fixedBits(typmod: number, format: 0 | 1): Buffer | null {
  const bits = typmod < 0 ? 1 : typmod
  if (bits > MAX_FIXED_BITS) return null
  if (format === 0) return Buffer.from('0'.repeat(bits))
  const binary = zeros(4 + Math.ceil(bits / 8))
  putInt32(binary, 0, bits)
  return binary
}

/**
 * 0 with as many decimals as the column shows; at most 1000, negative scales show none.
 * Binary: digits (0), weight, sign, scale. Source: make_numeric_typmod, numeric_send in numeric.c.
 */
function zeroNumeric(typmod: number, format: 0 | 1): Buffer {
  const scale = typmod < 4 ? 0 : Math.min(1000, Math.max(0, ((typmod - 4 & 0x7ff) ^ 1024) - 1024))
  if (format === 0) return Buffer.from(scale === 0 ? '0' : `0.${'0'.repeat(scale)}`)
  const binary = zeros(8)
  putInt32(binary, 4, scale)
  return binary
}

/** Number of dimensions (0), has-nulls flag (0), element type. Source: array_recv. */
function emptyArray(element: number): Buffer {
  const binary = zeros(12)
  putInt32(binary, 8, element)
  return binary
}
