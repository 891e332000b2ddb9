import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { analyse, loadSqlParser, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'
import { BY_ORIGIN, NONE } from './harmless.ts'
import { BLOCKED } from './leaks.ts'

const understand = (text: string): Analysis => analyse(text, { resolver: undefined, searchPath: undefined })

const WRITES = [
  'UPDATE a SET x = 1 WHERE k = 123', 'DELETE FROM a WHERE k IN (1, 2)', "DELETE FROM a WHERE k BETWEEN 1 AND 2 AND n = 'x'",
  'DELETE FROM a WHERE x = 1 OR x = 2', 'DELETE FROM a WHERE x = 1 OR x <> 2', 'DELETE FROM a WHERE x IS NULL OR y = 1',
  "DELETE FROM a WHERE n LIKE 'x%'", "DELETE FROM a WHERE n ~ 'x'", 'DELETE FROM a WHERE length(n) >= 3', 'DELETE FROM a WHERE 1 = 2',
  "DELETE FROM a WHERE 'f'::bool", 'DELETE FROM a WHERE 3 IN (1, 2)', 'DELETE FROM a WHERE k + 1 = k + 2', 'DELETE FROM a WHERE coalesce(NULL, 1 = 1)',
  "DELETE FROM a WHERE CASE WHEN 1 = 2 THEN k = 3 ELSE true END", 'DELETE FROM a WHERE (SELECT 1 = 2)', "DELETE FROM a WHERE 'a' IS DISTINCT FROM 'b'",
  "INSERT INTO a VALUES (1, 'x') ON CONFLICT (k) DO UPDATE SET n = 'y' WHERE a.k = 3 RETURNING 5",
  "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED AND b.x = 3 THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT VALUES ('x')",
  "SELECT set_config('search_path', 'x', false)", 'SELECT a, b FROM t ORDER BY 2', 'SELECT a, b FROM t GROUP BY 1', 'SELECT DISTINCT ON (1) a FROM t',
  "SET search_path = 'x'", "COPY a TO '/tmp/x'", "DO 'BEGIN END'", "EXPLAIN (analyze 1) DELETE FROM a", "PREPARE p AS SELECT 1",
  "SELECT U&\"d!0061t\" UESCAPE '!'", 'WITH d AS (DELETE FROM a WHERE 1 = 2) SELECT 1 FROM b LIMIT 3',
]

/** Strings and numbers that stand alone; the second alternative steps over what only looks like one. */
const CONSTANT = /(?<![\w"&$])(?:'(?:[^']|'')*'|\d+(?:\.\d+)?(?![\w.]))|\w+|"(?:[^"]|"")*"|\$\$[^]*?\$\$|\$\d+/g
const STRINGS = ["''", "'x'", "'%'", "'true'", "'0'", "'t'", "'search_path'", "'email'"]
const NUMBERS = ['0', '1', '2', '3', '1.5', '99999999999']

function withOthers(text: string, picks: readonly number[]): string {
  let at = 0
  return text.replace(CONSTANT, (found) => {
    const others = found.startsWith("'") ? STRINGS : /^\d/.test(found) ? NUMBERS : [found]
    return others[(picks[at++ % picks.length] ?? 0) % others.length] ?? found
  })
}

function meaning({ statements, ...whole }: Analysis): unknown {
  return [whole, statements.map(({ start: _start, end: _end, ...rest }) => rest)]
}

describe('whether constants had a part in what a text means', () => {
  before(loadSqlParser)

  it('says no only where other constants would have given the same', () => {
    const texts = [...WRITES, ...BLOCKED, ...BY_ORIGIN, ...NONE].filter((text) => !understand(text).literals && !/[eEuUbBxX]&?'/.test(text))
    assert.ok(texts.length > 150, `only ${texts.length} texts`)
    const compared = new Set<string>()
    fc.assert(fc.property(fc.constantFrom(...texts), fc.array(fc.nat(1000), { minLength: 5, maxLength: 20 }), (text, picks) => {
      const other = withOthers(text, picks)
      const analysis = understand(other)
      if (analysis.syntaxError !== '') return
      if (other !== text) compared.add(other)
      assert.deepEqual(meaning(analysis), meaning(understand(text)), other)
    }), { numRuns: 3000, seed: 11 })
    assert.ok(compared.size > 500, `only ${compared.size} compared`)
  })

  it('says no for the statements that repeat most', () => {
    const repeated = ['SELECT x FROM a WHERE k = 123', 'UPDATE a SET x = 5 WHERE k = 123', "INSERT INTO a VALUES (1, 'x')", 'DELETE FROM a WHERE k IN (1, 2)', 'SELECT x FROM a LIMIT 3', 'BEGIN']
    assert.deepEqual(repeated.map((text) => understand(text).literals), [false, false, false, false, false, false])
  })

  it('says yes where they decide', () => {
    const decided = [
      "PREPARE TRANSACTION 'x'",
      'DELETE FROM a WHERE 1 = 2', "DELETE FROM a WHERE n LIKE 'x%'", 'SELECT a, b FROM t ORDER BY 2', "SELECT set_config('search_path', 'x', false)",
      "SET search_path = 'x'", "DO 'BEGIN END'", 'SELECT U&"d!0061t" UESCAPE \'!\'', 'SELEKT 1', 'DELETE FROM a WHERE x = 1 OR x <> 2',
    ]
    for (const text of decided) assert.equal(understand(text).literals, true, text)
    assert.equal(analyse("SELECT 'x'", { resolver: undefined, searchPath: undefined, standardStrings: undefined }).literals, true)
  })
})
