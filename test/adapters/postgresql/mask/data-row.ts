/** Builds and takes apart DataRow messages the slow and plain way: an oracle that shares nothing with the code under test. */

export type Value = Buffer | null

export function encodeDataRow(values: readonly Value[]): Buffer {
  const parts = values.flatMap((value) => value === null ? [int32(-1)] : [int32(value.length), value])
  const count = Buffer.alloc(2)
  count.writeInt16BE(values.length)
  const body = Buffer.concat([count, ...parts])
  return Buffer.concat([Buffer.from('D'), int32(body.length + 4), body])
}

/** @throws Error when the bytes are not exactly one DataRow. */
export function decodeDataRow(message: Buffer): Value[] {
  if (message.toString('latin1', 0, 1) !== 'D') throw new Error('not a DataRow')
  if (message.readInt32BE(1) !== message.length - 1) throw new Error('wrong length')
  const values: Value[] = []
  let at = 7
  for (let left = message.readInt16BE(5); left > 0; left--) {
    const length = message.readInt32BE(at)
    at += 4
    if (length < -1 || at + Math.max(length, 0) > message.length) throw new Error('wrong value length')
    values.push(length === -1 ? null : Buffer.from(message.subarray(at, at + length)))
    at += Math.max(length, 0)
  }
  if (at !== message.length) throw new Error('trailing bytes')
  return values
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
