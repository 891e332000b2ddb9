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

function reach({ reads, writes, functions, volatileFunctions, unbounded, settings }: SqlFacts): unknown {
  return { reads: reads.toSorted(), writes: writes.toSorted(), functions: functions.toSorted(), volatileFunctions: volatileFunctions.toSorted(), unbounded, settings }
}

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

    it('reach the same from inside a common table expression, a subquery, a cursor or a COPY', () => {
      const queries = TEMPLATES.filter((template) => template.startsWith('SELECT') && !template.includes('FOR UPDATE'))
      const writes = TEMPLATES.filter((template) => /^(INSERT|UPDATE|DELETE)/.test(template))
      const frames: readonly ((inner: string) => string)[] = [
        (inner) => `WITH w AS (${inner}) SELECT 1 FROM w`, (inner) => `WITH RECURSIVE w AS MATERIALIZED (${inner}) TABLE w`,
        (inner) => `COPY (${inner}) TO STDOUT`, (inner) => `EXPLAIN (ANALYZE) ${inner}`, (inner) => `PREPARE w AS ${inner}`,
        (inner) => `SELECT 1 FROM (${inner}) w`, (inner) => `DECLARE w CURSOR FOR ${inner}`, (inner) => `SELECT ARRAY(SELECT w FROM (${inner}) w)`,
      ]
      fc.assert(fc.property(fc.constantFrom(...queries, ...writes), fc.nat(1000), fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 }), (template, choice, picks) => {
        const isQuery = template.startsWith('SELECT')
        const frame = frames[choice % (isQuery ? frames.length : 5)] ?? ((inner: string) => inner)
        const inner = isQuery || template.includes('RETURNING') ? template : `${template} RETURNING 1`
        const twin = frame(rendered(inner, picker(picks)))
        const { sql, syntaxError } = understand(twin)
        assert.equal(syntaxError, '', twin)
        assert.deepEqual(reach(sql), reach(understand(plain(inner)).sql), twin)
      }), { numRuns: 1500, seed: 5 })
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
