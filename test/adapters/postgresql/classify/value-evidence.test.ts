import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { valueEvidence } from '../../../../adapters/postgresql/classify/value-evidence.ts'

const many = (count: number, make: (n: number) => string): string[] => Array.from({ length: count }, (_, n) => make(n))

describe('what values of a column show', () => {
  test('is the class that most of them are, whatever else is among them', () => {
    const values = [...many(90, (n) => `ada${n}@example.com`), ...many(10, (n) => `+44 20 7946 00${10 + n}`)]
    const { looked, evidence } = valueEvidence(values, '', 'text')
    assert.deepEqual([looked, evidence?.class, evidence?.share, evidence?.whole], [100, 'pii.email', 0.9, true])
    assert.equal(valueEvidence(values.toReversed(), '', 'text').evidence?.class, 'pii.email')
    assert.equal(valueEvidence([...many(10, (n) => `ada${n}@example.com`), ...many(90, (n) => `+44 20 7946 00${10 + n}`)], '', 'text').evidence?.class, 'pii.phone')
  })

  test('counts for little when there are few values, and NULL and empty ones are none', () => {
    const confidence = (count: number): number => valueEvidence([...many(count, (n) => `ada${n}@example.com`), null, '', '  '], '', 'text').evidence?.confidence ?? 0
    assert.ok(confidence(1) < 0.4 && confidence(3) > 0.5 && confidence(100) > 0.94)
    assert.deepEqual(valueEvidence([null, '', ' '], '', 'text'), { looked: 0, evidence: undefined, cardLike: 0 })
  })

  test('is told of text that only holds such values, from enough of it', () => {
    const notes = (count: number): string[] => many(count, (n) => (n % 10 === 0 ? `please write to ada${n}@example.com before Monday` : 'nothing to say'))
    assert.deepEqual({ ...valueEvidence(notes(100), '', 'text').evidence, confidence: 0 }, { class: 'pii.email', confidence: 0, share: 0.1, whole: false })
    assert.equal(valueEvidence(notes(15), '', 'text').evidence, undefined)
  })

  test('includes hashes of passwords, and numbers only when most of them are it', () => {
    assert.equal(valueEvidence(many(20, (n) => `$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$${n}`), '', 'text').evidence?.class, 'secret.password')
    assert.equal(valueEvidence(many(20, (n) => String(4_000_000_000_000_000 + n)), '', 'number').evidence, undefined)
  })

  test('is helped by the name of the column', () => {
    const values = many(30, (n) => `20255501${10 + n}`)
    assert.equal(valueEvidence(values, 'mobile_phone', 'text').evidence?.class, 'pii.phone')
    assert.equal(valueEvidence(values, 'x', 'text').evidence, undefined)
  })
})
