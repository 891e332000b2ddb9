import { classOf, DIGIT, endOfRun, UPPER } from './characters.ts'
import type { Finding } from './finding.ts'

/** `-----BEGIN ENCRYPTED PRIVATE KEY-----` and its like: what may stand between. Source: RFC 7468; RFC 4716; RFC 9580, section 6.2. */
const LABELS = ['PRIVATE KEY', 'PRIVATE KEY BLOCK']
const MAX_LABEL_CHARS = 48
/** A body of fewer characters than this is no key, but somebody writing about keys. */
const LEAST_BODY_CHARS = 32
const DASH = 45
const SPACE = 32

export interface Armour {
  /** Where to go on. */
  readonly next: number
  readonly finding: Finding | undefined
}

/** A private key in armour, whose dashes begin at `at`. Lines may end in `\n` as two characters, as JSON has it. */
export function findPrivateKey(text: string, at: number): Armour {
  const dashes = endOfDashes(text, at)
  const header = endOfHeader(text, dashes)
  if (header < 0) return { next: dashes, finding: undefined }
  const end = endOfKey(text, header)
  const body = end - header
  const alone = text.slice(0, at).trim() === '' && text.slice(header).trim() === ''
  const confidence = body >= LEAST_BODY_CHARS ? 0.99 : alone ? 0.8 : 0.3
  return { next: end, finding: { entity: 'private-key', start: at, end, confidence } }
}

/** `BEGIN`, a label of capitals that is one of ours, and dashes: the end of them, or -1. */
function endOfHeader(text: string, at: number): number {
  const begin = text.charCodeAt(at) === SPACE ? at + 1 : at
  if (!text.startsWith('BEGIN ', begin)) return -1
  let end = begin + 6
  while (end - begin < MAX_LABEL_CHARS && (text.charCodeAt(end) === SPACE || (classOf(text.charCodeAt(end)) & (UPPER | DIGIT)) !== 0)) end++
  const label = text.slice(begin + 6, end).trimEnd()
  if (text.charCodeAt(end) !== DASH || !LABELS.some((known) => label === known || label.endsWith(` ${known}`))) return -1
  return endOfDashes(text, end)
}

/** Through the line of dashes that ends it. Without one, as far as it goes on like a key. */
function endOfKey(text: string, header: number): number {
  const dashes = text.indexOf('----', header)
  const limit = dashes < 0 ? text.length : dashes
  const body = endOfBody(text, header, limit)
  if (dashes < 0 || body < limit) return body
  const begin = endOfDashes(text, dashes)
  const label = text.charCodeAt(begin) === SPACE ? begin + 1 : begin
  if (!text.startsWith('END ', label)) return body
  const closing = text.indexOf('----', begin)
  return closing < 0 || closing - begin > MAX_LABEL_CHARS + 8 ? begin : endOfDashes(text, closing)
}

/** Base64, white space, and the headers of old PEM and of PGP (`Proc-Type: 4,ENCRYPTED`). */
function endOfBody(text: string, from: number, limit: number): number {
  let at = from
  while (at < limit && isOfBody(text.charCodeAt(at))) at++
  return at
}

function isOfBody(code: number): boolean {
  return classOf(code) !== 0 || code === SPACE || code === 9 || code === 10 || code === 13 || code === 61 || code === 92 || code === 58 || code === 44 || code === 46
}

function endOfDashes(text: string, at: number): number {
  let end = at
  while (text.charCodeAt(end) === DASH) end++
  return end
}

const PUTTY = 'PuTTY-User-Key-File-'
const AGE = 'AGE-SECRET-KEY-1'
const MAX_PUTTY_CHARS = 65_536

/** Keys that do not come in dashes: PuTTY's files (to their end, or 64 Ki characters), and age's. */
export function findBareKey(text: string, at: number): Finding | undefined {
  if (text.startsWith(PUTTY, at) && /^[123]: /.test(text.slice(at + PUTTY.length, at + PUTTY.length + 3))) {
    return { entity: 'private-key', start: at, end: Math.min(text.length, at + MAX_PUTTY_CHARS), confidence: 0.97 }
  }
  if (!text.startsWith(AGE, at)) return undefined
  const end = endOfRun(text, at + AGE.length, UPPER | DIGIT, 59)
  return end - at - AGE.length === 58 ? { entity: 'private-key', start: at, end, confidence: 0.99 } : undefined
}
