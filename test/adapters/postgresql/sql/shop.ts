/** A small database with masked columns, and every kind of relation that can show them. Values to hide hold `SECRET`. */
import type { Mask, Target } from '../../../../core/index.ts'

export const SHOP = `
CREATE TABLE people (
  id int PRIMARY KEY, name text, email text, ssn text UNIQUE, age int CHECK (age > 0), salary int,
  domain text GENERATED ALWAYS AS (lower(email)) STORED
);
INSERT INTO people (id, name, email, ssn, age, salary) VALUES
  (1, 'Ada', 'ada-SECRET-1@example.com', 'SECRET-111', 36, 4243441),
  (2, 'Bob', 'bob-SECRET-2@example.com', 'SECRET-222', 41, 4243442),
  (3, 'Cyd', 'cyd-SECRET-3@example.com', 'SECRET-333', 29, 4243443);
CREATE TABLE people_old (left_on date) INHERITS (people);
INSERT INTO people_old (id, name, email, ssn, age, salary) VALUES (9, 'Old', 'old-SECRET-9@example.com', 'SECRET-999', 80, 4243449);
CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES people (id), total numeric, note text, email text);
INSERT INTO orders VALUES (10, 1, 5, 'first', 'public@example.com'), (11, 2, 7, 'second', 'open@example.com');
CREATE TABLE notes (id int, body text);
CREATE TABLE events (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_high (email text, id int);
ALTER TABLE events ATTACH PARTITION events_high FOR VALUES FROM (100) TO (200);
INSERT INTO events VALUES (1, 'low-SECRET@example.com'), (150, 'high-SECRET@example.com');
CREATE VIEW contacts AS SELECT id, email AS mail, name FROM people;
CREATE VIEW contacts_again AS SELECT mail, id FROM contacts WHERE id < 100;
CREATE VIEW shouting AS SELECT id, upper(email) AS loud FROM people;
CREATE VIEW shouting_again AS SELECT id, loud AS l FROM shouting;
CREATE VIEW sifted AS SELECT id, upper(email) AS loud FROM people WHERE upper(email) > 'B';
CREATE VIEW filtered AS SELECT id FROM people WHERE email LIKE 'a%';
CREATE VIEW names AS SELECT id, name FROM people;
CREATE VIEW rows_as_json AS SELECT p.id, row_to_json(p) AS doc FROM people p;
CREATE MATERIALIZED VIEW kept AS SELECT id, email FROM people;
CREATE FUNCTION email_of(person int) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.people WHERE id = person';
CREATE FUNCTION everybody() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT * FROM public.people';
CREATE FUNCTION peek() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT ssn FROM public.people LIMIT 1); END';
CREATE PROCEDURE proc() LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE FUNCTION add_tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 1.2';
CREATE FUNCTION shipping(weight numeric) RETURNS int LANGUAGE plpgsql AS 'DECLARE r record; BEGIN FOR r IN SELECT id FROM orders LOOP NULL; END LOOP; IF weight > 5 THEN RETURN 9; END IF; RETURN 4; END';
CREATE FUNCTION order_note(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT note FROM public.orders WHERE id = $1';
CREATE FUNCTION through(int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN public.email_of($1); END';
CREATE FUNCTION pathless(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM people WHERE id = $1';
CREATE FUNCTION told(text) RETURNS text LANGUAGE sql AS 'SELECT note FROM orders LIMIT 1';
CREATE FUNCTION told(int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.people LIMIT 1';
CREATE FUNCTION built(text) RETURNS text LANGUAGE plpgsql AS 'DECLARE t text; BEGIN EXECUTE ''SELECT email FROM '' || $1 || '' LIMIT 1'' INTO t; RETURN t; END';
CREATE FUNCTION fetched(c refcursor) RETURNS text LANGUAGE plpgsql AS 'DECLARE r record; BEGIN FETCH c INTO r; RETURN r.email; END';
CREATE FUNCTION started() RETURNS text LANGUAGE plpgsql AS 'DECLARE r record := (SELECT p FROM people p LIMIT 1); BEGIN RETURN r.email; END';
CREATE FUNCTION given(t text DEFAULT public.email_of(1)) RETURNS text LANGUAGE sql AS 'SELECT t';
CREATE FUNCTION guarded() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS 'BEGIN RETURN (SELECT email FROM people LIMIT 1); END';
CREATE FUNCTION noted(orders) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.people LIMIT 1';
CREATE SCHEMA other;
CREATE TABLE other.people (id int, email text, ssn text);
CREATE FUNCTION elsewhere() RETURNS text LANGUAGE sql SET search_path = other AS 'SELECT email FROM people LIMIT 1';
INSERT INTO other.people VALUES (1, 'harmless@example.com', 'none');
CREATE FUNCTION standard() RETURNS text BEGIN ATOMIC SELECT note FROM orders ORDER BY id LIMIT 1; END;
CREATE FUNCTION standard_people() RETURNS text RETURN (SELECT email FROM people LIMIT 1);
CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE audited (id int, note text);
CREATE TRIGGER audited_touch BEFORE INSERT ON audited FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE ruled (id int);
CREATE RULE ruled_insert AS ON INSERT TO ruled DO INSTEAD NOTHING;
CREATE TABLE giving (id int, note text);
CREATE RULE giving_rows AS ON INSERT TO giving DO ALSO SELECT email FROM people;
CREATE TABLE guess (pattern text);
CREATE RULE guess_right AS ON INSERT TO guess WHERE EXISTS (SELECT FROM people WHERE email LIKE NEW.pattern) DO INSTEAD NOTHING;
CREATE VIEW people_kept AS SELECT id, email, age FROM people;
CREATE RULE people_log AS ON UPDATE TO people_kept DO INSTEAD INSERT INTO notes VALUES (OLD.id, OLD.email);
CREATE RULE giving_more AS ON DELETE TO giving DO INSTEAD UPDATE people SET age = age WHERE id = OLD.id RETURNING id, email;
CREATE TABLE members (id int PRIMARY KEY, email text, ssn text);
INSERT INTO members VALUES (1, 'ada-SECRET-1@example.com', 'SECRET-111'), (2, 'ada-SECRET-1@example.com', NULL);
CREATE TABLE guests (id int PRIMARY KEY DEFERRABLE, email text);
INSERT INTO guests VALUES (1, 'guest-SECRET@example.com');
CREATE TEMP TABLE scratch (id int, email text);
ANALYZE;
`

export const TARGET: Target = {
  name: 'shop',
  protocol: 'postgresql',
  database: 'shop',
  labels: {},
  classes: { 'public.people.salary': 'pii.salary', '*.people.ssn': 'pii.ssn' },
}

export const MASKS: readonly Mask[] = [
  { column: 'public.people.email', method: 'partial' },
  { column: 'public.people.ssn', method: 'null' },
  { column: 'public.events.email', method: 'hash' },
  { column: 'public.members.email', method: 'partial' },
  { column: 'public.members.ssn', method: 'hash' },
  { column: 'public.guests.email', method: 'partial' },
  { column: 'class:pii.salary', method: 'fixed' },
]
