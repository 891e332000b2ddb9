export const SCHEMA = `
CREATE TABLE t (
  id int PRIMARY KEY, small int2 NOT NULL, big int8 NOT NULL, parent_id int, name text NOT NULL, email text NOT NULL, amount numeric NOT NULL,
  created_at timestamptz NOT NULL, done boolean NOT NULL, note text, tags int[] NOT NULL, doc jsonb NOT NULL, uid uuid NOT NULL
);
INSERT INTO t SELECT g, g, g, CASE WHEN g > 3 THEN g - 3 END, 'name ' || g, 'mail' || g % 2, (g - 3) * 0.5, '2020-01-01'::timestamptz + g * interval '1 day', g % 2 = 0,
  CASE WHEN g > 2 THEN 'note' END, ARRAY[g], CASE WHEN g % 2 = 0 THEN '{"a": 1}' ELSE '{}' END::jsonb, '00000000-0000-0000-0000-000000000000' FROM generate_series(1, 6) g;
CREATE TABLE u (id int PRIMARY KEY, tid int NOT NULL, x int NOT NULL, flag boolean NOT NULL);
INSERT INTO u VALUES (1, 1, 1, true), (2, 2, 2, false), (100, 100, 1, true);
CREATE VIEW everything AS SELECT id AS key, name, done FROM t;
CREATE VIEW again AS SELECT key AS k FROM everything;
CREATE VIEW finished AS SELECT id, name FROM t WHERE done;
CREATE VIEW paired AS SELECT t.id, u.x FROM t JOIN u ON u.tid = t.id;
CREATE TABLE whole (id int NOT NULL, day int NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF whole FOR VALUES FROM (10) TO (20);
INSERT INTO whole SELECT g, g FROM generate_series(0, 19) g;
CREATE VIEW shown AS SELECT id, name FROM t WHERE id > 0;
CREATE FUNCTION remove_one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t WHERE id = OLD.id; RETURN OLD; END';
CREATE TRIGGER remove_one INSTEAD OF DELETE ON shown FOR EACH ROW EXECUTE FUNCTION remove_one();
CREATE VIEW trapped AS SELECT id, name FROM t WHERE id > 0;
CREATE FUNCTION remove_all() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN OLD; END';
CREATE TRIGGER remove_all INSTEAD OF DELETE ON trapped FOR EACH ROW EXECUTE FUNCTION remove_all();
`

/** They write every row of their table. */
export const UNBOUNDED: readonly string[] = [
  // Columns that are never NULL.
  'DELETE FROM t WHERE id IS NOT NULL', 'DELETE FROM t WHERE NOT (id IS NULL)', 'DELETE FROM t WHERE num_nonnulls(id) > 0', 'DELETE FROM t WHERE num_nonnulls(note, id) >= 1',
  'DELETE FROM t WHERE num_nulls(id) = 0', 'DELETE FROM t WHERE num_nulls(note) < 2', 'DELETE FROM t WHERE num_nonnulls(VARIADIC tags) >= 0', 'DELETE FROM t WHERE id IS DISTINCT FROM NULL',
  'DELETE FROM t WHERE (id = 5) IS NOT NULL', 'DELETE FROM t WHERE (id > 5) IS NOT UNKNOWN', 'DELETE FROM t WHERE lower(name) IS NOT NULL', 'DELETE FROM t WHERE (id, name) IS NOT NULL',
  'DELETE FROM t WHERE coalesce(note, name) IS NOT NULL', 'DELETE FROM t WHERE id::text IS NOT NULL', `DELETE FROM t WHERE concat(note) IS NOT NULL`, 'DELETE FROM t WHERE ARRAY[note] IS NOT NULL',
  'DELETE FROM t WHERE CASE WHEN done THEN id ELSE small END IS NOT NULL', 'DELETE FROM t WHERE greatest(note, name) IS NOT NULL', 'DELETE FROM t WHERE id + 1 IS NOT NULL', 'DELETE FROM t WHERE ctid IS NOT NULL',
  'DELETE FROM t WHERE (SELECT id) IS NOT NULL', 'DELETE FROM t WHERE EXISTS (SELECT 1) AND now() IS NOT NULL', 'DELETE FROM t WHERE to_jsonb(id) IS NOT NULL', `DELETE FROM t WHERE name || 'x' IS NOT NULL`,
  // Numbers that a column cannot be beyond.
  'DELETE FROM t WHERE id > -2147483649', 'DELETE FROM t WHERE -2147483649 < id', 'DELETE FROM t WHERE id >= -2147483648', 'DELETE FROM t WHERE id < 9999999999', 'DELETE FROM t WHERE id <> 9999999999',
  'DELETE FROM t WHERE NOT id = 9999999999', 'DELETE FROM t WHERE id NOT IN (9999999999, 9999999998)', 'DELETE FROM t WHERE small < 100000', 'DELETE FROM t WHERE small > -40000', 'DELETE FROM t WHERE big >= -9223372036854775808',
  'DELETE FROM t WHERE id BETWEEN -2147483648 AND 2147483647', 'DELETE FROM t WHERE id NOT BETWEEN 3000000000 AND 4000000000', `DELETE FROM t WHERE created_at > '-infinity'`, `DELETE FROM t WHERE created_at < 'infinity'`,
  `DELETE FROM t WHERE created_at BETWEEN '-infinity' AND 'infinity'`, 'DELETE FROM t WHERE abs(id) >= 0', 'DELETE FROM t WHERE abs(id) > -1', 'DELETE FROM t WHERE length(name) >= 0', 'DELETE FROM t WHERE length(id::text) > 0',
  'DELETE FROM t WHERE id * 0 = 0', 'DELETE FROM t WHERE id % 1 = 0', 'DELETE FROM t WHERE id % 5 < 5', 'DELETE FROM t WHERE id * id >= 0', 'DELETE FROM t WHERE id - id = 0', 'DELETE FROM t WHERE id - id + 1 = 1',
  'DELETE FROM t WHERE id + 1 > id', 'DELETE FROM t WHERE id < id + 1', 'DELETE FROM t WHERE id - 1 <= id', 'DELETE FROM t WHERE id + 0 = id', 'DELETE FROM t WHERE id <> id + 1', 'DELETE FROM t WHERE id::bigint = id',
  'DELETE FROM t WHERE sign(id) >= -1', 'DELETE FROM t WHERE cardinality(tags) >= 0', 'DELETE FROM t WHERE ascii(name) >= 0', 'DELETE FROM t WHERE small + 1 > -50000',
  // The same on both sides.
  'DELETE FROM t WHERE id = id', 'DELETE FROM t WHERE ctid = ctid', 'DELETE FROM t WHERE lower(name) = lower(name)', 'DELETE FROM t WHERE md5(id::text) = md5(id::text)', 'DELETE FROM t WHERE (id, name) = (id, name)',
  'DELETE FROM t WHERE t = t', 'DELETE FROM t WHERE t.* = t.*', 'DELETE FROM t WHERE int4eq(id, id)', `DELETE FROM t WHERE textlike(name, '%')`, 'DELETE FROM t WHERE id OPERATOR(pg_catalog.=) id', 'DELETE FROM t WHERE id IN (SELECT t.id)', 'DELETE FROM t WHERE id = (SELECT t.id)',
  'DELETE FROM t WHERE id = +id', 'DELETE FROM t WHERE id = id * 1', 'DELETE FROM t WHERE id / 1 = id', 'DELETE FROM t WHERE id = coalesce(id, 0)', `DELETE FROM t WHERE name = name || ''`, 'DELETE FROM t WHERE name LIKE name', 'DELETE FROM t WHERE tags @> tags', `DELETE FROM t WHERE tags @> '{}'`,
  `DELETE FROM t WHERE '{}' <@ tags`, 'DELETE FROM t WHERE ARRAY[id] && ARRAY[id]', `DELETE FROM t WHERE doc @> '{}'`, `DELETE FROM t WHERE tableoid = 't'::regclass`, `DELETE FROM t WHERE tableoid::regclass::text = 't'`,
  // Texts that every text fits.
  `DELETE FROM t WHERE name >= ''`, `DELETE FROM t WHERE id::text <> ''`, `DELETE FROM t WHERE id::text LIKE '_%'`, `DELETE FROM t WHERE name LIKE '%'`, `DELETE FROM t WHERE name SIMILAR TO '%'`, `DELETE FROM t WHERE name ~ '^'`,
  `DELETE FROM t WHERE name ~ 'x*'`, `DELETE FROM t WHERE name ~ '(a|b|)'`, `DELETE FROM t WHERE starts_with(name, '')`, `DELETE FROM t WHERE md5(name) > ''`,
  // Two of which one holds.
  'DELETE FROM t WHERE done OR NOT done', 'DELETE FROM t WHERE id > 5 OR id < 10', 'DELETE FROM t WHERE id >= 5 OR 5 > id', `DELETE FROM t WHERE name LIKE 'a%' OR name NOT LIKE 'a%'`, 'DELETE FROM t WHERE id IN (1, 2) OR id NOT IN (1, 2)',
  'DELETE FROM t WHERE id BETWEEN 1 AND 3 OR id NOT BETWEEN 1 AND 3', 'DELETE FROM t WHERE NOT (id = 1 AND id <> 1)', 'DELETE FROM t WHERE NOT (done AND NOT done)',
  'DELETE FROM t WHERE (id = 1) = (id = 1)', 'DELETE FROM t WHERE (id = id) = true', 'DELETE FROM t WHERE (id = id)::bool', 'DELETE FROM t WHERE (1 = 2) <> true',
  // Whatever the others are.
  'DELETE FROM t WHERE coalesce(true, id = 3)', 'DELETE FROM t WHERE coalesce(NULL, true, id = 3)', 'DELETE FROM t WHERE coalesce(id = id, true)', 'DELETE FROM t WHERE CASE id WHEN id THEN true END', 'DELETE FROM t WHERE CASE WHEN id = 3 THEN true ELSE id = id END',
  `DELETE FROM t WHERE id <> ALL('{}')`, 'DELETE FROM t WHERE NOT id = ANY(ARRAY[]::int[])', 'DELETE FROM t WHERE (id = 1) <> (id <> 1)', 'DELETE FROM t WHERE (amount > 0) IS DISTINCT FROM (amount <= 0)', `DELETE FROM t WHERE concat(name, 'x') <> ''`,
  'DELETE FROM t WHERE (id, 1) > (id, 0)', 'DELETE FROM t WHERE (1, id) >= (0, id)', 'DELETE FROM t WHERE (small, id) < (100000, 3)', 'DELETE FROM t WHERE (id, id) < (id + 1, 0)', 'DELETE FROM t WHERE (id, 1) IN (VALUES (id, 1))', 'DELETE FROM t WHERE id IN (VALUES (t.id), (2))',
  // The table joined with itself.
  'DELETE FROM t USING t AS u WHERE t.id = u.id', 'DELETE FROM t USING public.t u WHERE u.id = t.id', 'DELETE FROM t a USING t b WHERE a.ctid = b.ctid', 'DELETE FROM t a USING t b WHERE a.id = b.id AND a.name = b.name', 'DELETE FROM t a USING t b WHERE lower(a.name) = lower(b.name)',
  'DELETE FROM t a USING t b WHERE a.id >= b.id', 'DELETE FROM t a USING t b, t c WHERE a.id = b.id AND b.id = c.id', 'DELETE FROM t USING (SELECT * FROM t) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT id AS k FROM t ORDER BY 1) s WHERE s.k = t.id',
  'DELETE FROM t USING (TABLE t) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT DISTINCT id FROM t) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT id FROM t GROUP BY id) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT id FROM t LIMIT ALL) s WHERE s.id = t.id',
  'DELETE FROM t USING (SELECT id FROM t WHERE id = id OFFSET 0) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT b.id FROM t b LEFT JOIN u ON u.tid = b.id) s WHERE s.id = t.id', 'DELETE FROM t USING t b LEFT JOIN u ON u.tid = b.id WHERE b.id = t.id',
  'DELETE FROM t USING t b JOIN t c ON c.id = b.id WHERE b.id = t.id', 'DELETE FROM t USING t b TABLESAMPLE bernoulli (100) WHERE b.id = t.id', 'DELETE FROM t USING u RIGHT JOIN t b ON u.tid = b.id WHERE b.id = t.id',
  'UPDATE t SET name = s.name FROM (SELECT * FROM t) s WHERE s.id = t.id', 'UPDATE t SET name = s.name FROM t s WHERE s.id = t.id', 'UPDATE t SET small = s.n FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM t) s WHERE s.id = t.id',
  'WITH s AS (SELECT id FROM t) DELETE FROM t USING s WHERE s.id = t.id', 'WITH s AS (SELECT id FROM t), r(k) AS (SELECT id FROM s) DELETE FROM t USING r WHERE r.k = t.id', 'WITH s AS MATERIALIZED (TABLE t) UPDATE t SET note = s.name FROM s WHERE t.id = s.id',
  'MERGE INTO t USING t s ON t.id = s.id WHEN MATCHED THEN DELETE', 'MERGE INTO t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET note = NULL WHEN NOT MATCHED BY SOURCE THEN DELETE', 'MERGE INTO t USING u ON false WHEN NOT MATCHED BY SOURCE THEN DELETE', 'MERGE INTO t USING (SELECT id AS k FROM t) s ON s.k = t.id WHEN MATCHED THEN UPDATE SET note = NULL',
  'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE THEN DELETE', 'MERGE INTO t USING t s ON t.id = s.id AND t.id = t.id WHEN MATCHED AND s.id IS NOT NULL THEN DELETE', 'MERGE INTO t USING (VALUES (1)) v(x) ON t.id = t.id WHEN MATCHED THEN DELETE',
  'INSERT INTO t SELECT * FROM t ON CONFLICT (id) DO UPDATE SET note = NULL', 'INSERT INTO t SELECT * FROM t ON CONFLICT ON CONSTRAINT t_pkey DO UPDATE SET note = excluded.name WHERE t.id IS NOT NULL',
  `INSERT INTO t (name, id, small, big, email, amount, created_at, done, tags, doc, uid) SELECT 'x', id, 1, 1, 'x', 1, now(), true, tags, doc, uid FROM t ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
  // All of its keys.
  'DELETE FROM t WHERE id IN (SELECT id FROM t)', 'DELETE FROM t WHERE id IN (SELECT u.id FROM t u)', 'DELETE FROM t WHERE id IN (SELECT DISTINCT id FROM t ORDER BY id)', 'DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT ALL)', 'DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT NULL OFFSET 0)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t WHERE id IN (SELECT id FROM t))', 'DELETE FROM t WHERE id IN (SELECT id FROM t WHERE 1 = 1)', 'DELETE FROM t WHERE id IN (SELECT id FROM t GROUP BY id HAVING count(*) > 0)', 'DELETE FROM t WHERE id IN (SELECT id FROM (SELECT * FROM t) s)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t UNION SELECT 5)', 'DELETE FROM t WHERE id IN (SELECT 5 UNION ALL SELECT id FROM t)', 'DELETE FROM t WHERE (id, name) IN (SELECT id, name FROM t)', 'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t)', 'DELETE FROM t WHERE ctid = ANY (SELECT ctid FROM t)',
  'DELETE FROM t WHERE id = ANY (ARRAY(SELECT id FROM t))', 'DELETE FROM t WHERE id = ANY ((SELECT array_agg(id) FROM t)::int[])', 'DELETE FROM t WHERE lower(name) IN (SELECT lower(name) FROM t)', 'DELETE FROM t WHERE id IN (SELECT k FROM (SELECT id AS k FROM t) s)', 'DELETE FROM t WHERE id >= ANY (SELECT id FROM t)',
  'WITH s AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM s)', 'WITH s AS (SELECT id FROM t) DELETE FROM t WHERE id IN (TABLE s)', 'DELETE FROM t WHERE id NOT IN (SELECT id FROM t WHERE false)', 'DELETE FROM t WHERE id IN (SELECT b.id FROM t b LEFT JOIN u ON u.tid = b.id)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 9223372036854775807)', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.id = t.id)', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.id = t.id LIMIT 1)', 'DELETE FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.id = t.id)',
  'DELETE FROM t WHERE EXISTS (SELECT FROM (SELECT id FROM t) s WHERE s.id = t.id)', 'DELETE FROM t WHERE EXISTS (SELECT FROM t u WHERE u.id <= t.id)', 'DELETE FROM t WHERE NOT EXISTS (SELECT FROM t u WHERE u.id = t.id AND u.id <> t.id)', 'DELETE FROM t WHERE NOT EXISTS (SELECT FROM t u WHERE u.id = t.id AND false)',
  'DELETE FROM t WHERE (SELECT true FROM t u WHERE u.id = t.id)', 'DELETE FROM t WHERE (SELECT count(*) FROM t u WHERE u.id = t.id) > 0', 'DELETE FROM t WHERE (SELECT count(*) FROM t u WHERE u.id = t.id) >= 1', 'DELETE FROM t WHERE (SELECT count(*) FROM u WHERE u.tid = t.id) >= 0',
  'DELETE FROM t WHERE id = (SELECT u.id FROM t u WHERE u.id = t.id)', 'DELETE FROM t WHERE id >= (SELECT min(id) FROM t)', 'DELETE FROM t WHERE (SELECT max(id) FROM t) >= id', 'DELETE FROM t WHERE id BETWEEN (SELECT min(id) FROM t) AND (SELECT max(id) FROM t)',
  'UPDATE t SET note = NULL WHERE id IN (SELECT id FROM t)', 'EXPLAIN ANALYZE DELETE FROM t WHERE id IN (SELECT id FROM t)', 'WITH gone AS (DELETE FROM t WHERE id IN (SELECT id FROM t) RETURNING id) SELECT count(*) FROM gone', 'SELECT 1; DELETE FROM t USING t u WHERE u.id = t.id',
  'DELETE FROM t WHERE id > (SELECT min(id) - 1 FROM t)', 'DELETE FROM t WHERE id < (SELECT max(id) + 1 FROM t)', 'DELETE FROM t WHERE created_at <= (SELECT max(created_at) FROM t)', 'DELETE FROM t WHERE id <= ALL (SELECT max(id) FROM t)', 'DELETE FROM t WHERE id >= ANY (SELECT min(id) FROM t)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t INTERSECT SELECT id FROM t)', 'DELETE FROM t WHERE id IN (SELECT id FROM t EXCEPT SELECT 5 WHERE false)', 'DELETE FROM t WHERE 1 = (SELECT 1)', 'DELETE FROM t WHERE (id > 3) IN (true, false)', 'DELETE FROM t WHERE EXISTS (VALUES (t.id))', 'DELETE FROM t WHERE NOT (t IS NULL)', 'DELETE FROM t WHERE greatest(id, id) = id', 'DELETE FROM t WHERE nullif(id, id) IS NULL', `DELETE FROM t WHERE pg_typeof(id) = 'integer'::regtype`, 'DELETE FROM t WHERE (id > 3) IS TRUE OR (id > 3) IS NOT TRUE', 'DELETE FROM t WHERE coalesce(id = NULL, true)', 'DELETE FROM t WHERE (id = NULL) IS UNKNOWN', 'WITH s AS (TABLE t) INSERT INTO t SELECT * FROM s ON CONFLICT (id) DO UPDATE SET note = NULL',
  // Through views, and partitions.
  'DELETE FROM everything WHERE key IN (SELECT id FROM t)', 'DELETE FROM t WHERE id IN (SELECT key FROM everything)', 'DELETE FROM t WHERE id IN (SELECT k FROM again)', 'DELETE FROM t USING again WHERE k = id', 'DELETE FROM everything e USING everything f WHERE e.key = f.key', 'DELETE FROM everything WHERE key IS NOT NULL',
  'DELETE FROM low WHERE id IN (SELECT id FROM whole)', 'DELETE FROM whole WHERE id IN (SELECT id FROM whole)', 'DELETE FROM low USING whole WHERE low.id = whole.id',
  // What a trigger does instead.
  'DELETE FROM trapped WHERE id = 1', 'DELETE FROM shown', 'DELETE FROM shown WHERE id = id',
]

/** They leave some rows of their table alone. */
export const BOUNDED: readonly string[] = [
  'DELETE FROM t WHERE id = 3', 'DELETE FROM t WHERE id > 3', 'DELETE FROM t WHERE id >= 4 AND id = id', 'DELETE FROM t WHERE id IN (1, 2)', 'DELETE FROM t WHERE note IS NOT NULL', 'DELETE FROM t WHERE num_nonnulls(note) > 0', 'DELETE FROM t WHERE num_nulls(note, id) = 1', 'DELETE FROM t WHERE num_nonnulls(note, id) = 1',
  'DELETE FROM t WHERE lower(note) IS NOT NULL', 'DELETE FROM t WHERE t IS NOT NULL', 'DELETE FROM t WHERE coalesce(parent_id, 0) > 0', 'DELETE FROM t WHERE (parent_id > 0) IS NOT NULL', 'DELETE FROM t WHERE small > 3', 'DELETE FROM t WHERE small < 3 OR small > 5', 'DELETE FROM t WHERE id <> 3', 'DELETE FROM t WHERE id % 2 = 0',
  'DELETE FROM t WHERE amount >= 0', 'DELETE FROM t WHERE amount * 2 > 0', 'DELETE FROM t WHERE id - small + amount > 0', 'DELETE FROM t WHERE abs(amount) > 1', 'DELETE FROM t WHERE length(name) > 7 OR id = 2', 'DELETE FROM t WHERE id = parent_id + 3 AND id < 6', 'DELETE FROM t WHERE id + 1 = parent_id + 4',
  `DELETE FROM t WHERE created_at < '2020-01-04'`, `DELETE FROM t WHERE created_at > '2020-01-05' AND created_at < 'infinity'`, `DELETE FROM t WHERE name <> 'name 1'`, `DELETE FROM t WHERE name > 'name 3'`, `DELETE FROM t WHERE note <> ''`, `DELETE FROM t WHERE name LIKE '%3'`, `DELETE FROM t WHERE name ~ '^name [1-3]'`, `DELETE FROM t WHERE name ~ '3'`,
  `DELETE FROM t WHERE doc -> 'a' IS NOT NULL`, `DELETE FROM t WHERE doc ->> 'a' IS NOT NULL`, `DELETE FROM t WHERE substring(name from '[1-3]') IS NOT NULL`, 'DELETE FROM t WHERE amount::int = amount', 'DELETE FROM t WHERE round(amount) = amount', 'DELETE FROM t WHERE tags[2] IS NULL AND tags[1] > 3',
  'DELETE FROM t WHERE nullif(id, 3) IS NOT NULL', 'DELETE FROM t WHERE amount % 1 = 0', `DELETE FROM t WHERE (doc ->> 'a')::int IS NOT NULL`, 'DELETE FROM t WHERE (note LIKE name) IS NOT NULL', 'DELETE FROM t WHERE (parent_id + id) IS NOT NULL', 'DELETE FROM t WHERE (SELECT u.x FROM u WHERE u.tid = t.id) IS NOT NULL',
  'DELETE FROM t WHERE CASE WHEN done THEN id END IS NOT NULL', `DELETE FROM t WHERE split_part(name, ' ', 2) > '3'`, 'DELETE FROM t WHERE (id > 3) = true', 'DELETE FROM t WHERE (id > 3) IS TRUE', 'DELETE FROM t WHERE extract(day from created_at) > 4',
  'DELETE FROM t WHERE tags @> ARRAY[3]', `DELETE FROM t WHERE tags && '{1,2}'`, `DELETE FROM t WHERE doc @> '{"a": 2}'`, `DELETE FROM t WHERE tableoid = 'u'::regclass`, 'DELETE FROM t WHERE id = coalesce(parent_id, 1)', 'DELETE FROM t WHERE id > (SELECT min(id) + 1 FROM t)', 'DELETE FROM t WHERE id < (SELECT max(id) FROM t)',
  'DELETE FROM t WHERE id >= ALL (SELECT id FROM t)', 'DELETE FROM t WHERE id IN (SELECT id FROM t EXCEPT SELECT 3)', 'DELETE FROM t WHERE id IN (SELECT id FROM t INTERSECT SELECT 3)', 'DELETE FROM t WHERE id = id * small', `DELETE FROM t WHERE name LIKE email || '%'`, 'DELETE FROM t WHERE amount = (SELECT max(amount) FROM t)',
  'DELETE FROM t WHERE id > (SELECT count(*) - 2 FROM t)',
  `DELETE FROM t WHERE id = ANY('{}')`, `DELETE FROM t WHERE id <> ALL('{1}')`, 'DELETE FROM t WHERE (id = 1) = (id = 2)', 'DELETE FROM t WHERE (id = 1) = (id <> 1)', `DELETE FROM t WHERE concat(note) <> ''`,
  'DELETE FROM t WHERE (id, 0) > (id, 1)', 'DELETE FROM t WHERE (id, small) > (3, 2)', 'DELETE FROM t WHERE (id, 1) >= (3, 0)', 'DELETE FROM t WHERE id IN (VALUES (1), (2))', 'DELETE FROM t WHERE id NOT IN (VALUES (1))', 'DELETE FROM t WHERE id NOT IN (VALUES (id))',
  'DELETE FROM t WHERE done', 'DELETE FROM t WHERE int4gt(id, 3)', `DELETE FROM t WHERE textlike(name, '%3')`, 'DELETE FROM t WHERE NOT done', 'DELETE FROM t WHERE done = true', 'DELETE FROM t WHERE done OR id = 1', 'DELETE FROM t WHERE coalesce(done, true)', 'DELETE FROM t WHERE CASE WHEN id > 3 THEN true END', 'DELETE FROM t WHERE id > 5 OR id < 3', 'DELETE FROM t WHERE NOT (id = 3 OR id = 4)',
  // The table joined with itself, and something that chooses.
  'DELETE FROM t a USING t b WHERE a.id < b.id AND a.email = b.email', 'DELETE FROM t USING t u WHERE t.id = u.id AND u.done', `DELETE FROM t USING t u WHERE t.id = u.id AND u.created_at < '2020-01-04'`, 'DELETE FROM t USING t u WHERE t.parent_id = u.id', 'DELETE FROM t USING (SELECT id FROM t WHERE done) s WHERE s.id = t.id',
  'DELETE FROM t USING (SELECT id FROM t ORDER BY id LIMIT 3) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT id FROM t ORDER BY id OFFSET 3) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT DISTINCT ON (email) id FROM t ORDER BY email, id) s WHERE s.id = t.id', 'DELETE FROM t USING (SELECT min(id) AS id FROM t GROUP BY email) s WHERE s.id = t.id',
  'DELETE FROM t USING t b JOIN u ON u.tid = b.id WHERE b.id = t.id', 'DELETE FROM t USING t b LEFT JOIN u ON u.tid = b.id WHERE b.id = t.id AND u.id IS NULL', 'DELETE FROM t USING t b NATURAL JOIN u WHERE b.id = t.id', 'DELETE FROM t USING t b, u WHERE b.id = t.id AND u.tid = b.id', 'DELETE FROM t USING t b, LATERAL (SELECT b.done AS d) s WHERE b.id = t.id AND s.d',
  'DELETE FROM t USING (SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) AS n FROM t) s WHERE s.id = t.id AND s.n > 1', 'UPDATE t SET name = s.name FROM t s WHERE s.id = t.parent_id', 'UPDATE t SET note = u.x FROM u WHERE u.tid = t.id', 'WITH s AS (SELECT id FROM t LIMIT 3) DELETE FROM t USING s WHERE s.id = t.id',
  'WITH s AS (SELECT id FROM t WHERE done) UPDATE t SET note = NULL FROM s WHERE s.id = t.id', 'MERGE INTO t USING u ON t.id = u.tid WHEN MATCHED THEN DELETE', 'MERGE INTO t USING t s ON t.id = s.id WHEN MATCHED AND s.done THEN DELETE', 'MERGE INTO t USING (SELECT id FROM t WHERE done) s ON s.id = t.id WHEN MATCHED THEN DELETE',
  'INSERT INTO t SELECT * FROM t WHERE done ON CONFLICT (id) DO UPDATE SET note = NULL', 'INSERT INTO t SELECT * FROM t ON CONFLICT (id) DO UPDATE SET note = NULL WHERE t.done', 'INSERT INTO t SELECT * FROM t ON CONFLICT DO NOTHING',
  `INSERT INTO t SELECT id + 3, small, big, parent_id, name, email, amount, created_at, done, note, tags, doc, uid FROM t ON CONFLICT (id) DO UPDATE SET note = NULL`,
  // Some of its keys.
  `DELETE FROM t WHERE id IN (SELECT id FROM t WHERE created_at < '2020-01-04')`, 'DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 3)', 'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t LIMIT 3)', 'DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)', 'DELETE FROM t WHERE id IN (SELECT parent_id FROM t)',
  'DELETE FROM t WHERE id NOT IN (SELECT min(id) FROM t GROUP BY email)', 'DELETE FROM t WHERE ctid NOT IN (SELECT min(ctid) FROM t GROUP BY email)', 'DELETE FROM t WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) AS n FROM t) s WHERE n > 1)', 'DELETE FROM t WHERE id IN (SELECT b.id FROM t b JOIN u ON u.tid = b.id)',
  'DELETE FROM t WHERE id IN (SELECT b.id FROM t b LEFT JOIN u ON u.tid = b.id WHERE u.id IS NULL)', 'DELETE FROM t WHERE id IN (SELECT max(id) FROM t)', 'DELETE FROM t WHERE id IN (SELECT id FROM t GROUP BY id HAVING max(small) > 3)', 'DELETE FROM t WHERE id IN (SELECT id FROM t INTERSECT SELECT tid FROM u)', 'DELETE FROM t WHERE id IN (SELECT tid FROM u UNION SELECT 3)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t TABLESAMPLE bernoulli (0))', 'DELETE FROM t WHERE (id, email) IN (SELECT id, name FROM t)', 'DELETE FROM t WHERE id IN (SELECT tid FROM u)', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.tid = t.id)', 'DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.tid = t.id)',
  'DELETE FROM t WHERE EXISTS (SELECT 1 FROM t c WHERE c.parent_id = t.id)', 'DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM t c WHERE c.parent_id = t.id)', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM t b WHERE b.email = t.email AND b.id < t.id)', 'DELETE FROM t WHERE EXISTS (SELECT 1 FROM t b WHERE b.id = t.id AND b.done)',
  'DELETE FROM t WHERE id = (SELECT max(id) FROM t)', 'DELETE FROM t WHERE id > (SELECT min(id) FROM t)', 'DELETE FROM t WHERE amount > (SELECT avg(amount) FROM t)', 'DELETE FROM t WHERE (SELECT count(*) FROM u WHERE u.tid = t.id) > 0', 'DELETE FROM t WHERE (SELECT count(*) FROM t b WHERE b.email = t.email AND b.id <= t.id) > 1',
  'UPDATE t SET note = NULL WHERE id = (SELECT id FROM t ORDER BY id LIMIT 1)', 'WITH s AS (SELECT id FROM t WHERE done) DELETE FROM t WHERE id IN (SELECT id FROM s)', 'WITH gone AS (DELETE FROM u WHERE flag RETURNING tid) DELETE FROM t WHERE id IN (SELECT tid FROM gone)',
  'DELETE FROM t WHERE id IN (SELECT id FROM finished)', 'DELETE FROM t USING finished f WHERE f.id = t.id', 'DELETE FROM t WHERE id IN (SELECT id FROM paired)', 'DELETE FROM whole WHERE id IN (SELECT id FROM low)', 'DELETE FROM everything WHERE key = 3', 'DELETE FROM finished WHERE id = 2', 'DELETE FROM shown WHERE id = 1', 'DELETE FROM shown WHERE id IN (1, 2)',
]
