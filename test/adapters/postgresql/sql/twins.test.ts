import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { analyse, Catalogue, loadSqlParser, type Analysis, type SqlFacts } from '../../../../adapters/postgresql/sql/index.ts'

/** `{name}` is an identifier, `<text>` a string; the rest is keywords, numbers and signs. */
const TEMPLATES: readonly string[] = [
  'SELECT {email} FROM {people}',
  'SELECT {p}.{email}, {p}.* FROM {public}.{people} {p} WHERE {p}.{id} = 5 AND {name} = <Ada>',
  'SELECT lower({name}) AS {n}, count(*) FROM {people} GROUP BY lower({name}) HAVING count(*) > 3 ORDER BY {n} LIMIT 10',
  'SELECT {o}.{total} FROM {orders} {o} JOIN {people} {p} ON {p}.{id} = {o}.{person} WHERE {p}.{name} LIKE <A%>',
  'SELECT {id} FROM {people} WHERE {id} IN (SELECT {person} FROM {orders} WHERE {total} > 100) UNION ALL SELECT {person} FROM {orders}',
  'SELECT CASE WHEN {age} > 30 THEN <old> ELSE {name} END FROM {people} WHERE {email} IS NOT NULL',
  'SELECT {x}.{e} FROM (SELECT {email} AS {e} FROM {people}) {x} CROSS JOIN LATERAL (SELECT {total} FROM {orders} WHERE {person} = {id}) {y}',
  'SELECT EXISTS (SELECT FROM {orders} WHERE {total} BETWEEN 1 AND 2), ARRAY(SELECT {id} FROM {people}), {age}::text, CAST({age} AS numeric) FROM {people}',
  'SELECT row_number() OVER (PARTITION BY {name} ORDER BY {age}) FROM {people} WINDOW {w} AS (ORDER BY {id})',
  'INSERT INTO {people} ({id}, {name}) VALUES (1, <Ada>), (2, <O Neil>) RETURNING {id}',
  'INSERT INTO {orders} ({id}, {person}) SELECT {id}, {age} FROM {people} WHERE {name} <> <Bob> ON CONFLICT ({id}) DO UPDATE SET {total} = 5 WHERE {orders}.{id} > 3',
  'UPDATE {people} SET {name} = <x>, {age} = {age} + 1 WHERE {id} = 7',
  'UPDATE {people} SET {name} = <x>',
  'UPDATE {people} {p} SET {age} = {o}.{total} FROM {orders} {o} WHERE {o}.{person} = {p}.{id} RETURNING {p}.{email}',
  'DELETE FROM {people} WHERE {id} = {id}',
  'DELETE FROM {people} WHERE {name} = <x> OR NOT false',
  'DELETE FROM {orders} USING {people} WHERE {people}.{id} = {orders}.{person} AND {people}.{name} = <x> RETURNING *',
  'MERGE INTO {people} {p} USING {orders} {o} ON {p}.{id} = {o}.{person} WHEN MATCHED AND {o}.{total} > 3 THEN UPDATE SET {name} = <x> WHEN NOT MATCHED THEN INSERT ({id}) VALUES ({o}.{person})',
  'TRUNCATE {people}, {orders}',
  'DROP TABLE {orders}',
  'CREATE TABLE {fresh} ({id} int, {name} text DEFAULT <x>)',
  'CREATE TABLE {fresh} AS SELECT {id}, {name} FROM {people} WHERE {age} > 3',
  'CREATE VIEW {seen} AS SELECT {id} FROM {people}',
  'ALTER TABLE {people} ADD COLUMN {extra} int',
  'GRANT SELECT ON {people} TO {bob}',
  'COPY {people} ({id}, {name}) TO STDOUT',
  'COPY (SELECT {id} FROM {people} WHERE {name} = <x>) TO STDOUT',
  'EXPLAIN ANALYZE DELETE FROM {people} WHERE {id} = 3',
  'PREPARE {q} AS UPDATE {people} SET {age} = 3 WHERE {name} = <x>',
  'DECLARE {c} CURSOR FOR SELECT {email} FROM {people}',
  'SELECT pg_catalog.upper({name}), unknown_one({id}, <x>) FROM {people}',
  'SET search_path = {public}, {other}',
  'LOCK TABLE {people} IN EXCLUSIVE MODE',
  'SELECT set_config(<role>, <x>, false)',
  'SELECT {people}.{name}.{nothing} FROM {people}',
  'SELECT nextval(<s>), random() FROM {people} FOR UPDATE',
  'TABLE {people}',
  'SELECT {name}, {age}, count(*) FROM {people} GROUP BY GROUPING SETS (({name}), ({age}), ()) UNION SELECT {item}.{a}, {item}.{b}, 1 FROM (VALUES (<x>, 2)) AS {item} ({a}, {b})',
  'SELECT {id}, {email} INTO {fresh} FROM {people} WHERE {age} > 3',
  'CREATE MATERIALIZED VIEW {fresh} AS SELECT {id} FROM {people}',
  'CREATE TABLE {fresh} AS WITH {w} AS (SELECT {email} FROM {people}) SELECT * FROM {w}',
  'DELETE FROM {people} USING {people} AS {o} WHERE {o}.{id} = {people}.{id}',
  'DELETE FROM {people} WHERE {id} IN (SELECT {id} FROM {people} WHERE {age} > 3 LIMIT 5)',
  'UPDATE {seen} SET {email} = <x> WHERE {id} = 3 RETURNING *',
  'WITH {gone} AS (DELETE FROM {orders} WHERE {id} = 3 RETURNING *) INSERT INTO {people} ({id}, {name}) SELECT {id}, <x> FROM {gone} RETURNING {people}.{email}',
  'MERGE INTO {people} {p} USING {people} {o} ON {p}.{id} = {o}.{id} WHEN MATCHED THEN DELETE RETURNING {p}.{email}, merge_action()',
  'MERGE INTO {people} {p} USING (SELECT {person} FROM {orders}) {o} ON {p}.{id} = {o}.{person} WHEN NOT MATCHED BY SOURCE AND {p}.{age} > 3 THEN UPDATE SET {name} = <x>',
  'EXPLAIN (ANALYZE, VERBOSE) WITH {gone} AS (UPDATE {people} SET {age} = 3 RETURNING {id}) SELECT * FROM {gone}',
  'EXPLAIN (ANALYZE) CREATE TABLE {fresh} AS SELECT {email} FROM {people}',
  'EXPLAIN UPDATE {people} SET {age} = 3',
  'PREPARE {q} AS SELECT {email} FROM {people} WHERE {id} = $1; EXECUTE {q} (3)',
  'PREPARE {q} AS DELETE FROM {people} WHERE {id} = {id}; EXPLAIN ANALYZE EXECUTE {q}',
  'PREPARE {q} AS SELECT {email} FROM {people}; CREATE TABLE {fresh} AS EXECUTE {q}; DEALLOCATE {q}',
  'BEGIN; DECLARE {c} CURSOR WITH HOLD FOR SELECT {email} FROM {people} WHERE {name} = <x>; FETCH ALL FROM {c}; CLOSE {c}; COMMIT',
  'COPY (WITH {gone} AS (DELETE FROM {orders} RETURNING *) SELECT {id} FROM {gone}) TO STDOUT',
  'COPY {people} ({id}, {email}) FROM STDIN',
  'COPY {people} TO PROGRAM <cat>',
  'DO <begin delete from people where id in (5); perform upper(name) from public.people; end>',
  'DO LANGUAGE {plpgsql} <begin truncate orders; delete from people; end>',
  'CREATE FUNCTION {f} () RETURNS int LANGUAGE {sql} AS <select 1>',
  'REFRESH MATERIALIZED VIEW {seen}',
  'COMMENT ON COLUMN {public}.{people}.{email} IS <x>',
  'ALTER ROLE {bob} SET {search_path} = <x>',
  'SELECT lo_get(5), pg_read_file(<x>), dblink(<far>, <x>) FROM {people}',
]

const LAYOUT = [' ', '\n', '\t ', ' /* drop table people */ ', ' -- where true\n', ' /* a /* nested ; */ <b> */ ']

type Pick = (choices: number) => number

function picker(picks: readonly number[]): Pick {
  let at = 0
  return (choices) => (picks[at++ % picks.length] ?? 0) % choices
}

function identifier(name: string, pick: Pick): string {
  const escaped = Array.from(name, (char, at) => (at % 2 === 0 ? `\\${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char)).join('')
  return [name, `"${name}"`, `U&"${escaped}"`, name.toUpperCase(), `u&"\\+${(name.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}${name.slice(1)}"`][pick(5)] ?? name
}

/** The same string; no backslash, so that `standard_conforming_strings` does not matter. */
function string(text: string, pick: Pick): string {
  const hex = Array.from(text, (char) => `\\x${char.charCodeAt(0).toString(16)}`).join('')
  return [`'${text}'`, `E'${text}'`, `e'${hex}'`, `$$${text}$$`, `$q1$${text}$q1$`, `U&'${text}'`][pick(6)] ?? text
}

function rendered(template: string, pick: Pick): string {
  return template.replace(/\{(\w+)\}|<([^>=]+)>(?=\W|$)|(\s+)|([A-Za-z_]+)/g, (whole, name?: string, text?: string, space?: string, word?: string) => {
    if (name !== undefined) return identifier(name, pick)
    if (text !== undefined) return string(text, pick)
    if (space !== undefined) return LAYOUT[pick(LAYOUT.length)] ?? ' '
    return word === undefined || pick(2) === 0 ? whole : word.toUpperCase() === word ? word.toLowerCase() : word
  })
}

const plain = (template: string): string => rendered(template, () => 0)

const columns = (...names: string[]): string => JSON.stringify(names.map((name, at) => [name, at + 1, 25, name === 'id']))
const CATALOGUE = new Catalogue({
  serverMajor: 18, stamp: '', edges: [['depends', '3', '1']], functions: [], definitions: [['view', '3', '', 'SELECT id, email FROM public.people']], followers: [],
  relations: [
    ['1', 'public', 'people', 'r', 'p', 'false', 'false', columns('id', 'name', 'email', 'age'), null],
    ['2', 'public', 'orders', 'r', 'p', 'false', 'false', columns('id', 'person', 'total'), null],
    ['3', 'public', 'seen', 'v', 'p', 'false', 'false', columns('id', 'email'), null],
    ['4', 'other', 'people', 'r', 'p', 'false', 'false', columns('id', 'email'), null],
  ],
})

const WAYS = [
  { title: 'without a catalogue', understand: (text: string): Analysis => analyse(text, { resolver: undefined, searchPath: undefined }) },
  { title: 'with one', understand: (text: string): Analysis => analyse(text, { resolver: CATALOGUE, searchPath: ['public'] }) },
]

/** Everything but where it stands in the text; reasons may quote names as written. */
function meaning({ statements, literals: _literals, ...whole }: Analysis): unknown {
  return [whole, statements.map(({ start: _start, end: _end, literals: _each, ...rest }) => rest)]
}

/** What holds of a statement wherever it stands; `made` is what the frame around it makes. */
function reach({ sql, fidelity }: Analysis, made = ''): unknown {
  const { tables: _all, statements: _count, countable: _countable, returning: _returning, catalogOnly: _only, databaseWide: _wide, temporary: _temporary, ...facts } = sql
  const lists = Object.entries(facts).map(([key, value]) => [key, Array.isArray(value) ? (value as string[]).filter((name) => name !== made).toSorted() : value])
  return { fidelity, ...(Object.fromEntries(lists) as Partial<SqlFacts>) }
}

/** Which columns come out where, without the reasons. */
function given({ statements }: Analysis): unknown {
  const origin = (sources: readonly { readonly table: string; readonly column: string }[]): string[] => sources.map(({ table, column }) => `${table}.${column}`).toSorted()
  return statements.at(-1)?.lineage.outputs.map(({ sources, derived }) => [origin(sources), origin(derived)])
}

interface Frame {
  readonly around: (inner: string) => string
  /** What it makes beside what stands in it. */
  readonly made?: string
  /** Its rows are those of what stands in it. */
  readonly rows?: boolean
  /** It holds queries alone. */
  readonly query?: boolean
}

const FRAMES: readonly Frame[] = [
  { around: (inner) => `WITH w AS (${inner}) SELECT * FROM w`, rows: true }, { around: (inner) => `WITH RECURSIVE w AS MATERIALIZED (${inner}) TABLE w`, rows: true },
  { around: (inner) => `COPY (${inner}) TO STDOUT`, rows: true }, { around: (inner) => `COPY (WITH w AS (${inner}) SELECT * FROM w) TO STDOUT (FORMAT csv)`, rows: true },
  { around: (inner) => `EXPLAIN (ANALYZE) ${inner}` }, { around: (inner) => `EXPLAIN (ANALYZE, VERBOSE) WITH w AS (${inner}) SELECT 1 FROM w` },
  { around: (inner) => `PREPARE w AS ${inner}` , rows: true }, { around: (inner) => `PREPARE w AS ${inner}; EXECUTE w`, rows: true }, { around: (inner) => `PREPARE w AS WITH v AS (${inner}) SELECT * FROM v; EXECUTE w`, rows: true },
  { around: (inner) => `PREPARE w AS ${inner}; EXPLAIN ANALYZE EXECUTE w` }, { around: (inner) => `BEGIN; ${inner}`, rows: true },
  { around: (inner) => `SELECT * FROM (${inner}) w`, rows: true, query: true }, { around: (inner) => `(${inner}) OFFSET 0`, rows: true, query: true }, { around: (inner) => `DECLARE w CURSOR FOR ${inner}`, rows: true, query: true },
  { around: (inner) => `DECLARE w NO SCROLL CURSOR WITH HOLD FOR ${inner}; FETCH 3 FROM w`, rows: true, query: true }, { around: (inner) => `SELECT ARRAY(SELECT w FROM (${inner}) w)`, query: true },
  { around: (inner) => `SELECT 1 WHERE EXISTS (${inner})`, query: true }, { around: (inner) => `SELECT l.* FROM (SELECT 1) one, LATERAL (${inner}) l`, rows: true, query: true },
  { around: (inner) => `CREATE TABLE made AS ${inner}`, made: 'made', query: true }, { around: (inner) => `CREATE TEMP TABLE made ON COMMIT DROP AS ${inner}`, made: 'pg_temp.made', query: true },
  { around: (inner) => `EXPLAIN ANALYZE CREATE TABLE made AS ${inner}`, made: 'made', query: true }, { around: (inner) => `PREPARE w AS ${inner}; CREATE TABLE made AS EXECUTE w`, made: 'made', query: true },
  { around: (inner) => `CREATE MATERIALIZED VIEW made AS ${inner}`, made: 'made', query: true }, { around: (inner) => `SELECT * INTO made FROM (${inner}) w`, made: 'made', query: true },
  { around: (inner) => `INSERT INTO made ${inner}`, made: 'made', query: true },
]

for (const { title, understand } of WAYS) {
  describe(`twins of a statement, ${title}`, () => {
    before(loadSqlParser)

    it('mean the same however they are quoted, escaped, commented, cased and laid out', () => {
      for (const template of TEMPLATES) assert.equal(understand(plain(template)).syntaxError, '', plain(template))
      fc.assert(fc.property(fc.constantFrom(...TEMPLATES), fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 }), (template, picks) => {
        const twin = rendered(template, picker(picks))
        assert.deepEqual(meaning(understand(twin)), meaning(understand(plain(template))), twin)
      }), { numRuns: 2000, seed: 3 })
    })

    it('reach the same, and give the same, from inside of anything that can hold them', () => {
      const held = TEMPLATES.filter((template) => /^(SELECT|TABLE|INSERT|UPDATE|DELETE|MERGE)/.test(template) && !/FOR UPDATE| INTO \{fresh\}/.test(template))
      const tried = new Set<string>()
      fc.assert(fc.property(fc.constantFrom(...held), fc.nat(1000), fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 }), (template, choice, picks) => {
        const isQuery = /^(SELECT|TABLE)/.test(template)
        const frames = FRAMES.filter(({ query }) => query !== true || isQuery)
        const { around, made, rows = false } = frames[choice % frames.length] ?? { around: (inner: string) => inner }
        const inner = isQuery || template.includes('RETURNING') ? template : `${template} RETURNING 1`
        const twin = around(rendered(inner, picker(picks)))
        const [analysis, alone] = [understand(twin), understand(plain(inner))]
        assert.equal(analysis.syntaxError, '', twin)
        assert.deepEqual(reach(analysis, made), reach(alone), twin)
        if (rows) assert.deepEqual(given(analysis), given(alone), twin)
        tried.add(`${choice % frames.length} ${template}`)
      }), { numRuns: 3000, seed: 5 })
      assert.ok(tried.size > 500, `only ${tried.size} pairs`)
    })

    it('reach the same from inside of a block of code, in a loop or behind a condition', () => {
      const writes = TEMPLATES.filter((template) => /^(INSERT|UPDATE|DELETE|MERGE)/.test(template) && !template.includes('RETURNING'))
      const blocks: readonly ((inner: string) => string)[] = [
        (inner) => `DO $frame$ BEGIN ${inner}; END $frame$`, (inner) => `DO LANGUAGE plpgsql $frame$ BEGIN IF now() > '2000-01-01' THEN ${inner}; END IF; END $frame$`,
        (inner) => `DO $frame$ BEGIN BEGIN ${inner}; EXCEPTION WHEN others THEN NULL; END; END $frame$`,
      ]
      for (const template of writes) {
        for (const block of blocks) {
          const { sql } = understand(block(plain(template)))
          const alone = understand(plain(template)).sql
          for (const key of ['reads', 'writes'] as const) assert.deepEqual(sql[key].toSorted(), alone[key].toSorted(), `${key} of ${block(plain(template))}`)
          assert.equal(sql.unbounded, alone.unbounded, block(plain(template)))
        }
      }
    })

    it('do not mean the same where a name is quoted in another case', () => {
      const different = TEMPLATES.filter((template) => /\{(people|orders)\}/.test(template))
      for (const template of different) {
        const twin = plain(template).replaceAll(/\b(people|orders)\b/g, (name) => `"${name.toUpperCase()}"`)
        assert.notDeepEqual(meaning(understand(twin)), meaning(understand(plain(template))), twin)
      }
    })
  })
}
