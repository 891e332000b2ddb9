/**
 * What is said never to fail, does not: expressions over masked columns, made at random, are run over rows of ordinary
 * values and over rows of the strangest that their types hold. Whatever is called total and runs over the former has to run
 * over the latter.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { analyse, Catalogue, loadSqlParser, maskPlan } from '../../../../adapters/postgresql/sql/index.ts'
import { PART_FUNCTIONS, TOTAL_FUNCTIONS } from '../../../../adapters/postgresql/sql/total-functions.ts'
import type { Mask, Target } from '../../../../core/index.ts'
import { startPostgres, type PostgresServer } from '../../../support/postgres-server.ts'

/** Column, type, an ordinary value, the strangest ones. */
const COLUMNS: readonly (readonly [name: string, type: string, ordinary: string, strange: readonly string[]])[] = [
  ['t', 'text', 'abc', ['', ' ', '%', '\\', 'ß', '\u{1f600}', 'NaN', '{', '"', "'", '9'.repeat(300), 'a'.repeat(5000)]],
  ['v', 'varchar(5)', 'ab', ['', 'äöüßé', '-1']],
  ['dom', 'words', 'word', ['', '\\x', 'null']],
  ['b', 'bool', 'true', ['false']],
  ['i2', 'int2', '7', ['32767', '-32768', '0']],
  ['i4', 'int4', '7', ['2147483647', '-2147483648', '0', '-1']],
  ['i8', 'int8', '7', ['9223372036854775807', '-9223372036854775808', '0', '-1']],
  ['n', 'numeric(12,2)', '7.25', ['9999999999.99', '-9999999999.99', '0', 'NaN', '0.01']],
  ['nn', 'numeric', '7.25', ['1e70', '-1e70', '1e-70', 'Infinity', '-Infinity', 'NaN', '0']],
  ['f4', 'float4', '7.25', ['3e38', '1e-38', 'NaN', 'Infinity', '-Infinity', '-0']],
  ['f8', 'float8', '7.25', ['1.7e308', '-1.7e308', '1e-307', 'NaN', 'Infinity', '-Infinity', '-0']],
  ['d', 'date', '2020-02-29', ['infinity', '-infinity', '4000-01-01 BC', '290000-12-31', '0001-01-01']],
  ['ts', 'timestamp', '2020-02-29 10:00', ['infinity', '-infinity', '4000-01-01 BC', '290000-12-31 23:59:59.999999']],
  ['tz', 'timestamptz', '2020-02-29 10:00', ['infinity', '-infinity', '4000-01-01 BC', '290000-12-31 23:59:59.999999']],
  ['tm', 'time', '10:00', ['24:00', '00:00']],
  ['iv', 'interval', '1 day', ['178000000 years', '-178000000 years', '0']],
  ['u', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', ['00000000-0000-0000-0000-000000000000']],
  ['ip', 'inet', '10.0.0.1', ['0.0.0.0/0', '::/0', 'ffff::1', '255.255.255.255']],
  ['by', 'bytea', '\\x0102', ['', '\\x00', '\\xff']],
  ['jb', 'jsonb', '{"a":{"b":[1,"x"]}}', ['null', '1', '"x"', '[]', '{}', '[[]]', 'true', '{"a":1e300}', '[1,{"a":null}]']],
  ['a', 'text[]', '{x,y}', ['{}', '{{a,b},{c,d}}', '{NULL}', '[5:6]={a,b}', '{""}']],
  ['ai', 'int[]', '{1,2}', ['{}', '{{1},{2}}', '{NULL}', '[-5:-4]={1,2}']],
  ['en', 'mood', 'sad', ['glad']],
  ['co', 'pair', '(1,x)', ['(,)', '(,"")']],
  ['r', 'int4range', '[1,5)', ['empty', '(,)', '[1,)', '(,1)']],
  ['dr', 'daterange', '[2020-01-01,2021-01-01)', ['empty', '(,)', '[infinity,)']],
]

const RUNS = Number(process.env['RUNS'] ?? 20_000)
const SEED = Number(process.env['SEED'] ?? 1)

const TARGET: Target = { name: 'odd', protocol: 'postgresql', database: 'odd', labels: {}, classes: {} }
const MASKS: readonly Mask[] = COLUMNS.map(([name]) => ({ column: `public.strange.${name}`, method: 'fixed' }))

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Every value in a row of its own, and all NULLs. */
function tables(): string {
  const list = COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')
  const rows = COLUMNS.flatMap(([name, , , strange]) => strange.map((value) => `insert into strange (${name}) values (${quoted(value)});`))
  return `create domain words as varchar(20) check (value <> 'x'); create type mood as enum ('sad', 'glad'); create type pair as (x int, y text);
    create table strange (${list}); create table ordinary (like strange);
    insert into ordinary values (${COLUMNS.map(([, , ordinary]) => quoted(ordinary)).join(', ')});
    ${rows.join('\n')} insert into strange select from generate_series(1, 2);`
}

/** Two tables that differ in what is masked alone; what is not fails now and then: texts of two collations, a zero, no number. */
const TWINS = `create table one (m text, k int, j jsonb, s text[], c text collate "C", p text collate "POSIX", z int, w text, big numeric);
  create table two (like one including all); create table twice (c text collate "C"); insert into twice values ('x'), ('y');
  insert into one values ('abc', 1, '{"a":"x"}', '{x}', 'abc', 'b', 0, 'no number', 9e131071); insert into two values ('xyz', 9, '[1]', '{}', 'abc', 'b', 0, 'no number', 9e131071);`
const TWIN_MASKS: readonly Mask[] = ['m', 'k', 'j', 's'].map((name) => ({ column: `public.one.${name}`, method: 'fixed' }))

const CONSTANTS = ['1', '2', '10', '0', '1.5', '12345.678', "'9e131071'::numeric", "''", "'x'", "'a'", "'%a%'", "'hex'", "'base64'", "'UTF8'", "'year'", "'epoch'", "'hour'", "'month'", "'utc'", "'DAY'", "'{a,b}'", "'YYYY-MM-DD HH24:MI'", "'^a.*[0-9]+'", "'g'", 'null', 'true', "date '2020-01-01'", "array['x']", "array[1,2]", 'current_date', 'now()', "'[1,3)'"]
const NAMES = [...TOTAL_FUNCTIONS.keys(), ...PART_FUNCTIONS]
const OPERATORS = ['||', '=', '<>', '<', '>=', '+', '-', '*', '/', '%', '->', '->>', '#>', '#>>', '?', '?|', '@>', '<@', '&&', '<<', '~', '!~*', 'like', 'ilike', 'not like', 'is distinct from', 'is not distinct from', 'and', 'or']
const TYPES = ['text', 'varchar(3)', 'char(4)', 'name', 'int2', 'int4', 'int8', 'numeric', 'numeric(10,2)', 'float4', 'float8', 'bool', 'date', 'timestamp', 'timestamptz', 'time', 'interval', 'uuid', 'inet', 'bytea', 'jsonb', 'json', 'mood']

const made = (columns: readonly string[]): fc.Arbitrary<string> => fc.letrec<{ part: string; whole: string }>((tie) => ({
  part: fc.oneof({ maxDepth: 3, depthSize: 'small' }, { weight: 4, arbitrary: fc.constantFrom(...columns) }, { weight: 3, arbitrary: fc.constantFrom(...CONSTANTS) }, { weight: 5, arbitrary: tie('whole') }),
  whole: fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...NAMES), fc.array(tie('part'), { maxLength: 3 })).map(([name, args]) => `${name}(${args.join(', ')})`) },
    { weight: 3, arbitrary: fc.tuple(tie('part'), fc.constantFrom(...OPERATORS), tie('part')).map(([left, operator, right]) => `(${left} ${operator} ${right})`) },
    { weight: 2, arbitrary: fc.tuple(tie('part'), fc.constantFrom(...TYPES)).map(([part, type]) => `(${part})::${type}`) },
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([when, then, otherwise]) => `case when ${when} is null then ${then} else ${otherwise} end`),
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([when, then, otherwise]) => `case when ${when} then ${then} when ${otherwise} = ${then} then ${then} end`),
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([one, other, then]) => `case ${one} when ${other} then ${then} when ${then} then ${other} end`),
    fc.tuple(fc.constantFrom('max', 'count', 'sum', 'bool_or', 'string_agg', 'json_agg'), tie('part'), tie('part')).map(([name, part, when]) => `${name}(${part}) filter (where ${when})`),
    fc.tuple(fc.constantFrom('coalesce', 'nullif', 'greatest', 'least'), tie('part'), tie('part')).map(([name, left, right]) => `${name}(${left}, ${right})`),
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([left, low, high]) => `(${left} between ${low} and ${high})`),
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([left, low, high]) => `(${left} not between symmetric ${low} and ${high})`),
    fc.tuple(tie('part'), tie('part'), tie('part')).map(([left, one, other]) => `(${left} in (${one}, ${other}))`),
    fc.tuple(tie('part'), tie('part')).map(([left, right]) => `(${left} = any(${right}))`),
    fc.tuple(tie('part'), fc.constantFrom('[1]', '[2:3]', "['a']", '.x', '.y', '.*', '[i4]', '[i8]', '[k]', '[length(c || p)]')).map(([left, step]) => `(${left})${step}`),
    fc.tuple(tie('part'), fc.constantFrom('is null', 'is not true', 'collate "C"')).map(([left, test]) => `(${left} ${test})`),
    tie('part').map((part) => `(-${part})`),
    tie('part').map((part) => `json_value(${part}, '$.a')`),
    tie('part').map((part) => `xmlelement(name x, ${part})`),
    fc.tuple(tie('part'), tie('part')).map(([left, right]) => `array[${left}, ${right}]`),
  ),
})).whole

describe('expressions that are said never to fail', () => {
  let server: PostgresServer
  let client: pg.Client
  let catalogue: Catalogue

  before(async () => {
    await loadSqlParser()
    server = await startPostgres({ major: 18 })
    await server.query('create database odd')
    await server.query(tables(), 'odd')
    await server.query(TWINS, 'odd')
    client = new pg.Client({ host: server.host, port: server.port, user: server.user, password: server.password, database: 'odd' })
    await client.connect()
    catalogue = await Catalogue.load(async (sql) => (await client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } as never })).rows)
    await client.query('set search_path = public')
  })
  after(async () => {
    await client?.end()
    await server?.stop()
  })

  const isTotal = (expression: string, table = 'strange', masks = MASKS): boolean => maskPlan(analyse(`select ${expression} as x from ${table}`, { resolver: catalogue, searchPath: ['public'] }), masks, catalogue, TARGET).kind === 'masked'
  const errorOf = async (expression: string, table: string): Promise<string | undefined> => client.query(`select ${expression} as x from ${table}`).then(() => undefined, (error: unknown) => (error as Error).message.replaceAll(`${table}.`, ''))

  it('run over any value that their types hold', async () => {
    let ran = 0
    const failed: string[] = []
    for (const expression of fc.sample(made(COLUMNS.map(([name]) => name)), { numRuns: RUNS, seed: SEED })) {
      if (!isTotal(expression) || (await errorOf(expression, 'ordinary')) !== undefined) continue
      ran++
      const error = await errorOf(expression, 'strange')
      if (error !== undefined) failed.push(`${expression}: ${error}`)
    }
    assert.deepEqual(failed, [])
    assert.ok(ran > RUNS / 40, `only ${ran} ran`)
  })

  it('fail for other reasons whatever is masked, or not at all', async () => {
    let failing = 0
    const told: string[] = []
    const columns = ['m', 'm', 'k', 'j', 's', 'c', 'p', '(c || p)', '(1 / z)', 'w::int', '(select twice.c from twice)', 'big', "m > 'm'", 'k > 5', "nullif(m, 'abc')"]
    for (const expression of fc.sample(made(columns), { numRuns: RUNS, seed: SEED })) {
      if (!isTotal(expression, 'one', TWIN_MASKS)) continue
      const [one, two] = [await errorOf(expression, 'one'), await errorOf(expression, 'two')]
      if (one !== undefined && !/does not exist|syntax error/.test(one)) failing++
      if (one !== two) told.push(`${expression}: ${one} / ${two}`)
    }
    assert.deepEqual(told, [])
    assert.ok(failing > 20, `only ${failing} failed`)
  })

  it('are not those that do fail for some', async () => {
    for (const expression of ['1 / i4', 'i4 * 2', 't::int', 'n::int', 'f8 * 2', 'n * 1e15 * 1e15 * 1e15 * 1e15', 'nn * n', 'nn + nn', "sum(case when b then '9e131071'::numeric else 1 end)", 'sum(n * 1e20)', 'chr(i4)', "extract('bogus' from d)", "encode(by, 'bogus')", '(array[1, 2])[i8]', 'array_agg(a)', "'x' || jb", "t ~ '(a)\\1'", "js ->> 'a'", "to_char(n, '9V999')", 'age(d)', 'd - d', 'jsonb_array_length(jb)', 'repeat(t, 9999)']) {
      assert.equal(isTotal(expression), false, expression)
    }
  })
})



