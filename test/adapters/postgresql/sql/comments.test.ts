import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { analyse, loadSqlParser } from '../../../../adapters/postgresql/sql/index.ts'
import { withoutComments } from '../../../../adapters/postgresql/sql/comments.ts'
import { parse } from '../../../../adapters/postgresql/sql/load.ts'

const CASES: readonly (readonly [text: string, without: string | undefined])[] = [
  ['SELECT 1', undefined],
  ['a /* b */ c', 'a         c'],
  ['a /* b /* c */ d */ e', 'a                   e'],
  ['a -- b\nc', 'a     \nc'],
  ['a */* b */ c', 'a *        c'],
  ["'/* a */' /**/", "'/* a */'     "],
  ["'it''s -- x' --", "'it''s -- x'   "],
  ['"--" /**/', '"--"     '],
  ["E'\\'--' --x", "E'\\'--'    "],
  ["e'a''--' --x", "e'a''--'    "],
  ["nameE'\\' /* ' */", "nameE'\\'        "],
  ['$$ -- $$ --', '$$ -- $$   '],
  ['$a$ $$ -- $a$ --', '$a$ $$ -- $a$   '],
  ['a$$ -- $$', 'a$$      '],
  ['$1 -- x', '$1     '],
  ['é /* ü */', 'é         '],
  ['a /* b', undefined],
  ["' /* a", undefined],
]

describe('comments', () => {
  before(loadSqlParser)

  for (const [text, without] of CASES) {
    it(`leaves ${JSON.stringify(without)} of ${JSON.stringify(text)}`, () => {
      assert.equal(withoutComments(text), without)
    })
  }

  it('does not hide a statement where the grammar looks ahead', () => {
    for (const text of [
      'SELECT upper(email) FROM people WHERE id NOT /* c */ IN (1)',
      'SELECT upper(email) FROM people ORDER BY id NULLS /* c */ FIRST',
      'SELECT upper(email) FROM people ORDER BY id NULLS -- c\n LAST',
      "SELECT upper(email) FROM people WHERE id NOT/**/BETWEEN 1 AND 2 AND name = 'a' -- c\n 'b'",
      'SELECT upper(email)::timestamp WITH /* c */ TIME ZONE FROM people',
    ]) {
      const { fidelity, sql, cannotRun } = analyse(text, { resolver: undefined, searchPath: undefined })
      assert.deepEqual([fidelity, sql.reads, cannotRun], ['parsed', ['people'], false], text)
    }
  })

  it('never claims that a text with comments, backslashes or other characters cannot run', () => {
    const resolver = { serverMajor: 18, relations: () => [], functions: () => [], hasUserType: () => false, typeForm: () => undefined, isGenerated: () => false, kin: () => [], ancestors: () => new Set<number>(), function: () => undefined, operatorFunctions: () => [], followers: () => undefined, eventTriggers: () => [], hasImpliedCode: false, behind: () => [], typeCode: () => [], rowCode: () => [], signatureCode: () => [], castCode: () => [], policies: () => [], dependents: () => [], definition: () => undefined }
    const cannotRun = (text: string): boolean => analyse(text, { resolver, searchPath: [] }).cannotRun
    assert.equal(cannotRun('SELECT 1 +'), true)
    for (const text of ['SELECT 1 + -- x', 'SELECT /* x */ 1 +', "SELECT E'\\' +", 'SELECT é +']) assert.equal(cannotRun(text), false, text)
  })

  it('keeps the tree of every text that parses with its comments', () => {
    const piece = fc.constantFrom('a', ' ', "'x'", '"y"', '/* c */', '-- d\n', '+', '-', '*', '/', '$$z$$', "E'q'", '1', ',', '(', ')', 'SELECT')
    fc.assert(fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = `SELECT ${pieces.join('')}`
      const plain = withoutComments(text)
      const [first, second] = [parse(text), parse(plain ?? text)]
      if (first.kind === 'parsed') assert.deepEqual(second, first)
    }), { numRuns: 3_000, seed: 11 })
  })
})
