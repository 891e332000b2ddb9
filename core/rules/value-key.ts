import { hash } from 'node:crypto'

/** Keys longer than this are kept as a digest, so that the memory of a remembered verdict is bounded. */
const MAX_KEY_CHARS = 256

/**
 * Makes a key of the values that some rules read: equal keys mean that the rules see the same. Paths are cut to
 * `command.resources` and the like, since what is below a list or map is not addressed by name.
 */
export function valueKey(reads: Iterable<string>): (root: unknown) => string {
  const paths = [...new Set([...reads].map(memberOf))].sort().map((path) => path.split('.'))
  return (root) => {
    // A line break never occurs inside JSON, so parts cannot run into each other.
    const key = paths.map((path) => JSON.stringify(valueAt(root, path)) ?? '').join('\n')
    return key.length <= MAX_KEY_CHARS ? key : hash('sha256', key, 'base64')
  }
}

function memberOf(path: string): string {
  const [first = '', second, third] = path.split('.')
  if (second === undefined) return first
  const deep = first === 'command' && third !== undefined && second !== 'resources' && second !== 'actions' && second !== 'values'
  return deep ? `${first}.${second}.${third}` : `${first}.${second}`
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) {
    if (name === '') return value
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
