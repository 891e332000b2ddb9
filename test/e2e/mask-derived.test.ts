import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { secretIn } from '../fault/disguises.ts'
import { B, C, D, E, errorsIn, P, Q, rawClient, rowsIn, S, shapeOf, tagsIn, type Frame, type RawClient } from '../fault/raw-client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { psqlUnavailable, runPsql } from '../support/psql.ts'
import { SECRETS, SHOP_SQL } from '../support/shop.ts'

const MORE = `
create view loud as select id, upper(email) as loud, name from people;
create function mail_of(int) returns text language sql stable as 'select email from public.people where id = $1';
create function everyone() returns setof people language sql as 'select * from public.people';
create function shout(text) returns text language plpgsql as 'begin raise notice ''%'', $1; return $1; end';
create table odd (id int, "the \\ | column" text, note text);
insert into people values (4, E'Tab\\tNewline\\nBack\\\\slash "quoted", done', E'odd\\tada.marsh\\n"x",\\\\@example.com', null, null);
`
const mask = (more: string): Record<string, string> => ({
  'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
  'needs-names': `'public.nothing' in command.sql.writes ? { "effect": "block", "reason": "never" }`,
  'mask-personal': `{ "effect": "mask", "reason": "personal data", "columns": { "public.people.email": "partial", "public.people.phone": "fixed", "public.people.born": "partial", "public.cards.number": "partial" }${more} }`,
})
const PEOPLE = { ada: { password: 'ada secret' } }

for (const major of [15, 16, 18] as const) {
  describe(`what is computed from masked columns, PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    const gateways = new Map<string, TestGateway>()
    const clients: RawClient[] = []

    before(async () => {
      server = await startPostgres({ major })
      await server.query('create database shop')
      await server.query(SHOP_SQL, 'shop')
      await server.query(MORE, 'shop')
      for (const [name, more] of [['block', ''], ['equality', ', "predicates": "equality"'], ['allow', ', "predicates": "allow"'], ['untraced', ', "untraced": "mask"']] as const) {
        gateways.set(name, await startGateway({ postgres: server, rules: mask(more), people: PEOPLE }))
      }
    })
    after(async () => {
      for (const client of clients) await client.end()
      for (const gateway of gateways.values()) await gateway.stop()
      await server?.stop()
    })

    const connect = async (name: string): Promise<RawClient> => {
      const gateway = gateways.get(name)
      assert.ok(gateway !== undefined)
      const client = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'shop' })
      clients.push(client)
      return client
    }
    const clean = (frames: readonly Frame[], text: string): readonly Frame[] => {
      assert.deepEqual(errorsIn(frames), [], text)
      assert.equal(secretIn(Buffer.concat(frames.map(({ body }) => body)), SECRETS), undefined, text)
      return frames
    }
    const ask = async (client: RawClient, text: string): Promise<readonly Frame[]> => clean(await client.query(text), text)
    const refused = async (client: RawClient, text: string): Promise<void> => {
      const frames = await client.query(text)
      assert.match(errorsIn(frames).join(), /^42501/, text)
      assert.equal(secretIn(Buffer.concat(frames.map(({ body }) => body)), SECRETS), undefined, text)
    }

    it('is masked in each statement of one text by its own places', async () => {
      const client = await connect('block')
      const frames = await ask(client, `select id, upper(email) from people where id = 1; begin; select upper(name), 7 from people where id = 1; update people set name = name where id = 1; select lower(phone), id from people where id = 2; commit; select email from people where id = 1`)
      assert.deepEqual(rowsIn(frames), [['1', '***'], ['ADA MARSH', '7'], ['***', '2'], ['***@example.com']].map((row, index) => (index === 3 ? [rowsIn(frames)[3]?.[0]] : row)))
      assert.match(rowsIn(frames)[3]?.[0] ?? '', /\*+@example\.com$/)
    })

    it('is masked in both formats, and again without another Describe', async () => {
      const client = await connect('block')
      for (const format of [0, 1]) {
        clean(await client.ask([P('s', 'select id, upper(email), count(*) over () from people where id < $1 order by id'), B('', 's', ['3'], format), D('P', ''), E(), S]), 'first')
        for (const id of ['2', '3']) {
          const frames = clean(await client.ask([B('', 's', [id], format), E(), S]), 'again')
          assert.equal(shapeOf(frames), `2${'D'.repeat(Number(id) - 1)}CZ`)
          assert.ok(rowsIn(frames).every((row) => row[1] === '***'))
        }
        await client.ask([C('S', 's'), S])
      }
    })

    it('is masked through cursors, portals with a row limit, and SQL that prepares', async () => {
      const client = await connect('block')
      await ask(client, 'begin')
      await ask(client, 'declare c cursor for select id, upper(email) from people order by id')
      assert.deepEqual(rowsIn(await ask(client, 'fetch 2 from c')), [['1', '***'], ['2', '***']])
      assert.deepEqual(rowsIn(clean(await client.ask([E('c', 1), S]), 'portal')), [['3', '***']])
      await client.query('rollback')
      const frames = clean(await client.ask([Q('begin'), P('', 'select upper(email), id from people order by id'), B('p', '', []), E('p', 1), E('p', 2), S], 2), 'limits')
      assert.deepEqual(rowsIn(frames), [['***', '1'], ['***', '2'], ['***', '3']])
      await ask(client, 'rollback')
      await ask(client, 'prepare loud(int) as select upper(email), name from people where id = $1')
      assert.deepEqual(rowsIn(await ask(client, 'execute loud(1)')), [['***', 'Ada Marsh']])
    })

    it('is masked in what a view computes, and not in its other columns', async () => {
      const client = await connect('block')
      assert.deepEqual(rowsIn(await ask(client, 'select * from loud where id < 3 order by id')), [['1', '***', 'Ada Marsh'], ['2', '***', 'Bela Novak']])
      await refused(client, `select id from loud where loud like 'A%'`)
      await refused(await connect('equality'), `select id from loud where loud = 'ADA.MARSH@EXAMPLE.COM'`)
    })

    it('leaves what has nothing to do with them as it is', async () => {
      const client = await connect('block')
      assert.deepEqual(rowsIn(await ask(client, 'select (p).*, o.amount * 2 from people p join orders o on o.person = p.id where o.id = 1')).map((row) => [row[1], row[5]]), [['Ada Marsh', '79.80']])
      assert.deepEqual(rowsIn(await ask(client, 'select count(*), max(name) from people')), [['4', `Tab\tNewline\nBack\\slash "quoted", done`]])
    })

    for (const options of ['', 'with (format csv, header)', 'with (format binary)']) {
      it(`is masked in COPY TO STDOUT ${options}, so that it can be loaded again`, async () => {
        const client = await connect('block')
        await server.query('drop table if exists loaded; create table loaded (like people)', 'shop')
        for (const what of ['people', 'people (id, name, email, phone, born)', '(select * from people)', '(select id, name, email, phone, born from people order by id)']) {
          const frames = await ask(client, `copy ${what} to stdout ${options}`)
          assert.deepEqual(tagsIn(frames), ['COPY 4'])
          assert.ok(Buffer.concat(frames.map(({ body }) => body)).includes('Ada Marsh'))
        }
        const frames = await ask(client, `copy (select id, name, email, phone, born from people order by id) to stdout ${options}`)
        const direct = await rawClient({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'shop' })
        clients.push(direct)
        const copyIn = Buffer.concat([...frames.filter(({ type }) => type === 'd').map(({ body }) => copyData(body)), Buffer.from([0x63, 0, 0, 0, 4])])
        direct.send(Q(`copy loaded from stdin ${options}`))
        await direct.when(() => direct.has('G'))
        const answer = await direct.ask([copyIn])
        assert.deepEqual(errorsIn(answer), [])
        const rows = rowsIn(await direct.query('select id, name, email, phone, born from loaded order by id'))
        assert.deepEqual(rows.map(([id, name]) => [id, name]), [['1', 'Ada Marsh'], ['2', 'Bela Novak'], ['3', 'Chidi Okoro'], ['4', 'Tab\tNewline\nBack\\slash "quoted", done']])
        assert.deepEqual(rows.map((row) => row[3]), ['***', '***', '***', null])
        assert.deepEqual(rows.map((row) => row[4]), ['1984-01-01', '1979-01-01', '1991-01-01', null])
        for (const row of rows) assert.match(row[2] ?? '', /^\*+@example\.(com|org|net)$|\*/)
      })
    }

    it('is masked in COPY of what was computed', async () => {
      const client = await connect('block')
      const frames = await ask(client, 'copy (select id, upper(email), name from people where id < 3 order by id) to stdout')
      assert.deepEqual(frames.filter(({ type }) => type === 'd').map(({ body }) => body.toString()), ['1\t\\N\tAda Marsh\n', '2\t\\N\tBela Novak\n'])
      const two = await ask(client, 'copy (select name from people where id = 1) to stdout; copy (select email from people where id = 1) to stdout (format csv)')
      assert.equal(two.filter(({ type }) => type === 'd').length, 2)
      for (const text of [`copy people to stdout (null 'x', encoding 'latin1')`, `set client_encoding = 'sjis'; copy people to stdout`, 'copy (select * from people join cards using (id)) to stdout']) await refused(client, text)
      await ask(client, 'set client_encoding = latin1')
      await refused(client, 'copy people to stdout')
    })

    it('is masked in psql, with \\copy as well', { skip: psqlUnavailable() ?? false }, async () => {
      const gateway = gateways.get('block')
      assert.ok(gateway !== undefined)
      const { stdout, stderr, code } = await runPsql({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'shop', args: ['-At'], input: `\\copy (select id, email, upper(phone) from people where id = 1) to stdout csv\nselect upper(email), id from people where id = 1;\n` })
      assert.equal(secretIn(Buffer.from(stdout + stderr), SECRETS), undefined)
      assert.equal(code, 0)
      assert.match(stdout, /^1,a\*+@example.com,\n\*\*\*\|1\n$/)
    })

    it('may be compared for equality with constants where the mask says so, and in no other way', async () => {
      const client = await connect('equality')
      for (const where of [`email = 'ada.marsh@example.com'`, `'ada.marsh@example.com' = email`, `email in ('x', 'ada.marsh@example.com') and id > 0`, `email = any ('{ada.marsh@example.com}')`, `email = any (array['ada.marsh@example.com'])`, `(email = 'x' or email = 'ada.marsh@example.com'::text) and name like 'A%'`, `email operator(pg_catalog.=) 'ada.marsh@example.com'`]) {
        assert.deepEqual(rowsIn(await ask(client, `select id from people where ${where}`)), [['1']], where)
      }
      assert.deepEqual(rowsIn(clean(await client.ask([P('', 'select id, phone from people where email = $1'), B('', '', ['ada.marsh@example.com']), E(), S]), '$1')), [['1', '***']])
      for (const where of [`email like 'a%'`, `email::char(1) = 'a'`, `lower(email) = 'x'`, `email <> 'x'`, `not (email = 'x')`, `email > 'a'`, `email = phone`, `email = lower('X')`, `email = 'x' collate "C"`, `(email = 'x') = true`, `email not in ('x')`, `(email, id) = ('x', 1)`, `case when email = 'x' then true end`, `coalesce(email = 'x', true)`, `email = (select 'x')`, `born = '2000-01-01'::timestamp - interval '1 day'`, `email = any (array(select 'x'))`]) {
        await refused(client, `select id from people where ${where}`)
      }
      for (const text of [`select p.id from people p join orders o on p.email = 'x'`, `select id from people order by email`, `select distinct email from people`, `select email from people group by email`, `select id from people where id = 1 group by id having max(email) = 'x'`, 'select 1 / length(email) from people', `explain select id from people where email = 'x'`, `update people set name = email where email = 'x'`]) await refused(client, text)
      await ask(client, `update people set name = name where email = 'x'`)
      await refused(await connect('block'), `select id from people where email = 'x'`)
    })

    it('may be used to choose rows where the mask says so, and stays masked', async () => {
      const client = await connect('allow')
      assert.deepEqual(rowsIn(await ask(client, `select id from people where email like 'a%'`)), [['1']])
      assert.equal(rowsIn(await ask(client, 'select email, count(*) from people group by email order by email')).length, 4)
      assert.equal(rowsIn(await ask(client, 'select distinct upper(email) from people')).length, 4)
      assert.ok(rowsIn(await ask(client, 'select email from people union select item from orders')).every(([value]) => value === '***'))
      assert.ok(rowsIn(await ask(client, `select x.key, x.value from people p, json_each_text(to_json(p)) x`)).flat().every((value) => value === '***'))
      assert.ok(rowsIn(await ask(client, `select x from people p, regexp_split_to_table(p.email, '@') x`)).flat().every((value) => value === '***'))
      assert.ok(rowsIn(await ask(client, `select * from people p full join (select email, id as other from people) q using (email)`)).every(([value]) => value === '***'))
      await ask(client, `select 1 / length(email) from people where id = 1`)
      for (const text of ['select email::date from people', `select id from people where email::int > 5`, `select id from people order by (email || 'x')::inet`]) {
        const frames = await client.query(text)
        assert.equal(errorsIn(frames).length, 1, text)
        assert.equal(secretIn(Buffer.concat(frames.map(({ body }) => body)), SECRETS), undefined, text)
      }
      for (const text of [`select set_config('application_name', email, false) from people`, 'update people set name = email', 'insert into orders (person, item, amount) select id, email, 1 from people', 'select shout(email) from people', 'explain analyze select email from people', `with recursive r(n, e) as (select 1, email from people union all select n + 1, set_config('application_name', e, false) from r where n < 2) select n from r`]) await refused(client, text)
    })

    it('is masked altogether where a function is not followed, if the mask says so', async () => {
      const client = await connect('untraced')
      assert.deepEqual(rowsIn(await ask(client, 'select id, mail_of(id) from people where id < 3')), [['0', '***'], ['0', '***']])
      assert.ok(rowsIn(await ask(client, 'select * from everyone()')).flat().every((value) => value === '***' || value === '0' || value === '2000-01-01'))
      assert.equal(rowsIn(await ask(client, `select shout('x')`))[0]?.[0], 'x', 'its body reads nothing')
      for (const text of ['select shout(email) from people', `select id from people where mail_of(id) like 'a%'`, 'select id from people order by mail_of(id)', `select s.x from (select mail_of(1) x) s where s.x like 'a%'`, `with s as (select mail_of(1) x) select 1 from s where x like 'a%'`, 'select * from generate_series(1, length(mail_of(1)))', `do $$ begin execute 'select 1'; end $$`, `select query_to_xml('select email from people', true, false, '')`, `update people set name = mail_of(id)`, 'create table t as select mail_of(1)', 'copy (select mail_of(1)) to stdout', `explain analyze select mail_of(1)`]) await refused(client, text)
      await refused(await connect('block'), 'select mail_of(1)')
    })
  })
}

function copyData(body: Buffer): Buffer {
  const head = Buffer.alloc(5, 0x64)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
