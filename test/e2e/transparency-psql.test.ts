import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeTransparency, type Scenario } from '../support/compare.ts'
import { psqlUnavailable } from '../support/psql.ts'

const SHOP = `create table people (id int primary key, name text not null, born date, constraint grown check (born < '2020-01-01'));
create table orders (id serial primary key, person int references people, amount numeric(10,2) default 1.50);
create index by_person on orders (person); comment on table people is 'who';
create view totals as select person, sum(amount) from orders group by 1;
insert into people values (1, 'Ada', '1984-03-07'), (2, 'Béla', null); insert into orders (person, amount) values (1, 39.90), (2, 5), (1, 7);
`

const scenarios: Record<string, Scenario> = {
  'tables, expanded tables, other formats': ({ psql }) =>
    psql(`${SHOP}table people; \\x on\ntable people; \\x off\n\\a\n\\t on\ntable orders;\n\\pset null NIL\n\\pset format csv\ntable people;\n\\pset format html\ntable people;\n`),

  'errors with position and context, and going on after them': ({ psql }) =>
    psql("select 1 as one,\n  nothing;\nselect 1/0;\nselect 'x'::int;\ndo $$ begin raise exception 'no' using hint = 'h', detail = 'd'; end $$;\n\\errverbose\nselect 2;\n"),

  'a script that stops at its first error': ({ psql }) =>
    psql('create table t (i int); begin; insert into t values (1); select 1/0; commit;', { args: ['-v', 'ON_ERROR_STOP=1', '-q'] }),

  'one transaction for all (-1), and several -c': ({ psql }) =>
    psql('', { args: ['-1', '-c', 'create table t (i int)', '-c', 'insert into t values (1); insert into t values (2)', '-c', 'table t', '-c', 'select 1/0', '-c', 'select 5'] }),

  'describing tables, views, functions, roles, databases and settings': ({ psql }) =>
    psql(`${SHOP}\\d\n\\d people\n\\d+ orders\n\\d+ totals\n\\di\n\\dt+\n\\dn\n\\du\n\\dT int4\n\\df abs\n\\sv totals\n\\dp people\n\\dconfig work_mem\n\\l postgres\n`, { args: ['-E'] }),

  'gset, gexec, gdesc, crosstabview, if and variables': ({ psql }) =>
    psql(`${SHOP}select max(id) as top from orders \\gset\n\\echo :top\nselect :top + 1, :'top', :"top" from (select 1 as "3") x;\nselect format('select %s as n', i) from generate_series(1, 3) i \\gexec\nselect * from people \\gdesc\nselect person, id, amount from orders order by 1, 2 \\crosstabview\n\\if :{?top}\nselect 'yes';\n\\else\nselect 'no';\n\\endif\nselect 1 \\g (format=csv)\n`),

  'savepoints around errors (ON_ERROR_ROLLBACK)': ({ psql }) =>
    psql('\\set ON_ERROR_ROLLBACK on\ncreate table t (i int);\nbegin;\ninsert into t values (1);\nselect 1/0;\ninsert into t values (2);\n\\echo :SERVER_VERSION_NUM\ncommit;\ntable t;\n'),

  'rows fetched in parts (FETCH_COUNT)': ({ psql }) =>
    psql('\\set FETCH_COUNT 3\nselect i, i * i from generate_series(1, 10) i;\nselect 10/(5-i) from generate_series(1,9) i;\n'),

  'copy from a file, from the script and to a file': async ({ psql }) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-copy-'))
    try {
      await writeFile(join(folder, 'in.csv'), '10,Ten\n11,"El ""even"""\n')
      const result = await psql(`${SHOP}\\cd '${folder}'\n\\copy people (id, name) from 'in.csv' csv\ncopy people (id, name) from stdin;\n20\tTwenty\n\\.\n\\copy people to 'out.csv' csv header\n\\copy (select 1/0) to 'none'\n\\copy people from 'in.csv' csv\ncopy people to stdout;\n\\copy people (id, name) from program 'echo 30,Thirty' csv\ntable people;\n`)
      return { ...result, stdout: result.stdout.replaceAll(folder, ''), file: await readFile(join(folder, 'out.csv'), 'utf8') }
    } finally {
      await rm(folder, { recursive: true })
    }
  },

  'listening, notices and asynchronous notifications': ({ psql }) =>
    psql("listen c;\nnotify c, 'p';\ndo $$ begin raise warning 'w'; end $$;\nselect 1;\n").then((result) => ({ ...result, stdout: result.stdout.replace(/PID \d+/g, 'PID') })),

  'the same again and again, as \\watch does': ({ psql }) =>
    psql(`create sequence s;\n${"select nextval('s');\n".repeat(20)}`),

  'large objects by the client\'s own commands': async ({ psql }) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-lo-'))
    try {
      await writeFile(join(folder, 'object'), Buffer.alloc(70_000, 'large'))
      const result = await psql(`\\lo_import '${folder}/object'\n\\lo_export :LASTOID '${folder}/copy'\nselect length(lo_get(:LASTOID));\n\\lo_unlink :LASTOID\n`)
      return { ...result, stdout: result.stdout.replaceAll(folder, ''), copy: await readFile(join(folder, 'copy'), 'utf8') }
    } finally {
      await rm(folder, { recursive: true })
    }
  },

  'another connection with \\c, and who one is': ({ psql, address }) =>
    psql(`\\c postgres\nselect current_database();\n\\conninfo\n\\c nowhere\nselect 1;\n\\encoding\n\\encoding LATIN1\nselect 'x';\n\\password nobody\n`).then(({ stdout, stderr, code }) => ({
      stdout: stdout.replaceAll(String(address.port), 'PORT'), stderr: stderr.replaceAll(String(address.port), 'PORT'), code,
    })),

  'an exit in the middle of a transaction': async ({ psql, server }) => {
    const result = await psql('create table t (i int);\nbegin;\ninsert into t values (1);\n\\q\n')
    return { result, rows: await server.query('table t') }
  },
}

const unavailable = psqlUnavailable()
describeTransparency('psql', unavailable === undefined ? scenarios : {}, [18, 16])
describeTransparency('psql, for a smoke run', unavailable === undefined ? { 'tables, expanded tables, other formats': scenarios['tables, expanded tables, other formats'] ?? (() => Promise.resolve()) } : {}, [15])
