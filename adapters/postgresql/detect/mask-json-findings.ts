/**
 * What detection finds in JSON, masked so that it stays JSON: strings are read with their escapes and written anew, a number
 * that is found becomes another number, and a name counts as a hint for what stands behind it.
 * Source of the grammar: RFC 8259.
 */
import type { ContentDetection } from './content-detection.ts'
import { maskTextFindings, WHOLE, type FindingsMaskOptions, type MaskedText } from './mask-text-findings.ts'
import { endOfQuoted } from './end-of-quoted.ts'

export function maskJsonFindings(text: string, hint: string, detection: ContentDetection, options: FindingsMaskOptions): MaskedText {
  let masked = ''
  let copied = 0
  let name = hint
  for (let at = 0; at < text.length;) {
    const end = endOfToken(text, at)
    if (end < 0) return WHOLE
    const isString = text[at] === '"'
    const result = end === at ? undefined : maskToken(text.slice(at, end), name, detection, options)
    if (result === null || result === WHOLE) return result
    // Names are masked like values, for they may be some.
    if (isString && isName(text, end)) name = text.slice(at + 1, end - 1)
    if (result !== undefined) {
      masked += text.slice(copied, at) + result
      copied = end
    }
    at = Math.max(end, at + 1)
  }
  return copied === 0 ? undefined : masked + text.slice(copied)
}

const QUOTE = 0x22
const MINUS = 0x2d

/** Behind the string or number that begins here; `at` when none does, -1 when it does not end. */
function endOfToken(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code === QUOTE) return endOfQuoted(text, at)
  let end = at
  if (isDigit(code) || code === MINUS) while (end < text.length && isOfNumber(text.charCodeAt(end))) end++
  return end
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** Digits, `.`, `e`, `E`, `+`, `-` */
const isOfNumber = (code: number): boolean => isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === MINUS

function isName(text: string, end: number): boolean {
  let at = end
  while (text.charCodeAt(at) <= 0x20) at++
  return text[at] === ':'
}

function maskToken(token: string, name: string, detection: ContentDetection, options: FindingsMaskOptions): MaskedText {
  if (token.startsWith('"')) return maskString(token, name, detection, options)
  return token.length < LEAST_DIGITS ? undefined : maskNumber(token, name, detection, options)
}

/** Nothing that is looked for has fewer, unless in a string. */
const LEAST_DIGITS = 6

function maskString(token: string, name: string, detection: ContentDetection, options: FindingsMaskOptions): MaskedText {
  const text = stringOf(token)
  const masked = text === undefined ? WHOLE : maskTextFindings(text, name, detection, options)
  return typeof masked === 'string' ? JSON.stringify(masked) : masked
}

function stringOf(token: string): string | undefined {
  if (!token.includes('\\')) return token.slice(1, -1)
  try {
    return String(JSON.parse(token))
  } catch {
    return undefined
  }
}

/** Who reads a number expects a number. */
function maskNumber(token: string, name: string, detection: ContentDetection, options: FindingsMaskOptions): MaskedText {
  const masked = maskTextFindings(token, name, detection, options)
  if (typeof masked !== 'string') return masked
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(masked) ? masked : lastDigits(masked)
}

/** `************1111` → `1111` */
function lastDigits(masked: string): string {
  return String(Number(/^-?\*+(\d{4})$/.exec(masked)?.[1] ?? 0))
}
