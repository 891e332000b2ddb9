import type { EventBus, EventData, NewEvent, Subscription } from '../../core/index.ts'

/** A session that is open now. */
export interface LiveSession {
  readonly session: string
  /** CloudEvents source of the gateway that serves it. */
  readonly gateway: string
  /** RFC 3339, UTC. */
  readonly opened: string
  readonly person: string
  readonly actor: string
  readonly protocol: string
  readonly target: string
  readonly database: string
  readonly address: string
  readonly tls: boolean
  /** Claimed by the client. */
  readonly application: string
}

const MAX_SESSIONS = 100_000

/** Which sessions are open, from what the bus says since this gateway started. A view for people; nothing is decided by it. */
export class LiveSessions {
  readonly #open = new Map<string, LiveSession>()
  readonly #subscriptions: Subscription[]

  constructor(bus: EventBus) {
    this.#subscriptions = [
      bus.subscribe('sallyport.event.session.opened', ({ data }) => this.#opened(data as NewEvent<string, EventData<'session.opened.v1'>>)),
      bus.subscribe('sallyport.event.session.closed', ({ data }) => this.#open.delete((data as NewEvent<string, EventData<'session.closed.v1'>>).data.session)),
    ]
  }

  /** Oldest first. */
  list(): LiveSession[] {
    return [...this.#open.values()]
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
  }

  #opened({ source, time, data }: NewEvent<string, EventData<'session.opened.v1'>>): void {
    if (this.#open.size >= MAX_SESSIONS) return
    const { session, identity, protocol, target, address, tls, claimed } = data
    this.#open.set(session, {
      session, gateway: source, opened: time, person: identity.subject, actor: identity.actor, protocol,
      target: target.name, database: target.database, address, tls, application: claimed['application_name'] ?? '',
    })
  }
}
