/**
 * What detection finds in a text, masked where it stands. No text grows: not in characters, and not in bytes.
 *
 * | method       | what was found becomes                                                                        |
 * |--------------|-----------------------------------------------------------------------------------------------|
 * | `partial`    | last four letters or digits of a number or account; domain of an e-mail address; else the first character |
 * | `generalise` | `*` and the domain of an e-mail address; the /16 of an IPv4 address; else `***`               |
 * | `shuffle`    | as in a column                                                                                |
 * | `hash`       | hexadecimal digits, as many as it had characters, at most 32                                  |
 * | `fixed`      | `***`                                                                                         |
 * | `null`       | the whole value becomes NULL                                                                  |
 */
import { keyedDigest, subkey } from '../mask/keyed-digest.ts'
import { shuffleText } from '../mask/shuffle-text.ts'
import type { ContentDetection, MaskedFinding } from './content-detection.ts'

export interface FindingsMaskOptions {
  /** Secret of `hash` and `shuffle`. */
  readonly key: Buffer
  /** Findings keep their length, so that what stands around them, whatever it is, keeps its place. */
  readonly sameLength?: boolean
  /** Where a finding holds one of these characters, nothing of the text may stay: it is more than text. */
  readonly notWithin?: RegExp
}

/** `undefined`: nothing was found. `null`: the value must not be shown at all. `whole`: it must be replaced by its type's constant. */
export type MaskedText = string | null | undefined | typeof WHOLE
export const WHOLE: unique symbol = Symbol('whole')

export function maskTextFindings(text: string, hint: string, detection: ContentDetection, options: FindingsMaskOptions): MaskedText {
  const findings = detection.find(text, hint)
  if (findings.length === 0) return undefined
  let masked = ''
  let at = 0
  for (const finding of findings) {
    const found = text.slice(finding.start, finding.end)
    if (finding.method === 'null') return null
    if (options.notWithin?.test(found) === true) return WHOLE
    masked += text.slice(at, finding.start) + maskFinding(found, finding, options)
    at = finding.end
  }
  return masked + text.slice(at)
}

function maskFinding(found: string, finding: MaskedFinding, options: FindingsMaskOptions): string {
  if (options.sameLength !== true) return maskBy(found, finding, options)
  // Bytes of any encoding: only of ASCII is it known what they are.
  return /^[\x20-\x7e]*$/.test(found) ? maskBy(found, finding, options).padEnd(found.length, '*') : '*'.repeat(found.length)
}

const HASH_DIGITS = 32
const CONSTANT = '***'

function maskBy(found: string, { entity, method }: MaskedFinding, { key }: FindingsMaskOptions): string {
  switch (method) {
    case 'partial': return partOf(found, entity)
    case 'generalise': return coarse(found, entity)
    case 'shuffle': return shuffled(found, key)
    case 'hash': return hashed(found, entity, key)
    default: return CONSTANT.slice(0, found.length)
  }
}

function hashed(found: string, entity: string, key: Buffer): string {
  const bytes = Buffer.from(found)
  return keyedDigest(subkey(key, `detected ${entity}`))(bytes, 0, bytes.length, 'hex').slice(0, Math.min(HASH_DIGITS, found.length))
}

const LAST_FOUR: readonly string[] = ['card-number', 'iban', 'us-ssn', 'phone']
const KEPT = 4

function partOf(found: string, entity: string): string {
  if (LAST_FOUR.includes(entity)) return lastFour(found)
  const domain = entity === 'email' ? domainOf(found) : ''
  const local = Array.from(found.slice(0, found.length - domain.length))
  const first = local.length >= KEPT ? local[0] ?? '' : ''
  return first + '*'.repeat(local.length - (first === '' ? 0 : 1)) + domain
}

function lastFour(found: string): string {
  let kept = 0
  let masked = ''
  for (const character of Array.from(found).toReversed()) masked = (!/[\p{L}\p{Nd}]/u.test(character) || kept++ < KEPT ? character : '*') + masked
  return masked
}

/** With its `@`, which may be `%40`. */
function domainOf(address: string): string {
  return /(?:@|%40)[^@%]*$/.exec(address)?.[0] ?? ''
}

function coarse(found: string, entity: string): string {
  if (entity === 'email') return `*${domainOf(found)}`.slice(0, found.length)
  const [, network] = entity === 'ip-address' ? /^(\d{1,3}\.\d{1,3})\.\d/.exec(found) ?? [] : []
  return network === undefined ? CONSTANT.slice(0, found.length) : `${network}.0.0`
}

function shuffled(found: string, key: Buffer): string {
  const bytes = Buffer.from(found)
  shuffleText(bytes, 0, bytes.length, 'utf8', keyedDigest(subkey(key, 'shuffle text')), Infinity)
  return bytes.toString()
}
