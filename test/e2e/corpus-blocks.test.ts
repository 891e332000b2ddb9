import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { BLOCK_RULES_ALONE, corpusGateway, CorpusServer, SAMPLE_RULES, type CorpusGateway, type Who } from '../corpus/corpus-gateways.ts'
import { databaseState } from '../corpus/database-state.ts'
import { loadBlocks, type BlockCase } from '../corpus/load-corpus.ts'
import { fits, play, type Mode } from '../corpus/play.ts'
import { errorsIn, type Frame } from '../fault/raw-client.ts'

const CASES = loadBlocks()

let server: CorpusServer
let sample: CorpusGateway
let alone: CorpusGateway

before(async () => {
  server = await CorpusServer.start()
  sample = await corpusGateway('sample rules', server, SAMPLE_RULES)
  alone = await corpusGateway('block rules alone', server, BLOCK_RULES_ALONE)
})

after(async () => {
  await sample?.stop()
  await alone?.stop()
  await server?.postgres.stop()
})

const refusals = (frames: readonly Frame[]): string[] => errorsIn(frames).filter((error) => error.startsWith('42501 blocked by policy'))

/** The cases that were not refused, or changed something all the same. */
async function passed(cases: readonly BlockCase[], gateway: CorpusGateway, who: Who, mode: Mode): Promise<string[]> {
  const fitting = cases.filter(({ statements }) => fits(statements, mode))
  const past = await passedTogether(fitting.filter(({ given }) => given === undefined), gateway, who, mode)
  for (const one of fitting.filter(({ given }) => given !== undefined)) past.push(...await passedTogether([one], gateway, who, mode))
  return past
}

/** What is refused changes nothing: that is looked at for all of them at once and, should it be otherwise, for each half. */
async function passedTogether(cases: readonly BlockCase[], gateway: CorpusGateway, who: Who, mode: Mode): Promise<string[]> {
  const database = await server.fresh('shop', cases[0]?.given)
  const before = await databaseState(server.postgres, database)
  const past: string[] = []
  for (const { id, statements } of cases) {
    const { frames } = await play(gateway.login(who, database), statements, mode)
    if (refusals(frames).length === 0) past.push(`${id}: ${errorsIn(frames).join(', ') || 'no error'}`)
  }
  const changed = (await databaseState(server.postgres, database)) !== before
  await server.drop(database)
  if (!changed) return past
  const half = cases.length >> 1
  if (half === 0) return cases.map(({ id }) => `${id}: the database is another`)
  return [...await passedTogether(cases.slice(0, half), gateway, who, mode), ...await passedTogether(cases.slice(half), gateway, who, mode)]
}

describe('the harmful statements of the corpus', () => {
  it('are refused to a person under the sample rules, simple', async () => assert.deepEqual(await passed(CASES, sample, 'ada', 'simple'), []))
  for (const [part, mode] of (['extended', 'one segment'] as const).entries()) {
    it(`are refused to a person under the sample rules, ${mode}`, async () => assert.deepEqual(await passed(CASES.filter((_, index) => index % 2 === part), sample, 'ada', mode), []))
  }

  it('are refused to an agent under the sample rules, though all it asks for is approved', async () => assert.deepEqual(await passed(CASES, sample, 'bot', 'simple'), []))

  it('are refused to an agent by the rule that is there for them, where everything else is allowed', async () => {
    assert.deepEqual(await passed(CASES.filter(({ rule }) => rule !== undefined), alone, 'bot', 'simple'), [])
  })
})
