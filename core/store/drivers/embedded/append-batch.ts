import type { AppendsMessage } from './writer-protocol.ts'

/** One append, as the writer is asked for it. */
export interface AppendRequest {
  readonly stream: string
  readonly expected: number
  readonly count: number
  readonly ids: string
  /** Its events are a line of `lines`, from here. */
  readonly start: number
  readonly end: number
  readonly lines: Buffer
}

/** What one transaction is asked to write: one or more messages, in order. */
export class AppendBatch {
  readonly requests: AppendRequest[] = []
  readonly #messages: Buffer<ArrayBuffer>[] = []
  #bytes = 0

  /** Of all events as JSON in UTF-8, with a line feed after those of each request. */
  get bytes(): number {
    return this.#bytes
  }

  /** The memory of the messages, to be given back when the batch was written. */
  get buffers(): ArrayBuffer[] {
    return this.#messages.map(({ buffer }) => buffer)
  }

  add({ streams, expected, counts, sizes, ids, events, bytes }: AppendsMessage): void {
    const lines = Buffer.from(events, 0, bytes)
    this.#messages.push(lines)
    this.#bytes += bytes
    let start = 0
    for (const [i, stream] of streams.entries()) {
      const end = start + (sizes[i] ?? 0)
      this.requests.push({ stream, expected: expected[i] ?? 0, count: counts[i] ?? 0, ids: ids[i] ?? '', start, end, lines })
      start = end
    }
  }

  /** The lines of some of the requests. */
  linesOf(requests: readonly AppendRequest[]): Uint8Array {
    if (requests.length < this.requests.length) return Buffer.concat(requests.map(({ lines, start, end }) => lines.subarray(start, end)))
    const [only] = this.#messages
    return only !== undefined && this.#messages.length === 1 ? only : Buffer.concat(this.#messages)
  }
}

/** The events of a request, as a JSON array. */
export function eventsText({ lines, start, end }: AppendRequest): string {
  return lines.toString('utf8', start, end - 1)
}
