import type { Verdict } from '../events/index.ts'
import { BoundedEvaluator, type BoundedOutcome, type EvaluationLimits } from './bounded-evaluator.ts'
import { combine, failureVerdict, type CombineOptions, type Outcome } from './combine.ts'
import { documentBuilder, type DocumentBuilder, type RuleDocument } from './document.ts'
import { TooMuchWork } from './expression/compile.ts'
import { overlaps } from './expression/reads.ts'
import type { Ruleset } from './load-ruleset.ts'
import { Lru } from './lru.ts'
import type { RuleInput } from './rule-engine.ts'
import { ruleIndex, type Entry, type RuleIndex } from './rule-index.ts'
import { valueKey } from './value-key.ts'
import { VerdictMemory } from './verdict-memory.ts'
import { readVotes } from './vote.ts'

/** What is remembered of a statement: what the rules that read nothing fleeting said, and which rules must be asked again. */
interface Kept {
  readonly outcomes: readonly Outcome[]
  /** Of `outcomes` alone; the answer when the fleeting rules have nothing to add. */
  readonly verdict: Verdict
  readonly fleeting: readonly Entry[]
  readonly document: RuleDocument
}

const MAX_KEPT = 10_000
/** With fewer compiled rules than this to ask, asking is cheaper than making a key. */
const WORTH_A_KEY = 32

/** Decides under one ruleset; a reload makes a new one. */
export class Decider {
  readonly ruleset: Ruleset
  readonly #options: CombineOptions
  readonly #build: DocumentBuilder
  readonly #index: RuleIndex
  readonly #memory: VerdictMemory<Kept>
  readonly #keptByValue = new Lru<readonly Outcome[]>(MAX_KEPT)
  readonly #outcomesByValue = new Lru<Outcome>(MAX_KEPT)
  readonly #keyOf: (root: unknown) => string
  readonly #ruleKeys = new Map<Entry, (root: unknown) => string>()
  readonly #evaluator: BoundedEvaluator
  readonly #fleeting: ReadonlySet<number>

  constructor(ruleset: Ruleset, limits?: EvaluationLimits) {
    const { rules } = ruleset
    this.ruleset = ruleset
    this.#options = { default: ruleset.default, approval: ruleset.approval, digest: ruleset.digest }
    this.#build = documentBuilder(ruleset.vocabulary)
    this.#index = ruleIndex(rules)
    this.#fleeting = new Set(rules.flatMap(({ reads }, place) => (isFleeting(reads) ? [place] : [])))
    this.#keyOf = valueKey(rules.flatMap(({ reads }, place) => (this.#fleeting.has(place) ? guardable(reads) : [...reads])))
    this.#memory = new VerdictMemory(new Set(rules.flatMap(({ reads }) => [...reads])))
    this.#evaluator = new BoundedEvaluator(ruleset, limits)
    if (rules.some(({ compiled }) => compiled === undefined)) this.#evaluator.warm()
  }

  /** Never throws and never rejects. */
  decide(input: RuleInput): Verdict | Promise<Verdict> {
    try {
      const kept = this.#memory.find(input)
      if (kept === undefined) return this.#decideNew(input)
      return kept.fleeting.length === 0 ? kept.verdict : this.#complete(kept, this.#build.again(kept.document, input))
    } catch (error) {
      return this.#failure(error)
    }
  }

  close(): Promise<void> {
    return this.#evaluator.close()
  }

  #failure(error: unknown): Verdict {
    const reason = error instanceof Error ? error.message.slice(0, 300) : 'it failed'
    return failureVerdict(this.ruleset.digest, [{ rule: '(input)', effect: 'block', reason: `could not be evaluated: ${reason}` }])
  }

  #decideNew(input: RuleInput): Verdict | Promise<Verdict> {
    const document = this.#build(input)
    const candidates = this.#index.candidates(document.root)
    const lasting = candidates.filter(({ place }) => !this.#fleeting.has(place))
    const fleeting = candidates.filter(({ place }) => this.#fleeting.has(place))
    const outcomes = this.#lastingOutcomes(lasting, document)
    if (outcomes instanceof Promise) return outcomes.then((all) => this.#keep(input, document, all, fleeting)).catch((error: unknown) => this.#failure(error))
    return this.#keep(input, document, outcomes, fleeting)
  }

  #keep(input: RuleInput, document: RuleDocument, outcomes: readonly Outcome[], fleeting: readonly Entry[]): Verdict | Promise<Verdict> {
    const kept: Kept = { outcomes, verdict: combine(outcomes, this.#options), fleeting, document: lean(document) }
    if (!outcomes.some(isTransient)) this.#memory.keep(input, kept)
    return fleeting.length === 0 ? kept.verdict : this.#complete(kept, document)
  }

  /** Asks the rules that read values, time or counters, and puts their votes beside those that are remembered. */
  #complete(kept: Kept, document: RuleDocument): Verdict | Promise<Verdict> {
    const outcomes = this.#ask(kept.fleeting, document)
    if (!(outcomes instanceof Promise)) return this.#verdictOf(kept, outcomes)
    return outcomes.then((all) => this.#verdictOf(kept, all)).catch((error: unknown) => this.#failure(error))
  }

  #verdictOf(kept: Kept, outcomes: readonly Outcome[]): Verdict {
    const silent = outcomes.every((outcome) => 'votes' in outcome && outcome.votes.length === 0)
    return silent ? kept.verdict : combine([...kept.outcomes, ...outcomes].toSorted(byRule), this.#options)
  }

  #lastingOutcomes(entries: readonly Entry[], document: RuleDocument): readonly Outcome[] | Promise<readonly Outcome[]> {
    if (entries.length < WORTH_A_KEY && entries.every(({ rule }) => rule.compiled !== undefined)) return this.#ask(entries, document)
    if (document.incomplete.length > 0) return this.#ask(entries, document)
    const key = this.#keyOf(document.root)
    const known = this.#keptByValue.get(key)
    if (known !== undefined) return known
    const outcomes = this.#ask(entries, document)
    if (!(outcomes instanceof Promise)) return this.#keepByValue(key, outcomes)
    return outcomes.then((all) => this.#keepByValue(key, all))
  }

  #keepByValue(key: string, outcomes: readonly Outcome[]): readonly Outcome[] {
    if (!outcomes.some(isTransient)) this.#keptByValue.set(key, outcomes)
    return outcomes
  }

  #ask(entries: readonly Entry[], document: RuleDocument): readonly Outcome[] | Promise<readonly Outcome[]> {
    const outcomes: (Outcome | undefined)[] = entries.map((entry) => answer(entry, document))
    if (!outcomes.includes(undefined)) return outcomes as readonly Outcome[]
    return this.#askThread(entries, outcomes, document)
  }

  async #askThread(entries: readonly Entry[], outcomes: (Outcome | undefined)[], document: RuleDocument): Promise<readonly Outcome[]> {
    const open = entries.map((entry, i) => ({ entry, i })).filter(({ i }) => outcomes[i] === undefined)
    const keys = open.map(({ entry }) => this.#ruleKey(entry, document))
    open.forEach(({ i }, n) => (outcomes[i] = this.#outcomesByValue.get(keys[n] ?? '')))
    const left = open.filter(({ i }) => outcomes[i] === undefined)
    if (left.length > 0) {
      const answers = await this.#evaluator.evaluate(left.map(({ entry }) => entry.place), document)
      left.forEach(({ entry, i }, n) => (outcomes[i] = named(entry.rule.id, answers[n])))
      open.forEach(({ i }, n) => this.#keepOutcome(keys[n] ?? '', outcomes[i]))
    }
    return outcomes as readonly Outcome[]
  }

  /** Empty when what the rule reads is not whole, or never the same again. */
  #ruleKey(entry: Entry, document: RuleDocument): string {
    if (document.incomplete.length > 0 || isVolatile(entry.rule.reads)) return ''
    const made = this.#ruleKeys.get(entry) ?? valueKey(entry.rule.reads)
    this.#ruleKeys.set(entry, made)
    return `${entry.place}\n${made(document.root)}`
  }

  #keepOutcome(key: string, outcome: Outcome | undefined): void {
    if (key !== '' && outcome !== undefined && !isTransient(outcome)) this.#outcomesByValue.set(key, outcome)
  }
}

/** A rule's outcome here and now; `undefined` when it must be evaluated where it can be stopped. */
function answer({ rule }: Entry, document: RuleDocument): Outcome | undefined {
  if (rule.compiled === undefined) return undefined
  try {
    const votes = readVotes(rule.compiled(document.root))
    return typeof votes === 'string' ? { rule: rule.id, failure: votes, transient: false } : { rule: rule.id, votes }
  } catch (error) {
    if (error instanceof TooMuchWork) return undefined
    return { rule: rule.id, failure: error instanceof Error ? error.message : 'it failed', transient: false }
  }
}

function named(rule: string, outcome: BoundedOutcome | undefined): Outcome {
  if (outcome === undefined) return { rule, failure: 'it gave no answer', transient: true }
  return 'votes' in outcome ? { rule, votes: outcome.votes } : { rule, failure: outcome.failure, transient: 'transient' in outcome }
}

function isTransient(outcome: Outcome): boolean {
  return 'failure' in outcome && outcome.transient
}

function byRule(a: Outcome, b: Outcome): number {
  return a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0
}

/** Without the values of one execution: they may be large, and are put in anew each time. */
function lean({ root, incomplete }: RuleDocument): RuleDocument {
  const { command, identity, target } = root
  return incomplete.length > 0 ? { root: {}, incomplete } : { root: { command: { ...command as object, values: [] }, identity, target }, incomplete }
}

/** Reads that differ from one execution of a statement to the next. */
const FLEETING = ['time', 'session.commands', 'command.values'] as const
const VOLATILE = ['time', 'session.commands'] as const

function isFleeting(reads: ReadonlySet<string>): boolean {
  return FLEETING.some((path) => [...reads].some((read) => overlaps(read, path)))
}
function isVolatile(reads: ReadonlySet<string>): boolean {
  return VOLATILE.some((path) => [...reads].some((read) => overlaps(read, path)))
}

/** Of a fleeting rule only the guards matter to what is remembered: they choose which rules are asked again. */
function guardable(reads: ReadonlySet<string>): string[] {
  return [...reads].filter((read) => !FLEETING.some((path) => overlaps(read, path)))
}
