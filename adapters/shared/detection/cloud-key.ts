import { crc32 } from 'node:zlib'
import { ALPHANUMERIC, BASE64, classOf, DASH, DIGIT, endOfRun, isWord, WORD } from './characters.ts'
import { type KeyFormat, KEY_FORMATS, LABELLED_SECRETS, SLACK_HOOK } from './cloud-key-formats.ts'
import type { Finding } from './finding.ts'

/** `xxxxxxxxxxxxxxxx`, `your0000key`: fewer different characters than this are nobody's key. */
const LEAST_DIFFERENT = 6
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** In front of a key that may hold it, it means a longer token; see `findJsonWebToken`. */
const HYPHEN = 45
const MAX_ACCOUNT = 999_999_999_999n

const BY_FIRST = new Map<number, KeyFormat[]>()
for (const format of KEY_FORMATS.toSorted((a, b) => b.prefix.length - a.prefix.length)) {
  const first = format.prefix.charCodeAt(0)
  BY_FIRST.set(first, [...(BY_FIRST.get(first) ?? []), format])
}

/** The first two characters of everything `findCloudKey` knows. */
export const KEY_BEGINNINGS: readonly string[] = [...new Set([...KEY_FORMATS.map(({ prefix }) => prefix.slice(0, 2)), SLACK_HOOK.slice(0, 2)])]

/** A provider's key at `at`, by its prefix. */
export function findCloudKey(text: string, at: number): Finding | undefined {
  if (isWord(text.charCodeAt(at - 1))) return undefined
  for (const format of BY_FIRST.get(text.charCodeAt(at)) ?? []) {
    if (!text.startsWith(format.prefix, at)) continue
    const found = keyOf(format, text, at)
    if (found !== undefined) return found
  }
  return text.startsWith(SLACK_HOOK, at) ? slackHook(text, at) : undefined
}

function keyOf(format: KeyFormat, text: string, at: number): Finding | undefined {
  const { prefix, classes, least, most, check } = format
  const begin = at + prefix.length
  if ((classes & DASH) !== 0 && text.charCodeAt(at - 1) === HYPHEN) return undefined
  let end = endOfRun(text, begin, classes, most + 1)
  if (prefix === 'SG.') end = endOfSecondPart(text, end)
  if (end - begin < least || (prefix !== 'SG.' && end - begin > most)) return undefined
  if (isWord(text.charCodeAt(end)) || !isVaried(text, begin, end)) return undefined
  const confidence = check === undefined ? 0.95 : check === 'aws' ? awsConfidence(text.slice(begin, end)) : checksumConfidence(text.slice(begin, end))
  return { entity: 'cloud-key', start: at, end, confidence }
}

/** SendGrid: 22 characters, a dot, 43 characters. */
function endOfSecondPart(text: string, dot: number): number {
  if (text.charCodeAt(dot) !== 46) return dot - 22
  const end = endOfRun(text, dot + 1, WORD | DASH, 44)
  return end - dot - 1 === 43 ? end : dot - 22
}

/**
 * Access key ids are base32. Those made since 2019 hold the account's number in bits 1 to 40, which has twelve digits;
 * older ones begin with I or J and hold none.
 */
function awsConfidence(id: string): number {
  for (const character of id) if (!BASE32.includes(character)) return 0.2
  if (id.startsWith('I') || id.startsWith('J')) return 0.95
  return accountOf(id) <= MAX_ACCOUNT ? 0.97 : 0.4
}

function accountOf(id: string): bigint {
  let bits = 0n
  for (const character of id.slice(0, 10)) bits = bits << 5n | BigInt(BASE32.indexOf(character))
  return (bits >> 2n & 0x7fff_ffff_ff80n) >> 7n
}

/** The last six characters are the CRC-32 of the others, in base 62. Without it the prefix still speaks for itself. */
function checksumConfidence(token: string): number {
  let sum = crc32(token.slice(0, 30))
  let written = ''
  for (let digit = 0; digit < 6; digit++, sum = Math.floor(sum / 62)) written = `${BASE62[sum % 62]}${written}`
  return written === token.slice(30) ? 0.99 : 0.8
}

function isVaried(text: string, begin: number, end: number): boolean {
  return new Set(text.slice(begin, Math.min(end, begin + 64))).size >= LEAST_DIFFERENT
}

/** `…/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX` */
function slackHook(text: string, at: number): Finding | undefined {
  const begin = at + SLACK_HOOK.length
  const end = endOfRun(text, begin, ALPHANUMERIC | BASE64, 80)
  return end - begin >= 40 && isVaried(text, begin, end) ? { entity: 'cloud-key', start: at, end, confidence: 0.95 } : undefined
}

/** Between a name and its value: `": "`, `=`, ` => `. */
const MAX_BETWEEN_CHARS = 8

/** The value behind a name that says what it is: `aws_secret_access_key = …`, `AccountKey=…`. The name is `[at, end)`. */
export function findLabelledSecret(text: string, at: number, end: number): Finding | undefined {
  const length = lengthOfLabelled(text.slice(at, end))
  if (length === undefined) return undefined
  let begin = end
  while (begin - end < MAX_BETWEEN_CHARS && isBetween(text.charCodeAt(begin))) begin++
  return begin === end ? undefined : findSecretOf(text, begin, length, 0.9)
}

export function lengthOfLabelled(name: string): number | undefined {
  return LABELLED_SECRETS.get(name.toLowerCase().replaceAll(/[_-]/g, ''))
}

/** So many characters of base64 with letters of both cases and digits among them. */
export function findSecretOf(text: string, begin: number, length: number, confidence: number): Finding | undefined {
  const padding = length === 88 ? 2 : length === 44 ? 1 : 0
  const end = endOfRun(text, begin, ALPHANUMERIC | BASE64, length + 1)
  if (end - begin !== length - padding || !text.startsWith('='.repeat(padding), end)) return undefined
  const value = text.slice(begin, end)
  const mixed = /[A-Z]/.test(value) && /[a-z]/.test(value) && isVaried(text, begin, end)
  return mixed ? { entity: 'cloud-key', start: begin, end: end + padding, confidence } : undefined
}

/** A secret key straight behind its access key id, as in AWS's CSV file. `end` is the end of the id. */
export function findSecretBehindId(text: string, end: number): Finding | undefined {
  let begin = end
  while (begin - end < 4 && isBetween(text.charCodeAt(begin))) begin++
  return begin === end ? undefined : findSecretOf(text, begin, 40, 0.85)
}

function isBetween(code: number): boolean {
  return code === 32 || code === 9 || code === 34 || code === 39 || code === 44 || code === 58 || code === 61 || code === 62 || code === 92
}

/** An Azure client secret around the `~` at `tilde`: three characters, a digit, `Q~`, and 31 to 34 characters. */
export function findAzureSecret(text: string, tilde: number): Finding | undefined {
  const start = tilde - 5
  if (start < 0 || text.charCodeAt(tilde - 1) !== 81 || (classOf(text.charCodeAt(tilde - 2)) & DIGIT) === 0) return undefined
  for (let at = start; at < tilde - 2; at++) if (!isOfAzure(text.charCodeAt(at))) return undefined
  let end = tilde + 1
  while (end - tilde < 36 && isOfAzure(text.charCodeAt(end))) end++
  const length = end - tilde - 1
  if (length < 31 || length > 34 || !isVaried(text, tilde + 1, end)) return undefined
  return { entity: 'cloud-key', start, end, confidence: 0.93 }
}

function isOfAzure(code: number): boolean {
  return (classOf(code) & (WORD | DASH)) !== 0 || code === 46 || code === 126
}
