import type { Identity, Target } from './events/index.ts'
import type { Journal } from './journal.ts'
import type { SessionFacts } from './rules/rule-engine.ts'

/** What an adapter knows of a connection when its client has proven itself. */
export interface SessionRequest {
  readonly protocol: string
  /** Deeply frozen, like `target`: what the rules remember is found by these very objects. */
  readonly identity: Identity
  readonly target: Target
  /** `address:port`. */
  readonly address: string
  readonly tls: boolean
  /** What the client says of itself; never trusted. */
  readonly claimed: Readonly<Record<string, string>>
}

/** One identity's connection to one target, as the gate sees it. Made by `Gate.open`. */
export class GateSession implements SessionFacts {
  readonly id: string
  /** Deeply frozen, like `target`: what the rules remember is found by these very objects. */
  readonly identity: Identity
  readonly target: Target
  readonly protocol: string
  readonly address: string
  readonly application: string
  /** Claimed by the client: it can narrow what it may do, and never widen it. Empty when nothing is claimed. */
  readonly task: string
  readonly tls: boolean
  readonly startedAt: string
  readonly journal: Journal
  commands = 0
  /** Kept up to date by the adapter: `idle`, `open` or `failed`. */
  transaction = 'idle'
  /** The evaluation that is under way; commands are decided in the order they came. */
  evaluating: Promise<unknown> | undefined

  constructor(id: string, request: SessionRequest, journal: Journal, startedAt: string) {
    this.id = id
    this.identity = Object.freeze({ ...request.identity, groups: Object.freeze([...request.identity.groups]) as string[] })
    this.target = Object.freeze({ ...request.target, labels: Object.freeze({ ...request.target.labels }), classes: Object.freeze({ ...request.target.classes }) })
    this.protocol = request.protocol
    this.address = request.address.replace(/:\d+$/, '')
    this.application = request.claimed['application_name'] ?? ''
    this.task = request.claimed['sallyport.task'] ?? ''
    this.tls = request.tls
    this.startedAt = startedAt
    this.journal = journal
  }
}
