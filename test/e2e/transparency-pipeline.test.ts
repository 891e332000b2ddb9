import { bind, close, copyData, copyDone, describe, execute, extended, flush, parse, query, sync, terminate } from '../support/compare-messages.ts'
import { describeTransparency } from '../support/compare.ts'

const run = (text: string): Buffer[] => [parse(text), bind(), describe('P'), execute()]

describeTransparency('pipelining', {
  'many Parse, Bind, Execute before one Sync': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    await client.ask(parse('insert into t values ($1) returning i', 'add'), ...Array.from({ length: 500 }, (_, index) => [bind({ statement: 'add', values: [String(index)] }), execute()]).flat(), ...run('select count(*), sum(i) from t'), sync())
  },

  'several Syncs in flight, each segment a transaction of its own': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int primary key)'))
    client.send(...Array.from({ length: 50 }, (_, index) => extended(`insert into t values (${index % 40})`)))
    await client.ready(50)
    await client.ask(query('select count(*) from t'))
  },

  'an error in a segment skips to its Sync; the segments behind it run': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(...run('insert into t values (1)'), ...run('select 1/0'), ...run('insert into t values (2)'), sync(), ...run('insert into t values (3)'), sync(), ...run('select count(*) from t'), sync())
    await client.ready(3)
  },

  'simple queries in flight, behind one another and behind segments': async ({ open }) => {
    const client = await open()
    client.send(query('select 1'), query('select 1/0'), extended('select 2'), query('select 3; select 4'), sync(), sync(), query(''), ...run('select 5'), query('select 6'), sync())
    await client.ready(9)
  },

  'a simple query where an error skips to the next Sync': async ({ open }) => {
    const client = await open()
    client.send(...run('select 1/0'), query("select 'skipped'"), ...run('select 2'), sync(), query('select 3'))
    await client.ready(2)
  },

  'names defined again after an error, in flight': async ({ open }) => {
    const client = await open()
    await client.ask(parse("select 'first'", 's'), sync())
    client.send(
      close('S', 's'), ...run('select 1/0'), parse("select 'second'", 's'), sync(),
      bind({ statement: 's' }), execute(), sync(),
      close('S', 's'), parse("select 'third'", 's'), sync(),
      bind({ statement: 's' }), describe('P'), execute(), sync(),
      parse("select 'fourth'", 's'), sync(),
      bind({ statement: 's' }), describe('P'), execute(), sync(),
    )
    await client.ready(6)
  },

  'portals closed and made again, in flight': async ({ open }) => {
    const client = await open()
    await client.ask(query('begin'))
    client.send(
      parse('select i from generate_series(1, 4) i', 's'), bind({ portal: 'p', statement: 's' }), execute('p', 2), close('P', 'p'),
      bind({ portal: 'p', statement: 's' }), execute('p', 1), sync(), execute('p', 1), close('P', 'p'), execute('p', 1), sync(),
    )
    await client.ready(2)
    await client.ask(query('rollback'))
  },

  'transaction control in flight': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(...run('begin'), ...run('insert into t values (1)'), ...run('commit'), ...run('select 1/0'), sync(), ...run('select count(*) from t'), sync())
    await client.ready(2)
    client.send(...run('begin'), ...run('insert into t values (2)'), ...run('select 1/0'), sync(), ...run('insert into t values (3)'), sync(), ...run('rollback'), sync(), ...run('select count(*) from t'), sync())
    await client.ready(4)
    client.send(...run('insert into t values (4)'), ...run('begin'), ...run('savepoint a'), ...run('rollback'), sync(), ...run('select count(*) from t'), sync())
    await client.ready(2)
  },

  'Flush in the middle shows what is done so far': async ({ open }) => {
    const client = await open()
    client.send(...run('select 1'), flush(), ...run('select 2'), flush())
    await client.type('C')
    await client.type('C')
    client.send(...run('select 1/0'), flush())
    await client.type('E')
    client.send(...run("select 'skipped'"), flush(), sync())
    await client.ready()
  },

  'a COPY, its rows and what comes behind it, all in flight': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(...run('copy t from stdin'), copyData('1\n2\n'), copyDone(), sync(), ...run('select count(*) from t'), sync(), query('select 3'))
    await client.ready(3)
    client.send(query('copy t from stdin'), copyData('3\n'), copyDone(), query('select count(*) from t'))
    await client.ready(2)
    client.send(...run('copy t from stdin'), copyData('x\n'), copyDone(), sync(), ...run('select count(*) from t'), sync())
    await client.ready(2)
  },

  'messages cut at every byte': async ({ open }) => {
    const client = await open()
    const bytes = Buffer.concat([...run("select 'cut'"), sync(), query('select 2')])
    for (const byte of bytes) await client.pour(Buffer.of(byte))
    await client.ready(2)
  },

  '20,000 statements in flight, read only when all were sent': async ({ open }) => {
    const client = await open()
    const once = Buffer.concat([bind({ statement: 's', values: ['7'] }), execute(), sync()])
    await client.ask(parse('select $1::int', 's'), sync())
    for (let sent = 0; sent < 20; sent++) await client.pour(Buffer.concat(Array.from({ length: 1000 }, () => once)))
    await client.ready(20_000)
    await client.ask(query("select 'still there'"))
  },

  'Terminate right behind a query: it runs, and its answer still comes': async ({ open, server }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('insert into t select generate_series(1, 1000) returning i'), terminate())
    await client.ended()
    return server.query('select count(*) from t')
  },

  'what comes behind Terminate is not looked at': async ({ open, server }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('insert into t values (1)'), terminate(), query('insert into t values (2)'))
    await client.ended()
    return server.query('select count(*) from t')
  },

  'a client that sends no more still gets its answers': async ({ open, server }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('select pg_sleep(0.05)'), ...run('insert into t values (1) returning i'), sync())
    client.halfClose()
    await client.ended()
    return server.query('select count(*) from t')
  },
})
