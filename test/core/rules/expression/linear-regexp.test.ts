import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinearRegExp } from '../../../../core/rules/expression/linear-regexp.ts'

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '\\s', '\\.', '\\bb', 'é', '\\u0041', '(?:ab|c)', '(a)')
const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{1,2}', '*?')).map(([of, times]) => (of.startsWith('\\b') ? of : of + times))
const pattern = fc.tuple(fc.constantFrom('', '^'), fc.array(piece, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '$')).map(([start, all, end]) => start + all.join('') + end)
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '.', 'é', 'A', '\n'), maxLength: 12 })

test('finds what RegExp finds, match after match', () => {
  fc.assert(fc.property(pattern, fc.constantFrom('g', 'gi', 'gm'), text, (source, flags, subject) => {
    const [theirs, ours] = [new RegExp(source, flags), new LinearRegExp(new RegExp(source, flags))]
    assert.equal(ours.test(subject), new RegExp(source, flags).test(subject))
    for (let i = 0; i < 4; i++) {
      const [expected, found] = [theirs.exec(subject), ours.exec(subject)]
      assert.deepEqual(found === null ? null : [found.index, ...found], expected === null ? null : [expected.index, ...expected])
      if (expected === null || expected[0] === '') return
      assert.equal(ours.lastIndex, theirs.lastIndex)
    }
  }), { numRuns: 3_000 })
})

test('a pattern that is exponential for RegExp is over at once', () => {
  const began = performance.now()
  assert.equal(new LinearRegExp('^(a+)+$').test(`${'a'.repeat(5_000)}!`), false)
  assert.equal(new LinearRegExp('(x+x+)+y').exec('x'.repeat(5_000)), null)
  assert.ok(performance.now() - began < 2_000)
})

test('a pattern that would unfold without bound is refused', () => {
  for (const source of ['((a{100}){100}){100}', 'a{100000}', 'a'.repeat(2_000), '(?=a)', '(?<!a)b', '(a)\\1']) {
    assert.throws(() => new LinearRegExp(source), SyntaxError, source)
  }
})
