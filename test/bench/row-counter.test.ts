import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RowCounter } from '../../bench/system/row-counter.ts'

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}....${body}`, 'latin1')
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

const ANSWER = Buffer.concat([
  message('T', '\0\x01name\0'), message('D', '\0\x01\0\0\0\x03DdZ'), message('D', '\0\0'), message('d', 'a\tb\n'), message('C', 'SELECT 2\0'), message('Z', 'I'),
])
const REFUSAL = Buffer.concat([message('E', 'SERROR\0C42501\0Mnot allowed\0\0'), message('Z', 'I')])

function counted(bytes: Buffer, at: number): RowCounter {
  const counter = new RowCounter()
  counter.add(bytes.subarray(0, at))
  counter.add(bytes.subarray(at))
  return counter
}

describe('counting rows', () => {
  it('counts rows and COPY lines, wherever the bytes are cut', () => {
    for (let at = 0; at <= ANSWER.length; at++) {
      const { rows, bytes, done, error } = counted(ANSWER, at)
      assert.deepEqual({ rows, bytes, done, error }, { rows: 3, bytes: ANSWER.length, done: true, error: undefined }, `cut at ${at}`)
    }
  })

  it('counts the same byte by byte', () => {
    const counter = new RowCounter()
    for (const byte of ANSWER) counter.add(Buffer.from([byte]))
    assert.equal(counter.rows, 3)
    assert.equal(counter.done, true)
  })

  it('is not done before the last byte', () => {
    const counter = new RowCounter()
    counter.add(ANSWER.subarray(0, -1))
    assert.equal(counter.done, false)
  })

  it("keeps the server's message, wherever the bytes are cut", () => {
    for (let at = 0; at <= REFUSAL.length; at++) assert.equal(counted(REFUSAL, at).error, 'not allowed', `cut at ${at}`)
  })

  it('refuses what cannot be the protocol', () => {
    assert.throws(() => new RowCounter().add(Buffer.from([0x44, 0, 0, 0, 3])), /not the PostgreSQL protocol/)
  })
})
