import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { secretIn } from '../fault/disguises.ts'
import { B, E, errorsIn, H, P, Q, rawClient, rowsIn, S, type Frame, type RawClient } from '../fault/raw-client.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SECRETS, SHOP_SQL } from '../support/shop.ts'

const MORE = `
create schema side;
create schema late;
create view loud as select id, upper(email) as loud, email as plain from people;
create table visits (person int, place text) partition by range (person);
create table visits_low partition of visits for values from (0) to (100);
insert into visits values (1, '4000001234567899');
create table mine (id int, note text);
set check_function_bodies = off;
create function reads_own() returns text language sql as 'select email from own limit 1';
create procedure commits() language plpgsql as 'begin commit; end';
`
/** The group `pii` sees everything. */
const RULES = {
  'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
  'needs-names': `'public.nothing' in command.sql.writes ? { "effect": "block", "reason": "never" }`,
  'mask-personal': `$not('pii' in identity.groups) ? { "effect": "mask", "reason": "personal data", "columns": { "public.people.email": "partial", "public.people.phone": "fixed", "public.visits.place": "fixed", "class:pii.*": "fixed" } }`,
}
const PEOPLE = { ada: { password: 'ada secret' }, bob: { password: 'bob secret' }, pia: { password: 'pia secret', groups: ['pii'] } }
const BLOCKED = /^42501/

for (const major of [15, 16, 18] as const) {
  describe(`copies of masked columns, PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    let folder: string
    let gateway: TestGateway
    const clients: RawClient[] = []

    const start = (more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> => startGateway({ postgres: server, rules: RULES, people: PEOPLE, folder, ...more })
    before(async () => {
      server = await startPostgres({ major })
      await server.query('create database shop')
      await server.query(SHOP_SQL + MORE, 'shop')
      folder = await mkdtemp(join(tmpdir(), 'sallyport-copies-'))
      gateway = await start()
    })
    after(async () => {
      for (const client of clients) await client.end()
      await gateway?.stop()
      await server?.stop()
      await rm(folder, { recursive: true, force: true })
    })

    const connect = async (user: keyof typeof PEOPLE = 'ada'): Promise<RawClient> => {
      const client = await rawClient({ host: gateway.host, port: gateway.port, user, password: PEOPLE[user].password, database: 'shop' })
      clients.push(client)
      return client
    }
    const clean = (frames: readonly Frame[], text: string): readonly Frame[] => {
      assert.equal(secretIn(Buffer.concat(frames.map(({ body }) => body)), SECRETS), undefined, text)
      return frames
    }
    const run = async (client: RawClient, text: string): Promise<(string | null)[][]> => {
      const frames = clean(await client.query(text), text)
      assert.deepEqual(errorsIn(frames), [], text)
      return rowsIn(frames)
    }
    const refused = async (client: RawClient, text: string): Promise<void> => {
      assert.match(errorsIn(clean(await client.query(text), text)).join(), BLOCKED, text)
    }
    const partial = /^[a-z]\*+@example\.(com|org|net)$/
    const showsMasked = async (client: RawClient, text: string, like: RegExp = partial): Promise<void> => {
      const rows = await run(client, text)
      assert.ok(rows.length > 0, text)
      for (const row of rows) for (const value of row) assert.match(value ?? '', like, text)
    }
    /** What the server has, whoever asks: a copy that holds nothing would prove nothing. */
    const holds = async (table: string): Promise<void> => {
      assert.match(JSON.stringify(await server.query(`select * from ${table}`, 'shop')), /ada\.marsh/i, table)
    }

    /** The gateway has found the copy, by itself. */
    const settled = async (name: string): Promise<void> => {
      const { data: { copy } } = await gateway.until('copy.begun.v1', ({ data }) => data.name === name)
      const { data: { relations } } = await gateway.until('copy.settled.v1', ({ data }) => data.copy === copy)
      assert.equal(relations.length, 1, name)
    }
    /** The server is at it. */
    const isRunning = async (part: string): Promise<void> => {
      for (const late = AbortSignal.timeout(5000); !late.aborted;) {
        if ((await server.query(`select 1 from pg_stat_activity where state = 'active' and query like '%${part}%' and pid <> pg_backend_pid()`, 'shop')).length > 0) return
      }
      assert.fail(`${part} is not running`)
    }
    const exists = async (table: string): Promise<void> => {
      for (const late = AbortSignal.timeout(5000); !late.aborted;) {
        if ((await server.query(`select 1 from pg_class where relname = '${table}'`, 'shop')).length > 0) return
      }
      assert.fail(`${table} was not made`)
    }

    it('are masked as what they were made of, in a temporary table', async () => {
      const client = await connect()
      await run(client, 'create temp table mails as select id, email, upper(email) as loud, phone from people')
      await showsMasked(client, 'select email from mails')
      await showsMasked(client, 'select loud, phone from mails', /^\*+$/)
      await showsMasked(client, 'select lower(email), m.loud from mails m', /^\*+$/)
      await showsMasked(client, 'select m.email from mails m join people p using (id)')
      await showsMasked(client, 'table mails limit 0; select email from mails')
      await refused(client, `select id from mails where email like 'a%'`)
      await refused(client, 'select id from mails order by loud')
      await refused(client, 'alter table mails rename to others')
      await run(client, 'drop table mails')
      await run(client, 'create temp table mails as select id, name from people')
      assert.equal((await run(client, 'select name from mails where id = 1'))[0]?.[0], 'Ada Marsh')
    })

    describe('that are temporary, in the transaction that makes them', () => {
      const open: RawClient[] = []
      // What is locked in a transaction would stop those that come later.
      afterEach(async () => {
        for (const client of open.splice(0)) await client.end()
      })
      const begun = async (...texts: readonly string[]): Promise<RawClient> => {
        const client = await connect()
        open.push(client)
        for (const text of ['begin', ...texts]) await run(client, text)
        return client
      }
      const MAILS = 'create temp table own as select id, name, email, upper(email) as loud from people'

      it('are masked by what they were made of', async () => {
        const client = await begun(MAILS)
        await showsMasked(client, 'select email from own')
        await showsMasked(client, 'select o.email from pg_temp.own o join people p using (id)')
        await showsMasked(client, 'select loud, lower(email) from own', /^\*+$/)
        await showsMasked(client, 'select own::text, row_to_json(own) from own', /^("?\*+"?|\{\})$/)
        assert.deepEqual(await run(client, 'select * from own where id = 1'), [['1', 'Ada Marsh', 'a********@example.com', '***']])
        assert.deepEqual(await run(client, `select count(*), min(name) from own where name like 'A%'`), [['1', 'Ada Marsh']])
        await run(client, 'copy own to stdout')
        await run(client, 'copy (select loud, email from own) to stdout (format binary)')
        await run(client, 'commit')
        await showsMasked(client, 'select email from own')
      })

      for (const text of [
        `select id from own where email like 'a%'`, 'select id from own order by loud', 'select distinct email from own', 'select name from own where loud is null',
        'insert into visits select id, email from own', 'update own set name = email where id = 1', 'select * into temp other from own; select 1',
        'create view seen as select email from own', 'explain analyze select 1 from own where loud > 1::text', 'select reads_own()',
      ]) it(`refuse ${text}`, async () => refused(await begun(MAILS), text))

      it('are not read by a name that may stand for something else', async () => {
        const client = await begun(MAILS, 'set search_path = public, pg_temp')
        await refused(client, 'select email from own')
        const other = await begun(MAILS)
        const [[schema] = []] = await run(other, 'select pg_my_temp_schema()::regnamespace')
        await refused(other, `select upper(email) from ${schema}.own`)
      })

      it('are known by what they are after ROLLBACK TO, DROP and DISCARD', async () => {
        const client = await begun('savepoint a', 'create temp table own as select id, name as word from people')
        assert.equal((await run(client, 'select word from own where id = 1'))[0]?.[0], 'Ada Marsh')
        await run(client, 'prepare words as select word from own')
        await run(client, 'prepare loud as select upper(word) from own')
        const again = 'create temp table own as select id, email as word from people'
        for (const text of ['rollback to savepoint a', again]) await run(client, text)
        await showsMasked(client, 'select word from own')
        await showsMasked(client, 'execute words')
        await showsMasked(client, 'execute loud', /^\*+$/)
        for (const text of ['drop table own', 'create temp table own as select id, name as word from people']) await run(client, text)
        assert.equal((await run(client, 'execute words'))[0]?.[0], 'Ada Marsh')
        for (const text of ['discard temp', again]) await run(client, text)
        await showsMasked(client, 'execute words')
        await run(client, 'rollback')
      })

      it('do not stand for what the server planned before them', async () => {
        const client = await begun('commit')
        for (const text of ['prepare loud as select upper(email) from people', 'prepare plain as select email from people']) await run(client, text)
        for (const text of ['execute loud', 'begin', 'create temp table people (id int, email text)', `insert into people values (1, 'mine')`]) await run(client, text)
        await showsMasked(client, 'execute loud', /^\*+$/)
        await run(client, 'execute plain')
        await showsMasked(client, 'select upper(email) from people', /^\*+$/)
        await run(client, 'drop table people')
        await showsMasked(client, 'select email from people')
      })

      it('may have columns that nobody named', async () => {
        const client = await begun('create temp table unnamed as select id, case when true then email end, coalesce(email) from people', 'savepoint a')
        for (const text of ['select "case", coalesce from unnamed', 'select upper(unnamed.case) from unnamed', `select id from unnamed where "case" like 'a%'`, 'table unnamed']) {
          const frames = clean(await client.query(text), text)
          assert.ok(errorsIn(frames).length === 1 || rowsIn(frames).every((row) => row.every((value) => /^(\*+|\d)$/.test(value ?? ''))), text)
          await run(client, 'rollback to savepoint a')
        }
        await run(client, 'select id from unnamed')
      })

      it('are copied again, and shown by cursors', async () => {
        const client = await begun(MAILS, 'create temp table two (a, b) as select loud, email from own', 'declare c cursor for select b from two')
        await showsMasked(client, 'fetch all from c')
        await showsMasked(client, 'select a from two', /^\*+$/)
        await run(client, 'commit')
        await showsMasked(client, 'select b from two')
      })

      it('are refused with the rest once something else is defined', async () => {
        for (const text of ['alter table ours rename column name to word', 'create table plainly (id int)', 'create index on ours (id)']) {
          const client = await begun('create temp table ours as select id, name from people')
          await run(client, text)
          await refused(client, 'select * from ours')
        }
      })

      it('are made and read in one text when nothing masked is in them', async () => {
        const client = await connect()
        const rows = await run(client, 'begin; create temp table keys (id int) on commit drop; insert into keys values (1); select k.id, p.name, p.email from keys k join people p using (id); commit')
        assert.deepEqual(rows, [['1', 'Ada Marsh', 'a********@example.com']])
      })
    })

    for (const [what, text, table] of [
      ['CREATE TABLE AS', 'create table c_as as select id, email from people', 'c_as'],
      ['CREATE TABLE AS with names of its own', 'create table c_named (a, b) as select id, email from people', 'c_named'],
      ['CREATE TABLE AS in another schema', 'create table side.c_side as select id, email from people', 'side.c_side'],
      ['SELECT INTO', 'select id, email into c_into from people', 'c_into'],
      ['CREATE TABLE AS TABLE', 'create table c_table as table people', 'c_table'],
      ['CREATE MATERIALIZED VIEW', 'create materialized view c_mat as select id, email from people', 'c_mat'],
      ['CREATE UNLOGGED TABLE AS', 'create unlogged table c_unlogged as select id, email from people', 'c_unlogged'],
      ['a view', 'create table c_view as select id, plain as email from loud', 'c_view'],
      ['a common table expression', 'create table c_cte as with p as (select id, email from people) select * from p', 'c_cte'],
      ['rows that are deleted', 'create table c_deleted as with d as (update people set name = name returning id, email) select * from d', 'c_deleted'],
    ] as const) {
      it(`are masked for everybody after ${what}`, async () => {
        await run(await connect(), text)
        await holds(table)
        for (const user of ['ada', 'bob'] as const) {
          const client = await connect(user)
          const mail = table === 'c_named' ? 'b' : 'email'
          await showsMasked(client, `select ${mail} from ${table}`)
          await showsMasked(client, `select lower(${mail}) from ${table}`, /^\*+$/)
          await refused(client, `select 1 from ${table} where ${mail} like 'a%'`)
          await refused(client, `alter table ${table} rename to elsewhere`)
        }
        const pia = await connect('pia')
        assert.match(JSON.stringify(rowsIn(await pia.query(`select * from ${table}`))), /ada\.marsh/)
      })
    }

    it('stay masked in a copy of the copy, when what it was made of is gone', async () => {
      const client = await connect()
      await run(client, 'create table first as select email, upper(email) as loud from people')
      await run(client, 'create table second as select email as x, loud as y from first')
      await run(client, 'drop table first')
      await showsMasked(client, 'select x from second')
      await showsMasked(client, 'select y from second', /^\*+$/)
    })

    it('stay masked when somebody else renames them, their columns, or moves them', async () => {
      const client = await connect()
      await run(client, 'create table moved as select id, email from people')
      await settled('moved')
      for (const text of ['alter table moved rename to moved_on', 'alter table moved_on rename email to harmless', 'alter table moved_on set schema late', 'alter table late.moved_on drop column id', 'alter table late.moved_on add column id int default 7']) {
        await server.query(text, 'shop')
      }
      await showsMasked(await connect('bob'), 'select harmless from late.moved_on')
      const renaming = await connect('pia')
      await run(renaming, 'alter table late.moved_on rename to again')
      await showsMasked(client, 'select harmless from late.again')
    })

    it('stay masked when somebody else renames them before they were seen', async () => {
      const client = await connect()
      await run(client, 'begin')
      await run(client, 'create table seen_late as select id, email from people')
      const names = await connect('pia')
      const renaming = names.query('alter table seen_late rename to seen_never')
      await run(client, 'commit')
      await renaming
      await server.query('alter table if exists seen_late rename to seen_never', 'shop')
      await showsMasked(client, 'select email from seen_never')
    })

    it('are masked by the mask of the table that a partition belongs to', async () => {
      const client = await connect()
      await run(client, 'create table part as select place from visits_low')
      await showsMasked(client, 'select place from part', /^\*+$/)
    })

    it('are masked in views, generated columns and refreshed materialized views over them', async () => {
      const client = await connect()
      await run(client, 'create table based as select id, email from people')
      await server.query('create view over_based as select email as m, lower(email) as l from based; alter table based add column g text generated always as (upper(email)) stored', 'shop')
      await run(client, 'create materialized view mat_based as select m from over_based')
      await run(client, 'refresh materialized view mat_based')
      await showsMasked(client, 'select m from over_based')
      await showsMasked(client, 'select m from mat_based')
      await showsMasked(client, 'select l from over_based union all select g from based', /^\*+$/)
    })

    it('are followed when nothing was masked for whoever made them', async () => {
      const pia = await connect('pia')
      await pia.query('create table by_pia as select id, email from people; create temp table not_seen as select email from people')
      await holds('by_pia')
      await showsMasked(await connect(), 'select email from by_pia')
    })

    it('are refused in a transaction until it ends, and made when it is committed', async () => {
      const client = await connect()
      await run(client, 'begin')
      await run(client, 'create table in_transaction as select email from people')
      await refused(client, 'select email from in_transaction')
      await run(client, 'rollback')
      await run(client, 'begin')
      await run(client, 'create table in_transaction as select email from people')
      const other = await connect('bob')
      await refused(other, 'select upper(email) from in_transaction')
      await run(client, 'commit')
      await showsMasked(client, 'select email from in_transaction')
      await showsMasked(other, 'select email from in_transaction')
    })

    it('that are undone leave nothing behind', async () => {
      const client = await connect()
      await run(client, 'begin')
      await run(client, 'create table undone as select email as note from people')
      await run(client, 'rollback')
      await run(client, 'create table undone (id int, note text)')
      await run(client, `insert into undone values (1, 'harmless')`)
      assert.deepEqual(await run(client, 'select note from undone'), [['harmless']])
      assert.match(errorsIn(await client.query('create table failed as select email, 1/(id-id) from people')).join(), /22012|42501/)
      await run(client, 'create table failed (note text)')
      await run(client, `insert into failed values ('harmless')`)
      assert.deepEqual(await run(client, 'select note from failed'), [['harmless']])
    })

    it('are made by a statement of their own, and under a name of their own', async () => {
      const client = await connect()
      for (const text of [
        'create table t1 as select email from people; select email from t1',
        'create table t1 as select email from people; alter table t1 rename to t2',
        'create temp table mine as select email from people',
        'create table side.mine as select email from people',
        'create table if not exists mine as select email from people',
        'create table "na\u00efve" as select email from people',
        'explain analyze create table t1 as select email from people',
        'do $$ begin create table t1 as select email from people; end $$',
        `create table t1 as select id from people where email like 'a%'`,
        'create table t1 as select email::int from people',
        'create table t1 as select email from people union select phone from people',
        'insert into mine select id, email from people',
        'with p as (select email from people) insert into mine select 1, email from p',
        'update mine set note = email from people',
        'merge into mine m using people p on m.id = p.id when not matched then insert values (p.id, p.email)',
        'create view t1 as select email from people',
        'create function t1() returns text language sql begin atomic select email from people; end',
      ]) await refused(client, text)
      await run(client, `create table ${'x'.repeat(70)} as select email from people`)
      await showsMasked(client, `select email from ${'x'.repeat(63)}`)
      await run(client, 'prepare mails as select email from people')
      await refused(client, 'create table t1 as execute mails')
      assert.deepEqual(await server.query(`select relname from pg_class where relname ~ '^(t1|t2)$'`, 'shop'), [])
    })

    it('cannot be read by what was sent before they were made, or together with them', async () => {
      const client = await connect()
      const frames = clean(await client.ask([P('', 'create table piped as select email from people'), B('', ''), E(), P('', 'select upper(email) from piped'), B('', ''), E(), S]), 'one segment')
      assert.match(errorsIn(frames).join(), BLOCKED)
      clean(await client.ask([Q('create table piped as select email from people'), Q('select upper(email) from piped')], 2), 'two texts')
      await holds('piped')
      await showsMasked(client, 'select email from piped')
      const early = await connect('bob')
      const waiting = early.query('select pg_sleep(0.5); select upper(email) from raced')
      await isRunning('raced')
      await refused(client, 'create table raced as select email from people')
      clean(await waiting, 'sent before')
      await run(client, 'create table raced as select email from people')
      await showsMasked(early, 'select email from raced')
    })

    it('are masked when they were committed without another word', async () => {
      const client = await connect()
      await run(client, 'begin')
      await run(client, 'create table unsaid as select email from people')
      client.send(P('', 'commit'), B('', ''), E(), H)
      await client.when(() => client.has('C'))
      client.socket.destroy()
      const other = await connect('bob')
      await exists('unsaid')
      await showsMasked(other, 'select email from unsaid')
      const calling = await connect()
      clean(await calling.ask([P('', 'create table called as select email from people'), B('', ''), E(), P('', 'call commits()'), B('', ''), E(), P('', 'rollback'), B('', ''), E(), S]), 'called')
      if ((await server.query(`select 1 from pg_class where relname = 'called'`, 'shop')).length > 0) await showsMasked(calling, 'select email from called')
    })

    it('are told from others of that name, in sessions before and beside', async () => {
      for (let round = 0; round < 3; round++) {
        const client = await connect()
        await run(client, round === 1 ? 'create temp table same as select email e from people' : 'select email into temp same from people')
        await showsMasked(client, round === 1 ? 'select e from same' : 'select email from same')
        const other = await connect('bob')
        await run(other, 'create temp table same (email text)')
        await run(other, `insert into same values ('zoe@example.com')`)
        await run(other, 'select email from same')
        if (round === 0) await client.end()
      }
    })

    it('are found when their session is lost while they are made', async () => {
      const client = await connect()
      client.send(Q('create table orphan as select email from people, pg_sleep(0.5)'))
      await isRunning('orphan')
      client.socket.destroy()
      const other = await connect('bob')
      await refused(other, 'select upper(email) from orphan')
      await exists('orphan')
      await holds('orphan')
      await showsMasked(other, 'select email from orphan')
    })

    it('are masked after the gateway was started again, until the configuration says what they hold', async () => {
      const client = await connect()
      await run(client, 'create table lasting as select email, phone, upper(email) as loud from people')
      await run(client, 'select email from lasting')
      await server.query('alter table lasting rename to lasting_on', 'shop')
      const begun = await connect()
      begun.send(Q('create table unsettled as select email from people, pg_sleep(1)'))
      await isRunning('unsettled')
      await gateway.stop()
      gateway = await start()
      await showsMasked(await connect(), 'select email from lasting_on')
      await showsMasked(await connect(), 'select loud from lasting_on', /^\*+$/)
      await exists('unsettled')
      await showsMasked(await connect(), 'select email from unsettled')
      await gateway.stop()
      gateway = await start({ target: { classes: { 'public.lasting_on.email': 'public', '*.phone': 'public', 'public.lasting_on.loud': 'pii.shouted' } } })
      const after = await connect()
      assert.match(JSON.stringify(rowsIn(await after.query('select email from lasting_on'))), /ada\.marsh/)
      await showsMasked(after, 'select phone from lasting_on', /^\*+$/)
      await showsMasked(after, 'select loud from lasting_on', /^\*+$/)
    })
  })
}
