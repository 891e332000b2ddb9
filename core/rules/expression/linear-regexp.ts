import { RE2JS } from 're2js'

/** Longest pattern a rule may hold, in characters. */
export const MAX_PATTERN_CHARS = 1_000

/**
 * The part of `RegExp` that JSONata uses, in time linear in the text: RE2 syntax, so without look-around and
 * back-references. Throws `SyntaxError` for a pattern RE2 does not have.
 * Source: github.com/google/re2/wiki/Syntax.
 */
export class LinearRegExp {
  readonly source: string
  readonly flags: string
  /** Where the next `exec` begins, in UTF-16 units; 0 after a miss. */
  lastIndex = 0
  readonly #program: RE2JS

  constructor(pattern: RegExp | string, flags = '') {
    this.source = typeof pattern === 'string' ? pattern : pattern.source
    this.flags = typeof pattern === 'string' ? flags : pattern.flags
    this.#program = compile(this.source, this.flags)
  }

  /** Instructions of the compiled program: the cost of one character. */
  get size(): number {
    return this.#program.programSize()
  }

  test(text: string): boolean {
    return this.#program.test(text)
  }

  exec(text: string): (string | undefined)[] & { index: number } | null {
    const matcher = this.#program.matcher(text)
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0
      return null
    }
    this.lastIndex = matcher.end()
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
    return Object.assign(groups, { index: matcher.start() })
  }
}

const cache = new Map<string, RE2JS>()
const MAX_CACHED = 2_000

function compile(source: string, flags: string): RE2JS {
  const key = `${flags}/${source}`
  const known = cache.get(key)
  if (known !== undefined) return known
  if (source.length > MAX_PATTERN_CHARS) throw new SyntaxError(`the pattern is longer than ${MAX_PATTERN_CHARS} characters`)
  const program = translate(source, flags)
  if (cache.size >= MAX_CACHED) cache.clear()
  cache.set(key, program)
  return program
}

function translate(source: string, flags: string): RE2JS {
  const bits = (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) | (flags.includes('m') ? RE2JS.MULTILINE : 0)
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source), bits)
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
