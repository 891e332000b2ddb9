import type { Mask, Target } from '../../../core/index.ts'

/** A column pattern, compiled. */
export interface ColumnPattern {
  matches(schema: string, table: string, column: string): boolean
}

/**
 * Reads `schema.table.column`. Each part is a name, may be quoted (`"Odd.Name"`), and `*` in it stands for any
 * characters; parts left out on the left stand for any. `undefined` when it cannot be read.
 */
export function columnPattern(text: string): ColumnPattern | undefined {
  const parts = split(text.trim())
  if (parts === undefined || parts.length > 3) return undefined
  const [column, table = ANY, schema = ANY] = parts.toReversed()
  if (column === undefined) return undefined
  return { matches: (inSchema, inTable, name) => column(name) && table(inTable) && schema(inSchema) }
}

/** The `columnKey` of what names one column, in full and without `*`; `undefined` for any other pattern. */
export function literalColumn(text: string): string | undefined {
  const parts = text.trim().match(/"(?:[^"]|"")+"|[^".]+/g) ?? []
  const whole = parts.join('.') === text.trim() && parts.every((part) => part.startsWith('"') || !part.includes('*'))
  const [schema, table, column] = parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
  return whole && parts.length === 3 && schema !== undefined && table !== undefined && column !== undefined ? columnKey(schema, table, column) : undefined
}

export function columnKey(schema: string, table: string, column: string): string {
  return JSON.stringify([schema, table, column])
}

type Part = (name: string) => boolean
const ANY: Part = () => true

function split(text: string): Part[] | undefined {
  const parts: Part[] = []
  let rest = text
  for (;;) {
    const match = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/.exec(rest)
    if (match === null) return undefined
    const [whole, quoted, bare = '', dot] = match
    parts.push(quoted === undefined ? glob(bare) : same(quoted.replaceAll('""', '"')))
    if (dot === '') return parts
    rest = rest.slice(whole.length)
  }
}

function same(wanted: string): Part {
  return (name) => name === wanted
}

/** `*` against a name, without backtracking: each piece is looked for after the one before. */
function glob(pattern: string): Part {
  if (pattern === '*') return ANY
  if (!pattern.includes('*')) return same(pattern)
  const [first = '', ...pieces] = pattern.split('*')
  const last = pieces.pop() ?? ''
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let at = first.length
    for (const piece of pieces) {
      const found = name.indexOf(piece, at)
      if (found < 0 || found + piece.length > name.length - last.length) return false
      at = found + piece.length
    }
    return true
  }
}

const CLASS = 'class:'

/**
 * The column patterns a mask stands for: itself, or all that the target gives a class that fits; without what is exempted
 * from it. `undefined` when one cannot be read.
 */
export function maskPatterns(mask: Mask, target: Target): readonly ColumnPattern[] | undefined {
  const { column, except = [] } = mask
  const patterns = readAll(column.startsWith(CLASS) ? ofClass(column, except, target) : [column])
  const excepted = readAll(except.filter((each) => !each.startsWith(CLASS)))
  if (patterns === undefined || excepted === undefined) return undefined
  if (excepted.length === 0) return patterns
  const isExcepted: ColumnPattern['matches'] = (...names) => excepted.some((each) => each.matches(...names))
  return patterns.map(({ matches }) => ({ matches: (...names) => matches(...names) && !isExcepted(...names) }))
}

function ofClass(column: string, except: readonly string[], { classes }: Target): string[] {
  const wanted = glob(column.slice(CLASS.length))
  const excepted = except.filter((each) => each.startsWith(CLASS)).map((each) => glob(each.slice(CLASS.length)))
  return Object.entries(classes).filter(([, name]) => wanted(name) && !excepted.some((matches) => matches(name))).map(([pattern]) => pattern)
}

function readAll(texts: readonly string[]): readonly ColumnPattern[] | undefined {
  const patterns = texts.map(columnPattern)
  const read = patterns.filter((pattern) => pattern !== undefined)
  return read.length === patterns.length ? read : undefined
}
