/** Every masked value goes back into a column of its type, in a real server, in the format it came in. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRowMask } from '../../../../adapters/postgresql/mask/row-mask.ts'
import { ARRAY_ELEMENT, isTextType, OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { MASK_METHODS, type MaskMethod } from '../../../../core/index.ts'
import { type PostgresMajor, type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'
import { decodeDataRow, type Value } from './data-row.ts'
import { errorFields, RawClient } from './raw-client.ts'

/** Column type → values as SQL literals. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'bool': ['true', 'false'],
  'int2': ['-32768', '32767', '7'],
  'int4': ['-2147483648', '2147483647', '42'],
  'int8': ['-9223372036854775808', '9223372036854775807', '5'],
  'float4': ['1.5e-10', 'Infinity', 'NaN', '-0', '3.4028235e38', '-3.4028235e38', '1e-45', '16777216'],
  'float8': ['1.7976931348623157e308', '-1.7976931348623157e308', '5e-324', '-Infinity', 'NaN', '0.1'],
  'numeric': ['123456789.000000001', '-0.5', 'NaN', '1e100'],
  'numeric(4,2)': ['99.99', '-0.01'],
  'numeric(3,5)': ['0.00123', '0', '-0.00999'],
  'numeric(3,-2)': ['99900', '-99900', '0', '1200'],
  'numeric(38,0)': ['-99999999999999999999999999999999999999', '0', '9'],
  'numeric(1000,500)': ['1e499', '-1e-500'],
  'money': ['1234.56', '-1'],
  'text': ['', 'a', '90210', 'SW1A 1AA', '1984-05-17', '10.20.30.40', '+44 20 7946 0958', 'DE89 3704 0044 0532 0130 00', 'नमस्ते ภาษาไทย שלום ÅÄÖ ß ﬁ', 'correct horse battery', 'jane.doe@example.com', '4111 1111 1111 1111', 'Łódź, 日本語 😀', 'line\nbreak\ttab'],
  'varchar': ['free of limits'],
  'varchar(2)': ['ab', 'é', '日本'],
  'varchar(7)': ['1.2.3.4', 'a@bc.de'],
  'varchar(6)': ['żółwie', 'turtle', '日本語日本語'],
  'char(1)': ['x', '日'],
  'char(12)': ['abc', '日本', '123456789012'],
  'char(40)': ['a name in a padded column'],
  '"char"': ['x', ''],
  'name': ['a_name', 'żółw'],
  'bytea': ['\\x', '\\xdeadbeef005c', '\\x2a2a2a'],
  'date': ['2024-11-30', '0044-03-15 BC', 'infinity', '-infinity', '5874897-12-31', '4713-01-01 BC', '4714-11-24 BC', '2000-01-01'],
  'time': ['23:59:59.999999', '24:00:00'],
  'time(3)': ['12:34:56.789'],
  'timetz': ['12:34:56.789-07:30'],
  'timestamp': ['2024-11-30 12:34:56.789', 'infinity', '0044-03-15 12:00:00 BC', '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00 BC', '1999-12-31 23:59:59'],
  'timestamp(0)': ['2024-11-30 12:34:56'],
  'timestamptz': ['2024-06-30 12:34:56.789+02', '-infinity', '1883-11-18 12:00:00-08', '0001-01-01 12:00:00 BC'],
  'interval': ['1 year 2 mons 3 days 04:05:06.789', '-1 day'],
  'interval day to second(2)': ['3 days 04:05:06.78'],
  'uuid': ['6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  'json': ['{"secret": [1, 2, "three"]}', 'null', '"text"'],
  'jsonb': ['{"secret": [1, 2, "three"]}', '7'],
  'xml': ['<a>secret</a>'],
  'inet': ['192.168.1.5/24', '2001:db8::1', '::ffff:10.1.2.3', '::', '0.0.0.0/0', 'fe80::1/10', '1:2:3:4:5:6:7:8'],
  'cidr': ['10.0.0.0/8', '2001:db8::/32', '10.1.2.3/32', '::/0', '2001:db8:1:2::/65'],
  'macaddr': ['08:00:2b:01:02:03'],
  'macaddr8': ['08:00:2b:01:02:03:04:05'],
  'bit(1)': ['1'],
  'bit(11)': ['10110111011'],
  'varbit': ['10110', ''],
  'varbit(5)': ['101'],
  'oid': ['4294967295', '1'],
  'pg_lsn': ['16/B374D848'],
  'tsvector': ['a fat cat sat:3A'],
  'tsquery': ['fat & (rat | cat)'],
  'mood': ['sad', 'happy'],
  'pair': ['(1,secret)'],
  'int4range': ['[1,10)'],
  'point': ['(1,2)'],
  'short_text': ['in a domain'],
  'int4[]': ['{1,2,NULL}', '{{1,2},{3,4}}'],
  'text[]': ['{secret,"two words"}', '{}', '{jane.doe@example.com,NULL}'],
  'uuid[]': ['{6f9619ff-8b86-d011-b42d-00c04fc964ff}'],
  'timestamptz[]': ['{2024-06-30 12:34:56+02}'],
  'numeric(4,2)[]': ['{1.25}'],
  'mood[]': ['{sad}'],
  'jsonb[]': ['{"{\\"a\\": 1}"}'],
  'numrange': ['[1.5,2.5)'],
  'daterange': ['[2024-01-01,2024-11-30)'],
  'int4multirange': ['{[1,3),[5,7)}'],
  'box': ['(1,2),(3,4)'],
  'positive': ['7'],
}
const SETUP = "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN short_text AS varchar(20); CREATE DOMAIN positive AS int4"

/** Widths for `generalise`. */
const BUCKETS = [1000, 2.5, 0.25, 1e300, 1e-7]

/** Settings that change the text format. */
const SESSIONS: readonly { settings: string; encoding: string }[] = [
  { settings: "SET TimeZone = 'America/St_Johns'", encoding: 'UTF8' },
  { settings: "SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET bytea_output = 'escape'; SET IntervalStyle = 'iso_8601'", encoding: 'UTF8' },
  { settings: "SET DateStyle = 'German'; SET xmloption = 'document'; SET IntervalStyle = 'sql_standard'", encoding: 'UTF8' },
  { settings: "SET DateStyle = 'Postgres, MDY'; SET client_encoding = 'LATIN1'; SET extra_float_digits = 0", encoding: 'LATIN1' },
  { settings: "SET client_encoding = 'SJIS'", encoding: 'SJIS' },
]

interface Column { type: number; typmod: number; rows: Buffer[] }

for (const major of [15, 16, 18] as const) {
  describe(`masked values go back into PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => roundTrips(major))
}

function roundTrips(major: PostgresMajor): void {
  let server: PostgresServer
  let client: RawClient

  before(async () => {
    server = await startPostgres({ major })
    await server.query(SETUP)
    client = await RawClient.connect(server)
  })
  after(async () => {
    await client?.close()
    await server?.stop()
  })

  test('the object ids are the catalogue\'s own', async () => {
    const rows = await server.query('SELECT oid::int, typname, typelem::int, typcategory FROM pg_type')
    const types = new Map(rows.map((row) => [row['oid'], row]))
    for (const [name, oid] of Object.entries(OID)) assert.equal(types.get(oid)?.['typname'], name)
    for (const [array, element] of ARRAY_ELEMENT) {
      assert.equal(types.get(array)?.['typelem'], element, `array ${array}`)
      assert.equal(types.get(array)?.['typcategory'], 'A')
    }
    assert.deepEqual(Object.values(OID).filter((oid) => ![...ARRAY_ELEMENT.values()].includes(oid)), [])
  })

  for (const { settings, encoding } of SESSIONS) {
    for (const format of [0, 1] as const) {
      test(`every type and method in ${format === 0 ? 'text' : 'binary'} format after ${settings}`, async () => {
        await run(client, 'DISCARD ALL')
        await run(client, settings)
        for (const type of Object.keys(SAMPLES)) await roundTrip(client, type, format, encoding)
      })
    }
  }

  test('what the server sends shows what its mask promises to keep', async () => {
    await run(client, 'DISCARD ALL')
    const shown = async (sql: string, method: MaskMethod): Promise<string[]> => maskColumn(await read(client, sql, 0), 0, method, 'UTF8').map(String)
    assert.deepEqual(await shown("SELECT date '2024-11-30'", 'partial'), ['2024-01-01'])
    assert.deepEqual(await shown('SELECT NULL::text', 'fixed'), ['null'])
    assert.deepEqual(await shown("SELECT 'jane.doe@example.com'::varchar(30)", 'partial'), ['j*******@example.com'])
    assert.deepEqual(await shown("SELECT 'in a domain'::short_text", 'partial'), ['i**********'])
  })
}

async function roundTrip(client: RawClient, type: string, format: 0 | 1, encoding: string): Promise<void> {
  // The client writes UTF-8, so with other encodings only the samples in ASCII are sent.
  const literals = (SAMPLES[type] ?? []).filter((literal) => encoding === 'UTF8' || Buffer.byteLength(literal) === literal.length)
  await run(client, `DROP TABLE IF EXISTS masked; CREATE TEMP TABLE masked (value ${type})`)
  const samples = await read(client, `SELECT value::${type} FROM (VALUES ${literals.map(quoted).join(', ')}) AS v (value)`, format)
  assert.equal(samples.rows.length, literals.length)
  for (const [method, bucket] of MASKS) {
    for (const [i, answer] of maskColumn(samples, format, method, encoding, bucket).entries()) {
      await accepted(client, `${type} ${method} ${bucket ?? ''} of ${literals[i]}`, answer, samples.type, format)
    }
  }
}

const MASKS: readonly (readonly [MaskMethod, number | undefined])[] = [
  ...MASK_METHODS.map((method) => [method, undefined] as const),
  ...BUCKETS.map((bucket) => ['generalise', bucket] as const),
]

/** The value goes into a column of the type; in binary format, and in text types, it comes out as it went in. */
async function accepted(client: RawClient, name: string, answer: Value, type: number, format: 0 | 1): Promise<void> {
  const where = `${name}, shown as ${answer === null ? 'NULL' : answer.toString(format === 0 ? 'utf8' : 'hex')}`
  const messages = await client.execute('INSERT INTO masked VALUES ($1) RETURNING value', [answer], format)
  const error = messages.find((message) => message.type === 'E')
  assert.equal(error === undefined ? '' : errorFields(error.bytes)['M'], '', where)
  const [back] = decodeDataRow(messages.find((message) => message.type === 'D')?.bytes ?? Buffer.alloc(0))
  if (answer === null || back === null || back === undefined) return assert.equal(back, answer, where)
  if (format === 1 || isTextType(type)) assert.equal(trimmed(back, type), trimmed(answer, type), where)
}

/** The server pads what goes into `char(n)`, and declares the encoding of XML in binary format. */
function trimmed(value: Buffer, type: number): string {
  const text = value.toString('latin1')
  return type === OID.bpchar ? text.trimEnd() : type === OID.xml ? text.replace(/^<\?xml[^>]*>/, '') : text
}

function maskColumn(column: Column, format: 0 | 1, method: MaskMethod, clientEncoding: string, bucket?: number): Value[] {
  const mask = createRowMask([{ index: 0, type: column.type, typmod: column.typmod, format, method, ...bucket === undefined ? {} : { bucket } }], { columnCount: 1, key: Buffer.from('key'), clientEncoding })
  return column.rows.map((bytes) => {
    const row = Buffer.from(bytes)
    return decodeDataRow(mask.apply(row, 0, row.length) ?? row)[0] ?? null
  })
}

/** The rows of a one-column query, as the server sent them. */
async function read(client: RawClient, sql: string, format: 0 | 1): Promise<Column> {
  const messages = await client.execute(sql, [], format)
  const description = messages.find((message) => message.type === 'T')?.bytes
  assert.ok(description, `${sql}: ${messages.map(({ bytes }) => bytes.toString('latin1')).join(' ')}`)
  // The one field: name, NUL, table (4), column (2), type (4), size (2), modifier (4), format (2).
  const field = description.indexOf(0, 7) + 1
  assert.equal(description.readInt16BE(field + 16), format)
  return {
    type: description.readInt32BE(field + 6),
    typmod: description.readInt32BE(field + 12),
    rows: messages.filter((message) => message.type === 'D').map(({ bytes }) => bytes),
  }
}

async function run(client: RawClient, sql: string): Promise<void> {
  const error = (await client.query(sql)).find((message) => message.type === 'E')
  assert.equal(error === undefined ? '' : errorFields(error.bytes)['M'], '', sql)
}

const quoted = (literal: string): string => `('${literal.replaceAll("'", "''")}')`
