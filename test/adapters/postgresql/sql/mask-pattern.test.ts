import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { columnPattern, maskPatterns } from '../../../../adapters/postgresql/sql/mask-pattern.ts'
import { TARGET } from './shop.ts'

const CASES: readonly (readonly [pattern: string, column: readonly [string, string, string], matches: boolean])[] = [
  ['public.people.email', ['public', 'people', 'email'], true],
  ['public.people.email', ['other', 'people', 'email'], false],
  ['public.people.email', ['public', 'people', 'emails'], false],
  ['*.people.email', ['other', 'people', 'email'], true],
  ['*.*.ssn', ['a', 'b', 'ssn'], true],
  ['*.ssn', ['a', 'b', 'ssn'], true],
  ['ssn', ['a', 'b', 'ssn'], true],
  ['people.*', ['a', 'people', 'x'], true],
  ['people.*', ['a', 'orders', 'x'], false],
  ['*.*.*mail*', ['a', 'b', 'home_email_2'], true],
  ['*.*.*mail', ['a', 'b', 'email_2'], false],
  ['*.*.e*l', ['a', 'b', 'el'], true],
  ['*.*.ee*e', ['a', 'b', 'ee'], false],
  ['public."Odd.Name"."a""b"', ['public', 'Odd.Name', 'a"b'], true],
  ['public."*".x', ['public', 'people', 'x'], false],
  ['Public.people.email', ['public', 'people', 'email'], false],
]

describe('mask patterns', () => {
  for (const [pattern, [schema, table, column], matches] of CASES) {
    it(`${pattern} ${matches ? 'covers' : 'leaves'} ${schema}.${table}.${column}`, () => {
      assert.equal(columnPattern(pattern)?.matches(schema, table, column), matches)
    })
  }

  it('refuses what it cannot read', () => {
    for (const text of ['', 'a..b', 'a.b.', '.a', 'a.b.c.d', '"a', 'a"b']) assert.equal(columnPattern(text), undefined, text)
  })

  it('looks classes up in the target', () => {
    assert.equal(maskPatterns({ column: 'class:pii.salary', method: 'null' }, TARGET)?.length, 1)
    assert.equal(maskPatterns({ column: 'class:pii.*', method: 'null' }, TARGET)?.length, 2)
    assert.equal(maskPatterns({ column: 'class:none', method: 'null' }, TARGET)?.length, 0)
  })
})
