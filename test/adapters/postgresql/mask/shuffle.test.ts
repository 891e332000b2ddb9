import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { createValueMask, type ValueDescription } from '../../../../adapters/postgresql/mask/value-mask.ts'

const KEY = Buffer.from('a key for tests')

function shuffledBytes(value: Buffer, description: Partial<ValueDescription> = {}, clientEncoding = 'UTF8', key = KEY): Buffer {
  const mask = createValueMask({ type: OID.text, typmod: -1, format: 0, method: 'shuffle', ...description }, { key, clientEncoding })
  const work = Buffer.from(value)
  const replacement = mask.mask(work, 0, work.length)
  assert.ok((replacement?.length ?? 0) <= value.length + mask.growth)
  return replacement === undefined ? work : replacement ?? Buffer.from('NULL')
}

const shuffled = (text: string, description: Partial<ValueDescription> = {}, key = KEY): string => shuffledBytes(Buffer.from(text), description, 'UTF8', key).toString()

/** `9` for a digit, `a` and `A` for letters; the rest as it is. */
const shape = (text: string): string => text.replace(/\p{Nd}/gu, '9').replace(/\p{Lu}/gu, 'A').replace(/[\p{L}\p{M}]/gu, 'a')

test('a shuffled text has the shape of the value, and is another one', () => {
  for (const text of ['Jane Doe', 'jane.doe+x@Example.com', '4111-1111-1111-1111', 'a', '7', 'Łódź, Γειά σου, Привет', '٣٤ 日本 ひら 한국 😀!', 'São João 12']) {
    assert.equal(shape(shuffled(text)), shape(text))
    assert.equal(Buffer.byteLength(shuffled(text)), Buffer.byteLength(text))
    assert.notEqual(shuffled(text), text)
  }
  assert.deepEqual(['', '-- !? --', '😀'].map((text) => shuffled(text)), ['', '********', '****'])
  assert.equal(shuffled('😀😀', { type: OID.varchar, typmod: 4 + 2 }), '**')
})

test('equal values are shuffled to equal ones, others and other keys to others', () => {
  assert.equal(shuffled('Jane Doe'), shuffled('Jane Doe'))
  assert.notEqual(shuffled('Jane Doe'), shuffled('Jane Dof'))
  assert.notEqual(shuffled('Jane Doe'), shuffled('Jane Doe', {}, Buffer.from('another key')))
  assert.equal(shuffled('abc   ', { type: OID.bpchar, typmod: 4 + 6 }).trimEnd(), shuffled('abc'))
})

test('no text, of any characters or bytes, breaks its encoding, its length or its type', () => {
  const bytes = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)), fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)))
  fc.assert(fc.property(bytes, fc.integer({ min: 1, max: 12 }), (value, most) => {
    const fits = [...value.toString()].length <= most
    const result = shuffledBytes(value, { type: OID.varchar, typmod: fits ? 4 + most : -1 })
    assert.ok(isUtf8(result), value.toString('hex'))
    if (isUtf8(value) && /[\p{L}\p{Nd}]/u.test(value.toString())) assert.equal(result.length, value.length)
    if (fits) assert.ok([...result.toString()].length <= most)
    if (/[\p{L}\p{Nd}]/u.test(value.toString())) assert.notDeepEqual(result, value)
  }), { numRuns: 5000 })
})

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes)
}

test('in an encoding that cannot be followed nothing of a text that is not ASCII is kept', () => {
  for (const encoding of ['SQL_ASCII', 'SJIS', 'EUC_JP']) {
    assert.match(shuffledBytes(Buffer.from([0x83, 0x40, 0x20, 0x21]), {}, encoding).toString('latin1'), /^[a-z]{4}$/)
    assert.match(shuffledBytes(Buffer.from([0x83, 0x40, 0x83, 0x41]), { type: OID.varchar, typmod: 4 + 2 }, encoding).toString('latin1'), /^[a-z]{2}$/)
  }
  assert.match(shuffledBytes(Buffer.from([0xe9, 0x20, 0x31]), {}, 'LATIN1').toString('latin1'), /^[a-z] \d$/)
})

test('a shuffled number has as many digits and its sign, and fits its type', () => {
  const cases: [string, number, number, RegExp][] = [
    ['32767', OID.int2, -1, /^[123]\d{4}$/], ['-32768', OID.int2, -1, /^-[123]\d{4}$/], ['7', OID.int4, -1, /^\d$/], ['0', OID.int8, -1, /^[1-9]$/],
    ['-42', OID.int4, -1, /^-[1-9]\d$/], ['9223372036854775807', OID.int8, -1, /^[1-9]\d{18}$/], ['4294967295', OID.oid, -1, /^[1-4]\d{9}$/],
    ['1234.50', OID.numeric, -1, /^[1-9]\d{3}\.\d\d$/], ['-0.00123', OID.numeric, (3 << 16 | 5) + 4, /^-0\.00[1-9]\d\d$/], ['0.00', OID.numeric, (2 << 16 | 2) + 4, /^0\.0[1-9]$/],
    ['1.5e-10', OID.float8, -1, /^[1-9](\.\d)?e-10$/], ['1.7976931348623157e308', OID.float8, -1, /e\+?308$/], ['12.5', OID.float4, -1, /^[1-9]\d(\.\d)?$/],
  ]
  for (const [value, type, typmod, wanted] of cases) {
    assert.match(shuffled(value, { type, typmod }), wanted)
    assert.notEqual(shuffled(value, { type, typmod }), value)
  }
  for (const value of ['NaN', 'Infinity', 'secret', '1e9999']) assert.match(shuffled(value, { type: OID.numeric }), /^0$/)
})

test('text and binary format are shuffled alike', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    const binary = Buffer.alloc(8)
    binary.writeBigInt64BE(value)
    const result = shuffledBytes(binary, { type: OID.int8, format: 1 })
    assert.equal(result.readBigInt64BE(), BigInt(shuffled(String(value), { type: OID.int8 })))
    assert.notEqual(result.readBigInt64BE(), value)
  }))
  const day = Buffer.alloc(4)
  day.writeInt32BE(9100)
  const days = shuffledBytes(day, { type: OID.date, format: 1 }).readInt32BE()
  assert.equal(shuffled('2024-11-30', { type: OID.date }), new Date(Date.UTC(2000, 0, 1 + days)).toISOString().slice(0, 10))
  const ticks = Buffer.alloc(8)
  ticks.writeBigInt64BE(-1n)
  const other = Number(shuffledBytes(ticks, { type: OID.timestamptz, format: 1 }).readBigInt64BE() / 1000n)
  assert.equal(shuffled('2000-01-01 05:29:59.999999+05:30', { type: OID.timestamptz }), new Date(Date.UTC(2000, 0, 1) + other).toISOString().replace('T', ' ').replace('.000Z', '+00'))
  const uuid = '6f9619ff-8b86-4011-b42d-00c04fc964ff'
  assert.equal(shuffled(uuid, { type: OID.uuid }).replaceAll('-', ''), shuffledBytes(Buffer.from(uuid.replaceAll('-', ''), 'hex'), { type: OID.uuid, format: 1 }).toString('hex'))
})

test('a shuffled day is one from 1930 to 2029, a shuffled uuid keeps its version, a shuffled address its network width', () => {
  for (const value of ['1984-05-17', '0044-03-15 BC', '5874897-12-31', '17.05.1984', '05/17/1984']) {
    assert.match(shuffled(value, { type: OID.date }), /^(19[3-9]|20[0-2])\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])$/)
  }
  assert.match(shuffled('23:59:59.999999', { type: OID.time }), /^([01]\d|2[0-3])(:[0-5]\d){2}$/)
  assert.match(shuffled('6f9619ff-8b86-4011-b42d-00c04fc964ff', { type: OID.uuid }), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  assert.match(shuffled('192.168.1.5/24', { type: OID.inet }), /^\d+\.\d+\.\d+\.\d+\/24$/)
  assert.match(shuffled('10.0.0.0/8', { type: OID.cidr }), /^\d+\.0\.0\.0\/8$/)
  for (const value of ['infinity', '-infinity']) assert.equal(shuffled(value, { type: OID.date }), '2000-01-01')
})

test('bytes a server would never send for a type become its constant, and are never looked beyond', () => {
  const types = [OID.int2, OID.int4, OID.int8, OID.float4, OID.float8, OID.numeric, OID.date, OID.time, OID.timetz, OID.timestamp, OID.timestamptz, OID.uuid, OID.inet, OID.cidr, OID.oid]
  fc.assert(fc.property(fc.constantFrom(...types), fc.constantFrom(0, 1), fc.constantFrom('shuffle', 'generalise'), fc.uint8Array({ maxLength: 40 }), (type, format, method, bytes) => {
    const mask = createValueMask({ type, typmod: -1, format: format as 0 | 1, method: method as 'shuffle' | 'generalise', bucket: 1000 }, { key: KEY, clientEncoding: 'UTF8' })
    const value = Buffer.from(bytes)
    const replacement = mask.mask(value, 0, value.length)
    assert.ok(replacement === undefined || (replacement !== null && replacement.length <= value.length + mask.growth))
  }), { numRuns: 20_000 })
})
