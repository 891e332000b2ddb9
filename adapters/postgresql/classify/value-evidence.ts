import { createDetector, type Detector, type Entity } from '../../shared/detection/index.ts'
import { CLASS_OF_ENTITY, PASSWORD_CLASS, type TypeKind } from './data-class.ts'

export interface ValueEvidence {
  readonly class: string
  /** 0 to 1. */
  readonly confidence: number
  /** Of the values looked at. */
  readonly share: number
  /** Whether the values are it, or only hold it among other things. */
  readonly whole: boolean
}

/** What values of a column showed; no value is kept. */
export interface Values {
  /** How many there were, without NULL and empty ones. */
  readonly looked: number
  readonly evidence: ValueEvidence | undefined
  /** Share of values that are 12 to 19 digits. */
  readonly cardLike: number
}

/** Values that are a hash as password stores write it: crypt, bcrypt, Argon2, PBKDF2, scrypt, SCRAM, Django. */
const PASSWORD_HASH = /^(?:\$(?:2[abxy]?|1|5|6|y|7|argon2(?:id|i|d)|pbkdf2[a-z0-9-]*|scrypt)\$|SCRAM-SHA-256\$|(?:pbkdf2|argon2|bcrypt|scrypt)_?[a-z0-9]*[$:]|\{(?:SSHA|CRYPT|PBKDF2)[^}]*\})/
const CARD_LIKE = /^\d(?:[ -]?\d){11,18}$/
/** A value is what was found in it when that is so much of it. */
const MOST_OF_VALUE = 0.7
/** Fewer values than this say nothing about what some of them hold. */
const LEAST_FOR_PARTS = 20

const detector: Detector = createDetector()

interface Tally { whole: number; any: number }

/** Looks at values, as text; `hint` is the name of their column. */
export function valueEvidence(values: readonly (string | null)[], hint: string, kind: TypeKind): Values {
  const tallies = new Map<string, Tally>()
  let looked = 0
  let cardLike = 0
  for (const value of values) {
    const text = value?.trim() ?? ''
    if (text === '') continue
    looked++
    if (CARD_LIKE.test(text)) cardLike++
    for (const [dataClass, whole] of classesIn(text, hint)) count(tallies, dataClass, whole)
  }
  return { looked, evidence: strongest(tallies, looked, kind), cardLike: looked === 0 ? 0 : cardLike / looked }
}

function classesIn(text: string, hint: string): Map<string, boolean> {
  if (PASSWORD_HASH.test(text)) return new Map([[PASSWORD_CLASS, true]])
  const found = new Map<string, boolean>()
  for (const { entity, start, end } of detector.find(text, hint)) {
    const dataClass = CLASS_OF_ENTITY[entity as Entity]
    found.set(dataClass, found.get(dataClass) === true || end - start >= text.length * MOST_OF_VALUE)
  }
  return found
}

function count(tallies: Map<string, Tally>, dataClass: string, whole: boolean): void {
  const tally = tallies.get(dataClass) ?? { whole: 0, any: 0 }
  tally.any++
  if (whole) tally.whole++
  tallies.set(dataClass, tally)
}

function strongest(tallies: ReadonlyMap<string, Tally>, looked: number, kind: TypeKind): ValueEvidence | undefined {
  let best: ValueEvidence | undefined
  for (const [dataClass, tally] of tallies) {
    const evidence = judged(dataClass, tally, looked, kind)
    if (evidence !== undefined && (best === undefined || evidence.confidence > best.confidence)) best = evidence
  }
  return best
}

/** A few values may be anything: what they show counts in full only from some twenty on. */
function judged(dataClass: string, { whole, any }: Tally, looked: number, kind: TypeKind): ValueEvidence | undefined {
  const enough = looked / (looked + 2)
  if (whole / looked >= 0.4) return { class: dataClass, confidence: enough * (whole / looked >= 0.8 ? 0.97 : 0.85), share: whole / looked, whole: true }
  if (kind === 'number' || looked < LEAST_FOR_PARTS || any / looked < 0.03) return undefined
  return { class: dataClass, confidence: enough * (any / looked >= 0.3 ? 0.75 : 0.6), share: any / looked, whole: false }
}
