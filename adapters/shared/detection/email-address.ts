import { ALPHANUMERIC, classOf, isDigit, isWord, LETTER } from './characters.ts'
import { contextOf, vocabulary } from './context.ts'
import type { Finding } from './finding.ts'
import { domainConfidence } from './top-level-domains.ts'

/** Source: RFC 5321, section 4.5.3.1. */
const MAX_LOCAL_CHARS = 64
const MAX_DOMAIN_CHARS = 253
const MAX_LABEL_CHARS = 63
const DOT = 46
const HYPHEN = 45
/** Besides letters, digits and `_`; the rarer ones that RFC 5322 allows separate things in code and in URLs. */
const IN_LOCAL = new Set([...".-+%'&~!#$*"].map((character) => character.charCodeAt(0)))
const WORDS = vocabulary('mail email emails mailto contact user login', 'ssh scp sftp rsync git clone npm pnpm yarn docker image pull unit systemctl')

/** An e-mail address around the `@` (or `%40`) at `[at, after)`. Not: quoted local parts, addresses in brackets. */
export function findEmail(text: string, at: number, after: number, hint: string): Finding | undefined {
  const start = startOfLocal(text, at)
  const end = endOfDomain(text, after)
  if (start === at || end === after) return undefined
  const likely = domainConfidence(text.slice(beginOfLastLabel(text, after, end), end))
  return isOfSomethingElse(text, start, at, end) ? undefined : { entity: 'email', start, end, confidence: judged(text, start, after - at > 1 ? likely - 0.1 : likely, hint) }
}

function judged(text: string, start: number, likely: number, hint: string): number {
  const context = contextOf(text, start, hint, WORDS)
  return context === -1 ? likely - 0.5 : likely
}

function startOfLocal(text: string, at: number): number {
  if (text.charCodeAt(at - 1) === DOT) return at
  const least = Math.max(0, at - MAX_LOCAL_CHARS)
  let start = at
  for (; start > least; start--) {
    const code = text.charCodeAt(start - 1)
    if (!isWord(code) && !IN_LOCAL.has(code)) break
    if (code === DOT && text.charCodeAt(start) === DOT) break
  }
  while (start < at && !isWord(text.charCodeAt(start))) start++
  return start
}

/** Labels of letters, digits and inner hyphens; the end of the last that may be one. */
function endOfDomain(text: string, after: number): number {
  const limit = Math.min(text.length, after + MAX_DOMAIN_CHARS)
  let end = after
  for (let label = after; ; ) {
    const stop = endOfLabel(text, label, limit)
    if (stop === label || stop - label > MAX_LABEL_CHARS) break
    end = stop
    if (text.charCodeAt(stop) !== DOT) break
    label = stop + 1
  }
  return lastLabelIsLetters(text, after, end) && !isWord(text.charCodeAt(end)) ? end : after
}

function endOfLabel(text: string, label: number, limit: number): number {
  let stop = label
  while (stop < limit && (isLabelCharacter(text.charCodeAt(stop)) || text.charCodeAt(stop) === HYPHEN && stop > label)) stop++
  while (stop > label && text.charCodeAt(stop - 1) === HYPHEN) stop--
  return stop
}

function isLabelCharacter(code: number): boolean {
  return code < 128 ? (classOf(code) & ALPHANUMERIC) !== 0 : isWord(code)
}

function lastLabelIsLetters(text: string, after: number, end: number): boolean {
  const label = beginOfLastLabel(text, after, end)
  if (label <= after + 1 || end - label < 2) return false
  if (text.startsWith('xn--', label)) return true
  for (let at = label; at < end; at++) if ((classOf(text.charCodeAt(at)) & LETTER) === 0 && text.charCodeAt(at) < 128) return false
  return true
}

/** `lastIndexOf` would look through all of the text where the domain has no dot. */
function beginOfLastLabel(text: string, after: number, end: number): number {
  let begin = end
  while (begin > after && text.charCodeAt(begin - 1) !== DOT) begin--
  return begin
}

/** Who logs in at a URL (`scheme://user:password@host`), or a repository (`git@host:path`). */
function isOfSomethingElse(text: string, start: number, at: number, end: number): boolean {
  if (text.charCodeAt(end) === 58 && !isDigit(text.charCodeAt(end + 1)) && !isBlank(text.charCodeAt(end + 1))) return true
  if (text.charCodeAt(end) === 58 && text.slice(start, at) === 'git' || text.charCodeAt(end) === 40) return true
  const before = text.charCodeAt(start - 1)
  if (before !== 47 && before !== 58) return false
  const window = text.slice(Math.max(0, start - MAX_LOCAL_CHARS), at)
  const scheme = window.lastIndexOf('://')
  return scheme >= 0 && !/[\s"'<>,;?&]/.test(window.slice(scheme + 3))
}

function isBlank(code: number): boolean {
  return Number.isNaN(code) || code === 32 || code === 9 || code === 10 || code === 13 || code === 34 || code === 39 || code === 60
}
