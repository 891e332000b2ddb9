/** The system benchmark: `npm run bench`. README.md says how to read what it prints. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findProgram } from './against/programs.ts'
import { startTarget, type Target } from './against/target.ts'
import { goalsOf } from './goals.ts'
import { readOptions, USAGE, type BenchOptions, type SectionName } from './options.ts'
import { printReport, type BenchReport, type BenchSections } from './report.ts'
import type { BenchRun } from './system/bench-run.ts'
import { bulkRead } from './system/bulk-read.ts'
import { conditionsAt, requireRealDisk, withTarget } from './system/conditions.ts'
import { idleMemory } from './system/idle-memory.ts'
import { analysisCosts, decisionCosts, maskRates, storeRates } from './system/micro.ts'
import { newConnections, selectOnly, tpcb } from './system/transactions.ts'

const ROWS = 1_000_000
const ROWS_QUICK = 100_000
/** `people` is read once by each gateway that starts, even where nothing is read in bulk. */
const ROWS_AT_LEAST = 100
/** More than clients, or TPC-B measures how they wait for each other's branch. */
const SCALE = 40
const WITHOUT_TARGET: readonly SectionName[] = ['store', 'rules', 'analysis', 'mask']

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(USAGE)
  const options = readOptions(args)
  requireRealDisk(options.folder)
  const folder = mkdtempSync(join(options.folder, 'sallyport-bench-'))
  process.once('SIGINT', () => {
    remove(folder)
    process.exit(130)
  })
  try {
    const report = await runAll(options, folder)
    const out = options.out ?? join(import.meta.dirname, 'results', `${report.startedAt.replaceAll(':', '-')}.json`)
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`)
    process.stdout.write(`\n${printReport(report)}\n\nwritten to ${out}\n`)
  } finally {
    remove(folder)
  }
}

/** Those who were interrupted with us may still be writing there. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function runAll(options: BenchOptions, folder: string): Promise<BenchReport> {
  const startedAt = new Date().toISOString()
  const conditions = conditionsAt(folder)
  const run: BenchRun = { options, folder, pgbench: findProgram('pgbench'), skipped: [], say: (text) => process.stderr.write(`${text}\n`) }
  await using stack = new AsyncDisposableStack()
  const rows = rowsFor(options)
  const needed = options.sections.some((section) => !WITHOUT_TARGET.includes(section))
  const target = needed ? stack.use(await prepareTarget(run, rows)) : undefined
  const sections = await measure(run, target, rows)
  const finishedAt = new Date().toISOString()
  return { format: 'sallyport-bench/1', startedAt, finishedAt, options, conditions: withTarget(conditions, target), skipped: run.skipped, sections, goals: goalsOf(sections) }
}

function rowsFor({ sections, quick }: BenchOptions): number {
  if (!sections.includes('bulk')) return ROWS_AT_LEAST
  return quick ? ROWS_QUICK : ROWS
}

async function prepareTarget({ options, pgbench, say }: BenchRun, rows: number): Promise<Target> {
  const usesPgbench = options.sections.some((section) => section === 'select' || section === 'tpcb' || section === 'connect')
  say('starting PostgreSQL and loading its tables')
  return startTarget({ rows, scale: usesPgbench ? (options.quick ? 1 : SCALE) : 0, pgbench })
}

async function measure(run: BenchRun, target: Target | undefined, rows: number): Promise<BenchSections> {
  const measured: Record<string, unknown> = {}
  for (const name of run.options.sections) {
    run.say(name)
    const result = await measureSection(name, run, target, rows)
    if (result !== undefined) measured[name] = result
  }
  return measured as BenchSections
}

function measureSection(name: SectionName, run: BenchRun, target: Target | undefined, rows: number): Promise<unknown> {
  if (name === 'store') return storeRates(run)
  if (name === 'rules') return decisionCosts(run)
  if (name === 'analysis') return analysisCosts(run)
  if (name === 'mask') return maskRates()
  if (target === undefined) throw new Error(`${name} needs a target`)
  switch (name) {
    case 'select': return selectOnly(run, target)
    case 'tpcb': return tpcb(run, target)
    case 'connect': return newConnections(run, target)
    case 'bulk': return bulkRead(run, target, rows)
    case 'memory': return idleMemory(run, target)
    default: return name satisfies never
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof TypeError) process.stderr.write(`${error.message}\n\n${USAGE}`)
  else throw error
  process.exitCode = 2
}
