import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { analyse, attach, loadSqlParser, SessionNames, splitPath, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'

const understand = (text: string): Analysis => analyse(text, { resolver: undefined, searchPath: undefined })

function after(...texts: readonly (string | readonly [text: string, ok: boolean])[]): SessionNames {
  const names = new SessionNames({ user: 'app', searchPath: ['$user', 'public'] })
  for (const item of texts) {
    const [text, ok] = typeof item === 'string' ? [item, true] : item
    names.observe(attach(understand(text), names), ok)
  }
  return names
}

const PATHS: readonly (readonly [texts: readonly (string | readonly [string, boolean])[], path: readonly string[] | undefined])[] = [
  [[], ['app', 'public']],
  [['SET search_path = a, "B"'], ['a', 'B']],
  [['SET search_path TO DEFAULT'], ['app', 'public']],
  [['SET search_path = a', 'RESET search_path'], ['app', 'public']],
  [['SET search_path = a', 'DISCARD ALL'], undefined],
  [['SET search_path = a', 'RESET ALL', 'SET ROLE none'], ['app', 'public']],
  [[['SET search_path = a', false]], ['app', 'public']],
  [['BEGIN', 'SET search_path = a'], ['a']],
  [['BEGIN', 'SET search_path = a', 'ROLLBACK'], ['app', 'public']],
  [['BEGIN', 'SET search_path = a', 'COMMIT'], ['a']],
  [['BEGIN', 'SET LOCAL search_path = a'], ['a']],
  [['BEGIN', 'SET LOCAL search_path = a', 'COMMIT'], ['app', 'public']],
  [['SET LOCAL search_path = a'], ['app', 'public']],
  [['BEGIN', 'SAVEPOINT s', 'SET search_path = a', 'ROLLBACK TO s'], ['app', 'public']],
  [['BEGIN', 'SET search_path = a', 'SAVEPOINT s', 'SET search_path = b', 'ROLLBACK TO s'], ['a']],
  [['BEGIN', 'SAVEPOINT s', 'SET search_path = a', 'RELEASE s', 'COMMIT'], ['a']],
  [['BEGIN', 'SAVEPOINT s', 'SET search_path = a', 'RELEASE s', 'ROLLBACK'], ['app', 'public']],
  [['BEGIN', 'SET search_path = a', ['SELECT 1/0', false], 'COMMIT'], ['app', 'public']],
  [['BEGIN', 'SET search_path = a', 'COMMIT AND CHAIN', 'SET search_path = b', 'ROLLBACK'], ['a']],
  [['BEGIN; SET search_path = a; COMMIT'], ['a']],
  [[['SET search_path = a; SELECT 1/0', false]], undefined],
  [['SELECT set_config(\'search_path\', \'a\', false)'], undefined],
  [['SELECT set_config(\'other.thing\', \'a\', false)'], ['app', 'public']],
  [['PREPARE p AS SELECT set_config(\'search_path\', \'a\', false)', 'SET search_path = b', 'EXECUTE p'], undefined],
  [['BEGIN', 'DECLARE c CURSOR FOR SELECT set_config(\'search_path\', \'a\', false)', 'SET search_path = b', 'FETCH c'], undefined],
  [['DO $$x$$'], undefined],
  [['SELECT unknown_function()'], undefined],
  [['SET ROLE bob'], ['bob', 'public']],
  [['SET ROLE bob', 'RESET ROLE'], ['app', 'public']],
  [['SET SESSION AUTHORIZATION bob'], ['bob', 'public']],
  [['BEGIN', 'CREATE TABLE t (a int)'], undefined],
  [['BEGIN', 'CREATE TABLE t (a int)', 'COMMIT'], ['app', 'public']],
  [['CREATE TABLE t (a int)'], ['app', 'public']],
  [['BEGIN', 'ROLLBACK TO unseen'], undefined],
]

describe('names of a session', () => {
  before(loadSqlParser)

  for (const [texts, path] of PATHS) {
    it(`has the search path ${String(path)} after ${JSON.stringify(texts)}`, () => assert.deepEqual(after(...texts).searchPath(), path))
  }

  it('believes what the server reports', () => {
    const names = after('DO $$x$$')
    names.report('search_path', '"$user", public, "Odd ""One"""')
    assert.deepEqual(names.searchPath(), undefined)
    names.report('search_path', 'public')
    assert.deepEqual(names.searchPath(), ['public'])
    names.report('standard_conforming_strings', 'off')
    assert.equal(names.standardStrings(), false)
    names.report('client_encoding', 'SJIS')
    assert.equal(names.isUtf8(), false)
    assert.deepEqual(splitPath('"$user", Public, "Odd ""One"""'), ['$user', 'public', 'Odd "One"'])
  })

  it('follows string syntax and encoding set by SQL', () => {
    assert.equal(after().standardStrings(), true)
    assert.equal(after('SET standard_conforming_strings = off').standardStrings(), false)
    assert.equal(after('SET NAMES \'latin1\'').isUtf8(), false)
    assert.equal(after('SET client_encoding = \'utf8\'').isUtf8(), true)
  })

  it('gives EXECUTE the facts of what was prepared', () => {
    const names = after('PREPARE p AS DELETE FROM t')
    const { action, sql, fidelity, opaque } = attach(understand('EXECUTE p'), names)
    assert.deepEqual([action, sql.unbounded, sql.writes, fidelity, opaque], ['delete', true, ['t'], 'parsed', ''])
    assert.equal(attach(understand('EXECUTE q'), names).action, 'unknown')
    assert.equal(attach(understand('EXECUTE p(f())'), names).fidelity, 'opaque')
    assert.equal(attach(understand('EXECUTE p'), after('PREPARE p AS DELETE FROM t', 'DEALLOCATE p')).fidelity, 'opaque')
    assert.equal(attach(understand('EXECUTE p'), after('PREPARE p AS DELETE FROM t', 'DEALLOCATE ALL')).fidelity, 'opaque')
    assert.equal(attach(understand('EXECUTE p'), after('PREPARE p AS DELETE FROM t', 'DISCARD ALL')).fidelity, 'opaque')
    assert.equal(attach(understand('EXECUTE p'), after('BEGIN', 'PREPARE p AS DELETE FROM t', 'ROLLBACK')).fidelity, 'parsed')
    assert.equal(attach(understand('EXECUTE p'), after(['PREPARE p AS DELETE FROM t; SELECT 1/0', false])).fidelity, 'opaque')
  })

  it('keeps what a name meant when it was prepared', () => {
    const names = after('PREPARE p AS SELECT 1')
    const [body] = understand('DELETE FROM t').statements
    assert.ok(body !== undefined)
    names.prepare('p', body)
    assert.equal(attach(understand('EXECUTE p'), names).action, 'delete')
    names.closePrepared('p')
    assert.equal(attach(understand('EXECUTE p'), names).action, 'unknown')
  })

  it('ends cursors with their transaction', () => {
    const fidelity = (names: SessionNames): string => attach(understand('FETCH c'), names).fidelity
    assert.equal(fidelity(after('BEGIN', 'DECLARE c CURSOR FOR SELECT 1')), 'parsed')
    assert.equal(fidelity(after('BEGIN', 'DECLARE c CURSOR FOR SELECT 1', 'COMMIT')), 'opaque')
    assert.equal(fidelity(after('BEGIN', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'COMMIT')), 'parsed')
    assert.equal(fidelity(after('BEGIN', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'ROLLBACK')), 'opaque')
    assert.equal(fidelity(after('BEGIN', 'DECLARE c CURSOR FOR SELECT 1', 'CLOSE c')), 'opaque')
    assert.equal(fidelity(after('BEGIN', 'SAVEPOINT s', 'DECLARE c CURSOR FOR SELECT 1', 'ROLLBACK TO s')), 'opaque')
  })

  it('returns the same object when nothing is named', () => {
    const analysis = understand('SELECT 1')
    assert.equal(attach(analysis, after()), analysis)
  })
})
