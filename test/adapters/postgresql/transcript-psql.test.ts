/** Transcripts of a real server's bytes, beside what the real psql printed for the same statement. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { renderRecording, type TranscriptOptions } from '../../../adapters/postgresql/transcript.ts'
import type { Recording } from '../../../core/index.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../support/postgres-server.ts'
import { psqlUnavailable, runPsql } from '../../support/psql.ts'
import { type Message, RawClient } from './mask/raw-client.ts'

const STATEMENTS: readonly string[] = [
  'SELECT 1 AS id, \'text\' AS "a title", 2.50 AS price, NULL AS nothing',
  'SELECT i AS n, repeat(\'x\', i) AS bar FROM generate_series(1, 12) AS i',
  'SELECT FROM generate_series(1, 0)',
  'SELECT FROM generate_series(1, 3)',
  'SELECT 1 AS id WHERE false',
  "SELECT E'two\\nlines' AS a, 'one' AS b, 7 AS c UNION ALL SELECT E'a\\ttab', E'x\\ny\\nz', 8",
  "SELECT 'Łódź' AS city, '日本語' AS wide, 'e' || chr(769) AS combined, 'ascii' AS last UNION ALL SELECT 'x', 'y', 'z', 'w'",
  "SELECT E'\\x1b[31mred\\x1b[0m' AS a, E'bell\\x07' AS b, E'return\\r' AS c, U&'\\0085\\009B' AS d",
  'SHOW server_encoding',
  'CREATE TABLE made (id int)',
  'INSERT INTO made VALUES (1), (2) RETURNING id, id * 1.5 AS half',
  'UPDATE made SET id = 3',
  'SELECT 1 AS one; SELECT 2 AS two; CREATE TABLE another ()',
  'SELECT * FROM no_such_table',
  "SELECT 1,\n       nothing_here\nFROM made",
  "SELECT 'not a number'::int",
  "INSERT INTO made SELECT 'x'",
  'CREATE TABLE keyed (id int PRIMARY KEY, name text); INSERT INTO keyed VALUES (1, \'a\'); INSERT INTO keyed VALUES (1, \'b\')',
  "DO $$ BEGIN RAISE EXCEPTION 'raised' USING DETAIL = E'a detail\\nof two lines', HINT = 'a hint'; END $$",
  'DROP FUNCTION IF EXISTS nobody()',
  'SELECT max(nobody) FROM made',
]

describe('transcripts of a real server', { skip: postgresUnavailable(15) ?? false }, () => {
  let server: PostgresServer
  let client: RawClient

  before(async () => {
    server = await startPostgres({ major: 15 })
    client = await RawClient.connect(server)
  })
  after(async () => {
    await client?.close()
    await server?.stop()
  })

  test('what psql prints for a statement is what its transcript says', { skip: psqlUnavailable() ?? false }, async () => {
    await server.query('CREATE DATABASE for_psql')
    for (const sql of STATEMENTS) {
      const psql = await runPsql({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'for_psql', args: ['-c', sql] })
      const transcript = renderRecording(recordingOf(await client.query(sql)), { text: sql })
      // Notices come before what they are about; errors after what went well.
      assert.equal(transcript, psql.stderr.startsWith('NOTICE') ? psql.stderr + psql.stdout : psql.stdout + psql.stderr, sql)
    }
  })

  test('values in binary format read as in text format', async () => {
    const sql = `SELECT true, false, (-7)::int2, 2147483647, -9223372036854775808, 1.5::float4, 0.1::float4, 1e-7::float8, 'NaN'::float8, 123.4560, -0.0001, 1e40::numeric,
      'NaN'::numeric, 'text', 'x'::"char", 'padded'::char(9), '\\x00ff'::bytea, date '2024-02-29', date '0044-03-15 BC', date 'infinity', time '23:59:59.5',
      timetz '12:00:00-03:30', timestamp '1999-12-31 23:59:59.999999', timestamp '0001-01-01 00:00:00 BC', timestamptz '2024-06-30 12:00:00+02', timestamptz '-infinity',
      interval '1 year -2 months 3 days 04:05:06.7', interval '0', interval '-1 day -00:00:01', '6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid, '{"a": 1}'::json,
      '{"a": [1, null]}'::jsonb, '192.168.1.5'::inet, '10.0.0.0/8'::cidr, '2001:db8::1/64'::inet, '::1'::inet, '::'::inet, '1:0:0:2:0:0:0:3'::inet, '08:00:2b:01:02:03'::macaddr,
      B'10110111011', B''::varbit, 4294967295::oid, '16/B374D848'::pg_lsn, '{1,2,NULL}'::int4[], '{{a,"b c"},{"",NULL}}'::text[], '{}'::int[], '{"2024-01-01 00:00:00+00"}'::timestamptz[]`
    await client.query("SET TimeZone = 'UTC'")
    const inText = renderRecording(recordingOf(await client.execute(sql, [], 0)))
    const inBinary = renderRecording(recordingOf(await client.execute(sql, [], 1)))
    assert.deepEqual(cells(inBinary), cells(inText))
    assert.ok(cells(inText).length > 40)
  })

  test('values of types that are not known in binary format are shown as characters or in hexadecimal', async () => {
    await client.query("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    const transcript = renderRecording(recordingOf(await client.execute("SELECT 'sad'::mood, point '(1,2)'", [], 1)))
    assert.deepEqual(cells(transcript), ['sad', '\\x3ff00000000000004000000000000000'])
  })

  test('without a description columns have numbers, and values are shown as text where they are text', async () => {
    const sql = "SELECT 42, 'a text', NULL, '\\x00ff'::bytea"
    assert.equal(renderRecording(recordingOf(await client.execute(sql, [], 0, false)), { nullText: '(null)' }), [
      ' 1  |   2    |   3    |   4    ',
      '----+--------+--------+--------',
      ' 42 | a text | (null) | \\x00ff',
      '(1 row)', '', '',
    ].join('\n'))
    assert.deepEqual(cells(renderRecording(recordingOf(await client.execute(sql, [], 1, false)))), ['\\x0000002a', 'a text', '', '\\x00ff'])
  })

  test('a description that says text for binary values does not mislead', async () => {
    const sql = "SELECT 42, true, date '2024-02-29', ARRAY[1,2], '{\"a\": 1}'::jsonb, 1.5::numeric"
    const [described] = (await client.execute(sql, [], 0)).filter(({ type }) => type === 'T')
    assert.ok(described)
    const bare = await client.execute(sql, [], 1, false)
    assert.deepEqual(cells(renderRecording(recordingOf([described, ...bare]))), ['42', 't', '2024-02-29', '{1,2}', '{"a": 1}', '1.5'])
  })

  test('rows of a COPY are shown line by line, those in binary format in hexadecimal', async () => {
    assert.equal(renderRecording(recordingOf(await client.query("COPY (VALUES (1, 'one'), (2, E'\\x1b[2J')) TO STDOUT"))), '1\tone\n2\t\\x1B[2J\nCOPY 2\n')
    const binary = renderRecording(recordingOf(await client.query('COPY (SELECT 1) TO STDOUT (FORMAT binary)')))
    assert.match(binary, /^\(rows of a COPY in binary format\)\n\\x5047434f50590aff0d0a00[\da-f]+\n/)
    assert.match(binary, /\nCOPY 1\n$/)
  })

  test('notices, notifications, parameters and the transaction\'s status are told', async () => {
    const details: TranscriptOptions = { details: true }
    const messages = [...await client.query("DO $$ BEGIN RAISE WARNING 'careful'; END $$"), ...await client.query("LISTEN news; NOTIFY news, 'some news'"), ...await client.query("BEGIN; SET application_name = 'tests'")]
    const transcript = renderRecording(recordingOf(messages), details)
    assert.match(transcript, /^WARNING: {2}careful\nDO\n\(ready, no transaction\)\n/)
    assert.match(transcript, /\nAsynchronous notification "news" with payload "some news" received from server process with PID \d+\.\n/)
    assert.match(transcript, /\nSET\n\(application_name is now tests\)\n\(ready, in a transaction\)\n$/)
    await client.query('ROLLBACK')
  })

  test('text in the client\'s encoding is understood, also when the encoding changes on the way', async () => {
    const messages = [...await client.query("SET client_encoding = 'LATIN1'"), ...await client.query("SELECT convert_from('\\xc3a9', 'UTF8')"), ...await client.query("SET client_encoding = 'SJIS'"), ...await client.query("SELECT convert_from('\\xe697a5e69cac', 'UTF8') AS v")]
    assert.deepEqual(cells(renderRecording(recordingOf(messages))), ['é', '日本'])
    assert.deepEqual(cells(renderRecording(recordingOf(messages.slice(-4)), { clientEncoding: 'SJIS' })), ['日本'])
    await client.query("SET client_encoding = 'UTF8'")
  })
})

function recordingOf(messages: readonly Message[]): Recording {
  const chunks = messages.map(({ bytes }, i) => ({ at: i, data: bytes.toString('base64') }))
  return { encoding: 'postgresql/backend', chunks, bytes: messages.reduce((sum, { bytes }) => sum + bytes.length, 0) }
}

/** The cells of all rows of one line each. */
function cells(transcript: string): string[] {
  const lines = transcript.split('\n')
  return lines.flatMap((line, i) => /^-+(\+-+)*$/.test(lines[i - 1] ?? '') ? line.split('|').map((cell) => cell.trim()) : [])
}
