import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createDetector, ENTITIES, type Entity } from '../../../../adapters/shared/detection/index.ts'
import { labelledSet } from './labelled/labelled-set.ts'
import { type Measurement, measure } from './labelled/measure.ts'

/** The seed of the published table; the others are there so that nothing is fitted to one set. */
const PUBLISHED = 1
const SEEDS = [PUBLISHED, 2, 7, 1234]
const DOCUMENT = new URL('../../../../docs/detection.md', import.meta.url)

/** Least precision and recall. Nine bare digits are not found without a word that calls them an SSN. */
const FLOORS: Readonly<Record<Entity, readonly [precision: number, recall: number]>> = {
  'card-number': [0.97, 0.99], iban: [0.99, 0.99], 'us-ssn': [0.98, 0.86], email: [0.98, 0.99], phone: [0.96, 0.95],
  'ip-address': [0.98, 0.98], jwt: [0.99, 0.99], 'private-key': [0.99, 0.99], 'cloud-key': [0.98, 0.98],
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** As docs/detection.md shows it. */
function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ entity, positives, negatives, falsePositives, falseNegatives, precision, recall }) =>
    `| \`${entity}\` | ${positives} | ${negatives} | ${falseNegatives} | ${falsePositives} | ${percent(precision)} | ${percent(recall)} |`)
  return ['| entity | values | look-alikes | missed | mistaken | precision | recall |', '|---|---|---|---|---|---|---|', ...rows].join('\n')
}

describe('on the labelled set', () => {
  const detector = createDetector()
  const results = new Map(SEEDS.map((seed) => [seed, measure(detector, labelledSet(seed))]))

  test('there are at least 200 values and 300 look-alikes of each entity, and the labels are right', () => {
    const samples = labelledSet(PUBLISHED)
    for (const entity of ENTITIES) {
      assert.ok(samples.filter(({ truths }) => truths.some((truth) => truth.entity === entity)).length >= 200, entity)
      assert.ok(samples.filter(({ tempts }) => tempts.includes(entity)).length >= 300, entity)
    }
    for (const { text, truths } of samples) for (const { start, end } of truths) assert.ok(start >= 0 && end <= text.length && end - start >= 3)
    assert.deepEqual(labelledSet(PUBLISHED), samples)
  })

  for (const seed of SEEDS) {
    test(`precision and recall of every entity reach their floors (seed ${seed})`, () => {
      for (const { entity, precision, recall } of results.get(seed)?.measurements ?? []) {
        const [leastPrecision, leastRecall] = FLOORS[entity]
        assert.ok(precision >= leastPrecision && recall >= leastRecall, `${entity}: precision ${percent(precision)}, recall ${percent(recall)}`)
      }
      assert.equal(results.get(seed)?.measurements.length, ENTITIES.length)
    })
  }

  test('the measurement sees what is missed and what is mistaken', () => {
    const blind = measure(createDetector({ entities: [] }), labelledSet(PUBLISHED))
    assert.ok(blind.measurements.every(({ recall }) => recall === 0))
    const jumpy = measure(createDetector({ minConfidence: 0.05 }), labelledSet(PUBLISHED))
    for (const entity of ['phone', 'card-number', 'us-ssn', 'email']) {
      assert.ok((jumpy.measurements.find((each) => each.entity === entity)?.precision ?? 1) < 0.9, entity)
    }
  })

  test('docs/detection.md shows what is measured', () => {
    const table = tableOf(results.get(PUBLISHED)?.measurements ?? [])
    assert.ok(readFileSync(DOCUMENT, 'utf8').includes(table), `docs/detection.md should hold:\n${table}`)
  })
})
