/**
 * Keeps a little of a text and covers the rest with `*`, byte for byte, in place.
 *
 * A heuristic of form, not of meaning: it does not know what the text is. It keeps
 * - of an e-mail address the domain, and the first character of a local part of four or more: `j***@example.com`;
 * - of 10 to 40 digits (a card, an account, a telephone number), with spaces, hyphens, brackets, slashes and a plus sign between
 *   them or not, the last four: `**** **** **** 1111`;
 * - of what is written like an IBAN the last four as well: `**** **** **** **** **30 00`;
 * - of anything else of four or more characters the first: `S*******`; of less, nothing.
 */
import { fillBytes } from '../../shared/bytes.ts'
import { type TextEncoding, utf8Length } from './text-encoding.ts'

const STAR = 0x2a
const AT = 0x40
const SPACE = 0x20

// What a byte may be part of. DIGIT is 1, so that it can be summed.
const DIGIT = 1, NUMBERING = 2, LOCAL = 4, DOMAIN = 8, HIGH = 16, ACCOUNT = 32
const CLASS = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) CLASS[byte] = classOf(String.fromCharCode(byte), byte)

/** RFC 5322 `dot-atom` with RFC 6531's non-ASCII for the local part; host name characters for the domain. */
function classOf(char: string, byte: number): number {
  return (/\d/.test(char) ? DIGIT : 0)
    | (/[\d ()/+-]/.test(char) ? NUMBERING : 0)
    | (/[A-Z\d -]/.test(char) ? ACCOUNT : 0)
    | (byte >= 0x80 || /[\w.!#$%&'*+/=?^`{|}~-]/.test(char) ? LOCAL : 0)
    | (/[a-zA-Z\d.-]/.test(char) ? DOMAIN : 0)
    | (byte >= 0x80 ? HIGH : 0)
}

/** RFC 5321, 4.5.3.1: longer is no address. */
const MAX_EMAIL_BYTES = 320
/** Eight are a date. */
const MIN_NUMBER_DIGITS = 10
const MAX_NUMBER_DIGITS = 40
/** What is kept of anything else is never more than a quarter. */
const MIN_KEEP_CHARACTERS = 4

/** Masks `[start, end)`. Valid text stays valid in `encoding`; the number of bytes stays, that of characters may grow. */
export function maskTextInPlace(bytes: Buffer, start: number, end: number, encoding: TextEncoding): void {
  if (end - start > MAX_EMAIL_BYTES) return coverAfterFirst(bytes, start, end, encoding)
  let digits = 0, at = -1, every = 0xff, any = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    const flags = CLASS[byte] as number
    digits += flags & DIGIT
    every &= flags
    any |= flags
    if (byte === AT) at = at === -1 ? i : end
  }
  if ((any & HIGH) !== 0 && encoding === 'other') return fillBytes(bytes, STAR, start, end)
  if ((every & NUMBERING) !== 0 && digits >= MIN_NUMBER_DIGITS && digits <= MAX_NUMBER_DIGITS) return coverNumber(bytes, start, digits - 4)
  if ((every & ACCOUNT) !== 0 && digits >= MIN_NUMBER_DIGITS && isAccount(bytes, start, end)) return coverAccount(bytes, start, end)
  if (at > start && at < end && isEmail(bytes, start, at, end)) return coverAfterFirst(bytes, start, at, encoding)
  coverAfterFirst(bytes, start, end, encoding)
}

/** Covers the first `count` digits; spaces and hyphens stay. */
function coverNumber(bytes: Buffer, start: number, count: number): void {
  for (let i = start, left = count; left > 0; i++) {
    if (((CLASS[bytes[i] as number] as number) & DIGIT) === 0) continue
    bytes[i] = STAR
    left--
  }
}

/** Two letters, two digits, then digits and maybe letters, 15 to 34 in all. Source: ISO 13616. */
function isAccount(bytes: Buffer, start: number, end: number): boolean {
  return /^[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]){11,30}$/.test(bytes.toString('latin1', start, end))
}

/** Covers letters and digits but the last four; spaces and hyphens stay. */
function coverAccount(bytes: Buffer, start: number, end: number): void {
  for (let i = end - 1, kept = 0; i >= start; i--) {
    const byte = bytes[i] as number
    if (byte === SPACE || byte === 0x2d || kept++ < 4) continue
    bytes[i] = STAR
  }
}

/** Where the `@` of a text stands that has the form of an e-mail address, or -1. */
export function emailSign(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(AT, start)
  return at > start && at < end && isEmail(bytes, start, at, end) ? at : -1
}

function isEmail(bytes: Buffer, start: number, at: number, end: number): boolean {
  for (let i = start; i < at; i++) if (((CLASS[bytes[i] as number] as number) & LOCAL) === 0) return false
  let dot = -1
  for (let i = at + 1; i < end; i++) {
    if (((CLASS[bytes[i] as number] as number) & DOMAIN) === 0) return false
    if (bytes[i] === 0x2e) dot = i
  }
  return dot > at + 1 && dot < end - 1
}

function coverAfterFirst(bytes: Buffer, start: number, end: number, encoding: TextEncoding): void {
  fillBytes(bytes, STAR, start + keptBytes(bytes, start, end, encoding), end)
}

/** Bytes of the first character, 0 when the text is too short (or its first characters malformed) to keep any. */
function keptBytes(bytes: Buffer, start: number, end: number, encoding: TextEncoding): number {
  if (end - start < MIN_KEEP_CHARACTERS || (bytes[start] as number) <= SPACE) return 0
  if (encoding === 'single-byte') return 1
  let at = start
  for (let characters = 0; characters < MIN_KEEP_CHARACTERS; characters++) {
    const length = at < end ? characterLength(bytes, at, end, encoding) : 0
    if (length === 0) return 0
    at += length
  }
  return characterLength(bytes, start, end, encoding)
}

function characterLength(bytes: Buffer, at: number, end: number, encoding: TextEncoding): number {
  if (encoding === 'utf8') return utf8Length(bytes, at, end)
  return (bytes[at] as number) < 0x80 ? 1 : 0
}
