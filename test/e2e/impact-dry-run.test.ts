import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { ApprovalRequested, Impact } from '../../core/index.ts'
import { B, E, errorsIn, P, Q, rawClient, S } from '../fault/raw-client.ts'
import { REVIEWER, startGateway, type TestGateway } from '../support/gateway.ts'
import { postgresUnavailable } from '../support/postgres-binaries.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

const RULES = {
  'hold-writes': `$count(command.sql.writes) >= 0 and command.action in ['insert', 'update', 'delete', 'call', 'unknown', 'admin', 'notify'] ? { "effect": "await-approval", "reason": "writes are looked at", "timeout": 60, "dry-run": true }`,
  'allow-reads': `{ "effect": "allow", "reason": "reading is allowed" }`,
}
const SCHEMA = `
create table people (id int primary key, name text, email text);
create table orders (id int primary key, person int references people on delete cascade, status text check (status <> 'bad'), total numeric generated always as (id * 2) stored);
create table parcels (id int primary key, "order" int references orders on delete cascade);
create table stickers (parcel int references parcels on delete set null deferrable initially deferred, id int);
insert into people select n, 'person ' || n, 'secret' || n || '@example.com' from generate_series(1, 5) n;
insert into orders select n, 1 + n % 5, 'new' from generate_series(1, 20) n;
insert into parcels select n, 1 + n % 20 from generate_series(1, 40) n;
insert into stickers select n, n from generate_series(1, 40) n;
create table numbered (id serial primary key, n int);
create table identified (id int generated always as identity primary key, n int);
insert into numbered (n) values (1), (2);
create table watched (id int primary key);
insert into watched values (1);
create function watch() returns trigger language plpgsql as $$ begin perform pg_notify('watched', 'x'); return old; end $$;
create trigger watching after delete on watched for each row execute function watch();
create table keyless (a int, b int);
insert into keyless values (1, 1), (2, 2);
create function noisy() returns int language plpgsql as $$ begin perform nextval('public.numbered_id_seq'); return 1; end $$;
create table checked (id int primary key, n int check (noisy() > 0));
create table defaulted (id int primary key, n int default noisy());
create table many (id int primary key);
insert into many select generate_series(1, 2000);
analyze;
`

for (const major of [15, 16, 18] as const) {
  describe(`a trial run of a held statement (PostgreSQL ${major})`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    let gateway: TestGateway
    let watcher: pg.Client
    const notified: string[] = []

    before(async () => {
      server = await startPostgres({ major })
      await server.query(SCHEMA)
      gateway = await startGateway({ postgres: server, rules: RULES, preview: { timeoutMs: 3500 }, target: { classes: { 'public.people.email': 'pii.email' } } })
      watcher = new pg.Client({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'postgres' })
      await watcher.connect()
      watcher.on('notification', ({ channel }) => notified.push(channel))
      await watcher.query('listen watched')
    })
    after(async () => {
      await watcher?.end()
      await gateway?.stop()
      await server?.stop()
    })

    async function held(): Promise<ApprovalRequested> {
      const late = AbortSignal.timeout(15_000)
      for (;;) {
        const [request] = gateway.approvals.pending()
        if (request !== undefined) return request
        if (late.aborted) throw new Error('nothing was held')
        await new Promise((resolve) => setImmediate(resolve))
      }
    }

    async function impactOf(sql: string | Buffer[], first: readonly string[] = []): Promise<Impact> {
      const client = await rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
      for (const each of first) assert.deepEqual(errorsIn(await client.ask([Q(each)])), [])
      const answer = client.ask(typeof sql === 'string' ? [Q(sql)] : sql)
      const { approval, digest, impact } = await Promise.race([held(), answer.then((frames) => assert.fail(`it was not held: ${errorsIn(frames).join()}`))])
      await gateway.approvals.answer(approval, { grant: false, reviewer: REVIEWER, digest, comment: '' })
      await answer
      await client.end()
      assert.ok(impact !== undefined)
      return impact
    }

    /** Everything a trial could have left: rows and their versions, sequences, locks, notifications. */
    async function traces(): Promise<unknown> {
      const [versions] = await server.query(`select (select array_agg(o.xmin::text || o.ctid || o.* order by id) from orders o) as orders, (select array_agg(p.xmin::text || p.* order by id) from parcels p) as parcels,
        (select array_agg(s.xmin::text || s.* order by id) from stickers s) as stickers, (select array_agg(k.xmin::text || k.*) from keyless k) as keyless, (select last_value::text || is_called from numbered_id_seq) as numbered, (select last_value::text || is_called from identified_id_seq) as identified`)
      return { versions, notified: [...notified] }
    }

    const effectsOf = ({ effects }: Impact): string[] => effects.map(({ resource, change, amount, certainty }) => `${change} ${amount ?? '?'} ${certainty} ${resource}`)

    it('shows the rows before and after, and leaves no trace', async () => {
      const before = await traces()
      const impact = await impactOf('update orders set status = status || \'!\' where id < 3 returning id')
      assert.deepEqual(impact.diff?.columns, ['id', 'person', 'status', 'total'])
      assert.deepEqual(impact.diff?.rows, [
        { before: ['1', '2', 'new', '2'], after: ['1', '2', 'new!', '2'] },
        { before: ['2', '3', 'new', '4'], after: ['2', '3', 'new!', '4'] },
      ])
      assert.deepEqual(effectsOf(impact), ['update 2 exact public.orders'])
      assert.deepEqual(impact.unknown, [])
      assert.deepEqual(await traces(), before)
    })

    it('counts what cascades reach, all the way down', async () => {
      const before = await traces()
      const impact = await impactOf([P('', 'delete from orders where id <= $1'), B('', '', ['4']), E(), S])
      assert.deepEqual(effectsOf(impact), ['delete 4 exact public.orders', 'delete 8 exact public.parcels', 'update 8 exact public.stickers'])
      assert.deepEqual(impact.diff?.rows[0], { before: ['1', '2', 'new', '2'], after: null })
      assert.deepEqual(await traces(), before)
    })

    it('shows rows that are added, and hides what is personal', async () => {
      const impact = await impactOf(`insert into people values (9, 'nine', 'nine@example.com'), (10, 'ten', null)`)
      assert.deepEqual(impact.diff?.rows, [{ before: null, after: ['9', 'nine', '***'] }, { before: null, after: ['10', 'ten', null] }])
      assert.deepEqual(impact.diff?.masked, ['email'])
      const changed = await impactOf(`update people set email = 'other@example.com' where id = 1`)
      assert.deepEqual(changed.diff?.rows, [{ before: ['1', 'person 1', '***'], after: ['1', 'person 1', '***'] }])
      assert.ok(!JSON.stringify(changed).includes('secret1'))
    })

    it('says that the target refuses what would fail', async () => {
      const impact = await impactOf(`update orders set status = 'bad' where id = 1`)
      assert.equal(impact.diff, undefined)
      assert.match(impact.unknown.join(), /no trial run: the target refused \(23514\)/)
    })

    for (const [what, sql, reason] of [
      ['takes a number from a sequence', 'insert into numbered (n) values (3)', /sequence/],
      ['fills an identity column', 'insert into identified (n) values (3)', /sequence/],
      ['sets a serial column to its default', 'update numbered set id = default where n = 1', /sequence/],
      ['calls nextval', `update orders set status = nextval('numbered_id_seq')::text where id = 1`, /sequence/],
      ['fires a trigger', 'delete from watched where id = 1', /trigger watching/],
      ['calls a function of its own', 'update orders set status = noisy()::text where id = 1', /noisy|sequence/],
      ['is checked by a function of its own', 'insert into checked values (1, 1)', /sequence/],
      ['fills in a default from a function of its own', 'insert into defaulted (id) values (1)', /sequence/],
      ['notifies', `update orders set status = 'x' where pg_notify('watched', 'x') is null`, /notify/],
      ['takes an advisory lock', 'update orders set status = \'x\' where pg_advisory_lock(7) is null', /lock/],
      ['sets a setting', `update orders set status = set_config('app.x', 'y', false) where id = 1`, /set_config|session/],
      ['writes a large object', 'update orders set person = lo_create(0)::int where id = 1', /large objects/],
      ['changes too many rows', 'delete from many', /at most 1000/],
      ['is one of several', `update orders set status = 'x' where id = 1; delete from keyless`, /several tables|single|alone/],
      ['is a MERGE', 'merge into orders o using people p on o.person = p.id when matched then update set status = \'m\'', /only a single INSERT, UPDATE or DELETE/],
    ] as const) {
      it(`does not try what ${what}, and says why`, async () => {
        const before = await traces()
        const impact = await impactOf(sql)
        assert.equal(impact.diff, undefined)
        assert.match(impact.unknown.find((line) => line.startsWith('no trial run: ')) ?? '', reason, JSON.stringify(impact.unknown))
        assert.deepEqual(await traces(), before)
      })
    }

    it('matches rows by OLD and NEW, or else by a primary key', async () => {
      const impact = await impactOf('update keyless set b = b + 1 where a = 1')
      if (major >= 18) assert.deepEqual(impact.diff?.rows, [{ before: ['1', '1'], after: ['1', '2'] }])
      else assert.match(impact.unknown.join(), /no primary key/)
    })

    it('waits for no lock that somebody holds, its own session among them', async () => {
      const impact = await impactOf(`update keyless set b = 0 where a = 2`, ['begin', `select * from keyless where a = 2 for update`])
      assert.match(impact.unknown.join(), /open transaction/)
      assert.equal(impact.diff, undefined)
      assert.match(impact.unknown.join(), major >= 18 ? /no trial run: something else holds a lock on it/ : /no primary key/)
    })
  })
}
