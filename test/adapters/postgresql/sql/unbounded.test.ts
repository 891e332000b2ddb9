/**
 * Writes that choose rows, and writes that only seem to: what the analysis says of each is held against the number of rows
 * that a real server changes. The rows of `t` are such that whatever chooses leaves some of them out.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { analyse, Catalogue, loadSqlParser, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'
import { shapeOf } from '../../../../adapters/postgresql/sql/shape.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../../support/postgres-server.ts'
import { BOUNDED, SCHEMA, UNBOUNDED } from './unbounded.ts'

const MAJOR = 18
const STRINGS = ['', '%', 'x', 't', '-infinity']
const NUMBERS = ['0', '1', '999999999', '40000', '2']

describe('whether a write is unbounded, against a server', { skip: postgresUnavailable(MAJOR) ?? false }, () => {
  let server: PostgresServer
  let client: pg.Client
  let catalogue: Catalogue
  before(async () => {
    await loadSqlParser()
    server = await startPostgres({ major: MAJOR })
    const { host, port, user, password } = server
    client = new pg.Client({ host, port, user, password, database: 'postgres' })
    await client.connect()
    await client.query(SCHEMA)
    const run = async (sql: string): Promise<(string | null)[][]> => (await client.query<(string | null)[]>({ text: sql, rowMode: 'array' })).rows
    catalogue = await Catalogue.load(run)
    await client.query('SET search_path = public')
  })
  after(async () => {
    await client.end()
    await server.stop()
  })

  const understand = (text: string): Analysis => analyse(text, { resolver: catalogue, searchPath: ['public'] })

  /** Rows of the table that are as they were, of how many. */
  async function kept(text: string): Promise<{ readonly left: number; readonly all: number }> {
    const table = /\b(whole|low)\b/.exec(text)?.[0] ?? 't'
    const rows = `SELECT ctid::text || xmin::text FROM ${table}`
    await client.query('BEGIN')
    try {
      const before = (await client.query({ text: rows, rowMode: 'array' })).rows.flat() as string[]
      await client.query(text)
      const after = new Set((await client.query({ text: rows, rowMode: 'array' })).rows.flat() as string[])
      return { left: before.filter((row) => after.has(row)).length, all: before.length }
    } finally {
      await client.query('ROLLBACK')
    }
  }

  for (const text of UNBOUNDED) {
    it(`finds no bound in ${text}`, async () => {
      assert.deepEqual((await kept(text)).left, 0)
      const { sql, fidelity, opaque } = understand(text)
      assert.deepEqual([sql.unbounded, fidelity], [true, 'parsed'], opaque)
    })
  }

  for (const text of BOUNDED) {
    it(`finds a bound in ${text}`, async () => {
      const { left, all } = await kept(text)
      assert.ok(left > 0 && all > left - 1, `${left} of ${all} rows are as they were`)
      const { sql, fidelity, opaque } = understand(text)
      assert.deepEqual([sql.unbounded, fidelity], [false, 'parsed'], opaque)
    })
  }

  it('says so of a shape only where other constants would have given the same', () => {
    const constants = /'(?:[^']|'')*'|(?<![\w.])\d+(?![\w.])/g
    const others = (text: string, pick: number): string => text.replaceAll(constants, (found) => (found.startsWith("'") ? STRINGS : NUMBERS)[pick] ?? found)
    let compared = 0
    for (const text of [...UNBOUNDED, ...BOUNDED].filter((each) => !understand(each).literals)) {
      for (let pick = 0; pick < STRINGS.length; pick++) {
        const other = others(text, pick)
        if (other === text || shapeOf(other) !== shapeOf(text) || shapeOf(text) === undefined) continue
        compared++
        assert.deepEqual(understand(other).sql, understand(text).sql, other)
      }
    }
    assert.ok(compared > 50, `only ${compared} compared`)
    for (const text of ['DELETE FROM t WHERE id = 5', 'UPDATE t SET note = 1 WHERE small = 7', "DELETE FROM t WHERE uid = 'x'", "UPDATE t SET done = true WHERE created_at < '2020-01-01'", 'DELETE FROM t WHERE id > 5 AND big <> 3']) assert.equal(understand(text).literals, false, text)
  })
})
