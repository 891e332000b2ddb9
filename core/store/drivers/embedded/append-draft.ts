import type { AdmittedAppend } from '../../admit-append.ts'
import type { AppendsMessage } from './writer-protocol.ts'

/** A message is no larger than this, unless it is of one append. */
const MAX_MESSAGE_APPENDS = 512
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024
const SMALLEST_BUFFER_BYTES = 64 * 1024
/** Buffers that came back and are used again, so that busy threads do not make new ones all the time. */
const KEPT_BUFFERS = 4
const KEPT_BUFFER_BYTES = 512 * 1024

const LINE_FEED = 10

/** Collects appends for the next message to the writer's thread. */
export class AppendDraft {
  #spare: ArrayBuffer[] = []
  #buffer: Buffer<ArrayBuffer> | undefined
  #message = emptyMessage()

  get empty(): boolean {
    return this.#message.streams.length === 0
  }

  /** Whether another append of so many bytes belongs into the next message instead. */
  full(bytes: number): boolean {
    const { length } = this.#message.streams
    return length >= MAX_MESSAGE_APPENDS || (length > 0 && this.#message.bytes + bytes > MAX_MESSAGE_BYTES)
  }

  /** `expected`, `count` and `ids` as `AppendsMessage` has them. */
  add(stream: string, { json, bytes }: AdmittedAppend, expected: number, count: number, ids: string): void {
    const message = this.#message
    const buffer = this.#roomFor(message.bytes + bytes + 1)
    buffer.write(json, message.bytes)
    message.bytes += bytes
    buffer[message.bytes++] = LINE_FEED
    message.streams.push(stream)
    message.expected.push(expected)
    message.counts.push(count)
    message.sizes.push(bytes + 1)
    message.ids.push(ids)
  }

  #roomFor(bytes: number): Buffer {
    const buffer = this.#buffer
    if (buffer !== undefined && buffer.length >= bytes) return buffer
    const spare = buffer === undefined ? this.#spare.pop() : undefined
    const roomy = spare !== undefined && spare.byteLength >= bytes ? Buffer.from(spare) : Buffer.allocUnsafeSlow(roomyFor(bytes))
    buffer?.copy(roomy, 0, 0, this.#message.bytes)
    this.#buffer = roomy
    return roomy
  }

  /** The message, whose `events` are to be transferred; the draft is empty then. */
  take(): AppendsMessage {
    const { bytes, streams, expected, counts, sizes, ids } = this.#message
    const events = this.#buffer?.buffer ?? new ArrayBuffer(0)
    this.clear()
    return { type: 'appends', streams, expected, counts, sizes, ids, bytes, events }
  }

  clear(): void {
    this.#buffer = undefined
    this.#message = emptyMessage()
  }

  /** Buffers of messages that were dealt with. */
  giveBack(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (this.#spare.length < KEPT_BUFFERS && buffer.byteLength <= KEPT_BUFFER_BYTES) this.#spare.push(buffer)
    }
  }
}

/** A power of two, so that a buffer which came back fits the next message. */
function roomyFor(bytes: number): number {
  return Math.max(SMALLEST_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(bytes)))
}

function emptyMessage(): Omit<AppendsMessage, 'type' | 'events' | 'bytes'> & { bytes: number } {
  return { streams: [], expected: [], counts: [], sizes: [], ids: [], bytes: 0 }
}
