import { inOnePiece } from '../in-one-piece.ts'
import { EFFECTS, MASK_METHODS, PREDICATE_USES, UNTRACED_USES, type ApprovalTerms, type Detection, type Effect, type Exemption, type Mask, type Obligations, type Verdict, type Vote } from '../events/index.ts'
import { liftMasks } from '../exemptions.ts'
import { smallestLimits } from './limits.ts'
import { maskOf, type RuleVote } from './vote.ts'

/** What came of one rule: its votes, or why it could not be evaluated. */
export type Outcome =
  | { readonly rule: string; readonly votes: readonly RuleVote[] }
  | { readonly rule: string; readonly failure: string; /** Another try may go well: do not remember it. */ readonly transient: boolean }

export interface CombineOptions {
  readonly default: 'allow' | 'block'
  /** For votes that name none. */
  readonly approval: { readonly approvers: readonly string[]; readonly timeoutSeconds: number }
  readonly digest: string
}

const MAX_REASON_CHARS = 1_000

/**
 * Block > await-approval > mask > allow, whatever the order of rules.
 * - A rule that failed votes block.
 * - Masks of all votes are united, the stricter method per column pattern; they hold for every effect but block. So are
 *   detections: per entity the stricter method, from the lower confidence on.
 * - Limits: the smallest of each.
 * - Exemptions lift masks, and nothing else; when they lift all of them, the command is allowed as it is.
 * - Terms of several await-approval votes: the shortest time, and the approvers whom every one of them names. When
 *   there is none, nobody could satisfy them all, and the command is blocked. A dry run that one of them asks for is tried.
 * - No vote at all: the default.
 *
 * The verdict is deeply frozen: it is remembered and shared.
 */
export function combine(outcomes: readonly Outcome[], options: CombineOptions): Verdict {
  const votes = outcomes.flatMap(votesOf)
  if (votes.length === 0) return byDefault(options)
  const effect = strongest(votes)
  const given = outcomes.flatMap((outcome) => ('votes' in outcome ? outcome.votes : []))
  const terms = effect === 'await-approval' ? approvalTerms(given, options.approval) : undefined
  if (terms === 'impossible') return verdict('block', 'rules', NO_APPROVER, votes, NO_OBLIGATIONS, options.digest)
  const obligations = effect === 'block' ? NO_OBLIGATIONS : obligationsOf(outcomes, given, terms)
  return lessened(verdict(effect, speaker(effect, given), reasonFor(effect, outcomes), votes, obligations, options.digest))
}

function obligationsOf(outcomes: readonly Outcome[], given: readonly RuleVote[], approval: ApprovalTerms | undefined): Obligations {
  const limits = smallestLimits(given.flatMap((vote) => (vote.limits === undefined ? [] : [vote.limits])))
  const asked = { masks: uniteMasks(given), ...uniteDetections(given), ...approval === undefined ? {} : { approval }, ...limits === undefined ? {} : { limits } }
  return liftMasks(asked, outcomes.flatMap(exemptionsOf))
}

function exemptionsOf(outcome: Outcome): Exemption[] {
  if (!('votes' in outcome)) return []
  return outcome.votes.flatMap(({ exempt = [], reason }) => exempt.map((column) => ({ column, by: outcome.rule, reason })))
}

/** A verdict with other exemptions than the rules gave, deeply frozen as every verdict is. */
export function withExemptions(given: Verdict, exemptions: readonly Exemption[]): Verdict {
  const obligations = liftMasks(given.obligations, exemptions)
  return obligations === given.obligations ? given : lessened(inOnePiece<Verdict>({ ...given, obligations }))
}

/** Where nothing is left to mask, nothing is masked: it says so. */
function lessened(given: Verdict): Verdict {
  const { effect, obligations: { masks, detections = [], exemptions = [] } } = given
  if (effect !== 'mask' || masks.length + detections.length > 0 || exemptions.length === 0) return freeze(given)
  const reason = `nothing is masked: ${[...new Set(exemptions.map((each) => each.reason))].join('; ')}`.slice(0, MAX_REASON_CHARS)
  return freeze(inOnePiece<Verdict>({ ...given, effect: 'allow', reason }))
}

const NO_OBLIGATIONS: Obligations = { masks: [] }
const NO_APPROVER = 'several approvals are needed and nobody may give them all'
const FAILED = 'a rule could not be evaluated'

function votesOf(outcome: Outcome): Vote[] {
  if ('votes' in outcome) return outcome.votes.map(({ effect, reason }) => ({ rule: outcome.rule, effect, reason }))
  return [{ rule: outcome.rule, effect: 'block', reason: `could not be evaluated: ${outcome.failure}` }]
}

function byDefault(options: CombineOptions): Verdict {
  const reason = options.default === 'block' ? 'no rule allows this' : 'no rule forbids this'
  return verdict(options.default, 'default', reason, [], NO_OBLIGATIONS, options.digest)
}

/** The verdict when something around the rules went wrong, before or beside any of them. */
export function failureVerdict(digest: string, votes: readonly Vote[] = []): Verdict {
  return verdict('block', 'failure', FAILED, [...votes], NO_OBLIGATIONS, digest)
}

function strongest(votes: readonly Vote[]): Effect {
  return votes.map(({ effect }) => effect).reduce((a, b) => (EFFECTS.indexOf(b) > EFFECTS.indexOf(a) ? b : a))
}

/** A block that only a failure asked for is the failure's. */
function speaker(effect: Effect, given: readonly RuleVote[]): Verdict['by'] {
  return effect !== 'block' || given.some((vote) => vote.effect === 'block') ? 'rules' : 'failure'
}

function reasonFor(effect: Effect, outcomes: readonly Outcome[]): string {
  const reasons = new Set<string>()
  for (const outcome of outcomes) {
    // What went wrong inside a rule is for its author, not for the client.
    const given = 'votes' in outcome ? outcome.votes.filter((vote) => vote.effect === effect).map(({ reason }) => reason) : effect === 'block' ? [FAILED] : []
    given.forEach((reason) => reasons.add(reason))
  }
  return [...reasons].join('; ').slice(0, MAX_REASON_CHARS)
}

function uniteMasks(votes: readonly RuleVote[]): Mask[] {
  const strictest = new Map<string, Mask>()
  for (const mask of votes.flatMap(({ masks }) => masks)) {
    const before = strictest.get(mask.column)
    strictest.set(mask.column, before === undefined ? mask : stricter(before, mask))
  }
  return [...strictest.values()].toSorted((a, b) => (a.column < b.column ? -1 : 1))
}

/** What a vote says of an entity it does not name, it says by `*`; so two votes may meet where neither names what the other does. */
function uniteDetections(votes: readonly RuleVote[]): { detections?: Detection[] } {
  const names = new Set(votes.flatMap(({ detections = [] }) => detections.map(({ entity }) => entity)))
  if (names.size === 0) return {}
  return { detections: [...names].toSorted().map((entity) => strictestDetection(entity, votes)) }
}

function strictestDetection(entity: string, votes: readonly RuleVote[]): Detection {
  const said = votes.flatMap(({ detections = [] }) => detections.find((each) => each.entity === entity) ?? detections.find((each) => each.entity === '*') ?? [])
  return {
    entity,
    method: said.map(({ method }) => method).reduce((one, other) => strictestOf(MASK_METHODS, one, other)),
    confidence: Math.min(...said.map(({ confidence }) => confidence)),
  }
}

/** The stricter of everything that two rules say of one column. A wider bucket tells less. */
function stricter(one: Mask, other: Mask): Mask {
  const method = strictestOf(MASK_METHODS, one.method, other.method)
  const buckets = [one, other].flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket]))
  return maskOf(one.column, {
    method,
    bucket: method === 'generalise' && buckets.length > 0 ? Math.max(...buckets) : undefined,
    // Absent is the strictest.
    predicates: one.predicates && other.predicates && strictestOf(PREDICATE_USES, one.predicates, other.predicates),
    untraced: one.untraced && other.untraced && strictestOf(UNTRACED_USES, one.untraced, other.untraced),
  })
}

function strictestOf<T>(order: readonly T[], one: T, other: T): T {
  return order.indexOf(other) > order.indexOf(one) ? other : one
}

function approvalTerms(votes: readonly RuleVote[], fallback: CombineOptions['approval']): ApprovalTerms | 'impossible' {
  const held = votes.filter(({ effect }) => effect === 'await-approval')
  const [first = [], ...others] = held.map(({ approvers }) => approvers ?? fallback.approvers)
  const approvers = [...new Set(first)].filter((each) => others.every((list) => list.includes(each)))
  if (approvers.length === 0) return 'impossible'
  const timeout = Math.min(...held.map(({ timeoutSeconds }) => timeoutSeconds ?? fallback.timeoutSeconds))
  return { approvers, timeoutSeconds: timeout, ...held.some(({ dryRun }) => dryRun === true) ? { dryRun: true } : {} }
}

function verdict(effect: Effect, by: Verdict['by'], reason: string, votes: Vote[], obligations: Obligations, ruleset: string): Verdict {
  return freeze(inOnePiece<Verdict>({ effect, by, reason, votes, obligations, ruleset }))
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}
