import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadBlocks, loadHarmless, loadLeaks } from './load-corpus.ts'

const all = [...loadLeaks(), ...loadBlocks(), ...loadHarmless()]

test('the corpus holds at least 150 ways to leak, 120 ways past a block and 120 harmless look-alikes', (t) => {
  const counts = { leaks: loadLeaks().length, blocks: loadBlocks().length, harmless: loadHarmless().length }
  t.diagnostic(JSON.stringify(counts))
  assert.ok(counts.leaks >= 150)
  assert.ok(counts.blocks >= 120)
  assert.ok(counts.harmless >= 120)
})

test('every case of the corpus has an id of its own', () => {
  const seen = new Set<string>()
  assert.deepEqual(all.map(({ id }) => id).filter((id) => seen.size === seen.add(id).size), [])
})

test('no case of the corpus is another one with another name', () => {
  const seen = new Set<string>()
  assert.deepEqual(all.filter(({ given, statements }) => seen.size === seen.add(JSON.stringify([given, statements])).size).map(({ id }) => id), [])
})
