import type { Verdict } from '../events/index.ts'
import { combine, failureVerdict, type Outcome } from './combine.ts'
import { documentBuilder, type RuleDocument } from './document.ts'
import { bare, type Expression } from './expression/expression.ts'
import { interpreter } from './expression/interpret.ts'
import { print } from './expression/print.ts'
import { readsOf } from './expression/reads.ts'
import { conjuncts } from './guards.ts'
import type { Ruleset } from './load-ruleset.ts'
import type { Rule } from './rule.ts'
import type { RuleInput } from './rule-engine.ts'
import { readVotes } from './vote.ts'

/** One condition a rule's vote hangs on. */
export interface ExplainedCondition {
  readonly text: string
  /** Absent when it was not looked at, because another had decided. */
  readonly value?: boolean
  /** What the input says where the condition reads: `command.action` → `"drop"`. */
  readonly read: Readonly<Record<string, string>>
}

export interface ExplainedRule {
  readonly rule: string
  /** First sentence of its doc comment. */
  readonly doc: string
  readonly outcome: Outcome
  readonly conditions: readonly ExplainedCondition[]
}

export interface Explanation {
  readonly verdict: Verdict
  readonly rules: readonly ExplainedRule[]
}

const MAX_SHOWN_CHARS = 80

/** Asks every rule about one input and says why each voted as it did. Slow and thorough: for people, not for the gate. */
export async function explain(ruleset: Ruleset, input: RuleInput): Promise<Explanation> {
  const { default: fallback, approval, digest } = ruleset
  try {
    const document = documentBuilder(ruleset.vocabulary)(input)
    const rules: ExplainedRule[] = []
    for (const rule of ruleset.rules) rules.push(await explainRule(rule, document))
    return { verdict: combine(rules.map(({ outcome }) => outcome), { default: fallback, approval, digest }), rules }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { verdict: failureVerdict(digest, [{ rule: '(input)', effect: 'block', reason }]), rules: [] }
  }
}

async function explainRule(rule: Rule, { root }: RuleDocument): Promise<ExplainedRule> {
  const values = new Map<Expression, unknown>()
  const evaluate = interpreter(rule.expression, (part, value) => values.set(part, value))
  const outcome = await outcomeOf(rule.id, () => evaluate(root))
  const conditions = conditionsOf(rule.expression).map((condition) => explainCondition(condition, values, root))
  return { rule: rule.id, doc: firstSentence(rule.doc), outcome, conditions }
}

function firstSentence(doc: string): string {
  const paragraph = doc.split(/\n\s*\n/)[0] ?? ''
  return paragraph.replace(/\s+/g, ' ').split(/(?<=[.!?]) /)[0] ?? ''
}

async function outcomeOf(rule: string, evaluate: () => Promise<unknown>): Promise<Outcome> {
  try {
    const result = await evaluate()
    const votes = readVotes(result === undefined ? undefined : JSON.parse(JSON.stringify(result)))
    return typeof votes === 'string' ? { rule, failure: votes, transient: false } : { rule, votes }
  } catch (error) {
    const { message } = error as { message?: unknown }
    return { rule, failure: String(message), transient: false }
  }
}

/** The terms of the conditions at the top of a rule, in the order they are asked. */
function conditionsOf(expression: Expression): readonly Expression[] {
  if (expression.op === 'block') return expression.body.slice(-1).flatMap(conditionsOf)
  if (expression.op !== 'condition') return []
  return [...conjuncts(expression.test), ...conditionsOf(expression.then), ...expression.otherwise === undefined ? [] : conditionsOf(expression.otherwise)]
}

function explainCondition(condition: Expression, values: ReadonlyMap<Expression, unknown>, root: unknown): ExplainedCondition {
  const value = values.get(condition) ?? values.get(bare(condition))
  const read = Object.fromEntries([...readsOf(condition)].map((path) => [path, shown(root, path)]))
  return { text: print(condition), read, ...typeof value === 'boolean' ? { value } : {} }
}

function shown(root: unknown, path: string): string {
  const text = JSON.stringify(valueAt(root, path.split('.'))) ?? 'no value'
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS - 1)}…` : text
}

function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || name === '') return value
  if (Array.isArray(value)) return value.flatMap((each) => valueAt(each, [name, ...rest]))
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined
  try {
    return valueAt((value as Record<string, unknown>)[name], rest)
  } catch {
    return undefined
  }
}
