import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { corpusGateway, CorpusServer, masksOnly, SAMPLE_RULES, type CorpusGateway, type Who } from '../corpus/corpus-gateways.ts'
import { loadLeaks, type LeakCase } from '../corpus/load-corpus.ts'
import { fits, leakIn, MODES, play, type Mode } from '../corpus/play.ts'

const CASES = loadLeaks().filter(({ expect }) => expect === 'no-secret')

let server: CorpusServer
const gateways: Record<'masks' | 'untraced' | 'sample', CorpusGateway | undefined> = { masks: undefined, untraced: undefined, sample: undefined }

before(async () => {
  server = await CorpusServer.start()
  gateways.masks = await corpusGateway('masks only', server, masksOnly('block'))
  gateways.untraced = await corpusGateway('masks only, untraced masked', server, masksOnly('mask'))
  gateways.sample = await corpusGateway('sample rules', server, SAMPLE_RULES)
})

after(async () => {
  for (const gateway of Object.values(gateways)) await gateway?.stop()
  await server?.postgres.stop()
})

/** Each case in the database of all, or in one of its own; what was found, by case. */
async function each(cases: readonly LeakCase[], look: (one: LeakCase, database: string) => Promise<string | undefined>): Promise<string[]> {
  const shared = await server.fresh()
  const found: string[] = []
  for (const one of cases) {
    const database = one.fresh === true ? await server.fresh() : shared
    const what = await look(one, database)
    if (what !== undefined) found.push(`${one.id}: ${what}`)
    if (one.fresh === true) await server.drop(database)
  }
  return found
}

function leaks(at: keyof typeof gateways, who: Who, mode: Mode): Promise<string[]> {
  return each(CASES.filter(({ statements }) => fits(statements, mode)), async ({ statements }, database) => {
    const gateway = gateways[at]
    assert.ok(gateway !== undefined)
    return leakIn(await play(gateway.login(who, database), statements, mode))
  })
}

describe('the leaks of the corpus', () => {
  it('each show a secret where nothing is masked', async () => {
    const blind = await each(CASES, async ({ statements }, database) =>
      leakIn(await play(server.login(database), statements, 'simple')) === undefined ? 'the checker found nothing' : undefined)
    assert.deepEqual(blind, [])
  })

  for (const mode of MODES) {
    it(`show nothing under masks alone, ${mode}`, async () => assert.deepEqual(await leaks('masks', 'ada', mode), []))
  }

  it('show nothing where what cannot be traced is masked, not blocked', async () => assert.deepEqual(await leaks('untraced', 'ada', 'simple'), []))
  it('show an agent nothing under the sample rules, though all it asks for is approved', async () => assert.deepEqual(await leaks('sample', 'bot', 'simple'), []))
  it('show a person nothing under the sample rules', async () => assert.deepEqual(await leaks('sample', 'ada', 'extended'), []))

  it('leave nothing in events, views, approvals and logs', async () => {
    for (const gateway of Object.values(gateways)) assert.equal(await gateway?.kept(), undefined, gateway?.name ?? '')
  })

  it('are seen by the checker in the client and in the record of somebody exempt', async () => {
    const gateway = await corpusGateway('an exempt person', server, masksOnly('block'))
    const database = await server.fresh()
    for (const mode of MODES) assert.ok(leakIn(await play(gateway.login('exempt', database), ['select reverse(email) from people'], mode)), mode)
    assert.ok(await gateway.kept())
    await gateway.stop()
  })
})
