/**
 * The classifier against PostgreSQL's own regression tests:
 *
 *     node test/adapters/postgresql/sql/writes/regression.ts FOLDER [--major 15] [--tests a,b] [--list] [--show opaque]
 *
 * FOLDER is `src/test/regress` of PostgreSQL's source, with `regress.so` (built from it) and `autoinc.so`, `refint.so` in
 * `lib` beside `sql`, or the tests that need those are run without them. Exit 1 when a statement that was called parsed
 * wrote a relation that it does not name.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadSqlParser } from '../../../../../adapters/postgresql/sql/index.ts'
import { startPostgres, type PostgresMajor, type PostgresServer } from '../../../../support/postgres-server.ts'
import { Comparison, type Compared } from './comparison.ts'
import { scriptStatements, type Variables } from './psql-script.ts'

interface Tally {
  statements: number
  ran: number
  measured: number
  wrote: number
  parsed: number
  wroteAndParsed: number
  extra: number
  wrong: number
  readonly reasons: Map<string, number>
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { major: { type: 'string', default: '15' }, tests: { type: 'string' }, show: { type: 'string' } } })
const [folder] = positionals
if (folder === undefined) throw new TypeError('give the folder of the regression tests')
process.exitCode = await main(resolve(folder), Number(values.major) as PostgresMajor)

async function main(root: string, major: PostgresMajor): Promise<number> {
  await loadSqlParser()
  const server = await startPostgres({ major })
  const tally: Tally = { statements: 0, ran: 0, measured: 0, wrote: 0, parsed: 0, wroteAndParsed: 0, extra: 0, wrong: 0, reasons: new Map() }
  try {
    await server.query("CREATE DATABASE regression TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'")
    for (const test of testsOf(root)) await runTest(test, root, server, tally)
  } finally {
    await server.stop()
  }
  report(tally)
  return tally.wrong === 0 ? 0 : 1
}

/** The schedule, one after the other. */
function testsOf(root: string): string[] {
  const schedule = readFileSync(join(root, 'parallel_schedule'), 'utf8')
  const all = schedule.split('\n').flatMap((line) => (line.startsWith('test:') ? line.slice(5).trim().split(/\s+/) : []))
  const wanted = values.tests?.split(',')
  return all.filter((test) => wanted === undefined || wanted.includes(test) || test === 'test_setup')
}

async function runTest(test: string, root: string, server: PostgresServer, tally: Tally): Promise<void> {
  Object.assign(process.env, { PG_ABS_SRCDIR: root, PG_ABS_BUILDDIR: root, PG_LIBDIR: join(root, 'lib'), PG_DLSUFFIX: '.so' })
  const comparison = new Comparison(server, 'regression')
  await comparison.open()
  const variables: Variables = new Map()
  const begin = performance.now()
  const before = tally.statements
  for (const { text, data, next } of scriptStatements(readFileSync(join(root, 'sql', `${test}.sql`), 'utf8'), variables)) {
    const compared = await comparison.run(text, data)
    count(test, compared, tally)
    if (next.startsWith('gset')) compared.observation.fields.forEach((name, at) => variables.set(name, compared.observation.rows[0]?.[at] ?? ''))
    if (next.startsWith('gexec')) for (const cell of compared.observation.rows.flat()) count(test, await comparison.run(cell ?? '', ''), tally)
  }
  await comparison.close()
  const { reasons: _reasons, ...sofar } = tally
  process.stderr.write(`${test}: ${tally.statements - before} statements in ${((performance.now() - begin) / 1000).toFixed(1)} s; so far ${JSON.stringify(sofar)}\n`)
}

function count(test: string, { text, analysis, observation, missing, extra }: Compared, tally: Tally): void {
  tally.statements++
  if (observation.ok) tally.ran++
  if (!observation.ok || observation.written === undefined) return
  const parsed = analysis.fidelity === 'parsed'
  tally.measured++
  if (parsed) tally.parsed++
  else tally.reasons.set(kindOf(analysis.opaque), (tally.reasons.get(kindOf(analysis.opaque)) ?? 0) + 1)
  if (observation.written.size > 0) tally.wrote++
  if (observation.written.size > 0 && parsed) tally.wroteAndParsed++
  if (extra.length > 0) tally.extra++
  if (missing.length > 0) {
    tally.wrong++
    process.stdout.write(`WRONG ${test}: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 300)}\n  server wrote ${missing.join(', ')}; said ${analysis.sql.writes.join(', ')}\n`)
  }
  if (values.show === 'opaque' && !parsed) process.stdout.write(`OPAQUE ${test}: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 200)}\n  ${analysis.opaque.slice(0, 200)}\n`)
  if (values.show === 'extra' && extra.length > 0) process.stdout.write(`EXTRA ${test}: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 200)}\n  ${extra.join(', ')}\n`)
}

function kindOf(reason: string): string {
  return (reason.split('; ')[0] ?? '').replaceAll(/function \S+\(\)|"[^"]*"|^\S+ (?=was made)|(?<=statement |cursor |view )\S+/g, '…').slice(0, 80)
}

function report({ reasons, ...tally }: Tally): void {
  const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
  process.stdout.write(`${JSON.stringify(tally)}\n`)
  process.stdout.write(`decided: ${share(tally.parsed, tally.measured)} of ${tally.measured} measured statements, ${share(tally.wroteAndParsed, tally.wrote)} of the ${tally.wrote} that wrote; wrong: ${tally.wrong}; over-claims: ${tally.extra}\n`)
  for (const [reason, times] of [...reasons].toSorted(([, left], [, right]) => right - left).slice(0, 30)) process.stdout.write(`  ${times}  ${reason}\n`)
}
