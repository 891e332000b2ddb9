import { isNode, LineCounter, parseDocument, visit, isPair, isScalar, isMap, isAlias } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import type { Problem } from './problem.ts'

/** A YAML file that knows on which line each of its values stands. */
export interface ConfigDocument {
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** 1-based line of the value at a path, or of the nearest section above it that is there. */
  readonly lineOf: (path: readonly PropertyKey[]) => number
  /** 1-based line of a key, for problems with the key itself. */
  readonly lineOfKey: (path: readonly PropertyKey[], key: string) => number
}

export function readDocument(source: string): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, version: '1.2', merge: false })
  const at = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line)
  const problems = [
    ...document.errors.map((error) => ({ line: at(error.pos[0]), message: explain(error, source) })),
    ...refused(document, at),
  ]
  return {
    value: problems.length === 0 ? document.toJS({ maxAliasCount: 0 }) : undefined,
    problems,
    lineOf: (path) => at(offsetOf(document, path)),
    lineOfKey: (path, key) => at(keyOffset(document, path, key) ?? offsetOf(document, path)),
  }
}

/** One value per place, as an anchor used many times is how a small file becomes a huge one; and no key that JavaScript would lose. */
function refused(document: Document, at: (offset: number | undefined) => number): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Alias: (_, alias) => { problems.push({ line: at(alias.range?.[0]), message: 'aliases (*name) are not supported; write the value out' }) },
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__') problems.push({ line: at(key.range?.[0]), message: 'nothing can be named __proto__; write another name' })
    },
  })
  return problems
}

/** The yaml package's own words, with what to write where we know it. */
function explain(error: YAMLError, source: string): string {
  const lineStart = source.lastIndexOf('\n', error.pos[0] - 1) + 1
  const lineEnd = source.indexOf('\n', lineStart)
  const line = source.slice(lineStart, lineEnd < 0 ? undefined : lineEnd)
  // Inside { } a plain value ends at the next brace, so an unquoted reference falls apart.
  if (/\{[^"']*[^"']\$\{/.test(line)) return 'not valid YAML; inside { } write references in quotes: "${env:NAME}"'
  if (error.code === 'DUPLICATE_KEY') return 'this key is written twice; keep one'
  if (error.code === 'TAB_AS_INDENT') return 'a tab cannot indent YAML; write spaces'
  return `not valid YAML: ${error.message.split('\n', 1)[0] ?? error.code}`
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const above = path.slice(0, length)
    const key = above.at(-1)
    const keyAt = typeof key === 'string' ? keyOffset(document, above.slice(0, -1), key) : undefined
    if (keyAt !== undefined) return keyAt
    const node = document.getIn(above, true)
    if (length > 0 && isNode(node) && !isAlias(node)) return node.range?.[0]
  }
  return undefined
}

function keyOffset(document: Document, path: readonly PropertyKey[], key: string): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  if (!isMap(node)) return undefined
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key)
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
}
