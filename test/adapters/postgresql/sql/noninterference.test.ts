/**
 * Statements made at random are run in two databases that differ in masked values alone. Whatever the masks let run has to
 * give the same in both: rows as the client would see them, tags, errors, and what is left in columns that are not masked.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { isHidden } from '../../../../adapters/postgresql/masked-result.ts'
import { analyse, Catalogue, loadSqlParser, maskedOrigins, maskPlan, originKey, type ErrorExposure, type MaskedOrigins, type ResultMask } from '../../../../adapters/postgresql/sql/index.ts'
import type { Mask, Target } from '../../../../core/index.ts'
import { startPostgres, type PostgresServer } from '../../../support/postgres-server.ts'
import { RandomQueries, type Column } from './random-query.ts'

const RUNS = Number(process.env['RUNS'] ?? 15_000)
const SEED = Number(process.env['SEED'] ?? 1)

const TARGET: Target = { name: 'twins', protocol: 'postgresql', database: 'one', labels: {}, classes: {} }
/** `m`, `k`, `j` and `s` are masked, wherever they are. */
const MASKS: readonly Mask[] = ['m', 'k', 'j', 's'].map((name) => ({ column: `public.*.${name}`, method: 'fixed' }))

const SCHEMA = `
create table a (id int primary key, n text, z int, m text, k int, j jsonb, s text[]);
create table b (id int primary key, a_id int references a, n text collate "C", m text);
create table part (id int, m text, n text) partition by range (id);
create table part_one partition of part for values from (0) to (10);
create view shown as select id, n, m from a;
create view made as select id, upper(m) as u, n || '!' as e from a;
create view kept as select id, n from a where z > 0;
create function loud(text) returns text language sql immutable as 'select upper($1)';
create function of_a(int) returns setof a language sql stable as 'select * from public.a where id <= $1';
create function twice(int) returns int language plpgsql immutable as 'begin return $1 * 2; end';
`
const VALUES: Readonly<Record<'one' | 'two', string>> = {
  one: `insert into a values (1, 'x', 0, 'abc', 1, '{"a":"x"}', '{x}'), (2, 'y', 1, 'x', 5, '[1,2]', '{}'), (3, 'x', 2, null, null, null, null), (4, null, 3, 'zzz', 0, '"s"', '{y,NULL}');
    insert into b values (1, 1, 'x', 'abc'), (2, 1, 'q', 'x'), (3, 3, 'y', null), (4, null, 'x', 'zzz'); insert into part values (1, 'abc', 'x'), (2, 'x', 'y');`,
  two: `insert into a values (1, 'x', 0, 'y', 7, '[]', '{}'), (2, 'y', 1, 'zzz', 0, '{"b":1}', '{x,y}'), (3, 'x', 2, null, null, null, null), (4, null, 3, '10', 5, 'null', '{y}');
    insert into b values (1, 1, 'x', 'zzz'), (2, 1, 'q', '10'), (3, 3, 'y', null), (4, null, 'x', 'x'); insert into part values (1, 'zzz', 'x'), (2, '10', 'y');`,
}

const A: readonly Column[] = [{ name: 'id', type: 'int' }, { name: 'n', type: 'text' }, { name: 'z', type: 'int' }, { name: 'm', type: 'text' }, { name: 'k', type: 'int' }, { name: 'j', type: 'jsonb' }, { name: 's', type: 'texts' }]
const RELATIONS: Readonly<Record<string, readonly Column[]>> = {
  a: A, b: [{ name: 'id', type: 'int' }, { name: 'a_id', type: 'int' }, { name: 'n', type: 'text' }, { name: 'm', type: 'text' }], part: [{ name: 'id', type: 'int' }, { name: 'm', type: 'text' }, { name: 'n', type: 'text' }],
  shown: [{ name: 'id', type: 'int' }, { name: 'n', type: 'text' }, { name: 'm', type: 'text' }], made: [{ name: 'id', type: 'int' }, { name: 'u', type: 'text' }, { name: 'e', type: 'text' }], kept: [{ name: 'id', type: 'int' }, { name: 'n', type: 'text' }],
}

interface Answer {
  readonly said: string
  readonly ran: boolean
}

/** One of the twins. */
class Twin {
  readonly client: pg.Client

  constructor({ host, port, user, password }: PostgresServer, database: string) {
    this.client = new pg.Client({ host, port, user, password, database })
  }

  /** Again and again: what was written and undone lies around, and its length would choose other plans. */
  async fill(values: string): Promise<void> {
    await this.client.query(`truncate a, b, part; ${values}`)
  }

  async run(text: string, origins: MaskedOrigins, planned: readonly ResultMask[], errors: ErrorExposure): Promise<Answer> {
    await this.client.query('begin; set local statement_timeout = 2000')
    try {
      const { rows, fields, command, rowCount } = await this.client.query<(string | null)[]>({ text, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } as never })
      const hidden = fields.map(({ tableID: table, columnID: attribute }, index) => origins.has(originKey(table, attribute)) || isHidden({ table, attribute }, index, fields.length, planned[0] ?? { kind: 'origins' }))
      // What comes out of a table as it is keeps its NULLs.
      const own = fields.map(({ tableID, columnID }) => origins.has(originKey(tableID, columnID)))
      const shown = rows.map((row) => row.map((value, index) => (hidden[index] === true ? (own[index] === true && value === null ? null : '***') : value)))
      return { said: `${command} ${rowCount} ${JSON.stringify(shown)} ${command === 'SELECT' ? '' : await this.#left()}`, ran: true }
    } catch (error) {
      const { code, message, detail = '' } = error as pg.DatabaseError
      return { said: { none: `${code} ${message} ${detail}`, detail: `${code} ${message}`, message: `${code}` }[errors], ran: false }
    } finally {
      await this.client.query('rollback')
    }
  }

  /** What a statement left where nothing is masked. */
  async #left(): Promise<string> {
    const { rows } = await this.client.query('select (select array_agg((id, n, z)::text order by id) from a) as a, (select array_agg((id, a_id, n)::text order by id) from b) as b')
    return JSON.stringify(rows)
  }
}

describe('statements that the masks let run', () => {
  let server: PostgresServer
  let twins: readonly Twin[]
  let catalogue: Catalogue

  before(async () => {
    await loadSqlParser()
    // Statistics that are gathered meanwhile would change plans, and with them the order of rows.
    server = await startPostgres({ major: 18, settings: { autovacuum: 'off' } })
    await server.query('create database schema')
    await server.query(SCHEMA, 'schema')
    twins = [new Twin(server, 'one'), new Twin(server, 'two')]
    for (const name of ['one', 'two'] as const) await server.query(`create database ${name} template schema`)
    for (const { client } of twins) await client.connect()
    const reader = new Twin(server, 'one')
    await reader.client.connect()
    catalogue = await Catalogue.load(async (sql) => (await reader.client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } as never })).rows)
    await reader.client.end()
  })
  after(async () => {
    for (const { client } of twins ?? []) await client.end()
    await server?.stop()
  })

  it('give the same whatever is masked', async () => {
    const origins = maskedOrigins(MASKS, catalogue, TARGET)
    let [ran, masked, failed] = [0, 0, 0]
    const told: string[] = []
    const queries = new RandomQueries(SEED, RELATIONS)
    for (let at = 0; at < RUNS; at++) {
      if (at % 500 === 0) for (const [index, values] of [VALUES.one, VALUES.two].entries()) await twins[index]?.fill(values)
      const text = queries.statement()
      const analysis = analyse(text, { resolver: catalogue, searchPath: ['public'] })
      // The catalogue is as new as the statement.
      const plan = maskPlan(analysis, MASKS, catalogue, TARGET, { unknown: 'absent' })
      if (plan.kind === 'blocked') continue
      const [first, second] = await Promise.all(twins.map((twin) => twin.run(text, origins, plan.results, plan.errors)))
      if (first?.ran === true) ran++
      if (first?.ran === true && plan.kind === 'masked') masked++
      if (first?.ran === false) failed++

      if (first?.said !== second?.said) told.push(`${text}\n  ${first?.said.slice(0, 300)}\n  ${second?.said.slice(0, 300)}`)
    }
    if (process.env['COUNT'] !== undefined) console.log({ ran, masked, failed })
    assert.deepEqual(told, [])
    assert.ok(ran > RUNS / 10 && masked > RUNS / 50, `only ${ran} ran, of which ${masked} with masks; ${failed} failed`)
  })
})
