import type { Command, Identity, Target, Verdict } from '../events/index.ts'

/** What a rule sees, as one JSON object. Every field is always present. */
export interface RuleInput {
  /**
   * The command, with each adapter's facts beside its common fields: `command.action`, `command.sql.unbounded`.
   * The engine fills the facts of other protocols with their declared defaults.
   */
  readonly command: Command
  readonly identity: Identity
  readonly target: Target
  readonly session: SessionFacts
  /** Unix time in ms; rules see it as `time.iso`, `time.hour`, `time.minute`, `time.weekday` (1 = Monday), `time.date`, `time.epoch`, in UTC. */
  readonly now: number
}

/** What a rule may ask about the session. Counters change; a rule that reads one is not remembered. */
export interface SessionFacts {
  readonly id: string
  /** `address` without the port. */
  readonly address: string
  /** Claimed by the client. */
  readonly application: string
  /** Claimed by the client as well: what it says it works on. Empty when it says nothing. */
  readonly task: string
  readonly tls: boolean
  readonly startedAt: string
  /** Commands so far, this one included. */
  readonly commands: number
  /** `idle`, `open` or `failed`. */
  readonly transaction: string
}

/** Declares the facts of one family of protocols: name → the value that stands where a command has none. */
export interface FactsDeclaration {
  /** The key under `command`: `sql`. */
  readonly namespace: string
  readonly defaults: Readonly<Record<string, FactValue>>
}
export type FactValue = string | number | boolean | readonly string[]

/**
 * Decides. Pure: the same input under the same ruleset gives the same verdict.
 * Never throws and never rejects: whatever goes wrong is a block with `by: 'failure'`.
 * Answers at once when the verdict is remembered or every rule that applies is compiled.
 */
export interface RuleEngine {
  evaluate(input: RuleInput): Verdict | Promise<Verdict>
  /** Digest of the ruleset in force. */
  digest(): string
}
