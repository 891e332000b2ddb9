/**
 * Valid messages, damaged at random with a seed that is printed: whatever comes, a decoder gives a value or throws
 * `WireViolation`, and the frame reader gives the same for the same bytes however they are cut.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeCommandTag, decodeParameterStatus, decodeReady, decodeRowDescription, rowsOfTag } from '../../adapters/postgresql/wire/backend.ts'
import { decodeBind, decodeExecute, decodeNamed, decodeParse, decodeQuery } from '../../adapters/postgresql/wire/frontend.ts'
import { WireViolation } from '../../adapters/postgresql/wire/violation.ts'
import { cutAt, readChunks } from '../adapters/postgresql/wire/cut-bytes.ts'
import {
  bind, commandComplete, copyData, dataRow, describeMessage, execute, parameterStatus, parse, query, ready, rowDescription, sync,
} from '../adapters/postgresql/wire/message-bytes.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
const BUDGET = Number(process.env['FUZZ_BUDGET'] ?? 150_000)

type Decode = (buffer: Buffer, start: number, end: number) => unknown
const DECODERS: readonly (readonly [name: string, seed: Buffer, decode: Decode])[] = [
  ['Query', query('select * from orders where id = 7'), decodeQuery],
  ['Parse', parse('statement', 'select $1, $2', [23, 25, 0]), decodeParse],
  ['Bind', bind('portal', 'statement', [0, 1, 1], [{ bytes: [49] }, { bytes: null }, { bytes: [1, 2, 3, 255] }], [1]), (b, s, e) => decodeBind(b, s, e, 64)],
  ['Bind, not whole', bind('portal', 'statement', [1], [{ bytes: [49, 50] }, { bytes: [] }], [0, 1]), (b, s, e) => decodeBind(b, s, e, 64, false)],
  ['Describe', describeMessage('S', 'statement'), decodeNamed],
  ['Execute', execute('portal', 100), decodeExecute],
  ['RowDescription', rowDescription([{ name: 'id', table: 16384, attribute: 1, type: 23, size: 4, typmod: -1, format: 0 }, { name: 'é', table: 0, attribute: 0, type: 25, size: -1, typmod: -1, format: 1 }]), decodeRowDescription],
  ['CommandComplete', commandComplete('INSERT 0 5'), (b, s, e) => rowsOfTag(decodeCommandTag(b, s, e))],
  ['ReadyForQuery', ready('I'), decodeReady],
  ['ParameterStatus', parameterStatus('TimeZone', 'UTC'), decodeParameterStatus],
]

describe('damaged PostgreSQL messages', () => {
  for (const [name, seed, decode] of DECODERS) {
    it(`of type ${name} are decoded, or refused as a violation`, (t) => {
      const random = randomFrom(SEED)
      const outcomes = { decoded: 0, refused: 0 }
      for (let run = 0; run < BUDGET; run++) {
        const bytes = damaged(seed, random)
        try {
          decode(bytes, 0, bytes.length)
          outcomes.decoded++
        } catch (error) {
          assert.ok(error instanceof WireViolation, `seed ${SEED}, run ${run}, ${bytes.toString('hex')}: ${String(error)}`)
          outcomes.refused++
        }
      }
      t.diagnostic(`${BUDGET} messages, seed ${SEED}: ${outcomes.decoded} decoded, ${outcomes.refused} refused`)
      assert.ok(outcomes.decoded > 0)
    })
  }

  it('in a stream are framed alike however they are cut', (t) => {
    const random = randomFrom(SEED)
    const stream = Buffer.concat([parse('s', 'select'), sync(), copyData([1, 2, 3, 4, 5, 6, 7, 8, 9]), dataRow(['a', null]), query('x'), sync()])
    const runs = Math.ceil(BUDGET / 10)
    let violations = 0
    for (let run = 0; run < runs; run++) {
      const bytes = damaged(stream, random)
      const whole = framed([bytes])
      const cuts = Array.from({ length: 1 + (random() % 5) }, () => random() % (bytes.length + 1))
      assert.deepEqual(framed(cutAt(bytes, cuts)), whole, `seed ${SEED}, run ${run}, ${bytes.toString('hex')} cut at ${cuts.join()}`)
      if (whole.at(-1) === 'violation') violations++
    }
    t.diagnostic(`${runs} streams, seed ${SEED}: ${violations} end in a violation`)
    assert.ok(violations > 0 && violations < runs)
  })
})

/** Messages as hexadecimal, whether they were passed on or held, then `violation` if one ended it. */
function framed(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  for (let count = 1; count <= chunks.length; count++) {
    try {
      seen.splice(0, seen.length, ...readChunks(chunks.slice(0, count), 16, (type) => (type === 0x64 ? 'pass' : 'hold')).map(({ bytes }) => bytes))
    } catch (error) {
      assert.ok(error instanceof WireViolation, String(error))
      return [...wholeBefore(Buffer.concat(chunks.slice(0, count))), 'violation']
    }
  }
  return seen
}

/** The messages before the first length that no message has, found by a plain scan. */
function wholeBefore(bytes: Buffer): string[] {
  const seen: string[] = []
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 1)
    if (length < 4 || length > 0x3fffffff || at + 1 + length > bytes.length) break
    seen.push(bytes.toString('hex', at, at + 1 + length))
    at += 1 + length
  }
  return seen
}

/** One to four changes: a bit, a byte, a run of bytes, a number that is often the wrong one, a cut, something inserted or repeated. */
function damaged(seed: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(seed)
  for (let changes = 1 + (random() % 4); changes > 0; changes--) {
    const at = random() % Math.max(1, bytes.length)
    switch (random() % 7) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << (random() % 8))
        break
      case 1:
        if (at < bytes.length) bytes[at] = random() & 255
        break
      case 2:
        bytes.fill(random() & 255, Math.min(at, bytes.length), Math.min(bytes.length, at + (random() % 8)))
        break
      case 3:
        if (at + 4 <= bytes.length) bytes.writeUInt32BE(INTERESTING[random() % INTERESTING.length] ?? 0, at)
        break
      case 4:
        bytes = Buffer.from(bytes.subarray(0, at))
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random() & 255, 0, random() & 255]), bytes.subarray(at)])
        break
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random() % Math.max(1, bytes.length))])
    }
  }
  return bytes
}
const INTERESTING = [0, 1, 3, 4, 5, 0x7f, 0xff, 0x7fff, 0xffff, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

/** xorshift32 (Marsaglia 2003). */
function randomFrom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
