import type { Contender } from '../against/contender.ts'
import { cpuSeconds } from './cpu-time.ts'
import { median, pairedRatio, rounded } from './statistics.ts'

/** One measurement. */
export interface Sample {
  readonly perSecond: number
  /** What `perSecond` counts, over the whole measurement. */
  readonly count: number
  /** Mean, as the client saw it. */
  readonly latencyMs?: number
  /** Median, as the client saw it. */
  readonly medianMs?: number
}

/** Something that can be measured in turn with others: a contender, or one contender in two ways. */
export interface Runner {
  readonly label: string
  readonly pid: number | undefined
  readonly run: (round: number) => Promise<Sample>
}

export interface Result {
  readonly contender: string
  /** Median of the rounds. */
  readonly perSecond: number
  /** Medians of the ratios round by round. */
  readonly ofPgbouncer?: number
  readonly ofDirect?: number
  readonly latencyMs?: number
  readonly medianMs?: number
  /** CPU time of the process in between, for each unit of `perSecond`. */
  readonly cpuMicros?: number
  readonly samples: readonly number[]
}

export interface Case {
  readonly name: string
  /** What is counted per second. */
  readonly unit: string
  readonly results: readonly Result[]
}

interface Measured extends Sample { readonly cpuMicros: number | undefined }

/** The number of the round that does not count. */
export const WARM_UP = -1

export function roundName(round: number): string {
  return round === WARM_UP ? 'warm-up' : `round ${round + 1}`
}

/** Runs everybody once per round, each round beginning with another, after one round that does not count. */
export async function compare(name: string, unit: string, runners: readonly Runner[], rounds: number, warmUp: (runner: Runner) => Promise<unknown>): Promise<Case> {
  for (const runner of runners) await warmUp(runner)
  const measured = new Map<string, Measured[]>(runners.map(({ label }) => [label, []]))
  for (let round = 0; round < rounds; round++) {
    for (const runner of rotated(runners, round)) measured.get(runner.label)?.push(await measure(runner, round))
  }
  return { name, unit, results: runners.map(({ label }) => resultOf(label, measured)) }
}

export function runnersOf(contenders: readonly Contender[], run: (contender: Contender, round: number) => Promise<Sample>): Runner[] {
  return contenders.map((contender) => ({ label: contender.name, pid: contender.pid, run: (round) => run(contender, round) }))
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

async function measure({ pid, run }: Runner, round: number): Promise<Measured> {
  const before = cpuSeconds(pid)
  const sample = await run(round)
  const after = cpuSeconds(pid)
  return { ...sample, cpuMicros: before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / sample.count }
}

function resultOf(contender: string, measured: ReadonlyMap<string, readonly Measured[]>): Result {
  const own = measured.get(contender) ?? []
  const speeds = (of: string): number[] | undefined => measured.get(of)?.map(({ perSecond }) => perSecond)
  const samples = own.map(({ perSecond }) => perSecond)
  return {
    contender,
    perSecond: rounded(median(samples)),
    ...defined('ofPgbouncer', pairedRatio(samples, speeds('pgbouncer'))),
    ...defined('ofDirect', pairedRatio(samples, speeds('direct'))),
    ...defined('latencyMs', medianOf(own.map(({ latencyMs }) => latencyMs))),
    ...defined('medianMs', medianOf(own.map(({ medianMs }) => medianMs))),
    ...defined('cpuMicros', medianOf(own.map(({ cpuMicros }) => cpuMicros))),
    samples: samples.map(rounded),
  }
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

function defined<Key extends string>(key: Key, value: number | undefined): Partial<Record<Key, number>> {
  return value === undefined ? {} : ({ [key]: rounded(value) } as Partial<Record<Key, number>>)
}
