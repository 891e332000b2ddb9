import { connect, RequestError, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { SallyportError } from '../../../errors.ts'
import type { BusMessage, EventBus, SubscribeOptions, Subscription } from '../../event-bus.ts'
import { clampTimeout, noResponders, PendingReply, type Deadline } from '../deadline.ts'
import { runHandler, warn, type Handler, type ReportError } from '../handler.ts'
import { decodePayload, DEFAULT_MAX_PAYLOAD_BYTES, encodePayload } from '../payload.ts'
import { checkPattern, checkQueue, checkSubject } from '../subject.ts'
import { connectionOptions, type NatsOptions } from './options.ts'

export type { NatsOptions, NatsTls } from './options.ts'

const FLUSH_TIMEOUT_MS = 5000

/**
 * Connects to a NATS server or cluster; core NATS only. Rejects with `BUS_UNAVAILABLE` when no server lets it in.
 *
 * A lost connection is made again for ever, and subscriptions with it. Until then `publish`, `request` and `ready`
 * fail with `BUS_UNAVAILABLE`: the client library would queue what is published and throw it away on its next
 * attempt to connect, so an error is the honest answer. Requests that wait when the connection is lost fail at once.
 */
export async function connectNats(options: NatsOptions): Promise<EventBus> {
  const settings = connectionOptions(options)
  try {
    return new NatsBus(await connect(settings), options.onError ?? warn, options.flushTimeoutMs ?? FLUSH_TIMEOUT_MS)
  } catch (cause) {
    throw new SallyportError('BUS_UNAVAILABLE', `no NATS server at ${options.servers.join(', ')}: ${messageOf(cause)}`, { cause })
  }
}

class NatsBus implements EventBus {
  readonly #nats: NatsConnection
  readonly #report: ReportError
  readonly #flushTimeoutMs: number
  readonly #requests = new Set<PendingReply>()
  #connected = true
  #closing: Promise<void> | undefined

  constructor(nats: NatsConnection, report: ReportError, flushTimeoutMs: number) {
    this.#nats = nats
    this.#report = report
    this.#flushTimeoutMs = flushTimeoutMs
    this.#watch().catch(report)
  }

  publish(subject: string, data: unknown): void {
    checkSubject(subject)
    this.#checkOpen()
    this.#nats.publish(subject, this.#encode(subject, data))
  }

  async request(subject: string, data: unknown, deadline: Deadline): Promise<unknown> {
    checkSubject(subject)
    this.#checkOpen()
    deadline.signal?.throwIfAborted()
    const payload = this.#encode(subject, data)
    const reply = new PendingReply(subject, deadline, (settled) => this.#requests.delete(settled))
    this.#requests.add(reply)
    // The library's own timer only cleans up; one turn later than ours, so that ours gives the error.
    this.#nats.request(subject, payload, { timeout: clampTimeout(deadline.timeoutMs + 1) }).then(
      (message) => settle(reply, message),
      (error: unknown) => reply.fail(requestFailure(subject, error)),
    )
    return reply.promise
  }

  subscribe(pattern: string, handler: Handler, options: SubscribeOptions = {}): Subscription {
    checkPattern(pattern)
    if (options.queue !== undefined) checkQueue(options.queue)
    if (this.#closing !== undefined || this.#nats.isClosed()) throw unavailable('the bus is closed')
    const callback = (error: Error | null, message: Msg): void => this.#receive(error, message, handler)
    const subscription = this.#nats.subscribe(pattern, { callback, ...(options.queue !== undefined && { queue: options.queue }) })
    return { unsubscribe: () => subscription.unsubscribe() }
  }

  async ready(): Promise<void> {
    this.#checkOpen()
    try {
      await this.#within(this.#nats.flush())
    } catch (cause) {
      throw unavailable('the NATS server did not confirm', cause)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#failRequests('the bus is closed')
    try {
      if (this.#connected && !this.#nats.isClosed()) await this.#within(this.#nats.drain())
    } catch (error) {
      this.#report(error)
    } finally {
      await this.#nats.close()
    }
  }

  /** The library calls this from inside its parser: an error that escaped would end all reading. */
  #receive(error: Error | null, message: Msg, handler: Handler): void {
    if (error !== null) return this.#report(error)
    let decoded: BusMessage
    try {
      decoded = { subject: message.subject, data: decodePayload(message.subject, message.string()), respond: (data) => this.#respond(message, data) }
    } catch (unreadable) {
      return this.#report(unreadable)
    }
    runHandler(handler, decoded, this.#report)
  }

  /** Never throws: a handler may call it long after it returned, where nobody would catch. */
  #respond(message: Msg, data: unknown): void {
    if (message.reply === undefined || message.reply === '') return
    try {
      this.#checkConnected()
      message.respond(this.#encode(message.subject, data))
    } catch (error) {
      this.#report(error)
    }
  }

  #encode(subject: string, data: unknown): string {
    return encodePayload(subject, data, this.#nats.info?.max_payload ?? DEFAULT_MAX_PAYLOAD_BYTES)
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'reconnect') this.#connected = true
      else if (status.type === 'disconnect') this.#lost()
      else if (status.type === 'error') this.#report(status.error)
    }
  }

  #lost(): void {
    this.#connected = false
    this.#failRequests('the connection to the NATS server was lost')
  }

  #failRequests(reason: string): void {
    for (const request of this.#requests) request.fail(unavailable(reason))
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw unavailable('the bus is closed')
    this.#checkConnected()
  }

  #checkConnected(): void {
    if (!this.#connected || this.#nats.isClosed()) throw unavailable('not connected to a NATS server')
  }

  /** A server that answers nothing must not hold `ready` or `close` for ever. */
  async #within(work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${this.#flushTimeoutMs} ms`)), this.#flushTimeoutMs)
    work.catch(() => {})
    try {
      await Promise.race([work, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

function settle(reply: PendingReply, message: Msg): void {
  try {
    reply.answer(decodePayload(message.subject, message.string()))
  } catch (error) {
    reply.fail(error)
  }
}

function requestFailure(subject: string, error: unknown): SallyportError {
  if (error instanceof RequestError && error.isNoResponders()) return noResponders(subject)
  return unavailable(`the request on "${subject}" failed: ${messageOf(error)}`, error)
}

function unavailable(message: string, cause?: unknown): SallyportError {
  return new SallyportError('BUS_UNAVAILABLE', message, cause === undefined ? undefined : { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
