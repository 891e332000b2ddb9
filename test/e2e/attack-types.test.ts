import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { BLOCK_RULES_ALONE, corpusGateway, CorpusServer, masksOnly, SAMPLE_RULES, type CorpusGateway } from '../corpus/corpus-gateways.ts'
import { B, E, errorsIn, int16, int32, message, rawClient, S, type Frame } from '../fault/raw-client.ts'

const TRAP = [
  'create function trap(text) returns bool language plpgsql as $$begin delete from public.orders; return true; end$$',
  'create domain trap as text check (trap(value))',
  "create function tell() returns trigger language plpgsql as $$begin perform pg_notify('changes', (select email from people where id = 1)); return new; end$$",
  'create trigger tell before insert on marks for each row execute function tell()',
]

let server: CorpusServer
let database: string
const gateways: CorpusGateway[] = []

before(async () => {
  server = await CorpusServer.start()
  database = await server.fresh('shop', TRAP)
})

after(async () => {
  for (const gateway of gateways) await gateway.stop()
  await server?.postgres.stop()
})

async function through(name: string, rules: Readonly<Record<string, string>>): Promise<CorpusGateway> {
  const gateway = await corpusGateway(name, server, rules)
  gateways.push(gateway)
  return gateway
}

describe('what no text says', () => {
  it('is refused to an agent where the type of a parameter, given by its object id, runs code', async () => {
    const gateway = await through('block rules', BLOCK_RULES_ALONE)
    const [[oid]] = (await server.postgres.query("select 'trap'::regtype::oid::int4 as oid", database)).map((row) => Object.values(row as Record<string, unknown>)) as [[number]]
    const client = await rawClient(gateway.login('bot', database))
    const typed = (type: number): Promise<Frame[]> => client.ask([message('P', '', 'select $1', int16(1), int32(type)), B('', '', ['x']), E(), S])
    assert.deepEqual(errorsIn(await typed(25)), [])
    assert.match(errorsIn(await typed(oid))[0] ?? '', /^42501 blocked by policy/)
    await client.end()
    assert.equal((await server.postgres.query('select from orders', database)).length, 5)
  })

  it('comes without its payload to a session that listens under masks, and with it to another', async () => {
    const heard = async (gateway: CorpusGateway, who: 'ada' | 'exempt'): Promise<string> => {
      const client = await rawClient(gateway.login(who, database))
      await client.query('listen changes')
      await server.postgres.query("insert into marks values ('x')", database)
      await client.when(() => client.has('A'))
      const [{ body } = { body: Buffer.alloc(4) }] = client.take().filter(({ type }) => type === 'A')
      await client.end()
      return body.toString('utf8', 4)
    }
    for (const rules of [masksOnly('block'), SAMPLE_RULES]) {
      const gateway = await through('masks', rules)
      assert.equal(await heard(gateway, 'ada'), 'changes\0\0')
      if (rules !== SAMPLE_RULES) assert.equal(await heard(gateway, 'exempt'), 'changes\0ada.marsh@example.com\0')
    }
  })
})
