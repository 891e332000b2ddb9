/** Rules that ask to look at the content of what comes out, with a real client and a real server. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { B, E, P, rawClient, Q, S, type Frame, type RawClient } from '../fault/raw-client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

const MAIL = 'ada.marsh@example.com'
const CARD = '4111111111111111'
const SECRETS = [MAIL, 'ada.marsh', CARD, '4111 1111 1111 1111', 'EMP-123456']
const SQL = `
  create extension if not exists citext; create extension if not exists hstore;
  create type pair as (id int, note text);
  create table notes (id int primary key, body text, narrow varchar(21), padded char(30), tags text[], doc json, facts jsonb, page xml, card bigint, amount numeric, odd citext, bag hstore, duo pair, mood name);
  insert into notes values (1, 'mail ${MAIL} or pay 4111 1111 1111 1111, badge EMP-123456', '${MAIL}', '${MAIL}', '{"${MAIL}",x}', '{"m": "${MAIL}", "n": ${CARD}}',
    '{"m": "${MAIL}", "n": [${CARD}]}', '<a>${MAIL}</a>', ${CARD}, ${CARD}, '${MAIL}', 'mail=>${MAIL}', row(1, '${MAIL}'), '${MAIL}');
  insert into notes (id, body, card) values (2, 'nothing here', 7);
  create function shout(text) returns void language plpgsql as $$ begin raise notice 'about %', $1; raise exception 'no %', $1 using detail = 'detail ' || $1, hint = 'hint ' || $1; end $$;`
const COLUMNS = ['body', 'narrow', 'padded', 'tags', 'doc', 'facts', 'page', 'card', 'amount', 'odd', 'bag', 'duo', 'mood']

let server: PostgresServer
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(SQL)
  gateway = await startGateway({
    postgres: server, patterns: [{ name: 'employee-id', pattern: '\\bEMP-\\d{6}\\b', context: ['badge'] }],
    rules: {
      'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
      'look': `$contains(command.text, "unknown entity") ? { "effect": "mask", "reason": "look", "detect": { "payment-card": "partial" } } : { "effect": "mask", "reason": "look", "detect": { "card-number": "partial", "*": "fixed" } }`,
    },
  })
})

after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
  client.on('error', () => {})
  await client.connect()
  return client
}

const login = (): Promise<RawClient> => rawClient({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret' })

function holdsNone(what: string, shown: string): void {
  for (const secret of SECRETS) assert.ok(!shown.includes(secret), `${what} shows ${secret}: ${shown}`)
}

const bytesOf = (frames: readonly Frame[]): string => frames.map(({ type, body }) => (type === 'D' || type === 'E' || type === 'N' ? body.toString('latin1') : '')).join('\n')

describe('a rule that asks to detect', () => {
  it('masks what is found in a value of every type that is looked at, and the rest of the value stays', async () => {
    const client = await connected()
    const { rows: [row] } = await client.query(`select ${COLUMNS.join(', ')} from notes where id = 1`)
    holdsNone('a row', JSON.stringify(row))
    assert.equal(row.body, 'mail *** or pay **** **** **** 1111, badge ***')
    assert.deepEqual([row.tags, row.doc, row.facts, row.page, row.card, row.padded.trimEnd()], [['***', 'x'], { m: '***', n: 1111 }, { m: '***', n: [1111] }, '<a>***</a>', '0', '***'])
    assert.equal(row.odd, '*'.repeat(MAIL.length))
    assert.deepEqual((await client.query('select body, card from notes where id = 2')).rows, [{ body: 'nothing here', card: '7' }])
    await client.end()
  })

  it('does so whatever shape the statement has: expressions, prepared without a description, in binary format, by a cursor', async () => {
    const client = await login()
    for (const column of COLUMNS) {
      const sql = `select ${column} from notes where id = 1`
      for (const format of [0, 1]) {
        const frames = await client.ask([P('', sql), B('', '', [], format), E('', 0), S])
        assert.ok(frames.some(({ type }) => type === 'D'), `${sql} ${bytesOf(frames)}`)
        holdsNone(`${sql} in format ${format}`, bytesOf(frames))
      }
    }
    for (const sql of ['select upper(body) as "order" from notes', `select 'x ' || body || ' y' from notes`, 'select n from notes n', 'select row_to_json(n) from notes n', 'explain select * from notes where body = \'' + MAIL + '\'', 'select string_agg(body, chr(10)) from notes', 'begin; declare c cursor for select body from notes; fetch all from c; commit', 'select table_to_xml(\'notes\', true, false, \'\')', 'insert into notes (id, body) values (3, \'' + MAIL + '\') returning body', 'delete from notes where id = 3 returning *']) {
      const frames = await client.query(sql)
      assert.ok(frames.some(({ type }) => type === 'D'), `${sql} ${bytesOf(frames)}`)
      holdsNone(sql, bytesOf(frames))
    }
    client.socket.destroy()
  })

  it('masks what is found in errors and notices', async () => {
    const client = await login()
    for (const sql of [`select shout('${MAIL}')`, `select '${MAIL}'::int`, `insert into notes (id, body) values (1, '${MAIL}')`, `do $$ begin raise notice '${CARD}'; end $$`]) {
      const frames = await client.query(sql)
      const reports = bytesOf(frames.filter(({ type }) => type === 'E' || type === 'N'))
      assert.ok(reports.length > 0)
      holdsNone(sql, reports)
    }
    const [notice = '', error = ''] = (await client.ask([Q(`select shout('${MAIL}')`)])).filter(({ type }) => type === 'N' || type === 'E').map(({ body }) => body.toString())
    assert.match(notice, /Mabout \*\*\*\0/)
    assert.match(error, /CP0001\0Mno \*\*\*\0Ddetail \*\*\*\0Hhint \*\*\*\0/)
    client.socket.destroy()
  })

  it('counts what was found, in the columns in which it was', async () => {
    const client = await connected()
    await client.query('select id, body, narrow, mood from notes order by id')
    const { data: { outcome } } = await gateway.until('outcome.recorded.v1', ({ data }) => data.outcome.masked?.columns.length === 3)
    assert.deepEqual(outcome.masked, { columns: ['body', 'narrow', 'mood'], values: 3 })
    for (const event of await gateway.events()) if (event.type === 'recording.captured.v1') holdsNone('a recording', Buffer.from(event.data.recording.chunks.map(({ data }) => data).join(''), 'base64').toString('latin1'))
    await client.end()
  })

  it('blocks entities that nobody knows', async () => {
    const client = await connected()
    await assert.rejects(client.query('select 1 -- unknown entity'), /asks? to detect "payment-card", which this gateway does not know/)
    assert.equal((await client.query('select 1 as one')).rows[0]?.one, 1)
    await client.end()
  })
})
