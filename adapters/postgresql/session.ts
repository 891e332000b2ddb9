import type { Socket } from 'node:net'
import type { Gate, GateSession, SessionClosed } from '../../core/index.ts'
import { ByteStream } from './byte-stream.ts'
import { ADMIN_SHUTDOWN, fatal, PROGRAM_LIMIT_EXCEEDED, SQLSTATE } from './enforce.ts'
import type { Observer } from './observe.ts'
import { Requests, TooLarge, type RequestLimits } from './requests.ts'
import { Responses } from './responses.ts'
import type { Run } from './run.ts'
import { encodeTerminate } from './wire/frontend.ts'
import { WireViolation } from './wire/violation.ts'

export interface SessionOptions {
  readonly gate: Gate
  readonly session: GateSession
  readonly observer: Observer
  readonly limits: RequestLimits
  readonly clientSocket: Socket
  readonly targetSocket: Socket
  /** What each of them sent before the session took over. */
  readonly clientLeftover: Buffer
  readonly targetLeftover: Buffer
  /** Sends a CancelRequest to the target for this session's backend; resolves when the target has it. */
  readonly cancelAtTarget: () => Promise<void>
  readonly ended: () => void
}

/** How long a client may take to read why it was cut off, and how long the rest of what it asked for. */
const LAST_WORD_MS = 2000
const LAST_ANSWER_MS = 30_000
/** A cancel may come to nothing (the target had not begun, or a function caught it): it is sent again. */
const CANCEL_AGAIN_MS = 1000
const STATUS = new Map([[0x49, 'idle'], [0x54, 'open'], [0x45, 'failed']])

/** A client and its target, from the first query to the last: two streams, the way in and the way back. */
export class PostgresSession {
  readonly #o: SessionOptions
  readonly #client: ByteStream
  readonly #target: ByteStream
  readonly #requests: Requests
  readonly #responses: Responses
  #closing: Promise<void> | undefined
  /** The client sends no more. */
  #ended = false
  /** The client reads no more either. */
  #gone = false
  /** Set once the client is done: what the session ends with when its last answer is out. */
  #finishing: 'client-terminated' | 'client-disconnected' | undefined
  /** Looks whether the run that went beyond a limit is over. */
  #wakeEnding: (() => void) | undefined
  /** The target knows that nothing more will come. */
  #targetTold = false

  constructor(options: SessionOptions) {
    this.#o = options
    const { gate, session, observer, limits } = options
    this.#client = new ByteStream(options.clientSocket, {
      chunk: (chunk) => this.#fromClient(chunk),
      drained: () => this.#target.resume('client is slow'),
      ended: () => this.#clientEnded(),
      closed: () => this.#clientGone(),
    })
    this.#target = new ByteStream(options.targetSocket, {
      chunk: (chunk) => this.#fromTarget(chunk, 0, chunk.length, false),
      borrower: {
        take: (buffer, start, end) => this.#fromTarget(buffer, start, end, true),
        released: () => this.#client.written,
        expectsMore: () => !this.#responses.idle,
      },
      drained: () => this.#client.resume('target is slow'),
      ended: () => this.#targetLost(),
      closed: () => this.#targetLost(),
    })
    this.#responses = new Responses(this.#client, {
      now: () => performance.now(),
      parameter: (name, value) => observer.parameter(name, value),
      ready: (status) => this.#ready(status),
      hidesNotifications: () => observer.hidesNotifications,
      failed: () => observer.failed(),
      suspended: (run) => observer.ended(run),
      undone: (run) => this.#undone(run),
      runOver: (run, otherwise) => this.#settle(run, otherwise),
      limitReached: (run) => void this.#endAtTarget(run),
      freed: () => this.#requests.freed(),
      spoil: (run, kind) => this.#requests.spoil(run, kind),
    })
    this.#requests = new Requests({
      gate, session, client: this.#client, target: this.#target, responses: this.#responses, observer, limits,
      handlers: {
        now: () => performance.now(),
        flush: () => this.#flush(),
        finished: () => this.#finished(),
        notForwarded: (run) => this.#settle(run, 'not-forwarded'),
        broken: (error) => this.#broken(error),
      },
    })
  }

  /** Goes on with what was received during start-up. */
  start(): void {
    const { targetLeftover } = this.#o
    if (targetLeftover.length > 0) this.#fromTarget(targetLeftover, 0, targetLeftover.length, false)
    if (this.#o.clientLeftover.length > 0) this.#fromClient(this.#o.clientLeftover)
  }

  /**
   * A CancelRequest with this session's key came. Resolves when it has done what it can: whoever sent it waits for that,
   * so that it does not hit the statement after.
   */
  async cancel(): Promise<void> {
    if (this.#requests.cancel() || this.#responses.idle) return
    await this.#o.cancelAtTarget()
  }

  /** The gateway stops: what is held is withdrawn, and the client is told. */
  async stop(): Promise<void> {
    await this.#farewell('gateway-stopped', fatal(ADMIN_SHUTDOWN, 'terminating connection: the gateway is stopping'), undefined)
  }

  #fromClient(chunk: Buffer): void {
    if (this.#closing !== undefined) return
    try {
      this.#requests.receive(chunk)
      this.#flush()
    } catch (error) {
      this.#broken(error)
    }
  }

  #fromTarget(chunk: Buffer, start: number, end: number, lent: boolean): void {
    if (this.#closing !== undefined) return
    try {
      this.#responses.receive(chunk, start, end, lent)
      this.#flush()
    } catch (error) {
      this.#broken(error)
    }
  }

  /** One write each way; the slower side makes the other pause. */
  #flush(): void {
    if (!this.#target.flush()) this.#client.pause('target is slow')
    // What is swallowed makes no client slower.
    if (!this.#client.flush() && this.#responses.limits.ending === undefined) this.#target.pause('client is slow')
  }

  /** Until it is over, and no cancel is on its way that could hit something else. */
  async #endAtTarget(run: Run): Promise<void> {
    this.#target.resume('client is slow')
    while (!run.settled && this.#closing === undefined) {
      if (this.#requests.failCopy()) this.#flush()
      else await this.#o.cancelAtTarget()
      if (!run.settled && this.#closing === undefined) await this.#over(CANCEL_AGAIN_MS)
    }
    if (this.#closing !== undefined) return
    try {
      this.#responses.limits.delivered()
      this.#flush()
    } catch (error) {
      this.#broken(error)
    }
  }

  /** Resolves when the run that is to end is over, or the time is up. */
  async #over(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeEnding = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
  }

  #ready(status: number): void {
    this.#o.session.transaction = STATUS.get(status) ?? 'idle'
    this.#o.observer.ready(this.#o.session.transaction)
    this.#requests.ready(this.#o.session.transaction)
    if (this.#finishing !== undefined) this.#finished()
  }

  #settle(run: Run, otherwise: Parameters<Run['outcome']>[0]): void {
    this.#o.observer.ended(run)
    this.#requests.ended(run)
    this.#wakeEnding?.()
    if (run.decision !== undefined) this.#o.gate.settle(run.decision, run.outcome(otherwise, performance.now()), run.recording())
    if (this.#o.session.journal.full) this.#broken(new Error('the event store has been failing for too long'))
  }

  /** The later outcome is the one that counts. */
  #undone(run: Run): void {
    if (run.decision !== undefined) this.#o.gate.settle(run.decision, run.outcome('failed', performance.now()))
  }

  /** As with a server: what it sent is carried out, and answered as long as it reads. */
  #clientEnded(): void {
    this.#ended = true
    this.#requests.finish('the client has left')
    this.#flush()
  }

  #clientGone(): void {
    this.#gone = true
    this.#clientEnded()
  }

  /** The client is done, and everything it sent is with the target, which is told so and may still owe answers. */
  #finished(): void {
    this.#finishing ??= this.#ended ? 'client-disconnected' : 'client-terminated'
    if (this.#gone || this.#responses.idle) return void this.#close(this.#finishing, undefined)
    if (!this.#targetTold && !this.#ended) this.#target.add(encodeTerminate())
    this.#targetTold = true
    if (this.#ended) this.#target.finish()
  }

  #targetLost(): void {
    if (this.#finishing !== undefined) return void this.#close(this.#finishing, undefined)
    const message = fatal(SQLSTATE.TARGET_UNAVAILABLE, 'the target closed the connection', 'The gateway is fine; reconnect when the target is.')
    void this.#farewell('target-lost', this.#responses.fatalSeen ? undefined : message, undefined)
  }

  #broken(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof TooLarge ? PROGRAM_LIMIT_EXCEEDED : error instanceof WireViolation ? SQLSTATE.PROTOCOL_VIOLATION : SQLSTATE.STORE_UNAVAILABLE
    const reason = error instanceof WireViolation || error instanceof TooLarge ? 'protocol-violation' : 'error'
    void this.#farewell(reason, fatal(code, message), message)
  }

  async #farewell(reason: SessionClosed['reason'], last: Buffer | undefined, error: string | undefined): Promise<void> {
    if (this.#closing === undefined && last !== undefined && !this.#responses.midMessage) this.#client.add(last)
    await this.#close(reason, error === undefined ? undefined : new Error(error))
  }

  #close(reason: SessionClosed['reason'], error: Error | undefined): Promise<void> {
    if (this.#closing === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#closing = promise
      this.#end(reason, error).then(resolve, resolve)
    }
    return this.#closing
  }

  async #end(reason: SessionClosed['reason'], error: Error | undefined): Promise<void> {
    const { gate, session, ended } = this.#o
    // Nobody is left to see that it keeps to its limit.
    if (this.#responses.limits.barred) void this.#o.cancelAtTarget()
    this.#o.observer.closed()
    this.#requests.abandon(reason === 'gateway-stopped' ? 'the gateway is stopping' : 'the client has left')
    this.#responses.abandon()
    if (!this.#targetTold) this.#target.add(encodeTerminate())
    this.#target.end()
    this.#client.end(this.#finishing === undefined ? LAST_WORD_MS : LAST_ANSWER_MS)
    ended()
    const { bytesRead, bytesWritten } = this.#client
    await gate.close(session, { reason, bytesFromClient: bytesRead, bytesToClient: bytesWritten, ...(error === undefined ? {} : { error: error.message }) })
  }
}
