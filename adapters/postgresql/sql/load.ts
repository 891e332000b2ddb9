import type { ParseResult as Tree, RawStmt } from 'libpg-query'
import { withoutComments } from './comments.ts'
import { loadWasmParser, wasmParse, type WasmParse } from './wasm-parser.ts'

/** Longer texts are not parsed: they are opaque. Parsing costs about 0.2 ms per KiB. */
export const MAX_TEXT_BYTES = 1024 * 1024
/** Statements of one text; more make it opaque. */
export const MAX_STATEMENTS = 10_000
/** The major version whose grammar this is. */
export const GRAMMAR_MAJOR = 18

/** One statement as the grammar sees it, with its place in the text in bytes; `end` is exclusive. */
export interface ParsedStatement {
  readonly node: NonNullable<RawStmt['stmt']>
  readonly start: number
  readonly end: number
}

export type ParseResult =
  | { readonly kind: 'parsed'; readonly statements: readonly ParsedStatement[] }
  /** The grammar of PostgreSQL 18 refuses the text. A server of another version may still run it. */
  | { readonly kind: 'syntax-error'; readonly message: string }
  /** Not given to the parser, or the parser failed: nothing is known about the text. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Loads the parser (WebAssembly). Await it once at start; `parse` and `analyse` are synchronous from then on. */
export async function loadSqlParser(): Promise<void> {
  await loadWasmParser()
}

/** PostgreSQL's own grammar, bounded. Never throws on account of the text. */
export function parse(text: string): ParseResult {
  const bytes = Buffer.byteLength(text)
  const reason = refusal(text, bytes)
  if (reason !== undefined) return { kind: 'refused', reason }
  if (text === '') return { kind: 'parsed', statements: [] }
  const parsed = parseTolerantly(text)
  if (parsed === undefined) return { kind: 'refused', reason: 'the parser failed on the text' }
  if ('error' in parsed) return complaint(parsed.error)
  const { stmts = [] } = JSON.parse(parsed.json) as Tree
  if (stmts.length > MAX_STATEMENTS) return { kind: 'refused', reason: `more than ${MAX_STATEMENTS} statements in one text` }
  return { kind: 'parsed', statements: placed(stmts, text, bytes) }
}

/** Texts with comments get a second try without them. */
function parseTolerantly(text: string): WasmParse | undefined {
  const parsed = wasmParse(text)
  if (parsed === undefined || 'json' in parsed) return parsed
  const plain = withoutComments(text)
  return plain === undefined ? parsed : wasmParse(plain)
}

/** A NUL would cut the text short for the parser, and a lone surrogate would reach it as another character. */
function refusal(text: string, bytes: number): string | undefined {
  if (bytes > MAX_TEXT_BYTES) return `the text is longer than ${MAX_TEXT_BYTES} bytes`
  if (text.includes('\0')) return 'the text holds a NUL character'
  if (!text.isWellFormed()) return 'the text is not valid Unicode'
  return undefined
}

function complaint(message: string): ParseResult {
  if (/stack depth|memory/.test(message)) return { kind: 'refused', reason: 'the text is nested too deeply' }
  return { kind: 'syntax-error', message }
}

function placed(statements: readonly RawStmt[], text: string, bytes: number): ParsedStatement[] {
  const source = Buffer.from(text)
  const result: ParsedStatement[] = []
  for (const { stmt, stmt_location: at = 0, stmt_len: length } of statements) {
    if (stmt === undefined) continue
    const end = length === undefined || length === 0 ? bytes : at + length
    result.push({ node: stmt, start: afterSpace(source, at, end), end })
  }
  return result
}

function afterSpace(source: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (source[at] ?? 0) <= 0x20) at++
  return at
}
