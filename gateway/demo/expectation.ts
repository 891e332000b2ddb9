import { isDeepStrictEqual } from 'node:util'

/** A step of the tour did not do what it should. */
export class Unexpected extends Error {
  readonly expected: string
  readonly actual: string
  constructor(what: string, expected: string, actual: string) {
    super(what)
    this.name = 'Unexpected'
    this.expected = expected
    this.actual = actual
  }
}

/** @throws {Unexpected} when `actual` is not deeply equal to `expected` */
export function expect(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Unexpected(what, shown(expected), shown(actual))
}

/** @throws {Unexpected} when `text` does not match */
export function expectMatch(what: string, text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Unexpected(what, `text like ${pattern.source}`, shown(text))
}

/** @throws {Unexpected} when one of `secrets` is in `text` */
export function expectWithout(what: string, text: string, secrets: readonly string[]): void {
  const found = secrets.filter((secret) => text.includes(secret))
  if (found.length > 0) throw new Unexpected(what, 'only masked values', `the real ${found.join(', ')}`)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value) ?? String(value)
}
