import type { Command, Identity, Target } from '../events/index.ts'
import type { RuleInput, SessionFacts } from './rule-engine.ts'

/** Statements remembered per session and analysis: phases and transaction states of one statement. */
const MAX_VARIANTS = 8

interface Variant<T> {
  readonly command: Command
  readonly target: Target
  readonly session: SessionFacts
  readonly kept: T
}

/**
 * Remembers by object identity: two look-ups and a few comparisons, without allocating. The identity, the target and
 * the facts and resources of a statement are the same frozen objects whenever they mean the same; whatever is not
 * frozen is not remembered, since it could change behind its identity.
 *
 * Not compared, so what is kept must not depend on them: `command.values`, `session.commands` and `now`.
 */
export class VerdictMemory<T> {
  readonly #sessions = new WeakMap<Identity, WeakMap<Command['facts'], Variant<T>[]>>()

  find(input: RuleInput): T | undefined {
    const variants = this.#sessions.get(input.identity)?.get(input.command.facts)
    if (variants === undefined) return undefined
    for (const variant of variants) if (isSame(variant, input)) return variant.kept
    return undefined
  }

  keep(input: RuleInput, kept: T): void {
    if (!isLasting(input)) return
    const { command, identity, target, session } = input
    const statements = this.#sessions.get(identity) ?? new WeakMap<Command['facts'], Variant<T>[]>()
    this.#sessions.set(identity, statements)
    const variants = statements.get(command.facts) ?? []
    statements.set(command.facts, variants)
    if (variants.length >= MAX_VARIANTS) variants.shift()
    // The values of this one execution may be large; nothing compares them.
    variants.push({ command: { ...command, values: [], actions: [...command.actions] }, target, session: { ...session }, kept })
  }
}

/** Text is compared last: the same string is one pointer, an equal one is walked. */
function isSame<T>(variant: Variant<T>, { command, target, session }: RuleInput): boolean {
  const known = variant.command
  return variant.target === target
    && known.resources === command.resources
    && known.phase === command.phase
    && known.action === command.action
    && known.protocol === command.protocol
    && known.fidelity === command.fidelity
    && known.opaque === command.opaque
    && known.valuesComplete === command.valuesComplete
    && known.textBytes === command.textBytes
    && isSameSession(variant.session, session)
    && isSameList(known.actions, command.actions)
    && known.text === command.text
}

function isSameSession(known: SessionFacts, session: SessionFacts): boolean {
  return known.transaction === session.transaction
    && known.id === session.id
    && known.address === session.address
    && known.application === session.application
    && known.tls === session.tls
    && known.startedAt === session.startedAt
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false
  return true
}

function isLasting({ command, identity, target }: RuleInput): boolean {
  return [identity, identity.groups, target, target.labels, target.classes, command.facts, command.resources, ...Object.values(command.facts)].every(isFrozen)
}

function isFrozen(value: unknown): boolean {
  return value === null || typeof value !== 'object' || Object.isFrozen(value)
}
