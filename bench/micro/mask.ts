/**
 * Masking of DataRow messages in one thread, by method and format, beside a bare scan of their headers.
 *
 *     node bench/micro/mask.ts [--json]
 *
 * A row of about 100 bytes has a key, an e-mail address, a name, a date and a note; two of them are masked, or its three texts
 * are looked at by detection, which finds the address. Every round starts from a fresh copy of 64 KiB of rows (the scan, too), as
 * bytes would come from a socket.
 */
import { ContentDetection } from '../../adapters/postgresql/detect/content-detection.ts'
import { createDetectingMask } from '../../adapters/postgresql/detect/detecting-mask.ts'
import { createRowMask, type MaskedColumn, type RowMask } from '../../adapters/postgresql/mask/row-mask.ts'
import { OID } from '../../adapters/postgresql/mask/type-oids.ts'
import type { MaskMethod } from '../../core/index.ts'

const CHUNK_BYTES = 65_536
const ROUND_MS = 400
const ROUNDS = 5
const COLUMNS = 5
const EMAIL = 1, NAME = 2, DAY = 3, NOTE = 4
const FIRST_NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Jürgen', 'Łukasz', 'Margaret', 'Tim']

interface Measurement { name: string; rowsPerSecond: number; megabytesPerSecond: number; ofScan: number }

function dataRow(values: readonly Buffer[]): Buffer {
  const body = values.flatMap((value) => [int32(value.length), value])
  const row = Buffer.concat([Buffer.from('D\0\0\0\0'), Buffer.from([0, values.length]), ...body])
  row.writeInt32BE(row.length - 1, 1)
  return row
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function rowsOf(format: 0 | 1): { chunk: Buffer; ends: number[] } {
  const rows: Buffer[] = []
  const ends: number[] = []
  for (let id = 1, bytes = 0; bytes < CHUNK_BYTES; id++) {
    const first = FIRST_NAMES[id % FIRST_NAMES.length] ?? ''
    const row = dataRow([
      format === 1 ? int32(id) : Buffer.from(`${id}`),
      Buffer.from(`${first.toLowerCase()}.${id}@example.com`),
      Buffer.from(`${first} Featherstone`),
      format === 1 ? int32(id * 7) : Buffer.from(`2024-${10 + (id % 3)}-17`),
      Buffer.from('a note of some length'),
    ])
    rows.push(row)
    ends.push(bytes += row.length)
  }
  return { chunk: Buffer.concat(rows), ends }
}

const text = (index: number, method: MaskMethod, format: 0 | 1): MaskedColumn => ({ index, type: OID.text, typmod: -1, format, method })
const date = (method: MaskMethod, format: 0 | 1): MaskedColumn => ({ index: DAY, type: OID.date, typmod: -1, format, method })

function rowMask(columns: readonly MaskedColumn[]): RowMask {
  return createRowMask(columns, { columnCount: COLUMNS, key: Buffer.alloc(32, 7), clientEncoding: 'UTF8' })
}

/** Looks at every text. `entity` is in each row, or in none. */
function detecting(entity: 'email' | 'iban', format: 0 | 1): RowMask {
  const options = { columnCount: COLUMNS, key: Buffer.alloc(32, 7), clientEncoding: 'UTF8' }
  const detection = new ContentDetection([{ entity, method: 'partial', confidence: 0.5 }], [])
  const masks = [EMAIL, NAME, NOTE].flatMap((index) => {
    const mask = createDetectingMask({ name: '', type: OID.text, typmod: -1, format }, detection, options)
    return mask === undefined ? [] : [[index, mask] as const]
  })
  return createRowMask([], { ...options, detecting: new Map(masks) })
}

/** Walks the rows by their length fields; so does a gateway that masks nothing. */
function scan(chunk: Buffer, _ends: readonly number[]): number {
  let rows = 0
  for (let at = 0; at < chunk.length; rows++) at += 1 + chunk.readInt32BE(at + 1)
  return rows
}

function maskAll(mask: RowMask): (chunk: Buffer, ends: readonly number[]) => number {
  return (chunk, ends) => {
    let start = 0, kept = 0
    for (const end of ends) {
      if (mask.apply(chunk, start, end) === undefined) kept++
      start = end
    }
    return kept
  }
}

/** Best of the rounds, in rows per second: what disturbs a round only makes it slower. */
function measure(format: 0 | 1, run: (chunk: Buffer, ends: readonly number[]) => number): { rows: number; megabytes: number } {
  const { chunk, ends } = rowsOf(format)
  const work = Buffer.allocUnsafe(chunk.length)
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now()
    let passes = 0, elapsed = 0
    for (; elapsed < ROUND_MS / ROUNDS * 2; passes++, elapsed = performance.now() - begin) {
      chunk.copy(work)
      run(work, ends)
    }
    best = Math.max(best, passes / elapsed * 1000)
  }
  return { rows: best * ends.length, megabytes: best * chunk.length / 1e6 }
}

type Case = readonly [name: string, format: 0 | 1, mask: RowMask]

const CASES: readonly Case[] = ([0, 1] as const).flatMap((format): Case[] => {
  const name = format === 0 ? 'text' : 'binary'
  const two = (method: MaskMethod): RowMask => rowMask([text(EMAIL, method, format), text(NAME, method, format)])
  return [
    [`${name}: nothing masked, rows walked`, format, rowMask([])],
    [`${name}: partial, two text columns`, format, two('partial')],
    [`${name}: partial, text and date`, format, rowMask([text(NAME, 'partial', format), date('partial', format)])],
    [`${name}: generalise, text and date`, format, rowMask([text(EMAIL, 'generalise', format), date('generalise', format)])],
    [`${name}: shuffle, two text columns`, format, two('shuffle')],
    [`${name}: shuffle, a date`, format, rowMask([date('shuffle', format)])],
    [`${name}: fixed, two text columns`, format, two('fixed')],
    [`${name}: null, two text columns`, format, two('null')],
    [`${name}: hash, two text columns`, format, two('hash')],
    [`${name}: detection, three text columns, one finding`, format, detecting('email', format)],
    [`${name}: detection, three text columns, no finding`, format, detecting('iban', format)],
  ]
})

function measureAll(): Measurement[] {
  const bare = measure(0, scan)
  const result = (name: string, { rows, megabytes }: { rows: number; megabytes: number }): Measurement =>
    ({ name, rowsPerSecond: Math.round(rows), megabytesPerSecond: Math.round(megabytes), ofScan: Number((rows / bare.rows).toFixed(2)) })
  return [result('bare header scan', bare), ...CASES.map(([name, format, mask]) => result(name, measure(format, maskAll(mask))))]
}

const results = measureAll()
if (process.argv.includes('--json')) console.log(JSON.stringify(results, undefined, 2))
else console.table(results)
