import type { Command, Identity, Target } from '../events/index.ts'
import type { RuleInput, SessionFacts } from './rule-engine.ts'

/** Remembered per identity and analysis: phases, transaction states and targets of one statement. */
const MAX_VARIANTS = 8
/** Statements remembered per identity; then it begins anew. Bounds memory to sessions × this, whatever is asked. */
const MAX_STATEMENTS = 500

interface Statements<T> {
  byFacts: WeakMap<Command['facts'], Variant<T>[]>
  count: number
}

/** Session fields that hold still between commands; only those that a rule reads are compared. */
const SESSION_FIELDS = ['transaction', 'application', 'task', 'id', 'address', 'tls', 'startedAt'] as const

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
 * Not compared, so what is kept must not depend on them: `command.values`, `session.commands`, `now` and, where no rule
 * reads it, `command.text`.
 */
export class VerdictMemory<T> {
  readonly #identities = new WeakMap<Identity, Statements<T>>()
  readonly #sessionFields: readonly (typeof SESSION_FIELDS)[number][]
  readonly #readsText: boolean

  /** `reads`: the input paths that any rule reads. */
  constructor(reads: ReadonlySet<string>) {
    this.#readsText = ['', 'command', 'command.text', 'command.textComplete'].some((path) => reads.has(path))
    this.#sessionFields = SESSION_FIELDS.filter((field) => reads.has(`session.${field}`) || reads.has('session') || reads.has(''))
  }

  find(input: RuleInput): T | undefined {
    const variants = this.#identities.get(input.identity)?.byFacts.get(input.command.facts)
    if (variants === undefined) return undefined
    for (const variant of variants) if (isSame(variant, input) && this.#isSameSession(variant.session, input.session) && (!this.#readsText || isSameText(variant, input))) return variant.kept
    return undefined
  }

  #isSameSession(known: SessionFacts, session: SessionFacts): boolean {
    for (const field of this.#sessionFields) if (known[field] !== session[field]) return false
    return true
  }

  keep(input: RuleInput, kept: T): void {
    if (!isLasting(input)) return
    const { command, identity, target, session } = input
    const variants = this.#variantsOf(identity, command.facts)
    if (variants.length >= MAX_VARIANTS) variants.shift()
    // The values of this one execution may be large; nothing compares them.
    variants.push({ command: { ...command, values: [], actions: [...command.actions] }, target, session: { ...session }, kept })
  }

  #variantsOf(identity: Identity, facts: Command['facts']): Variant<T>[] {
    const statements = this.#identities.get(identity) ?? { byFacts: new WeakMap<Command['facts'], Variant<T>[]>(), count: 0 }
    this.#identities.set(identity, statements)
    const known = statements.byFacts.get(facts)
    if (known !== undefined) return known
    if (++statements.count > MAX_STATEMENTS) Object.assign(statements, { byFacts: new WeakMap(), count: 1 })
    const variants: Variant<T>[] = []
    statements.byFacts.set(facts, variants)
    return variants
  }
}

function isSame<T>(variant: Variant<T>, { command, target }: RuleInput): boolean {
  const known = variant.command
  return variant.target === target
    && known.resources === command.resources
    && known.phase === command.phase
    && known.action === command.action
    && known.protocol === command.protocol
    && known.fidelity === command.fidelity
    && known.opaque === command.opaque
    && known.valuesComplete === command.valuesComplete
    && isSameList(known.actions, command.actions)
}

/** The same string is one pointer, an equal one is walked. */
function isSameText<T>({ command: known }: Variant<T>, { command }: RuleInput): boolean {
  return known.textBytes === command.textBytes && known.text === command.text
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
