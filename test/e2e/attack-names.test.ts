import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { secretIn } from '../fault/disguises.ts'
import { B, C, D, E, errorsIn, message, P, Q, rawClient, rowsIn, S, tagsIn, type Frame, type RawClient } from '../fault/raw-client.ts'
import { hostileSegments } from '../fault/segments.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SECRETS, SHOP_RULES, SHOP_SQL } from '../support/shop.ts'

/** Here nothing is masked, and no card may be written, unless a statement names the table it applies to. */
const BY_TABLE = {
  'allow-all': `command.fidelity != 'opaque' ? { "effect": "allow", "reason": "everything that is understood may run" }`,
  'mask-people': SHOP_RULES['mask-personal'].replace("$not('pii' in identity.groups)", "'public.people' in command.sql.reads or 'public.cards' in command.sql.reads"),
  'block-cards': `'public.cards' in command.sql.writes ? { "effect": "block", "reason": "nobody writes cards" }`,
  'block-drop': SHOP_RULES['block-drop'],
}
/** No rule reads what names stand for. */
const BY_ACTION = {
  'allow-all': `command.fidelity != 'opaque' ? { "effect": "allow", "reason": "everything that is understood may run" }`,
  'block-drop': SHOP_RULES['block-drop'],
}
const PEOPLE = { ada: { password: 'ada secret' } }
const MORE_SQL = `
create schema staging;
create table staging.cards (like public.cards);
insert into staging.cards values (1, 1, 'plain', null, 1);
create table staging.people (like public.people);
insert into staging.people values (1, 'nobody', 'none', 'none', null);
create table marks (mark text);
`

/** What each does when it succeeds: it shows a secret, or it sets a number in public.cards to `seized`. */
type Attack = (client: RawClient, gateway: TestGateway) => Promise<unknown>
const SEIZE = `update cards set number = 'seized'`

/** A text that is one harmless string to who reads backslashes one way, and DROP TABLE to who reads them the other way. */
const SMUGGLED = `select '\\' , ' ; drop table marks; --'`

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a protocol statement whose name SQL gives to another one': async (client) => {
    await client.ask([P('foo', 'select item from orders'), S])
    await client.query('deallocate foo')
    await client.query('prepare foo as select email from people')
    await client.ask([B('', 'foo'), E(), S])
  },
  'the same in one segment': (client) =>
    client.ask([P('foo', 'select item from orders'), S, Q('deallocate foo'), Q('prepare foo as select email from people'), B('', 'foo'), E(), S], 4),
  'the same, with DISCARD ALL': async (client) => {
    await client.ask([P('foo', 'select item from orders'), S])
    await client.query('discard all')
    await client.query('prepare foo as select email from people')
    await client.ask([B('', 'foo'), E(), S])
  },
  'an SQL statement whose name the protocol gives to another one': async (client) => {
    await client.query('prepare foo as select item from orders')
    await client.ask([C('S', 'foo'), P('foo', 'select email from people'), S])
    await client.ask([P('', 'execute foo'), B('', ''), E(), S])
  },
  'a prepared EXECUTE whose statement is replaced': async (client) => {
    await client.query('prepare foo as select item from orders')
    await client.ask([P('run', 'execute foo'), S])
    await client.query('deallocate foo')
    await client.query('prepare foo as select email from people')
    await client.ask([B('', 'run'), E(), S])
  },
  'a portal of an earlier transaction whose name a cursor takes': async (client) => {
    await client.ask([P('', 'select item from orders'), B('p', ''), D('P', 'p'), S])
    await client.query('begin')
    await client.query('declare p cursor for select email from people')
    await client.ask([E('p'), S])
  },
  'a suspended portal whose name a cursor takes': async (client) => {
    await client.query('begin')
    await client.ask([P('', 'select item from orders'), B('p', ''), E('p', 1), S])
    await client.query('commit')
    await client.query('begin')
    await client.query('declare p cursor for select email from people')
    await client.ask([E('p'), S])
  },
  'a suspended portal that CLOSE ended, in one segment': (client) =>
    client.ask([Q('begin'), P('', 'select item from orders'), B('p', ''), E('p', 1), S, Q('close p'), Q('declare p cursor for select email from people'), E('p'), S], 5),
  'the name that a refusal is made of, guessed from the last one': async (client) => {
    const eventOf = (frames: readonly Frame[]): string => /event ([0-9a-f-]{36})/.exec(frames.map(({ body }) => body.toString()).join(''))?.[1] ?? ''
    const id = eventOf(await client.query('drop table orders'))
    const revision = Number.parseInt(id.slice(20).replace('-', ''), 16)
    const names = Array.from({ length: 12 }, (_, ahead) => {
      const digits = (revision + 120 + ahead).toString(16).padStart(15, '0')
      return `sallyport blocked ${id.slice(0, 20)}${digits.slice(0, 3)}-${digits.slice(3)}`
    })
    await client.ask([...names.map((name) => P(name, 'select email from people')), S])
    for (let count = 0; count < 60; count++) await client.query('drop table orders')
  },
  'a statement that failed to parse, run across a Sync': (client) =>
    client.ask([P('foo', 'select email from people'), S, P('foo', 'select item from orders'), S, B('', 'foo'), E(), S], 3),
  'a portal bound twice': (client) =>
    client.ask([Q('begin'), P('', 'select email from people'), B('p', ''), P('', 'select item from orders'), S, B('p', ''), S, E('p'), S], 4),
  'an Execute behind an error, taken up by the next one': (client) =>
    client.ask([P('a', 'select email from people'), P('b', 'select item from orders'), S, B('', 'nosuch'), B('', 'b'), E(), S, B('', 'a'), E(), S, B('', 'b'), E(), S], 4),
  'a Query in the middle of a failed segment': (client) =>
    client.ask([P('a', 'select email from people'), S, B('', 'nosuch'), Q('select item from orders'), S, B('', 'a'), E(), S, Q('select item from orders')], 4),
  'a COPY that swallows a Query': async (client) => {
    client.send(Q('copy orders (item) from stdin'), Q('select item from orders'), Q('select email from people'), Q('select item from orders'))
    await client.when(() => client.has('Z', 3))
  },
  'a COPY that fails while a Sync is under way': async (client) => {
    client.send(P('', 'copy orders (person, item, amount) from stdin'), B('', ''), E(), message('d', Buffer.from('not a number\tx\t1\n')), message('c'), S,
      P('', 'select email from people'), B('', ''), E(), S, P('', 'select item from orders'), B('', ''), E(), S)
    await client.when(() => client.has('Z', 3))
  },
  'an answer in binary that another Describe described': (client) =>
    client.ask([P('', 'select email from people'), B('a', ''), D('P', 'a'), B('b', '', [], 1), E('b'), E('a'), S]),
  'a search path that the target skipped': async (client) => {
    await client.ask([P('', 'select 1/0'), B('', ''), E(), P('', 'set search_path = staging'), B('', ''), E(), S])
    await client.query(SEIZE)
  },
  'a search path that an implicit transaction undid': async (client) => {
    await client.ask([P('', 'set search_path = staging'), B('', ''), E(), P('', 'select 1/0'), B('', ''), E(), S])
    await client.query(SEIZE)
  },
  'a search path that a refusal undid': async (client) => {
    for (const text of ['begin', 'set search_path = staging', 'drop table orders', 'commit', SEIZE]) await client.query(text)
  },
  'a search path that a failed Parse undid': async (client) => {
    await client.query('begin')
    await client.query('set search_path = staging')
    await client.ask([P('', 'select nosuch from orders'), S])
    await client.query('commit')
    await client.query(SEIZE)
  },
  'a search path that a failed Bind undid': async (client) => {
    await client.query('begin')
    await client.query('set search_path = staging')
    await client.ask([B('', 'nosuch'), S])
    await client.query('commit')
    await client.query(SEIZE)
  },
  'a search path set before BEGIN in the same text': async (client) => {
    for (const text of ['set search_path = staging; begin', 'rollback', SEIZE]) await client.query(text)
  },
  'a local search path that lasts until Sync': async (client) => {
    await client.query('set search_path = staging')
    await client.ask([P('', 'set local search_path = public'), B('', ''), E(), P('', SEIZE), B('', ''), E(), S])
  },
  'a search path of a transaction that ends in the same segment': async (client) => {
    await client.query('begin')
    await client.query('set local search_path = staging')
    await client.ask([P('', 'commit'), B('', ''), E(), P('', SEIZE), B('', ''), E(), S])
  },
  'a search path set behind BEGIN in the same text': async (client) => {
    await client.query('set search_path = public')
    for (const text of ['begin; set search_path = staging', 'rollback', SEIZE]) await client.query(text)
  },
  'a search path set in the same segment': (client) => client.ask([Q('set search_path = public'), Q('set search_path = staging'), Q('set search_path = public'), Q(SEIZE)], 4),
  'a search path set in the middle of a pipeline': async (client) => {
    await client.query('set search_path = staging')
    await client.ask([P('s', SEIZE), P('', 'set search_path = public'), B('', ''), E(), B('', 's'), E(), S])
  },
  'a search path set after PREPARE': async (client) => {
    await client.query('set search_path = staging')
    await client.query('prepare s as select upper(email) from people')
    await client.query(`prepare w as ${SEIZE}`)
    await client.query('set search_path = public')
    await client.query('execute s')
    await client.query('execute w')
  },
  'a search path set after Parse': async (client) => {
    await client.query('set search_path = staging')
    await client.ask([P('s', 'select upper(email) from people'), P('w', SEIZE), S])
    await client.query('set search_path = public')
    await client.ask([B('', 's'), E(), S])
    await client.ask([B('', 'w'), E(), S])
  },
  'a search path set after Parse, with a Bind too large to be held': async (client) => {
    await client.query('set search_path = staging')
    await client.ask([P('w', `${SEIZE} where $1 is not null`), S])
    await client.query('set search_path = public')
    await client.ask([B('', 'w', ['x'.repeat(2 * 1024 * 1024)]), E(), S])
  },
  'strings read differently, set in the same segment': (client) => client.ask([Q('set standard_conforming_strings = off'), Q(SMUGGLED)], 2),
  'strings read differently, set and undone': async (client) => {
    const other = `select '\\'' , '\\'; drop table marks; select ' , '`
    await client.ask([P('', 'set standard_conforming_strings = off'), B('', ''), E(), P('', 'select 1/0'), B('', ''), E(), S])
    await client.query(other)
    await client.query(SMUGGLED)
  },
  'an encoding that swallows a backslash, set in the same segment': (client) => client.ask([Q('set client_encoding = SJIS'), Q(`select E'\u00c1\\'; drop table marks; --'`)], 2),
  'an encoding that swallows a backslash, set by SET NAMES': async (client) => {
    await client.query(`set names 'SJIS'`)
    await client.query(`select E'\u00c1\\'; drop table marks; --'`)
  },
  'an encoding that swallows a backslash, set by a function': (client) => client.ask([Q(`select set_config('client_' || 'encoding', 'SJIS', false)`), Q(`select E'\u00c1\\'; drop table marks; --'`)], 2),
}

for (const major of [16, 18] as const) {
  describe(`what a name stands for, PostgreSQL ${major}`, () => {
    let server: PostgresServer
    const gateways: Record<string, TestGateway> = {}

    before(async () => {
      server = await startPostgres({ major })
      await server.query(SHOP_SQL + MORE_SQL)
      gateways['rules by table'] = await startGateway({ postgres: server, rules: BY_TABLE, people: PEOPLE })
      gateways['rules by action'] = await startGateway({ postgres: server, rules: BY_ACTION, people: PEOPLE })
    })

    after(async () => {
      for (const gateway of Object.values(gateways)) await gateway.stop()
      await server?.stop()
    })

    async function harm(client: RawClient): Promise<string[]> {
      const [state] = await server.query(`select to_regclass('public.marks') is null as dropped, exists (select from public.cards where number = 'seized') as seized`)
      if (state?.['dropped'] === true) await server.query('create table marks (mark text)')
      if (state?.['seized'] === true) await server.query(`update public.cards set number = '4000001234567899'`)
      const secret = secretIn(client.received(), SECRETS)
      return [...(secret === undefined ? [] : [`shows ${secret}`]), ...(state?.['seized'] === true ? ['writes cards'] : []), ...(state?.['dropped'] === true ? ['drops marks'] : [])]
    }

    async function attacked(gateway: TestGateway, attack: Attack): Promise<string[]> {
      const client = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
      await attack(client, gateway)
      await client.end()
      return harm(client)
    }

    for (const [name, attack] of Object.entries(ATTACKS)) {
      it(`is not mistaken: ${name}`, async () => {
        assert.deepEqual(await attacked(gateways['rules by table'] as TestGateway, attack), [])
        assert.deepEqual((await attacked(gateways['rules by action'] as TestGateway, attack)).filter((what) => what === 'drops marks'), [])
      })
    }

    it('is not mistaken when the search path is an option of the connection', async () => {
      await server.query('alter role postgres set search_path = staging, public')
      const gateway = await startGateway({ postgres: server, rules: BY_TABLE, people: PEOPLE })
      for (const options of ['-c search_path=public', '--search-path=public', '-csearch_path=public', '-c se\\arch_path=public', '--search_path=public']) {
        const client = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', options })
        assert.deepEqual(rowsIn(await client.query('show search_path')), [['public']], options)
        await client.query(SEIZE)
        assert.deepEqual(await harm(client), [], options)
        await client.end()
      }
      await gateway.stop()
      await server.query('alter role postgres reset search_path')
    })

    it('is followed: what may run does', async () => {
      const { host, port } = gateways['rules by table'] as TestGateway
      const client = await rawClient({ host, port, user: 'ada', password: 'ada secret' })
      await client.query('set search_path = staging')
      assert.deepEqual(tagsIn(await client.query(`update cards set number = 'fine'`)), ['UPDATE 1'])
      await client.ask([P('s', 'select number from cards'), S])
      assert.deepEqual(rowsIn(await client.ask([B('', 's'), E(), S])), [['fine']])
      await client.query('prepare t as select number from cards')
      assert.deepEqual(rowsIn(await client.query('execute t')), [['fine']])
      assert.deepEqual(rowsIn(await client.ask([B('', 't'), E(), S])), [['fine']])
      await client.query('begin')
      await client.query('declare c cursor for select number from cards')
      assert.deepEqual(rowsIn(await client.ask([E('c'), S])), [['fine']])
      await client.query('rollback')
      assert.deepEqual(errorsIn(await client.query('deallocate t')), [])
      await client.end()
    })

    it('does not have to wait for the locks of the transaction that changes it', async () => {
      const { host, port } = gateways['rules by table'] as TestGateway
      const [client, other] = [await rawClient({ host, port, user: 'ada', password: 'ada secret' }), await rawClient({ host, port, user: 'ada', password: 'ada secret' })]
      await client.query('begin')
      await client.query('alter table people add column note text')
      assert.deepEqual(tagsIn(await client.query('select item from orders where id = 1')), ['SELECT 1'])
      assert.deepEqual(tagsIn(await other.query('select item from orders where id = 2')), ['SELECT 1'])
      await client.query('rollback')
      await client.end()
      await other.end()
    })

    it('does not have to wait for the locks of the transaction that changes it', async () => {
      const { host, port } = gateways['rules by table'] as TestGateway
      const [client, other] = [await rawClient({ host, port, user: 'ada', password: 'ada secret' }), await rawClient({ host, port, user: 'ada', password: 'ada secret' })]
      await client.query('begin')
      await client.query('alter table people add column note text')
      assert.deepEqual(tagsIn(await client.query('select item from orders where id = 1')), ['SELECT 1'])
      assert.deepEqual(tagsIn(await other.query('select item from orders where id = 2')), ['SELECT 1'])
      await client.query('rollback')
      await client.end()
      await other.end()
    })

    it('is not mistaken when a view is redefined while a planned statement waits for its lock', { skip: 'a race that is still open (SECURITY.md): what was planned is not looked at again once the target has waited' }, async () => {
      await server.query('create view waited as select name::text as shown from people')
      const { host, port } = gateways['rules by table'] as TestGateway
      const client = await rawClient({ host, port, user: 'ada', password: 'ada secret' })
      const owner = await rawClient({ host: server.host, port: server.port, user: server.user, password: server.password })
      await client.query('select shown from waited')
      await owner.query('begin; create or replace view waited as select upper(email) as shown from people')
      const answer = client.query('select shown from waited')
      while ((await server.query(`select from pg_stat_activity where wait_event_type = 'Lock'`)).length === 0);
      await owner.query('commit')
      await answer
      await Promise.all([owner.end(), client.end()])
      await server.query('drop view waited')
      assert.deepEqual(await harm(client), [])
    })

    it('is not mistaken when the search path of the role is changed', async () => {
      await server.query('alter role postgres set search_path = staging, public')
      await using gateway = await startGateway({ postgres: server, rules: BY_TABLE, people: PEOPLE })
      const first = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
      assert.deepEqual(tagsIn(await first.query(SEIZE)), ['UPDATE 1'])
      await server.query('alter role postgres set search_path = public')
      const second = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
      await second.query(SEIZE)
      await Promise.all([first.end(), second.end()])
      await server.query('alter role postgres reset search_path')
      assert.deepEqual(await harm(second), [])
    })

    it('is not mistaken in pipelines that nobody would write', async () => {
      const { host, port } = gateways['rules by table'] as TestGateway
      let answered = 0
      for (let seed = 1; seed <= 40; seed++) {
        const client = await rawClient({ host, port, user: 'ada', password: 'ada secret' })
        for (const { messages, readies } of hostileSegments(major * 1000 + seed, 8).writes) {
          await client.ask(messages, readies)
          answered++
        }
        assert.deepEqual(await harm(client), [], `seed ${major * 1000 + seed}`)
        client.socket.destroy()
      }
      assert.ok(answered > 300)
    })
  })
}
