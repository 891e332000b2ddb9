/** Reading a socket before a session takes it over: chunk by chunk, and nothing lost in between. */
import type { Socket } from 'node:net'

/** The next chunk; afterwards the socket is paused again. Rejects when the peer leaves, or `signal` aborts. */
export async function nextChunk(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    signal.throwIfAborted()
    const waiting: unknown = socket.read()
    if (Buffer.isBuffer(waiting)) return waiting
    if (socket.readableEnded || socket.destroyed) throw new Error('the peer closed the connection')
    await readable(socket, signal)
  }
}

function readable(socket: Socket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const arrived = (): void => resolve()
  const left = (): void => reject(new Error('the peer closed the connection'))
  const aborted = (): void => reject(signal.reason as Error)
  socket.once('readable', arrived).once('error', reject).once('close', left).once('end', left)
  signal.addEventListener('abort', aborted, { once: true })
  return promise.finally(() => {
    socket.off('readable', arrived).off('error', reject).off('close', left).off('end', left)
    signal.removeEventListener('abort', aborted)
  })
}

/** Gives back what was read but not asked for, and leaves the socket as if nobody had ever read from it. */
export function release(socket: Socket): Buffer {
  socket.removeAllListeners('readable')
  const chunks: Buffer[] = []
  for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) chunks.push(chunk)
  if ((socket as Socket & { encrypted?: boolean }).encrypted !== true) stopReading(socket)
  return Buffer.concat(chunks)
}

interface SocketInternals {
  _handle?: { reading?: boolean; readStop?(): void } | null
  _readableState: { reading: boolean }
}

/**
 * A stream that nobody listens to goes on filling its own buffer, and a session that takes the handle over, to read
 * without streams, would miss those bytes. So reading stops at the handle, after the last `read`, which would start it
 * again; the next `read` or `data` listener does.
 */
function stopReading(socket: Socket): void {
  const { _handle: handle, _readableState: state } = socket as unknown as SocketInternals
  if (handle?.readStop === undefined || handle === null) return
  handle.readStop()
  handle.reading = false
  state.reading = false
}
