import type { Decision, Gate, GateSession, Obligations } from '../../core/index.ts'
import { cancelled, holdNotice, refusal } from './enforce.ts'
import type { Observer, Plan, Understood } from './observe.ts'
import type { Run } from './run.ts'

const CANCELED = 'canceled by the client'

export interface DecisionsOptions {
  readonly gate: Gate
  readonly session: GateSession
  readonly observer: Observer
  /** Looks up a statement of the extended protocol. */
  readonly prepared: (name: string) => Understood | undefined
  /** Resolves once nothing before the run can change what names mean. */
  readonly settledBefore: (run: Run) => Promise<void>
  /** The run is decided for good. */
  readonly decided: (run: Run) => void
  /** Tells the client something while it waits. */
  readonly say: (notice: Buffer) => void
  readonly broken: (error: unknown) => void
}

/** From a command to what may be done about it: decided, planned under its masks, held if it must be. */
export class Decisions {
  readonly #o: DecisionsOptions
  readonly #held = new Map<Run, AbortController>()
  readonly #plans = new WeakMap<Run, Promise<Plan>>()

  constructor(options: DecisionsOptions) {
    this.#o = options
  }

  /** `objection`: why it cannot run even if the rules allow it. */
  decide(run: Run, objection?: string): void {
    const { gate, session } = this.#o
    const decision = gate.decide(session, run.command)
    if (!(decision instanceof Promise) && objection === undefined && this.#atOnce(run, decision)) return
    this.#enforce(run, decision, objection).catch((error: unknown) => this.#o.broken(error))
  }

  /** The common case, without a promise: it may run, and what its masks mean is known. */
  #atOnce(run: Run, decision: Decision): boolean {
    const { effect, obligations } = decision.verdict
    if (effect !== 'allow' && effect !== 'mask') return false
    if (this.#needsPlan(run, obligations) && !this.#planAtOnce(run, decision)) return false
    run.decision = decision
    run.settleDecision()
    return true
  }

  #needsPlan(run: Run, obligations: Obligations): boolean {
    return changesAnswers(obligations) || this.#o.observer.copies(run)
  }

  #planAtOnce(run: Run, decision: Decision): boolean {
    if (!this.#o.observer.isSettledBefore(run)) return false
    const plan = this.#planOf(run, decision)
    return !(plan instanceof Promise) && plan.kind === 'run' && applied(run, plan)
  }

  /** A CancelRequest came. True when it was for a statement that is held here. */
  cancel(): boolean {
    const held = this.#held.size > 0
    this.withdraw(CANCELED)
    return held
  }

  /** Nobody is left to wait for a reviewer. */
  withdraw(reason: string): void {
    for (const controller of this.#held.values()) controller.abort(reason)
  }

  async #enforce(run: Run, pending: Decision | Promise<Decision>, objection: string | undefined): Promise<void> {
    let decision = pending instanceof Promise ? await pending : pending
    if (objection === undefined && this.#atOnce(run, decision)) return this.#o.decided(run)
    run.decision = decision
    if (objection !== undefined && !isBlock(decision)) decision = await this.#o.gate.block(decision, objection)
    if (!isBlock(decision)) decision = await this.#plan(run, decision)
    if (decision.verdict.effect === 'await-approval' && run.command.phase === 'execute' && run.refusal === undefined) {
      decision = await this.#hold(run, decision)
      if (!isBlock(decision)) decision = await this.#plan(run, decision)
    }
    run.decision = decision
    if (isBlock(decision)) run.refusal ??= refusal(decision)
    run.settleDecision()
    this.#o.decided(run)
  }

  /** Asked for once: whoever waits for it later waits for the same. */
  #planOf(run: Run, decision: Decision): Plan | Promise<Plan> {
    const asked = this.#plans.get(run)
    if (asked !== undefined) return asked
    const plan = this.#o.observer.maskPlan(run, decision, this.#o.prepared)
    if (plan instanceof Promise) this.#plans.set(run, plan)
    return plan
  }

  /** What the masks of a decision mean for this statement: rows to mask, or that it cannot run. */
  async #plan(run: Run, decision: Decision): Promise<Decision> {
    if (!this.#needsPlan(run, decision.verdict.obligations)) return decision
    if (!this.#o.observer.isSettledBefore(run)) await this.#o.settledBefore(run)
    const plan = await this.#planOf(run, decision)
    this.#plans.delete(run)
    if (plan.kind === 'blocked') return this.#o.gate.block(decision, plan.reason)
    applied(run, plan)
    return decision
  }

  async #hold(run: Run, decision: Decision): Promise<Decision> {
    if (!run.command.valuesComplete) return this.#o.gate.block(decision, 'its values are too large to be shown to a reviewer whole')
    const controller = new AbortController()
    this.#held.set(run, controller)
    try {
      if (!this.#o.observer.isSettledBefore(run)) await this.#o.settledBefore(run)
      const impact = await this.#o.observer.impact(run, decision, this.#o.session.transaction, controller.signal)
      return await this.#o.gate.hold(decision, controller.signal, (request) => this.#o.say(holdNotice(request, decision.verdict.reason)), impact)
    } finally {
      this.#held.delete(run)
      if (controller.signal.aborted && controller.signal.reason === CANCELED) run.refusal = cancelled()
    }
  }
}

function applied(run: Run, { masked, errors }: Extract<Plan, { kind: 'run' }>): true {
  run.masked = masked
  run.errors = errors
  return true
}

function changesAnswers({ masks, detections = [] }: Obligations): boolean {
  return masks.length > 0 || detections.length > 0
}

function isBlock({ verdict }: Decision): boolean {
  return verdict.effect === 'block'
}
