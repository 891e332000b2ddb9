/**
 * Event ids that a retry would make again: UUIDv8 (RFC 9562, section 5.8) of 58 random bits from the
 * stream's own UUID and 60 bits of revision.
 */
export function eventIds(streamId: string): (revision: number) => string {
  const prefix = `${streamId.slice(0, 8)}-${streamId.slice(9, 13)}-8${streamId.slice(15, 18)}-8000-`
  const id = Buffer.from(prefix.padEnd(UUID_LENGTH, '0'), 'latin1')
  let last = 0
  return (revision) => {
    // Nearly always the next one: then only its last digits change.
    if (revision !== last + 1 || !countUp(id)) writeDigits(id, revision)
    last = revision
    // Read from bytes, the string is in one piece: see in-one-piece.ts.
    return id.toString('latin1')
  }
}

const UUID_LENGTH = 36
const HEX = '0123456789abcdef'
/** Of the 15 digits of the revision, the last first; a dash stands before the last 12. */
const DIGIT_PLACES = [35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 22, 21, 20]
const ZERO = 0x30
const NINE = 0x39
const LOWER_A = 0x61
const LOWER_F = 0x66

/** False when there is no digit left to count up. */
function countUp(id: Buffer): boolean {
  for (const at of DIGIT_PLACES) {
    const digit = id[at] ?? LOWER_F
    id[at] = digit === NINE ? LOWER_A : digit === LOWER_F ? ZERO : digit + 1
    if (digit !== LOWER_F) return true
  }
  return false
}

function writeDigits(id: Buffer, revision: number): void {
  let left = revision
  for (const at of DIGIT_PLACES) {
    id[at] = HEX.charCodeAt(left % 16)
    left = Math.floor(left / 16)
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** A short id a person can read out: 50 random bits in Crockford's base 32. */
export function shortId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10))
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join('')
}
