import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { corpusGateway, maskingGateways, masksOnly, type CorpusGateway, type CorpusServer, type MaskingGateways, type Who } from './corpus-gateways.ts'
import { loadLeaks, type LeakCase } from './load-corpus.ts'
import { fits, leakIn, MODES, play, type Mode } from './play.ts'

export interface LeakRuns {
  /** Those that share a database; those that are `fresh`, each in one of its own, which takes its time; those that are `given` something there. */
  readonly which: 'shared' | 'fresh' | 'given'
  /** How they are played under masks alone. */
  readonly modes: readonly Mode[]
  /** Also without a gateway, and under other rules than masks alone. */
  readonly also: readonly ('straight' | 'untraced' | 'sample')[]
}

/** Tests of the leaks that show a value. */
export function describeLeaks(title: string, { which, modes, also }: LeakRuns): void {
  const cases = loadLeaks().filter((one) => one.expect === 'no-secret' && kindOf(one) === which)
  let gateways: MaskingGateways | undefined
  let server: CorpusServer
  let masks: CorpusGateway
  let untraced: CorpusGateway
  let sample: CorpusGateway

  before(async () => ({ server, masks, untraced, sample } = gateways = await maskingGateways()))
  after(async () => gateways?.[Symbol.asyncDispose]())

  /** What is found, by case. */
  async function each(look: (statements: readonly string[], database: string) => Promise<string | undefined>, some: readonly LeakCase[] = cases, own = which !== 'shared'): Promise<string[]> {
    const shared = await server.fresh()
    const found: string[] = []
    for (const { id, statements, given } of some) {
      const database = own || given !== undefined ? await server.fresh('shop', given) : shared
      const what = await look(statements, database)
      if (what !== undefined) found.push(`${id}: ${what}`)
      if (database !== shared) await server.drop(database)
    }
    return found
  }

  const leaks = (gateway: CorpusGateway, who: Who, mode: Mode, some: readonly LeakCase[] = cases, own?: boolean): Promise<string[]> =>
    each(async (statements, database) => (fits(statements, mode) ? leakIn(await play(gateway.login(who, database), statements, mode)) : undefined), some, own)
  /** A whole round takes its time: beside the first way of playing, each has its part of the cases. */
  const part = (at: number, of: number): readonly LeakCase[] => cases.filter((_, index) => index % of === at)

  describe(title, () => {
    if (also.includes('straight')) it('each show a secret where nothing is masked', async () => {
      const blind = await each(async (statements, database) =>
        leakIn(await play(server.login(database), statements, 'simple')) === undefined ? 'the checker found nothing' : undefined)
      assert.deepEqual(blind, [])
    })

    for (const [index, mode] of modes.entries()) {
      it(`show nothing under masks alone, ${mode}`, async () => assert.deepEqual(await leaks(masks, 'ada', mode, index === 0 ? cases : part(index - 1, modes.length - 1)), []))
    }

    if (also.includes('untraced')) it('show nothing where what cannot be traced is masked, not blocked', async () => assert.deepEqual(await leaks(untraced, 'ada', 'simple', which === 'shared' ? cases : part(0, 2)), []))
    if (also.includes('sample')) {
      // Nobody defines anything under the sample rules: if they let one through, the cases behind it are none the weaker for it.
      it('show an agent nothing under the sample rules, though all it asks for is approved', async () => assert.deepEqual(await leaks(sample, 'bot', 'simple', part(0, 2), false), []))
      it('show a person nothing under the sample rules', async () => assert.deepEqual(await leaks(sample, 'ada', 'extended', part(1, 2), false), []))
    }

    it('leave nothing in events, views, approvals and logs', async () => {
      for (const gateway of [masks, untraced, sample]) assert.equal(await gateway.kept(), undefined, gateway.name)
    })

    it('are seen by the checker in the client and in the record of somebody exempt', async () => {
      const gateway = await corpusGateway('an exempt person', server, masksOnly('block'))
      const database = await server.fresh()
      for (const mode of MODES) assert.ok(leakIn(await play(gateway.login('exempt', database), ['select reverse(email) from people'], mode)), mode)
      assert.ok(await gateway.kept())
      await gateway.stop()
    })
  })
}

function kindOf({ given, fresh }: LeakCase): LeakRuns['which'] {
  return given !== undefined ? 'given' : fresh === true ? 'fresh' : 'shared'
}
