import { CONTENDERS, type Contender } from '../against/contender.ts'
import type { Target } from '../against/target.ts'
import { skip, startContenders, type BenchRun } from './bench-run.ts'
import { compare, roundName, runnersOf, WARM_UP, type Case, type Runner, type Sample } from './compare.ts'
import { runPgbench, type PgbenchRun } from './pgbench.ts'

export interface Transactions {
  readonly cases: readonly Case[]
  /** What each gateway kept, and for how many transactions (those that warmed it up included). */
  readonly recorded: readonly { readonly contender: string; readonly storeBytes: number; readonly transactions: number }[]
}

type Workload = Pick<PgbenchRun, 'script' | 'protocol' | 'clients' | 'reconnect'>

/**
 * A store that grew by less has not recorded what went through. Four events of a repeated statement, packed with
 * hundreds like them, take about 140 bytes; their ids and times alone do not go into less than this.
 */
const MIN_BYTES_PER_TRANSACTION = 60

/** One row by its key: nearly nothing to do for the target, so what stands before it shows most. */
export function selectOnly(run: BenchRun, target: Target): Promise<Transactions | undefined> {
  const prepared = (run.options.quick ? [1, 8] : [1, 8, 32, 128]).map((clients) => ({ script: 'select-only', protocol: 'prepared', clients }) as const)
  const simple = (run.options.quick ? [] : [1, 8, 32]).map((clients) => ({ script: 'select-only', protocol: 'simple', clients }) as const)
  return measureAll(run, target, 'select', [...prepared, ...simple])
}

/** Seven statements in a transaction, five of which write: more to record, and more for the target to do. */
export function tpcb(run: BenchRun, target: Target): Promise<Transactions | undefined> {
  const workloads = (run.options.quick ? [8] : [1, 8, 32]).flatMap((clients) =>
    (run.options.quick ? (['prepared'] as const) : (['prepared', 'simple'] as const)).map((protocol) => ({ script: 'tpcb-like', protocol, clients }) as const))
  return measureAll(run, target, 'tpcb', workloads)
}

/** A connection for each transaction: SCRAM with the client, and (but for PgBouncer, which keeps its connections) with the target. */
export function newConnections(run: BenchRun, target: Target): Promise<Transactions | undefined> {
  const workloads = (run.options.quick ? [8] : [1, 8, 32]).map((clients) => ({ script: 'select-only', protocol: 'simple', clients, reconnect: true }) as const)
  return measureAll(run, target, 'connect', workloads)
}

async function measureAll(run: BenchRun, target: Target, section: string, workloads: readonly Workload[]): Promise<Transactions | undefined> {
  const { pgbench: program, options } = run
  if (program === undefined) {
    skip(run.skipped, section, 'pgbench is not installed (Debian: postgresql-contrib or postgresql-15)')
    return undefined
  }
  await using contenders = await startContenders(run, target, CONTENDERS)
  const counts = new Map<string, number>()
  const cases: Case[] = []
  for (const workload of workloads) {
    const measure = async ({ name, endpoint }: Contender, round: number): Promise<Sample> => {
      if (workload.script === 'tpcb-like') await tidy(target)
      const logFolder = workload.clients === 1 && workload.reconnect !== true ? { logFolder: run.folder } : {}
      const sample = await runPgbench({ program, endpoint, seconds: options.seconds, seed: round + 2, ...workload, ...logFolder }).catch((cause: unknown) => {
        throw new Error(`${section}, ${name}, ${roundName(round)}: no figure`, { cause })
      })
      counts.set(name, (counts.get(name) ?? 0) + sample.count)
      run.say(`  ${nameOf(workload)}, ${roundName(round)}, ${name}: ${Math.round(sample.perSecond)}/s`)
      return sample
    }
    cases.push(await compare(nameOf(workload), workload.reconnect === true ? 'connections' : 'transactions', runnersOf(contenders.all, measure), options.rounds, warmUp(options.quick)))
  }
  return { cases, recorded: contenders.gateways.map(({ name, storeBytes }) => recordedBy(name, storeBytes(), counts.get(name) ?? 0)) }
}

/** A compiler that works while it runs needs a round to find out what is hot. When it must be quick, the others go without. */
function warmUp(quick: boolean): (runner: Runner) => Promise<unknown> {
  return async (runner) => (quick && !runner.label.startsWith('gateway') ? undefined : runner.run(WARM_UP))
}

/** What pgbench would do itself before a run, but over the way that is being measured. */
async function tidy(target: Target): Promise<void> {
  await target.query('TRUNCATE pgbench_history')
  await target.query('VACUUM pgbench_branches, pgbench_tellers')
}

function nameOf({ script, protocol, clients, reconnect }: Workload): string {
  const what = reconnect === true ? 'new connections' : `${script} ${protocol}`
  return `${what}, ${clients} ${clients === 1 ? 'client' : 'clients'}`
}

function recordedBy(contender: string, storeBytes: number, transactions: number): Transactions['recorded'][number] {
  if (storeBytes < transactions * MIN_BYTES_PER_TRANSACTION) throw new Error(`${contender} recorded ${storeBytes} bytes for ${transactions} transactions: it cannot have recorded them all`)
  return { contender, storeBytes, transactions }
}
