import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EFFECTS, MASK_METHODS } from '../../../core/events/index.ts'
import { combine, type Outcome } from '../../../core/rules/combine.ts'
import { readVotes } from '../../../core/rules/vote.ts'

test('whatever a rule gives is either votes as declared or a problem, and never an exception', () => {
  const almost = fc.record({
    effect: fc.oneof(fc.constantFrom(...EFFECTS), fc.anything()),
    reason: fc.oneof(fc.string(), fc.anything()),
    columns: fc.oneof(fc.dictionary(fc.string(), fc.constantFrom(...MASK_METHODS)), fc.anything()),
    detect: fc.oneof(fc.dictionary(fc.string(), fc.constantFrom(...MASK_METHODS)), fc.anything()),
    approvers: fc.oneof(fc.array(fc.string()), fc.anything()),
    timeout: fc.oneof(fc.integer(), fc.anything()),
    limits: fc.oneof(fc.record({ rows: fc.integer(), seconds: fc.double(), statementsPerMinute: fc.integer() }, { requiredKeys: [] }), fc.anything()),
    exempt: fc.oneof(fc.array(fc.constantFrom('public.people.email', 'class:pii.email', 'email')), fc.anything()),
  }, { requiredKeys: [] })
  fc.assert(fc.property(fc.oneof(almost, fc.array(almost, { maxLength: 3 }), fc.anything()), (result) => {
    const votes = readVotes(result)
    if (typeof votes === 'string') return
    for (const { effect, reason, masks, detections = [], approvers, timeoutSeconds, limits, exempt } of votes) {
      assert.ok(effect !== 'block' || limits === undefined)
      assert.ok(effect === 'allow' || effect === 'mask' || exempt === undefined)
      for (const value of Object.values(limits ?? {})) assert.ok(value >= 0 && Number.isFinite(value))
      for (const each of exempt ?? []) assert.match(each, /^class:|^[^.]+\.[^.]+\.[^.]+$/)
      assert.ok(EFFECTS.includes(effect))
      assert.doesNotMatch(reason, /\p{Cc}/u)
      assert.ok(effect === 'mask' ? masks.length + detections.length > 0 : masks.length + detections.length === 0)
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

test('a mask may say what to look for, beside columns or alone, each with a method and from which confidence on', () => {
  const detect = { 'card-number': 'partial', '*': { method: 'fixed', confidence: 0.9 } }
  const detections = [{ entity: 'card-number', method: 'partial', confidence: 0.5 }, { entity: '*', method: 'fixed', confidence: 0.9 }]
  assert.deepEqual(readVotes({ effect: 'mask', reason: 'r', detect }), [{ effect: 'mask', reason: 'r', masks: [], detections }])
  assert.deepEqual(readVotes({ effect: 'mask', reason: 'r', columns: { 'a.b.c': 'null' }, detect }), [{ effect: 'mask', reason: 'r', masks: [{ column: 'a.b.c', method: 'null' }], detections }])
  const wrong: readonly unknown[] = [{}, [], 'email', null, { Email: 'fixed' }, { email: 'whole' }, { email: { method: 'fixed', confidence: 2 } }, { email: { method: 'fixed', confidence: '1' } }, { email: { confidence: 1 } }, { email: { method: 'fixed', bucket: 1 } }, { '': 'fixed' }]
  for (const each of wrong) assert.equal(typeof readVotes({ effect: 'mask', reason: 'r', detect: each }), 'string', JSON.stringify(each))
  assert.match(JSON.stringify(readVotes({ effect: 'mask', reason: 'r' })), /or what it looks for/)
  assert.match(JSON.stringify(readVotes({ effect: 'allow', reason: 'r', detect })), /belongs to the effect/)
})

test('detections of several rules are united: per entity the stricter method, from the lower confidence on; what is not named is meant by *', () => {
  const vote = (detect: unknown): Outcome => {
    const votes = readVotes({ effect: 'mask', reason: 'r', detect })
    assert.ok(typeof votes !== 'string')
    return { rule: 'x', votes }
  }
  const { obligations } = combine([vote({ email: { method: 'partial', confidence: 0.4 }, '*': 'hash' }), vote({ email: { method: 'null', confidence: 0.8 } })], { default: 'block', approval: { approvers: [], timeoutSeconds: 1 }, digest: '' })
  assert.deepEqual(obligations.detections, [{ entity: '*', method: 'hash', confidence: 0.5 }, { entity: 'email', method: 'null', confidence: 0.4 }])
  const named = combine([vote({ email: 'partial', iban: 'null', '*': 'fixed' }), vote({ '*': { method: 'hash', confidence: 0.3 } })], { default: 'block', approval: { approvers: [], timeoutSeconds: 1 }, digest: '' })
  assert.deepEqual(named.obligations.detections, [
    { entity: '*', method: 'fixed', confidence: 0.3 }, { entity: 'email', method: 'hash', confidence: 0.3 }, { entity: 'iban', method: 'null', confidence: 0.3 },
  ])
})
