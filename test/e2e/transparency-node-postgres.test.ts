import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import pg from 'pg'
import { describeTransparency, outcomeOf } from '../support/compare.ts'

const TABLE = 'create table t (i int primary key, n text, b bytea, j jsonb, d timestamptz)'

describeTransparency('node-postgres', {
  'simple and parameterised queries, and their errors': async ({ connect }) => {
    const client = await connect()
    const results: unknown[] = []
    const ask = async (...query: [string, unknown[]?]): Promise<void> => void results.push(await outcomeOf(client.query(...query)))
    await ask(TABLE)
    await ask('insert into t values ($1, $2, $3, $4, $5) returning *', [1, 'öne', Buffer.from([0, 255]), { a: [1] }, new Date(0)])
    await ask('insert into t values ($1)', [1])
    await ask('insert into t values ($1), ($2)', [2, 'two'])
    await ask('select * from t where i = $1', [null])
    await ask("select 1 as a; select 'b' as b; update t set n = 'x'")
    await ask('select * from t; select 1/0; select 2')
    await ask('')
    await ask('select $1::int[] as a, $2::text[] as t', [[1, null], ['a"b', '{}']])
    await ask('begin')
    await ask('select nothing')
    await ask('select 1')
    await ask('rollback')
    return results
  },

  'prepared statements by name, run again, and with another text': async ({ connect }) => {
    const client = await connect()
    const results: unknown[] = []
    for (let round = 0; round < 3; round++) results.push(await outcomeOf(client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [round] })))
    results.push(await outcomeOf(client.query({ name: 'twice', text: 'select 1', values: [] })))
    results.push(await outcomeOf(client.query({ name: 'broken', text: 'select $1::int / 0', values: [1] })))
    results.push(await outcomeOf(client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: ['x'] })))
    results.push(await outcomeOf(client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [21] })))
    results.push(await outcomeOf(client.query({ text: 'select $1::int as i, now() is not null as n', values: [1], binary: true } as pg.QueryConfig)))
    return results
  },

  'many queries, some with errors, one behind the other': async ({ connect }) => {
    const client = await connect()
    const results: unknown[] = []
    for (let index = 0; index < 200; index++) results.push(await outcomeOf(client.query(index % 7 === 0 ? 'select 1/$1::int' : 'select $1::int as n', [index % 14])))
    return results
  },

  'cursors': async ({ connect }) => {
    const client = await connect()
    const results: unknown[] = []
    const cursor = client.query(new Cursor('select i, i * i as s from generate_series(1, $1) i', [25]))
    results.push(await cursor.read(10), await cursor.read(10), await cursor.read(10), await cursor.read(10))
    await cursor.close()
    const early = client.query(new Cursor('select i from generate_series(1, 100) i'))
    results.push(await early.read(1))
    await early.close()
    const bad = client.query(new Cursor('select 10 / (5 - i) from generate_series(1, 9) i'))
    results.push(await bad.read(3), await bad.read(3).catch((error: Error) => error.message))
    results.push(await outcomeOf(client.query('select 1 as after')))
    return results
  },

  'COPY by streams': async ({ connect }) => {
    const client = await connect()
    await client.query(TABLE)
    const rows = Array.from({ length: 5000 }, (_, index) => `${index}\tname ${index}\n`)
    await pipeline(Readable.from(rows), client.query(copyFrom('copy t (i, n) from stdin')))
    const out = await text(client.query(copyTo('copy (select i, n from t order by i) to stdout (format csv)')))
    const bad = await pipeline(Readable.from(['7000\tx\n', 'y\tz\n']), client.query(copyFrom('copy t (i, n) from stdin'))).catch((error: Error) => error.message)
    return { out, bad, count: await outcomeOf(client.query('select count(*) from t')) }
  },

  'notices, notifications and parameters': async ({ connect }) => {
    const one = await connect({ application_name: 'one', options: '-c work_mem=1MB' })
    const two = await connect()
    const notices: unknown[] = []
    one.on('notice', ({ severity, code, message, detail }) => notices.push({ severity, code, message, detail }))
    const heard = Promise.withResolvers<unknown>()
    one.on('notification', ({ channel, payload }) => heard.resolve({ channel, payload }))
    await one.query("listen c; do $$ begin raise notice 'hello'; end $$")
    await two.query("notify c, 'there'")
    return { heard: await heard.promise, notices, settings: await outcomeOf(one.query("select current_setting('application_name'), current_setting('work_mem')")) }
  },

  'a pool': async ({ address, server }) => {
    const pool = new pg.Pool({ ...address, max: 5, application_name: 'pool' })
    const results = await Promise.all(Array.from({ length: 40 }, (_, index) => outcomeOf(pool.query('select $1::int as n', [index]))))
    await pool.end()
    // The pool does not wait for its connections to be closed.
    while ((await server.query("select 1 from pg_stat_activity where application_name = 'pool'")).length > 0);
    return results
  },
})

describeTransparency('node-postgres, for a smoke run', {
  'queries, a prepared statement, a transaction and an error': async ({ connect }) => {
    const client = await connect()
    const steps = [TABLE, "insert into t values (1, 'x')", 'begin', 'select 1/0', 'select 2', 'rollback', 'select i, n from t']
    const results: unknown[] = []
    for (const step of steps) results.push(await outcomeOf(client.query(step)))
    results.push(await outcomeOf(client.query({ name: 'p', text: 'select n from t where i = $1', values: [1] })))
    return results
  },
}, [15])
