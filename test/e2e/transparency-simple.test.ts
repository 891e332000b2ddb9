import { bind, describe, execute, parse, query, sync } from '../support/compare-messages.ts'
import { describeTransparency } from '../support/compare.ts'

const TYPES = `select 1::int2 as a, 2::int4 as b, 3::int8 as c, 1.5::float4 as d, 'NaN'::float8 as e, 12345.678::numeric(10,3) as f, true as g, null::text as h,
  'text'::text as i, 'char'::char(8) as j, 'varchar'::varchar(20) as k, '\\xdeadbeef'::bytea as l, date '2024-02-29' as m, timestamp '2024-02-29 12:34:56.789' as n,
  timestamptz '2024-02-29 12:34:56+02' as o, interval '1 year 2 days 3 seconds' as p, '{"a": [1, null]}'::jsonb as q, array[[1,2],[3,null]] as r,
  '192.168.0.1/24'::inet as s, point(1,2) as t, int4range(1,5) as u, 'b3b5c6a0-0000-4000-8000-000000000001'::uuid as v, row(1,'x',null) as w, b'101' as x, 'NaN'::money::text as y`
const GOOD_TYPES = TYPES.replace(", 'NaN'::money::text as y", '')

describeTransparency('simple queries', {
  'many types, as text': async ({ open }) => {
    const client = await open()
    await client.ask(query(GOOD_TYPES))
    await client.ask(query(TYPES))
  },

  'several statements in one message, each with its own result': async ({ open }) => {
    const client = await open()
    await client.ask(query("create table t (id int primary key, n text); insert into t values (1, 'one'), (2, null); select * from t order by id; update t set n = n || '!' returning *; delete from t where false;"))
    await client.ask(query('select 1; ; select 2;;'))
    await client.ask(query('-- only a comment'))
  },

  'an error in the middle of a message takes back what came before it': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (id int primary key)'))
    await client.ask(query('insert into t values (1); select 1/0; insert into t values (2)'))
    await client.ask(query('select count(*) from t'))
    await client.ask(query('insert into t values (1); commit; insert into t values (1); select 7'))
    await client.ask(query('select count(*) from t'))
  },

  'empty queries, and queries of nothing but space': async ({ open }) => {
    const client = await open()
    for (const text of ['', ';', '   ', ';;;', '/* nothing */']) await client.ask(query(text))
    await client.ask(parse(''), bind(), describe('P'), execute(), sync())
  },

  'errors with all their fields: position, detail, hint, schema, table, column, constraint': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (id int primary key, n int not null check (n > 0), m int references t)'))
    for (const text of ['selec 1', 'select nme from t', 'insert into t values (1, null)', 'insert into t values (1, 0)', 'insert into t values (1, 1, 5)', 'select * from nowhere', "select 'x'::int", 'select 1/0']) await client.ask(query(text))
    await client.ask(query("insert into t values (1, 1); insert into t values (1, 1)"))
    await client.ask(query("do $$ begin raise exception 'mine' using errcode = 'ZX123', detail = 'd', hint = 'h', schema = 's', table = 't', column = 'c', datatype = 'ty', constraint = 'co'; end $$"))
  },

  'notices and warnings, with context, between the messages of a result': async ({ open }) => {
    const client = await open({ parameters: { client_min_messages: 'debug1' } })
    await client.ask(query("create function noisy(i int) returns int language plpgsql as $$ begin raise notice 'seen %', i; raise warning 'w' using hint = 'h'; return i; end $$"))
    await client.ask(query('select noisy(i) from generate_series(1, 3) i'))
    await client.ask(query('drop table if exists nowhere; begin; begin; commit; commit; rollback'))
  },

  'transaction status after every step: savepoints, failed transactions, COMMIT in one, chains': async ({ open }) => {
    const client = await open()
    const steps = ['create table t (i int)', 'begin', 'insert into t values (1)', 'savepoint a', 'select 1/0', 'select 2', 'rollback to a', 'select 3', 'savepoint b', 'release b', 'release nobody', 'rollback to a', 'commit and chain', 'insert into t values (2)', 'select 1/0', 'commit', 'select count(*) from t', 'rollback', 'begin isolation level serializable, read only', 'insert into t values (3)', 'end', 'select count(*) from t']
    for (const step of steps) await client.ask(query(step))
  },

  'deferred constraints fail at COMMIT': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table p (id int primary key); create table c (p int references p deferrable initially deferred)'))
    for (const step of ['begin', 'insert into c values (1)', 'commit', 'select count(*) from c', 'begin', 'insert into c values (2)', 'set constraints all immediate', 'rollback', 'insert into c values (3)', 'insert into c values (4); select 4']) await client.ask(query(step))
  },

  'two-phase commit': async ({ open }) => {
    const client = await open()
    for (const step of ['create table t (i int)', 'begin', 'insert into t values (1)', "prepare transaction 'one'", 'select count(*) from t', "commit prepared 'one'", 'select count(*) from t', 'begin', 'insert into t values (2)', "prepare transaction 'two'", "rollback prepared 'two'", "rollback prepared 'two'", 'select count(*) from t']) await client.ask(query(step))
  },

  'cursors of SQL: DECLARE, FETCH, MOVE, WITH HOLD, CLOSE': async ({ open }) => {
    const client = await open()
    for (const step of ['begin', 'declare c scroll cursor for select i, i * i from generate_series(1, 10) i', 'fetch 3 from c', 'fetch backward 2 from c', 'move 4 in c', 'fetch all from c', 'fetch next from c', 'close c', 'fetch c', 'rollback', 'declare h cursor with hold for select i from generate_series(1, 4) i', 'fetch 2 from h', 'begin', 'fetch 1 from h', 'commit', 'fetch all from h', 'close all']) await client.ask(query(step))
  },

  'large objects, by SQL functions': async ({ open }) => {
    const client = await open()
    for (const step of ['begin', 'select lo_create(4242)', "select lo_put(4242, 0, '\\x00ff10')", 'select lo_get(4242)', 'select lo_open(4242, 131072 + 262144)', 'select loread(0, 2)', "select lowrite(0, 'abc')", 'select lo_lseek(0, 0, 2)', 'select lo_close(0)', 'commit', 'select lo_get(4242, 1, 3)', 'select lo_unlink(4242)', 'select lo_get(4242)']) await client.ask(query(step))
  },

  'a result of 1,600 columns, of none, and with long and odd names': async ({ open }) => {
    const client = await open()
    await client.ask(query(`select ${Array.from({ length: 1600 }, (_, index) => `${index} as c${index}`).join()}`))
    await client.ask(query(`select ${Array.from({ length: 1665 }, () => '1').join()}`))
    await client.ask(query('create table none (); insert into none default values; insert into none default values; select from none; select * from none'))
    await client.ask(query(`select 1 as "${'ä'.repeat(31)}", 2 as "with ""quotes"" and\nlines", 3 as "${'x'.repeat(200)}", 4 as "?column?"`))
    await client.ask(query(`create table t (${Array.from({ length: 1600 }, (_, index) => `c${index} int`).join()}); select * from t; insert into t (c1599) values (7); select * from t`))
  },

  'DISCARD, RESET, PREPARE, EXECUTE, DEALLOCATE and EXPLAIN': async ({ open }) => {
    const client = await open()
    const steps = ['create table t (i int)', 'prepare s (int) as select $1 + 1, count(*) from t', 'execute s (4)', 'execute s (1, 2)', 'explain (costs off) execute s (1)', 'deallocate s', 'execute s (4)', 'prepare s as values (1)', 'discard all', 'execute s', 'set work_mem = "64kB"', 'show work_mem', 'reset work_mem', 'create temp table x as select 1', 'select * from x', 'discard temp', 'select * from x', 'reset all', 'begin', 'discard all', 'rollback', 'explain (costs off, verbose) select * from t', 'explain (costs off, analyze, timing off, summary off, buffers off) select * from t']
    for (const step of steps) await client.ask(query(step))
  },

  'advisory locks between sessions': async ({ open }) => {
    const one = await open()
    const two = await open()
    await one.ask(query('select pg_advisory_lock(7)'))
    await two.ask(query('select pg_try_advisory_lock(7)'))
    two.send(query("select pg_advisory_lock(7), 'mine now'"))
    await one.ask(query('select pg_advisory_unlock(7), pg_advisory_unlock(8)'))
    await two.ready()
    await one.ask(query("set lock_timeout = '20ms'; select pg_advisory_lock(7)"))
  },

  'a message of 10,000 statements': async ({ open }) => {
    const client = await open()
    await client.ask(query(`create table t (i int); ${Array.from({ length: 9_998 }, (_, index) => `insert into t values (${index});`).join(' ')} select count(*), sum(i) from t`))
  },

  'a serialization failure is told as it is': async ({ open }) => {
    const one = await open()
    const two = await open()
    await one.ask(query('create table t (i int primary key, n int); insert into t values (1, 0), (2, 0)'))
    for (const client of [one, two]) await client.ask(query('begin isolation level repeatable read; select sum(n) from t'))
    await two.ask(query('update t set n = 1 where i = 1; commit'))
    await one.ask(query('update t set n = 2 where i = 1'))
    await one.ask(query('rollback'))
  },

  'errors raised by functions, and views, triggers, rules and RETURNING': async ({ open }) => {
    const client = await open()
    await client.ask(query(`create table t (i int primary key); create view v as select i, i * 2 as d from t;
      create function no() returns trigger language plpgsql as $$ begin if new.i > 5 then raise exception 'too large: %', new.i; end if; return new; end $$;
      create trigger g before insert on t for each row execute function no(); create rule r as on delete to t do instead nothing`))
    for (const step of ['insert into v (i) values (1), (2) returning *', 'insert into t values (3), (9)', 'delete from t', 'table v', 'with w as (update t set i = i + 10 where i = 1 returning i) select * from w', 'truncate t', 'table t']) await client.ask(query(step))
  },
})
