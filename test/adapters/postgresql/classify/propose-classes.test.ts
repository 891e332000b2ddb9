import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CatalogueConnection } from '../../../../adapters/postgresql/auth/catalogue-connection.ts'
import { proposeClasses, type Proposals, type ProposeOptions } from '../../../../adapters/postgresql/classify/index.ts'
import { type PostgresMajor, type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'
import { CLINIC, CLINIC_SQL, VALUES } from './clinic.ts'

const LEAST_PRECISION = 0.95
const LEAST_RECALL = 0.95

async function connect(postgres: PostgresServer, user: string = postgres.user, password: string = postgres.password): Promise<CatalogueConnection> {
  const { host, port } = postgres
  return CatalogueConnection.open({ host, port, user, password, database: 'postgres', tls: { mode: 'disable' }, timeoutMs: 20_000 })
}

async function propose(postgres: PostgresServer, options: ProposeOptions = {}): Promise<Proposals> {
  const connection = await connect(postgres)
  try {
    return await proposeClasses(connection, options)
  } finally {
    connection.close()
  }
}

const classes = ({ proposals }: Proposals): Record<string, string> => Object.fromEntries(proposals.map((proposal) => [proposal.column, proposal.class]))

interface Score { readonly precision: number; readonly recall: number; readonly wrong: readonly string[]; readonly missed: readonly string[] }

function score(proposed: Readonly<Record<string, string>>): Score {
  const wrong = Object.entries(proposed).filter(([column, name]) => CLINIC[column] !== name).map(([column, name]) => `${column}: ${name}`)
  const missed = Object.keys(CLINIC).filter((column) => proposed[column] !== CLINIC[column])
  const right = Object.keys(CLINIC).length - missed.length
  return { precision: right / (right + wrong.length), recall: right / Object.keys(CLINIC).length, wrong, missed }
}

for (const major of [15, 16, 18] satisfies PostgresMajor[]) {
  describe(`classes proposed for a database of PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let postgres: PostgresServer
    before(async () => {
      postgres = await startPostgres({ major })
      await postgres.query(CLINIC_SQL)
    })
    after(() => postgres.stop())

    test('are those that a person would give', async (context) => {
      const found = await propose(postgres)
      const { precision, recall, wrong, missed } = score(classes(found))
      context.diagnostic(`${found.columns} columns, ${Object.keys(CLINIC).length} of them classified: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}; wrong: ${wrong.join(', ') || 'none'}; missed: ${missed.join(', ') || 'none'}`)
      assert.ok(found.columns >= 40 && found.tables === 8 && found.sampled === 8)
      assert.ok(precision >= LEAST_PRECISION && recall >= LEAST_RECALL, JSON.stringify({ precision, recall, wrong, missed }))
    })

    test('say why, and never a value', async () => {
      const found = await propose(postgres)
      const why = Object.fromEntries(found.proposals.map((proposal) => [proposal.column, proposal.why]))
      assert.equal(why['public.patients.email'], 'name and 100 % of 200 sampled values')
      assert.equal(why['public.users.contact'], '100 % of 60 sampled values')
      assert.match(why['public.patients.notes'] ?? '', /^1[23] % of 200 sampled values, among other things$/)
      assert.equal(why['public.empty_people.full_name'], 'name')
      const told = JSON.stringify(found)
      for (const value of VALUES) assert.ok(!told.includes(value), value)
    })

    test('come from names and types alone when nothing may be looked at', async () => {
      await postgres.query('select pg_stat_reset()')
      const found = await propose(postgres, { sampleRows: 0 })
      const proposed = classes(found)
      assert.equal(found.sampled, 0)
      assert.equal(proposed['public.patients.email'], 'pii.email')
      assert.equal(proposed['billing.payments.x1'], undefined)
      assert.ok(found.proposals.every(({ why }) => /^(name|type)/.test(why)))
      assert.ok(score(proposed).precision >= 0.9, JSON.stringify(score(proposed)))
    })

    test('leave out what the configuration has classified', async () => {
      const proposed = classes(await propose(postgres, { known: ['*.*.email', 'billing.cards.*', '"Altbestand"."Mitarbeiter".*'] }))
      assert.deepEqual(Object.keys(proposed).filter((column) => /\.email$|cards|Alt/.test(column)), [])
      assert.equal(proposed['public.patients.mobile'], 'pii.phone')
    })
  })
}

describe('a target that does not make it easy', { skip: postgresUnavailable(18) ?? false }, () => {
  let postgres: PostgresServer
  before(async () => {
    postgres = await startPostgres({ major: 18 })
  })
  after(() => postgres.stop())

  test('is classified as far as the gateway may read it', async () => {
    await postgres.query(`
      create role looker login password 'look'; create table open_people (email text, phone text); create table closed_people (email text, phone text);
      insert into open_people values ('ada@example.com', '+44 20 7946 0018'); insert into closed_people values ('shut@example.com', '+44 20 7946 0019');
      grant select (email) on open_people to looker`)
    const connection = await connect(postgres, 'looker', 'look')
    const found = await proposeClasses(connection)
    connection.close()
    assert.deepEqual(found.proposals.map(({ column, why }) => [column, why]), [
      ['public.closed_people.email', 'name'], ['public.closed_people.phone', 'name'], ['public.open_people.email', 'name and 100 % of 1 sampled values'], ['public.open_people.phone', 'name'],
    ])
    assert.deepEqual(found.notes, ['public.closed_people: by names alone, the gateway may not read it'])
  })

  test('quotes values in its errors, and they are not passed on', async () => {
    await postgres.query(`
      create function tell(text) returns boolean language plpgsql as $$ begin raise exception 'value is %', $1; end $$;
      create table talkative (email text); insert into talkative values ('blurted@example.com');
      alter table talkative enable row level security; create policy p on talkative using (tell(email)); grant select on talkative to looker`)
    const connection = await connect(postgres, 'looker', 'look')
    const found = await proposeClasses(connection)
    connection.close()
    assert.ok(found.notes.includes('public.talkative: by names alone, the target refused the sample (SQLSTATE P0001)'))
    assert.ok(!JSON.stringify(found).includes('blurted'))
    assert.equal(classes(found)['public.talkative.email'], 'pii.email')
    await postgres.query('drop table talkative')
  })

  test('holds a table locked, or answers slowly, and the others are sampled all the same', async () => {
    await postgres.query(`create table locked_people (email text); insert into locked_people values ('locked@example.com')`)
    const holder = await connect(postgres)
    await holder.query('BEGIN; LOCK TABLE locked_people IN ACCESS EXCLUSIVE MODE')
    const found = await propose(postgres)
    holder.close()
    assert.ok(found.notes.includes('public.locked_people: by names alone, the target refused the sample (SQLSTATE 55P03)'))
    assert.equal(found.proposals.find(({ column }) => column === 'public.open_people.email')?.why, 'name and 100 % of 1 sampled values')
    const late = await propose(postgres, { sampleTimeMs: 0 })
    assert.equal(late.sampled, 0)
    assert.ok(late.notes.every((note) => note.endsWith('the time for samples was used up')))
  })

  test('has names that are written to be read wrongly, and they stay names', async () => {
    await postgres.query(`create schema "a.b"; create table "a.b"."x""; drop table open_people; --" ("e mail" text, "*" text); insert into "a.b"."x""; drop table open_people; --" select 'odd' || n || '@example.com', 'star' || n || '@example.com' from generate_series(1, 20) n`)
    const found = await propose(postgres)
    assert.deepEqual(found.proposals.filter(({ column }) => column.startsWith('"a.b"')).map(({ column }) => column), ['"a.b"."x""; drop table open_people; --"."e mail"', '"a.b"."x""; drop table open_people; --"."*"'])
    assert.deepEqual(await postgres.query('select count(*)::int as n from open_people'), [{ n: 1 }])
  })

  test('leaves what it looks at as it was, and tells its log no values', async () => {
    await propose(postgres)
    const connection = await connect(postgres)
    assert.deepEqual(await connection.query("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"), [['0']])
    connection.close()
    assert.ok(!postgres.log().includes('ada@example.com'))
  })

  test('ends when it is asked to', async () => {
    await assert.rejects(propose(postgres, { signal: AbortSignal.abort() }))
  })
})
