import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRowMask, type MaskedColumn, type RowMaskOptions } from '../../../../adapters/postgresql/mask/row-mask.ts'
import { ARRAY_ELEMENT, OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { MASK_METHODS, SallyportError } from '../../../../core/index.ts'
import { decodeDataRow, encodeDataRow, type Value } from './data-row.ts'

const OPTIONS: Omit<RowMaskOptions, 'columnCount'> = { key: Buffer.from('a key for tests'), clientEncoding: 'UTF8' }
const text = (index: number, method: MaskedColumn['method']): MaskedColumn => ({ index, type: OID.text, typmod: -1, format: 0, method })

/** Masks one row; the message that a client would get. */
function masked(row: Buffer, columns: readonly MaskedColumn[], columnCount: number, clientEncoding = 'UTF8'): Buffer {
  const work = Buffer.from(row)
  return createRowMask(columns, { ...OPTIONS, clientEncoding, columnCount }).apply(work, 0, work.length) ?? work
}

test('a partial mask is written into the buffer that came in', () => {
  const row = encodeDataRow([Buffer.from('7'), Buffer.from('jane.doe@example.com'), null])
  const mask = createRowMask([text(1, 'partial'), text(2, 'partial')], { ...OPTIONS, columnCount: 3 })
  assert.equal(mask.apply(row, 0, row.length), undefined)
  assert.deepEqual(decodeDataRow(row).map(String), ['7', 'j*******@example.com', 'null'])
  assert.equal(mask.values, 1)
})

test('only the message between start and end is touched', () => {
  const row = encodeDataRow([Buffer.from('secret value')])
  const chunk = Buffer.concat([row, row, row])
  createRowMask([text(0, 'partial')], { ...OPTIONS, columnCount: 1 }).apply(chunk, row.length, 2 * row.length)
  assert.deepEqual(chunk.subarray(0, row.length), row)
  assert.deepEqual(chunk.subarray(2 * row.length), row)
  assert.deepEqual(decodeDataRow(chunk.subarray(row.length, 2 * row.length)).map(String), ['s***********'])
})

test('a mask that changes the length yields a new message with the other columns as they were', () => {
  const row = encodeDataRow(['first', 'secret', null, '', 'another secret', 'last'].map((value) => value === null ? null : Buffer.from(value)))
  const answer = masked(row, [text(1, 'fixed'), text(2, 'fixed'), text(4, 'null')], 6)
  assert.deepEqual(decodeDataRow(answer).map((value) => value?.toString() ?? null), ['first', '***', null, '', null, 'last'])
})

test('a replacement of the same length needs no new message', () => {
  const row = encodeDataRow([Buffer.from('abc')])
  assert.equal(createRowMask([text(0, 'fixed')], { ...OPTIONS, columnCount: 1 }).apply(row, 0, row.length), undefined)
  assert.equal(String(decodeDataRow(row)[0]), '***')
})

test('messages handed out stay as they are while later rows are masked', () => {
  const mask = createRowMask([text(0, 'fixed'), text(1, 'partial')], { ...OPTIONS, columnCount: 2 })
  const answers = Array.from({ length: 5000 }, (_, i) => {
    const row = encodeDataRow([Buffer.from(`secret ${i}`), Buffer.from(`${'x'.repeat(i % 50)}`)])
    return mask.apply(row, 0, row.length) ?? row
  })
  for (const [i, answer] of answers.entries()) {
    const [first, second] = decodeDataRow(answer)
    assert.equal(String(first), '***')
    assert.equal(second?.length, i % 50)
  }
  assert.equal(mask.values, 10_000)
})

test('a column that is not in the row, or is named twice, is refused at once', () => {
  assert.throws(() => createRowMask([text(2, 'null')], { ...OPTIONS, columnCount: 2 }), RangeError)
  assert.throws(() => createRowMask([text(-1, 'null')], { ...OPTIONS, columnCount: 2 }), RangeError)
  assert.throws(() => createRowMask([text(0, 'null'), text(0, 'partial')], { ...OPTIONS, columnCount: 2 }), RangeError)
})

test('a row with another number of columns than announced is refused', () => {
  const row = encodeDataRow([Buffer.from('a'), Buffer.from('b')])
  for (const columnCount of [0, 1, 3]) assert.throws(() => masked(row, [], columnCount), isViolation)
})

test('a row that is cut at any byte, or has bytes too many, is refused', () => {
  const row = encodeDataRow([Buffer.from('1'), Buffer.from('secret'), null, Buffer.from('last')])
  const columns = [text(1, 'fixed')]
  for (let end = 0; end < row.length; end++) {
    assert.throws(() => masked(row.subarray(0, end), columns, 4), isViolation)
    assert.throws(() => masked(withLength(row.subarray(0, end)), columns, 4), isViolation)
  }
  assert.throws(() => masked(withLength(Buffer.concat([row, Buffer.from('x')])), columns, 4), isViolation)
  assert.throws(() => createRowMask(columns, { ...OPTIONS, columnCount: 4 }).apply(row, 0, row.length + 1), isViolation)
})

test('a value that claims bytes of the next message leaves that one alone', () => {
  const row = encodeDataRow([Buffer.from('secret')])
  const next = encodeDataRow([Buffer.from('next')])
  for (let excess = 1; excess <= next.length; excess++) {
    const chunk = Buffer.concat([row, next])
    chunk.writeInt32BE('secret'.length + excess, 7)
    const mask = createRowMask([text(0, 'partial')], { ...OPTIONS, columnCount: 1 })
    assert.throws(() => mask.apply(chunk, 0, row.length), isViolation)
    assert.deepEqual(chunk.subarray(row.length), next)
  }
})

function isViolation(error: unknown): boolean {
  return error instanceof SallyportError && error.code === 'PROTOCOL_VIOLATION'
}

/** A copy whose length field says what is there, if it has room for one. */
function withLength(message: Buffer): Buffer {
  const copy = Buffer.from(message)
  if (copy.length >= 5) copy.writeInt32BE(copy.length - 1, 1)
  return copy
}

const TYPES = [...Object.values(OID), ...ARRAY_ELEMENT.keys(), 600, 3904, 16_385]
const anyColumn = fc.record({
  type: fc.constantFrom(...TYPES),
  typmod: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }) }),
  format: fc.constantFrom<0 | 1>(0, 1),
  method: fc.option(fc.constantFrom(...MASK_METHODS), { nil: undefined, freq: 3 }),
})
/** Values that have something to hide: a text of more than three characters that is not all stars already. */
const secretText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 4, maxLength: 60 }),
  fc.string({ minLength: 4, maxLength: 500 }),
  fc.emailAddress(),
  fc.stringMatching(/^(\d{4}[ -]?){3,4}\d{1,4}$/),
).map((value) => Buffer.from(value))
const anyBytes = fc.uint8Array({ minLength: 0, maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const anyValue: fc.Arbitrary<Value> = fc.oneof(secretText, anyBytes, fc.constant(null))
const anyRow = fc.array(fc.tuple(anyColumn, anyValue), { minLength: 0, maxLength: 12 })
const anyEncoding = fc.constantFrom('UTF8', 'LATIN1', 'EUC_JP', 'SQL_ASCII', 'what is this')

function columnsOf(row: readonly (readonly [{ type: number; typmod: number; format: 0 | 1; method: MaskedColumn['method'] | undefined }, Value])[]): MaskedColumn[] {
  return row.flatMap(([{ method, ...column }], index) => method === undefined ? [] : [{ ...column, index, method }])
}

test('every masked row is well formed, and columns without a mask are byte for byte the same', () => {
  fc.assert(fc.property(anyRow, anyEncoding, (row, encoding) => {
    const columns = columnsOf(row)
    const answer = decodeDataRow(masked(encodeDataRow(row.map(([, value]) => value)), columns, row.length, encoding))
    assert.equal(answer.length, row.length)
    for (const [i, [{ method }, value]] of row.entries()) {
      if (method === undefined || value === null) assert.deepEqual(answer[i], value)
    }
  }), { numRuns: 3000 })
})

test('no masked value is, or contains, the value it stands for', () => {
  fc.assert(fc.property(anyRow, anyEncoding, (row, encoding) => {
    const columns = columnsOf(row)
    const answer = decodeDataRow(masked(encodeDataRow(row.map(([, value]) => value)), columns, row.length, encoding))
    for (const { index, type } of columns) {
      const secret = row[index]?.[1] ?? null
      if (secret === null || hidesNothing(secret, type)) continue
      assert.equal(answer[index]?.includes(secret) ?? false, false, `type ${type}: ${String(secret)} shows in ${String(answer[index])}`)
    }
  }), { numRuns: 3000 })
})

/** Short values, and values that happen to be all that a mask would show of any: stars, padding, zeros, a constant of the type. */
function hidesNothing(value: Buffer, type: number): boolean {
  return value.length <= 3 || /^.{0,4}[* ]*(@.*)?$/su.test(value.toString('latin1')) || value.every((byte) => byte === 0)
    || /^[\d.:-]*$/.test(value.toString('latin1')) && type !== OID.text
}

test('unmasked secrets never come through: ten thousand mutated rows throw or come out masked', (t) => {
  const columns = [text(1, 'fixed'), { ...text(2, 'partial'), type: OID.varchar, typmod: 20 }, text(4, 'hash')]
  const secrets = ['correct horse', 'battery', 'staple!'].map((secret) => Buffer.from(secret))
  const row = encodeDataRow([Buffer.from('1'), secrets[0] ?? null, secrets[1] ?? null, null, secrets[2] ?? null])
  let refused = 0, passed = 0
  const random = generator(20_260_101)
  for (let run = 0; run < 10_000; run++) {
    const mutant = mutate(row, random)
    try {
      const answer = decodeDataRow(masked(mutant, columns, 5))
      passed++
      assert.deepEqual(answer.map((value, i) => i === 0 || i === 3 || value === null || value.equals(expectedMask(mutant, i))), Array(5).fill(true))
    } catch (error) {
      if (!isViolation(error)) throw error
      refused++
    }
  }
  t.diagnostic(`${refused} refused, ${passed} masked`)
  assert.ok(refused > 1000 && passed > 1000)
})

/** What the mask of that column makes of whatever the mutant has there, computed on its own in a row of one. */
function expectedMask(mutant: Buffer, index: number): Buffer {
  const column = ({ 1: text(0, 'fixed'), 2: { ...text(0, 'partial'), type: OID.varchar, typmod: 20 }, 4: text(0, 'hash') } as const)[index]
  assert.ok(column)
  const value = decodeDataRow(mutant)[index] ?? null
  const [answer] = decodeDataRow(masked(encodeDataRow([value]), [column], 1))
  assert.ok(answer)
  if (value !== null && value.length > 3) assert.equal(answer.includes(value), false)
  return answer
}

function mutate(row: Buffer, random: () => number): Buffer {
  const mutant = Buffer.from(row)
  for (let edits = 1 + random() % 3; edits > 0; edits--) mutant[random() % mutant.length] = random()
  const cut = random() % 4 === 0 ? mutant.subarray(0, random() % (mutant.length + 1)) : mutant
  return random() % 2 === 0 ? withLength(cut) : Buffer.from(cut)
}

/** Park and Miller's minimal standard generator: the same mutants every time. */
function generator(seed: number): () => number {
  let state = seed
  return () => state = state * 48_271 % 2_147_483_647
}
