import { bind, close, describe, execute, extended, flush, int32, parse, query, sync } from '../support/compare-messages.ts'
import { describeTransparency } from '../support/compare.ts'

const INT4 = 23
const TEXT = 25
const BYTEA = 17

describeTransparency('the extended protocol', {
  'unnamed and named statements, with and without Describe': async ({ open }) => {
    const client = await open()
    await client.ask(extended('select $1::int + 1 as n, $2::text as t', { values: ['41', 'ü'] }))
    await client.ask(parse('select $1::int * 2', 'twice', [INT4]), describe('S', 'twice'), sync())
    for (const value of ['1', '2', null]) await client.ask(bind({ statement: 'twice', values: [value] }), execute(), sync())
    await client.ask(bind({ statement: 'twice', values: ['21'] }), describe('P'), execute(), sync())
    await client.ask(parse('select 1', 'twice'), sync())
    await client.ask(close('S', 'twice'), close('S', 'never there'), sync())
    await client.ask(bind({ statement: 'twice', values: ['1'] }), execute(), sync())
  },

  'binary parameters and results, each column in its own format': async ({ open }) => {
    const client = await open()
    const values = [int32(-7), Buffer.from('bytes\0too'), 'text', null]
    const sql = 'select $1::int4 as i, $2::bytea as b, $3::text as t, $4::date as d, 1.25::numeric as n, now() - now() as z, array[1,2] as a, true as l'
    await client.ask(extended(sql, { values, formats: [1, 1, 0, 0], results: [1] }))
    await client.ask(extended(sql, { values, formats: [1, 1, 0, 0], results: [0, 1, 0, 1, 1, 1, 1, 0] }))
    await client.ask(extended(sql, { values, formats: [1, 1, 0, 0], results: [0, 1] }))
    await client.ask(extended('select $1::int4', { values: [Buffer.from('odd')], formats: [1], results: [1] }))
    await client.ask(extended('select $1::int4', { values: [int32(1)], formats: [7] }))
  },

  'parameters without types, described and bound': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int8, n numeric, j jsonb, d date)'))
    await client.ask(parse('insert into t values ($1, $2, $3, $4) returning *', 'add'), describe('S', 'add'), sync())
    await client.ask(bind({ statement: 'add', values: ['9007199254740993', '1e-3', '{"a":1}', '2024-01-01'] }), execute(), sync())
    await client.ask(parse('select $1', 'any'), describe('S', 'any'), sync())
    await client.ask(parse('select $1 || $2', '', [TEXT, 0]), describe('S'), sync())
    await client.ask(parse('select $2::int'), describe('S'), sync())
  },

  'errors at Parse, Bind, Describe, Execute and Close, and the state after each': async ({ open }) => {
    const client = await open()
    const after = async (): Promise<unknown> => client.ask(query('select 1'))
    await client.ask(parse('selec 1'), bind(), describe('P'), execute(), sync()).then(after)
    await client.ask(parse('select $1::int'), bind({ values: ['x'] }), describe('P'), execute(), sync()).then(after)
    await client.ask(parse('select $1::int'), bind({ values: [] }), execute(), sync()).then(after)
    await client.ask(parse('select 1'), bind({ values: ['x'] }), execute(), sync()).then(after)
    await client.ask(parse('select 1/$1::int'), bind({ values: ['0'] }), describe('P'), execute(), sync()).then(after)
    await client.ask(describe('S', 'nobody'), sync()).then(after)
    await client.ask(describe('P', 'nobody'), sync()).then(after)
    await client.ask(execute('nobody'), sync()).then(after)
    await client.ask(bind({ statement: 'nobody' }), sync()).then(after)
    await client.ask(parse('select 1; select 2'), sync()).then(after)
    await client.ask(parse('select 1', 's'), parse('select 2', 's'), sync()).then(after)
    await client.ask(bind({ portal: 'p', statement: 's' }), bind({ portal: 'p', statement: 's' }), sync()).then(after)
  },

  'errors inside a transaction block of the extended protocol': async ({ open }) => {
    const client = await open()
    await client.ask(extended('begin'))
    await client.ask(parse('select $1::int', 'n', [INT4]), sync())
    await client.ask(extended('select 1/0'))
    await client.ask(bind({ statement: 'n', values: ['1'] }), execute(), sync())
    await client.ask(describe('S', 'n'), sync())
    await client.ask(extended('rollback'))
    await client.ask(bind({ statement: 'n', values: ['1'] }), execute(), sync())
  },

  'portals with row limits: suspended, gone on with, and run dry': async ({ open }) => {
    const client = await open()
    await client.ask(query('begin'))
    await client.ask(parse('select i from generate_series(1, 7) i', 's'), bind({ portal: 'p', statement: 's', results: [1] }), describe('P', 'p'), execute('p', 3), sync())
    await client.ask(execute('p', 3), sync())
    await client.ask(query("select 'between'"))
    await client.ask(execute('p', 3), execute('p', 3), sync())
    await client.ask(close('P', 'p'), execute('p', 1), sync())
    await client.ask(query('rollback'))
    await client.ask(bind({ portal: 'q', statement: 's' }), execute('q', 2), execute('q', 2), execute('q'), sync())
    await client.ask(execute('q', 2), sync())
    await client.ask(bind({ statement: 's' }), execute('', 7), execute('', 1), sync())
    await client.ask(parse('insert into nowhere values (1)'), sync())
  },

  'portals of writes and of SQL cursors': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    await client.ask(query('begin'))
    await client.ask(parse('insert into t select generate_series(1, 5) returning i'), bind({ portal: 'w' }), execute('w', 2), execute('w', 0), sync())
    await client.ask(query('declare c cursor for select i from t order by i'))
    await client.ask(describe('P', 'c'), execute('c', 2), execute('c', 2), sync())
    await client.ask(query('fetch all from c'))
    await client.ask(parse('select 1'), bind({ portal: 'w2' }), sync())
    await client.ask(query('fetch all from w2'))
    await client.ask(query('commit'))
    await client.ask(execute('c', 1), sync())
  },

  'Flush instead of Sync': async ({ open }) => {
    const client = await open()
    client.send(parse('select $1::int', 'f'), describe('S', 'f'), flush())
    await client.type('T')
    client.send(bind({ statement: 'f', values: ['5'] }), flush())
    await client.type('2')
    client.send(execute(), flush())
    await client.type('C')
    await client.ask(sync())
    client.send(parse('select 1/0'), bind(), execute(), flush())
    await client.type('E')
    client.send(parse('select 2'), bind(), execute(), flush())
    await client.ask(sync())
    client.send(flush(), flush())
    await client.ask(query('select 3'))
  },

  'SQL names and protocol names are the same names': async ({ open }) => {
    const client = await open()
    await client.ask(query('prepare byname (int) as select $1 + 100'))
    await client.ask(describe('S', 'byname'), bind({ statement: 'byname', values: ['1'] }), execute(), sync())
    await client.ask(parse('select $1::int + 200', 'proto'), sync())
    await client.ask(query('execute proto (1)'))
    await client.ask(query('deallocate proto'))
    await client.ask(bind({ statement: 'proto', values: ['1'] }), execute(), sync())
    await client.ask(query('prepare proto as select 300'))
    await client.ask(bind({ statement: 'proto' }), describe('P'), execute(), sync())
    await client.ask(query('discard all'))
    await client.ask(bind({ statement: 'proto' }), execute(), sync())
    await client.ask(parse('select name, statement from pg_prepared_statements order by 1', 'list'), bind({ statement: 'list' }), execute(), sync())
  },

  'names of any length and in any bytes': async ({ open }) => {
    const client = await open()
    const long = 'n'.repeat(70)
    await client.ask(parse('select 1', long), sync())
    await client.ask(bind({ statement: `${'n'.repeat(63)}other` }), execute(), sync())
    await client.ask(parse('select 2', 'näme "quoted"'), bind({ portal: 'pörtal', statement: 'näme "quoted"' }), execute('pörtal'), sync())
    await client.ask(query('set client_encoding = latin1'))
    await client.ask(parse('select 3', Buffer.from([0xe9])), parse('select 4', Buffer.from([0xe8])), sync())
    await client.ask(query(Buffer.from('execute "\u00e9"', 'latin1')))
  },

  'a statement whose result changes shape under it': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (a int); insert into t values (1)'))
    await client.ask(parse('select * from t', 'all'), bind({ statement: 'all' }), execute(), sync())
    await client.ask(query('alter table t add b text default $$new$$'))
    await client.ask(bind({ statement: 'all' }), execute(), sync())
    await client.ask(parse('select * from t', 'again'), describe('S', 'again'), bind({ statement: 'again' }), execute(), sync())
  },

  '1,000 parameters, and more than there may be': async ({ open }) => {
    const client = await open()
    const values = Array.from({ length: 1000 }, (_, index) => String(index))
    await client.ask(extended(`select ${values.map((_, index) => `$${index + 1}::int`).join('+')}`, { values }))
    await client.ask(extended('select cardinality(array[$1::bytea])', { values: [Buffer.alloc(100_000, 7)], formats: [1] }))
    await client.ask(parse('select length($1)', '', [BYTEA]), bind({ values: [Buffer.alloc(300_000, 1)], formats: [1] }), execute(), sync())
    await client.ask(extended('select $1', { values: Array.from({ length: 65_535 }, () => null) }))
  },

  'deferred constraints fail at Sync': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table p (id int primary key); create table c (p int references p deferrable initially deferred)'))
    await client.ask(extended('insert into c values (1)'))
    await client.ask(extended('select count(*) from c'))
    await client.ask(parse('insert into c values (2)'), bind(), execute(), parse('insert into p values (2)'), bind(), execute(), sync())
    await client.ask(extended('select count(*) from c'))
  },
})
