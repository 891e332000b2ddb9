import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EFFECTS, MASK_METHODS } from '../../../core/events/index.ts'
import { readVotes } from '../../../core/rules/vote.ts'

test('whatever a rule gives is either votes as declared or a problem, and never an exception', () => {
  const almost = fc.record({
    effect: fc.oneof(fc.constantFrom(...EFFECTS), fc.anything()),
    reason: fc.oneof(fc.string(), fc.anything()),
    columns: fc.oneof(fc.dictionary(fc.string(), fc.constantFrom(...MASK_METHODS)), fc.anything()),
    approvers: fc.oneof(fc.array(fc.string()), fc.anything()),
    timeout: fc.oneof(fc.integer(), fc.anything()),
    limits: fc.oneof(fc.record({ rows: fc.integer(), seconds: fc.double(), statementsPerMinute: fc.integer() }, { requiredKeys: [] }), fc.anything()),
    exempt: fc.oneof(fc.array(fc.constantFrom('public.people.email', 'class:pii.email', 'email')), fc.anything()),
  }, { requiredKeys: [] })
  fc.assert(fc.property(fc.oneof(almost, fc.array(almost, { maxLength: 3 }), fc.anything()), (result) => {
    const votes = readVotes(result)
    if (typeof votes === 'string') return
    for (const { effect, reason, masks, approvers, timeoutSeconds, limits, exempt } of votes) {
      assert.ok(effect !== 'block' || limits === undefined)
      assert.ok(effect === 'allow' || effect === 'mask' || exempt === undefined)
      for (const value of Object.values(limits ?? {})) assert.ok(value >= 0 && Number.isFinite(value))
      for (const each of exempt ?? []) assert.match(each, /^class:|^[^.]+\.[^.]+\.[^.]+$/)
      assert.ok(EFFECTS.includes(effect))
      assert.doesNotMatch(reason, /\p{Cc}/u)
      assert.ok(effect === 'mask' ? masks.length > 0 : masks.length === 0)
      assert.ok(effect === 'await-approval' || (approvers === undefined && timeoutSeconds === undefined))
      if (timeoutSeconds !== undefined) assert.ok(Number.isInteger(timeoutSeconds) && timeoutSeconds > 0)
    }
  }), { numRuns: 3_000 })
})

test('a vote that is neither nothing nor an object is a problem', () => {
  for (const result of [null, true, 'block', 5, [[]], [null]]) assert.equal(typeof readVotes(result), 'string')
  assert.deepEqual([readVotes(undefined), readVotes([])], [[], []])
})

test('a mask says a method, or a method with its terms; what the vote says holds for columns that say nothing else', () => {
  const columns = { 'public.people.email': 'partial', 'public.people.born': { method: 'generalise', bucket: 10, predicates: 'allow' } }
  assert.deepEqual(readVotes({ effect: 'mask', reason: 'r', columns, predicates: 'equality', untraced: 'mask' }), [{
    effect: 'mask', reason: 'r', masks: [
      { column: 'public.people.email', method: 'partial', predicates: 'equality', untraced: 'mask' },
      { column: 'public.people.born', method: 'generalise', bucket: 10, predicates: 'allow', untraced: 'mask' },
    ],
  }])
  for (const terms of ['whole', { method: 'fixed', bucket: 3 }, { method: 'generalise', bucket: 0 }, { method: 'null', predicate: 'allow' }, { predicates: 'allow' }, { method: 'null', untraced: 'allow' }]) {
    assert.equal(typeof readVotes({ effect: 'mask', reason: 'r', columns: { 'a.b.c': terms } }), 'string', JSON.stringify(terms))
  }
})

test('a hold may ask for a dry run, and nothing else may', () => {
  const hold = { effect: 'await-approval', reason: 'r' }
  assert.deepEqual(readVotes({ ...hold, 'dry-run': true }), [{ ...hold, masks: [], dryRun: true }])
  assert.equal(readVotes({ ...hold, 'dry-run': 'yes' }), '"dry-run" is true or false, not "yes"')
  assert.equal(readVotes({ effect: 'allow', reason: 'r', 'dry-run': true }), '"dry-run" belongs to the effect "await-approval", not to "allow"')
})
