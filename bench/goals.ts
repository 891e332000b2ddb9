import type { BenchSections } from './report.ts'
import type { Case, Result } from './system/compare.ts'

/** What this version wants to reach, as ratios in one run: nothing here depends on how fast the machine is. */
export interface Goal {
  readonly goal: string
  readonly wanted: string
  /** Absent when what it is made of was not measured. */
  readonly measured?: number
  readonly reached?: boolean
}

const KIB = 1024

export function goalsOf(sections: BenchSections): Goal[] {
  const prepared = (clients: number, contender: string): Result | undefined => find(sections.select?.cases, new RegExp(`prepared, ${clients} `), contender)
  const bulk = (way: string, contender: string): Result | undefined => find(sections.bulk?.cases, new RegExp(`^${way}`), contender)
  return [
    ...[1, 8, 32].map((clients) => atLeast(`prepared select, ${clients} ${clients === 1 ? 'client' : 'clients'}, relaxed audit, of PgBouncer`, 1, prepared(clients, 'gateway-relaxed')?.ofPgbouncer)),
    atLeast('prepared select, 32 clients, of PgBouncer', 0.7, prepared(32, 'gateway')?.ofPgbouncer),
    atLeast('prepared select, 128 clients, of PgBouncer', 0.85, prepared(128, 'gateway')?.ofPgbouncer),
    addedLatency(sections),
    ...['select', 'copy'].flatMap((way) => [
      atLeast(`bulk ${way}, of PgBouncer`, 0.9, bulk(way, 'gateway')?.ofPgbouncer),
      atLeast(`bulk ${way}, two text columns masked, of unmasked`, 0.6, ratio(bulk(way, 'gateway, masked')?.perSecond, bulk(way, 'gateway')?.perSecond)),
    ]),
    atMost('repeated statement under 1,000 rules, of 10', 1.1, ratio(rulesCost(sections, 1000), rulesCost(sections, 10))),
    atMost('KiB that an idle connection holds', 64, idleKib(sections)),
  ]
}

/** With one client, against the direct connection: the wait for one commit, and a tenth of a millisecond. */
function addedLatency({ select, store }: BenchSections): Goal {
  const one = (contender: string): number | undefined => find(select?.cases, /prepared, 1 /, contender)?.medianMs
  const commit = store?.find(({ store: kind, append, streams }) => kind === 'embedded' && append === 'statement' && streams === 1)?.p50Ms
  const [through, direct] = [one('gateway'), one('direct')]
  const added = through === undefined || direct === undefined ? undefined : through - direct
  const goal = 'prepared select, 1 client, added median in ms'
  if (commit === undefined) return { goal, wanted: 'at most one commit + 0.1', ...(added === undefined ? {} : { measured: round(added) }) }
  return atMost(goal, round(commit + 0.1), added)
}

function rulesCost({ rules }: BenchSections, count: number): number | undefined {
  return rules?.find((figures) => figures.rules === count)?.repeatedNs
}

/** The worse of what the system and what the runtime says: pages that were free already do not show in the first. */
function idleKib({ memory }: BenchSections): number | undefined {
  const used = memory?.results.filter(({ contender }) => contender === 'gateway').map(({ residentBytes, heapBytes }) => Math.max(residentBytes, heapBytes ?? 0) / KIB)
  return used === undefined || used.length === 0 ? undefined : Math.max(...used)
}

function find(cases: readonly Case[] | undefined, name: RegExp, contender: string): Result | undefined {
  return cases?.find((each) => name.test(each.name))?.results.find((result) => result.contender === contender)
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value / base
}

function atLeast(goal: string, wanted: number, measured: number | undefined): Goal {
  return { goal, wanted: `at least ${wanted}`, ...(measured === undefined ? {} : { measured: round(measured), reached: measured >= wanted }) }
}

function atMost(goal: string, wanted: number, measured: number | undefined): Goal {
  return { goal, wanted: `at most ${wanted}`, ...(measured === undefined ? {} : { measured: round(measured), reached: measured <= wanted }) }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
