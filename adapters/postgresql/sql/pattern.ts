/** Patterns that every text fits. */
import type { Node } from 'libpg-query'
import { argumentText, qualifiedName } from './ast.ts'
import type { Walk } from './walk.ts'

function patternOf(pattern: Node | undefined, { found }: Walk): string | undefined {
  const inner = pattern !== undefined && 'FuncCall' in pattern && /^(similar_to|like)_escape$/.test(qualifiedName(pattern.FuncCall.funcname).name) ? pattern.FuncCall.args?.[0] : pattern
  const text = argumentText(inner)
  if (typeof text !== 'string') return undefined
  found.literal()
  return text
}

/** LIKE, and SIMILAR TO. A text that is `filled` has a character at least. */
export function isLikeEverything(pattern: Node | undefined, filled: boolean, walk: Walk): boolean {
  const text = patternOf(pattern, walk)
  return text !== undefined && (/^%+$/.test(text) || (filled && /^%*_%+$|^%+_%*$/.test(text)))
}

/** A regular expression is looked for anywhere in the text: one that fits nothing at all, and need not end there, fits everywhere. */
export function isRegexpForEverything(pattern: Node | undefined, walk: Walk): boolean {
  const text = patternOf(pattern, walk)
  if (text === undefined || text.length > 100) return false
  if (/^\^?\(?(\.\*)?\)?\$?$/.test(text) && text !== '^$') return true
  if (/[$\\]|\(\?|\*\*\*/.test(text)) return false
  try {
    return new RegExp(text, 'u').test('')
  } catch {
    return false
  }
}
