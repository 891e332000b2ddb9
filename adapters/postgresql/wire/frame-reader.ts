/**
 * Splits a byte stream into PostgreSQL messages after start-up:
 *
 *     byte 1     type
 *     bytes 2–5  length, big-endian, itself included
 *     …          body
 *
 * Source: PostgreSQL documentation, "Frontend/Backend Protocol", "Message Formats".
 */
import { WireViolation } from './violation.ts'

const HEADER_BYTES = 5
const EMPTY = Buffer.alloc(0)

/** A message may claim this much and no more; PostgreSQL's own limit for a message. */
export const MAX_MESSAGE_BYTES = 0x3fffffff

export const NEED_MORE = 0
/** `buffer[start, end)` is one whole message, header included; `type` is its first byte. */
export const FRAME = 1
/** `buffer[start, end)` is a part of the message that `passThrough` let go by. */
export const PIECE = 2
/** The header of a message that must be whole claims more than the reader may hold: `type` and `length` say what. */
export const TOO_LARGE = 3

/**
 * A pull parser that copies only what spans two chunks. `feed` a chunk, then call `next` until `NEED_MORE`.
 * A message of more than `maxHeldBytes` is never held: either it is passed through in pieces, or it is `TOO_LARGE`.
 */
export class FrameReader {
  buffer: Buffer = EMPTY
  type = 0
  start = 0
  end = 0
  /** Of the message at hand or, after `NEED_MORE`, of the incomplete one (0: its header is incomplete too); header included. */
  length = 0

  readonly #maxHeldBytes: number
  /** What the message at hand may have, when it may have more than others. */
  #allowance = 0
  #chunk: Buffer = EMPTY
  #at = 0
  #limit = 0
  /** The beginning of a message that began in an earlier chunk. */
  #rest: Buffer = EMPTY
  #restLength = 0
  /** Bytes still to come of a message that is passed through. */
  #passing = 0

  constructor(maxHeldBytes: number) {
    this.#maxHeldBytes = maxHeldBytes
  }

  /** Only after `next` returned `NEED_MORE`. The chunk must stay as it is until then; `next` keeps no reference to it. */
  feed(chunk: Buffer, start = 0, limit = chunk.length): void {
    this.#chunk = chunk
    this.#at = start
    this.#limit = limit
  }

  /** As `feed`; what lies before `start` is free, so that a message cut in two becomes one again without memory of its own. */
  feedBehindRoom(chunk: Buffer, start: number, limit: number): void {
    const length = this.#passing > 0 || this.#allowance > 0 || this.#restLength > start ? 0 : this.#restLength
    this.#rest.copy(chunk, start - length, 0, length)
    this.#restLength -= length
    this.feed(chunk, start - length, limit)
  }

  next(): typeof NEED_MORE | typeof FRAME | typeof PIECE | typeof TOO_LARGE {
    if (this.#passing > 0) return this.#piece()
    if (this.#restLength > 0) return this.#complete()
    const at = this.#at
    const available = this.#limit - at
    if (available < HEADER_BYTES) return this.#keep(0)
    const chunk = this.#chunk
    this.type = chunk[at] ?? 0
    const length = this.#lengthAt(chunk, at)
    if (length > available) return this.#mayHold(length) ? this.#keep(length) : TOO_LARGE
    this.buffer = chunk
    this.start = at
    this.end = this.#at = at + length
    return FRAME
  }

  /** After `NEED_MORE` or `TOO_LARGE`: lets the incomplete message go by in pieces. Its header is the first piece's beginning. */
  passThrough(): void {
    this.#passing = this.length
    this.#allowance = 0
  }

  /** True while a message that is passed through is not yet whole. */
  get passing(): boolean {
    return this.#passing > 0
  }

  /** After `TOO_LARGE`: holds this one message none the less. Memory grows with what arrives, not with what is claimed. */
  hold(): void {
    this.#allowance = this.length
  }

  /**
   * After `TOO_LARGE`: true once `bytes` of the message (or all of it) are here; `buffer[start, end)` is then its
   * beginning, which is not consumed. False: feed more.
   */
  gather(bytes: number): boolean {
    this.#append(Math.min(this.length - this.#restLength, this.#limit - this.#at))
    if (this.#restLength < Math.min(bytes, this.length)) return false
    this.buffer = this.#rest
    this.start = 0
    this.end = this.#restLength
    return true
  }

  /**
   * After a `FRAME`: goes on over the whole messages of the same type that follow it in the chunk, `most` of them.
   * `buffer[start, end)` then holds them all. Returns how many were added.
   */
  extend(most = Infinity): number {
    const chunk = this.#chunk
    if (this.buffer !== chunk) return 0
    const type = this.type
    const limit = this.#limit - HEADER_BYTES
    let at = this.#at
    let count = 0
    while (count < most && at <= limit && chunk[at] === type) {
      const next = at + 1 + readUint32(chunk, at + 1)
      if (next > this.#limit || next < at + HEADER_BYTES) break
      at = next
      count++
    }
    this.end = this.#at = at
    return count
  }

  /** Unread bytes that the reader holds, for when the chunk is about to be reused. */
  get heldBytes(): number {
    return this.#restLength + this.#limit - this.#at
  }

  /** Copies what is unread, so that the chunk may be overwritten. */
  detach(): void {
    if (this.#at === this.#limit) return
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at, this.#limit))
    this.#at = 0
    this.#limit = this.#chunk.length
  }

  #mayHold(length: number): boolean {
    return length <= this.#maxHeldBytes || length === this.#allowance
  }

  #lengthAt(buffer: Buffer, at: number): number {
    const claimed = readUint32(buffer, at + 1)
    if (claimed < 4 || claimed > MAX_MESSAGE_BYTES) throw new WireViolation(`it claims ${claimed} bytes`)
    this.length = claimed + 1
    return this.length
  }

  /** Moves the unread bytes into `#rest`. */
  #keep(length: number): typeof NEED_MORE {
    this.length = length
    this.#append(this.#limit - this.#at)
    return NEED_MORE
  }

  #append(bytes: number): void {
    if (bytes <= 0) return
    const needed = this.#restLength + bytes
    if (needed > this.#rest.length) this.#grow(needed)
    this.#chunk.copy(this.#rest, this.#restLength, this.#at, this.#at + bytes)
    this.#restLength = needed
    this.#at += bytes
  }

  /** Grows with what has arrived, never with what is only claimed. */
  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#rest.length * 2, MAX_MESSAGE_BYTES), 64))
    this.#rest.copy(grown, 0, 0, this.#restLength)
    this.#rest = grown
  }

  #complete(): typeof NEED_MORE | typeof FRAME | typeof TOO_LARGE {
    if (this.#restLength < HEADER_BYTES) this.#append(Math.min(HEADER_BYTES - this.#restLength, this.#limit - this.#at))
    if (this.#restLength < HEADER_BYTES) return NEED_MORE
    this.type = this.#rest[0] ?? 0
    const length = this.#lengthAt(this.#rest, 0)
    if (this.#restLength < length && !this.#mayHold(length)) return TOO_LARGE
    this.#append(Math.min(length - this.#restLength, this.#limit - this.#at))
    if (this.#restLength < length) return NEED_MORE
    this.buffer = this.#rest
    this.start = 0
    this.end = length
    this.#rest = EMPTY
    this.#restLength = 0
    this.#allowance = 0
    return FRAME
  }

  #piece(): typeof NEED_MORE | typeof PIECE {
    if (this.#restLength > 0) {
      this.buffer = this.#rest
      this.start = 0
      this.end = this.#restLength
      this.#rest = EMPTY
      this.#restLength = 0
    } else {
      const bytes = Math.min(this.#passing, this.#limit - this.#at)
      if (bytes === 0) return NEED_MORE
      this.buffer = this.#chunk
      this.start = this.#at
      this.end = this.#at += bytes
    }
    this.#passing -= this.end - this.start
    return PIECE
  }
}

function readUint32(bytes: Buffer, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
}
