import { randomUUID } from 'node:crypto'
import { isAmong } from '../approvals/approval.ts'
import type { EventBus, Subscription } from '../bus/event-bus.ts'
import { rfc3339, type Clock } from '../clock.ts'
import { columnPatternProblem } from '../column-pattern.ts'
import { SallyportError } from '../errors.ts'
import type { EventData, GrantIssued, Identity, NewEvent, Verdict } from '../events/index.ts'
import type { Directory } from '../identity/directory.ts'
import { shortId } from '../ids.ts'
import { withExemptions } from '../rules/combine.ts'
import { StoreConflict, type EventStore, type ExpectedRevision } from '../store/event-store.ts'
import { evolve, holdsFor, isActive, issueRefusal, type GrantSession, type GrantState } from './grant.ts'

export interface GrantsOptions {
  readonly store: EventStore
  readonly bus: EventBus
  readonly clock: Clock
  readonly source: string
  readonly directory: Directory
  /** Names of the targets that there are. */
  readonly targets: readonly string[]
  /** Who may give: `group:NAME` or a subject. */
  readonly approvers: readonly string[]
  readonly maxSeconds: number
}

export interface GrantRequest {
  readonly to: string
  readonly target: string
  readonly columns: readonly string[]
  readonly seconds: number
  readonly reason: string
  readonly task?: string | undefined
}

/** A grant was issued or revoked: who keeps grants reads its stream. */
const CHANGED = 'sallyport.grant.changed'
/** The bus forgets: grants that are in force are read again this often, so that a lost message delays a revocation and no more. */
const LOOK_AGAIN_MS = 5000
export const MAX_GRANT_COLUMNS = 100
export const MAX_TASK_CHARS = 128
/** In force at a time. */
const MAX_ACTIVE = 1000

interface Active {
  readonly issued: GrantIssued
  /** Unix, ms. */
  readonly expiresAt: number
}

interface Lifted {
  readonly grants: string
  readonly verdict: Verdict
}

/**
 * Grants are streams (`grant-<id>`), written with exact revisions. This class keeps those that are in force, so that a
 * decision need not wait for the store; what it keeps is what their streams say.
 */
export class Grants {
  readonly #o: GrantsOptions
  readonly #active = new Map<string, Active>()
  /** Revoked while this gateway ran: a reading of the stream that comes late brings none of them back. */
  readonly #revoked = new Set<string>()
  /** Verdicts are remembered and shared; so is what a set of grants makes of them. */
  readonly #lifted = new WeakMap<Verdict, Lifted>()
  readonly #subscription: Subscription
  #timer: NodeJS.Timeout | undefined

  constructor(options: GrantsOptions) {
    this.#o = options
    this.#subscription = options.bus.subscribe(CHANGED, ({ data }) => void this.#look(String(data)).catch(() => {}))
  }

  /** Takes up grants that were given before. Rejects when one cannot be read: who starts without would mask too much, and not say why. */
  async restore(grants: Iterable<string>): Promise<void> {
    for (const grant of grants) await this.#look(grant)
  }

  /** Durable, and in force here, when it resolves. Rejects with `GRANT_REFUSED`, in words for the issuer. */
  async issue(request: GrantRequest, issuer: Identity): Promise<GrantIssued> {
    const { to, target, columns, seconds, reason, task } = request
    const actsFor = this.#actsFor(to)
    const problem = this.#problemWith(request) ?? issueRefusal({ to, actsFor }, issuer, isAmong(this.#o.approvers, issuer))
    if (problem !== undefined) throw new SallyportError('GRANT_REFUSED', `no grant: ${problem}`)
    const expires = rfc3339(this.#o.clock.now() + seconds * 1000)
    const issued = { grant: shortId(), to, actsFor, target, columns: [...new Set(columns)], reason, by: issuer, expires, ...task === undefined ? {} : { task } }
    await this.#append(issued.grant, 'no_stream', 'grant.issued.v1', issued)
    return issued
  }

  /** Holds from the next decision on. Rejects with `GRANT_UNKNOWN` or `GRANT_REFUSED`. */
  async revoke(grant: string, by: Identity, reason: string): Promise<GrantState> {
    const { state, revision } = await this.#load(grant)
    if (state.status === 'none') throw new SallyportError('GRANT_UNKNOWN', `there is no grant ${grant}`)
    if (!isActive(state, this.#o.clock.now())) throw new SallyportError('GRANT_REFUSED', `grant ${grant} is ${state.status === 'revoked' ? 'revoked already' : 'over'}`)
    if (!this.mayIssue(by) && state.issued.to !== by.subject) throw new SallyportError('GRANT_REFUSED', `grant ${grant}: you are not one of those who may revoke it`)
    try {
      await this.#append(grant, revision, 'grant.revoked.v1', { grant, by, reason })
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
    }
    return this.get(grant)
  }

  /** Where it stands, from its stream. */
  async get(grant: string): Promise<GrantState> {
    return (await this.#load(grant)).state
  }

  mayIssue(identity: Identity): boolean {
    return isAmong(this.#o.approvers, identity)
  }

  /** What is in force, the next to end first. */
  list(): GrantIssued[] {
    this.#dropExpired()
    return Array.from(this.#active.values(), ({ issued }) => issued).toSorted((a, b) => (a.expires < b.expires ? -1 : 1))
  }

  /** The verdict without the masks that a grant lifts. Costs nothing while no grant is in force. */
  apply(verdict: Verdict, session: GrantSession): Verdict {
    if (this.#active.size === 0 || verdict.obligations.masks.length === 0) return verdict
    this.#dropExpired()
    const fitting = [...this.#active.values()].flatMap(({ issued }) => (holdsFor(issued, session) ? [issued] : []))
    if (fitting.length === 0) return verdict
    const grants = fitting.map(({ grant }) => grant).join()
    const known = this.#lifted.get(verdict)
    if (known?.grants === grants) return known.verdict
    const lifted = withExemptions(verdict, fitting.flatMap(({ grant, columns, reason }) => columns.map((column) => ({ column, by: `grant:${grant}`, reason }))))
    this.#lifted.set(verdict, { grants, verdict: lifted })
    return lifted
  }

  /** Whether every grant that a verdict owes something to is still in force. */
  stillHolds({ obligations: { exemptions = [] } }: Verdict): boolean {
    this.#dropExpired()
    return exemptions.every(({ by }) => !by.startsWith('grant:') || this.#active.has(by.slice('grant:'.length)))
  }

  close(): void {
    this.#subscription.unsubscribe()
    clearInterval(this.#timer)
  }

  #actsFor(to: string): string {
    const identity = this.#o.directory.find(to)?.identity
    if (identity === undefined) throw new SallyportError('GRANT_REFUSED', `no grant: there is nobody called "${to}"`)
    return identity.actor === '' ? '' : identity.subject
  }

  #problemWith({ target, columns, seconds, reason, task }: GrantRequest): string | undefined {
    const { targets, maxSeconds } = this.#o
    if (!targets.includes(target)) return `there is no target "${target}"`
    if (columns.length === 0 || columns.length > MAX_GRANT_COLUMNS) return `name 1 to ${MAX_GRANT_COLUMNS} columns or classes`
    const wrong = columns.map(columnPatternProblem).find((problem) => problem !== undefined)
    if (wrong !== undefined) return wrong
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxSeconds) return `one is for 1 to ${maxSeconds} seconds (grants.max)`
    if (reason.trim() === '') return 'say why'
    if (task !== undefined && (task === '' || task.length > MAX_TASK_CHARS)) return `a task has 1 to ${MAX_TASK_CHARS} characters`
    this.#dropExpired()
    return this.#active.size >= MAX_ACTIVE ? `${MAX_ACTIVE} grants are in force; revoke some first` : undefined
  }

  async #load(grant: string): Promise<{ state: GrantState; revision: bigint }> {
    let state: GrantState = { status: 'none' }
    let revision = -1n
    if (!/^[0-9a-z]{1,32}$/.test(grant)) return { state, revision }
    for await (const event of this.#o.store.read(`grant-${grant}`)) {
      state = evolve(state, event)
      revision = event.revision
    }
    return { state, revision }
  }

  /** Keeps what the stream says. */
  async #look(grant: string): Promise<void> {
    const { state } = await this.#load(grant)
    if (state.status === 'revoked') this.#revoked.add(grant)
    if (isActive(state, this.#o.clock.now()) && !this.#revoked.has(grant)) this.#active.set(grant, { issued: state.issued, expiresAt: Date.parse(state.issued.expires) })
    else this.#active.delete(grant)
    this.#watch()
  }

  #watch(): void {
    if (this.#active.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    } else {
      this.#timer ??= setInterval(() => {
        for (const grant of this.#active.keys()) this.#look(grant).catch(() => {})
      }, LOOK_AGAIN_MS).unref()
    }
  }

  #dropExpired(): void {
    const now = this.#o.clock.now()
    for (const [grant, { expiresAt }] of this.#active) if (expiresAt <= now) this.#active.delete(grant)
  }

  async #append<T extends 'grant.issued.v1' | 'grant.revoked.v1'>(grant: string, expected: ExpectedRevision, type: T, data: EventData<T>): Promise<void> {
    const { store, source, clock, bus } = this.#o
    const event: NewEvent = { id: randomUUID(), source, type, subject: grant, time: rfc3339(clock.now()), correlationid: `grant-${grant}`, data }
    try {
      await store.append(`grant-${grant}`, [event], expected)
    } finally {
      // It may have been written even so; the stream says.
      await this.#look(grant).catch(() => {})
    }
    try {
      bus.publish(CHANGED, grant)
    } catch {}
  }
}
