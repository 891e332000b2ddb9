import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { AnalysisReport } from '../micro/analysis.ts'
import { benchRules, type RulesFigures } from '../micro/rules.ts'
import type { BenchRun } from './bench-run.ts'

const ANALYSIS = fileURLToPath(new URL('../micro/analysis.ts', import.meta.url))
const MASK = fileURLToPath(new URL('../micro/mask.ts', import.meta.url))
const EVENT_STORE = fileURLToPath(new URL('../micro/event-store.ts', import.meta.url))
/** Enough for a median that noise does not move. */
const RULES_ROUNDS = 31
const RULES_ROUNDS_QUICK = 5

/** As bench/micro/event-store.ts prints it. */
export interface StoreFigures {
  readonly store: string
  /** `pair`: a command and its decision. `statement`: what a gateway appends for each repeated SELECT. */
  readonly append: 'pair' | 'statement'
  /** Writers, each waiting for its own commit. */
  readonly streams: number
  readonly appendsPerSecond: number
  readonly commitsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: number
  /** CPU time per append: of the calling thread, and of the writer's. */
  readonly mainMicros: number
  readonly writerMicros: number
  /** Of one append, in the closed file. */
  readonly fileBytes: number
}

/** Appends and commits, without a network or a rule: what waiting for durability costs at the least. */
export async function storeRates({ folder, options }: BenchRun): Promise<readonly StoreFigures[]> {
  const args = [EVENT_STORE, '--json', '--folder', folder, '--seconds', String(options.quick ? 0.3 : Math.min(options.seconds, 5))]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as StoreFigures[]
}

/** A decision with 10, 100 and 1,000 rules, without a network or a store. */
export function decisionCosts({ options }: BenchRun): Promise<readonly RulesFigures[]> {
  return benchRules([10, 100, 1000], options.quick ? RULES_ROUNDS_QUICK : RULES_ROUNDS)
}

/** Analysis of statements, in a process of its own: its memory is measured as well. */
export async function analysisCosts({ options }: BenchRun): Promise<AnalysisReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [ANALYSIS, '--json', '--statements', String(options.quick ? 20_000 : 1_000_000)])
  return JSON.parse(stdout) as AnalysisReport
}

/** As bench/micro/mask.ts prints it: rows of about 100 bytes, by method and format, beside a scan of their headers. */
export interface MaskFigures {
  readonly name: string
  readonly rowsPerSecond: number
  readonly megabytesPerSecond: number
  readonly ofScan: number
}

/** Masked rows in one thread, without a network. */
export async function maskRates(): Promise<readonly MaskFigures[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MASK, '--json'])
  return JSON.parse(stdout) as MaskFigures[]
}
