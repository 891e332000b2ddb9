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

/**
 * Stops reading at the handle too, for a paused stream goes on filling its own buffer, and whoever takes the handle
 * over would miss those bytes. Returns what was read already.
 */
export function release(socket: Socket): Buffer {
  socket.removeAllListeners('readable')
  socket.pause()
  const { _handle: handle, encrypted } = socket as Socket & { encrypted?: boolean; _handle?: { reading?: boolean; readStop?(): void } | null }
  if (encrypted !== true && handle?.readStop !== undefined) {
    handle.reading = false
    handle.readStop()
  }
  const chunks: Buffer[] = []
  for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
