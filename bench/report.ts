import type { Skipped } from './against/contender.ts'
import type { Goal } from './goals.ts'
import type { BenchOptions } from './options.ts'
import type { BulkRead } from './system/bulk-read.ts'
import type { Case } from './system/compare.ts'
import type { Conditions } from './system/conditions.ts'
import type { IdleMemory } from './system/idle-memory.ts'
import type { MaskFigures, StoreFigures } from './system/micro.ts'
import type { Transactions } from './system/transactions.ts'
import type { AnalysisReport } from './micro/analysis.ts'
import type { RulesFigures } from './micro/rules.ts'
import { formatTable } from './table.ts'

/** What was measured; a section that was not asked for, or could not be, is absent. */
export interface BenchSections {
  readonly select?: Transactions
  readonly tpcb?: Transactions
  readonly bulk?: BulkRead
  readonly connect?: Transactions
  readonly memory?: IdleMemory
  readonly store?: readonly StoreFigures[]
  readonly rules?: readonly RulesFigures[]
  readonly analysis?: AnalysisReport
  readonly mask?: readonly MaskFigures[]
}

/** The JSON file. */
export interface BenchReport {
  readonly format: 'sallyport-bench/1'
  readonly startedAt: string
  readonly finishedAt: string
  readonly options: BenchOptions
  readonly conditions: Conditions
  readonly skipped: readonly Skipped[]
  readonly sections: BenchSections
  readonly goals: readonly Goal[]
}

/** The same for people. */
export function printReport({ conditions, sections, skipped, goals }: BenchReport): string {
  const { select, tpcb, bulk, connect, memory, store, rules, analysis, mask } = sections
  const comparisons = [select, tpcb, connect, bulk].flatMap((section) => section?.cases ?? [])
  return [
    ...comparisons.map(printCase),
    memory === undefined ? '' : printMemory(memory),
    store === undefined ? '' : printStore(store),
    rules === undefined ? '' : printRules(rules),
    analysis === undefined ? '' : printAnalysis(analysis),
    mask === undefined ? '' : printMask(mask),
    printGoals(goals),
    ...skipped.map(({ what, why }) => `skipped ${what}: ${why}`),
    `load average ${conditions.loadBefore.map(shown).join(' ')} before, ${(conditions.loadAfter ?? []).map(shown).join(' ')} after; ${conditions.cores} cores`,
  ].filter((part) => part !== '').join('\n\n')
}

function printCase({ name, unit, results }: Case): string {
  const rows = results.map(({ contender, perSecond, ofPgbouncer, ofDirect, latencyMs, medianMs, cpuMicros }) =>
    [contender, shown(perSecond), shown(ofPgbouncer), shown(ofDirect), shown(latencyMs), shown(medianMs), shown(cpuMicros)])
  return formatTable([[name, `${unit}/s`, 'of PgBouncer', 'of direct', 'mean ms', 'median ms', `CPU µs each`], ...rows])
}

function printMemory({ connections, results }: IdleMemory): string {
  const kib = (bytes: number | undefined): string => (bytes === undefined ? '' : shown(bytes / 1024))
  const rows = results.map(({ contender, state, residentBytes, heapBytes }) => [`${contender}, ${state}`, kib(residentBytes), kib(heapBytes)])
  return formatTable([[`each of ${connections} idle connections`, 'resident KiB', 'heap KiB'], ...rows])
}

function printStore(figures: readonly StoreFigures[]): string {
  const rows = figures.map(({ store, append, streams, appendsPerSecond, commitsPerSecond, p50Ms, p99Ms, mainMicros, writerMicros, fileBytes }) =>
    [`${store} store, ${append}, ${streams} ${streams === 1 ? 'writer' : 'writers'}`, ...[appendsPerSecond, commitsPerSecond, p50Ms, p99Ms, mainMicros, writerMicros, fileBytes].map(shown)])
  return formatTable([['appends', 'appends/s', 'commits/s', 'p50 ms', 'p99 ms', 'main µs', 'writer µs', 'bytes'], ...rows])
}

function printRules(figures: readonly RulesFigures[]): string {
  const rows = figures.map(({ rules, repeatedNs, repeatedWithValuesNs, newStatementNs, loadMs }) =>
    [`${rules} rules`, shown(repeatedNs), shown(repeatedWithValuesNs), shown(newStatementNs), shown(loadMs)])
  return formatTable([['one decision', 'repeated, ns', 'reading values, ns', 'new statement, ns', 'load ms'], ...rows])
}

function printAnalysis({ texts, memory }: AnalysisReport): string {
  const rows = texts.map(({ text, characters, grammarMicros, treeMicros, newMicros, repeatedMicros }) => [text, ...[characters, grammarMicros, treeMicros, newMicros, repeatedMicros].map(shown)])
  const held = `after ${shown(memory.statements / 10)} distinct statements ${shown(memory.earlyMiB)} MiB resident, after ${shown(memory.statements)} ${shown(memory.lateMiB)} MiB`
  return `${formatTable([['one statement', 'characters', 'grammar µs', 'and tree µs', 'new µs', 'repeated µs'], ...rows])}\n${held}`
}

function printMask(figures: readonly MaskFigures[]): string {
  const rows = figures.map(({ name, rowsPerSecond, megabytesPerSecond, ofScan }) => [name, ...[rowsPerSecond, megabytesPerSecond, ofScan].map(shown)])
  return formatTable([['masked rows', 'rows/s', 'MB/s', 'of a scan'], ...rows])
}

function printGoals(goals: readonly Goal[]): string {
  const rows = goals.map(({ goal, wanted, measured, reached }) =>
    [goal, wanted, measured === undefined ? 'not measured' : shown(measured), reached === undefined ? '' : reached ? 'reached' : 'missed'])
  return formatTable([['goal', 'wanted', 'measured', ''], ...rows])
}

function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return ''
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
