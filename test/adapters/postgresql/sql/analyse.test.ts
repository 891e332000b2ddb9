import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { analyse, loadSqlParser, MAX_TEXT_BYTES, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'
import { BY_ORIGIN, NONE } from './harmless.ts'
import { BLOCKED } from './leaks.ts'

const understand = (text: string): Analysis => analyse(text, { resolver: undefined, searchPath: undefined })

/** What must not depend on how a text is laid out. */
function meaning(analysis: Analysis): unknown {
  const { statements, ...whole } = analysis
  return [whole, statements.map(({ start: _start, end: _end, ...rest }) => rest)]
}

/** Splits into words, strings and the rest, so that layout can change between them and nowhere else. */
const TOKENS = /\$\$[^]*?\$\$|(?:U&|u&)?"(?:[^"]|"")*"|'(?:[^']|'')*'|--[^\n]*|\/\*[^]*?\*\/|\s+|\w+|./gu

function relaidOut(text: string, picks: readonly number[]): string {
  const gaps = [' ', '\n', '\t', ' /* email */ ', '\n-- drop table people\n', ' /* a /* nested */ b */ ']
  let at = 0
  const pick = (): number => picks[at++ % picks.length] ?? 0
  return text.replace(TOKENS, (token) => {
    if (/^\s+$/.test(token)) return gaps[pick() % gaps.length] ?? ' '
    if (/^[a-z_]+$/i.test(token)) return pick() % 2 === 0 ? token.toUpperCase() : token.toLowerCase()
    return token
  })
}

describe('analysis of a text', () => {
  before(loadSqlParser)

  it('gives the same facts however a text is laid out, commented and cased', () => {
    const texts = [...BLOCKED, ...BY_ORIGIN, ...NONE].filter((text) => !/U&"|"[A-Z]|-- |\$\$|analyze|\b[eE]'/.test(text))
    fc.assert(fc.property(fc.constantFrom(...texts), fc.array(fc.nat(1000), { minLength: 5, maxLength: 40 }), (text, picks) => {
      assert.deepEqual(meaning(understand(relaidOut(text, picks))), meaning(understand(text)))
    }), { numRuns: 1500, seed: 7 })
  })

  it('reads quoted and unicode identifiers like plain ones', () => {
    const plain = meaning(understand('SELECT email FROM people'))
    assert.deepEqual(meaning(understand('SELECT "email" FROM "people"')), plain)
    assert.deepEqual(meaning(understand('SELECT U&"em\\0061il" FROM people')), plain)
    assert.notDeepEqual(meaning(understand('SELECT "Email" FROM people')), plain)
  })

  it('places each statement in bytes', () => {
    const text = "SELECT 'é'; /* ü */ DELETE FROM t ;\nSELECT 3"
    const bytes = Buffer.from(text)
    assert.deepEqual(understand(text).statements.map(({ start, end }) => bytes.subarray(start, end).toString()), ["SELECT 'é'", 'DELETE FROM t ', 'SELECT 3'])
  })

  it('is frozen through and through', () => {
    const analysis = understand('SELECT a FROM t WHERE b = 1')
    assert.throws(() => (analysis.sql.reads as string[]).push('x'), TypeError)
    assert.throws(() => Object.assign(analysis.statements[0]?.lineage.uses[0] ?? {}, { how: '' }), TypeError)
    assert.throws(() => Object.assign(analysis.resources[0] ?? {}, { name: '' }), TypeError)
  })

  it('does not parse what is too long, and says so', () => {
    const { fidelity, opaque } = understand(`SELECT '${'x'.repeat(MAX_TEXT_BYTES)}'`)
    assert.equal(fidelity, 'opaque')
    assert.match(opaque, /longer than/)
  })

  it('answers for hostile shapes, and works on', { timeout: 120_000 }, () => {
    const shapes = [
      `SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)}`,
      `SELECT ${'1+'.repeat(5_000)}1`,
      `SELECT ${'NOT '.repeat(5_000)}true`,
      `SELECT ${'a.'.repeat(5_000)}a`,
      `SELECT * FROM ${'(SELECT * FROM '.repeat(2_000)}t${') x'.repeat(2_000)}`,
      `SELECT 1${' UNION SELECT 1'.repeat(5_000)}`,
      `SELECT ${'t.*, '.repeat(20_000)}1 FROM t`,
      `WITH ${Array.from({ length: 40 }, (_, i) => `c${i + 1} AS (SELECT a.*, b.* FROM c${i} a, c${i} b)`).join(', ')} SELECT * FROM c40`.replace('c0 a, c0 b', '(SELECT 1 x) a, (SELECT 2 y) b'),
      `SELECT ${Array.from({ length: 2_000 }, (_, i) => `x${i}`).join(', ')} FROM ${Array.from({ length: 2_000 }, (_, i) => `t${i}`).join(', ')}`,
      `DELETE FROM t WHERE ${Array.from({ length: 3_000 }, (_, i) => `a = ${i}`).join(' OR ')}`,
      'SELECT 1;'.repeat(20_000),
      `SELECT ${'[1]'.repeat(5_000)}`,
    ]
    for (const shape of shapes) {
      assert.ok(understand(shape).statements.length > 0, shape.slice(0, 40))
    }
    assert.equal(understand('SELECT 1').fidelity, 'parsed')
  })

  it('outlives texts that break the parser', async () => {
    // Each such text costs a WebAssembly instance some of its stack and 13 MB: without a fresh instance the 40th would be the last.
    const breaking = `SELECT ${'1+'.repeat(90_000)}1`
    for (let round = 0; round < 45; round++) {
      assert.equal(understand(breaking).fidelity, 'opaque')
      const { promise, resolve } = Promise.withResolvers<void>()
      setImmediate(resolve)
      await promise
    }
    for (let turn = 0; turn < 10_000 && understand('SELECT a FROM b').fidelity !== 'parsed'; turn++) {
      const { promise, resolve } = Promise.withResolvers<void>()
      setImmediate(resolve)
      await promise
    }
    assert.deepEqual(understand('SELECT a FROM b').sql.reads, ['b'])
    assert.ok(process.memoryUsage().rss < 1.5e9)
  })

  it('never throws, whatever the bytes', () => {
    const word = fc.constantFrom('SELECT', 'FROM', 'people', 'p', '*', ',', '(', ')', 'WHERE', '=', '1', "'x'", 'JOIN', 'USING', 'AS', '.', 'email', 'WITH', 'UNION', 'DELETE', 'UPDATE', 'SET', 'ORDER BY', 'LATERAL', ';', '$1', '::', 'CASE', 'END')
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(word, { maxLength: 25 }).map((words) => words.join(' '))), (text) => {
      assert.ok(['parsed', 'opaque'].includes(understand(text).fidelity))
    }), { numRuns: 2_000, seed: 3 })
  })

  it('never throws on a statement with a piece cut out', () => {
    fc.assert(fc.property(fc.constantFrom(...BLOCKED, ...NONE), fc.nat(200), fc.nat(30), (text, from, length) => {
      assert.ok(understand(text.slice(0, from) + text.slice(from + length)).actions.length > 0)
    }), { numRuns: 3_000, seed: 5 })
  })

  it('does not trust a backslash when strings may escape', () => {
    const text = "SELECT '\\', 'x'"
    assert.equal(understand(text).fidelity, 'parsed')
    for (const standardStrings of [false, undefined]) {
      assert.equal(analyse(text, { resolver: undefined, searchPath: undefined, standardStrings }).fidelity, 'opaque')
      assert.equal(analyse('SELECT 1', { resolver: undefined, searchPath: undefined, standardStrings }).fidelity, 'parsed')
    }
  })

  it('forgets the search path after a statement that may change it', () => {
    const seen: (readonly string[] | undefined)[] = []
    const resolver = { serverMajor: 18, relations: (_schema: unknown, _name: unknown, path: readonly string[] | undefined) => (seen.push(path), []), functions: () => [], hasUserType: () => false, typeForm: () => undefined, isGenerated: () => false, kin: () => [], ancestors: () => new Set<number>(), function: () => undefined, operatorFunctions: () => [], followers: () => undefined, eventTriggers: () => [], hasImpliedCode: false, behind: () => [], typeCode: () => [], rowCode: () => [], signatureCode: () => [], castCode: () => [], policies: () => [], dependents: () => [], definition: () => undefined }
    analyse('SELECT * FROM a; SET search_path = x; SELECT * FROM b', { resolver, searchPath: ['public'] })
    analyse('SELECT * FROM a; DROP TABLE x; SELECT * FROM b', { resolver, searchPath: ['public'] })
    assert.deepEqual(seen, [['public'], undefined, ['public'], ['public'], undefined])
  })
})
