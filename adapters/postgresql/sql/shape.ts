import { KEPT_WORDS } from './kept-words.ts'

/**
 * The shape of a text: its string and integer constants replaced by `''` and `1`, everything else as it is. Two texts of
 * one shape are the same tokens to PostgreSQL but for the values of those constants, so where an analysis says that no
 * value had a part in it (`literals`), it holds for both. Zero and the words of `kept-words.ts` stay what they are.
 *
 * Not a lexer for SQL: it knows the plainest texts only, and gives `undefined` for whatever might be read in another way
 * than it looks: comments, backslashes, dollar signs, prefixed strings and those that go on in the next line, other numbers,
 * anything that is not ASCII outside of a string.
 * Source: PostgreSQL documentation, "Lexical Structure"; with `standard_conforming_strings` on.
 */
export function shapeOf(text: string): string | undefined {
  let shape = ''
  let copied = 0
  let quoted = -1
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      if (at > 0 && !mayPrecede(text.charCodeAt(at - 1))) return undefined
      const end = endOfQuoted(text, at, QUOTE)
      if (end === undefined || continues(text, quoted, at)) return undefined
      quoted = end
      if (!isKept(text, at, end)) {
        shape += `${text.slice(copied, at)}''`
        copied = end
      }
      at = end
    } else if (code === DOUBLE_QUOTE) {
      const end = endOfQuoted(text, at, DOUBLE_QUOTE)
      if (end === undefined) return undefined
      at = end
    } else if (isDigit(code)) {
      const end = endOfWord(text, at)
      if (!isPlainInteger(text, at, end)) return undefined
      shape += `${text.slice(copied, at)}${isZero(text, at, end) ? '0' : '1'}`
      at = copied = end
    } else if (isWordStart(code)) at = endOfWord(text, at)
    else if (isPlain(text, at, code)) at++
    else return undefined
  }
  return copied === 0 ? text : shape + text.slice(copied)
}

const LONGEST_KEPT = Math.max(...Array.from(KEPT_WORDS, ({ length }) => length))

function isKept(text: string, start: number, end: number): boolean {
  return end - start - 2 <= LONGEST_KEPT && KEPT_WORDS.has(text.slice(start + 1, end - 1))
}

const QUOTE = 0x27
const DOUBLE_QUOTE = 0x22
const BACKSLASH = 0x5c
const DOLLAR = 0x24
const DOT = 0x2e
const MINUS = 0x2d
const SLASH = 0x2f
const STAR = 0x2a
/** As many digits always make an integer, and never a number of another type. */
const MAX_INTEGER_DIGITS = 9

/** Before a string: white space, or what ends a token and is no prefix (`U&'…'`). */
function mayPrecede(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x28 || code === 0x2c || code === 0x3d
}

/** A string that begins where the one before it ended, but for white space, is a part of it. */
function continues(text: string, before: number, start: number): boolean {
  if (before < 0) return false
  for (let at = before; at < start; at++) if (text.charCodeAt(at) > 0x20) return false
  return true
}

function isZero(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) !== 0x30) return false
  return true
}

/** Past the closing quote; a doubled one is part of it. A backslash may mean something else than it seems. */
function endOfQuoted(text: string, start: number, quote: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH || code === 0) return undefined
    if (code !== quote) continue
    if (text.charCodeAt(at + 1) !== quote) return at + 1
    at++
  }
  return undefined
}

function endOfWord(text: string, start: number): number {
  let at = start
  while (at < text.length && isWord(text.charCodeAt(at))) at++
  return at
}

/** Digits alone, with nothing that would make them a part of something larger. */
function isPlainInteger(text: string, start: number, end: number): boolean {
  if (end - start > MAX_INTEGER_DIGITS) return false
  for (let at = start; at < end; at++) if (!isDigit(text.charCodeAt(at))) return false
  return text.charCodeAt(start - 1) !== DOT && text.charCodeAt(end) !== DOT
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isWordStart(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
}

function isWord(code: number): boolean {
  return isWordStart(code) || isDigit(code)
}

/** One character of an operator, a bracket or white space, and not the beginning of a comment. */
function isPlain(text: string, at: number, code: number): boolean {
  if (code === BACKSLASH || code === DOLLAR || code > 0x7e) return false
  if (code < 0x20) return code === 0x0a || code === 0x09 || code === 0x0d
  if (code === MINUS) return text.charCodeAt(at + 1) !== MINUS
  return code !== SLASH || text.charCodeAt(at + 1) !== STAR
}
