import { SallyportError } from '../../../errors.ts'
import { upcast, type NewEvent, type RecordedEvent } from '../../../events/index.ts'
import {
  StoreConflict,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type ReadAllOptions,
  type ReadOptions,
} from '../../event-store.ts'
import { checkAppend, serialiseAppend } from '../../admit-append.ts'
import { EventBytes } from '../../event-bytes.ts'
import { CommitSignal } from '../../commit-signal.ts'

/** One event as it was written; `json` so that no reader shares an object with a writer. */
interface Kept {
  readonly id: string
  readonly json: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
}

/** An event store that lives and dies with the process: for tests, and for trying things out. */
export function createMemoryStore(): EventStore {
  return new MemoryStore()
}

class MemoryStore implements EventStore {
  readonly #all: Kept[] = []
  readonly #streams = new Map<string, Kept[]>()
  readonly #byId = new Map<string, Kept>()
  readonly #commits = new CommitSignal()
  #closed = false

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#mustBeOpen()
    checkAppend(stream, events, expected)
    const bytes = new EventBytes()
    serialiseAppend(stream, events, bytes)
    const kept = this.#streams.get(stream) ?? []
    const earlier = this.#retryOf(kept, events, expected)
    if (earlier !== undefined) return earlier
    const actual = kept.length === 0 ? 'no_stream' : BigInt(kept.length - 1)
    if (expected !== 'any' && expected !== actual) throw new StoreConflict(stream, expected, actual)
    this.#streams.set(stream, kept)
    return this.#keep(stream, kept, bytes.text())
  }

  #keep(stream: string, kept: Kept[], json: string): AppendResult {
    for (const event of JSON.parse(json) as NewEvent[]) {
      const one: Kept = {
        id: event.id,
        json: JSON.stringify(event),
        stream,
        revision: BigInt(kept.length),
        position: BigInt(this.#all.length + 1),
      }
      kept.push(one)
      this.#all.push(one)
      this.#byId.set(event.id, one)
    }
    this.#commits.raise()
    return { revision: BigInt(kept.length - 1), position: BigInt(this.#all.length) }
  }

  /** The result of the append that these very events came with before, if they did. */
  #retryOf(kept: readonly Kept[], events: readonly NewEvent[], expected: ExpectedRevision): AppendResult | undefined {
    const known = this.#byId.get(events[0]?.id ?? '')
    if (known === undefined) return undefined
    const first = expected === 'any' ? known.revision : expected === 'no_stream' ? 0n : expected + 1n
    const then = kept.slice(Number(first), Number(first) + events.length)
    const last = then.at(-1)
    const same = then.length === events.length && then.every((one, i) => one.id === events[i]?.id)
    return same && last !== undefined ? { revision: last.revision, position: last.position } : undefined
  }

  async *read(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#mustBeOpen()
    const kept = this.#streams.get(stream)?.slice() ?? []
    const backwards = options.direction === 'backwards'
    const from = options.from
    if (backwards) kept.reverse()
    const wanted = from === undefined ? kept : kept.filter((one) => (backwards ? one.revision <= from : one.revision >= from))
    for (const one of wanted.slice(0, options.limit)) yield recorded(one)
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const { follow = false, signal } = options
    const stopped = (): boolean => signal?.aborted ?? false
    let next = Math.max(0, Number(options.after ?? 0n))
    while (!stopped()) {
      this.#mustBeOpen()
      const seen = this.#commits.version
      for (let one = this.#all[next]; one !== undefined && !stopped(); one = this.#all[++next]) yield recorded(one)
      if (!follow) return
      await this.#commits.past(seen, signal)
    }
  }

  pending(): number {
    return 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#commits.raise()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SallyportError('STORE_UNAVAILABLE', 'the event store is closed')
  }
}

function recorded({ json, stream, revision, position }: Kept): RecordedEvent {
  return upcast({ ...(JSON.parse(json) as NewEvent), stream, revision, position })
}
