import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FRAME, FrameReader, MAX_MESSAGE_BYTES, NEED_MORE, PIECE, TOO_LARGE } from '../../../../adapters/postgresql/wire/frame-reader.ts'
import { WireViolation } from '../../../../adapters/postgresql/wire/violation.ts'
import { cutAt, readChunks, type Large, type Seen } from './cut-bytes.ts'
import { bind, copyData, dataRow, execute, int32, message, parse, query, sync } from './message-bytes.ts'

const HELD = 24
/** Some longer than `HELD`, some shorter, one of exactly that length, and empty ones. */
const MESSAGES: readonly Buffer[] = [
  parse('s', 'select $1'), sync(), bind('', 's', [], [{ bytes: [49, 50] }]), execute('', 0), copyData(Array.from({ length: 40 }, (_, n) => n)),
  message('q', Array.from({ length: HELD - 5 }, () => 7)), message('r', Array.from({ length: HELD - 4 }, () => 7)), sync(), query('select 1, 2, 3, 4, 5, 6, 7'), copyData([]),
]
const STREAM = Buffer.concat(MESSAGES)
const EXPECTED = MESSAGES.map((bytes) => ({ type: String.fromCharCode(bytes[0] ?? 0), bytes: bytes.toString('hex') }))
const plain = (seen: readonly Seen[]): { type: string; bytes: string }[] => seen.map(({ type, bytes }) => ({ type, bytes }))
const copyPasses = (type: number): Large => (type === 0x64 ? 'pass' : 'hold')

const POLICIES: readonly (readonly [string, (type: number) => Large])[] = [
  ['held', () => 'hold'], ['passed on', () => 'pass'], ['passed on when it is CopyData', copyPasses],
]

describe('the frame reader', () => {
  for (const [policy, large] of POLICIES) {
    it(`gives the same messages one byte at a time, where what is too large is ${policy}`, () => {
      const seen = readChunks(cutAt(STREAM, Array.from({ length: STREAM.length - 1 }, (_, n) => n + 1)), HELD, large)
      assert.deepEqual(plain(seen), EXPECTED)
      const tooLarge = seen.filter(({ bytes }) => bytes.length / 2 > HELD)
      assert.deepEqual(tooLarge.map(({ type, how }) => `${type} ${how}`), MESSAGES.filter(({ length }) => length > HELD)
        .map((bytes) => `${String.fromCharCode(bytes[0] ?? 0)} ${large(bytes[0] ?? 0) === 'pass' ? 'passed' : 'held'}`))
      assert.ok(seen.every(({ bytes, how }) => bytes.length / 2 > HELD || how === 'whole'), 'what fits is never passed on in pieces')
    })

    it(`gives the same messages for every two cuts, where what is too large is ${policy}`, (t) => {
      let splits = 0
      for (let first = 0; first <= STREAM.length; first++) {
        for (let second = first; second <= STREAM.length; second++) {
          assert.deepEqual(plain(readChunks(cutAt(STREAM, [first, second]), HELD, large)), EXPECTED, `cut at ${first} and ${second}`)
          splits++
        }
      }
      t.diagnostic(`${splits} splits`)
    })
  }

  it('gives the same messages wherever it is cut (property)', () => {
    const body = fc.uint8Array({ maxLength: 60 })
    const messages = fc.array(fc.tuple(fc.constantFrom('Q', 'd', 'D', 'S'), body), { minLength: 1, maxLength: 12 })
    const room = fc.option(fc.integer({ min: 0, max: 80 }), { nil: undefined })
    fc.assert(fc.property(messages, fc.array(fc.nat(800), { maxLength: 40 }), fc.integer({ min: 5, max: 64 }), fc.boolean(), room, (parts, cuts, held, extending, free) => {
      const whole = parts.map(([type, bytes]) => message(type, [...bytes]))
      const stream = Buffer.concat(whole)
      const seen = readChunks(cutAt(stream, cuts.map((cut) => cut % (stream.length + 1))), held, copyPasses, extending, free)
      assert.deepEqual(seen.map(({ bytes }) => bytes), whole.map((bytes) => bytes.toString('hex')))
    }), { numRuns: 3000 })
  })

  it('joins a message that was cut in two where there is room before its rest', () => {
    const row = dataRow(['one', 'two'])
    for (let cut = 1; cut < row.length; cut++) {
      const reader = new FrameReader(1024)
      reader.feedBehindRoom(row.subarray(0, cut), 0, cut)
      assert.equal(reader.next(), NEED_MORE)
      const memory = Buffer.concat([Buffer.alloc(64), row.subarray(cut), row])
      reader.feedBehindRoom(memory, 64, memory.length)
      assert.equal(reader.next(), FRAME)
      assert.equal(reader.extend(), 1)
      assert.equal(reader.buffer, memory)
      assert.deepEqual(memory.subarray(reader.start, reader.end), Buffer.concat([row, row]))
    }
  })

  it('goes on over messages of the same type, and no further than the chunk, for every cut', () => {
    const rows = ['a', null, 'bcd', ''].map((value) => dataRow([value]))
    const stream = Buffer.concat([query('x'), ...rows, sync(), ...rows, query('y')])
    const expected = plain(readChunks([stream], 1024, () => 'hold'))
    for (let cut = 0; cut <= stream.length; cut++) {
      assert.deepEqual(plain(readChunks(cutAt(stream, [cut]), 1024, () => 'hold', true)), expected, `cut at ${cut}`)
    }
    const reader = new FrameReader(1024)
    reader.feed(Buffer.concat(rows))
    assert.deepEqual([reader.next(), reader.extend(), reader.start, reader.end], [FRAME, 3, 0, Buffer.concat(rows).length])
    assert.equal(reader.next(), NEED_MORE)
  })

  it('does not extend over a message whose length is a lie', () => {
    for (const length of [0, 3, 0x7fffffff, 0xffffffff]) {
      const reader = new FrameReader(1024)
      reader.feed(Buffer.concat([sync(), Buffer.from([0x53, ...int32(length), 1, 2, 3, 4])]))
      assert.deepEqual([reader.next(), reader.extend()], [FRAME, 0])
      assert.throws(() => reader.next(), WireViolation)
    }
  })

  it('refuses lengths that no message has, as soon as the header is there', () => {
    for (const length of [0, 1, 3, MAX_MESSAGE_BYTES + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
      for (const cut of [0, 1, 4]) {
        const header = Buffer.from([0x51, ...int32(length)])
        assert.throws(() => readChunks(cutAt(header, [cut]), 64, () => 'hold'), WireViolation, `length ${length}, cut at ${cut}`)
      }
    }
    assert.equal(readChunks([Buffer.from([0x51, ...int32(4)])], 5, () => 'hold').length, 1)
    const reader = new FrameReader(64)
    reader.feed(Buffer.from([0x51, ...int32(MAX_MESSAGE_BYTES)]))
    assert.deepEqual([reader.next(), reader.length], [TOO_LARGE, MAX_MESSAGE_BYTES + 1])
  })

  it('takes memory for what has come, not for what is claimed', () => {
    const reader = new FrameReader(64)
    const before = process.memoryUsage().arrayBuffers
    reader.feed(Buffer.from([0x51, ...int32(MAX_MESSAGE_BYTES)]))
    assert.equal(reader.next(), TOO_LARGE)
    reader.hold()
    const chunk = Buffer.alloc(1000)
    for (let sent = 0; sent < 2_000_000; sent += chunk.length) {
      assert.equal(reader.next(), NEED_MORE)
      reader.feed(chunk)
    }
    assert.equal(reader.next(), NEED_MORE)
    assert.equal(reader.heldBytes, 5 + 2_000_000)
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(grown < 12_000_000, `${grown} bytes for 2 MB of a message that claims to have 1 GB`)
  })

  it('holds nothing of a message that is passed on, and says when it is whole', () => {
    const reader = new FrameReader(8)
    const big = copyData(Array.from({ length: 1000 }, (_, n) => n & 255))
    reader.feed(big.subarray(0, 300))
    assert.equal(reader.next(), TOO_LARGE)
    reader.passThrough()
    const pieces: Buffer[] = []
    for (const chunk of [undefined, big.subarray(300, 999), Buffer.alloc(0), Buffer.concat([big.subarray(999), sync()])]) {
      if (chunk !== undefined) reader.feed(chunk)
      for (let step = reader.next(); step === PIECE; step = reader.next()) {
        pieces.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)))
        if (!reader.passing) break
      }
      if (reader.passing) assert.equal(reader.heldBytes, 0)
    }
    assert.deepEqual(pieces.map(({ length }) => length), [300, 699, 6])
    assert.deepEqual(Buffer.concat(pieces), big)
    assert.deepEqual([reader.next(), reader.type], [FRAME, 0x53])
  })

  it('lets an incomplete message go by that it could have held', () => {
    const reader = new FrameReader(1024)
    const row = copyData([1, 2, 3, 4])
    for (let cut = 5; cut < row.length; cut++) {
      reader.feed(row.subarray(0, cut))
      assert.equal(reader.next(), NEED_MORE)
      assert.equal(reader.length, row.length)
      reader.passThrough()
      reader.feed(row.subarray(cut))
      const pieces: Buffer[] = []
      while (reader.next() === PIECE) pieces.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)))
      assert.deepEqual(Buffer.concat(pieces), row)
    }
  })

  it('holds one large message after it was told to, and asks again for the next of the same length', () => {
    const big = query('x'.repeat(100))
    const reader = new FrameReader(16)
    const steps: number[] = []
    for (const chunk of [big.subarray(0, 50), big.subarray(50), big.subarray(0, 50), big.subarray(50)]) {
      reader.feed(chunk)
      for (let step = reader.next(); ; step = reader.next()) {
        steps.push(step)
        if (step === TOO_LARGE) reader.hold()
        if (step === NEED_MORE) break
      }
    }
    assert.deepEqual(steps, [TOO_LARGE, NEED_MORE, FRAME, NEED_MORE, TOO_LARGE, NEED_MORE, FRAME, NEED_MORE])
  })

  it('keeps what it has not read when it is detached from a chunk', () => {
    const chunk = Buffer.concat([sync(), query('select 1'), query('select 2').subarray(0, 7)])
    const reader = new FrameReader(1024)
    reader.feed(chunk)
    assert.equal(reader.next(), FRAME)
    assert.equal(reader.heldBytes, chunk.length - 5)
    reader.detach()
    chunk.fill(0)
    assert.equal(reader.next(), FRAME)
    assert.deepEqual(Buffer.from(reader.buffer.subarray(reader.start, reader.end)), query('select 1'))
    assert.equal(reader.next(), NEED_MORE)
    reader.feed(query('select 2').subarray(7))
    assert.equal(reader.next(), FRAME)
    assert.deepEqual(Buffer.from(reader.buffer.subarray(reader.start, reader.end)), query('select 2'))
  })
})
