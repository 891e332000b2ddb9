/**
 * The shop that the corpus is run against, twice: its twin differs in nothing but the values of masked columns, and those
 * look alike under the sample masks (same length, first letter, mail domain, last four digits). Whoever sees the masked
 * shop alone cannot tell which of the two it is.
 */
import { SHOP_SQL } from '../support/shop.ts'

/** What is in the shop → what is in its twin. Orders, patterns and remainders differ on purpose. */
const TWINS: Readonly<Record<string, string>> = {
  'ada.marsh@': 'amy.stone@',
  'bela.novak@': 'bert.ulman@',
  'chidi@': 'cyril@',
  '44 20 7946 0018': '77 61 8250 0018',
  '36 1 555 0142': '18 9 321 0142',
  '234 1 555 0199': '909 2 840 0199',
  '400000123456': '731288904512',
  '510000987654': '284617039581',
  '400000555555': '915503627482',
  '1984-03-07': '1962-12-25',
  '1979-11-30': '1995-02-14',
  '1991-06-21': '1970-08-09',
}

/** Never to be seen, in any disguise. Short enough that a piece of a value is found too, long enough not to be met by chance. */
export const CORPUS_SECRETS: readonly string[] = [
  'ada.marsh', 'bela.novak', 'chidi@', '7946 0018', '555 0142', '555 0199',
  '4000001234567899', '5100009876543211', '4000005555555556', '1984-03-07', '1979-11-30', '1991-06-21',
]

export const CORPUS_CLASSES = { 'public.people.born': 'pii.birth-date' }

/** What somebody who may define things has left in the database: views, functions, rules and triggers to go through. */
const FURNITURE = `
create table marks (mark text);
create table doorbell (rung int);
select lo_from_bytea(1000, 'a large object');
create table payments (id int primary key, amount numeric);
insert into payments values (1, 10);
create table "drop" ("delete" int primary key, "truncate" text, "grant" text);
insert into "drop" values (1, 'one', 'g'), (2, 'two', 'h');
create view shouting as select id, upper(email) as loud from people;
create view contacts as select id, name, email as mail from people;
create view called as select id from people where phone like '%7946%';
create view order_list as select * from orders;
create materialized view kept as select id, email, phone from people;
create function email_of(int) returns text language sql stable as 'select email from people where id = $1';
create function phone_of(int) returns text language plpgsql as 'begin return (select phone from people where id = $1); end';
create function everybody() returns setof people language sql stable as 'select * from people';
create function quoting(int) returns int language plpgsql as 'begin raise notice ''%'', (select email from people where id = $1); return 1; end';
create function wipe() returns int language plpgsql as 'begin delete from orders; return 1; end';
create function wipe_sql() returns void language sql as 'delete from orders';
create function run(statement text) returns void language plpgsql as 'begin execute statement; end';
create procedure wipe_all() language plpgsql as 'begin delete from orders; end';
create rule ring as on insert to doorbell do also delete from orders;
create function remove_all() returns trigger language plpgsql as 'begin delete from orders; return old; end';
create trigger remove_all instead of delete on contacts for each row execute function remove_all();
`

const EXTENSIONS = ['dblink', 'hstore', 'pgcrypto', 'fuzzystrmatch', 'file_fdw', 'postgres_fdw', 'xml2', 'tablefunc']

export const CORPUS_SQL = `${EXTENSIONS.map((name) => `create extension ${name};`).join('\n')}\n${SHOP_SQL}\n${FURNITURE}`
export const TWIN_SQL = twin(CORPUS_SQL)

function twin(sql: string): string {
  return Object.entries(TWINS).reduce((text, [one, other]) => text.replaceAll(one, other), sql)
}
