/** A message on the bus. `data` is JSON-able; drivers encode it. */
export interface BusMessage {
  readonly subject: string
  readonly data: unknown
  /** Answers a `request`; does nothing for a message that was published. */
  respond(data: unknown): void
}

export interface SubscribeOptions {
  /** Members of one queue group share the messages: each goes to one of them. */
  readonly queue?: string
}

export interface Subscription {
  unsubscribe(): void
}

/**
 * Moves events between processes and forgets them. NATS semantics: at most once, no history, subjects are
 * dot-separated tokens, `*` matches one token and a last `>` one or more.
 *
 * - `publish` never waits for a subscriber and never throws because of one.
 * - `request` rejects with `BUS_TIMEOUT` when no answer came in time (or nobody subscribes), and a caller treats that as a block.
 * - A handler that throws is logged by the driver and disturbs nobody else.
 * - `ready` resolves when the subscription is known to the server: what is published after it will arrive.
 * - After `close`, `publish` and `request` fail with `BUS_UNAVAILABLE`.
 */
export interface EventBus {
  publish(subject: string, data: unknown): void
  request(subject: string, data: unknown, options: { timeoutMs: number; signal?: AbortSignal }): Promise<unknown>
  subscribe(subject: string, handler: (message: BusMessage) => void, options?: SubscribeOptions): Subscription
  ready(): Promise<void>
  close(): Promise<void>
}
