import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { loadModule, scanSync } from 'libpg-query'
import { analyse } from '../../../../adapters/postgresql/sql/analyse.ts'
import type { Analysis } from '../../../../adapters/postgresql/sql/analysis.ts'
import { loadSqlParser } from '../../../../adapters/postgresql/sql/load.ts'
import { shapeOf } from '../../../../adapters/postgresql/sql/shape.ts'

before(async () => {
  await loadModule()
  await loadSqlParser()
})

test('constants are taken out, and nothing else', () => {
  for (const [text, shape] of [
    ['SELECT abalance FROM pgbench_accounts WHERE aid = 4711;', 'SELECT abalance FROM pgbench_accounts WHERE aid = 1;'],
    ["SELECT 'it''s', '', 'ü', 12 FROM t1 WHERE \"c 5\"='x'", "SELECT '', '', '', 1 FROM t1 WHERE \"c 5\"=''"],
    ['INSERT INTO t VALUES (1,2,-3)', 'INSERT INTO t VALUES (1,1,-1)'],
    ['SELECT a.b2, c_3 FROM t7', 'SELECT a.b2, c_3 FROM t7'],
    ["SELECT a / 0, a / 00, a / 007 FROM t WHERE b = ''", "SELECT a / 0, a / 0, a / 1 FROM t WHERE b = ''"],
    ["SELECT date_trunc('month', a), 'months', 'Month' FROM t", "SELECT date_trunc('month', a), '', '' FROM t"],
  ] as const) assert.equal(shapeOf(text), shape)
})

test('what might be read in another way than it looks has no shape', () => {
  for (const text of ['SELECT 1.5', 'SELECT .5', 'SELECT 2e3', 'SELECT 2e-3', 'SELECT 0x1F', 'SELECT 1_000', 'SELECT 12345678901', "SELECT E'a'", "SELECT e'a'", "SELECT U&'a'", "SELECT b'1'", "SELECT 1 -- '", "SELECT 1 /* ' */", 'SELECT $1', "SELECT $$a$$", "SELECT 'a\\'", "SELECT 'open", 'SELECT "open', 'SELECT ü', "SELECT 'a''", "SELECT 'a'\n'b'", "SELECT date_trunc('mo'\n'nth', a)", "SELECT\u00a0'a'"]) {
    assert.equal(shapeOf(text), undefined, text)
  }
})

const pieces = ['SELECT ', 'DELETE FROM t WHERE ', 'UPDATE t SET a = ', 'INSERT INTO t VALUES (', ' a', ' b1', ' FROM t', ' WHERE ', ' = ', '=', '<', ' AND ', ' OR ', ' NOT ', ' LIMIT ', ' ORDER BY ', ' IN (', ')', '(', ',', ';', ' ', '\n', '-', '--', '/', '*', '/*', '*/', '.', '::', '::int', ' LIKE ', 'E', 'e', 'U&', 'x', '$', '$$', '"q"', '""', "''", "'", '\\', ' IS NULL', ' CASE WHEN ', ' THEN ', ' END', 'interval ', 'nextval(', 'e5', '_1']
const constants = fc.oneof(fc.integer({ min: 0, max: 2 ** 40 }).map(String), fc.string({ unit: fc.constantFrom('a', '%', '1', ' ', ';', '-', 'é', "''") }).map((text) => `'${text}'`), fc.constantFrom("''", "'%'", '0', '1', "'a'", '1.5', '007'))
const texts = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...pieces) }, { weight: 2, arbitrary: constants }), { minLength: 1, maxLength: 14 }).map((parts) => parts.join(''))

function tokens(text: string): string | undefined {
  try {
    return scanSync(text).tokens.map(({ tokenName, text: word }) => (/^(SCONST|ICONST)$/.test(tokenName) ? tokenName : `${tokenName} ${word}`)).join('\n')
  } catch {
    return undefined
  }
}

test("a text and its shape are the same tokens to PostgreSQL's own lexer, but for the values of constants", () => {
  let shaped = 0
  fc.assert(fc.property(texts, (text) => {
    const shape = shapeOf(text)
    if (shape === undefined) return
    shaped++
    assert.equal(tokens(shape), tokens(text))
    assert.equal(shapeOf(shape), shape)
  }), { numRuns: 20_000 })
  assert.ok(shaped > 2_000, `${shaped} texts had a shape`)
})

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof({ maxDepth: 3 },
    constants, fc.constantFrom('a', 'b', 't.c', 'NULL', 'true', 'current_user'),
    fc.tuple(tie('expression'), fc.constantFrom('=', '<', '<>', '+', '||', ' AND ', ' OR ', ' LIKE ', ' IS DISTINCT FROM '), tie('expression')).map((parts) => parts.join('')),
    fc.tuple(tie('expression'), tie('expression')).map(([one, other]) => `${one} IN (${other}, 1)`),
    fc.tuple(fc.constantFrom('lower', 'nextval', 'coalesce', 'set_config', 'query_to_xml', 'currval', 'unknown_f'), tie('expression')).map(([name, inner]) => `${name}(${inner})`),
    tie('expression').map((inner) => `NOT (${inner})`),
    tie('expression').map((inner) => `(${inner})::text`),
    tie('expression').map((inner) => `(SELECT ${inner} FROM u WHERE ${inner} LIMIT 1)`),
    tie('expression').map((inner) => `CASE WHEN ${inner} THEN 1 ELSE 'x' END`)),
}))
const statements = fc.tuple(fc.constantFrom('SELECT a, # FROM t WHERE #', 'SELECT # FROM t ORDER BY # LIMIT 5', 'SELECT a FROM t GROUP BY # HAVING #', 'DELETE FROM t WHERE #', 'UPDATE t SET a = # WHERE # RETURNING b', "INSERT INTO t VALUES (#, 'x')", 'WITH w AS (SELECT # AS z) SELECT z FROM w', 'SELECT a FROM t; DELETE FROM u WHERE #', 'SET a = #', 'COPY t TO #', 'PREPARE p AS SELECT #'), fc.infiniteStream(expression))
  .map(([template, parts]) => template.replace(/#/g, () => parts.next().value as string))

/** All of an analysis but where its statements stand. */
function meaning({ statements, ...rest }: Analysis): unknown {
  return { ...rest, statements: statements.map(({ start: _start, end: _end, ...statement }) => statement) }
}

test('two texts of one shape are understood alike where no constant had a part in it', () => {
  const context = { resolver: undefined, searchPath: undefined, standardStrings: true }
  let compared = 0
  fc.assert(fc.property(statements, (text) => {
    const shape = shapeOf(text)
    if (shape === undefined || shape === text) return
    const one = analyse(text, context)
    if (one.literals || one.syntaxError !== '') return
    compared++
    assert.deepEqual(meaning(analyse(shape, context)), meaning(one))
  }), { numRuns: 20_000 })
  assert.ok(compared > 2_000, `${compared} pairs were compared`)
})
