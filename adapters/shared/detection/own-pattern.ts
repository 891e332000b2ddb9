import { RE2JS } from 're2js'
import { SallyportError } from '../../../core/index.ts'
import { contextOf, vocabulary } from './context.ts'
import { type Finding, isEntity } from './finding.ts'

/** Something of one's own to look for: RE2 syntax (github.com/google/re2/wiki/Syntax), so linear in the text. */
export interface OwnPattern {
  /** What it is called in findings: small letters, digits and `-`. */
  readonly name: string
  readonly pattern: string
  /** Default 0.9. */
  readonly confidence?: number | undefined
  /** Text that must occur before the pattern is tried. With one, ordinary text is passed over quickly. */
  readonly literal?: string | undefined
  /** Words of which one should stand before it, or in the name of its column or field; without, it is `CONTEXT_MISSING` less sure. */
  readonly context?: readonly string[] | undefined
}

export interface Searcher {
  readonly literal: string
  find(text: string, hint: string, found: (finding: Finding) => void): void
}

export const CONTEXT_MISSING = 0.4

export const MAX_PATTERNS = 100
const MAX_PATTERN_CHARS = 1000
/**
 * Looking for all matches of a pattern can cost the square of a text. So texts longer than this are looked at in
 * windows; a match is then as long as what two windows share, at most.
 */
const WINDOW_CHARS = 8192
const SHARED_CHARS = 2048
/** More matches than this in one window are taken for one that fills the rest of it. */
const MAX_MATCHES_IN_WINDOW = 128

/** Throws `CONFIG_INVALID` for a pattern that RE2 does not have, that is too large, or that matches nothing at all. */
export function compilePattern({ name, pattern, confidence = 0.9, literal = '', context = [] }: OwnPattern): Searcher {
  const refuse = (why: string, cause?: unknown): never => { throw new SallyportError('CONFIG_INVALID', `the pattern "${name}" ${why}`, { cause }) }
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name) || isEntity(name)) refuse('needs a name of its own, in small letters, digits and "-"')
  if (pattern.length > MAX_PATTERN_CHARS) refuse(`is longer than ${MAX_PATTERN_CHARS} characters`)
  if (!(confidence >= 0 && confidence <= 1)) refuse('needs a confidence from 0 to 1')
  const program = compile(pattern, refuse)
  if (program.test('')) refuse('matches the empty text')
  if (!context.every((word) => /^\p{L}{2,24}$/u.test(word))) refuse('has context that is not words of 2 to 24 letters')
  const words = vocabulary(context.join(' ').toLowerCase(), '')
  const sureness = (text: string, start: number, hint: string): number => (
    context.length === 0 || contextOf(text, start, hint, words) === 1 ? confidence : Math.max(0, confidence - CONTEXT_MISSING))
  return { literal, find: (text, hint, found) => searchAll(program, text, literal, (start, end) => found({ entity: name, start, end, confidence: sureness(text, start, hint) })) }
}

function compile(pattern: string, refuse: (why: string, cause?: unknown) => never): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (cause) {
    return refuse(`is not of RE2: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function searchAll(program: RE2JS, text: string, literal: string, found: (start: number, end: number) => void): void {
  if (literal !== '' && !text.includes(literal)) return
  let after = 0
  for (let from = 0; ; from += WINDOW_CHARS - SHARED_CHARS) {
    const to = Math.min(text.length, from + WINDOW_CHARS)
    after = searchWindow(program, from === 0 && to === text.length ? text : text.slice(from, to), from, after, found)
    if (to === text.length) return
  }
}

/** Matches that end behind `after`, so that what two windows share is found once. Returns the end of the last. */
function searchWindow(program: RE2JS, window: string, from: number, after: number, found: (start: number, end: number) => void): number {
  const matcher = program.matcher(window)
  let last = after
  let count = 0
  for (let at = 0; at <= window.length && matcher.find(at); ) {
    const [start, end] = [matcher.start(), matcher.end()]
    const stop = ++count === MAX_MATCHES_IN_WINDOW ? window.length : end
    if (from + stop > last && stop > start) found(from + start, last = from + stop)
    if (stop === window.length) break
    at = end > start ? end : end + 1
  }
  return last
}
