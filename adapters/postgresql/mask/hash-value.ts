/**
 * Stable stand-ins: equal values get equal ones, in text and in binary format, so that joins still work.
 *
 * HMAC-SHA-256 (RFC 2104) with a key derived per family of types. What is shown:
 * - text types: 32 hexadecimal digits (fewer when the type holds fewer), over the characters in the client's encoding;
 *   the padding of `char(n)` is not part of the value;
 * - uuid: 16 bytes of it, marked as version 8 (RFC 9562);
 * - smallint, integer, bigint: a number from 0 to the type's largest; in smallint collisions are to be expected;
 * - bytea: 16 bytes of it.
 * Other types have too few values, or no form for a hash: they become NULL.
 */
import { keyedDigest, subkey, type KeyedDigest } from './keyed-digest.ts'
import { isTextType, maxCharacters, OID } from './type-oids.ts'

/** What becomes of a value: the bytes in its place, or null for SQL NULL. */
export type HashValue = (bytes: Buffer, start: number, end: number) => Buffer | null

/** Longest result: the digits of a text. */
export const MAX_HASH_BYTES = 36

/** @returns the function for one column, or null when its type has no hashed form. */
export function hashValue(type: number, typmod: number, format: 0 | 1, key: Buffer): HashValue | null {
  const digest = (family: string): KeyedDigest => keyedDigest(subkey(key, family))
  if (isTextType(type)) return hashText(type, typmod, digest('text'))
  if (type === OID.uuid) return hashUuid(format, digest('uuid'))
  if (type === OID.bytea) return hashBytea(format, digest('bytea'))
  const bytes = INTEGER_BYTES.get(type)
  return bytes === undefined ? null : hashInteger(bytes, format, digest('integer'))
}

function bytesOf(digest: KeyedDigest, value: Buffer): Buffer {
  return Buffer.from(digest(value, 0, value.length, 'latin1'), 'latin1')
}

const HASH_DIGITS = 32
const SPACE = 0x20

function hashText(type: number, typmod: number, digest: KeyedDigest): HashValue {
  const digits = Math.min(HASH_DIGITS, maxCharacters(type, typmod))
  return (bytes, start, end) => {
    const last = type === OID.bpchar ? trimmedEnd(bytes, start, end) : end
    return Buffer.from(digest(bytes, start, last, 'hex').slice(0, digits), 'latin1')
  }
}

/** Where the value ends without the padding of `char(n)`. */
export function trimmedEnd(bytes: Buffer, start: number, end: number): number {
  let last = end
  while (last > start && bytes[last - 1] === SPACE) last--
  return last
}

function hashUuid(format: 0 | 1, digest: KeyedDigest): HashValue {
  return (bytes, start, end) => {
    const value = format === 1 ? bytes.subarray(start, end) : Buffer.from(bytes.toString('latin1', start, end).replaceAll('-', ''), 'hex')
    const hash = bytesOf(digest, value).subarray(0, 16)
    hash[6] = (hash[6] as number) & 0x0f | 0x80
    hash[8] = (hash[8] as number) & 0x3f | 0x80
    return format === 1 ? hash : Buffer.from(hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
  }
}

const INTEGER_BYTES: ReadonlyMap<number, 2 | 4 | 8> = new Map([[OID.int2, 2], [OID.int4, 4], [OID.int8, 8]] as const)

function hashInteger(size: 2 | 4 | 8, format: 0 | 1, digest: KeyedDigest): HashValue {
  const wide = Buffer.alloc(8)
  return (bytes, start, end) => {
    if (format === 1 && end - start !== size) return null
    const value = format === 1 ? bytes.subarray(start, end) : integerBytes(bytes.toString('latin1', start, end), size, wide)
    if (value === null) return null
    const hash = bytesOf(digest, value).subarray(0, size)
    hash[0] = (hash[0] as number) & 0x7f
    return format === 1 ? hash : Buffer.from(BigInt(`0x${hash.toString('hex')}`).toString())
  }
}

/** The decimal digits of the text format as the bytes of the binary one. */
function integerBytes(text: string, size: number, wide: Buffer): Buffer | null {
  if (!/^-?\d{1,19}$/.test(text)) return null
  wide.writeBigInt64BE(BigInt.asIntN(64, BigInt(text)))
  return wide.subarray(8 - size)
}

function hashBytea(format: 0 | 1, digest: KeyedDigest): HashValue {
  return (bytes, start, end) => {
    const hash = bytesOf(digest, format === 1 ? bytes.subarray(start, end) : byteaBytes(bytes, start, end)).subarray(0, 16)
    return format === 1 ? hash : Buffer.from(`\\x${hash.toString('hex')}`)
  }
}

const BACKSLASH = 0x5c

/** What a bytea's text stands for, in `bytea_output` hex or escape. Source: byteaout, src/backend/utils/adt/varlena.c. */
function byteaBytes(bytes: Buffer, start: number, end: number): Buffer {
  if (end - start >= 2 && bytes[start] === BACKSLASH && bytes[start + 1] === 0x78) return Buffer.from(bytes.toString('latin1', start + 2, end), 'hex')
  const value = Buffer.allocUnsafe(end - start)
  let length = 0
  for (let i = start; i < end; length++) {
    const octal = bytes[i] === BACKSLASH && bytes[i + 1] !== BACKSLASH
    value[length] = octal ? Number.parseInt(bytes.toString('latin1', i + 1, i + 4), 8) : bytes[i] as number
    i += octal ? 4 : bytes[i] === BACKSLASH ? 2 : 1
  }
  return value.subarray(0, length)
}
