import { Socket } from 'node:net'

/** A read of this size or more means bulk: the next reads get a buffer of this stream's own, which needs no copy. */
const BULK_BYTES = 16 * 1024
const READ_BYTES = 64 * 1024
/** A peer that has this much unread in our memory makes its counterpart pause. */
const MAX_UNREAD_BYTES = 512 * 1024
/** What is written in several slices is joined up to this size; beyond, it goes out as it is. */
const JOIN_BYTES = 32 * 1024

/** One buffer that all connections read small messages into: reads happen one at a time, and what is kept is copied. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES)

export interface StreamHandlers {
  /** The chunk belongs to the receiver; but when it is `lent`, only as long as `released` then says that it is still needed. */
  chunk(chunk: Buffer, lent: boolean): void
  /** Asked after a lent chunk: nothing refers to it any more. Without it, nothing is lent. */
  released?(): boolean
  /** All that was held back has been written. */
  drained(): void
  /** The peer will send no more; it may still be reading. Called at most once. */
  ended(): void
  /** The connection is gone, both ways. Called once. */
  closed(error: Error | undefined): void
}

/**
 * A socket as the session needs it: chunks that belong to the receiver, and one write per turn of the loop.
 * A plain socket is taken over by its handle, for only a socket that is made with `onread` can do without
 * an allocation for each read; a TLS socket is read by events.
 */
export class ByteStream {
  readonly #socket: Socket
  readonly #handlers: StreamHandlers
  /** While reads are large, what they go to. Memory that is used again is in the processor's cache. */
  #own: Buffer | undefined
  #closed = false
  #slices: { buffer: Buffer; start: number; end: number }[] = []
  #bytes = 0
  readonly #reasons = new Set<string>()
  bytesWritten = 0
  bytesRead = 0

  constructor(socket: Socket, handlers: StreamHandlers) {
    this.#handlers = handlers
    this.#socket = this.#adopt(socket)
    this.#socket.setNoDelay(true)
    this.#socket.on('drain', () => handlers.drained())
    this.#socket.on('end', () => handlers.ended())
    this.#socket.on('error', (error) => this.#close(error))
    this.#socket.on('close', () => this.#close(undefined))
    // It may have gone before anybody listened.
    if (this.#socket.destroyed) setImmediate(() => this.#close(undefined))
    this.#socket.resume()
  }

  /** Queues bytes for this turn's write; contiguous ones become one slice. */
  add(buffer: Buffer, start = 0, end = buffer.length): void {
    const last = this.#slices[this.#slices.length - 1]
    if (last !== undefined && last.buffer === buffer && last.end === start) last.end = end
    else this.#slices.push({ buffer, start, end })
    this.#bytes += end - start
  }

  /** Writes what was queued. False when the peer is slow and its counterpart should pause until `drained`. */
  flush(): boolean {
    if (this.#bytes === 0) return !this.congested
    this.bytesWritten += this.#bytes
    const slices = this.#slices
    const [first] = slices
    if (slices.length === 1 && first !== undefined) this.#socket.write(first.buffer.subarray(first.start, first.end))
    else if (this.#bytes <= JOIN_BYTES) this.#socket.write(join(slices, this.#bytes))
    else this.#writeEach()
    this.#slices = []
    this.#bytes = 0
    return !this.congested
  }

  /** Whether all that was added is with the system: nothing here refers to it any more. */
  get written(): boolean {
    return this.#bytes === 0 && this.#socket.writableLength === 0
  }

  get congested(): boolean {
    return this.#socket.writableLength > MAX_UNREAD_BYTES
  }

  /** Stops reading, for a reason; goes on once `resume` was called for every one. */
  pause(reason: string): void {
    this.#reasons.add(reason)
    this.#socket.pause()
  }

  resume(reason: string): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#socket.resume()
  }

  /** Writes what is queued and says that no more will come; what the peer sends is still read. */
  finish(): void {
    this.flush()
    this.#socket.end()
  }

  /** Writes what is queued, then ends; the connection is dropped if the peer does not take it within `lingerMs`. */
  end(lingerMs = 2000): void {
    if (!this.#socket.destroyed) this.flush()
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs)
    timer.unref()
    this.#socket.once('close', () => clearTimeout(timer))
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #writeEach(): void {
    this.#socket.cork()
    for (const { buffer, start, end } of this.#slices) this.#socket.write(buffer.subarray(start, end))
    this.#socket.uncork()
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#handlers.closed(error)
  }

  #adopt(socket: Socket): Socket {
    const holder = socket as Socket & { _handle?: unknown; encrypted?: boolean }
    const handle = holder._handle
    if (handle === undefined || handle === null || holder.encrypted === true) return this.#listen(socket)
    holder._handle = null
    socket.removeAllListeners()
    // The hollow socket ends, so that its server no longer counts it.
    socket.destroy()
    const buffer = (): Buffer => this.#own ?? shared
    const options = { handle, allowHalfOpen: true, onread: { buffer, callback: (bytes: number, into: Uint8Array) => this.#read(bytes, into as Buffer) } }
    return new Socket(options as unknown as ConstructorParameters<typeof Socket>[0])
  }

  #listen(socket: Socket): Socket {
    socket.removeAllListeners('data')
    socket.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length
      this.#handlers.chunk(chunk, false)
    })
    return socket
  }

  #read(bytes: number, into: Buffer): boolean {
    this.bytesRead += bytes
    if (into === shared) {
      if (bytes >= BULK_BYTES) this.#own = Buffer.allocUnsafeSlow(READ_BYTES)
      this.#handlers.chunk(Buffer.from(into.subarray(0, bytes)), false)
      return true
    }
    this.#own = undefined
    const lends = this.#handlers.released !== undefined
    this.#handlers.chunk(into.subarray(0, bytes), lends)
    if (bytes >= BULK_BYTES) this.#own = this.#handlers.released?.() === true ? into : Buffer.allocUnsafeSlow(READ_BYTES)
    return true
  }
}

function join(slices: readonly { buffer: Buffer; start: number; end: number }[], bytes: number): Buffer {
  const joined = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const { buffer, start, end } of slices) at += buffer.copy(joined, at, start, end)
  return joined
}
