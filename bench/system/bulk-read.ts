import type { Contender } from '../against/contender.ts'
import type { Target } from '../against/target.ts'
import { skip, startContenders, type BenchRun } from './bench-run.ts'
import { compare, roundName, WARM_UP, type Case, type Runner, type Sample } from './compare.ts'
import { RawClient } from './raw-client.ts'

export interface BulkRead {
  readonly rows: number
  /** Of one answer, as it comes over the wire from the target, by case. */
  readonly bytes: Readonly<Record<string, number>>
  readonly cases: readonly Case[]
}

const WAYS = {
  select: (table: string) => `SELECT * FROM public.${table}`,
  copy: (table: string) => `COPY (SELECT * FROM public.${table}) TO STDOUT`,
} as const

/** One statement that gives all rows of a table, to a client that only counts them. The gateway masks two text columns of `people` and none of `parcels`. */
export async function bulkRead(run: BenchRun, target: Target, rows: number): Promise<BulkRead> {
  await using contenders = await startContenders(run, target, ['direct', 'pgbouncer', 'haproxy', 'gateway'])
  const cases: Case[] = []
  const bytes: Record<string, number> = {}
  for (const [way, statement] of Object.entries(WAYS)) {
    const runners = contenders.all.map((contender) => runnerOf(run, contender, contender.name, statement('parcels'), rows))
    const gateway = contenders.gateways[0]
    if (gateway !== undefined && (await answers(run, gateway, statement('people')))) {
      runners.push(runnerOf(run, gateway, 'gateway, masked', statement('people'), rows))
    }
    const name = `${way}, ${rows} rows`
    bytes[name] = await bytesOf(target, statement('parcels'))
    cases.push(await compare(name, 'rows', runners, run.options.rounds, (runner) => runner.run(WARM_UP)))
  }
  return { rows, bytes, cases }
}

/** Every measurement has a connection of its own, made before the clock starts, and reads the whole table until its time is up. */
function runnerOf({ say, options }: BenchRun, { endpoint, pid }: Contender, label: string, statement: string, rows: number): Runner {
  const run = async (round: number): Promise<Sample> => {
    const client = await RawClient.connect(endpoint)
    try {
      const { reads, bytes, seconds } = await readFor(options.seconds, client, statement, rows)
      say(`  ${statement}, ${roundName(round)}, ${label}: ${Math.round(bytes / seconds / 1e6)} MB/s`)
      return { perSecond: (reads * rows) / seconds, count: reads * rows }
    } finally {
      await client.close()
    }
  }
  return { label, pid, run }
}

async function readFor(limitSeconds: number, client: RawClient, statement: string, rows: number): Promise<{ reads: number; bytes: number; seconds: number }> {
  const total = { reads: 0, bytes: 0, seconds: 0 }
  while (total.seconds < limitSeconds) {
    const read = await client.read(statement)
    if (read.rows !== rows) throw new Error(`"${statement}" gave ${read.rows} of ${rows} rows`)
    total.reads++
    total.bytes += read.bytes
    total.seconds += read.seconds
  }
  return total
}

/** What cannot be masked is refused; then there is nothing to measure, and that is said. */
async function answers({ skipped }: BenchRun, { endpoint }: Contender, statement: string): Promise<boolean> {
  const client = await RawClient.connect(endpoint)
  try {
    await client.read(`${statement.replace(/\) TO STDOUT$/, ' LIMIT 1) TO STDOUT')}${statement.startsWith('SELECT') ? ' LIMIT 1' : ''}`)
    return true
  } catch (error) {
    skip(skipped, `masked: ${statement}`, error instanceof Error ? error.message : String(error))
    return false
  } finally {
    await client.close()
  }
}

async function bytesOf({ endpoint }: Target, statement: string): Promise<number> {
  const client = await RawClient.connect(endpoint)
  try {
    return (await client.read(statement)).bytes
  } finally {
    await client.close()
  }
}
