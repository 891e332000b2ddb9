import { bind, describe, execute, extended, parse, query, sync } from '../support/compare-messages.ts'
import { describeTransparency } from '../support/compare.ts'

const LATIN1 = (text: string): Buffer => Buffer.from(text, 'latin1')
/** 日本 in Shift_JIS, and ソ, whose second byte is a backslash. */
const SJIS_TEXT = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x83, 0x5c])

describeTransparency('what belongs to a session', {
  'start-up parameters take effect': async ({ open }) => {
    const client = await open({ parameters: { application_name: 'äpp näme', DateStyle: 'German, DMY', TimeZone: 'Asia/Tokyo', IntervalStyle: 'iso_8601', options: '-c work_mem=123kB -c search_path=a,public --statement_timeout=7777', client_encoding: 'UTF8', extra_float_digits: '0' } })
    await client.ask(query("select current_setting('work_mem'), current_setting('search_path'), current_setting('statement_timeout'), current_setting('application_name'), date '2024-02-01', interval '1 day', current_setting('TimeZone'), 0.1::float8 + 0.2"))
    await client.ask(query('select current_user, session_user, current_database()'))
  },

  'changes of reported parameters': async ({ open }) => {
    const client = await open()
    for (const step of ["set datestyle to 'SQL, DMY'", "set application_name = 'x'", 'begin', "set local timezone = 'UTC'", "set intervalstyle = 'postgres_verbose'", 'rollback', 'reset all', 'set client_encoding = latin1', 'set nothing.at_all = 1', 'set nothing = 1', 'set session characteristics as transaction read only', 'create table t ()', 'discard all']) await client.ask(query(step))
    await client.ask(extended("select set_config('timezone', 'Asia/Tokyo', false)"))
    await client.ask(query('set search_path = nowhere, public'))
    await client.ask(query('set role pg_monitor; select current_user; reset role; set session authorization default'))
  },

  'NOTIFY within a session and between two': async ({ open }) => {
    const one = await open()
    const two = await open()
    await one.ask(query('listen here; listen "Not Here"'))
    await two.ask(query("notify here, 'payload é'; notify here; select pg_notify('Not Here', 'quoted'); notify elsewhere"))
    for (let count = 0; count < 3; count++) await one.type('A')
    await one.ask(query("begin; notify here, 'own'; notify here, 'own'; select 'in between'"))
    await one.ask(query('commit'))
    await one.ask(query('unlisten *; notify here'))
    await one.ask(extended('listen here'))
    await two.ask(extended("select pg_notify('here', 'late')"))
    await one.type('A')
    await two.ask(query("begin; notify here, 'never'; rollback"))
    await one.ask(query('select 1'))
  },

  'text in LATIN1': async ({ open }) => {
    const client = await open({ parameters: { client_encoding: 'LATIN1' } })
    await client.ask(query(LATIN1("create table té (ï text); insert into té values ('ÿ£'), (e'\\u00e9')")))
    await client.ask(query(LATIN1("select ï, 'é' as é, length(ï) from té where ï <> 'ö'")))
    await client.ask(parse(LATIN1('select $1 || $$é$$ as x')), bind({ values: [LATIN1('ñ')] }), describe('P'), execute(), sync())
    await client.ask(query("select e'\\u20ac'"))
    await client.ask(query(LATIN1("select 'ä'::int")))
    await client.ask(query(LATIN1('select "nicht da: ä"')))
  },

  'text in SJIS, where a byte of a character can be a backslash': async ({ open }) => {
    const client = await open()
    await client.ask(query("set client_encoding = 'SJIS'"))
    const quoted = Buffer.concat([Buffer.from("select '"), SJIS_TEXT, Buffer.from("' as a, length('"), SJIS_TEXT, Buffer.from("')")])
    await client.ask(query(quoted))
    await client.ask(query(Buffer.concat([Buffer.from("set standard_conforming_strings = off; select '"), SJIS_TEXT, Buffer.from("'")])))
    await client.ask(parse('select $1::text'), bind({ values: [SJIS_TEXT] }), execute(), sync())
    await client.ask(query(Buffer.from([0x73, 0x65, 0x6c, 0x65, 0x63, 0x74, 0x20, 0x27, 0xff, 0x27])))
  },

  'SQL_ASCII, and bytes that are no text': async ({ open }) => {
    const client = await open({ parameters: { client_encoding: 'SQL_ASCII' } })
    await client.ask(query("select 'é', length('é')"))
    await client.ask(query(LATIN1("select 'é'")))
    await client.ask(query('set client_encoding = utf8'))
    await client.ask(query(LATIN1("select 'é'")))
    await client.ask(parse('select $1::text'), bind({ values: [Buffer.from([0x61, 0xff])] }), execute(), sync())
    await client.ask(parse('select $1::text'), bind({ values: [Buffer.from([0x61, 0])] }), execute(), sync())
    await client.ask(query(LATIN1('select 1 as "é"')))
    await client.ask(query("select 'and on'"))
  },

  'standard_conforming_strings off, backslash quotes and dollar quotes': async ({ open }) => {
    const client = await open()
    await client.ask(query('set standard_conforming_strings = off; set escape_string_warning = off'))
    for (const text of ["select 'a\\'b'", "select 'a\\\\'", "select e'\\x41'", 'select $x$a\\b$x$', "select U&'\\0041'"]) await client.ask(query(text))
    await client.ask(query('set standard_conforming_strings = on'))
    for (const text of ["select 'a\\'", "select U&'\\0041', U&\"d\\0061t\\+000061\" from (select 1 as data) x"]) await client.ask(query(text))
  },

  'temporary tables, sequences and session state stay with the session': async ({ open }) => {
    const one = await open()
    const two = await open()
    for (const client of [one, two]) await client.ask(query('create temp table t (i serial); insert into t default values returning i; select lastval()'))
    await one.ask(query('drop table t; select * from t'))
    await two.ask(query('select * from t; select currval(\'t_i_seq\')'))
  },

  'the server ends the session: the client reads why': async ({ open, server }) => {
    const client = await open()
    await client.ask(query("set application_name = 'doomed'"))
    await server.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doomed'")
    await client.ended()
    const busy = await open({ parameters: { application_name: 'doomed' } })
    busy.send(query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(10)'))
    await busy.ended()
  },

  'time-outs set by the client': async ({ open }) => {
    const client = await open()
    await client.ask(query("set statement_timeout = '20ms'"))
    await client.ask(query('select pg_sleep(10)'))
    await client.ask(extended('select pg_sleep(10)'))
    await client.ask(query("set statement_timeout = 0; set idle_in_transaction_session_timeout = '20ms'; begin"))
    await client.ended()
  },

  'a value of 50 MB out, and one of 30 MB in': async ({ open }) => {
    const client = await open()
    await client.ask(query("select convert_to(repeat('0123456789', 5000000), 'UTF8') as big"))
    await client.ask(parse('select $1::bytea as big, 7 as small'), bind({ results: [1] }), sync())
    const value = Buffer.alloc(30_000_000, 'value')
    await client.ask(parse('select length($1::bytea), md5($1)'), bind({ values: [value], formats: [1] }), describe('P'), execute(), sync())
    await client.ask(query(`select length('${'y'.repeat(5_000_000)}')`))
    await client.ask(query("select 'behind it'"))
  },

  '200,000 rows': async ({ open }) => {
    const client = await open()
    client.send(query('select i, i::text from generate_series(1, 200000) i'))
    let rows = 0
    await client.until(({ type }) => {
      if (type === 'D') rows++
      return type === 'Z'
    })
    return rows
  },
})

describeTransparency('protocol 3.2', {
  'a client that asks for it gets it, with a long cancel key': async ({ open }) => {
    const client = await open({ protocolMinor: 2 })
    await client.ask(query('select 1'))
  },
}, [18])
