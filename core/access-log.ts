import { randomUUID } from 'node:crypto'
import { rfc3339, type Clock } from './clock.ts'
import type { AccessRefused } from './events/index.ts'
import type { EventStore } from './store/event-store.ts'

/** Refusals that wait to be written; more are counted, not kept. */
const MAX_WAITING = 10_000

/** Records who was not let in, in the gateway's own stream `access-<gateway>`. */
export class AccessLog {
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #gateway: string
  #waiting = 0

  constructor(store: EventStore, clock: Clock, gateway: string) {
    this.#store = store
    this.#clock = clock
    this.#gateway = gateway
  }

  /** Resolves when it is durable, or cannot be: nobody is let in either way. */
  async refused(refusal: AccessRefused): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting++
    const event = {
      id: randomUUID(), source: `sallyport/${this.#gateway}`, type: 'access.refused.v1', subject: refusal.address,
      time: rfc3339(this.#clock.now()), correlationid: this.#gateway, data: refusal,
    }
    await this.#store.append(`access-${this.#gateway}`, [event], 'any').catch(() => {})
    this.#waiting--
  }
}
