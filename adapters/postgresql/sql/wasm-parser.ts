import instantiate, { type LibPgQuery } from 'libpg-query/wasm/libpg-query.js'

/** The heap never shrinks; an instance that has grown to this is replaced. */
const MAX_HEAP_BYTES = 256 * 1024 * 1024

/** What the parser says: the tree as JSON, or why the grammar refuses the text. */
export type WasmParse = { readonly json: string } | { readonly error: string }

let current: LibPgQuery | undefined
let replacing: Promise<void> | undefined

/** Makes the first instance. */
export async function loadWasmParser(): Promise<void> {
  current ??= await instantiate()
}

/**
 * Runs the parser, or `undefined` when it broke on the text. A broken instance leaks its stack and its memory,
 * so another one takes its place as soon as the event loop turns; until then the old one serves as well as it can.
 */
export function wasmParse(text: string): WasmParse | undefined {
  return guarded(text, run)
}

/** The same for the PL/pgSQL in a CREATE FUNCTION. */
export function wasmParsePlpgsql(text: string): WasmParse | undefined {
  return guarded(text, runPlpgsql)
}

function guarded(text: string, work: (parser: LibPgQuery, text: string) => WasmParse): WasmParse | undefined {
  const parser = current
  if (parser === undefined) throw new TypeError('the SQL parser is not loaded: await loadSqlParser() first')
  try {
    const parsed = work(parser, text)
    if (parser.HEAPU8.length > MAX_HEAP_BYTES) replace()
    return parsed
  } catch {
    replace()
    return undefined
  }
}

/** What the scanner says of a text: JSON, or a complaint. `undefined` when it broke on the text. */
export function wasmScan(text: string): string | undefined {
  const parser = current
  if (parser === undefined) throw new TypeError('the SQL parser is not loaded: await loadSqlParser() first')
  try {
    return scan(parser, text)
  } catch {
    replace()
    return undefined
  }
}

function scan(parser: LibPgQuery, text: string): string {
  const bytes = parser.lengthBytesUTF8(text) + 1
  const input = parser._malloc(bytes)
  parser.stringToUTF8(text, input, bytes)
  const result = parser._wasm_scan(input)
  parser._free(input)
  const said = parser.UTF8ToString(result)
  parser._wasm_free_string(result)
  return said
}

function replace(): void {
  replacing ??= instantiate().then(
    (fresh) => {
      current = fresh
      replacing = undefined
    },
    () => {
      replacing = undefined
    },
  )
}

/** Layout of PgQueryParseResult: tree, stderr, error. Of PgQueryError: message first. */
function run(parser: LibPgQuery, text: string): WasmParse {
  const result = given(parser, text, (input) => parser._wasm_parse_query_raw(input))
  const parsed = read(parser, result)
  parser._wasm_free_parse_result(result)
  return parsed
}

/** Gives one string: the tree, or the complaint. */
function runPlpgsql(parser: LibPgQuery, text: string): WasmParse {
  const result = given(parser, text, (input) => parser._wasm_parse_plpgsql(input))
  const answer = parser.UTF8ToString(result)
  parser._wasm_free_string(result)
  return answer.startsWith('{') ? { json: answer } : { error: answer }
}

function given(parser: LibPgQuery, text: string, work: (input: number) => number): number {
  const bytes = parser.lengthBytesUTF8(text) + 1
  const input = parser._malloc(bytes)
  parser.stringToUTF8(text, input, bytes)
  const result = work(input)
  parser._free(input)
  return result
}

function read(parser: LibPgQuery, result: number): WasmParse {
  const error = parser.getValue(result + 8, 'i32')
  if (error !== 0) return { error: parser.UTF8ToString(parser.getValue(error, 'i32')) }
  return { json: parser.UTF8ToString(parser.getValue(result, 'i32')) }
}
