import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Mask } from '../../../../core/index.ts'
import { analyse, loadSqlParser, maskPlan, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'
import { Catalogue } from '../../../../adapters/postgresql/sql/catalogue.ts'

const columns = (...names: string[]): string => JSON.stringify(names.map((name, at) => [name, at + 1, 25, name === 'id', -1]))
const table = (oid: string, name: string, kind: string, names: string[], triggers = 'false'): (string | null)[] => [oid, 'public', name, kind, 'p', triggers, 'false', columns(...names), null]
const code = (oid: string, name: string, body: string, gives = 'int'): (string | null)[] =>
  ['public', name, 'f', 'v', 'plpgsql', 'false', oid, '0', '-1', 'false', `CREATE FUNCTION public.${name}() RETURNS ${gives} LANGUAGE plpgsql AS $f$${body}$f$`, null]

const READS = 'BEGIN RETURN (SELECT email FROM public.people LIMIT 1); END'
const CATALOGUE = new Catalogue({
  serverMajor: 18, stamp: '',
  relations: [
    table('1', 'people', 'r', ['id', 'name', 'email'], 'true'), table('2', 'names', 'v', ['id', 'name']), table('3', 'orders', 'r', ['id', 'item']),
    table('4', 'cages', 'r', ['mouse']), table('5', 'guarded', 'r', ['id']), table('6', 'noisy', 'r', ['id', 'email'], 'true'), table('7', 'noises', 'v', ['id']),
  ],
  edges: [['depends', '2', '1'], ['depends', '7', '6']],
  definitions: [['view', '2', '', 'SELECT id, name FROM public.people'], ['view', '7', '', 'SELECT id FROM public.noisy'], ['operator', '20', '=', '']],
  functions: [
    code('20', 'reads', READS), code('21', 'copies', 'BEGIN INSERT INTO public.log VALUES (old.email); RETURN new; END', 'trigger'),
    code('22', 'tidies', 'BEGIN new.email := lower(new.email); IF new.email IS NULL THEN RAISE EXCEPTION \'no %\', old.email; END IF; RETURN new; END', 'trigger'),
    code('23', 'wipes', 'BEGIN DELETE FROM public.orders; RETURN 1; END'),
  ],
  followers: [
    ['type', '', '20', 'trap'], ['type', '', '23', 'wiper'], ['row', '4', '20', ''], ['policy', '5', '', "(EXISTS (SELECT FROM public.people p WHERE p.email = 'x'))"],
    ['trigger', '6', '21', '16'], ['trigger', '1', '22', '16'], ['attached', '3', '20', ''],
  ],
})
const understand = (text: string): Analysis => analyse(text, { resolver: CATALOGUE, searchPath: ['public'] })
const MASKS: Mask[] = ['public.people.email', 'public.noisy.email'].map((column) => ({ column, method: 'null', predicates: 'block', untraced: 'block', rules: ['r'] }) as unknown as Mask)
const TARGET = { name: 't', protocol: 'postgresql', database: 'd', labels: {}, classes: {} }
const plan = (text: string): ReturnType<typeof maskPlan> => maskPlan(understand(text), MASKS, CATALOGUE, TARGET, { unknown: 'absent' })

describe('code that a statement runs without naming it', () => {
  before(loadSqlParser)

  for (const text of [
    "SELECT 'x'::trap", "SELECT trap 'x'", "SELECT '{x}'::trap[]", "SELECT * FROM json_to_record('{}') AS r(a trap)", 'PREPARE p (trap) AS SELECT $1', "INSERT INTO cages VALUES ('x')", 'SELECT mouse FROM cages',
    'SELECT id FROM guarded', 'SELECT 1 IN (SELECT 2)', 'SELECT CASE 1 WHEN 2 THEN 3 END', 'SELECT 1 FROM orders JOIN people USING (id)', 'INSERT INTO orders VALUES (1)', 'UPDATE noisy SET id = 1', 'UPDATE noises SET id = 1',
  ]) it(`is in the way of ${text}, where it uses a masked column`, () => assert.equal(plan(text).kind, 'blocked'))

  it('may look at the row that its trigger is for, change it in place and speak of it', () => {
    const { kind, errors } = plan("UPDATE people SET name = 'x'")
    assert.deepEqual({ kind, errors }, { kind: 'none', errors: 'message' })
  })

  it('is not in the way of what does not run it', () => assert.equal(plan('SELECT id, item FROM orders').kind, 'none'))

  it('counts among what the statement does', () => {
    const { sql, actions } = understand("SELECT 'x'::wiper")
    assert.ok(sql.unbounded && sql.writes.includes('public.orders') && actions.includes('delete'))
  })
})

describe('what went through a view', () => {
  before(loadSqlParser)

  it('has errors that may quote the masked row behind it', () => assert.notEqual(plan('UPDATE names SET name = NULL').errors, 'none'))

  it('names the columns behind it', () => {
    assert.ok(understand('SELECT name FROM names').sql.columns.includes('public.people.name'))
    assert.ok(understand("UPDATE names SET name = 'x' WHERE id = 1").sql.columns.includes('public.people.name'))
  })
})

it('names every column of an INSERT that names none', async () => {
  await loadSqlParser()
  assert.deepEqual(understand("INSERT INTO people VALUES (1, 'x', 'y')").sql.columns.toSorted(), ['public.people.email', 'public.people.id', 'public.people.name'])
})
