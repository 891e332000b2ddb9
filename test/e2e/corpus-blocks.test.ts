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
  let database = await server.fresh()
  let before = await databaseState(server.postgres, database)
  const past: string[] = []
  for (const { id, given, statements } of cases.filter((one) => fits(one.statements, mode))) {
    if (given !== undefined) {
      database = await server.fresh('shop', given)
      before = await databaseState(server.postgres, database)
    }
    const { frames } = await play(gateway.login(who, database), statements, mode)
    const changed = (await databaseState(server.postgres, database)) !== before
    if (refusals(frames).length === 0 || changed) past.push(`${id}: ${errorsIn(frames).join(', ') || 'no error'}${changed ? ', and the database is another' : ''}`)
    if (!changed && given === undefined) continue
    database = await server.fresh()
    before = await databaseState(server.postgres, database)
  }
  return past
}

describe('the harmful statements of the corpus', () => {
  for (const mode of ['simple', 'extended', 'one segment'] as const) {
    it(`are refused to a person under the sample rules, ${mode}`, async () => assert.deepEqual(await passed(CASES, sample, 'ada', mode), []))
  }

  it('are refused to an agent under the sample rules, though all it asks for is approved', async () => assert.deepEqual(await passed(CASES, sample, 'bot', 'simple'), []))

  it('are refused to an agent by the rule that is there for them, where everything else is allowed', async () => {
    assert.deepEqual(await passed(CASES.filter(({ rule }) => rule !== undefined), alone, 'bot', 'simple'), [])
  })
})
