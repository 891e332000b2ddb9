import { Socket } from 'node:net'

/** A read of this size or more means bulk: the next reads get a buffer of this stream's own, which needs no copy. */
const BULK_BYTES = 16 * 1024
/** The same where bytes are lent, for then nothing is left of the buffer unused. A server writes 8 KiB at a time. */
const LENT_BULK_BYTES = 8 * 1024
const READ_BYTES = 64 * 1024
/** What is lent has this much free before it, so that the beginning of a message that was cut off can go there. */
const ROOM_BYTES = 16 * 1024
/** A peer that has this much unread in our memory makes its counterpart pause. */
const MAX_UNREAD_BYTES = 512 * 1024
/** What is written in several slices is joined up to this size; beyond, it goes out as it is. */
const JOIN_BYTES = 32 * 1024

/** One buffer that all connections read small messages into: reads happen one at a time, and what is kept is copied. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES)

export interface StreamHandlers {
  /** The chunk belongs to the receiver. */
  chunk(chunk: Buffer): void
  /** Who takes bytes that are not its own; without one, none are lent. */
  readonly borrower?: Borrower
  /** All that was held back has been written. */
  drained(): void
  /** The peer will send no more; it may still be reading. Called at most once. */
  ended(): void
  /** The connection is gone, both ways. Called once. */
  closed(error: Error | undefined): void
}

/** Takes bytes in memory that is used again. Memory that was used a moment ago is in the processor's cache, and costs no page faults. */
export interface Borrower {
  /** `[start, end)` came. All that lies before `start` may be overwritten. */
  take(buffer: Buffer, start: number, end: number): void
  /** Nothing refers to what was lent before. If it is not so right after a loan, that is the borrower's for good. */
  released(): boolean
  /** Asked after that: more is on its way. If not, the memory is let go of. */
  expectsMore(): boolean
}

/**
 * A socket as the session needs it: chunks that belong to the receiver, and one write per turn of the loop.
 * A plain socket is taken over by its handle, for only a socket that is made with `onread` can do without
 * an allocation for each read; a TLS socket is read by events.
 */
export class ByteStream {
  readonly #socket: Socket
  readonly #handlers: StreamHandlers
  /** While reads are large, what they go to: the part behind the room. */
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
      this.#handlers.chunk(chunk)
    })
    return socket
  }

  #read(bytes: number, into: Buffer): boolean {
    this.bytesRead += bytes
    const { borrower } = this.#handlers
    const isBulk = bytes >= (borrower === undefined ? BULK_BYTES : LENT_BULK_BYTES)
    if (into === shared) {
      this.#handlers.chunk(Buffer.from(into.subarray(0, bytes)))
      if (isBulk && borrower?.expectsMore() !== false) this.#own = allocate()
    } else if (borrower === undefined) {
      this.#own = isBulk ? allocate() : undefined
      this.#handlers.chunk(into.subarray(0, bytes))
    } else {
      this.#own = this.#lend(borrower, bytes, into)
      if (!isBulk || !borrower.expectsMore()) this.#own = undefined
    }
    return true
  }

  /** What to read into next. Where bytes will have to wait, they do so in memory of their own size. */
  #lend(borrower: Borrower, bytes: number, into: Buffer): Buffer {
    if (!borrower.released()) {
      this.#handlers.chunk(Buffer.from(into.subarray(0, bytes)))
      return into
    }
    borrower.take(Buffer.from(into.buffer), ROOM_BYTES, ROOM_BYTES + bytes)
    return borrower.released() ? into : allocate()
  }
}

function allocate(): Buffer {
  return Buffer.allocUnsafeSlow(ROOM_BYTES + READ_BYTES).subarray(ROOM_BYTES)
}

function join(slices: readonly { buffer: Buffer; start: number; end: number }[], bytes: number): Buffer {
  const joined = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const { buffer, start, end } of slices) at += buffer.copy(joined, at, start, end)
  return joined
}
