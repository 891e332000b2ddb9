import { randomUUID } from 'node:crypto'
import type { EventBus } from '../bus/event-bus.ts'
import type { Clock } from '../clock.ts'
import { rfc3339 } from '../clock.ts'
import { SallyportError } from '../errors.ts'
import { boundedImpact, type ApprovalRequested, type ApprovalTerms, type EventData, type EventType, type Identity, type Impact, type NewEvent, type Verdict } from '../events/index.ts'
import { shortId } from '../ids.ts'
import { StoreConflict, type EventStore } from '../store/event-store.ts'
import { evolve, refusal, type ApprovalState } from './approval.ts'
import { approvalDigest, type Asked } from './digest.ts'

/** How a held command's wait ended. */
export type Resolution =
  | { readonly status: 'granted'; readonly by: Identity; readonly comment: string }
  | { readonly status: 'denied'; readonly by: Identity; readonly comment: string }
  | { readonly status: 'expired' }
  | { readonly status: 'withdrawn'; readonly reason: string }

export interface ApprovalsOptions {
  readonly store: EventStore
  readonly bus: EventBus
  readonly clock: Clock
  readonly source: string
}

export interface Answer {
  readonly grant: boolean
  readonly reviewer: Identity
  /** The digest the reviewer was shown. */
  readonly digest: string
  readonly comment: string
}

interface Held {
  readonly request: ApprovalRequested
  wake: () => void
}

/** Any gateway may take the answer; the one that holds the command hears of it by this subject and reads the stream. */
const ANSWERED = 'sallyport.approval.answered'

/**
 * Approvals are streams (`approval-<id>`), written with exact revisions: of two answers at the same time one wins,
 * and a grant is consumed once. This class holds nothing that the streams do not, but who is waiting here.
 */
export class Approvals {
  readonly #options: ApprovalsOptions
  readonly #held = new Map<string, Held>()

  constructor(options: ApprovalsOptions) {
    this.#options = options
    options.bus.subscribe(ANSWERED, ({ data }) => this.#held.get(String(data))?.wake())
  }

  /** Opens an approval; durable when it resolves. */
  async request(asked: Asked, terms: ApprovalTerms, votes: Verdict['votes'], impact?: Impact): Promise<ApprovalRequested> {
    const approval = shortId()
    const expires = rfc3339(this.#options.clock.now() + terms.timeoutSeconds * 1000)
    const request = { approval, ...asked, digest: approvalDigest(asked), votes, terms, expires, ...impact === undefined ? {} : { impact: boundedImpact(impact) } }
    await this.#append(request, 'no_stream', 'approval.requested.v1', request)
    this.#held.set(approval, { request, wake: () => {} })
    return request
  }

  /**
   * Waits for the answer, the time-out, or `signal` (its reason says why it is withdrawn).
   * The stream has the last word: a grant that was appended before the withdrawal is still not used.
   */
  async resolution(request: ApprovalRequested, signal: AbortSignal): Promise<Resolution> {
    try {
      for (;;) {
        const woken = await this.#answeredOr(request, signal)
        if (typeof woken !== 'string') return woken
        if (woken === 'aborted') return await this.#end(request, 'approval.withdrawn.v1', reasonOf(signal))
        if (woken === 'timeout') return await this.#end(request, 'approval.expired.v1', '')
      }
    } finally {
      this.#held.delete(request.approval)
    }
  }

  /** Spends a grant. Rejects when it was spent before, or is none. */
  async consume(request: ApprovalRequested): Promise<void> {
    const { approval, command, digest } = request
    const { state, revision } = await this.#load(approval)
    if (state.status !== 'granted' || state.request.digest !== digest || state.answer.digest !== digest) {
      throw new SallyportError('APPROVAL_REFUSED', `approval ${approval} is ${state.status}, not granted`)
    }
    await this.#append(request, revision, 'approval.consumed.v1', { approval, command, digest })
  }

  /** A reviewer's answer; rejects with `APPROVAL_REFUSED` or `APPROVAL_UNKNOWN`, in words for the reviewer. */
  async answer(approval: string, { grant, reviewer, digest, comment }: Answer): Promise<void> {
    const { state, revision } = await this.#load(approval)
    if (state.status === 'none') throw new SallyportError('APPROVAL_UNKNOWN', `there is no approval ${approval}`)
    const problem = refusal(state, reviewer, digest, this.#options.clock.now())
    if (problem !== undefined) throw new SallyportError('APPROVAL_REFUSED', `approval ${approval}: ${problem}`)
    const type = grant ? 'approval.granted.v1' : 'approval.denied.v1'
    try {
      await this.#append(state.request, revision, type, { approval, digest, by: reviewer, comment })
    } catch (error) {
      // It may have been written none the less: who waits looks.
      this.#wakeHolder(approval)
      if (!(error instanceof StoreConflict)) throw error
      throw new SallyportError('APPROVAL_REFUSED', `approval ${approval}: somebody else answered first`, { cause: error })
    }
    this.#wakeHolder(approval)
  }

  /** The answer is durable, and counts, also when the bus cannot say so: who waits reads the stream when the time is up. */
  #wakeHolder(approval: string): void {
    this.#held.get(approval)?.wake()
    try {
      this.#options.bus.publish(ANSWERED, approval)
    } catch {}
  }

  /** Ends an approval that nobody waits for any more. Does nothing to one that has ended. */
  async withdraw(approval: string, reason: string): Promise<void> {
    const { state } = await this.#load(approval)
    if (state.status === 'pending' || state.status === 'granted') await this.#end(state.request, 'approval.withdrawn.v1', reason)
  }

  /** Where an approval stands, from its stream. */
  async get(approval: string): Promise<ApprovalState> {
    return (await this.#load(approval)).state
  }

  /** What is waiting for an answer at this gateway, oldest first. */
  pending(): ApprovalRequested[] {
    return Array.from(this.#held.values(), (held) => held.request)
  }

  async #load(approval: string): Promise<{ state: ApprovalState; revision: bigint }> {
    let state: ApprovalState = { status: 'none' }
    let revision = -1n
    for await (const event of this.#options.store.read(`approval-${approval}`)) {
      state = evolve(state, event)
      revision = event.revision
    }
    return { state, revision }
  }

  /** Ends a wait without an answer. An answer that came first stops an expiry, but not a withdrawal: nobody is there to use it. */
  async #end(request: ApprovalRequested, type: EndType, reason: string): Promise<Resolution> {
    const { approval } = request
    const { state, revision } = await this.#load(approval)
    const answered = resolutionOf(state)
    if (answered !== undefined && (type === 'approval.expired.v1' || answered.status !== 'granted')) return answered
    try {
      await this.#append(request, revision, type, type === 'approval.withdrawn.v1' ? { approval, reason } : { approval })
    } catch (error) {
      if (error instanceof StoreConflict) return this.#end(request, type, reason)
      throw error
    }
    return type === 'approval.withdrawn.v1' ? { status: 'withdrawn', reason } : { status: 'expired' }
  }

  /** What the stream says, else what ends the next wait. It listens first, so that no answer falls between the two. */
  async #answeredOr(request: ApprovalRequested, signal: AbortSignal): Promise<Resolution | Woken> {
    const wait = this.#listen(request, signal)
    try {
      const answered = resolutionOf(await this.get(request.approval))
      return answered !== undefined && !signal.aborted ? answered : await wait.woken
    } finally {
      wait.stop()
    }
  }

  #listen(request: ApprovalRequested, signal: AbortSignal): { woken: Promise<Woken>; stop: () => void } {
    const { promise, resolve } = Promise.withResolvers<Woken>()
    const held = this.#held.get(request.approval)
    if (held !== undefined) held.wake = () => resolve('answered')
    const left = Date.parse(request.expires) - this.#options.clock.now()
    const timer = left > LOOK_AGAIN_MS ? setTimeout(() => resolve('answered'), LOOK_AGAIN_MS) : setTimeout(() => resolve('timeout'), Math.max(0, left))
    const aborted = (): void => resolve('aborted')
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
    const stop = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
    }
    return { woken: promise, stop }
  }

  async #append<T extends EventType>(request: ApprovalRequested, expected: 'no_stream' | bigint, type: T, data: EventData<T>): Promise<void> {
    const { store, source, clock } = this.#options
    const { approval, session, command } = request
    const event: NewEvent = {
      id: randomUUID(), source, type, subject: approval, time: rfc3339(clock.now()), correlationid: session, causationid: command, data,
    }
    await store.append(`approval-${approval}`, [event], expected)
  }
}

type Woken = 'answered' | 'timeout' | 'aborted'
type EndType = 'approval.expired.v1' | 'approval.withdrawn.v1'
/** The bus forgets: who waits reads the stream this often by itself, so that a lost wake-up delays an answer and no more. */
const LOOK_AGAIN_MS = 5000

function resolutionOf(state: ApprovalState): Resolution | undefined {
  switch (state.status) {
    case 'granted':
    case 'denied':
      return { status: state.status, by: state.answer.by, comment: state.answer.comment }
    case 'expired':
      return { status: 'expired' }
    case 'withdrawn':
      return { status: 'withdrawn', reason: state.reason }
    default:
      return undefined
  }
}

function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason
  return typeof reason === 'string' ? reason : reason instanceof Error ? reason.message : 'withdrawn'
}
