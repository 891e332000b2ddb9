import { LEFT_TO_RIGHT, MAPPED_TO_NOTHING, NON_ASCII_SPACE, PROHIBITED, RIGHT_TO_LEFT, UNASSIGNED } from './saslprep-tables.ts'

/**
 * Prepares a password as PostgreSQL's `pg_saslprep` does (RFC 4013, with PostgreSQL's own departures): pure ASCII is
 * taken as it is, and a password that SASLprep prohibits is used unprepared instead of being refused.
 */
export function saslprep(password: string): string {
  if (Buffer.byteLength(password) === password.length) return password
  const mapped = map(password)
  // RFC 4013 checks what normalisation made; PostgreSQL what went into it, and its verifiers are to be met.
  const codePoints = Array.from(mapped, (character) => character.codePointAt(0) ?? 0)
  if (codePoints.length === 0 || codePoints.some(isProhibited) || breaksDirection(codePoints)) return password
  return mapped.normalize('NFKC')
}

/** RFC 4013, section 2.1. */
function map(password: string): string {
  let mapped = ''
  for (const character of password) {
    const codePoint = character.codePointAt(0) ?? 0
    if (NON_ASCII_SPACE.has(codePoint)) mapped += ' '
    else if (!MAPPED_TO_NOTHING.has(codePoint)) mapped += character
  }
  return mapped
}

/** RFC 4013, sections 2.3 and 2.5. */
function isProhibited(codePoint: number): boolean {
  return PROHIBITED.has(codePoint) || UNASSIGNED.has(codePoint)
}

/** RFC 3454, section 6: right-to-left text starts and ends so, and has nothing left-to-right in it. */
function breaksDirection(codePoints: readonly number[]): boolean {
  if (!codePoints.some((codePoint) => RIGHT_TO_LEFT.has(codePoint))) return false
  const [first = 0] = codePoints
  const last = codePoints.at(-1) ?? 0
  return !RIGHT_TO_LEFT.has(first) || !RIGHT_TO_LEFT.has(last) || codePoints.some((codePoint) => LEFT_TO_RIGHT.has(codePoint))
}
