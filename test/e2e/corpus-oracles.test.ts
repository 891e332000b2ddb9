import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { maskingGateways, type CorpusGateway, type CorpusServer, type MaskingGateways, type Who } from '../corpus/corpus-gateways.ts'
import { loadLeaks, type LeakCase } from '../corpus/load-corpus.ts'
import { answerOf, fits, play, type Mode } from '../corpus/play.ts'
import type { RawLogin } from '../fault/raw-client.ts'

const CASES = loadLeaks().filter(({ expect }) => expect === 'no-difference')
const KNOWN = loadLeaks().filter(({ expect }) => expect === 'differs')

let gateways: MaskingGateways | undefined
let server: CorpusServer
let masks: CorpusGateway
let untraced: CorpusGateway
let sample: CorpusGateway

before(async () => ({ server, masks, untraced, sample } = gateways = await maskingGateways()))
after(async () => gateways?.[Symbol.asyncDispose]())

/** The cases whose answer tells the shop from its twin: the databases are the same but for masked values. */
async function telling(cases: readonly LeakCase[], login: (database: string) => RawLogin, mode: Mode = 'simple'): Promise<string[]> {
  const shared = [await server.fresh('shop'), await server.fresh('twin')] as const
  const told: string[] = []
  for (const { id, fresh, given, statements } of cases) {
    if (!fits(statements, mode)) continue
    const own = fresh === true || given !== undefined
    const [one, other] = own ? [await server.fresh('shop', given), await server.fresh('twin', given)] : shared
    const [first, second] = [await play(login(one), statements, mode), await play(login(other), statements, mode)].map(({ frames }) => answerOf(frames).map((line) => line.replaceAll(/\b(shop|twin)_\d+/g, '…')))
    const at = first?.findIndex((line, index) => line !== second?.[index]) ?? -1
    if (at >= 0) told.push(`${id}: ${first?.[at]} / ${second?.[at]}`)
    if (own) await Promise.all([server.drop(one), server.drop(other)])
  }
  return told
}

const through = (gateway: CorpusGateway, who: Who) => (database: string): RawLogin => gateway.login(who, database)
const ids = (told: readonly string[]): string[] => told.map((line) => line.slice(0, line.indexOf(':')))

describe('the oracles of the corpus', () => {
  it('each tell the shop from its twin where nothing is masked', async () => {
    const told = ids(await telling([...CASES, ...KNOWN], (database) => server.login(database)))
    assert.deepEqual([...CASES, ...KNOWN].map(({ id }) => id).filter((id) => !told.includes(id)), [])
  })

  // A whole round takes its time: beside the first, each has its part of the cases.
  const part = (at: number): readonly LeakCase[] => CASES.filter((_, index) => index % 2 === at)

  it('do not under masks alone, simple', async () => assert.deepEqual(await telling(CASES, through(masks, 'ada')), []))
  it('do not under masks alone, binary', async () => assert.deepEqual(await telling(part(0), through(masks, 'ada'), 'binary'), []))
  it('do not where what cannot be traced is masked, not blocked', async () => assert.deepEqual(await telling(part(1), through(untraced, 'ada')), []))
  it('do not for an agent under the sample rules', async () => assert.deepEqual(await telling(part(0), through(sample, 'bot')), []))

  it('that cannot be stopped are these', async () => {
    assert.deepEqual(ids(await telling(KNOWN, through(masks, 'ada'))), KNOWN.map(({ id }) => id))
  })
})
