import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { loadSqlParser } from '../../../../../adapters/postgresql/sql/index.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../../../support/postgres-server.ts'
import { Comparison } from './comparison.ts'
import { scriptStatements } from './psql-script.ts'
import { SCHEMA, SETTLED, STATEMENTS, TRANSACTIONS } from './statements.ts'

for (const major of [15, 18] as const) {
  describe(`what a statement writes, against PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let server: PostgresServer
    before(async () => {
      await loadSqlParser()
      server = await startPostgres({ major })
    })
    after(() => server.stop())

    async function opened(database: string): Promise<Comparison> {
      await server.query(`CREATE DATABASE ${database}`)
      await server.query(SCHEMA, database)
      const comparison = new Comparison(server, database)
      await comparison.open()
      return comparison
    }

    it('is what the server itself says, or not claimed to be known', async () => {
      const comparison = await opened('one')
      let wrote = 0
      for (const [fidelity, text] of STATEMENTS) {
        const { analysis, observation, missing } = await comparison.run(text, '')
        assert.equal(observation.error, '', text)
        assert.deepEqual([analysis.fidelity, missing], [fidelity, []], `${text}: ${analysis.opaque}`)
        wrote += observation.written?.size ?? 0
      }
      await comparison.close()
      assert.ok(wrote > 80, `the server wrote ${wrote} relations`)
    })

    it('is not claimed to be known where a transaction has redefined it', async () => {
      const comparison = await opened('two')
      for (const transaction of TRANSACTIONS) {
        await comparison.run('BEGIN', '')
        for (const text of transaction) {
          const { observation, missing } = await comparison.run(text, '')
          assert.equal(observation.error, '', text)
          assert.deepEqual(missing, [], text)
        }
        await comparison.run('ROLLBACK', '')
      }
      await comparison.close()
    })

    it('is known where a transaction has redefined something else', async () => {
      const comparison = await opened('three')
      for (const text of STATEMENTS.slice(0, 4)) await comparison.run(text[1], '')
      for (const [before, text] of SETTLED) {
        await comparison.run('BEGIN', '')
        assert.equal((await comparison.run(before, '')).observation.error, '', before)
        const { analysis, observation, missing } = await comparison.run(text, '')
        assert.deepEqual([observation.error, analysis.fidelity, missing], ['', 'parsed', []], `${text}: ${analysis.opaque}`)
        await comparison.run('ROLLBACK', '')
      }
      await comparison.close()
    })
  })
}

describe('a script for psql', () => {
  it('is split into statements as psql does', () => {
    const script = `\\set who 'Ada'
SELECT 'a;b', $$;$$, :'who', x::int; -- a comment; here
COPY t FROM stdin;
1\t2
\\.
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END; SELECT 1 \\gset
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);`
    const found = [...scriptStatements(script, new Map())].map(({ text, data, next }) => [text.trim(), data, next])
    assert.deepEqual(found, [
      [`SELECT 'a;b', $$;$$, 'Ada', x::int`, '', ''],
      ['-- a comment; here\nCOPY t FROM stdin', '1\t2\n', ''],
      ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END', '', ''],
      ['SELECT 1', '', 'gset'],
      ['CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)', '', ''],
    ])
  })
})
