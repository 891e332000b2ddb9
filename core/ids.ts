/**
 * Event ids that a retry would make again: UUIDv8 (RFC 9562, section 5.8) of 58 random bits from the
 * stream's own UUID and 60 bits of revision.
 */
export function eventIds(streamId: string): (revision: number) => string {
  const prefix = `${streamId.slice(0, 8)}-${streamId.slice(9, 13)}-8${streamId.slice(15, 18)}-8`
  return (revision) => {
    const digits = revision.toString(16).padStart(15, '0')
    return `${prefix}${digits.slice(0, 3)}-${digits.slice(3)}`
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** A short id a person can read out: 50 random bits in Crockford's base 32. */
export function shortId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10))
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join('')
}
