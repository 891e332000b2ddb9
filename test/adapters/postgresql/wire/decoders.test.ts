import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeCommandTag, decodeParameterStatus, decodeReady, decodeRowDescription, rowsOfTag } from '../../../../adapters/postgresql/wire/backend.ts'
import {
  decodeBind, decodeExecute, decodeNamed, decodeParse, decodeQuery, encodeDescribePortal, encodeExecute, encodeQuery, encodeSync, encodeTerminate,
} from '../../../../adapters/postgresql/wire/frontend.ts'
import { WireViolation } from '../../../../adapters/postgresql/wire/violation.ts'
import {
  bind, close, commandComplete, describeMessage, execute, int16, int32, message, parameterStatus, parse, query, ready, rowDescription, sync, terminate, text,
} from './message-bytes.ts'

const word = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\0', ''))
/** What names are beyond ASCII is told in names.test.ts. */
const nameWord = fc.string({ unit: 'binary-ascii', maxLength: 63 }).map((value) => value.replaceAll('\0', ''))
const oid = fc.integer({ min: 0, max: 0xffffffff })
/** Decodes a message that stands in the middle of others, as it does in a chunk. */
function within<T>(bytes: Buffer, decode: (buffer: Buffer, start: number, end: number) => T): T {
  const around = Buffer.concat([Buffer.from('abc'), bytes, Buffer.from('\0xyz')])
  return decode(around, 3, 3 + bytes.length)
}
const decodeBindWhole = (buffer: Buffer, start: number, end: number): unknown => decodeBind(buffer, start, end, 1 << 20)

describe('frontend decoders', () => {
  it('read what another builder wrote (property)', () => {
    fc.assert(fc.property(nameWord, word, fc.array(oid, { maxLength: 5 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom('S', 'P'), (name, sql, types, rows, kind) => {
      assert.deepEqual(within(query(sql), decodeQuery), Buffer.from(sql))
      assert.deepEqual(within(parse(name, sql, types), decodeParse), { name, text: Buffer.from(sql), types })
      assert.deepEqual(within(execute(name, rows), decodeExecute), { portal: name, maxRows: rows })
      assert.deepEqual(within(describeMessage(kind, name), decodeNamed), { kind, name })
      assert.deepEqual(within(close(kind, name), decodeNamed), { kind, name })
    }), { numRuns: 500 })
  })

  it('read bound values in text and binary, with one format for all, one each or none (property)', () => {
    const value = fc.option(fc.tuple(word, fc.uint8Array({ maxLength: 12 })))
    fc.assert(fc.property(nameWord, nameWord, fc.array(value, { maxLength: 6 }), fc.constantFrom('none', 'text', 'binary', 'each'), fc.array(fc.constantFrom(0, 1), { maxLength: 3 }), (portal, statement, given, mode, results) => {
      const format = (index: number): number => (mode === 'binary' ? 1 : mode === 'each' ? index % 2 : 0)
      const formats = mode === 'none' ? [] : mode === 'text' ? [0] : mode === 'binary' ? [1] : given.map((_, index) => format(index))
      const wire = given.map((pair, index) => ({ bytes: pair === null ? null : format(index) === 1 ? [...pair[1]] : text(pair[0]).slice(0, -1) }))
      const values = given.map((pair, index) => (pair === null ? null : format(index) === 1 ? `\\x${Buffer.from(pair[1]).toString('hex')}` : pair[0]))
      assert.deepEqual(within(bind(portal, statement, formats, wire, results), decodeBindWhole), { portal, statement, values, complete: true, formats })
    }), { numRuns: 500 })
  })

  it('cut off bound values at the budget, and say so', () => {
    const bytes = bind('p', 's', [], [{ bytes: [97, 98] }, { bytes: null }, { bytes: [99, 100, 101] }])
    const read = (budget: number): unknown => decodeBind(bytes, 0, bytes.length, budget)
    assert.deepEqual(read(5), { portal: 'p', statement: 's', values: ['ab', null, 'cde'], complete: true, formats: [] })
    assert.deepEqual(read(4), { portal: 'p', statement: 's', values: ['ab', null], complete: false, formats: [] })
    assert.deepEqual(read(0), { portal: 'p', statement: 's', values: [], complete: false, formats: [] })
  })

  it('read as much of a Bind as has come, from its two names on', () => {
    const bytes = bind('portal', 'statement', [1], [{ bytes: [1, 2, 3] }, { bytes: [4] }], [0])
    const names = 5 + 'portal'.length + 1 + 'statement'.length + 1
    for (let end = names; end <= bytes.length; end++) {
      const { portal, statement, values, complete } = decodeBind(bytes, 0, end, 1024, false)
      assert.deepEqual([portal, statement], ['portal', 'statement'])
      assert.deepEqual(values, ['\\x010203', '\\x04'].slice(0, values.length))
      assert.ok(!complete || values.length === 2)
    }
    for (let end = 5; end < names; end++) assert.throws(() => decodeBind(bytes, 0, end, 1024, false), WireViolation)
  })

  it('refuse every message that is cut short or goes on too long', () => {
    const cases: readonly (readonly [Buffer, (buffer: Buffer, start: number, end: number) => unknown])[] = [
      [query('select'), decodeQuery], [parse('n', 's', [1, 2]), decodeParse], [bind('p', 's', [0, 1], [{ bytes: [1] }, { bytes: null }], [1]), decodeBindWhole],
      [describeMessage('S', 'n'), decodeNamed], [execute('p', 3), decodeExecute],
      [rowDescription([{ name: 'a', table: 1, attribute: 2, type: 25, size: -1, typmod: -1, format: 0 }]), decodeRowDescription],
    ]
    for (const [bytes, decode] of cases) {
      for (let end = 5; end < bytes.length; end++) assert.throws(() => decode(bytes, 0, end), WireViolation, `${bytes.toString('latin1')} until ${end}`)
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.alloc(1)]), 0, bytes.length + 1), WireViolation)
    }
  })

  it('refuse counts and lengths that the message has no room for', () => {
    const bad = [
      message('P', text(''), text(''), int16(65535)),
      message('B', text(''), text(''), int16(0), int16(1), int32(0x7fffffff), int16(0)),
      message('B', text(''), text(''), int16(65535), int16(0), int16(0)),
      message('B', text(''), text(''), int16(0), int16(65535), int16(0)),
      message('B', text(''), text(''), int16(0), int16(0), int16(65535)),
    ]
    for (const bytes of bad) {
      const decode = bytes[0] === 0x50 ? decodeParse : (b: Buffer, s: number, e: number): unknown => decodeBind(b, s, e, 2 ** 31)
      assert.throws(() => decode(bytes, 0, bytes.length), WireViolation)
    }
  })

  it('are not led out of a message by a string without an end', () => {
    const bytes = Buffer.concat([message('Q', [97, 98, 99]), Buffer.from('secret of the next message\0')])
    assert.throws(() => decodeQuery(bytes, 0, 8), WireViolation)
  })
})

describe('frontend encoders', () => {
  it('write what another builder writes', () => {
    assert.deepEqual(encodeQuery('sélect "x"'), query('sélect "x"'))
    assert.deepEqual(encodeExecute('pörtal'), execute('pörtal', 0))
    assert.deepEqual(encodeDescribePortal('p'), describeMessage('P', 'p'))
    assert.deepEqual([encodeSync(), encodeTerminate()], [sync(), terminate()])
  })
})

describe('backend decoders', () => {
  it('read descriptions of rows (property)', () => {
    const column = fc.record({
      name: word, table: oid, attribute: fc.integer({ min: -32768, max: 32767 }), type: oid, size: fc.integer({ min: -2, max: 32767 }),
      typmod: fc.integer({ min: -1, max: 2 ** 31 - 1 }), format: fc.constantFrom(0, 1),
    })
    fc.assert(fc.property(fc.array(column, { maxLength: 8 }), (columns) => {
      const expected = columns.map(({ name, table, attribute, type, typmod, format }) => ({ name, table, attribute, type, typmod, format }))
      assert.deepEqual(within(rowDescription(columns), decodeRowDescription), expected)
    }), { numRuns: 500 })
  })

  it('read tags, the rows they count, states and parameters', () => {
    for (const [tag, rows] of [['SELECT 5', 5], ['INSERT 0 3', 3], ['CREATE TABLE', 0], ['BEGIN', 0], ['COPY 12345678901', 12_345_678_901], ['UPDATE', 0], ['', 0], ['MOVE -1x', 0]] as const) {
      assert.equal(within(commandComplete(tag), decodeCommandTag), tag)
      assert.equal(rowsOfTag(tag), rows)
    }
    for (const status of ['I', 'T', 'E']) assert.equal(within(ready(status), decodeReady), status.charCodeAt(0))
    assert.throws(() => within(message('Z'), decodeReady), WireViolation)
    assert.deepEqual(within(parameterStatus('TimeZone', 'Europe/Zürich'), decodeParameterStatus), { name: 'TimeZone', value: 'Europe/Zürich' })
    assert.throws(() => within(message('S', text('name')), decodeParameterStatus), WireViolation)
  })
})
