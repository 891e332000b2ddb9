import { FRAME, FrameReader, NEED_MORE, PIECE } from '../../../../adapters/postgresql/wire/frame-reader.ts'

/** What to do with a message that is larger than the reader may hold. */
export type Large = 'hold' | 'pass'

/** What a reader made of a stream; `how` may depend on where it was cut, `bytes` never does. */
export interface Seen {
  readonly type: string
  readonly bytes: string
  readonly how: 'whole' | 'passed' | 'held'
}

/** Reads chunks one after the other, each in a buffer that is overwritten afterwards, as a socket's may be. `room`: bytes before it that are free. */
export function readChunks(chunks: readonly Buffer[], maxHeldBytes: number, large: (type: number) => Large, extending = false, room?: number): Seen[] {
  const reader = new FrameReader(maxHeldBytes)
  const seen: Seen[] = []
  let passed: Buffer[] = []
  let held = false
  for (const chunk of chunks) {
    const before = room === undefined ? Buffer.from('before') : Buffer.alloc(room, 'before')
    const reused = Buffer.concat([before, chunk, Buffer.from('after')])
    if (room === undefined) reader.feed(reused, before.length, before.length + chunk.length)
    else reader.feedBehindRoom(reused, room, room + chunk.length)
    for (let step = reader.next(); step !== NEED_MORE; step = reader.next()) {
      if (step === FRAME) {
        const count = 1 + (extending ? reader.extend() : 0)
        const bytes = reader.buffer.toString('hex', reader.start, reader.end)
        seen.push(...(extending ? split(bytes, count) : [{ type: String.fromCharCode(reader.type), bytes, how: held ? 'held' as const : 'whole' as const }]))
        held = false
      } else if (step === PIECE) {
        passed.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)))
        if (reader.passing) continue
        seen.push({ type: String.fromCharCode(passed[0]?.[0] ?? 0), bytes: Buffer.concat(passed).toString('hex'), how: 'passed' })
        passed = []
      } else if (large(reader.type) === 'pass') reader.passThrough()
      else {
        held = true
        reader.hold()
      }
    }
    reused.fill(0xee)
  }
  return seen
}

/** Takes apart what `extend` joined, by the lengths in it; its count has to agree. */
function split(hex: string, count: number): Seen[] {
  const bytes = Buffer.from(hex, 'hex')
  const seen: Seen[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readUInt32BE(at + 1)
    seen.push({ type: String.fromCharCode(bytes[at] ?? 0), bytes: bytes.toString('hex', at, end), how: 'whole' })
    at = end
  }
  if (seen.length !== count) throw new Error(`extend said ${count} messages, and there are ${seen.length}`)
  return seen
}

export const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
}
