import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { changesOf, type Change } from '../../../../adapters/postgresql/impact/changes.ts'
import { loadSqlParser, parse } from '../../../../adapters/postgresql/sql/load.ts'
import { tokensOf } from '../../../../adapters/postgresql/sql/tokens.ts'

function changes(text: string, statement = 0): readonly Change[] {
  const parsed = parse(text)
  assert.equal(parsed.kind, 'parsed', text)
  const part = parsed.statements[statement]
  const tokens = tokensOf(text)
  assert.ok(part !== undefined && tokens !== undefined)
  return changesOf(text, part, tokens)
}

/** The query, white space and line ends made one space. */
function query(text: string, statement = 0): string | undefined {
  return changes(text, statement)[0]?.rows?.text('X').replaceAll(/\s+/g, ' ').trim()
}

describe('the rows a statement would change, as a query', () => {
  before(() => loadSqlParser())

  const CASES: readonly (readonly [statement: string, query: string])[] = [
    ['update orders set status = 1 where id = 7', 'SELECT X FROM orders WHERE id = 7'],
    ['UPDATE ONLY "Or ders" AS o SET (a, b) = (1, 2) WHERE o.id IN (1, 2) RETURNING *', 'SELECT X FROM ONLY "Or ders" AS o WHERE o.id IN (1, 2)'],
    ['update set set set = 1 where set.id = 2', 'SELECT X FROM set WHERE set.id = 2'],
    ['update a set b = c is distinct from d from e where a.id = e.id', 'SELECT X FROM a , e WHERE a.id = e.id'],
    ['update a set b = (select c from d where e) where f returning (select g where true)', 'SELECT X FROM a WHERE f'],
    ['with update as (select 1 as n) update t set a = 1 from update where t.n = update.n', 'with update as (select 1 as n) SELECT X FROM t , update WHERE t.n = update.n'],
    ['update t set a = $1 where b = $2', 'SELECT X FROM t WHERE b = $2'],
    ['update t set "from" = 1', 'SELECT X FROM t'],
    ['update t set a = 1 where b = ARRAY[1,2] and c = \'where\' and "where" = U&\'d\\0061\'', 'SELECT X FROM t WHERE b = ARRAY[1,2] and c = \'where\' and "where" = U&\'d\\0061\''],
    ['delete from a', 'SELECT X FROM a'],
    ['delete from a as x using b join c using (id) where x.id = b.id returning x.*', 'SELECT X FROM a as x , b join c using (id) WHERE x.id = b.id'],
    ['insert into a (b) select c from d where e group by f', 'SELECT X FROM ( select c from d where e group by f ) AS sallyport_rows'],
    ['insert into a (select c from d) on conflict do nothing', 'SELECT X FROM ( (select c from d) ) AS sallyport_rows'],
    ['insert into a select c from d join e on true on conflict (c) do update set f = 1 returning *', 'SELECT X FROM ( select c from d join e on true ) AS sallyport_rows'],
    ['with w as (select 1) insert into a table w', 'with w as (select 1) SELECT X FROM ( table w ) AS sallyport_rows'],
    ['merge into a as t using b on t.id = b.id when matched then delete', 'SELECT X FROM a as t , b WHERE t.id = b.id'],
    ['explain analyze delete from a where b', 'SELECT X FROM a WHERE b'],
    ['truncate only a.b', 'SELECT X FROM ONLY "a"."b"'],
    ['update t set é = 1 where "ü ö" = \'é\'', 'SELECT X FROM t WHERE "ü ö" = \'é\''],
  ]
  for (const [statement, expected] of CASES) {
    it(`is cut out of: ${statement}`, () => assert.equal(query(statement), expected))
  }

  it('is cut out of one statement of several', () => {
    const text = 'select 1; /* update x set */ update é set a = 1 where b = 2; delete from c where d = 3 -- end'
    assert.equal(query(text, 1), 'SELECT X FROM é WHERE b = 2')
    assert.equal(query(text, 2), 'SELECT X FROM c WHERE d = 3 -- end')
  })

  it('ends its lines, so that a comment at the end of a clause hides nothing of what follows', () => {
    const [change] = changes('update t -- one\n set a = 1 where b = 2 -- two')
    assert.match(change?.rows?.text('X') ?? '', /-- two\n$/)
    assert.equal(query('update t /* set */ set a = 1 /* where */ where /* ; drop */ b = 2'), 'SELECT X FROM t /* set */ WHERE /* ; drop */ b = 2')
  })

  it('is not made for what it cannot be made of', () => {
    assert.equal(query('update t set a = 1 where current of c'), undefined)
    assert.deepEqual(changes('select 1'), [])
    assert.deepEqual(changes('drop table a'), [])
  })

  it('counts the rows of VALUES by itself', () => {
    assert.deepEqual(changes('insert into a values (1), (2), (3)')[0]?.amount, { rows: 3, atMost: false })
    assert.deepEqual(changes('insert into a default values')[0]?.amount, { rows: 1, atMost: false })
    assert.deepEqual(changes('insert into a values (1) on conflict do nothing')[0]?.amount, { rows: 1, atMost: true })
  })

  it('names the columns that an UPDATE sets, and each kind of change of a MERGE', () => {
    assert.deepEqual(changes('update t set (a, b) = (1, 2), c[1] = 2').map(({ columns }) => columns), [['a', 'b', 'c']])
    const merge = 'merge into a using b on a.id = b.id when matched and b.x then update set y = 1 when matched then delete when not matched then insert values (1)'
    assert.deepEqual(changes(merge).map(({ kind, columns }) => [kind, columns]), [['update', ['y']], ['delete', []], ['insert', []]])
    assert.equal(changes(merge)[2]?.rows?.text('X').replaceAll(/\s+/g, ' '), 'SELECT X FROM b WHERE NOT EXISTS (SELECT FROM a WHERE a.id = b.id )')
  })
})
