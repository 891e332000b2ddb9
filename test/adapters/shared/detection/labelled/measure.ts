import { type Detector, ENTITIES, type Entity, type Finding } from '../../../../../adapters/shared/detection/index.ts'
import type { Sample, Truth } from './labelled-set.ts'

export interface Measurement {
  readonly entity: Entity
  readonly positives: number
  /** Samples made to be mistaken for it. */
  readonly negatives: number
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
  readonly precision: number
  readonly recall: number
}

export interface Mistake { readonly entity: string; readonly kind: 'missed' | 'mistaken'; readonly text: string; readonly findings: readonly Finding[] }

/** A finding may be this much longer than the value; it may not be shorter. */
const TOLERANCE_CHARS = 3

/** Every finding counts, in the samples of other entities too. */
export function measure(detector: Detector, samples: readonly Sample[]): { measurements: Measurement[]; mistakes: Mistake[] } {
  const counts = new Map(ENTITIES.map((entity) => [entity as string, { positives: 0, negatives: 0, hits: 0, wrong: 0 }]))
  const mistakes: Mistake[] = []
  const count = (entity: string): { positives: number; negatives: number; hits: number; wrong: number } => {
    const found = counts.get(entity)
    if (found === undefined) throw new TypeError(`no entity ${entity}`)
    return found
  }
  for (const { text, truths, tempts } of samples) {
    const findings = detector.find(text)
    for (const entity of tempts) count(entity).negatives++
    for (const truth of truths) {
      count(truth.entity).positives++
      if (findings.some((finding) => covers(finding, truth))) count(truth.entity).hits++
      else mistakes.push({ entity: truth.entity, kind: 'missed', text, findings })
    }
    for (const finding of findings.filter((found) => !truths.some((truth) => covers(found, truth)))) {
      count(finding.entity).wrong++
      mistakes.push({ entity: finding.entity, kind: 'mistaken', text, findings })
    }
  }
  return { measurements: ENTITIES.map((entity) => judged(entity, count(entity))), mistakes }
}

function covers(finding: Finding, truth: Truth): boolean {
  return finding.entity === truth.entity && finding.start <= truth.start && finding.end >= truth.end && finding.end - finding.start <= truth.end - truth.start + TOLERANCE_CHARS
}

function judged(entity: Entity, { positives, negatives, hits, wrong }: { positives: number; negatives: number; hits: number; wrong: number }): Measurement {
  return { entity, positives, negatives, truePositives: hits, falsePositives: wrong, falseNegatives: positives - hits, precision: hits / (hits + wrong), recall: hits / positives }
}
