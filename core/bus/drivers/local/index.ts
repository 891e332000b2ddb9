import { Subject } from 'rxjs'
import { SallyportError } from '../../../errors.ts'
import type { BusMessage, EventBus, SubscribeOptions, Subscription } from '../../event-bus.ts'
import { noResponders, PendingReply, type Deadline } from '../deadline.ts'
import { runHandler, warn, type Handler, type ReportError } from '../handler.ts'
import { decodePayload, DEFAULT_MAX_PAYLOAD_BYTES, encodePayload } from '../payload.ts'
import { checkPattern, checkQueue, checkSubject } from '../subject.ts'
import { Routes, type Receivers } from './routes.ts'

export interface LocalBusOptions {
  /** What handlers throw ends here; default: a process warning. */
  readonly onError?: (error: unknown) => void
  /** Default: a NATS server's 1 MiB. */
  readonly maxPayloadBytes?: number
}

/**
 * A bus inside one process that behaves as a NATS connection does: a publisher never runs a subscriber's code
 * and never meets its errors, order is that of publishing, and every receiver gets a copy of its own.
 * Messages go out in the next turn of the event loop, never in a microtask: two handlers that answer each other
 * for ever then still leave room for I/O, as they would over a socket.
 */
export function createLocalBus(options: LocalBusOptions = {}): EventBus {
  return new LocalBus(options.onError ?? warn, options.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES)
}

interface Delivery {
  readonly subject: string
  readonly text: string
  readonly receivers: Receivers<LocalRoute>
  readonly reply: PendingReply | undefined
}

class LocalBus implements EventBus {
  readonly #routes = new Routes<LocalRoute>()
  readonly #requests = new Set<PendingReply>()
  readonly #report: ReportError
  readonly #maxPayloadBytes: number
  #outbox: Delivery[] = []
  #flushed = Promise.withResolvers<void>()
  #closed = false

  constructor(report: ReportError, maxPayloadBytes: number) {
    this.#report = report
    this.#maxPayloadBytes = maxPayloadBytes
  }

  publish(subject: string, data: unknown): void {
    this.#checkOpen()
    if (!this.#routes.remembers(subject)) checkSubject(subject)
    this.#send(subject, data, undefined)
  }

  async request(subject: string, data: unknown, deadline: Deadline): Promise<unknown> {
    this.#checkOpen()
    checkSubject(subject)
    deadline.signal?.throwIfAborted()
    const reply = new PendingReply(subject, deadline, (settled) => this.#requests.delete(settled))
    this.#requests.add(reply)
    try {
      if (!this.#send(subject, data, reply)) reply.fail(noResponders(subject))
    } catch (error) {
      reply.fail(error)
    }
    return reply.promise
  }

  subscribe(pattern: string, handler: Handler, options: SubscribeOptions = {}): Subscription {
    this.#checkOpen()
    checkPattern(pattern)
    if (options.queue !== undefined) checkQueue(options.queue)
    const route = new LocalRoute(pattern, options.queue, (message) => runHandler(handler, message, this.#report))
    this.#routes.add(route)
    return { unsubscribe: () => this.#leave(route) }
  }

  async ready(): Promise<void> {
    this.#checkOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const request of this.#requests) request.fail(unavailable())
    if (this.#outbox.length > 0) await this.#flushed.promise
    for (const route of this.#routes.all()) this.#leave(route)
  }

  /** Whether anybody will receive it. What nobody receives is not even encoded. */
  #send(subject: string, data: unknown, reply: PendingReply | undefined): boolean {
    const receivers = this.#routes.find(subject)
    if (receivers.singles.length === 0 && receivers.groups.length === 0) return false
    const text = encodePayload(subject, data, this.#maxPayloadBytes)
    if (this.#outbox.push({ subject, text, receivers, reply }) === 1) setImmediate(this.#flush)
    return true
  }

  readonly #flush = (): void => {
    const batch = this.#outbox
    const flushed = this.#flushed
    this.#outbox = []
    this.#flushed = Promise.withResolvers()
    for (const delivery of batch) this.#deliver(delivery)
    flushed.resolve()
  }

  #deliver(delivery: Delivery): void {
    for (const route of delivery.receivers.singles) route.next(this.#message(delivery))
    for (const group of delivery.receivers.groups) group.next()?.next(this.#message(delivery))
  }

  #message({ subject, text, reply }: Delivery): BusMessage {
    const respond = reply === undefined ? ignore : (data: unknown) => this.#respond(subject, data, reply)
    return { subject, data: decodePayload(subject, text), respond }
  }

  /** Never throws: a handler may call it long after it returned, where nobody would catch. */
  #respond(subject: string, data: unknown, reply: PendingReply): void {
    try {
      const copy = decodePayload(subject, encodePayload(subject, data, this.#maxPayloadBytes))
      setImmediate(() => reply.answer(copy))
    } catch (error) {
      this.#report(error)
    }
  }

  #leave(route: LocalRoute): void {
    route.close()
    this.#routes.delete(route)
  }

  #checkOpen(): void {
    if (this.#closed) throw unavailable()
  }
}

class LocalRoute {
  readonly pattern: string
  readonly queue: string | undefined
  readonly #messages = new Subject<BusMessage>()

  constructor(pattern: string, queue: string | undefined, handler: Handler) {
    this.pattern = pattern
    this.queue = queue
    this.#messages.subscribe(handler)
  }

  get closed(): boolean {
    return this.#messages.closed
  }

  next(message: BusMessage): void {
    if (!this.closed) this.#messages.next(message)
  }

  close(): void {
    this.#messages.unsubscribe()
  }
}

function ignore(): void {}

function unavailable(): SallyportError {
  return new SallyportError('BUS_UNAVAILABLE', 'the bus is closed')
}
