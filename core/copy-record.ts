import { randomUUID } from 'node:crypto'
import { rfc3339, type Clock } from './clock.ts'
import type { CopyBegun, CopySettled, EventData } from './events/index.ts'
import type { EventStore } from './store/event-store.ts'

export interface CopyRecordOptions {
  readonly store: EventStore
  readonly clock: Clock
  readonly source: string
}

export type CopyEntry = { readonly begun: CopyBegun } | { readonly settled: CopySettled }

/** What is recorded of relations that were made of others: a stream for each database of a target. */
export class CopyRecord {
  readonly #o: CopyRecordOptions

  constructor(options: CopyRecordOptions) {
    this.#o = options
  }

  of(target: string, database: string): CopyStream {
    return new CopyStream(this.#o, `copies-${target}/${database}`)
  }
}

/** The stream of one database. Several gateways may write to it. */
export class CopyStream {
  readonly #o: CopyRecordOptions
  readonly #stream: string
  #next = 0n

  constructor(options: CopyRecordOptions, stream: string) {
    this.#o = options
    this.#stream = stream
  }

  /** Durable when it resolves: before that, nothing may be copied. */
  begun(data: CopyBegun): Promise<void> {
    return this.#append('copy.begun.v1', data.copy, data)
  }

  settled(data: CopySettled): Promise<void> {
    return this.#append('copy.settled.v1', data.copy, data)
  }

  /** What was recorded since it was last asked, by whomever. */
  async news(): Promise<CopyEntry[]> {
    const entries: CopyEntry[] = []
    for await (const { type, revision, data } of this.#o.store.read(this.#stream, { from: this.#next })) {
      if (type === 'copy.begun.v1') entries.push({ begun: data as CopyBegun })
      else if (type === 'copy.settled.v1') entries.push({ settled: data as CopySettled })
      this.#next = revision + 1n
    }
    return entries
  }

  async #append<T extends 'copy.begun.v1' | 'copy.settled.v1'>(type: T, copy: string, data: EventData<T>): Promise<void> {
    const { store, clock, source } = this.#o
    await store.append(this.#stream, [{ id: randomUUID(), source, type, subject: copy, time: rfc3339(clock.now()), correlationid: `copy-${copy}`, data }], 'any')
  }
}
