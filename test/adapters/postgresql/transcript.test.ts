import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { renderRecording, Transcript, type TranscriptOptions } from '../../../adapters/postgresql/transcript.ts'
import { encodeDataRow } from './mask/data-row.ts'
import { int16, int32 } from '../../fault/raw-client.ts'

const INT4 = 23, TEXT = 25, NUMERIC = 1700

function message(type: string, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes])
}

function rowDescription(...columns: readonly (readonly [name: string, type: number, format?: 0 | 1])[]): Buffer {
  const fields = columns.map(([name, type, format = 0]) => Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(format)]))
  return message('T', Buffer.concat([int16(columns.length), ...fields]))
}

const row = (...values: readonly (string | null)[]): Buffer => encodeDataRow(values.map((value) => value === null ? null : Buffer.from(value)))
const complete = (tag: string): Buffer => message('C', `${tag}\0`)
const READY = message('Z', 'I')

function render(bytes: Buffer, options?: TranscriptOptions, cappedAt?: number): string {
  const recording = { encoding: 'postgresql/backend', chunks: [{ at: 0, data: bytes.toString('base64') }], bytes: bytes.length }
  return renderRecording(cappedAt === undefined ? recording : { ...recording, cappedAt }, options)
}

const RESULT = Buffer.concat([
  rowDescription(['id', INT4], ['name', TEXT]), row('1', 'Ada'), row('10', null), complete('SELECT 2'),
  message('N', 'SNOTICE\0VNOTICE\0Mmind the gap\0\0'), message('E', 'SERROR\0VERROR\0C42501\0Mno\0Hask\0\0'), message('I'), READY,
])
const SHOWN = ' id | name \n----+------\n  1 | Ada\n 10 | \n(2 rows)\n\nNOTICE:  mind the gap\nERROR:  no\nHINT:  ask\n'

test('a result, a notice and an error read as in psql', () => {
  assert.equal(render(RESULT), SHOWN)
})

test('chunks cut at any byte give the same transcript', () => {
  for (let cut = 0; cut <= RESULT.length; cut++) {
    const transcript = new Transcript()
    assert.equal(transcript.push(RESULT.subarray(0, cut)) + transcript.push(RESULT.subarray(cut)) + transcript.end(), SHOWN)
  }
  const transcript = new Transcript()
  assert.equal([...RESULT].map((byte) => transcript.push(Buffer.from([byte]))).join('') + transcript.end(), SHOWN)
})

test('a table is shown as soon as it is complete', () => {
  const transcript = new Transcript()
  assert.equal(transcript.push(Buffer.concat([rowDescription(['id', INT4]), row('1')])), '')
  assert.equal(transcript.push(complete('SELECT 1')), ' id \n----\n  1\n(1 row)\n\n')
})

test('a recording that was capped shows the rows it has, and says where it ends', () => {
  const bytes = Buffer.concat([rowDescription(['id', INT4]), row('1'), row('2').subarray(0, 9)])
  assert.equal(render(bytes, {}, bytes.length), [
    ' id ', '----', '  1', '(1 row up to here)', '', '(the last message is cut after 9 bytes)',
    `(recording capped at ${bytes.length} bytes; the response had ${bytes.length})`, '',
  ].join('\n'))
})

test('no value, column name, tag, error or notification can send control characters to a terminal', () => {
  const evil = '\x1b]0;owned\x07\x1b[2J\r\x7f\u009b31m\u202e\u2066\u200b\ufeff\u2028'
  const bytes = Buffer.concat([
    rowDescription([evil, TEXT], [`${evil}\n`, INT4]), row(evil, evil), complete(evil), row(evil), message('s'),
    message('E', `S${evil}\0M${evil}\0D${evil}\0P3\0\0`), message('N', `SNOTICE\0M${evil}\0\0`), message('A', Buffer.concat([int32(1), Buffer.from(`${evil}\0${evil}\0`)])),
    message('S', `client_name\0${evil}\0`), message('Z', '\x1b'), message('H', '\0\0\x01\0\0'), message('d', `${evil}\n`), message('V', Buffer.concat([int32(evil.length), Buffer.from(evil)])), message('\x1b'),
  ])
  const transcript = render(bytes, { details: true, text: evil })
  assert.doesNotMatch(transcript, /[^\P{C}\n]|[\u2028\u2029]/u)
  assert.match(transcript, /\\x1B\]0;owned\\x07/)
})

test('a value in an unknown shape shows in hexadecimal', () => {
  const bytes = Buffer.concat([rowDescription(['a', TEXT], ['b', INT4, 1], ['c', NUMERIC, 1]), encodeDataRow([Buffer.from([0xff, 0xfe]), Buffer.from([1, 2, 0]), Buffer.from([0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 9])]), complete('SELECT 1')])
  assert.match(render(bytes), /\\xfffe *\| *\\x010200 *\| *\\x00017fff000000000009\n/)
})

test('a row with fewer or more values than columns is shown as it is', () => {
  const bytes = Buffer.concat([rowDescription(['a', TEXT], ['b', TEXT]), row('1'), row('1', '2', '3'), complete('SELECT 2')])
  assert.equal(render(bytes), ' a | b | 3 \n---+---+---\n 1\n 1 | 2 | 3\n(2 rows)\n\n')
})

test('a malformed message is named, and the ones after it are shown', () => {
  const bytes = Buffer.concat([message('D', '\0\x02\0\0'), message('T', '\xff'), message('E', 'Sno end'), message('A', 'x'), message('Q', 'what'), complete('SELECT 1')])
  assert.deepEqual(render(bytes).trimEnd().split('\n').map((line) => line.replace(/ of.*/, '')), [
    '(malformed message "D"', '(malformed message "T"', '(malformed message "E"', '(malformed message "A"', '(message "Q"', 'SELECT 1',
  ])
})

test('bytes that are no protocol end the transcript with a word about it', () => {
  assert.equal(render(Buffer.concat([complete('BEGIN'), Buffer.from('x\0\0\x01\0and on')])), 'BEGIN\n(the last message is cut after 11 bytes)\n')
  assert.equal(render(Buffer.concat([complete('BEGIN'), Buffer.from('garbage')])), 'BEGIN\n(the rest is no PostgreSQL message)\n')
  assert.equal(render(Buffer.concat([complete('BEGIN'), Buffer.from('X\0\0\0\0rest'), complete('COMMIT')])), 'BEGIN\n(the rest is no PostgreSQL message)\n')
})

test('a few bytes cannot ask for gigabytes', () => {
  const many = Buffer.concat(Array.from({ length: 300 }, () => row()))
  const wide = Buffer.concat([rowDescription(...Array.from({ length: 5000 }, () => ['x'.repeat(50), TEXT] as const)), many, complete('SELECT 300')])
  const tall = Buffer.concat([row(...Array.from({ length: 2000 }, () => 'x'.repeat(300)), '\n'.repeat(100_000)), complete('SELECT 1')])
  const digits = Buffer.from([0, 1, 0x7f, 0xff, 0, 0, 0x3f, 0xff, 0, 1])
  const numbers = Buffer.concat([rowDescription(['n', NUMERIC, 1]), ...Array.from({ length: 5000 }, () => encodeDataRow([digits])), complete('SELECT 5000')])
  for (const bytes of [wide, tall, numbers]) {
    const transcript = render(bytes, { maxCharacters: 1_000_000 })
    assert.ok(transcript.length < 2_000_000, `${transcript.length} characters`)
  }
  assert.match(render(tall, { maxCharacters: 1_000_000 }), /\(transcript cut at 1000000 characters\)\n$/)
})

test('a very wide value is shown whole without making the others as wide', () => {
  const bytes = Buffer.concat([rowDescription(['a', TEXT], ['b', TEXT]), row('x'.repeat(10_000), 'y'), row('short', 'y'), complete('SELECT 2')])
  const lines = render(bytes).split('\n')
  assert.ok(lines[2]?.includes('x'.repeat(10_000)))
  assert.ok((lines[3] ?? '').length < 250)
})

test('a far away place of an error is shown with what is around it', () => {
  const text = `SELECT 1;\n\tSELECT ${'a, '.repeat(60)}missing, ${'b, '.repeat(60)}c`
  const position = text.indexOf('missing') + 1
  const [, line = '', caret = ''] = render(message('E', `SERROR\0VERROR\0Mno\0P${position}\0\0`), { text }).split('\n')
  assert.match(line, /^LINE 2: \.\.\..*missing.*\.\.\.$/)
  assert.equal(line.slice(caret.length - 1, caret.length + 6), 'missing')
  for (const outside of ['0', '-1', 'x', '1.5', '99999999999']) assert.equal(render(message('E', `SERROR\0Mno\0P${outside}\0\0`), { text }), 'ERROR:  no\n')
})

test('ten thousand mutated recordings are rendered without a crash, and without control characters', (t) => {
  let changed = 0
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(RESULT.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.nat(RESULT.length), (edits, end) => {
    const mutant = Buffer.from(RESULT)
    for (const [at, byte] of edits) mutant[at] = byte
    const transcript = render(mutant.subarray(0, end), { details: true })
    assert.doesNotMatch(transcript, /[^\P{C}\n\t]/u)
    if (transcript !== SHOWN) changed++
  }), { numRuns: 10_000 })
  t.diagnostic(`${changed} of 10000 mutants read differently`)
  assert.ok(changed > 5000)
})

test('any bytes at all are rendered without a crash', () => {
  const anyMessage = fc.tuple(fc.constantFrom(...'TDCENASZHWGdVsIntcKRv123?'.split('')), fc.uint8Array({ maxLength: 60 })).map(([type, body]) => message(type, Buffer.from(body)))
  fc.assert(fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
    assert.doesNotMatch(render(Buffer.concat(messages), { details: true, text: 'SELECT 1' }), /[^\P{C}\n\t]/u)
  }), { numRuns: 5000 })
})
