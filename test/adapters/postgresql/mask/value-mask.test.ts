import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_FIXED_BITS } from '../../../../adapters/postgresql/mask/fixed-value.ts'
import { OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { createValueMask, type ValueDescription } from '../../../../adapters/postgresql/mask/value-mask.ts'

const KEY = Buffer.from('a key for tests')

function maskBytes(value: Buffer, description: Partial<ValueDescription> = {}, clientEncoding = 'UTF8'): Buffer | null {
  const mask = createValueMask({ type: OID.text, typmod: -1, format: 0, method: 'partial', ...description }, { key: KEY, clientEncoding })
  const work = Buffer.concat([Buffer.from('before'), value, Buffer.from('after')])
  const replacement = mask.mask(work, 6, 6 + value.length)
  assert.equal(work.toString('latin1', 0, 6) + work.toString('latin1', 6 + value.length), 'beforeafter')
  return replacement === undefined ? work.subarray(6, 6 + value.length) : replacement
}

const partial = (text: string, description: Partial<ValueDescription> = {}): string | undefined => maskBytes(Buffer.from(text), description)?.toString()

test('a partial mask keeps the domain of an e-mail address, and the first of four or more characters before it', () => {
  assert.equal(partial('john@example.com'), 'j***@example.com')
  assert.equal(partial('ann@example.com'), '***@example.com')
  assert.equal(partial('jane+shop.2@mail.example.co.uk'), 'j**********@mail.example.co.uk')
  assert.equal(partial('žofie@example.cz'), 'ž****@example.cz')
})

test('a partial mask takes for an e-mail address only what has the form of one', () => {
  for (const text of ['user:secret@host.example', 'two words@example.com', 'a@b@example.com', 'name@localhost', 'nobody@.com', 'name@host.', 'name@ho_st.com', `${'a'.repeat(320)}@example.com`]) {
    const bytes = Buffer.byteLength(text)
    assert.equal(partial(text), text.charAt(0) + '*'.repeat(bytes - 1))
  }
})

test('a partial mask keeps the last four of ten or more digits, and what stands between them', () => {
  assert.equal(partial('4111111111111111'), '************1111')
  assert.equal(partial('4111 1111-1111 12 34 '), '**** ****-**** 12 34 ')
  assert.equal(partial('123456789012'), '********9012')
  assert.equal(partial('+44 (20) 7946-0958'), '+** (**) ****-0958')
  assert.equal(partial('1234567890'), '******7890')
  assert.equal(partial('123-45-6789'), '1**********')
  assert.equal(partial('1984-05-17'), '1*********')
  assert.equal(partial('1'.repeat(41)), `1${'*'.repeat(40)}`)
})

test('a partial mask keeps the last four of an IBAN', () => {
  assert.equal(partial('DE89370400440532013000'), '******************3000')
  assert.equal(partial('DE89 3704 0044 0532 0130 00'), '**** **** **** **** **30 00')
  assert.equal(partial('MT84MALT011000012345MTLCAST001S'), '***************************001S')
  assert.equal(partial('DE89 words that are 1234567890'), 'D*****************************')
})

test('a partial mask never keeps more than a quarter of a text that is no number and no address', () => {
  assert.equal(partial(''), '')
  assert.equal(partial('abc'), '***')
  assert.equal(partial('abcd'), 'a***')
  assert.equal(partial('żółw'), 'ż*****')
  assert.equal(partial('żół'), '******')
  assert.equal(partial('😀😀😀😀'), `😀${'*'.repeat(12)}`)
  assert.equal(partial(' leading'), '********')
})

test('a partial mask of any UTF-8 text is UTF-8 of as many bytes', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
    const bytes = Buffer.from(text)
    const masked = maskBytes(bytes)
    assert.equal(masked?.length, bytes.length)
    assert.equal(Buffer.from(masked?.toString() ?? '').equals(masked ?? Buffer.alloc(0)), true)
  }), { numRuns: 2000 })
})

test('a partial mask of malformed UTF-8 keeps nothing', () => {
  for (const bytes of [[0xff, 0x61, 0x61, 0x61, 0x61], [0x61, 0x62, 0xc0, 0x80, 0x61], [0xed, 0xa0, 0x80, 0x61, 0x61, 0x61], [0xf0, 0x9f, 0x98], [0x61, 0x61, 0x61, 0xe2, 0x82]]) {
    assert.equal(String(maskBytes(Buffer.from(bytes))), '*'.repeat(bytes.length))
  }
})

test('a partial mask in a single-byte encoding keeps the first byte', () => {
  assert.deepEqual(maskBytes(Buffer.from([0xe9, 0x74, 0xe9, 0x73]), {}, 'latin1'), Buffer.from([0xe9, 0x2a, 0x2a, 0x2a]))
  assert.deepEqual(maskBytes(Buffer.from([0xe9, 0x74, 0xe9, 0x73]), {}, 'WIN-1252'), Buffer.from([0xe9, 0x2a, 0x2a, 0x2a]))
})

test('a partial mask in an encoding it cannot read keeps something only of ASCII', () => {
  for (const encoding of ['SJIS', 'EUC_JP', 'GB18030', 'BIG5', 'SQL_ASCII', 'MULE_INTERNAL', '']) {
    assert.equal(String(maskBytes(Buffer.from([0x61, 0x83, 0x40, 0x62, 0x63, 0x64]), {}, encoding)), '******')
    assert.equal(String(maskBytes(Buffer.from('john@example.com'), {}, encoding)), 'j***@example.com')
  }
})

test('a partial mask never has more characters than the type takes', () => {
  assert.equal(partial('żółwie', { type: OID.varchar, typmod: 4 + 6 }), '******')
  assert.equal(partial('turtle', { type: OID.varchar, typmod: 4 + 6 }), 't*****')
  assert.equal(partial('żół  ', { type: OID.bpchar, typmod: 4 + 5 }), '*****')
  assert.equal(partial('x', { type: OID.char }), '*')
})

test('the padding of char(n) is neither masked nor counted', () => {
  assert.equal(partial('123456789012    ', { type: OID.bpchar, typmod: 4 + 16 }), '********9012    ')
  assert.equal(partial('abc     ', { type: OID.bpchar, typmod: 4 + 8 }), '***     ')
})

test('a partial mask of a date keeps its year', () => {
  const cases: [string, number, string][] = [
    ['2024-11-30', OID.date, '2024-01-01'],
    ['0044-03-15 BC', OID.date, '0044-01-01 BC'],
    ['11/30/2024', OID.date, '01/01/2024'],
    ['30.11.2024', OID.date, '01.01.2024'],
    ['11-30-2024 BC', OID.date, '01-01-2024 BC'],
    ['294276-12-31 23:59:59.999999', OID.timestamp, '294276-01-01 00:00:00.000000'],
    ['2024-06-30 12:34:56.789+05:30', OID.timestamptz, '2024-01-01 00:00:00.000+00:00'],
    ['0044-03-15 12:00:00-00:01:15 BC', OID.timestamptz, '0044-01-01 00:00:00-00:00:00 BC'],
  ]
  for (const [value, type, expected] of cases) assert.equal(partial(value, { type }), expected)
})

test('a date whose year cannot be read becomes the constant of its type', () => {
  for (const value of ['infinity', '-infinity', '4714-11-24 BC', '2024-11-30 secret', '', '20241130', '11/30-2024']) {
    assert.equal(partial(value, { type: OID.date }), '2000-01-01')
  }
  for (const value of ['infinity', 'Sat Jun 30 12:34:56 2024 PDT', '06/30/2024 12:34:56 PDT', '2024-11-30', '2024-11-30 12:34:56 EST']) {
    assert.equal(partial(value, { type: OID.timestamptz }), '2000-01-01 00:00:00+00')
  }
})

test('a binary date or timestamp keeps its year, for every day of eight thousand years', () => {
  const epoch = Date.UTC(2000, 0, 1)
  for (let days = -1_500_000; days < 1_500_000; days += 97) {
    const civil = new Date(epoch + days * 86_400_000)
    const first = Date.UTC(2000, 0, 1) + (new Date(Date.UTC(2000, 0, 1)).setUTCFullYear(civil.getUTCFullYear(), 0, 1) - epoch)
    const date = Buffer.alloc(4)
    date.writeInt32BE(days)
    assert.equal(maskBytes(date, { type: OID.date, format: 1 })?.readInt32BE(), (first - epoch) / 86_400_000)
    const timestamp = Buffer.alloc(8)
    for (const time of [0n, 43_210_000_001n, 86_399_999_999n]) {
      timestamp.writeBigInt64BE(BigInt(days) * 86_400_000_000n + time)
      assert.equal(maskBytes(timestamp, { type: OID.timestamp, format: 1 })?.readBigInt64BE(), BigInt(first - epoch) * 1000n)
    }
  }
})

test('binary infinities, impossible dates and values of the wrong size become the constant', () => {
  for (const days of [-0x8000_0000, 0x7fff_ffff, -2_451_545]) {
    const date = Buffer.alloc(4)
    date.writeInt32BE(days)
    assert.equal(maskBytes(date, { type: OID.date, format: 1 })?.readInt32BE(), 0)
  }
  for (const ticks of [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, -211_813_488_000_000_000n]) {
    const timestamp = Buffer.alloc(8)
    timestamp.writeBigInt64BE(ticks)
    assert.equal(maskBytes(timestamp, { type: OID.timestamptz, format: 1 })?.readBigInt64BE(), 0n)
  }
  assert.deepEqual(maskBytes(Buffer.from('odd'), { type: OID.date, format: 1 }), Buffer.alloc(4))
})

test('a hash is the same for equal values in both formats, and another for others', () => {
  const hashed = (type: number, format: 0 | 1, value: Buffer): Buffer => maskBytes(value, { type, format, method: 'hash' }) ?? Buffer.alloc(0)
  const uuid = '6f9619ff-8b86-d011-b42d-00c04fc964ff'
  const uuidText = String(hashed(OID.uuid, 0, Buffer.from(uuid)))
  assert.equal(uuidText.replaceAll('-', ''), hashed(OID.uuid, 1, Buffer.from(uuid.replaceAll('-', ''), 'hex')).toString('hex'))
  assert.match(uuidText, /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  const wide = Buffer.alloc(8)
  wide.writeBigInt64BE(-123_456_789_012n)
  assert.equal(String(hashed(OID.int8, 0, Buffer.from('-123456789012'))), String(hashed(OID.int8, 1, wide).readBigInt64BE()))
  assert.equal(String(hashed(OID.int2, 0, Buffer.from('258'))), String(hashed(OID.int2, 1, Buffer.from([1, 2])).readInt16BE()))
  const raw = hashed(OID.bytea, 1, Buffer.from([0, 0x5c, 0x41, 0xff])).toString('hex')
  assert.equal(String(hashed(OID.bytea, 0, Buffer.from('\\x005c41ff'))), `\\x${raw}`)
  assert.equal(String(hashed(OID.bytea, 0, Buffer.from('\\000\\\\A\\377'))), `\\x${raw}`)
  assert.notDeepEqual(hashed(OID.text, 0, Buffer.from('one')), hashed(OID.text, 0, Buffer.from('two')))
})

test('a hash of a text joins varchar, text and padded char columns, and fits the type', () => {
  const hashed = (type: number, typmod: number, value: string): string | undefined => partial(value, { type, typmod, method: 'hash' })
  const whole = hashed(OID.text, -1, 'alice')
  assert.match(whole ?? '', /^[\da-f]{32}$/)
  assert.equal(hashed(OID.varchar, 104, 'alice'), whole)
  assert.equal(hashed(OID.bpchar, 44, 'alice   '), whole)
  assert.equal(hashed(OID.varchar, 4 + 10, 'alice'), whole?.slice(0, 10))
  assert.equal(hashed(OID.char, -1, 'a')?.length, 1)
})

test('a hash needs the key', () => {
  const hashWith = (key: Buffer): Buffer | null | undefined => createValueMask({ type: OID.text, typmod: -1, format: 0, method: 'hash' }, { key, clientEncoding: 'UTF8' })
    .mask(Buffer.from('alice'), 0, 5)
  assert.notDeepEqual(hashWith(Buffer.from('one')), hashWith(Buffer.from('two')))
})

test('an integer that is none, or a type with too few values, is hashed to NULL', () => {
  assert.equal(maskBytes(Buffer.from('12a'), { type: OID.int4, method: 'hash' }), null)
  assert.equal(maskBytes(Buffer.from('123'), { type: OID.int4, format: 1, method: 'hash' }), null)
  for (const type of [OID.bool, OID.date, OID.numeric, OID.json, 1009]) assert.equal(maskBytes(Buffer.from('t'), { type, method: 'hash' }), null)
})

test('a type that is not known becomes NULL whatever the method', () => {
  for (const type of [600, 705, 2249, 3904, 16_500]) {
    for (const method of ['null', 'fixed', 'partial', 'hash'] as const) {
      for (const format of [0, 1] as const) assert.equal(maskBytes(Buffer.from('secret'), { type, method, format }), null)
    }
  }
})

test('a method or format that is not known becomes NULL', () => {
  const beyond = { method: 'reveal', format: 0 } as unknown as ValueDescription
  assert.equal(maskBytes(Buffer.from('secret'), beyond), null)
  for (const method of ['fixed', 'partial', 'hash'] as const) assert.equal(maskBytes(Buffer.from('secret'), { format: 2 as 1, method }), null)
})

test('a hostile type modifier makes nothing large', () => {
  assert.equal(maskBytes(Buffer.from('1'), { type: OID.bit, typmod: 0x7fff_ffff, method: 'fixed' }), null)
  assert.equal(maskBytes(Buffer.from('1'), { type: OID.bit, typmod: MAX_FIXED_BITS, method: 'fixed' })?.length, MAX_FIXED_BITS)
  assert.equal(maskBytes(Buffer.from('1'), { type: OID.varchar, typmod: -0x8000_0000, method: 'fixed' })?.toString(), '***')
  assert.equal(maskBytes(Buffer.from('secret'), { type: OID.varchar, typmod: 4, method: 'partial' })?.length, 0)
})
