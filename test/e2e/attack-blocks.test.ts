import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { B, D, E, errorsIn, message, P, Q, rawClient, rowsIn, S, type RawClient } from '../fault/raw-client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SHOP_RULES, SHOP_SQL } from '../support/shop.ts'

const RULES = {
  'allow-understood': `command.fidelity != 'opaque' ? { "effect": "allow", "reason": "what is understood may run" }`,
  'block-unbounded': SHOP_RULES['block-unbounded'],
  'block-drop': SHOP_RULES['block-drop'],
  'block-cards': `'public.cards' in command.sql.writes ? { "effect": "block", "reason": "nobody writes cards" }`,
}

/**
 * Each would empty or drop `orders`, or change `cards`, if it ran. Shapes are the corpus's matter (`test/corpus/blocks`): here
 * are a few of each sort, and writes to one table that a rule names, to be sent in every way that the protocol has.
 */
const HARMFUL: readonly string[] = [
  'drop table orders',
  'select 1; drop table orders; select 2',
  'delete from orders where id = id',
  'with d as (delete from orders returning id) insert into marks select id from d',
  'explain analyze delete from orders',
  `do $$ begin delete from orders; end $$`,
  'create function wipe() returns void language sql as $$ delete from orders $$; select wipe()',
  'create procedure wipe() language sql as $$ delete from orders $$; call wipe()',
  'create rule r as on insert to marks do also update cards set credit = 0; insert into marks values ($$x$$)',
  'update cards set credit = 0 where id = 1',
  'update public.cards set credit = 0 where id = 1',
  'update "cards" as orders set credit = 0 where orders.id = 1',
  `insert into cards values (9, 1, 'x', null, 0)`,
  'delete from cards where id = 1',
  `with w as (update cards set credit = 0 where id = 1 returning 1) select * from w`,
  `merge into cards c using people p on c.person = p.id when matched then update set credit = 0`,
  `copy cards from program 'echo 9'`,
  'insert into orders (person, item, amount) select 1, $$x$$, 1; update cards set credit = 0 where id = 2',
  'alter table cards rename to c2; update c2 set credit = 0 where id = 1',
]

let server: PostgresServer
let gateway: TestGateway
let untouched = ''

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SHOP_SQL + 'create table marks (mark text)')
  gateway = await startGateway({ postgres: server, rules: RULES })
  untouched = await state()
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function state(): Promise<string> {
  return JSON.stringify(await server.query(`select (select count(*) from orders) as orders, (select sum(amount) from orders) as amounts, (select json_agg(c order by id) from cards c) as cards`).catch((error: unknown) => String(error)))
}

async function connected(): Promise<RawClient> {
  return rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
}

/** Undoes nothing: a test that changed something has failed, and so do those after it. */
async function unharmed(run: (client: RawClient) => Promise<unknown>): Promise<void> {
  const client = await connected()
  try {
    await run(client)
  } finally {
    await client.end()
  }
  assert.equal(await state(), untouched)
}

describe('what is blocked', () => {
  it('does not run as a Query, in a transaction, or behind one', async () => {
    for (const text of HARMFUL) {
      await unharmed(async (client) => {
        const refused = errorsIn(await client.query(text))
        assert.ok(refused.some((error) => error.startsWith('42501')), `${text}: ${refused.join()}`)
        await client.query('rollback')
        await client.ask([Q('begin'), Q('select 1'), Q(text), Q('commit')], 4)
      })
    }
  })

  it('does not run by Parse, Bind and Execute, nor in the middle of a pipeline', async () => {
    for (const text of HARMFUL) {
      await unharmed(async (client) => {
        await client.ask([P('', text), B('', ''), E(), S])
        await client.query('rollback')
        await client.ask([P('n', text), S, B('p', 'n'), D('P', 'p'), E('p'), S], 2)
        await client.ask([P('h', 'select 1'), B('', 'h'), E(), P('', text), B('', ''), E(), B('', 'h'), E(), S])
      })
    }
  })

  it('is blocked whole or not at all: a refused text leaves none of its statements', async () => {
    await unharmed(async (client) => {
      await client.query(`insert into marks values ('in front'); drop table orders; insert into marks values ('behind')`)
      assert.deepEqual(rowsIn(await client.query('select count(*) from marks')), [['0']])
    })
  })

  it('does not run when a statement whose Parse failed is bound', async () => {
    await unharmed(async (client) => {
      const frames = await client.ask([P('w', 'delete from orders'), S, B('', 'w'), E(), S, B('', 'w'), E(), S], 3)
      assert.deepEqual(errorsIn(frames).map((error) => error.slice(0, 5)), ['42501', '42501', '42501'])
    })
  })

  it('does not run when one text is parsed and another executed', async () => {
    await unharmed(async (client) => {
      await client.ask([P('w', 'select 1'), P('w', 'delete from orders'), B('', 'w'), E(), S])
      await client.ask([P('', 'select 1'), B('', ''), P('', 'delete from orders'), E(), S])
      await client.ask([P('', 'select 1'), B('', ''), P('', 'delete from orders'), B('', ''), E(), S])
    })
  })

  it('does not run with NUL bytes, in other encodings, or in texts that no grammar reads', async () => {
    await unharmed(async (client) => {
      const odd = [
        Buffer.from('select 1\0; drop table orders\0'),
        Buffer.concat([Buffer.from('drop table orders -- '), Buffer.from([0xff, 0xfe]), Buffer.from('\0')]),
        Buffer.concat([Buffer.from('drop\u00a0table orders'), Buffer.from('\0')]),
        Buffer.from('drop table orders'),
        Buffer.from('\0drop table orders\0'),
      ]
      for (const body of odd) {
        const frames = await client.ask([message('Q', body)]).catch(() => [])
        assert.ok(client.closed || errorsIn(frames).length > 0, body.toString())
        if (client.closed) client = await connected()
      }
      await client.end()
    })
  })

  it('does not run in texts over the analysis cap, or nested too deep to be followed', async () => {
    const deep = `${'('.repeat(100_000)}select 1${')'.repeat(100_000)}`
    for (const text of [`${' '.repeat(3_000_000)}drop table orders`, `/*${'x'.repeat(3_000_000)}*/ delete from orders`, `select 1${', 1'.repeat(300_000)}; drop table orders`, `${deep}; drop table orders`, `drop table orders; ${deep}`, `${'drop table orders;'.repeat(20_000)}`]) {
      await unharmed(async (client) => {
        assert.ok(errorsIn(await client.query(text)).length > 0)
        await client.ask([P('', text), B('', ''), E(), S])
        assert.deepEqual(rowsIn(await client.query('select 1')), [['1']])
      })
    }
  })

  it('does not run by a portal that was suspended when the rules changed', async () => {
    await using reloading = await startGateway({ postgres: server, rules: RULES })
    const client = await rawClient({ host: reloading.host, port: reloading.port, user: 'ada', password: 'ada secret' })
    await client.query('begin')
    await client.ask([P('s', 'select id from orders order by id'), B('p', 's'), E('p', 1), S])
    await reloading.writeRule('block-orders', `'public.orders' in command.sql.reads ? { "effect": "block", "reason": "no more orders" }`)
    await reloading.engine.reload()
    await client.ask([E('p', 1), S])
    assert.deepEqual(errorsIn(await client.ask([B('q', 's'), E('q', 1), S])), ['42501 blocked by policy: no more orders'])
    await client.query('rollback')
    assert.deepEqual(errorsIn(await client.ask([B('', 's'), E(), S])), ['42501 blocked by policy: no more orders'])
    const executed = (await reloading.events()).filter((event) => event.type === 'command.received.v1' && event.data.command.phase === 'execute' && event.data.command.text.startsWith('select id from orders'))
    assert.equal(executed.length, 3)
    await client.end()
  })

  it('does not run through a view of the table', async () => {
    await server.query('create view card_view as select * from cards')
    const client = await connected()
    const frames = await client.query('update card_view set credit = credit where id = 1')
    await client.end()
    await server.query('drop view card_view')
    assert.deepEqual(errorsIn(frames), ['42501 blocked by policy: nobody writes cards'])
  })
})
