import { bind, copyData, copyDone, copyFail, describe, execute, flush, int16, int32, parse, query, sync } from '../support/compare-messages.ts'
import { describeTransparency } from '../support/compare.ts'

const BINARY_HEADER = Buffer.concat([Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1'), int32(0), int32(0)])
const binaryRow = (value: number): Buffer => Buffer.concat([int16(1), int32(4), int32(value)])
const run = (text: string): Buffer[] => [parse(text), bind(), describe('P'), execute()]

describeTransparency('COPY', {
  'out: text, CSV and binary, of tables and queries': async ({ open }) => {
    const client = await open()
    await client.ask(query("create table t (i int, n text, b bytea); insert into t values (1, e'tab\\tand\\nline', '\\x00ff'), (2, null, null), (3, '\"quoted\", \\.', '')"))
    for (const text of ['copy t to stdout', 'copy t to stdout (format csv, header)', 'copy t to stdout (format binary)', "copy (select i, n from t order by i desc) to stdout (delimiter ';', null 'NIL')", 'copy (select 1 where false) to stdout', 'copy (select 1/0) to stdout', 'copy (select 10/(3 - i) from generate_series(1, 5) i) to stdout']) {
      await client.ask(query(text))
      await client.ask(...run(text), sync())
    }
  },

  'in: text, CSV and binary, with the rows cut anywhere': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int, n text)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.ask(copyData('1\tone\n2'), copyData('\t\\N\n'), copyData(''), copyData('3\tthree\n\\.\n'), copyDone())
    client.send(query("copy t (n, i) from stdin (format csv, header, null 'NIL')"))
    await client.type('G')
    await client.ask(copyData('n,i\n"a ""b""\nc",4\n'), copyData('NIL,5\n'), copyDone())
    await client.ask(query('select * from t order by i'))
    await client.ask(query('create table b (i int)'))
    client.send(query('copy b from stdin (format binary)'))
    await client.type('G')
    await client.ask(copyData(BINARY_HEADER), copyData(binaryRow(7)), copyData(Buffer.concat([binaryRow(8), int16(-1)])), copyDone())
    await client.ask(query('select * from b order by i; copy b to stdout (format binary)'))
  },

  'in: bad rows, wrong columns, broken constraints: the rest of the rows is ignored': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int primary key)'))
    for (const rows of ['1\nx\n2\n', '1\t2\n', '1\n1\n', 'end of data missing']) {
      client.send(query('copy t from stdin'))
      await client.type('G')
      await client.ask(copyData(rows), copyData('9\n'), copyDone())
      await client.ask(query('select count(*) from t'))
    }
    await client.ask(query('copy nowhere from stdin'))
    await client.ask(query('copy t from stdin (format nothing)'))
    await client.ask(copyData('5\n'), copyDone(), query("select 'rows outside a COPY are ignored'"))
  },

  'in: CopyFail': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.ask(copyData('1\n'), copyFail('changed my mind'))
    client.send(...run('copy t from stdin'), flush())
    await client.type('G')
    await client.ask(copyData('1\n'), copyFail('and again'), sync())
    await client.ask(query('select count(*) from t'))
  },

  'in: the extended protocol, Sync sent before the rows and again behind them': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(...run('copy t from stdin'), sync())
    await client.type('G')
    await client.ask(copyData('1\n2\n'), copyDone(), sync())
    await client.ask(query('select count(*) from t'))
    client.send(...run('copy t from stdin'), sync())
    await client.type('G')
    await client.ask(copyData('bad\n'), copyDone(), sync())
    await client.ask(...run('select count(*) from t'), sync())
  },

  'in: the extended protocol, one Sync behind the rows': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(...run('copy t from stdin'), flush())
    await client.type('G')
    await client.ask(copyData('1\n'), copyDone(), ...run('select count(*) from t'), sync())
    await client.ask(parse('copy t from stdin', 'again'), describe('S', 'again'), sync())
    client.send(bind({ statement: 'again' }), execute(), flush())
    await client.type('G')
    await client.ask(copyData('2\n'), copyDone(), sync())
    await client.ask(bind({ statement: 'again' }), execute('', 1), copyData('3\n'), copyDone(), sync())
    await client.ask(query('table t'))
  },

  'several COPYs and queries in one message': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query("select 'before'; copy t from stdin; copy t to stdout; copy t from stdin; select count(*) from t"))
    await client.type('G')
    client.send(copyData('1\n'), copyDone())
    await client.type('G')
    await client.ask(copyData('2\n'), copyDone())
  },

  'in a transaction, with savepoints': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int); begin; savepoint a'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.ask(copyData('x\n'), copyDone())
    await client.ask(query('rollback to a'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.ask(copyData('1\n'), copyDone())
    await client.ask(query('commit'))
    await client.ask(query('table t'))
  },

  'a query in the middle of the rows ends the session': async ({ open, server }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    client.send(copyData('1\n'), query('insert into t values (2)'))
    await client.ended()
    const fatal = client.transcript.filter((line) => line.includes('SFATAL')).map((line) => /C(\w{5})/.exec(line)?.[1])
    client.transcript.length = 0
    return { fatal, rows: await server.query('table t') }
  },

  'Flush and Sync in the middle of the rows are ignored': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.ask(copyData('1\n'), sync(), flush(), copyData('2\n'), sync(), copyDone())
    await client.ask(query('table t'))
  },

  'a client that leaves in the middle of the rows leaves nothing behind': async ({ open, server }) => {
    const client = await open()
    await client.ask(query('create table t (i int)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.pour(copyData('1\n'))
    client.halfClose()
    await client.ended()
    return server.query('select count(*) from t')
  },

  'a row of 20 MB, each way': async ({ open }) => {
    const client = await open()
    await client.ask(query('create table t (b text)'))
    client.send(query('copy t from stdin'))
    await client.type('G')
    await client.pour(copyData(`${'x'.repeat(20_000_000)}\n`))
    await client.ask(copyDone())
    await client.ask(query('copy t to stdout'))
    await client.ask(query("select length(b), md5(b) from t; select 'behind it'"))
  },
})
