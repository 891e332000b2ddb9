import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { ApprovalRequested, Impact } from '../../core/index.ts'
import { B, E, errorsIn, message, P, Q, rawClient, S, tagsIn, type RawClient } from '../fault/raw-client.ts'
import { bytesOf } from '../fault/stored-bytes.ts'
import { REVIEWER, startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { postgresUnavailable } from '../support/postgres-binaries.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SECRETS } from '../support/shop.ts'

const PEOPLE: NonNullable<TestGatewayOptions['people']> = { ada: { password: 'ada secret' }, pia: { password: 'pia secret', groups: ['pii'] } }
/** Time is plenty here: machines that run tests are busy. */
const PREVIEW = { timeoutMs: 3500 }
const RULES = {
  'hold-writes': `$count(command.sql.writes) >= 0 and $not('prepare' in command.actions) and command.action in ['insert', 'update', 'delete', 'truncate', 'drop', 'do', 'call', 'lock', 'unknown'] ? { "effect": "await-approval", "reason": "writes are looked at", "timeout": 60, "dry-run": 'dry' in identity.groups }`,
  'allow-reads': `{ "effect": "allow", "reason": "reading is allowed" }`,
  'mask-personal': `$not('pii' in identity.groups) ? { "effect": "mask", "reason": "personal data", "columns": { "public.people.email": "partial", "public.people.phone": "fixed" } }`,
}
const SCHEMA = `
create table people (id int primary key, name text not null, email text, phone text, note text);
create table orders (id int primary key, person int references people on delete cascade on update cascade, item text not null, amount numeric(10,2) not null, total numeric generated always as (amount * 2) stored);
create table parcels (id int primary key, "order" int references orders on delete cascade, weight int);
create table labels (parcel int references parcels on delete set null, text text);
create table invoices (id int primary key, "order" int references orders (id));
insert into people values (1, 'Ada Marsh', 'ada.marsh@example.com', '+44 20 7946 0018', 'call ada.marsh@example.com'), (2, 'Bela Novak', 'bela.novak@example.org', '+36 1 555 0142', null), (3, 'Chidi Okoro', 'chidi@example.net', '+234 1 555 0199', null);
insert into orders select n, 1 + n % 3, 'item ' || n, n from generate_series(1, 30) n;
insert into parcels select n, 1 + n % 30, n from generate_series(1, 60) n;
insert into labels select n, 'label ' || n from generate_series(1, 60) n;
create table seen (what text);
create sequence counter;
create function noisy(int) returns boolean language plpgsql as $$ begin insert into public.seen values ('noisy'); perform nextval('public.counter'); return true; end $$;
create function lying(int) returns boolean language plpgsql immutable as $$ begin perform nextval('public.counter'); return true; end $$;
create function plain_of(int) returns boolean language sql immutable as $$ select $1 = 1 $$;
create function lying_of(orders) returns boolean language plpgsql immutable as $$ begin perform nextval('public.counter'); return true; end $$;
create view counted as select id, nextval('public.counter') as n from orders;
create table watched (id int primary key, n int);
insert into watched select n, n from generate_series(1, 4) n;
create function watch() returns trigger language plpgsql as $$ begin insert into public.seen values ('watched'); perform pg_notify('watched', 'x'); return new; end $$;
create trigger watching after update of n on watched for each row execute function watch();
create trigger sleeping before delete on watched for each row execute function watch();
alter table watched disable trigger sleeping;
create table secured (id int primary key, tenant text);
insert into secured select n, case when n % 2 = 0 then 'a' else 'b' end from generate_series(1, 10) n;
create table policed (id int primary key);
insert into policed values (1), (2);
create policy sees on policed using (noisy(id));
alter table policed enable row level security;
create table indexed (id int);
insert into indexed values (1);
create table wide (id int primary key, n int);
insert into wide select n, n from generate_series(1, 20000) n;
analyze;
`

for (const major of [15, 16, 18] as const) {
  describe(`the impact of a held statement (PostgreSQL ${major})`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    let gateway: TestGateway

    before(async () => {
      server = await startPostgres({ major })
      await server.query(SCHEMA)
      await server.query(`create index on indexed (id) where lying(1); select setval('counter', 1, false)`)
      gateway = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, preview: PREVIEW })
    })
    after(async () => {
      await gateway?.stop()
      await server?.stop()
    })

    async function asked(client: RawClient, messages: Buffer[], at = gateway): Promise<{ request: ApprovalRequested; impact: Impact; deny: () => Promise<void> }> {
      const answer = client.ask(messages)
      const request = await Promise.race([held(at), answer.then((frames) => assert.fail(`it was not held: ${errorsIn(frames).join()}`))])
      assert.ok(request.impact !== undefined, 'there is no impact')
      return {
        request, impact: request.impact,
        deny: async () => {
          await at.approvals.answer(request.approval, { grant: false, reviewer: REVIEWER, digest: request.digest, comment: '' })
          await answer
        },
      }
    }

    async function held(at: TestGateway): Promise<ApprovalRequested> {
      const late = AbortSignal.timeout(15_000)
      for (;;) {
        const [request] = at.approvals.pending()
        if (request !== undefined) return request
        if (late.aborted) throw new Error('nothing was held')
        await new Promise((resolve) => setImmediate(resolve))
      }
    }

    /** The impact of one statement, which is then denied. */
    async function impactOf(sql: string | Buffer[], { before: first = [], prepare = [], at = gateway, user = 'pia' }: { before?: string[]; prepare?: Buffer[]; at?: TestGateway; user?: string } = {}): Promise<Impact> {
      const client = await rawClient({ host: at.host, port: at.port, user, password: `${user} secret` })
      for (const each of first) assert.deepEqual(errorsIn(await client.ask([Q(each)])), [])
      if (prepare.length > 0) await client.ask(prepare)
      const { impact, deny } = await asked(client, typeof sql === 'string' ? [Q(sql)] : sql, at)
      await deny()
      await client.end()
      return impact
    }

    const effectsOf = ({ effects }: Impact): string[] => effects.map(({ resource, change, amount, certainty, through }) => [change, amount ?? '?', certainty, resource, through].join(' ').trim())
    const untouched = async (): Promise<void> => {
      assert.deepEqual(await server.query('select count(*)::int as n from seen'), [{ n: 0 }])
      assert.deepEqual(await server.query('select is_called from counter'), [{ is_called: false }])
    }

    it('counts rows and follows cascades all the way down', async () => {
      const impact = await impactOf('delete from orders where id <= 4')
      assert.deepEqual(effectsOf(impact), [
        'delete 4 exact public.orders',
        'delete 8 exact public.parcels ON DELETE CASCADE of parcels_order_fkey',
        'update ? unknown public.labels ON DELETE SET NULL of labels_parcel_fkey',
      ])
      assert.equal(impact.summary, 'deletes 4 rows of public.orders, cascades to public.parcels, public.labels')
      assert.match(impact.notes.join('\n'), /it fails if rows of these refer to what changes: public\.invoices \(invoices_order_fkey\)/)
      assert.match(impact.plan ?? '', /on public\.orders .*cost/)
      assert.deepEqual(impact.sample?.columns, ['id', 'person', 'item', 'amount', 'total'])
      assert.deepEqual(impact.sample?.rows[0], ['1', '2', 'item 1', '1.00', '2.00'])
      assert.deepEqual(impact.unknown, [])
    })

    it('is the same in the extended protocol, with values in text and in binary', async () => {
      const text = await impactOf([P('', 'update orders set item = $1 where id = $2 or amount > $3'), B('', '', ['x', '3', '28']), E(), S])
      assert.equal(text.summary, 'updates 3 rows of public.orders')
      assert.deepEqual(text.notes, ['computed again from what is set: total'])
      const three = Buffer.from([0, 1, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0])
      const binary = await impactOf([P('', 'update orders set item = item where id <= $1'), message('B', Buffer.concat([Buffer.from([0, 0]), three])), E(), S])
      assert.equal(binary.summary, 'updates 3 rows of public.orders')
      const later = await impactOf([B('', 'kept', ['2']), E(), S], { prepare: [P('kept', 'delete from orders where id = $1'), S] })
      assert.match(later.summary, /^deletes 1 row of public\.orders/)
    })

    it('lists no cascade of an UPDATE that leaves the key alone, and lists it when it sets it', async () => {
      assert.equal((await impactOf('update people set name = name where id = 1')).effects.length, 1)
      assert.deepEqual(effectsOf(await impactOf('update people set id = 10 where id = 1')), ['update 1 exact public.people', 'update 10 at-most public.orders ON UPDATE CASCADE of orders_person_fkey'])
    })

    it('names triggers that fire, and says that they are not followed', async () => {
      const impact = await impactOf('update watched set n = 0 where id < 3')
      assert.deepEqual(impact.notes, ['trigger watching on public.watched runs public.watch() AFTER UPDATE'])
      assert.deepEqual(impact.unknown, ['what the triggers do is not followed'])
      assert.deepEqual((await impactOf('update watched set id = id where id < 3')).notes, [])
      assert.deepEqual((await impactOf('delete from watched where id < 3')).notes, [])
      await untouched()
    })

    it('counts what INSERT … SELECT and MERGE would do', async () => {
      assert.equal((await impactOf('insert into orders (id, person, item, amount) select id + 100, person, item, amount from orders where id < 8')).summary, 'inserts 7 rows of public.orders')
      assert.equal((await impactOf(`insert into seen values ('a'), ('b')`)).summary, 'inserts 2 rows of public.seen')
      const merge = 'merge into orders o using (select 1 as id union all select 99) n on o.id = n.id when matched then update set item = o.item when not matched then insert (id, item, amount) values (n.id, \'x\', 1)'
      assert.equal((await impactOf(merge)).summary, 'updates at most 1 row of public.orders; inserts at most 1 row of public.orders')
    })

    it('counts a row once that is joined more than once', async () => {
      assert.equal((await impactOf('update orders o set item = o.item from parcels p where p."order" = o.id and o.id < 6')).summary, 'updates 5 rows of public.orders')
    })

    it('counts what the server itself reports when the statement runs', async () => {
      const direct = new pg.Client({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'postgres' })
      await direct.connect()
      for (const sql of [
        'update orders set item = item',
        'update only orders as o set (item, amount) = (o.item, 1) where o.id between 3 and 9 and o.item like \'item _\'',
        'update orders set item = case when id > 5 then item else \'from\' end where id in (select "order" from parcels where weight % 3 = 0)',
        'with heavy as (select "order" as id from parcels where weight > 40) update orders o set item = \'x\' from heavy h where h.id = o.id',
        'update orders o set item = p.name from people p left join orders x on x.person = p.id and x.id is distinct from 1 where p.id = o.person',
        'delete from parcels p using orders o join people q on q.id = o.person where p."order" = o.id and q.name ~ \'^A\'',
        'delete from parcels where (weight, id) > (10, 10) or weight is null returning *',
        'delete from parcels /* where false */ where not exists (select 1 from orders where orders.id = parcels."order" and orders.id > 3) -- and false',
        'update watched set n = n + 1 where id = any (array[1, 2, 99])',
        'update parcels set weight = weight where extract(year from date \'2026-01-01\' + weight) = 2026 and weight::text <> $$it\'s; where$$',
        'insert into labels (parcel, text) (select id, \'x\' from parcels where weight < 7 union all select 1, \'y\') returning parcel',
        'insert into labels with w as (select 1 as n) select n, \'z\' from w cross join generate_series(1, 4)',
      ]) {
        const impact = await impactOf(sql)
        await direct.query('begin')
        const { rowCount } = await direct.query(sql)
        await direct.query('rollback')
        assert.deepEqual([impact.effects[0]?.amount, impact.effects[0]?.certainty], [rowCount, 'exact'], `${sql}\n${JSON.stringify(impact)}`)
      }
      await direct.end()
    })

    it('sees the search path and the own settings of the session, and says what it cannot see', async () => {
      await server.query(`create schema if not exists other; create table if not exists other.orders (id int); insert into other.orders values (1), (2)`)
      const impact = await impactOf('delete from orders', { before: ['set search_path = other', `set app.tenant = 'a'`, 'begin', 'set work_mem = \'8MB\''] })
      assert.equal(impact.summary, 'deletes 2 rows of other.orders')
      assert.deepEqual(impact.unknown, [
        'app.tenant is taken to be as the session set it last', 'what the session\'s open transaction has changed so far is not seen', 'the session has set work_mem, which is not repeated here',
      ])
    })

    it('acts as the session\'s role, under its row security', async () => {
      await server.query(`create role tenant; grant all on secured to tenant; alter table secured enable row level security; create policy own on secured using (tenant = current_setting('app.tenant'))`)
      const impact = await impactOf('delete from secured', { before: ['set role tenant', `set app.tenant = 'a'`] })
      assert.equal(impact.summary, 'deletes 5 rows of public.secured')
      assert.match(impact.unknown.join('\n'), /row security hides rows of public\.secured/)
    })

    it('gives the planner\'s guess where counting is too dear', async () => {
      await using thrifty = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, preview: { ...PREVIEW, maxCost: 50 } })
      const impact = await impactOf('delete from wide', { at: thrifty })
      assert.equal(impact.effects[0]?.certainty, 'estimate')
      assert.match(impact.summary, /^deletes ≈ \d+ rows of public\.wide$/)
      assert.match(impact.unknown.join('\n'), /counting them would cost \d+ \(at most 50 is spent/)
      assert.equal(impact.sample, undefined)
    })

    it('does not delay an approval for long, and says that the time was up', async () => {
      await using hasty = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, preview: { maxCost: 1e12, timeoutMs: 500 } })
      const began = performance.now()
      const impact = await impactOf('delete from wide a using wide b, wide c where a.n <> b.n + c.n', { at: hasty })
      assert.ok(performance.now() - began < 5000)
      assert.equal(impact.effects[0]?.resource, 'public.wide')
      assert.match(impact.unknown.join('\n'), /it took too long|the time to find out \(500 ms\) was up/)
    })

    it('is given up when the statement is cancelled or its client leaves', async () => {
      await using slow = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, preview: { maxCost: 1e12, timeoutMs: 30_000 } })
      const previews = async (): Promise<number> => Number((await server.query(`select count(*)::int as n from pg_stat_activity where application_name = 'sallyport preview' and state = 'active' and query like '%count(*)%'`))[0]?.['n'])
      const until = async (wanted: number): Promise<void> => {
        const late = AbortSignal.timeout(15_000)
        while ((await previews()) !== wanted) if (late.aborted) throw new Error(`there are not ${wanted} previews`)
      }
      const sql = 'delete from wide a using wide b, wide c where a.n <> b.n + c.n'
      const client = new pg.Client({ host: slow.host, port: slow.port, user: 'pia', password: 'pia secret', database: 'postgres' })
      await client.connect()
      const answer = assert.rejects(client.query(sql), { code: '57014' })
      await until(1)
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
      const canceller = new pg.Client({ host: slow.host, port: slow.port, user: 'pia', database: 'postgres' }) as unknown as { connection: { connect(port: number, host: string): void; on(event: string, then: () => void): void; cancel(id: number, key: number): void } }
      canceller.connection.on('connect', () => canceller.connection.cancel(processID, secretKey))
      canceller.connection.connect(slow.port, slow.host)
      await answer
      await until(0)
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }])
      await client.end()
      const leaving = await rawClient({ host: slow.host, port: slow.port, user: 'pia', password: 'pia secret' })
      leaving.send(Q(sql))
      await until(1)
      leaving.socket.destroy()
      await until(0)
      await slow.until('approval.withdrawn.v1', ({ data }) => data.reason !== 'canceled by the client')
    })

    it('waits for no lock', async () => {
      const holder = new pg.Client({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'postgres' })
      await holder.connect()
      await holder.query('begin; lock table wide')
      try {
        const impact = await impactOf('delete from wide where id = 1')
        assert.match(impact.unknown.join('\n'), /something else holds a lock on it/)
      } finally {
        await holder.end()
      }
    })

    for (const [what, sql, reason] of [
      ['a volatile function', 'delete from orders where noisy(id)', /more than read/],
      ['a function that calls itself immutable', 'delete from orders where lying(1)', /lying/],
      ['a function of its own that only computes', 'delete from orders where plain_of(id)', /plain_of/],
      ['a function named like a column', 'delete from orders where orders.lying_of', /lying_of|whole row/],
      ['a function of a row in brackets', 'delete from orders where (orders).lying_of', /field/],
      ['a sequence', `delete from orders where id = nextval('counter')`, /sequence|nextval/],
      ['a view that calls one', 'delete from orders using counted c where c.id = orders.id', /sequence|nextval/],
      ['a policy that calls one', 'delete from policed', /more than read/],
      ['an index whose condition calls one', 'delete from indexed', /lying/],
      ['a lock', 'delete from orders where pg_advisory_lock(1) is null', /pg_advisory_lock|lock/],
      ['a write in a WITH', 'with w as (insert into seen values (1) returning what) delete from orders using w', /more than read/],
    ] as const) {
      it(`runs nothing for a statement with ${what}`, async () => {
        const impact = await impactOf(sql)
        assert.equal(impact.effects[0]?.certainty, 'unknown', JSON.stringify(impact))
        assert.match(impact.unknown.join('\n'), reason)
        assert.equal(impact.sample, undefined)
        await untouched()
      })
    }

    it('runs nothing while the database has operators or casts of its own that the statement may use', async () => {
      await server.query(`create function evil_eq(text, int) returns boolean language plpgsql as $$ begin perform nextval('public.counter'); return true; end $$; create operator public.= (leftarg = text, rightarg = int, function = evil_eq)`)
      assert.match((await impactOf('delete from orders where case item when 1 then true end')).unknown.join('\n'), /operator of its own/)
      await server.query(`drop operator public.= (text, int); create type mine as enum ('a', 'b'); create function evil_cast(mine) returns int language plpgsql as $$ begin perform nextval('public.counter'); return 1; end $$; create cast (mine as int) with function evil_cast(mine) as implicit`)
      assert.match((await impactOf(`delete from orders where id = 'a'::mine`)).unknown.join('\n'), /cast of its own/)
      await untouched()
      await server.query('drop type mine cascade')
    })

    it('is not led astray by comments, quotes and several statements', async () => {
      assert.equal((await impactOf('delete from orders where id = 1 -- or true')).summary, 'deletes 1 row of public.orders, cascades to public.parcels, public.labels')
      assert.equal((await impactOf(`update orders set item = ') where true; delete from people; --' where item = 'item 2) --'`)).summary, 'updates 0 rows of public.orders')
      const several = await impactOf('select 1; update orders set amount = 1 where id = 1; delete from seen /* where true */')
      assert.equal(several.summary, 'updates 1 row of public.orders; deletes 0 rows of public.seen')
      assert.match(several.unknown.join('\n'), /3 statements: each is looked at as if it ran alone/)
    })

    it('shows no personal data to a reviewer, whoever asks, and stores none', async () => {
      const mine = await startGateway({ postgres: server, rules: RULES, people: PEOPLE, preview: PREVIEW, target: { classes: { 'public.people.phone': 'pii.phone', 'public.people.email': 'pii.email' } } })
      try {
        const impact = await impactOf('update people set name = upper(name)', { at: mine, user: 'pia' })
        assert.deepEqual(impact.sample?.rows[0], ['1', 'Ada Marsh', '***', '***', '***'])
        assert.deepEqual(impact.sample?.masked.toSorted(), ['email', 'note', 'phone'])
        const masked = await impactOf('delete from people where id = 2', { at: mine, user: 'ada' })
        assert.deepEqual(masked.sample?.rows, [['2', 'Bela Novak', '***', '***', null]])
        const stored = Buffer.concat((await mine.events()).map(bytesOf)).toString('latin1')
        for (const secret of SECRETS.slice(0, 6)) assert.ok(!stored.includes(secret), secret)
      } finally {
        await mine.stop()
      }
    })

    it('says what it cannot count, and still asks for the approval', async () => {
      const made = await impactOf('drop table seen')
      assert.deepEqual(effectsOf(made), ['change ? unknown public.seen'])
      assert.match(made.unknown.join('\n'), /what drop changes is not counted/)
      assert.match((await impactOf('execute p(1)', { before: ['prepare p(int) as delete from orders where id = $1'] })).unknown.join('\n'), /prepared before/)
      assert.match((await impactOf(`do $$ begin delete from orders; end $$`)).unknown.join('\n'), /what do changes is not counted/)
      const temporary = await impactOf('delete from mytemp', { before: ['create temp table mytemp (id int)'] })
      assert.deepEqual(temporary.effects.map(({ certainty }) => certainty), ['unknown'])
      assert.match(temporary.unknown.join('\n'), /search path is not known for certain|temporary/)
    })

    it('leaves a read without one, and runs what is approved as before', async () => {
      const client = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
      const answer = client.ask([Q('update orders set item = item where id = 1')])
      const { approval, digest } = await held(gateway)
      await gateway.approvals.answer(approval, { grant: true, reviewer: REVIEWER, digest, comment: '' })
      assert.deepEqual(tagsIn(await answer), ['UPDATE 1'])
      await client.end()
    })
  })
}
