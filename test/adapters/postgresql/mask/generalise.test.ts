import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { createValueMask, type ValueDescription } from '../../../../adapters/postgresql/mask/value-mask.ts'

function coarseBytes(value: Buffer, description: Partial<ValueDescription>): Buffer | null {
  const mask = createValueMask({ type: OID.text, typmod: -1, format: 0, method: 'generalise', ...description }, { key: Buffer.alloc(32), clientEncoding: 'UTF8' })
  const work = Buffer.from(value)
  const replacement = mask.mask(work, 0, work.length)
  return replacement === undefined ? work : replacement
}

const coarse = (text: string, description: Partial<ValueDescription> = {}): string | undefined => coarseBytes(Buffer.from(text), description)?.toString()
const NUMERIC_4_2 = (4 << 16 | 2) + 4

test('a number becomes the lower end of its bucket', () => {
  const cases: [string, number, number, string][] = [
    ['4711', OID.int4, 1000, '4000'], ['-1', OID.int4, 1000, '-1000'], ['4000', OID.int8, 1000, '4000'], ['7', OID.int2, 2.5, '5'], ['-1', OID.int2, 2.5, '-3'],
    ['1234.56', OID.numeric, 50, '1200.00'], ['0.37', OID.numeric, 0.25, '0.25'], ['3.7', OID.float8, 0.5, '3.5'], ['-3.7', OID.float8, 1, '-4'], ['3', OID.float4, 0.25, '3'],
  ]
  for (const [value, type, bucket, wanted] of cases) assert.equal(coarse(value, { type, bucket }), wanted, `${value} by ${bucket}`)
})

test('a bucket that begins below what the type holds begins there', () => {
  assert.equal(coarse('-32768', { type: OID.int2, bucket: 1000 }), '-32768')
  assert.equal(coarse('-1', { type: OID.int4, bucket: 1e300 }), '-2147483648')
  assert.equal(coarse('-0.01', { type: OID.numeric, typmod: NUMERIC_4_2, bucket: 1000 }), '-99.99')
})

test('without a width a number keeps its first digit, and a digit alone is not kept', () => {
  const cases: [string, number, string][] = [
    ['4711', OID.int4, '4000'], ['-42', OID.int4, '-40'], ['7', OID.int4, '0'], ['-7', OID.int2, '0'], ['0', OID.int8, '0'],
    ['12.34', OID.numeric, '10.00'], ['0.37', OID.numeric, '0.30'], ['7', OID.numeric, '0'], ['3.7', OID.float8, '3'], ['1.5e-10', OID.float8, '1e-10'],
  ]
  for (const [value, type, wanted] of cases) assert.equal(coarse(value, { type }), wanted)
})

test('a bucket of integers holds the value, in both formats, whatever its width', () => {
  fc.assert(fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 1_000_000 }), (value, bucket) => {
    const lower = Number(coarse(String(value), { type: OID.int4, bucket }))
    assert.ok(lower <= value && (value - lower < bucket) && (lower % bucket === 0 || lower === -(2 ** 31)), `${value} by ${bucket}: ${lower}`)
    const binary = Buffer.alloc(4)
    binary.writeInt32BE(value)
    assert.equal(coarseBytes(binary, { type: OID.int4, format: 1, bucket })?.readInt32BE(), lower)
  }))
})

test('dates and timestamps keep their year, addresses their network', () => {
  assert.equal(coarse('2024-11-30', { type: OID.date }), '2024-01-01')
  assert.equal(coarse('2024-06-30 12:34:56.789+02', { type: OID.timestamptz }), '2024-01-01 00:00:00.000+00')
  assert.equal(coarse('192.168.7.9', { type: OID.inet }), '192.168.0.0/16')
  assert.equal(coarse('10.1.2.3/8', { type: OID.inet }), '10.0.0.0/8')
  assert.equal(coarse('2001:db8:1:2::9', { type: OID.inet }), '2001:db8:1:0:0:0:0:0/48')
  assert.equal(coarse('::ffff:10.1.2.3/128', { type: OID.cidr }), '0:0:0:0:0:0:0:0/48')
})

test('a text keeps what many have: a domain, a year, a network, a postal area; anything else nothing', () => {
  const cases: [string, string][] = [
    ['jane.doe@example.com', '*@example.com'], ['żofia@example.pl', '*@example.pl'], ['1984-05-17', '1984-01-01'], ['192.168.7.9', '192.168.0.0/16'],
    ['90210', '90***'], ['90210-1234', '902**-****'], ['SW1A 1AA', 'SW1* ***'], ['1010 AB', '101* **'],
    ['Jane Doe', '***'], ['hunter2', '***'], ['secret', '***'], ['', '***'], ['123', '***'],
  ]
  for (const [value, wanted] of cases) assert.equal(coarse(value), wanted)
  assert.equal(coarse('1.2.3.4', { type: OID.varchar, typmod: 4 + 7 }), '***')
})

test('a type without a coarser value becomes its constant, and a width that cannot be read shows nothing', () => {
  assert.equal(coarse('t', { type: OID.bool }), 'f')
  assert.equal(coarse('{"a":1}', { type: OID.jsonb }), '"***"')
  assert.equal(coarse('4711', { type: OID.int4, bucket: Number.NaN }), '0')
  assert.equal(coarse('4711', { type: OID.int4, bucket: -5 }), '0')
})
