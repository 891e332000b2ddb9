import { isTree } from './ast.ts'
import { wasmScan } from './wasm-parser.ts'

/** A token that is no comment. */
export interface Token {
  /** Bytes into the text; `end` is exclusive. */
  readonly start: number
  readonly end: number
  /** As it is written. */
  readonly text: string
  /** How many brackets are open around it; those of an opening and a closing one are the same. */
  readonly depth: number
}

/**
 * The tokens of a text by PostgreSQL's own scanner; `undefined` when it complains. A heuristic's eyes: what is cut along
 * them has to be parsed and compared with what it was cut from.
 */
export function tokensOf(text: string): readonly Token[] | undefined {
  const places = scanned(text)
  if (places === undefined) return undefined
  const source = Buffer.from(text)
  const tokens: Token[] = []
  let depth = 0
  for (const { start, end } of places) {
    const written = source.toString('utf8', start, end)
    if (written === ')' || written === ']') depth--
    tokens.push({ start, end, text: written, depth })
    if (written === '(' || written === '[') depth++
  }
  return tokens
}

function scanned(text: string): { start: number; end: number }[] | undefined {
  const said = wasmScan(text)
  if (said?.startsWith('{') !== true) return undefined
  try {
    const { tokens } = JSON.parse(said) as { tokens?: unknown }
    return Array.isArray(tokens) ? tokens.flatMap(placeOf) : undefined
  } catch {
    return undefined
  }
}

function placeOf(token: unknown): { start: number; end: number }[] {
  if (!isTree(token)) return []
  const { start, end, tokenName } = token
  if (typeof start !== 'number' || typeof end !== 'number' || tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT') return []
  return [{ start, end }]
}
