import { EFFECTS, MASK_METHODS, PREDICATE_USES, UNTRACED_USES, type Detection, type Effect, type Limits, type Mask, type PredicateUse, type UntracedUse } from '../events/index.ts'
import { columnPatternProblem } from '../column-pattern.ts'
import { nearest } from './expression/nearest.ts'
import { readLimits } from './limits.ts'

/** What one rule says of one command. */
export interface RuleVote {
  readonly effect: Effect
  /** For the client, in one line. */
  readonly reason: string
  /** With `mask` only. */
  readonly masks: readonly Mask[]
  /** With `mask` only. */
  readonly detections?: readonly Detection[]
  /** With `await-approval` only; the configured ones when absent. */
  readonly approvers?: readonly string[]
  readonly timeoutSeconds?: number
  readonly dryRun?: boolean
  /** With every effect but `block`. */
  readonly limits?: Limits
  /** With `allow` and `mask`: columns and classes whose masks, of other votes, do not hold. */
  readonly exempt?: readonly string[]
}

const KEYS: Readonly<Record<Effect, readonly string[]>> = {
  allow: ['effect', 'reason', 'limits', 'exempt'],
  mask: ['effect', 'reason', 'columns', 'detect', 'predicates', 'untraced', 'limits', 'exempt'],
  'await-approval': ['effect', 'reason', 'approvers', 'timeout', 'dry-run', 'limits'],
  block: ['effect', 'reason'],
}

export const MAX_VOTES = 100
export const MAX_REASON_CHARS = 500
export const MAX_MASKS = 1_000
export const MAX_APPROVERS = 100
/** Longest an approval may be awaited: a week. */
export const MAX_TIMEOUT_SECONDS = 604_800

/** Reads what a rule gave: nothing, one vote, or a list of votes. Returns the votes, or what is wrong as text. */
export function readVotes(result: unknown): readonly RuleVote[] | string {
  if (result === undefined) return NONE
  const votes = Array.isArray(result) ? result : [result]
  if (votes.length > MAX_VOTES) return `a rule gives at most ${MAX_VOTES} votes`
  const read: RuleVote[] = []
  for (const each of votes) {
    const vote = readVote(each)
    if (typeof vote === 'string') return vote
    read.push(vote)
  }
  return read
}

const NONE: readonly RuleVote[] = Object.freeze([])

function readVote(value: unknown): RuleVote | string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return `a rule gives nothing or a vote such as { "effect": "block", "reason": "…" }, not ${shown(value)}`
  }
  const vote = value as Record<string, unknown>
  const effect = EFFECTS.find((known) => known === vote.effect)
  if (effect === undefined) return unknownEffect(vote.effect)
  const wrong = wrongKey(vote, effect)
  if (wrong !== undefined) return wrong
  const reason = readReason(vote.reason)
  if (typeof reason !== 'string') return reason.problem
  const read = effect === 'mask' ? masked(vote, reason) : effect === 'await-approval' ? held(vote, reason) : { effect, reason, masks: [] }
  return typeof read === 'string' ? read : bounded(read, vote)
}

/** What may go with more than one effect. */
function bounded(read: RuleVote, { limits, exempt }: Record<string, unknown>): RuleVote | string {
  const limited = limits === undefined ? { is: undefined } : readLimits(limits)
  if (typeof limited === 'string') return limited
  const wrong = exempt === undefined ? undefined : wrongExempt(exempt, read.masks)
  if (wrong !== undefined) return wrong
  return { ...read, ...limited.is === undefined ? {} : { limits: limited.is }, ...exempt === undefined ? {} : { exempt: exempt as string[] } }
}

function wrongExempt(exempt: unknown, masks: readonly Mask[]): string | undefined {
  const good = Array.isArray(exempt) && exempt.length > 0 && exempt.length <= MAX_MASKS && exempt.every((each) => typeof each === 'string')
  if (!good) return `"exempt" is a list of 1 to ${MAX_MASKS} columns or classes, as in ["public.people.email", "class:pii.phone"]`
  const columns = exempt as string[]
  const both = columns.find((column) => masks.some((mask) => mask.column === column))
  if (both !== undefined) return `"${both}" cannot be masked and exempt in one vote`
  return columns.map(columnPatternProblem).find((problem) => problem !== undefined)
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60)
}

function unknownEffect(value: unknown): string {
  const known = EFFECTS.map((each) => `"${each}"`).join(', ')
  const near = typeof value === 'string' ? nearest(value, EFFECTS) : undefined
  return `the effect is one of ${known}, not ${shown(value)}${near === undefined ? '' : `; write "${near}"`}`
}

function wrongKey(vote: Record<string, unknown>, effect: Effect): string | undefined {
  const known = KEYS[effect]
  const wrong = Object.keys(vote).find((key) => !known.includes(key))
  if (wrong === undefined) return undefined
  const elsewhere = EFFECTS.filter((each) => KEYS[each].includes(wrong)).map((each) => `"${each}"`)
  if (elsewhere.length > 0) return `"${wrong}" belongs to the effect ${elsewhere.join(' or ')}, not to "${effect}"`
  return `a vote has no "${wrong}"; write ${nearest(wrong, known) ?? known.join(', ')}`
}

function readReason(reason: unknown): string | { problem: string } {
  if (typeof reason !== 'string' || reason.trim() === '') return { problem: 'a vote says why: add "reason": "…", in one line, for the person who reads it' }
  // The reason may quote the command, and is printed on terminals.
  return reason.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').slice(0, MAX_REASON_CHARS)
}

function masked(vote: Record<string, unknown>, reason: string): RuleVote | string {
  if (vote.columns === undefined && vote.detect === undefined) return `${NOTHING_HIDDEN}, or what it looks for: ${DETECT_EXAMPLE}`
  const masks = vote.columns === undefined ? [] : readMasks(vote)
  if (typeof masks === 'string') return masks
  const detections = vote.detect === undefined ? [] : readDetections(vote.detect)
  if (typeof detections === 'string') return detections
  return { effect: 'mask', reason, masks, ...detections.length === 0 ? {} : { detections } }
}

const NOTHING_HIDDEN = 'a mask says what it hides: "columns": { "public.people.email": "partial", "class:pii.*": "null" }'
const DETECT_EXAMPLE = '"detect": { "card-number": "partial", "*": { "method": "fixed", "confidence": 0.9 } }'

/** `predicates` and `untraced` of the vote hold for those of its columns that say nothing else. */
function readMasks({ columns, predicates, untraced }: Record<string, unknown>): Mask[] | string {
  const entries = entriesOf(columns)
  if (entries.length === 0) return NOTHING_HIDDEN
  if (entries.length > MAX_MASKS) return `a vote masks at most ${MAX_MASKS} columns or patterns`
  const masks: Mask[] = []
  for (const [column, terms] of entries) {
    const mask = readMask(column, { ...predicates === undefined ? {} : { predicates }, ...untraced === undefined ? {} : { untraced }, ...termsOf(terms) })
    if (typeof mask === 'string') return mask
    masks.push(mask)
  }
  return masks
}

/** Of an object; of anything else none. */
function entriesOf(value: unknown): [string, unknown][] {
  return value === null || typeof value !== 'object' || Array.isArray(value) ? [] : Object.entries(value)
}

/** A method alone is its name. */
function termsOf(terms: unknown): Record<string, unknown> {
  return terms !== null && typeof terms === 'object' && !Array.isArray(terms) ? terms as Record<string, unknown> : { method: terms }
}

export const MAX_DETECTIONS = 200
/** Of a finding, where a vote asks for none. */
export const DEFAULT_CONFIDENCE = 0.5
const DETECTION_KEYS = ['method', 'confidence']

/** Which entities there are is for those to know who look for them; here only that it may be a name. */
function readDetections(detect: unknown): Detection[] | string {
  const entries = entriesOf(detect)
  if (entries.length === 0) return `"detect" says what to look for: ${DETECT_EXAMPLE}`
  if (entries.length > MAX_DETECTIONS) return `a vote detects at most ${MAX_DETECTIONS} entities`
  const detections: Detection[] = []
  for (const [entity, terms] of entries) {
    const detection = readDetection(entity, termsOf(terms))
    if (typeof detection === 'string') return detection
    detections.push(detection)
  }
  return detections
}

function readDetection(entity: string, terms: Record<string, unknown>): Detection | string {
  if (!/^(\*|[a-z][a-z0-9-]{0,62})$/.test(entity)) return `${shown(entity)} is not an entity; write as in "card-number", or "*" for all`
  const unknown = Object.keys(terms).find((key) => !DETECTION_KEYS.includes(key))
  if (unknown !== undefined) return `"${entity}": a detection has no "${unknown}"; write ${nearest(unknown, DETECTION_KEYS) ?? DETECTION_KEYS.join(', ')}`
  const method = oneOf(`"${entity}": the method`, terms.method, MASK_METHODS)
  if (typeof method !== 'object') return method
  const { confidence = DEFAULT_CONFIDENCE } = terms
  if (!(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)) return `"${entity}": "confidence" is a number from 0 to 1, not ${shown(confidence)}`
  return { entity, method: method.is, confidence }
}

const MASK_KEYS = ['method', 'bucket', 'predicates', 'untraced']

function readMask(column: string, terms: Record<string, unknown>): Mask | string {
  const wrong = columnPatternProblem(column)
  if (wrong !== undefined) return wrong
  const unknown = Object.keys(terms).find((key) => !MASK_KEYS.includes(key))
  if (unknown !== undefined) return `"${column}": a mask has no "${unknown}"; write ${nearest(unknown, MASK_KEYS) ?? MASK_KEYS.join(', ')}`
  const method = oneOf(`"${column}": the method`, terms.method, MASK_METHODS)
  if (typeof method !== 'object') return method
  const predicates = terms.predicates === undefined ? { is: undefined } : oneOf(`"${column}": "predicates"`, terms.predicates, PREDICATE_USES)
  if (typeof predicates !== 'object') return predicates
  const untraced = terms.untraced === undefined ? { is: undefined } : oneOf(`"${column}": "untraced"`, terms.untraced, UNTRACED_USES)
  if (typeof untraced !== 'object') return untraced
  const { bucket } = terms
  if (bucket !== undefined && !(typeof bucket === 'number' && Number.isFinite(bucket) && bucket > 0)) return `"${column}": "bucket" is the width of a bucket, a number above 0, not ${shown(bucket)}`
  if (bucket !== undefined && method.is !== 'generalise') return `"${column}": "bucket" belongs to the method "generalise", not to "${method.is}"`
  return maskOf(column, { method: method.is, bucket, predicates: predicates.is, untraced: untraced.is })
}

interface MaskTerms {
  readonly method: Mask['method']
  readonly bucket: number | undefined
  readonly predicates: PredicateUse | undefined
  readonly untraced: UntracedUse | undefined
}

/** What is not said is left out, so that a mask reads as its rule wrote it. */
export function maskOf(column: string, { method, bucket, predicates, untraced }: MaskTerms): Mask {
  return {
    column, method,
    ...bucket === undefined ? {} : { bucket },
    ...predicates === undefined ? {} : { predicates },
    ...untraced === undefined ? {} : { untraced },
  }
}

function oneOf<T extends string>(what: string, value: unknown, known: readonly T[]): { is: T } | string {
  const is = known.find((each) => each === value)
  return is === undefined ? `${what} is one of ${known.map((each) => `"${each}"`).join(', ')}, not ${shown(value)}` : { is }
}

function held(vote: Record<string, unknown>, reason: string): RuleVote | string {
  const { approvers, timeout, 'dry-run': dryRun } = vote
  const wrong = wrongApprovers(approvers) ?? wrongTimeout(timeout) ?? wrongDryRun(dryRun)
  if (wrong !== undefined) return wrong
  return {
    effect: 'await-approval',
    reason,
    masks: [],
    ...approvers === undefined ? {} : { approvers: approvers as string[] },
    ...timeout === undefined ? {} : { timeoutSeconds: timeout as number },
    ...dryRun === undefined ? {} : { dryRun: dryRun as boolean },
  }
}

function wrongApprovers(approvers: unknown): string | undefined {
  if (approvers === undefined) return undefined
  const good = Array.isArray(approvers) && approvers.length > 0 && approvers.length <= MAX_APPROVERS
    && approvers.every((each) => typeof each === 'string' && each !== '' && each !== 'group:' && each.length <= 256)
  return good ? undefined : `"approvers" is a list of 1 to ${MAX_APPROVERS} people and groups, as in ["group:dba", "ada"]`
}

function wrongTimeout(timeout: unknown): string | undefined {
  if (timeout === undefined) return undefined
  const good = Number.isInteger(timeout) && Number(timeout) >= 1 && Number(timeout) <= MAX_TIMEOUT_SECONDS
  return good ? undefined : `"timeout" is a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`
}

function wrongDryRun(dryRun: unknown): string | undefined {
  return dryRun === undefined || typeof dryRun === 'boolean' ? undefined : `"dry-run" is true or false, not ${shown(dryRun)}`
}
