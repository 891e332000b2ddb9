import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventIds } from '../../core/ids.ts'

const STREAM = '6601c26e-3fc1-44b3-b14a-1269ee8fc4c2'

test('the id of an event depends on its stream and revision alone, in whatever order they are asked for', () => {
  const counting = eventIds(STREAM)
  for (let revision = 0; revision < 70_000; revision++) {
    const id = counting(revision)
    if (revision % 997 === 0 || revision < 300) assert.equal(id, eventIds(STREAM)(revision))
  }
  const jumping = eventIds(STREAM)
  for (const revision of [0xffff, 0x10000, 0, 1, 0xfffff, 0x100000, 5, 6, 2 ** 52 - 1, 2 ** 52, 2 ** 52]) {
    assert.equal(jumping(revision), `6601c26e-3fc1-84b3-8${revision.toString(16).padStart(15, '0').replace(/^(...)/, '$1-')}`)
  }
})
