import { nextChunk } from '../shared/socket-reader.ts'
import type { UpstreamConnection } from './auth/connect-upstream.ts'
import { BodyReader } from './wire/body-reader.ts'
import { FRAME, FrameReader, NEED_MORE } from './wire/frame-reader.ts'
import { encodeQuery } from './wire/frontend.ts'
import { BACKEND } from './wire/message-types.ts'

const MAX_ANSWER_BYTES = 64 * 1024
const TIMEOUT_MS = 5000

/**
 * What `search_path` is in a session that has just begun, asked on its own connection: before PostgreSQL 18 the server
 * does not report it, and roles, databases and startup options may all set it. `undefined` when it does not say.
 */
export async function askSearchPath({ socket, leftover }: UpstreamConnection): Promise<string | undefined> {
  if (leftover.length > 0) return undefined
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const reader = new FrameReader(MAX_ANSWER_BYTES)
  let path: string | undefined
  socket.write(encodeQuery('SHOW search_path'))
  for (;;) {
    const step = reader.next()
    if (step === NEED_MORE) reader.feed(await nextChunk(socket, signal))
    else if (step !== FRAME) throw new RangeError('the answer to SHOW search_path is too large')
    else if (reader.type === BACKEND.dataRow) path = firstValue(reader.buffer, reader.start, reader.end)
    else if (reader.type === BACKEND.readyForQuery) return path
  }
}

/** DataRow: int16 n, n × (int32 length, bytes). */
function firstValue(buffer: Buffer, start: number, end: number): string {
  const row = new BodyReader(buffer, start + 5, end)
  row.skip(2)
  return row.bytes(row.int32()).toString('utf8')
}
