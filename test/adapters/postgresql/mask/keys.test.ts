import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { keyedDigest } from '../../../../adapters/postgresql/mask/keyed-digest.ts'
import { rotatingKey } from '../../../../adapters/postgresql/mask/rotating-key.ts'

const DAY = 86_400_000

test('a key is the same for a whole period in every gateway, and another in the next', () => {
  let now = 100 * DAY
  const options = { secret: Buffer.alloc(32, 1), name: 'shop', rotationMs: 30 * DAY, now: () => now }
  const [key, sibling] = [rotatingKey(options), rotatingKey(options)]
  const first = key()
  now = 119 * DAY
  assert.equal(key(), first)
  assert.deepEqual(sibling(), first)
  now = 120 * DAY
  assert.notDeepEqual(key(), first)
  assert.deepEqual(key(), sibling())
})

test('every target has its own key, and without a rotation it stays', () => {
  let now = 0
  const options = { secret: Buffer.alloc(32, 1), rotationMs: undefined, now: () => now }
  const [shop, crm] = [rotatingKey({ ...options, name: 'shop' }), rotatingKey({ ...options, name: 'crm' })]
  const first = shop()
  now = 1e13
  assert.equal(shop(), first)
  assert.notDeepEqual(crm(), first)
})

test('the digest is HMAC-SHA-256, for values of every length, also after longer ones', () => {
  const key = Buffer.alloc(32, 9)
  const digest = keyedDigest(key)
  for (const length of [0, 1, 5000, 1024, 1025, 63, 64, 65, 0, 20]) {
    const value = Buffer.alloc(length + 2, length)
    const wanted = createHmac('sha256', key).update(value.subarray(1, length + 1)).digest()
    assert.equal(digest(value, 1, length + 1, 'hex'), wanted.toString('hex'))
    assert.equal(digest(value, 1, length + 1, 'latin1'), wanted.toString('latin1'))
  }
  assert.throws(() => keyedDigest(Buffer.alloc(65)), RangeError)
})
