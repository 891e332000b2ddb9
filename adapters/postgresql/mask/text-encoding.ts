/**
 * What a mask must know of `client_encoding` to change bytes without breaking characters.
 * - `utf8`: characters can be told apart.
 * - `single-byte`: every byte is a character.
 * - `other`: multi-byte, or unknown; only values that are ASCII throughout can be read.
 */
export type TextEncoding = 'utf8' | 'single-byte' | 'other'

const SINGLE_BYTE = /^(latin(10|[1-9])|iso8859\d{1,2}|win(1250|1251|1252|1253|1254|1255|1256|1257|1258|866|874)|koi8[ru]?|abc|tcvn|tcvn5712|vscii|alt)$/

/** Names as PostgreSQL takes them: case and punctuation do not count. SQL_ASCII says nothing about its bytes. */
export function textEncoding(clientEncoding: string): TextEncoding {
  const name = clientEncoding.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (name === 'utf8' || name === 'unicode') return 'utf8'
  return SINGLE_BYTE.test(name) ? 'single-byte' : 'other'
}

/**
 * Bytes of the UTF-8 character at `at`, 0 when it is malformed or cut by `end`.
 * Source: RFC 3629, section 4 (over-long forms and surrogates are malformed).
 */
export function utf8Length(bytes: Uint8Array, at: number, end: number): 0 | 1 | 2 | 3 | 4 {
  const lead = bytes[at] as number
  if (lead < 0x80) return 1
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
  if (length === 0 || at + length > end || !secondFits(lead, bytes[at + 1] as number)) return 0
  for (let i = at + 2; i < at + length; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80) return 0
  }
  return length
}

function secondFits(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0 && second <= 0xbf
  if (lead === 0xed) return second >= 0x80 && second <= 0x9f
  if (lead === 0xf0) return second >= 0x90 && second <= 0xbf
  if (lead === 0xf4) return second >= 0x80 && second <= 0x8f
  return (second & 0xc0) === 0x80
}
