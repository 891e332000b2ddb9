/** The log inside the EventStoreDB double: its rules for revisions, conflicts and retries, without any gRPC. */

export interface ProposedEvent {
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

export interface Proposal {
  readonly stream: string
  readonly expected: 'any' | 'no_stream' | bigint
  readonly events: readonly ProposedEvent[]
  readonly bytes: number
}

export interface LogEntry extends ProposedEvent {
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
}

export type Verdict =
  | { readonly kind: 'written' | 'repeated'; readonly revision: bigint; readonly position: bigint }
  | { readonly kind: 'conflict'; readonly actual: bigint | undefined }
  | { readonly kind: 'deleted' }

/** Bytes a record takes in the log besides its data: positions are offsets, so they have gaps. */
const RECORD_OVERHEAD = 96n

/** Source: EventStoreDB documentation, "Appending events" (optimistic concurrency, idempotence). */
export class EventLog {
  #log: LogEntry[] = []
  readonly #streams = new Map<string, LogEntry[]>()
  readonly #deleted = new Set<string>()
  #end = 4096n

  constructor() {
    // What is in every real log: the server's own events, and those of other applications.
    this.#writeForeign('$stats-127.0.0.1:2113', '$statsCollected', '{"proc-cpu":1}')
    this.#writeForeign('otherapp-1', 'SomethingElse', '[1]')
  }

  get entries(): readonly LogEntry[] {
    return this.#log
  }

  append({ stream, expected, events }: Proposal): Verdict {
    if (this.#deleted.has(stream)) return { kind: 'deleted' }
    const before = this.stream(stream)
    const repeated = findRepeated(before, expected, events)
    if (repeated !== undefined) return { kind: 'repeated', revision: repeated.revision, position: repeated.position }
    const actual = before.at(-1)?.revision
    if (expected !== 'any' && (expected === 'no_stream' ? undefined : expected) !== actual) return { kind: 'conflict', actual }
    const last = this.#write(stream, actual, events)
    this.#writeForeign('$stats-127.0.0.1:2113', '$statsCollected', '{"proc-cpu":2}')
    return { kind: 'written', revision: last.revision, position: last.position }
  }

  stream(name: string): readonly LogEntry[] {
    return this.#streams.get(name) ?? []
  }

  isDeleted(name: string): boolean {
    return this.#deleted.has(name)
  }

  /** Hard delete: its events are scavenged, a tombstone stays. */
  tombstone(name: string): void {
    this.#deleted.add(name)
    this.truncate(name, 2n ** 63n)
    this.#writeForeign(name, '$streamDeleted', '{}')
  }

  /** What `$maxCount`, `$maxAge`, `$tb` and a scavenge do: the first events go. */
  truncate(name: string, before: bigint): void {
    this.#streams.set(name, this.stream(name).filter(({ revision }) => revision >= before))
    this.#log = this.#log.filter((entry) => entry.stream !== name || entry.revision >= before)
  }

  #write(stream: string, actual: bigint | undefined, events: readonly ProposedEvent[]): LogEntry {
    let revision = actual ?? -1n
    const written = events.map((event) => {
      this.#end += RECORD_OVERHEAD + BigInt(event.data.length + event.metadata.length)
      return { ...event, stream, revision: ++revision, position: this.#end }
    })
    this.#log.push(...written)
    const known = this.#streams.get(stream)
    if (known === undefined) this.#streams.set(stream, written)
    else known.push(...written)
    const last = written.at(-1)
    if (last === undefined) throw new Error('an append without events')
    return last
  }

  #writeForeign(stream: string, type: string, json: string): void {
    const event = { id: crypto.randomUUID(), type, contentType: 'application/json', data: Buffer.from(json), metadata: new Uint8Array() }
    this.#write(stream, this.stream(stream).at(-1)?.revision, [event])
  }
}

/** The last event of an earlier append of just these events, where the expectation says it would be. */
function findRepeated(stream: readonly LogEntry[], expected: Proposal['expected'], events: readonly ProposedEvent[]): LogEntry | undefined {
  const first = stream[0]?.revision ?? 0n
  const start = expected === 'any' ? stream.findIndex(({ id }) => id === events[0]?.id) : Number((expected === 'no_stream' ? -1n : expected) + 1n - first)
  if (start < 0) return undefined
  const there = stream.slice(start, start + events.length)
  const same = there.length === events.length && there.every(({ id }, index) => id === events[index]?.id)
  return same ? there.at(-1) : undefined
}
