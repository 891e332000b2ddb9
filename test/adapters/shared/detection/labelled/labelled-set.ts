import { ENTITIES, type Entity } from '../../../../../adapters/shared/detection/index.ts'
import { ANY, NAMED } from './carriers.ts'
import { hardNegatives } from './hard-negatives.ts'
import { Random } from './random.ts'
import { LABELLED_KEYS, VALUES } from './values.ts'

export interface Truth { readonly entity: Entity; readonly start: number; readonly end: number }

export interface Sample {
  readonly text: string
  /** What it holds. */
  readonly truths: readonly Truth[]
  /** What it could be mistaken for, where it holds nothing. */
  readonly tempts: readonly Entity[]
}

const POSITIVES_EACH = 250
const LABELLED_EACH = 15
const NEGATIVES_EACH = 60

/** A seed decides the whole set. Half of the values stand where nothing says what they are. */
export function labelledSet(seed: number): Sample[] {
  const random = new Random(seed)
  const positives = ENTITIES.flatMap((entity) => Array.from({ length: POSITIVES_EACH }, () => positive(random, entity)))
  const labelled = LABELLED_KEYS.flatMap(([before, make]) => Array.from({ length: LABELLED_EACH }, () => place(`${before}%"`, make(random), 'cloud-key')))
  const negatives = hardNegatives(random, NEGATIVES_EACH).map(({ text, tempts }) => ({ text, tempts, truths: [] }))
  return [...positives, ...labelled, ...negatives]
}

function positive(random: Random, entity: Entity): Sample {
  const value = VALUES[entity](random)
  return place(random.pick(random.next() < 0.5 ? ANY : NAMED[entity]), value, entity)
}

function place(carrier: string, value: string, entity: Entity): Sample {
  const start = carrier.indexOf('%')
  return { text: carrier.slice(0, start) + value + carrier.slice(start + 1), truths: [{ entity, start, end: start + value.length }], tempts: [] }
}
