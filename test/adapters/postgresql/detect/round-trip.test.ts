/** Every value in which something was masked goes back into a column of its type, in a real server, in the format it came in. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ContentDetection } from '../../../../adapters/postgresql/detect/content-detection.ts'
import { createDetectingMask } from '../../../../adapters/postgresql/detect/detecting-mask.ts'
import { MASK_METHODS } from '../../../../core/index.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../../support/postgres-server.ts'
import { decodeDataRow, type Value } from '../mask/data-row.ts'
import { errorFields, RawClient } from '../mask/raw-client.ts'

const MAIL = 'żofia.marsh@example.com'
const CARD = '4111111111111111'
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'text': [`${MAIL} 😀 4111 1111 1111 1111`, 'GB82 WEST 1234 5698 7654 32'],
  'varchar(23)': [MAIL, CARD],
  'char(30)': [MAIL],
  'name': [MAIL],
  'json': [`{"a": "${MAIL} \\" \\u00e9", "${MAIL}": [${CARD}, -1.5e3]}`, CARD, `"${MAIL}"`],
  'jsonb': [`{"a": "${MAIL} \\" \\u00e9", "${MAIL}": [${CARD}, -1.5e3]}`, CARD],
  'xml': [`<a b="${MAIL}">${CARD} &amp; ${MAIL}</a>`],
  'int8': [CARD, `-${CARD}`],
  'numeric': [CARD],
  'numeric(16,0)': [CARD],
  'text[]': [`{"${MAIL} \\"x\\" \\\\",NULL,plain}`, `[0:1]={${MAIL},x}`, `{{${MAIL}},{y}}`],
  'varchar(23)[]': [`{${MAIL}}`],
  'jsonb[]': [`{"{\\"a\\": \\"${MAIL}\\"}",NULL}`],
  'xml[]': [`{<a>${MAIL}</a>}`],
  'int8[]': [`{${CARD},7,NULL}`],
  'numeric[]': [`{${CARD}}`],
  'pair': [`(1,${MAIL})`, `(1,"a ""quoted"" ${MAIL}")`],
  'pair[]': [`{"(1,${MAIL})"}`],
  'short_text': ['ada@example.com'],
}

for (const major of [15, 18] as const) {
  describe(`values with masked findings go back into PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    let client: RawClient
    before(async () => {
      server = await startPostgres({ major })
      await server.query('CREATE TYPE pair AS (a int, b text); CREATE DOMAIN short_text AS varchar(15)')
      client = await RawClient.connect(server)
    })
    after(async () => {
      await client?.close()
      await server?.stop()
    })

    for (const format of [0, 1] as const) {
      test(`of every type, by every method, in ${format === 0 ? 'text' : 'binary'} format`, async () => {
        for (const [type, literals] of Object.entries(SAMPLES)) for (const literal of literals) await roundTrip(client, type, literal, format)
      })
    }
  })
}

async function roundTrip(client: RawClient, type: string, literal: string, format: 0 | 1): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS masked; CREATE TEMP TABLE masked (value ${type})`)
  const messages = await client.execute(`SELECT '${literal.replaceAll("'", "''")}'::${type}`, [], format)
  const row = messages.find((message) => message.type === 'D')?.bytes
  const description = messages.find((message) => message.type === 'T')?.bytes
  assert.ok(row !== undefined && description !== undefined, `${type} ${literal}: ${messages.map(({ bytes }) => bytes.toString()).join(' ')}`)
  const field = description.indexOf(0, 7) + 1
  const column = { name: '', type: description.readInt32BE(field + 6), typmod: description.readInt32BE(field + 12), format }
  const [value] = decodeDataRow(row)
  for (const method of MASK_METHODS) {
    const mask = createDetectingMask(column, new ContentDetection([{ entity: '*', method, confidence: 0.5 }], []), { key: Buffer.alloc(32, 3), clientEncoding: 'UTF8' })
    const masked = mask?.mask(value ?? Buffer.alloc(0), 0, value?.length ?? 0)
    assert.notEqual(masked, undefined, `nothing was found in ${type} ${literal}`)
    assert.doesNotMatch(String(masked), /.arsh@example|4111111111111111|1234 5698/, `${type} ${method}`)
    await accepted(client, `${type} ${method} of ${literal}, shown as ${String(masked)}`, masked ?? null, format)
  }
}

async function accepted(client: RawClient, name: string, answer: Value, format: 0 | 1): Promise<void> {
  const messages = await client.execute('INSERT INTO masked VALUES ($1) RETURNING value', [answer], format)
  const error = messages.find((message) => message.type === 'E')
  assert.equal(error === undefined ? '' : errorFields(error.bytes)['M'], '', name)
}
