import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { corpusGateway, CorpusServer, masksOnly, SAMPLE_RULES, type CorpusGateway, type Who } from '../corpus/corpus-gateways.ts'
import { loadHarmless, type HarmlessCase } from '../corpus/load-corpus.ts'
import { columnsOf, fits, leakIn, play, type Mode, type Played } from '../corpus/play.ts'
import { errorsIn, rowsIn, tagsIn, type Frame, type RawLogin } from '../fault/raw-client.ts'
import { psqlUnavailable, runPsql } from '../support/psql.ts'

const forPsql = ({ statements }: HarmlessCase): boolean => statements.some((text) => text.startsWith('\\'))
const CASES = loadHarmless().filter((one) => !forPsql(one))
const PSQL_CASES = loadHarmless().filter(forPsql)

let server: CorpusServer
let sample: CorpusGateway
let masks: CorpusGateway
/** Table and attribute of each masked column: `16400.3`. The same in every copy of the shop. */
let masked: ReadonlySet<string>

before(async () => {
  server = await CorpusServer.start()
  sample = await corpusGateway('sample rules', server, SAMPLE_RULES)
  masks = await corpusGateway('masks only', server, masksOnly('block'))
  const found = await server.postgres.query(`select attrelid || '.' || attnum as key from pg_attribute where attrelid in ('people'::regclass, 'cards'::regclass, 'kept'::regclass, 'contacts'::regclass, 'buyers'::regclass) and attname in ('email', 'phone', 'born', 'number', 'mail')`, 'shop')
  masked = new Set(found.map(({ key }) => String(key)))
})

after(async () => {
  await sample?.stop()
  await masks?.stop()
  await server?.postgres.stop()
})

/** Values row by row, with `#` for those of masked columns, and the command tags. */
function unmasked(frames: readonly Frame[]): unknown[] {
  let columns: readonly string[] = []
  const lines: unknown[] = tagsIn(frames)
  for (const frame of frames) {
    if (frame.type === 'T') columns = columnsOf(frame.body).map(({ table, attribute }) => `${table}.${attribute}`)
    if (frame.type === 'D') lines.push(...rowsIn([frame]).map((row) => row.map((value, index) => (masked.has(columns[index] ?? '') ? '#' : value))))
    if (frame.type === 'd') lines.push(frame.body.toString('utf8'))
  }
  return lines
}

/** Straight in one copy of the shop, and through a gateway in another: they stay in step, for each case does the same to both. What needs something `given` has two of its own. */
async function refused(who: Who, mode: Mode): Promise<string[]> {
  const shared = [await server.fresh(), await server.fresh()] as const
  const wrong: string[] = []
  for (const one of CASES.filter(({ statements }) => fits(statements, mode))) {
    const [plain, guarded] = one.given === undefined ? shared : [await server.fresh('shop', one.given), await server.fresh('shop', one.given)]
    const straight = await play(server.login(plain), one.statements, mode)
    assert.deepEqual(errorsIn(straight.frames), [], `${one.id} does not run without a gateway`)
    const gateway = one.rules === 'masks-only' || (one.rules === 'people' && who === 'bot') ? masks : sample
    const problem = difference(one, straight, await play(gateway.login(who, guarded), one.statements, mode))
    if (problem !== undefined) wrong.push(`${one.id}: ${problem}`)
  }
  return wrong
}

function difference({ expect }: HarmlessCase, straight: Played, through: Played): string | undefined {
  const [error] = errorsIn(through.frames)
  if (error !== undefined) return error
  const leak = leakIn(through)
  if (leak !== undefined) return `shows ${leak}`
  if (expect === 'runs') return tagsIn(through.frames).length > 0 ? undefined : 'no answer'
  const [wanted, got] = [unmasked(straight.frames), unmasked(through.frames)].map((lines) => JSON.stringify(lines))
  return wanted === got ? undefined : `answers ${got?.slice(0, 300)}, not ${wanted?.slice(0, 300)}`
}

async function psql({ statements }: HarmlessCase, { host, port, user, password, database = '' }: RawLogin): Promise<string> {
  const { stdout, stderr } = await runPsql({ host, port, user, password, database, args: statements.flatMap((text) => ['-c', text]) })
  return stderr + stdout
}

describe('the harmless statements of the corpus', () => {
  it('run for a person, and answer as without a gateway but for masked columns', async () => assert.deepEqual(await refused('ada', 'simple'), []))
  it('run for an agent, in the extended protocol', async () => assert.deepEqual(await refused('bot', 'described'), []))

  it('of psql are answered as without a gateway', { skip: psqlUnavailable() ?? false }, async () => {
    const database = await server.fresh()
    const wrong: string[] = []
    let compared = 0
    for (const one of PSQL_CASES) {
      const [wanted, got] = [await psql(one, server.login(database)), await psql(one, sample.login('bot', database))]
      // A psql that is older than the server asks for columns that are gone.
      if (/ERROR/.test(wanted)) continue
      compared++
      if (got !== wanted) wrong.push(`${one.id}: ${got.slice(0, 300)}`)
    }
    assert.deepEqual(wrong, [])
    assert.ok(compared > PSQL_CASES.length * 0.8)
  })
})
