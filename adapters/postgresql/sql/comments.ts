/**
 * Replaces each comment by as many spaces, so that every byte keeps its place. The parser's own lexer trips over a
 * comment where PostgreSQL looks one token ahead (`x NOT /* … *\/ IN (1)`, `'a' -- …` continued on the next line).
 *
 * Follows PostgreSQL's lexical rules with `standard_conforming_strings` on ("Lexical Structure"): comments nest,
 * `$tag$` strings hold anything, only `E''` strings know the backslash. `undefined` when there is no comment, or
 * something is not closed.
 */
export function withoutComments(text: string): string | undefined {
  if (!text.includes('--') && !text.includes('/*')) return undefined
  let result = ''
  let at = 0
  while (at < text.length) {
    const end = endOf(text, at)
    if (end === undefined) return undefined
    const piece = text.slice(at, end)
    result += /^(?:--|\/\*)/.test(piece) ? ' '.repeat(Buffer.byteLength(piece)) : piece
    at = end
  }
  return result
}

/** Where the token that starts here ends; tokens are no finer than they need to be. `undefined` when it is not closed. */
export function endOf(text: string, at: number): number | undefined {
  const next = text[at] ?? ''
  if (next === '-' && text[at + 1] === '-') return endOfLine(text, at)
  if (next === '/' && text[at + 1] === '*') return endOfBlock(text, at)
  if (next === "'") return closing(text, at + 1, "'")
  if (next === '"') return closing(text, at + 1, '"')
  if (next === '$') return endOfDollar(text, at)
  if (!WORD.test(next)) return at + 1
  const end = endOfWord(text, at)
  const isEscape = end === at + 1 && (next === 'e' || next === 'E') && text[end] === "'"
  return isEscape ? endOfEscapeString(text, end + 1) : end
}

const WORD = /[A-Za-z0-9_\u0080-\uffff]/

function endOfWord(text: string, at: number): number {
  let end = at
  while (end < text.length && (WORD.test(text[end] ?? '') || text[end] === '$')) end++
  return end
}

function endOfLine(text: string, at: number): number {
  const found = text.slice(at).search(/[\n\r]/)
  return found < 0 ? text.length : at + found
}

function endOfBlock(text: string, at: number): number | undefined {
  const edge = /\/\*|\*\//g
  edge.lastIndex = at
  let depth = 0
  for (let found = edge.exec(text); found !== null; found = edge.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return undefined
}

function closing(text: string, from: number, quote: string): number | undefined {
  const found = text.indexOf(quote, from)
  return found < 0 ? undefined : found + 1
}

function endOfEscapeString(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'" && text[at + 1] === "'") at++
    else if (text[at] === "'") return at + 1
  }
  return undefined
}

const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y

function endOfDollar(text: string, at: number): number | undefined {
  DOLLAR.lastIndex = at
  const tag = DOLLAR.exec(text)?.[0]
  if (tag === undefined) return at + 1
  const found = text.indexOf(tag, at + tag.length)
  return found < 0 ? undefined : found + tag.length
}
