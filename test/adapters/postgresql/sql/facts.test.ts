import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { analyse, loadSqlParser, type Analysis } from '../../../../adapters/postgresql/sql/index.ts'

const understand = (text: string): Analysis => analyse(text, { resolver: undefined, searchPath: undefined })

/** text → action, all actions in any order, written relations, read relations. */
const ACTIONS: readonly (readonly [text: string, action: string, actions: string, writes?: string, reads?: string])[] = [
  ['SELECT 1', 'read', 'read'],
  ['SELECT * FROM a', 'read', 'read', '', 'a'],
  ['SELECT * FROM a, b.c', 'read', 'read', '', 'a b.c'],
  ['TABLE a', 'read', 'read', '', 'a'],
  ['VALUES (1), (2)', 'read', 'read'],
  ['SELECT 1 UNION SELECT x FROM a', 'read', 'read', '', 'a'],
  ['SELECT * FROM a FOR UPDATE', 'lock', 'read lock', '', 'a'],
  ['SELECT * FROM a FOR KEY SHARE', 'lock', 'read lock', '', 'a'],
  ['SELECT (SELECT 1 FROM b) FROM a', 'read', 'read', '', 'a b'],
  ['SELECT * FROM a WHERE EXISTS (SELECT FROM b)', 'read', 'read', '', 'a b'],
  ['WITH c AS (SELECT * FROM a) SELECT * FROM c', 'read', 'read', '', 'a'],
  ['WITH c AS (SELECT * FROM c) SELECT * FROM c', 'read', 'read', '', 'c'],
  ['SELECT * FROM a JOIN LATERAL (SELECT * FROM b) x ON true', 'read', 'read', '', 'a b'],
  ['SELECT * FROM a TABLESAMPLE system (1)', 'read', 'read', '', 'a'],
  ['INSERT INTO a VALUES (1)', 'insert', 'insert', 'a', ''],
  ['INSERT INTO a DEFAULT VALUES', 'insert', 'insert', 'a', ''],
  ['INSERT INTO a SELECT * FROM b', 'insert', 'insert read', 'a', 'b'],
  ['INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING', 'insert', 'insert', 'a', ''],
  ['INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = 1', 'update', 'insert update', 'a', ''],
  ['UPDATE a SET x = 1 WHERE y = 2', 'update', 'update', 'a', 'a'],
  ['UPDATE a SET x = b.y FROM b WHERE a.id = b.id', 'update', 'update read', 'a', 'a b'],
  ['DELETE FROM a WHERE x = 1', 'delete', 'delete', 'a', 'a'],
  ['DELETE FROM a USING b WHERE a.id = b.id', 'delete', 'delete read', 'a', 'a b'],
  ['MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE', 'delete', 'delete read', 'a', 'a b'],
  ['MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)', 'update', 'update insert read', 'a', 'a b'],
  ['MERGE INTO a USING b ON a.id = b.id WHEN NOT MATCHED THEN DO NOTHING', 'read', 'read', 'a', 'a b'],
  ['WITH d AS (DELETE FROM a WHERE x = 1 RETURNING *) SELECT * FROM d', 'delete', 'delete read', 'a', 'a'],
  ['WITH i AS (INSERT INTO a VALUES (1) RETURNING *) SELECT 1', 'insert', 'insert read', 'a', 'a'],
  ['WITH d AS (DELETE FROM a) INSERT INTO b SELECT 1', 'delete', 'insert delete read', 'a b', ''],
  ['TRUNCATE a, b.c', 'truncate', 'truncate', 'a b.c', ''],
  ['CREATE TABLE a (x int)', 'create', 'create', 'a', ''],
  ['CREATE TEMP TABLE a (x int)', 'create', 'create', 'pg_temp.a', ''],
  ['CREATE TABLE a AS SELECT * FROM b', 'create', 'create read', 'a', 'b'],
  ['SELECT * INTO a FROM b', 'create', 'create read', 'a', 'b'],
  ['CREATE TABLE a (LIKE b)', 'create', 'create', 'a', 'b'],
  ['CREATE TABLE a PARTITION OF b DEFAULT', 'create', 'create', 'a b', ''],
  ['CREATE VIEW a AS SELECT * FROM b', 'create', 'create', 'a', 'b'],
  ['CREATE MATERIALIZED VIEW a AS SELECT * FROM b', 'create', 'create read', 'a', 'b'],
  ['REFRESH MATERIALIZED VIEW a', 'update', 'update', 'a', ''],
  ['CREATE INDEX ON a (x)', 'create', 'create', 'a', ''],
  ['CREATE SEQUENCE a', 'create', 'create', 'a', ''],
  ['CREATE SCHEMA s', 'create', 'create'],
  ['CREATE SCHEMA s CREATE VIEW v AS SELECT * FROM a CREATE TABLE b (x int)', 'create', 'create', 'b s.b s.v', 'a v'],
  ['CREATE TYPE t AS ENUM (\'a\')', 'create', 'create'],
  ['CREATE FUNCTION f() RETURNS int LANGUAGE sql AS \'SELECT 1\'', 'create', 'create'],
  ['CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f()', 'create', 'create', 'a', ''],
  ['CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM b', 'create', 'create', 'a', 'b'],
  ['CREATE POLICY p ON a USING (true)', 'create', 'create', 'a', ''],
  ['CREATE EXTENSION hstore', 'create', 'create'],
  ['CREATE DATABASE d', 'create', 'create'],
  ['CREATE ROLE r', 'admin', 'admin'],
  ['CREATE USER r PASSWORD \'x\'', 'admin', 'admin'],
  ['CREATE PUBLICATION p FOR TABLE a', 'create', 'create', 'a', ''],
  ['CREATE STATISTICS s ON x, y FROM a', 'create', 'create', 'a', ''],
  ['ALTER TABLE a ADD COLUMN x int', 'alter', 'alter', 'a', ''],
  ['ALTER TABLE a RENAME TO b', 'alter', 'alter', 'a', ''],
  ['ALTER TABLE a RENAME COLUMN x TO y', 'alter', 'alter', 'a', ''],
  ['ALTER TABLE a SET SCHEMA s', 'alter', 'alter', 'a', ''],
  ['ALTER TABLE a OWNER TO r', 'alter', 'alter', 'a', ''],
  ['ALTER TABLE a ATTACH PARTITION b DEFAULT', 'alter', 'alter', 'a b', ''],
  ['ALTER TABLE a DISABLE TRIGGER ALL', 'alter', 'alter', 'a', ''],
  ['ALTER VIEW a RENAME TO b', 'alter', 'alter', 'a', ''],
  ['ALTER SEQUENCE a RESTART', 'alter', 'alter', 'a', ''],
  ['ALTER ROLE r SUPERUSER', 'admin', 'admin'],
  ['ALTER SYSTEM SET work_mem = 1', 'admin', 'admin'],
  ['ALTER DATABASE d SET x.y = 1', 'admin', 'admin'],
  ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r', 'grant', 'grant'],
  ['COMMENT ON TABLE a IS \'x\'', 'alter', 'alter'],
  ['DROP TABLE a, b.c', 'drop', 'drop', 'a b.c', ''],
  ['DROP VIEW a', 'drop', 'drop', 'a', ''],
  ['DROP SCHEMA s CASCADE', 'drop', 'drop'],
  ['DROP DATABASE d', 'drop', 'drop'],
  ['DROP TRIGGER t ON a', 'drop', 'drop', 'a', ''],
  ['DROP FUNCTION f(int)', 'drop', 'drop'],
  ['DROP ROLE r', 'admin', 'admin'],
  ['DROP OWNED BY r', 'drop', 'drop'],
  ['REASSIGN OWNED BY r TO s', 'admin', 'admin'],
  ['GRANT SELECT ON a TO r', 'grant', 'grant', 'a', ''],
  ['REVOKE ALL ON a FROM r', 'grant', 'grant', 'a', ''],
  ['GRANT r TO s', 'grant', 'grant'],
  ['COPY a FROM STDIN', 'copy-in', 'copy-in', 'a', ''],
  ['COPY a TO STDOUT', 'copy-out', 'copy-out', '', 'a'],
  ['COPY (SELECT * FROM a) TO STDOUT', 'copy-out', 'copy-out read', '', 'a'],
  ['COPY (DELETE FROM a RETURNING *) TO STDOUT', 'delete', 'copy-out delete', 'a', 'a'],
  ['COPY a TO \'/tmp/x\'', 'copy-out', 'copy-out', '', 'a'],
  ['CALL p(1)', 'call', 'call'],
  ['DO $$BEGIN END$$', 'do', 'do'],
  ['BEGIN', 'transaction', 'transaction'],
  ['START TRANSACTION READ ONLY', 'transaction', 'transaction'],
  ['COMMIT', 'transaction', 'transaction'],
  ['END', 'transaction', 'transaction'],
  ['ROLLBACK', 'transaction', 'transaction'],
  ['ABORT', 'transaction', 'transaction'],
  ['SAVEPOINT s', 'transaction', 'transaction'],
  ['ROLLBACK TO s', 'transaction', 'transaction'],
  ['RELEASE s', 'transaction', 'transaction'],
  ['PREPARE TRANSACTION \'x\'', 'admin', 'transaction admin'],
  ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'transaction', 'transaction'],
  ['SET CONSTRAINTS ALL DEFERRED', 'transaction', 'transaction'],
  ['SET x.y = 1', 'session', 'session'],
  ['SET ROLE r', 'session', 'session'],
  ['RESET ALL', 'session', 'session'],
  ['SHOW ALL', 'session', 'session'],
  ['DISCARD ALL', 'session', 'session'],
  ['DEALLOCATE ALL', 'session', 'session'],
  ['CLOSE c', 'session', 'session'],
  ['DECLARE c CURSOR FOR SELECT * FROM a', 'read', 'read', '', 'a'],
  ['PREPARE p AS DELETE FROM a', 'delete', 'prepare delete', 'a', ''],
  ['PREPARE p AS SELECT 1', 'read', 'prepare read'],
  ['EXPLAIN DELETE FROM a', 'explain', 'explain', '', 'a'],
  ['EXPLAIN SELECT * FROM a', 'explain', 'explain', '', 'a'],
  ['EXPLAIN ANALYZE DELETE FROM a', 'delete', 'explain delete', 'a', ''],
  ['EXPLAIN (ANALYZE) SELECT * FROM a', 'read', 'explain read', '', 'a'],
  ['EXPLAIN (ANALYZE false) DELETE FROM a', 'explain', 'explain', '', 'a'],
  ['EXPLAIN (ANALYZE off, ANALYZE on) DELETE FROM a', 'delete', 'explain delete', 'a', ''],
  ['EXPLAIN ANALYZE CREATE TABLE a AS SELECT * FROM b', 'create', 'explain create read', 'a', 'b'],
  ['LISTEN c', 'listen', 'listen'],
  ['UNLISTEN *', 'listen', 'listen'],
  ['NOTIFY c, \'x\'', 'notify', 'notify'],
  ['LOCK TABLE a', 'lock', 'lock', 'a', ''],
  ['VACUUM a', 'admin', 'admin', 'a', ''],
  ['ANALYZE', 'admin', 'admin'],
  ['CLUSTER', 'admin', 'admin'],
  ['REINDEX TABLE a', 'admin', 'admin', 'a', ''],
  ['CHECKPOINT', 'admin', 'admin'],
  ['LOAD \'x\'', 'admin', 'admin'],
  ['SELECT set_config(\'a.b\', \'c\', false)', 'read', 'read session'],
  ['SELECT pg_terminate_backend(1)', 'admin', 'read admin'],
  ['SELECT pg_reload_conf()', 'admin', 'read admin'],
  ['SELECT pg_sleep(1)', 'admin', 'read admin'],
  ['SELECT pg_notify(\'a\', \'b\')', 'notify', 'read notify'],
  ['SELECT pg_advisory_lock(1)', 'lock', 'read lock'],
  ['SELECT setval(\'s\', 1)', 'update', 'read update', 's', ''],
  ['SELECT setval(\'App."S"\'::regclass, 1)', 'update', 'read update', 'app.S', ''],
  ['SELECT setval(pg_get_serial_sequence(\'a\', \'id\'), 1)', 'update', 'read update', '', ''],
  ['SELECT nextval(\'s\')', 'read', 'read'],
  ['SELECT f(1)', 'call', 'read call'],
  ['SELECT 1; DELETE FROM a WHERE x = 1; SELECT 2', 'delete', 'read delete', 'a', 'a'],
  ['PREPARE p AS DELETE FROM a; EXECUTE p', 'delete', 'prepare delete', 'a', ''],
  ['EXECUTE p', 'unknown', 'unknown'],
  ['SELECT 1 +', 'unknown', 'unknown'],
  ['', 'session', 'session'],
  ['-- nothing', 'session', 'session'],
  ['SELECT 1 AS "drop"', 'read', 'read'],
  ['SELECT \'DROP TABLE a\'', 'read', 'read'],
  ['SELECT "delete" FROM a WHERE "update" = \'truncate\'', 'read', 'read', '', 'a'],
]

const UNBOUNDED: readonly string[] = [
  'DELETE FROM t WHERE id - id = 0', 'DELETE FROM t WHERE coalesce(a, \'\') IS NOT NULL', 'DELETE FROM t WHERE greatest(true, id = 1)',
  'DELETE FROM t WHERE id NOT IN (SELECT 1 WHERE false)', 'DELETE FROM t WHERE id > ALL (SELECT 1 WHERE 1 = 2)',
  'DELETE FROM t', 'UPDATE t SET a = 1', 'TRUNCATE t', 'DELETE FROM t WHERE true', 'DELETE FROM t WHERE 1 = 1', 'DELETE FROM t WHERE id = id',
  'DELETE FROM t WHERE t.id = id', 'DELETE FROM t x WHERE x.id = x.id', 'DELETE FROM t WHERE NOT false', 'DELETE FROM t WHERE NOT (1 = 2)',
  'DELETE FROM t WHERE id = 1 OR true', 'DELETE FROM t WHERE id = 1 OR 1 = 1', 'DELETE FROM t WHERE true AND 1 < 2', 'DELETE FROM t WHERE \'a\' = \'a\'',
  'DELETE FROM t WHERE id IS NULL OR id IS NOT NULL', 'DELETE FROM t WHERE id > 5 OR id <= 5', 'DELETE FROM t WHERE id = 3 OR NOT (id = 3)',
  'DELETE FROM t WHERE id = 3 OR id <> 3', 'DELETE FROM t WHERE name LIKE \'%\'', 'DELETE FROM t WHERE name ILIKE \'%%\'', 'DELETE FROM t WHERE name ~ \'.*\'', 'DELETE FROM t WHERE name ~ \'\'',
  'DELETE FROM t WHERE id IN (id)', 'DELETE FROM t WHERE id BETWEEN id AND id', 'DELETE FROM t WHERE id IS NOT DISTINCT FROM id',
  'DELETE FROM t WHERE NOT (id IS DISTINCT FROM id)', 'DELETE FROM t WHERE id >= id', 'DELETE FROM t WHERE 1 IN (1, 2)', 'DELETE FROM t WHERE 1 = ANY (ARRAY[1])',
  'DELETE FROM t WHERE COALESCE(true, id = 3)', 'DELETE FROM t WHERE COALESCE(NULL, true)', 'DELETE FROM t WHERE CASE WHEN true THEN true END',
  'DELETE FROM t WHERE CASE WHEN id = 3 THEN true ELSE true END', 'DELETE FROM t WHERE (1 = 1) IS TRUE', 'DELETE FROM t WHERE \'t\'::boolean', 'DELETE FROM t WHERE 1::bool',
  'DELETE FROM t WHERE EXISTS (SELECT 1)', 'DELETE FROM t WHERE (SELECT true)', 'DELETE FROM t WHERE id IN (SELECT id FROM t)', 'DELETE FROM t WHERE id = ANY (SELECT t.id FROM t)',
  'DELETE FROM t WHERE random() < 2', 'DELETE FROM t WHERE now() > \'2000-01-01\'', 'DELETE FROM t WHERE $1', 'DELETE FROM t WHERE $1 = $1', 'DELETE FROM t WHERE length(name) >= 0',
  'DELETE FROM t WHERE coalesce(id = NULL, true)', 'DELETE FROM t WHERE (id = NULL) IS UNKNOWN', 'DELETE FROM t WHERE id * 0 = 0', 'DELETE FROM t WHERE id + 0 = id',
  "DELETE FROM t WHERE name SIMILAR TO '%'", "DELETE FROM t WHERE name LIKE 'a%' OR name NOT LIKE 'a%'", 'DELETE FROM t WHERE id < 3 OR id > 2', 'DELETE FROM t WHERE upper(name) = upper(name)',
  'DELETE FROM t WHERE id = ANY (ARRAY(SELECT id FROM t))', 'DELETE FROM t WHERE id IN (SELECT id FROM t WHERE true LIMIT ALL OFFSET 0)', 'DELETE FROM t WHERE id IN (SELECT id FROM t UNION SELECT 0)',
  'WITH x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)', 'DELETE FROM t WHERE EXISTS (SELECT FROM t o WHERE o.id = t.id)', 'DELETE FROM t WHERE (SELECT t.id) = id',
  'DELETE FROM t WHERE (id = id) = true', 'DELETE FROM t WHERE CASE id WHEN 0 THEN true ELSE true END', 'DELETE FROM t WHERE id BETWEEN 1 AND 2 OR id NOT BETWEEN 1 AND 2',
  'DELETE FROM t WHERE NULL IS NULL', 'DELETE FROM t WHERE 1 IS NOT NULL', 'DELETE FROM t USING u WHERE u.x = 1', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = 1)',
  'UPDATE t SET a = u.b FROM u', 'UPDATE t SET a = 1 FROM u WHERE u.x = 3', 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE',
  'MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN DELETE', 'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x', 'EXPLAIN ANALYZE UPDATE t SET a = 1',
  'SELECT 1; DELETE FROM t', 'DELETE FROM t WHERE id = 1 OR (true AND NOT false)', 'DELETE FROM t WHERE lower(name) = lower(name) OR id = 4 OR 2 > 1', 'DELETE FROM t WHERE ctid = ctid',
]

const BOUNDED: readonly string[] = [
  'DELETE FROM t WHERE coalesce(id = NULL, false)', 'DELETE FROM t WHERE amount::int = amount', 'DELETE FROM t WHERE id + 1 = other', 'DELETE FROM t WHERE id < 3 OR id > 4', "DELETE FROM t WHERE name LIKE 'a%' OR name NOT LIKE 'b%'",
  'DELETE FROM t WHERE random() = random() AND id = 1', 'DELETE FROM t WHERE id IN (SELECT id FROM t OFFSET 1)', 'WITH x AS (SELECT id FROM t WHERE old) DELETE FROM t WHERE id IN (SELECT id FROM x)',
  'DELETE FROM t WHERE EXISTS (SELECT FROM t o WHERE o.id > t.id)', 'DELETE FROM t WHERE (id > 3) IN (true)', 'DELETE FROM t WHERE CASE id WHEN 0 THEN true ELSE false END',
  'INSERT INTO t SELECT id, 0 FROM t WHERE id = 1 ON CONFLICT (id) DO UPDATE SET a = 0', 'INSERT INTO t SELECT id, 0 FROM t ON CONFLICT (id) DO UPDATE SET a = 0 WHERE t.id = 1', 'INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 0',
  'DELETE FROM t WHERE id - other = 0', 'DELETE FROM t WHERE coalesce(a, b) IS NOT NULL', 'DELETE FROM t WHERE least(true, id = 1)',
  'DELETE FROM t WHERE id IN (SELECT 1 WHERE false)', 'DELETE FROM t WHERE id > ALL (SELECT count(*) FROM u WHERE false)',
  'DELETE FROM t WHERE id = 3', 'DELETE FROM t WHERE id = $1', 'DELETE FROM t WHERE false', 'DELETE FROM t WHERE 1 = 2', 'DELETE FROM t WHERE NULL', 'DELETE FROM t WHERE id = 3 AND true',
  'DELETE FROM t WHERE id = 3 AND 1 = 1', 'DELETE FROM t WHERE id IN (SELECT id FROM u)', 'DELETE FROM t WHERE id IN (SELECT id FROM t WHERE old)', 'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t LIMIT 10)',
  'DELETE FROM t USING u WHERE t.id = u.id', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)', 'DELETE FROM t WHERE CURRENT OF c', 'DELETE FROM t WHERE name LIKE \'a%\'',
  'DELETE FROM t WHERE name IS NULL', 'DELETE FROM t WHERE NOT done', 'DELETE FROM t WHERE done', 'DELETE FROM t WHERE id > 5 OR id < 3', 'DELETE FROM t WHERE id <> id', 'DELETE FROM t WHERE id NOT IN (1, 2)',
  'DELETE FROM t WHERE created < now()', 'DELETE FROM t WHERE id = 1 OR id = 2', 'UPDATE t SET a = 1 WHERE id = 1', 'UPDATE t SET a = u.b FROM u WHERE u.id = t.id',
  'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE', 'MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE AND t.old THEN DELETE', 'INSERT INTO t VALUES (1)',
  'SELECT * FROM t', 'EXPLAIN DELETE FROM t', 'DELETE FROM t WHERE length(name) >= 1', 'DELETE FROM t WHERE COALESCE(done, true)', 'DELETE FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.parent = a.id)', 'DELETE FROM t WHERE id = id + 1',
]

const OPAQUE: readonly (readonly [text: string, reason: RegExp])[] = [
  ['DO $$x$$', /DO/], ['CALL p()', /p\(\)/], ['SELECT f()', /function f\(\): it is not known/], ['SELECT s.f()', /f\(\)/], ['SELECT public.upper(\'x\')', /upper/],
  ['SELECT * FROM f(1)', /f\(\)/], ['SELECT 1 WHERE f(1)', /f\(\)/], ['SELECT query_to_xml(\'x\', true, true, \'\')', /SQL given as a value/], ['SELECT * FROM dblink(\'a\', \'b\') AS t(x int)', /dblink/],
  ['SELECT lo_import(\'/etc/passwd\')', /large objects/], ['SELECT pg_read_file(\'x\')', /files/], ['SELECT pg_ls_dir(\'x\')', /files/], ['COPY t FROM PROGRAM \'id\'', /program/], ['COPY (SELECT 1) TO PROGRAM \'sh\'', /program/],
  ['EXECUTE p', /prepared statement p/], ['FETCH ALL FROM c', /cursor c/], ['SELECT 1 +', /syntax error/], ['SELECT 5 !', /syntax error/], ['SELECT \0 1', /NUL/], ['SELECT \'\ud800\'', /Unicode/],
  ['CREATE TABLE x AS EXECUTE p', /prepared statement/], ['EXPLAIN ANALYZE EXECUTE p', /prepared statement/], ['CREATE INDEX ON t (f(x))', /f\(\)/], ['SELECT count(*) FILTER (WHERE f(x)) FROM t', /f\(\)/],
  ['SELECT ts_rewrite(\'a\', \'SELECT 1\')', /SQL given/], ['INSERT INTO t VALUES (f())', /f\(\)/], ['UPDATE t SET a = f() WHERE id = 1', /f\(\)/], ['SELECT 1 ORDER BY f()', /f\(\)/], ['SELECT 1 LIMIT f()', /f\(\)/],
  ['SELECT 1 FROM t GROUP BY f()', /f\(\)/], ['SELECT sum(1) OVER (ORDER BY f())', /f\(\)/], ['DELETE FROM t WHERE id = 1 RETURNING f()', /f\(\)/], ['PREPARE p AS SELECT f()', /f\(\)/], ['DECLARE c CURSOR FOR SELECT f()', /f\(\)/],
]

describe('facts of a statement', () => {
  before(loadSqlParser)

  for (const [text, action, actions, writes, reads] of ACTIONS) {
    it(`calls "${text}" ${action}`, () => {
      const { action: found, actions: all, sql } = understand(text)
      assert.equal(found, action)
      assert.deepEqual([...all].toSorted(), actions.split(' ').filter((part) => part !== '').toSorted())
      if (writes !== undefined) assert.deepEqual([...sql.writes].toSorted(), writes.split(' ').filter((part) => part !== ''))
      if (reads !== undefined) assert.deepEqual([...sql.reads].toSorted(), reads.split(' ').filter((part) => part !== ''))
    })
  }

  for (const text of UNBOUNDED) it(`finds no bound in ${text}`, () => assert.equal(understand(text).sql.unbounded, true))
  for (const text of BOUNDED) it(`finds a bound, or no row to change, in ${text}`, () => assert.equal(understand(text).sql.unbounded, false))

  for (const [text, reason] of OPAQUE) {
    it(`is opaque about ${JSON.stringify(text)}`, () => {
      const { fidelity, opaque } = understand(text)
      assert.equal(fidelity, 'opaque')
      assert.match(opaque, reason)
    })
  }

  const facts = (text: string): Analysis['sql'] => understand(text).sql
  it('lists settings and roles', () => {
    assert.deepEqual(facts('SET search_path = a, b').settings, ['search_path'])
    assert.deepEqual(facts('SET SESSION AUTHORIZATION bob').roles, ['bob'])
    assert.deepEqual(facts('SET ROLE "Bob"').roles, ['Bob'])
    assert.deepEqual(facts('GRANT SELECT ON t TO alice, bob').roles, ['alice', 'bob'])
    assert.deepEqual(facts('RESET ALL').settings, ['*'])
    assert.deepEqual(facts('SELECT set_config(\'role\', \'x\', true)').settings, ['role'])
    assert.deepEqual(facts('SELECT set_config(x, y, true) FROM t').settings, ['*'])
  })
  it('says what reaches beyond the database', () => {
    assert.equal(facts('COPY t TO PROGRAM \'x\'').programs, true)
    assert.equal(facts('COPY t FROM \'/x\'').files, true)
    assert.equal(facts('COPY t FROM STDIN').files, false)
    for (const text of ['DROP DATABASE d', 'CREATE ROLE r', 'VACUUM', 'ALTER SYSTEM SET x = 1', 'GRANT CONNECT ON DATABASE d TO r', 'SELECT pg_switch_wal()', 'CHECKPOINT']) assert.equal(facts(text).databaseWide, true, text)
    for (const text of ['VACUUM t', 'SELECT 1', 'DROP TABLE t']) assert.equal(facts(text).databaseWide, false, text)
  })
  it('knows a text that reads nothing but system catalogues', () => {
    assert.equal(facts('SELECT * FROM pg_catalog.pg_class, information_schema.columns').catalogOnly, true)
    assert.equal(facts('SELECT * FROM pg_catalog.pg_class, t').catalogOnly, false)
    assert.equal(facts('SELECT f() FROM pg_catalog.pg_class').catalogOnly, false)
    assert.equal(facts('SELECT 1').catalogOnly, false)
  })
  it('lists columns and functions', () => {
    assert.deepEqual(facts('SELECT a, t.b, lower(c) FROM s.t WHERE d = 1').columns, ['s.t.a', 's.t.b', 's.t.c', 's.t.d'])
    assert.deepEqual(facts('SELECT lower(a), pg_catalog.upper(b), x.f() FROM t').functions, ['lower', 'upper', 'x.f'])
    assert.deepEqual(facts('INSERT INTO t (a, b) VALUES (1, 2)').columns, ['t.a', 't.b'])
    assert.equal(facts('DELETE FROM t WHERE id = 1 RETURNING *').returning, true)
    assert.equal(facts('SELECT 1; SELECT 2; SELECT 3').statements, 3)
  })
  it('says whether the rows of a write can be counted before', () => {
    const countable = ['UPDATE t SET a = gen_random_uuid() WHERE id = 1', 'DELETE FROM t WHERE created < now()', 'INSERT INTO t VALUES (random())', 'INSERT INTO t SELECT * FROM u', 'WITH x AS (SELECT 1) DELETE FROM t USING x', 'DELETE FROM t', 'UPDATE t SET a = 1 FROM u WHERE u.id = t.id RETURNING *']
    const not = [
      'DELETE FROM t WHERE random() < 0.5', 'UPDATE t SET a = random() WHERE random() < 0.5', 'DELETE FROM t WHERE CURRENT OF c', 'DELETE FROM t WHERE f(id)', 'INSERT INTO t SELECT nextval(\'s\')',
      'WITH x AS (DELETE FROM u RETURNING *) DELETE FROM t USING x WHERE t.id = x.id', 'WITH x AS (SELECT random() r) DELETE FROM t USING x WHERE t.id = x.r', 'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE',
      'TRUNCATE t', 'SELECT 1', 'EXPLAIN ANALYZE DELETE FROM t', 'DELETE FROM t; DELETE FROM u', 'PREPARE p AS DELETE FROM t',
    ]
    for (const text of countable) assert.equal(facts(text).countable, true, text)
    for (const text of not) assert.equal(facts(text).countable, false, text)
  })
  it('tells volatile functions from the rest', () => {
    const volatile = (text: string): readonly string[] => facts(text).volatileFunctions
    assert.deepEqual(volatile('SELECT lower(a), now(), random(), nextval(\'s\'), f(1), s.g() FROM t'), ['random', 'nextval', 'f', 's.g'])
    assert.deepEqual(volatile('SELECT set_config(\'a.b\', \'c\', true), pg_sleep(1), count(*) FROM t'), ['set_config', 'pg_sleep'])
  })
  it('names what reaches out of the tables', () => {
    for (const text of ['SELECT lo_get(1)', 'SELECT lo_unlink(2)', 'ALTER LARGE OBJECT 5 OWNER TO bob', 'GRANT SELECT ON LARGE OBJECT 5 TO bob', 'COMMENT ON LARGE OBJECT 5 IS \'x\'']) assert.equal(facts(text).largeObjects, true, text)
    assert.equal(facts('SELECT 1').largeObjects, false)
    const servers = (text: string): readonly string[] => facts(text).foreignServers
    assert.deepEqual(servers('CREATE FOREIGN TABLE f (a int) SERVER far'), ['far'])
    assert.deepEqual(servers('CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw'), ['far'])
    assert.deepEqual(servers('CREATE USER MAPPING FOR bob SERVER far'), ['far'])
    assert.deepEqual(servers('IMPORT FOREIGN SCHEMA public FROM SERVER far INTO here'), ['far'])
    assert.deepEqual(servers('GRANT USAGE ON FOREIGN SERVER far TO bob'), ['far'])
    assert.deepEqual(servers('DROP SERVER far'), ['far'])
    assert.deepEqual(servers('SELECT * FROM dblink(\'far\', \'SELECT 1\') AS t (a int)'), ['far'])
    assert.deepEqual(servers('SELECT * FROM dblink(\'host=far password=x\', \'SELECT 1\') AS t (a int)'), ['*'])
    assert.deepEqual(servers('SELECT dblink_exec(c, \'x\') FROM t'), ['*'])
  })
  it('lists settings that are changed for others', () => {
    assert.deepEqual(facts('ALTER ROLE bob SET search_path = x').settings, ['search_path'])
    assert.deepEqual(facts('ALTER SYSTEM SET Work_Mem = 1').settings, ['work_mem'])
    assert.deepEqual(facts('ALTER DATABASE d RESET ALL').settings, ['*'])
  })
  it('names what is dropped when it is no relation', () => {
    const kinds = (text: string): string[] => understand(text).resources.map(({ kind, name }) => `${kind} ${name}`)
    assert.deepEqual(kinds('DROP SCHEMA a CASCADE'), ['schema a'])
    assert.deepEqual(kinds('DROP FUNCTION a.f(int)'), ['function a.f'])
    assert.deepEqual(kinds('DROP DATABASE d'), ['database d'])
  })
})
