/** A database in which writes set other writes off, and statements in it. Run in order, each in a transaction of its own. */

export const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, name text, touched timestamptz);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE, total numeric DEFAULT 0);
CREATE TABLE lines (id serial PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, sku text);
CREATE TABLE reviews (id int, customer int REFERENCES customers ON DELETE SET NULL ON UPDATE CASCADE, stars int);
CREATE TABLE audit (at timestamptz DEFAULT now(), what text);
CREATE TABLE counters (name text PRIMARY KEY, n int);
INSERT INTO counters VALUES ('orders', 0), ('calls', 0);
CREATE FUNCTION count_call(text) RETURNS int LANGUAGE sql AS 'UPDATE public.counters SET n = n + 1 WHERE name = $1 RETURNING n';
CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE told text; BEGIN told := TG_TABLE_NAME || TG_OP; INSERT INTO public.audit (what) VALUES (told); RETURN NULL; END $$;
CREATE TRIGGER orders_log AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION log_change();
CREATE TABLE stamped (id int, note text);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := upper(NEW.note); PERFORM public.count_call('calls'); RETURN NEW; END $$;
CREATE TRIGGER stamped_stamp BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE watched (id int, note text);
CREATE FUNCTION any_table() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO audit (what) VALUES (%L)', TG_OP); RETURN NULL; END $$;
CREATE TRIGGER watched_any AFTER INSERT ON watched FOR EACH STATEMENT EXECUTE FUNCTION any_table();
CREATE TABLE numbered (id int DEFAULT public.count_call('calls'), note text CHECK (length(note) < 100));
CREATE VIEW rich AS SELECT id, name FROM customers WHERE id > 0;
CREATE VIEW richer AS SELECT * FROM rich WHERE id < 1000;
CREATE VIEW busy AS SELECT id, public.count_call('calls') AS n FROM customers;
CREATE VIEW joined AS SELECT c.id, o.total FROM customers c JOIN orders o ON o.customer = c.id;
CREATE FUNCTION joined_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO customers VALUES (NEW.id, 'joined'); RETURN NEW; END $$;
CREATE TRIGGER joined_insert INSTEAD OF INSERT ON joined FOR EACH ROW EXECUTE FUNCTION joined_insert();
CREATE TABLE ruled (id int);
CREATE RULE ruled_insert AS ON INSERT TO ruled DO ALSO INSERT INTO audit (what) VALUES ('ruled');
CREATE VIEW over_ruled AS SELECT * FROM ruled;
CREATE TABLE shoe_data (id int, size int);
INSERT INTO shoe_data VALUES (1, 1);
CREATE VIEW shoes AS SELECT id, size * 2 AS size FROM shoe_data;
CREATE RULE shoes_update AS ON UPDATE TO shoes DO INSTEAD (UPDATE shoe_data SET size = new.size / 2 WHERE id = old.id; INSERT INTO audit (what) VALUES (old.id::text));
CREATE RULE shoes_delete AS ON DELETE TO shoes WHERE old.id > 0 DO ALSO DELETE FROM shoe_data WHERE id = old.id;
CREATE RULE shoes_delete_nothing AS ON DELETE TO shoes DO INSTEAD NOTHING;
CREATE RULE shoes_insert AS ON INSERT TO shoes DO INSTEAD INSERT INTO shoe_data VALUES (new.id, count_call('calls'));
CREATE TABLE swallowed (id int);
CREATE RULE swallowed_nothing AS ON INSERT TO swallowed DO INSTEAD NOTHING;
CREATE TABLE events (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);
CREATE TABLE parents (id int);
CREATE TABLE children (extra text) INHERITS (parents);
CREATE FUNCTION add_order(customer int, amount numeric DEFAULT 5) RETURNS int LANGUAGE plpgsql AS $$
BEGIN INSERT INTO orders VALUES (1000 + customer + amount::int, customer, amount); RETURN 1; END $$;
CREATE FUNCTION outer_call() RETURNS int LANGUAGE sql AS 'SELECT add_order(8, 77)';
CREATE FUNCTION add_tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 1.2';
CREATE FUNCTION factorial_of(n int) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN IF n < 2 THEN RETURN 1; END IF; RETURN n * factorial_of(n - 1); END $$;
CREATE FUNCTION dynamic(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO ' || t || ' DEFAULT VALUES'; END $$;
CREATE PROCEDURE tidy(before int) LANGUAGE plpgsql AS $$
DECLARE r record; BEGIN FOR r IN SELECT id FROM customers WHERE id < before LOOP DELETE FROM reviews WHERE id = r.id; END LOOP; END $$;
CREATE FUNCTION hidden_write(orders) RETURNS int LANGUAGE sql AS 'SELECT count_call(''calls'')';
CREATE FUNCTION tally(int, int) RETURNS int LANGUAGE sql AS 'SELECT count_call(''calls'') + $1';
CREATE AGGREGATE tallied(int) (SFUNC = tally, STYPE = int, INITCOND = '0');
CREATE OPERATOR ## (LEFTARG = int, RIGHTARG = int, FUNCTION = tally);
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.audit (what text);
CREATE FUNCTION pathed() RETURNS void LANGUAGE sql SET search_path = elsewhere AS 'INSERT INTO audit VALUES (''here'')';
CREATE FUNCTION pathless() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (what) VALUES ('x'); END $$;
CREATE FUNCTION with_default() RETURNS int LANGUAGE plpgsql AS $$ DECLARE r record := (SELECT row(count_call('calls'))); BEGIN RETURN 1; END $$;
CREATE FUNCTION even(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RETURN true; END IF; RETURN odd(n - 1); END $$;
CREATE FUNCTION odd(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RETURN count_call('calls') < 0; END IF; RETURN even(n - 1); END $$;
CREATE DOMAIN small AS int CHECK (add_tax(VALUE) < 100);
CREATE TABLE domains (v small);
CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM orders;
`

/** A statement, and whether everything it writes must be known. */
export const STATEMENTS: readonly (readonly [fidelity: 'parsed' | 'opaque', text: string])[] = [
  ['parsed', `INSERT INTO customers SELECT g, 'n' || g FROM generate_series(1, 20) g`],
  ['parsed', 'INSERT INTO orders SELECT g, g FROM generate_series(1, 20) g'],
  ['parsed', `INSERT INTO lines (order_id, sku) SELECT g, 'sku' FROM generate_series(1, 20) g`],
  ['parsed', 'INSERT INTO reviews SELECT g, g, 5 FROM generate_series(1, 20) g'],
  ['parsed', 'UPDATE orders SET total = 9 WHERE id = 3'],
  ['parsed', 'UPDATE customers SET id = 101 WHERE id = 1'],
  ['parsed', 'DELETE FROM customers WHERE id = 2'],
  ['parsed', 'DELETE FROM orders WHERE id = 3'],
  ['parsed', `INSERT INTO stamped VALUES (1, 'note')`],
  ['opaque', `INSERT INTO watched VALUES (1, 'note')`],
  ['parsed', `INSERT INTO numbered (note) VALUES ('x')`],
  ['parsed', `INSERT INTO richer VALUES (55, 'through views')`],
  ['parsed', `UPDATE rich SET name = 'y' WHERE id = 4`],
  ['parsed', 'SELECT * FROM busy LIMIT 1'],
  ['parsed', `INSERT INTO joined VALUES (66, 1)`],
  ['parsed', 'INSERT INTO ruled VALUES (1)'],
  ['parsed', 'INSERT INTO over_ruled VALUES (2)'],
  ['parsed', 'UPDATE shoes SET size = 5 WHERE id = 1'],
  ['parsed', 'DELETE FROM shoes WHERE id = 1'],
  ['parsed', `INSERT INTO shoes VALUES (2, 7), (3, 9)`],
  ['parsed', 'INSERT INTO swallowed VALUES (1)'],
  ['parsed', 'INSERT INTO events VALUES (1, 1), (2, 11)'],
  ['parsed', 'UPDATE events SET day = 12 WHERE id = 1'],
  ['parsed', 'DELETE FROM events_2 WHERE id = 2'],
  ['parsed', `INSERT INTO children VALUES (1, 'x')`],
  ['parsed', 'UPDATE parents SET id = 2 WHERE id = 1'],
  ['parsed', 'SELECT add_order(5)'],
  ['parsed', 'SELECT add_order(6, 7)'],
  ['parsed', 'SELECT * FROM add_order(amount => 9, customer => 7)'],
  ['parsed', 'SELECT outer_call() FROM customers WHERE id = 101'],
  ['parsed', 'SELECT add_tax(total) FROM orders'],
  ['parsed', 'SELECT factorial_of(5)'],
  ['opaque', `SELECT dynamic('audit')`],
  ['parsed', 'CALL tidy(9)'],
  ['parsed', 'SELECT (o).hidden_write FROM orders o WHERE id = 5'],
  ['parsed', 'SELECT o.hidden_write FROM orders o WHERE id = 6'],
  ['parsed', 'SELECT tallied(id) FROM customers WHERE id < 8'],
  ['parsed', 'SELECT 1 ## 2'],
  ['parsed', 'SELECT pathed()'],
  ['parsed', 'SELECT pathless()'],
  ['opaque', 'SELECT with_default()'],
  ['opaque', 'SELECT even(3)'],
  ['parsed', 'INSERT INTO domains VALUES (3)'],
  ['parsed', `DO $$ BEGIN UPDATE counters SET n = 0 WHERE name = 'orders'; PERFORM count_call('calls'); END $$`],
  ['opaque', `DO $$ BEGIN EXECUTE 'DELETE FROM audit'; END $$`],
  ['parsed', `DO LANGUAGE plpgsql 'DECLARE n int; BEGIN FOR n IN 1..2 LOOP INSERT INTO audit (what) VALUES (''loop''); END LOOP; END'`],
  ['parsed', `WITH gone AS (DELETE FROM reviews WHERE id = 9 RETURNING *), told AS (INSERT INTO audit (what) SELECT 'x' FROM gone) SELECT * FROM gone`],
  ['parsed', `MERGE INTO counters c USING (VALUES ('orders'), ('new')) v(name) ON c.name = v.name WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT VALUES (v.name, 1)`],
  ['parsed', `INSERT INTO counters VALUES ('orders', 5) ON CONFLICT (name) DO UPDATE SET n = 6`],
  ['parsed', 'EXPLAIN ANALYZE DELETE FROM reviews WHERE id = 10'],
  ['parsed', 'EXPLAIN DELETE FROM reviews WHERE id = 11'],
  ['parsed', 'CREATE TABLE copied AS SELECT * FROM customers'],
  ['parsed', 'SELECT * INTO copied_too FROM customers'],
  ['parsed', 'CREATE TEMP TABLE customers_copy AS SELECT * FROM customers'],
  ['parsed', `UPDATE customers_copy SET name = 'z' WHERE id = 4`],
  ['parsed', 'CREATE TEMP TABLE audit (what text)'],
  ['parsed', `INSERT INTO audit VALUES ('into the temporary one')`],
  ['parsed', 'DROP TABLE pg_temp.audit'],
  ['parsed', 'REFRESH MATERIALIZED VIEW kept'],
  ['parsed', 'CREATE SCHEMA whole CREATE TABLE orders (id int PRIMARY KEY) CREATE TABLE lines (order_id int REFERENCES orders) CREATE VIEW rich AS SELECT id FROM orders'],
  ['parsed', `COMMENT ON COLUMN orders.total IS 'in all'`],
  ['parsed', 'PREPARE put AS INSERT INTO orders VALUES ($1, 4)'],
  ['parsed', 'EXECUTE put(500)'],
  ['parsed', 'EXPLAIN ANALYZE EXECUTE put(501)'],
  ['parsed', 'EXPLAIN EXECUTE put(502)'],
  ['parsed', 'PREPARE many AS SELECT id, total FROM orders WHERE id > $1'],
  ['parsed', 'CREATE TABLE executed AS EXECUTE many(3)'],
  ['parsed', 'EXPLAIN ANALYZE CREATE TABLE explained AS EXECUTE many(4)'],
  ['parsed', 'CREATE RULE late_rule AS ON DELETE TO swallowed DO INSTEAD DELETE FROM reviews'],
  ['parsed', 'SELECT count(*) FROM orders WHERE int4eq(id, 5)'],
  ['parsed', 'COPY (DELETE FROM lines WHERE id = 4 RETURNING *) TO STDOUT'],
  ['parsed', 'ALTER TABLE copied ADD COLUMN extra int DEFAULT 5'],
  ['parsed', 'CREATE INDEX ON orders (add_tax(total))'],
  ['parsed', 'INSERT INTO orders VALUES (600, 4, 3)'],
  ['parsed', 'ALTER TABLE copied RENAME TO renamed'],
  ['parsed', `INSERT INTO renamed (id) VALUES (1)`],
  ['parsed', `CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (what) SELECT object_identity FROM pg_event_trigger_ddl_commands(); END $$`],
  ['parsed', 'CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION on_ddl()'],
  ['parsed', 'CREATE TABLE watched_too (id int)'],
  ['parsed', 'DROP EVENT TRIGGER on_ddl'],
  ['parsed', 'DROP TABLE customers CASCADE'],
  ['parsed', 'TRUNCATE orders CASCADE'],
  ['opaque', 'DROP SCHEMA elsewhere CASCADE'],
  ['opaque', 'BEGIN; CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS $$ INSERT INTO reviews VALUES (1) RETURNING 1 $$; SELECT fresh(); COMMIT'],
]

/** Of what is made in a transaction, what does not touch the rest of it. */
export const SETTLED: readonly (readonly [before: string, text: string])[] = [
  ['CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 'INSERT INTO reviews VALUES (70)'],
  ['CREATE OR REPLACE FUNCTION outer_call() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 'UPDATE orders SET total = 1 WHERE id = 9'],
  ['ALTER TABLE orders SET (fillfactor = 90)', 'DELETE FROM orders WHERE id = 10'],
  ['CREATE INDEX ON reviews (stars)', 'SELECT count(*) FROM reviews'],
  ['ALTER FUNCTION outer_call() COST 10', 'SELECT add_tax(3)'],
]

/** In one transaction each: what its earlier statements made is not in the catalogue that others read. */
export const TRANSACTIONS: readonly (readonly string[])[] = [
  ['CREATE OR REPLACE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO reviews VALUES (90); RETURN NULL; END $$', 'DELETE FROM orders WHERE id = 7'],
  ['CREATE OR REPLACE FUNCTION count_call(text) RETURNS int LANGUAGE sql AS $$ INSERT INTO public.reviews VALUES (91) RETURNING 1 $$', `INSERT INTO numbered (note) VALUES ('y')`],
  ['CREATE FUNCTION fresh(orders) RETURNS int LANGUAGE sql AS $$ INSERT INTO reviews VALUES (92) RETURNING 1 $$', 'SELECT o.fresh FROM orders o WHERE id = 8', 'SELECT (o).fresh FROM orders o WHERE id = 8'],
  ['CREATE TABLE made (id int)', 'INSERT INTO made VALUES (1)', 'CREATE FUNCTION fresh(made) RETURNS int LANGUAGE sql AS $$ INSERT INTO reviews VALUES (93) RETURNING 1 $$', 'SELECT m.fresh FROM made m', 'SELECT made.fresh FROM made'],
  ['CREATE OR REPLACE FUNCTION add_tax(numeric) RETURNS numeric LANGUAGE sql AS $$ INSERT INTO reviews VALUES (94) RETURNING 1.0 $$', 'INSERT INTO domains VALUES (4)'],
  ['DROP FUNCTION outer_call()', 'CREATE FUNCTION outer_call() RETURNS int LANGUAGE sql AS $$ INSERT INTO reviews VALUES (95) RETURNING 1 $$', 'SELECT outer_call()'],
  ['CREATE TABLE late (id int)', 'INSERT INTO late VALUES (1)', 'INSERT INTO reviews VALUES (77)'],
  ['CREATE VIEW late_view AS SELECT id, stars FROM reviews', 'INSERT INTO late_view VALUES (78, 1)'],
  ['CREATE TRIGGER late_log AFTER INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION log_change()', 'INSERT INTO reviews VALUES (79)'],
  ['CREATE OR REPLACE FUNCTION add_tax(numeric) RETURNS numeric LANGUAGE sql AS $$ INSERT INTO reviews VALUES (80) RETURNING 1.0 $$', 'SELECT add_tax(1)'],
  ['ALTER TABLE reviews RENAME TO opinions', 'INSERT INTO opinions VALUES (81)'],
  ['CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM (20) TO (30)', 'INSERT INTO events VALUES (5, 25)'],
  ['CREATE SCHEMA first', 'CREATE TABLE first.reviews (id int)', 'SET LOCAL search_path = first, public', 'INSERT INTO reviews VALUES (1)'],
  ['CREATE TEMP TABLE reviews (id int)', 'INSERT INTO reviews VALUES (1)'],
  [`DO $$ BEGIN EXECUTE 'CREATE VIEW made_by_text AS SELECT * FROM reviews'; END $$`, 'INSERT INTO made_by_text VALUES (1)'],
  [`DO $$ BEGIN CREATE VIEW made_inside AS SELECT * FROM reviews; END $$`, 'INSERT INTO made_inside VALUES (1)'],
]
