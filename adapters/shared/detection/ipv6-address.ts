import { classOf, HEX, isDigit, isWord } from './characters.ts'
import type { Finding } from './finding.ts'

/** The longest spelling, with an IPv4 tail. A longer run of its characters is something else. */
const MAX_CHARS = 45
const COLON = 58
const DOT = 46

export interface ColonRun {
  /** Where to go on; all that was looked at lies before. */
  readonly next: number
  readonly finding: Finding | undefined
}

/**
 * An IPv6 address around its first colon at `colon`. Source: RFC 4291, section 2.2. Not: times, MAC addresses,
 * fingerprints, `std::string`, `a::b`.
 */
export function findIpv6(text: string, colon: number): ColonRun {
  let start = colon
  while (start > 0 && colon - start < 5 && isHex(text.charCodeAt(start - 1))) start--
  let end = colon
  while (end < text.length && isPart(text.charCodeAt(end))) end++
  if (end - start > MAX_CHARS) return { next: end, finding: undefined }
  const close = withoutEnding(text, start, end)
  const clean = !isWord(text.charCodeAt(start - 1)) && !isWord(text.charCodeAt(end)) && text.charCodeAt(start - 1) !== DOT
  const confidence = clean ? plausibility(text.slice(start, close)) : 0
  return confidence === 0 ? { next: end, finding: undefined } : { next: end, finding: { entity: 'ip-address', start, end: close, confidence } }
}

function isHex(code: number): boolean {
  return (classOf(code) & HEX) !== 0
}

function isPart(code: number): boolean {
  return code === COLON || code === DOT || isHex(code)
}

/** The full stop or colon of the sentence is not part of it. */
function withoutEnding(text: string, start: number, end: number): number {
  let last = end
  if (text.charCodeAt(last - 1) === DOT) last--
  if (text.charCodeAt(last - 1) === COLON && text.charCodeAt(last - 2) !== COLON && last - start > 1) last--
  return last
}

function plausibility(written: string): number {
  const halves = written.split('::')
  if (halves.length > 2 || written.includes(':::')) return 0
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const count = countGroups(groups)
  if (count < 0 || (halves.length === 1 ? count !== 8 : count > 7)) return 0
  return likelihood(written, groups)
}

/** The 16-bit groups there are; -1 when one is none. */
function countGroups(groups: readonly string[]): number {
  let count = 0
  for (const [index, group] of groups.entries()) {
    const tail = index === groups.length - 1 && group.includes('.')
    if (tail ? !isIpv4(group) : !/^[0-9A-Fa-f]{1,4}$/.test(group)) return -1
    count += tail ? 2 : 1
  }
  return count
}

function isIpv4(written: string): boolean {
  const octets = written.split('.')
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255)
}

/** What is in use begins with 2, 3, fc to ff, 64:ff9b or `::`. */
function likelihood(written: string, groups: readonly string[]): number {
  const [first = ''] = groups
  if (written === '::1') return 0.6
  if (written.startsWith('::')) return groups.length > 0 && isDigit(written.charCodeAt(written.length - 1)) && written.length > 4 ? 0.7 : 0.2
  const value = Number.parseInt(first, 16)
  const used = first.length === 4 && (value >= 0x2000 && value <= 0x3fff || value >= 0xfc00) || written.toLowerCase().startsWith('64:ff9b:')
  return used && /\d/.test(written) ? 0.9 : 0.3
}
