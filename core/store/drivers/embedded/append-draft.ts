import type { NewEvent } from '../../../events/index.ts'
import { serialiseAppend } from '../../admit-append.ts'
import { EventBytes } from '../../event-bytes.ts'
import type { AppendsMessage } from './writer-protocol.ts'

/** With this much in it, a message is sent: half of what its memory takes, so that it seldom has to grow. */
const MAX_MESSAGE_APPENDS = 512
const MAX_MESSAGE_BYTES = 256 * 1024
/** Memory that came back and is used again: new memory has to be cleared, page by page. */
const KEPT_BUFFERS = 16
const KEPT_BUFFER_BYTES = 512 * 1024

const LINE_FEED = 10

/** Collects appends for the next message to the writer's thread. */
export class AppendDraft {
  #spare: ArrayBuffer[] = []
  #bytes: EventBytes | undefined
  #message = emptyMessage()

  get empty(): boolean {
    return this.#message.streams.length === 0
  }

  /** Whether it should be sent rather than wait for more. */
  get full(): boolean {
    return this.#message.streams.length >= MAX_MESSAGE_APPENDS || (this.#bytes?.length ?? 0) > MAX_MESSAGE_BYTES
  }

  /**
   * `expected` and `ids` as `AppendsMessage` has them. Returns the size in bytes. Throws `STORE_REFUSED`, and what `admit` (which
   * is told the size) throws; then nothing was added.
   */
  add(stream: string, events: readonly NewEvent[], expected: number, ids: string, admit: (bytes: number) => void): number {
    const bytes = (this.#bytes ??= new EventBytes(this.#spare.pop()))
    const start = bytes.length
    const size = serialiseAppend(stream, events, bytes)
    try {
      admit(size)
    } catch (error) {
      bytes.cut(start)
      throw error
    }
    bytes.addByte(LINE_FEED)
    const message = this.#message
    message.streams.push(stream)
    message.expected.push(expected)
    message.counts.push(events.length)
    message.sizes.push(size + 1)
    message.ids.push(ids)
    return size
  }

  /** The message, whose `events` are to be transferred; the draft is empty then. */
  take(): AppendsMessage {
    const bytes = this.#bytes
    const message: AppendsMessage = { type: 'appends', ...this.#message, bytes: bytes?.length ?? 0, events: bytes?.memory ?? new ArrayBuffer(0) }
    this.clear()
    return message
  }

  clear(): void {
    this.#bytes = undefined
    this.#message = emptyMessage()
  }

  /** Memory of messages that were dealt with. */
  giveBack(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (this.#spare.length < KEPT_BUFFERS && buffer.byteLength <= KEPT_BUFFER_BYTES) this.#spare.push(buffer)
    }
  }
}

function emptyMessage(): Omit<AppendsMessage, 'type' | 'events' | 'bytes'> {
  return { streams: [], expected: [], counts: [], sizes: [], ids: [] }
}
