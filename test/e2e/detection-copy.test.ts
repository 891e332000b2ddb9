/** What detection finds in the rows of COPY, with real clients and a real server, against what it finds in those of SELECT. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { B, D, E, P, Q, rawClient, S, type Frame, type RawClient } from '../fault/raw-client.ts'
import { cuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { psqlUnavailable, runPsql } from '../support/psql.ts'

const MAIL = 'ada.marsh@example.com'
const CARD = '4111111111111111'
const SECRETS = [MAIL, 'ada.marsh', CARD, '4111 1111 1111 1111', 'EMP-123456']
const SQL = `
  create extension if not exists citext; create extension if not exists hstore;
  create type pair as (id int, note text); create domain mail as text;
  create table notes (id int primary key, body text, narrow varchar(21), padded char(30), tags text[], doc json, facts jsonb, page xml, card bigint, amount numeric, odd citext, bag hstore, duo pair, mood name, at timestamptz, raw bytea);
  insert into notes values (1, 'mail ${MAIL} or pay 4111 1111 1111 1111, badge EMP-123456', '${MAIL}', '${MAIL}', '{"${MAIL}",x}', '{"m": "ada.marsh\\u0040example.com", "n": ${CARD}}',
    '{"m": "${MAIL}", "n": [${CARD}]}', '<a>${MAIL}</a>', ${CARD}, ${CARD}, '${MAIL}', 'mail=>${MAIL}', row(1, '${MAIL}'), '${MAIL}', '2024-02-03 04:05:06+00', '\\x0102');
  insert into notes (id, body, card, tags, raw, odd) values (2, E'a tab\\t, a "quote", a \\\\ and\\nlines', 7, array['a "b"', null, 'c\\d'], '\\x00ff', '\\.'), (3, '', 0, '{}', '', ''), (4, null, null, null, null, null);
  create table quiet (id int, body text); insert into quiet select i, E'line\\n\\t' || i from generate_series(1, 2000) i;
  create table mails (mail mail); insert into mails values ('${MAIL}');`
const COLUMNS = ['id', 'body', 'narrow', 'padded', 'tags', 'doc', 'facts', 'page', 'card', 'amount', 'odd', 'bag', 'duo', 'mood', 'at', 'raw']
const FOUND_IN = ['body', 'narrow', 'padded', 'tags', 'doc', 'facts', 'page', 'card', 'amount', 'odd', 'bag', 'duo', 'mood']
const COPY = `copy notes (${COLUMNS.join(', ')}) to stdout`
const SELECT = `select ${COLUMNS.join(', ')} from notes`

let server: PostgresServer
let proxy: CuttingProxy
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SQL)
  proxy = await cuttingProxy(server.port)
  gateway = await startGateway({
    postgres: { host: '127.0.0.1', port: proxy.port, user: server.user, password: server.password },
    patterns: [{ name: 'employee-id', pattern: '\\bEMP-\\d{6}\\b', context: ['badge'] }],
    rules: {
      'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
      'look': '{ "effect": "mask", "reason": "look", "detect": { "card-number": "partial", "*": "fixed" } }',
      'amounts': '$contains(command.text, "masked too") ? { "effect": "mask", "reason": "amounts", "columns": { "public.notes.amount": "null" } }',
    },
  })
})

after(async () => {
  await gateway?.stop()
  proxy?.close()
  await server?.stop()
})

const login = (): Promise<RawClient> => rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })
const plainly = (): Promise<RawClient> => rawClient({ host: server.host, port: server.port, user: server.user, password: server.password })

function holdsNone(what: string, shown: string): void {
  for (const secret of SECRETS) assert.ok(!shown.includes(secret), `${what} shows ${secret}: ${shown}`)
}

/** The bytes of a COPY; an error fails the test. */
function copied(frames: readonly Frame[]): Buffer {
  assert.deepEqual(frames.filter(({ type }) => type === 'E').map(({ body }) => body.toString()), [])
  return Buffer.concat(frames.filter(({ type }) => type === 'd').map(({ body }) => body))
}

async function ask(client: RawClient, ...messages: readonly Buffer[]): Promise<Buffer> {
  return copied(await client.ask([...messages]))
}

type Row = (string | null)[]

/** Int16(columns) { Int32(length) bytes }* */
function tuple(bytes: Buffer, at: number): { row: (Buffer | null)[]; end: number } {
  const row: (Buffer | null)[] = []
  let end = at + 2
  for (let left = bytes.readInt16BE(at); left > 0; left--) {
    const length = bytes.readInt32BE(end)
    row.push(length < 0 ? null : bytes.subarray(end + 4, end + 4 + length))
    end += 4 + Math.max(0, length)
  }
  return { row, end }
}

async function selected(client: RawClient, sql: string, format: 0 | 1): Promise<(Buffer | null)[][]> {
  const frames = await client.ask([P('', sql), B('', '', [], format), E('', 0), S])
  assert.ok(frames.some(({ type }) => type === 'D'), sql)
  return frames.filter(({ type }) => type === 'D').map(({ body }) => tuple(body, 0).row)
}

const texts = (rows: readonly (Buffer | null)[][]): Row[] => rows.map((row) => row.map((value) => (value === null ? null : value.toString())))

function readText(stream: string): Row[] {
  const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
  return stream.split('\n').slice(0, -1).map((line) => line.split('\t').map((field) => (field === '\\N' ? null : field.replace(/\\(.)/g, (_, next: string) => letters[next] ?? next))))
}

function readCsv(stream: string): Row[] {
  const rows: Row[] = []
  let row: Row = []
  for (const [, quoted, bare, end] of stream.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted !== undefined ? quoted.replaceAll('""', '"') : bare === '' ? null : bare ?? null)
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

function readBinary(stream: Buffer): (Buffer | null)[][] {
  const rows: (Buffer | null)[][] = []
  let at = 19
  while (stream.readInt16BE(at) >= 0) {
    const { row, end } = tuple(stream, at)
    rows.push(row)
    at = end
  }
  assert.equal(at + 2, stream.length)
  return rows
}

describe('COPY under a rule that asks to detect', () => {
  it('gives in text, CSV and binary what SELECT gives', async () => {
    const client = await login()
    const text = texts(await selected(client, SELECT, 0))
    holdsNone('SELECT', JSON.stringify(text))
    for (const run of [(sql: string) => ask(client, Q(sql)), (sql: string) => ask(client, P('', sql), B('', '', []), D('P', ''), E('', 0), S)]) {
      assert.deepEqual(readText((await run(COPY)).toString()), text)
      assert.deepEqual(readCsv((await run(`${COPY} (format csv)`)).toString()), text)
      assert.deepEqual(readCsv((await run(`${COPY} (format csv, header, force_quote (body, card))`)).toString()), [COLUMNS, ...text])
      assert.deepEqual(readBinary(await run(`${COPY} (format binary)`)), await selected(client, SELECT, 1))
    }
    client.socket.destroy()
  })

  it('leaves rows without a finding byte for byte as they are', async () => {
    const [client, direct] = [await login(), await plainly()]
    for (const options of ['', `(delimiter '@')`, `(null 'ada@example.com')`, '(format csv)', `(format csv, quote '''', escape '\\', null 'x', delimiter '|')`, '(format binary)']) {
      for (const from of ['notes where id > 1 order by id', 'quiet']) {
        const sql = `copy (select ${options.includes('ada') ? 'id, body' : '*'} from ${from}) to stdout ${options}`
        // What the client chose for NULL is looked at like a value, for it may be one.
        const there = (await ask(direct, Q(sql))).toString('latin1').replaceAll('ada@example.com', '***')
        assert.equal((await ask(client, Q(sql))).toString('latin1'), there, sql)
      }
    }
    client.socket.destroy()
    direct.socket.destroy()
  })

  it('looks at values of which the catalogue says nothing', async () => {
    const client = await login()
    const queries = [
      'select upper(body), row_to_json(n), row(id, body), array[body, narrow], array[card], jsonb_build_object(narrow, card), card + 0, amount * 1 from notes n where id = 1',
      'select string_agg(body, chr(10)) from notes', 'values (\'' + MAIL + '\')', 'select mail, mail::text from mails', 'select body from (select * from notes union all select * from notes) u',
      `insert into notes (id, body) values (9, '${MAIL}') returning body, id`, 'delete from notes where id = 9 returning *',
    ]
    for (const query of queries) {
      const isWrite = /^(insert|delete)/.test(query)
      for (const options of ['', '(format csv)', '(format binary)']) {
        const sql = `copy (${query}) to stdout ${options}`
        const frames = await client.ask([Q(isWrite ? `begin; ${query.startsWith('delete') ? `insert into notes (id, body) values (9, '${MAIL}'); ` : ''}${sql}; rollback` : sql)])
        const shown = copied(frames).toString('latin1')
        assert.ok(shown.length > 2, sql)
        holdsNone(sql, shown)
        assert.ok(!shown.includes(Buffer.from(BigInt(CARD).toString(16).padStart(16, '0'), 'hex').toString('latin1')), sql)
      }
    }
    const [made = ''] = readText((await ask(client, Q(`create temp table t as select 1 as id, '${MAIL}'::text as body; copy t to stdout`))).toString()).map((row) => row.join())
    assert.equal(made, '1,***')
    client.socket.destroy()
  })

  it('masks columns as well, where a rule names them', async () => {
    const client = await login()
    const sql = `copy (select body, amount, id from notes where id = 1) to stdout /* masked too */`
    assert.equal((await ask(client, Q(sql))).toString(), 'mail *** or pay **** **** **** 1111, badge ***\t\\N\t1\n')
    client.socket.destroy()
  })

  it('makes no difference of where the answer is cut', async () => {
    const client = await login()
    const runs = [COPY, `${COPY} (format csv)`, `${COPY} (format binary)`, SELECT]
    const answer = async (sql: string): Promise<string> => (await client.ask([Q(sql)])).map(({ type, body }) => type + body.toString('latin1')).join()
    const whole = []
    for (const sql of runs) whole.push(await answer(sql))
    try {
      for (const bytes of [1, 2, 3, 5, 7, 64, 191]) {
        proxy.cutInto(bytes)
        for (const [index, sql] of runs.entries()) assert.equal(await answer(sql), whole[index], `${sql} in pieces of ${bytes}`)
      }
    } finally {
      proxy.cutInto(Infinity)
    }
    client.socket.destroy()
  })

  it('is evident: the columns and values in which something was found, and a recording of what was shown', async () => {
    const client = await login()
    const shown: string[][] = []
    const statements = [COPY, `${COPY} (format binary)`, SELECT, `copy (select body, i from notes, generate_series(1, 30) i where id = 1) to stdout`]
    for (const [index, sql] of statements.entries()) {
      // Row by row: what one is written into is used again for the next.
      proxy.cutInto(index < 3 ? Infinity : 40)
      const frames = await client.ask([Q(`${sql} /* evidence ${index} */`)])
      shown.push(frames.flatMap(({ type, body }) => (type === 'd' || type === 'D' ? [body.toString('latin1')] : [])))
    }
    proxy.cutInto(Infinity)
    // What a command leaves rides with the next.
    await client.query('select 1')
    client.socket.destroy()
    const events = await gateway.events()
    for (const [index, rows] of shown.entries()) {
      const received = events.find((event) => event.type === 'command.received.v1' && event.data.command.text.includes(`evidence ${index}`))
      const of = <T extends 'outcome.recorded.v1' | 'recording.captured.v1'>(type: T) => events.find((event): event is Extract<typeof event, { type: T }> => event.type === type && event.data.command === received?.id)
      assert.deepEqual(of('outcome.recorded.v1')?.data.outcome.masked, index < 3 ? { columns: FOUND_IN, values: FOUND_IN.length } : { columns: ['body'], values: 30 })
      const chunks = of('recording.captured.v1')?.data.recording.chunks ?? []
      const kept = Buffer.concat(chunks.map(({ data }) => Buffer.from(data, 'base64'))).toString('latin1')
      holdsNone('the recording', kept)
      assert.ok(rows.length >= 4)
      for (const row of rows) assert.ok(kept.includes(row), row)
    }
  })

  it('refuses what it cannot look at', async () => {
    const client = await login()
    const refused = async (sql: string, why: RegExp): Promise<void> => {
      const error = (await client.ask([Q(sql)])).find(({ type }) => type === 'E')?.body.toString() ?? ''
      assert.match(error, why, sql)
    }
    await refused(`copy notes to '/tmp/never'`, /blocked by policy: what a COPY writes on the server cannot be looked at/)
    await refused(`copy notes to program 'cat'`, /blocked by policy: what a COPY writes on the server cannot be looked at/)
    await refused(`copy notes to stdout (encoding 'latin1')`, /COPY cannot be looked at: its ENCODING is not UTF8/)
    await refused(`set client_encoding to latin1; copy notes to stdout`, /in a text that may change the encoding/)
    await client.ask([Q('set client_encoding to latin1')])
    await refused('copy notes to stdout', /COPY can be looked at only where client_encoding is UTF8/)
    client.socket.destroy()
  })

  it('works in psql: COPY, \\copy to a file and to standard output', { skip: psqlUnavailable() }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-copy-'))
    try {
      const input = `copy (select id, body, card from notes where id < 3 order by id) to stdout;
\\copy (select id, body, upper(narrow) as mail from notes order by id) to '${folder}/out.csv' csv header
\\copy quiet to '${folder}/quiet'
\\copy mails to stdout
`
      const result = await runPsql({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres', args: ['-v', 'ON_ERROR_STOP=1', '-q'], input })
      assert.deepEqual([result.code, result.stderr], [0, ''])
      assert.equal(result.stdout, `1\tmail *** or pay **** **** **** 1111, badge ***\t0\n2\ta tab\\t, a "quote", a \\\\ and\\nlines\t7\n${'*'.repeat(MAIL.length)}\n`)
      assert.equal(await readFile(join(folder, 'out.csv'), 'utf8'), 'id,body,mail\n1,"mail *** or pay **** **** **** 1111, badge ***",***\n2,"a tab\t, a ""quote"", a \\ and\nlines",\n3,"",\n4,,\n')
      assert.equal(await readFile(join(folder, 'quiet'), 'utf8'), Array.from({ length: 2000 }, (_, n) => `${n + 1}\tline\\n\\t${n + 1}\n`).join(''))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
