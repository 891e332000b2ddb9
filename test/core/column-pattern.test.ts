import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnParts, columnPatternProblem, patternCovers, patternsMeet } from '../../core/index.ts'

test('a part may be quoted, and has to be where it holds a dot, a star or a quote', () => {
  assert.deepEqual(columnParts('public.people.email'), ['public', 'people', 'email'])
  assert.deepEqual(columnParts('Sales."Customer".Full Name'), ['Sales', 'Customer', 'Full Name'])
  assert.deepEqual(columnParts('a."b.c"."say ""hi"""'), ['a', '"b.c"', '"say ""hi"""'])
  for (const wrong of ['', '.', 'a..b', 'a.b.', '"a', 'a".b', 'a."".b', 'a. b.c', 'a.b\n']) assert.equal(columnParts(wrong), undefined, wrong)
})

test('what names a column, and what does not', () => {
  for (const good of ['public.people.email', '*.*.ssn', 'public.staff."tel. no"', 'public.staff."*"', 'Sales.Customer.Full Name', 'class:pii.*']) assert.equal(columnPatternProblem(good), undefined, good)
  for (const wrong of ['email', 'people.email', 'a.b.c.d', 'public.people.*mail', 'public."people.email', `a.b.${'c'.repeat(300)}`, 'class:', 'class:pii*']) assert.notEqual(columnPatternProblem(wrong), undefined, wrong)
})

test('covers and meets go by what is meant, not by how it is written', () => {
  assert.ok(patternCovers('*.people.*', 'public."people".email'))
  assert.ok(patternCovers('public.staff."tel. no"', 'public.staff."tel. no"'))
  assert.ok(!patternCovers('public.staff."*"', 'public.staff.email'))
  assert.ok(!patternCovers('public.staff."tel. no"', 'public.staff.tel'))
  assert.ok(!patternCovers('"broken', 'public.staff.email'))
  assert.ok(patternsMeet('*.staff.email', 'public."staff".*'))
  assert.ok(!patternsMeet('public.staff."*"', 'public.staff.email'))
})
