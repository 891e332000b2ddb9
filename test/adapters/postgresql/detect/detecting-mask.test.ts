import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContentDetection, ContentDetections } from '../../../../adapters/postgresql/detect/content-detection.ts'
import { createDetectingMask } from '../../../../adapters/postgresql/detect/detecting-mask.ts'
import { ARRAY_ELEMENT, OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { MASK_METHODS, type Detection, type MaskMethod } from '../../../../core/index.ts'

const all = (method: MaskMethod, confidence = 0.5): Detection[] => [{ entity: '*', method, confidence }]
const TEXT_ARRAY = 1009
const JSONB_ARRAY = 3807
const CITEXT = 98_765

interface Given { name?: string; type?: number; typmod?: number; format?: 0 | 1; detections?: readonly Detection[]; clientEncoding?: string }

/** `undefined`: nothing was found. */
function detectedIn(value: Buffer, { name = 'note', type = OID.text, typmod = -1, format = 0, detections = all('fixed'), clientEncoding = 'UTF8' }: Given = {}): Buffer | null | undefined {
  const mask = createDetectingMask({ name, type, typmod, format }, new ContentDetection(detections, []), { key: Buffer.alloc(32, 1), clientEncoding })
  const before = Buffer.from(value)
  const masked = mask?.mask(value, 0, value.length)
  assert.deepEqual(value, before, 'the value itself is left alone')
  if (masked !== null && masked !== undefined) assert.ok(masked.length <= value.length + (mask?.growth ?? 0))
  return masked
}

const detected = (text: string, given: Given = {}): string | null | undefined => {
  const masked = detectedIn(Buffer.from(text), given)
  return masked === null || masked === undefined ? masked : masked.toString()
}

test('what is found in a text is masked where it stands, by each method', () => {
  const text = 'Żofia <ada.marsh@example.com> paid with 4111 1111 1111 1111 from DE89 3704 0044 0532 0130 00'
  assert.equal(detected(text), 'Żofia <***> paid with *** from ***')
  assert.equal(detected(text, { detections: all('partial') }), 'Żofia <a********@example.com> paid with **** **** **** 1111 from **** **** **** **** **30 00')
  assert.equal(detected(text, { detections: all('generalise') }), 'Żofia <*@example.com> paid with *** from ***')
  assert.equal(detected(text, { detections: all('null') }), null)
  assert.match(detected(text, { detections: all('hash') }) ?? '', /^Żofia <[\da-f]{21}> paid with [\da-f]{19} from [\da-f]{27}$/)
  assert.match(detected(text, { detections: all('shuffle') }) ?? '', /^Żofia <[a-z]{3}\.[a-z]{5}@[a-z]{7}\.[a-z]{3}> paid with \d{4} \d{4} \d{4} \d{4} from [A-Z]{2}\d\d /)
  assert.equal(detected('nothing to see, order 12345'), undefined)
})

test('each entity has its own method and confidence, and what holds for all holds for the others', () => {
  const detections: Detection[] = [{ entity: 'email', method: 'partial', confidence: 0.5 }, { entity: 'iban', method: 'fixed', confidence: 0.5 }]
  assert.equal(detected('ada@example.com DE89370400440532013000 4111111111111111', { detections }), '***@example.com *** 4111111111111111')
  assert.equal(detected('ada@example.com 4111111111111111', { detections: [...detections, ...all('fixed')] }), '***@example.com ***')
  assert.equal(detected('ada@example.com 4111111111111111', { detections: [{ entity: 'email', method: 'fixed', confidence: 1 }, ...all('partial')] }), 'ada@example.com ************1111')
})

test('the name of a column may speak for what is in it, never against', () => {
  assert.equal(detected('536221234', { name: 'x' }), undefined)
  assert.equal(detected('536221234', { name: 'ssn' }), '***')
  for (const name of ['order', 'invoice', 'version', 'uuid']) assert.equal(detected('4111111111111111', { name }), '***', name)
})

test('JSON stays JSON: escapes are read, numbers become numbers, names are hints and are masked themselves', () => {
  for (const [type, format] of [[OID.json, 0], [OID.json, 1], [OID.jsonb, 0]] as const) {
    const masked = (text: string, detections = all('partial')): string | null | undefined => detected(text, { type, format, detections })
    assert.equal(masked('{"mail": "ada\\u0040example.com", "n": [4111111111111111, 1.5e3, true]}'), '{"mail": "***@example.com", "n": [1111, 1.5e3, true]}')
    assert.equal(masked('{"n": 4111111111111111}', all('fixed')), '{"n": 0}')
    assert.equal(masked('{"ssn": "536221234", "x": "536221235"}', all('fixed')), '{"ssn": "***", "x": "536221235"}')
    assert.equal(masked('{"ada@example.com": "\\"quoted\\" \\\\"}', all('fixed')), '{"***": "\\"quoted\\" \\\\"}')
    assert.equal(masked('{"a": "ada@example.com"}', all('null')), null)
    assert.equal(masked('{"a": "no \\n finding"}'), undefined)
    assert.equal(masked('{"a": "ada@example.com', all('fixed')), '"***"')
  }
  assert.deepEqual(detectedIn(Buffer.from('\x01"ada@example.com"'), { type: OID.jsonb, format: 1 }), Buffer.from('\x01"***"'))
})

test('XML stays XML: what holds markup is replaced whole', () => {
  assert.equal(detected('<a href="x">ada@example.com</a>', { type: OID.xml }), '<a href="x">***</a>')
  const pattern = { name: 'tagged', pattern: '<ssn>.*?</b>' }
  const mask = createDetectingMask({ name: 'x', type: OID.xml, typmod: -1, format: 0 }, new ContentDetection([{ entity: 'tagged', method: 'fixed', confidence: 0.5 }], [pattern]), { key: Buffer.alloc(32), clientEncoding: 'UTF8' })
  assert.equal(String(mask?.mask(Buffer.from('<b><ssn>1</ssn></b>'), 0, 19)), '<masked/>')
})

test('elements of arrays are looked at one by one, in both formats, with their quotes and escapes', () => {
  const given = { type: TEXT_ARRAY }
  assert.equal(detected('[0:1]={{ada@example.com,"two \\"words\\" ada@example.com"},{NULL,x}}', given), '[0:1]={{***,"two \\"words\\" ***"},{NULL,x}}')
  assert.equal(detected('{4111,1111,1111,1111}', given), undefined)
  assert.equal(detected('{"{\\"mail\\": \\"ada\\\\u0040example.com\\"}"}', { type: JSONB_ARRAY }), '{"{\\"mail\\": \\"***\\"}"}')
  assert.equal(detected('{ada@example.com}', { ...given, detections: all('null') }), null)
  assert.equal(detected('{"ada@example.com', given), null)
  const elements = [Buffer.from('ada@example.com'), null, Buffer.from('x')]
  assert.deepEqual(detectedIn(arrayOf(elements), { ...given, format: 1 }), arrayOf([Buffer.from('***'), null, Buffer.from('x')]))
  assert.equal(detectedIn(arrayOf([Buffer.from('x')]), { ...given, format: 1 }), undefined)
  for (const cut of [1, 5, 14, 23, 30]) assert.ok((detectedIn(arrayOf(elements).subarray(0, cut), { ...given, format: 1 }) ?? undefined) === undefined)
})

function arrayOf(elements: readonly (Buffer | null)[]): Buffer {
  const int32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])
  const parts = elements.flatMap((element) => (element === null ? [int32(-1)] : [int32(element.length), element]))
  return Buffer.concat([int32(1), int32(1), int32(OID.text), int32(elements.length), int32(1), ...parts])
}

test('a card number in a bigint or numeric column becomes another number of the type', () => {
  assert.equal(detected('4111111111111111', { type: OID.int8 }), '0')
  assert.equal(detected('4111111111111111', { type: OID.numeric, detections: all('null') }), null)
  assert.match(detected('4111111111111111', { type: OID.int8, detections: all('shuffle') }) ?? '', /^[1-9]\d{15}$/)
  const binary = Buffer.alloc(8)
  binary.writeBigInt64BE(4111111111111111n)
  assert.deepEqual(detectedIn(binary, { type: OID.int8, format: 1 }), Buffer.alloc(8))
  assert.equal(detected('4111111111111112', { type: OID.int8 }), undefined)
  assert.equal(createDetectingMask({ name: 'n', type: OID.int4, typmod: -1, format: 0 }, new ContentDetection(all('fixed'), []), { key: Buffer.alloc(32), clientEncoding: 'UTF8' }), undefined)
})

test('in a type that is not known what is found is covered without changing any length', () => {
  for (const format of [0, 1] as const) {
    for (const method of MASK_METHODS.filter((each) => each !== 'null')) {
      const masked = detected('(1,"ada.marsh@example.com")', { type: CITEXT, format, detections: all(method) })
      assert.equal(masked?.length, '(1,"ada.marsh@example.com")'.length)
      assert.match(masked ?? '', /^\(1,"[^"]{21}"\)$/)
      assert.ok(!/ada.marsh@/.test(masked ?? ''))
    }
  }
})

test('in an encoding that cannot be followed a value with a finding is replaced whole, unless it is ASCII', () => {
  const value = Buffer.concat([Buffer.from([0x83, 0x40, 0x20]), Buffer.from('ada@example.com')])
  assert.equal(String(detectedIn(value, { clientEncoding: 'SQL_ASCII' })), '***')
  assert.equal(String(detectedIn(Buffer.concat([Buffer.from('{'), value, Buffer.from('}')]), { clientEncoding: 'SQL_ASCII', type: TEXT_ARRAY })), '{}')
  assert.equal(String(detectedIn(Buffer.from('x ada@example.com'), { clientEncoding: 'SQL_ASCII' })), 'x ***')
  assert.deepEqual(detectedIn(Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from(' ada@example.com')])), Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from(' ***')]))
})

test('own patterns are entities like the others, and one that nobody knows is told', () => {
  const detections = new ContentDetections([{ name: 'employee-id', pattern: '\\bEMP-\\d{6}\\b', context: ['employee', 'Badge'], confidence: 0.9 }])
  const found = detections.of([{ entity: 'employee-id', method: 'fixed', confidence: 0.6 }])
  assert.ok(found instanceof ContentDetection)
  assert.deepEqual(found.find('badge EMP-123456, or EMP-1234567', '').map(({ start, end }) => [start, end]), [[6, 16]])
  assert.deepEqual(found.find('EMP-123456', ''), [])
  assert.equal(found.find('EMP-123456', 'employee_no').length, 1)
  assert.deepEqual(detections.of([{ entity: 'payment-card', method: 'fixed', confidence: 0.6 }]), { unknown: 'payment-card' })
  assert.throws(() => new ContentDetections([{ name: 'x', pattern: '(?=a)' }]), /is not of RE2/)
})

test('whatever bytes a value has, it neither throws nor grows, and JSON that was valid stays so', () => {
  const types = [OID.text, OID.bpchar, OID.json, OID.jsonb, OID.xml, OID.int8, OID.numeric, CITEXT, 705, ...[...ARRAY_ELEMENT].filter(([, element]) => [OID.text, OID.jsonb, OID.xml, OID.numeric].some((known) => known === element)).map(([array]) => array)]
  const pieces = fc.array(fc.constantFrom('ada@example.com', '4111111111111111', '"', '\\', '{', '}', ',', '<', '&', '-----BEGIN PRIVATE KEY-----', 'é', '\ud83d', '\0\0\0\x05', ':', '\\u0040', 'NULL', ' '), { maxLength: 12 })
  const values = fc.oneof(pieces.map((parts) => Buffer.from(parts.join(''))), fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)))
  fc.assert(fc.property(values, fc.constantFrom(...types), fc.constantFrom(0, 1), fc.constantFrom(...MASK_METHODS), fc.constantFrom('UTF8', 'SQL_ASCII', 'LATIN1'), (value, type, format, method, clientEncoding) => {
    detectedIn(value, { type, format: format as 0 | 1, detections: all(method), clientEncoding })
  }), { numRuns: 20_000 })
  fc.assert(fc.property(fc.json({ stringUnit: fc.constantFrom('a', '@', ' ada@example.com ', '4111 1111 1111 1111', '"', '\\', '\n', '\ud800', 'é', ' ') }), fc.constantFrom(...MASK_METHODS), (text, method) => {
    const masked = detected(text, { type: OID.json, detections: all(method) })
    if (typeof masked === 'string') assert.doesNotThrow(() => JSON.parse(masked), masked)
    if (typeof masked === 'string' && method === 'fixed') assert.ok(!masked.includes('ada@example.com'))
  }), { numRuns: 5000 })
})
