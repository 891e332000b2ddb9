import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContentDetection } from '../../../../adapters/postgresql/detect/content-detection.ts'
import { createUntypedMask } from '../../../../adapters/postgresql/detect/untyped-mask.ts'
import type { MaskMethod } from '../../../../core/index.ts'

const CARD = 4_111_111_111_111_111n

function masked(value: Buffer, format: 0 | 1, method: MaskMethod = 'partial', sameLength = false): Buffer | null | undefined {
  const mask = createUntypedMask({ name: '', sameLength, format }, new ContentDetection([{ entity: '*', method, confidence: 0.5 }], []), { key: Buffer.alloc(32, 1), clientEncoding: 'UTF8' })
  const result = mask.mask(value, 0, value.length)
  if (result !== null && result !== undefined) assert.ok(result.length <= value.length + mask.growth)
  return result
}

const text = (value: string, method?: MaskMethod): string | null | undefined => {
  const [one, other] = [masked(Buffer.from(value), 0, method), masked(Buffer.from(value), 1, method)]
  assert.deepEqual(one, other, 'a text is the same in both formats')
  return one === null || one === undefined ? one : one.toString()
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

const int32 = (...values: number[]): Buffer => Buffer.concat(values.map((value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}))

test('a text is masked where something is found, and JSON stays JSON, whatever its escapes hide', () => {
  assert.equal(text('to ada.marsh@example.com, Zoë'), 'to a********@example.com, Zoë')
  assert.equal(text('nothing here \\ "'), undefined)
  assert.equal(text('{"m":"ada\\u0040example.com","card":4111111111111111}'), '{"m":"***@example.com","card":1111}')
  assert.equal(text('{"not json, ada@example.com \\'), '{"not json, ***@example.com \\')
  assert.equal(text('[1,"ada@example.com"]', 'null'), null)
})

test('numbers, arrays and jsonb in binary format are masked as in a column of their type', () => {
  assert.deepEqual(masked(int64(CARD), 1), int64(0n))
  assert.equal(masked(int64(4_111_111_111_111_112n), 1), undefined)
  const numeric = Buffer.from([0, 4, 0, 3, 0, 0, 0, 0, ...[4111, 1111, 1111, 1111].flatMap((digits) => [digits >> 8, digits & 255])])
  assert.equal(masked(numeric, 1)?.includes(numeric.subarray(8)), false)
  const array = Buffer.concat([int32(1, 0, 25, 1, 1, 15), Buffer.from('ada@example.com')])
  assert.deepEqual(masked(array, 1, 'fixed'), Buffer.concat([int32(1, 0, 25, 1, 1, 3), Buffer.from('***')]))
  assert.deepEqual(masked(Buffer.concat([int32(1, 0, 20, 1, 1, 8), int64(CARD)]), 1), Buffer.concat([int32(1, 0, 20, 1, 1, 8), int64(0n)]))
  assert.equal(masked(Buffer.from('\u0001{"a": 4111111111111111}'), 1)?.toString(), '\u0001{"a": 1111}')
})

test('bytes of any other type keep their length', () => {
  const row = Buffer.concat([int32(2, 23, 4, 7, 25, 15), Buffer.from('ada@example.com')])
  assert.deepEqual(masked(row, 1), Buffer.concat([int32(2, 23, 4, 7, 25, 15), Buffer.from('***@example.com')]))
  assert.equal(masked(Buffer.from('ada@example.com'), 0, 'fixed', true)?.toString(), '*'.repeat(15))
})

test('doubles are left alone, timestamps but for one in hundreds, and no bytes are too odd', () => {
  const double = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return bytes
  }
  fc.assert(fc.property(fc.double({ min: 1e-200, max: 1e200, noNaN: true }), (value) => assert.equal(masked(double(value), 1), undefined)), { numRuns: 2000 })
  const timestamps = fc.sample(fc.integer({ min: 400_000_000, max: 1_600_000_000 }), 3000)
  assert.ok(timestamps.filter((seconds) => masked(int64(BigInt(seconds) * 1_000_000n), 1) !== undefined).length < 15)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom<0 | 1>(0, 1), (bytes, format) => void masked(Buffer.from(bytes), format)), { numRuns: 3000 })
})
