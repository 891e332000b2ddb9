/**
 * A coarser text: what is kept is true of the value, and of many others.
 *
 * A heuristic of form, like partial-text.ts. It keeps
 * - of an e-mail address the domain: `*@example.com`;
 * - of a date in ISO style the year: `1984-01-01`;
 * - of an IPv4 address the /16 network: `192.168.0.0/16`;
 * - of what may be a postal code (four to ten letters of capital or digits, two digits at least, one space or hyphen at most)
 *   the first half, at most three characters: `902**`, `SW1* ***`.
 * Anything else has no coarser form: the caller covers it.
 */
import { maskDateText } from './partial-date.ts'
import { emailSign } from './partial-text.ts'

const LONGEST = 320
const DATE_CHARACTERS = 10
const IPV4 = /^(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}$/
const POSTAL_CODE = /^(?=(?:.*\d){2})[A-Z\d]+[ -]?[A-Z\d]+$/
const MIN_POSTAL = 4
const MAX_POSTAL = 10
const MAX_KEPT = 3

/** Ends never grow, but for the `/16` of a network. */
export const GENERALISED_TEXT_GROWTH = 3

/** @returns the bytes in its place, or `undefined` when there is no coarser form. May write to the bytes either way. */
export function generaliseText(bytes: Buffer, start: number, end: number): Buffer | undefined {
  if (end - start > LONGEST || end === start) return undefined
  const at = emailSign(bytes, start, end)
  if (at >= 0) return withStar(bytes, at, end)
  if (end - start === DATE_CHARACTERS && maskDateText(bytes, start, end)) return bytes.subarray(start, end)
  const text = bytes.toString('latin1', start, end)
  const [, network] = IPV4.exec(text) ?? []
  if (network !== undefined) return Buffer.from(`${network}.0.0/16`)
  const postal = text.length >= MIN_POSTAL && text.length <= MAX_POSTAL && POSTAL_CODE.test(text)
  return postal ? Buffer.from(postalArea(text), 'latin1') : undefined
}

/** `*@example.com` */
function withStar(bytes: Buffer, at: number, end: number): Buffer {
  bytes[at - 1] = 0x2a
  return bytes.subarray(at - 1, end)
}

function postalArea(code: string): string {
  const kept = Math.min(MAX_KEPT, Math.floor(code.length / 2))
  return code.slice(0, kept) + code.slice(kept).replace(/[A-Z\d]/g, '*')
}
