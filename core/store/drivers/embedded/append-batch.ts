import type { AppendsMessage } from './writer-protocol.ts'

/** One append, as the writer is asked for it. */
export interface AppendRequest {
  readonly stream: string
  readonly expected: number
  readonly count: number
  readonly ids: string
}

/** What one transaction is asked to write: one or more messages, in order. */
export class AppendBatch {
  readonly requests: AppendRequest[] = []
  #text = ''
  #bytes = 0
  #lines: string[] | undefined

  /** The events of each request, a line each. */
  get text(): string {
    return this.#text
  }

  /** Of `text` in UTF-8. */
  get bytes(): number {
    return this.#bytes
  }

  add({ streams, expected, counts, ids, events, bytes }: AppendsMessage): void {
    this.#bytes += this.requests.length === 0 ? bytes : bytes + 1
    this.#text = this.requests.length === 0 ? events : `${this.#text}\n${events}`
    this.#lines = undefined
    for (const [i, stream] of streams.entries()) {
      this.requests.push({ stream, expected: expected[i] ?? 0, count: counts[i] ?? 0, ids: ids[i] ?? '' })
    }
  }

  /** The events of one request, as a JSON array. */
  eventsOf(request: number): string {
    this.#lines ??= this.#text.split('\n')
    return this.#lines[request] ?? ''
  }
}
