import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Endpoint } from '../against/contender.ts'
import type { Sample } from './compare.ts'
import { median } from './statistics.ts'

export interface PgbenchRun {
  readonly program: string
  readonly endpoint: Endpoint
  readonly script: 'select-only' | 'tpcb-like'
  readonly protocol: 'simple' | 'extended' | 'prepared'
  readonly clients: number
  readonly seconds: number
  /** A new connection for each transaction. */
  readonly reconnect?: boolean
  /** Rounds with the same seed ask for the same rows. */
  readonly seed: number
  /** Where to keep the log of transactions of which the median is taken; without it there is no median. */
  readonly logFolder?: string
}

/** pgbench's own threads: more than the machine has cores for would only wait for each other. */
const MAX_THREADS = 2
/** pgbench's clock starts before its clients connect (though the rate is without that), so many clients get a second more for so many. */
const CLIENTS_CONNECTED_PER_SECOND = 32
/** Of the transactions, logged; enough for a median, and the writing disturbs little. */
const SAMPLING_RATE = 0.2

/** Runs pgbench once. Rejects when a transaction fails, for a run that errs measures errors. */
export async function runPgbench(run: PgbenchRun): Promise<Sample> {
  const logs = run.logFolder === undefined ? undefined : mkdtempSync(join(run.logFolder, 'pgbench-'))
  try {
    const { stdout } = await promisify(execFile)(run.program, argumentsOf(run, logs), { env: environment(run.endpoint) })
    return { ...parseReport(stdout), ...(logs === undefined ? {} : { medianMs: medianOfLogs(logs) }) }
  } catch (cause) {
    throw new Error(`pgbench ${run.script} ${run.protocol}, ${run.clients} clients, port ${run.endpoint.port}: ${(cause as Error).message}`, { cause })
  } finally {
    if (logs !== undefined) rmSync(logs, { recursive: true, force: true })
  }
}

function argumentsOf(run: PgbenchRun, logs: string | undefined): string[] {
  const { host, port, user, database } = run.endpoint
  return [
    '-n', '-b', run.script, '-M', run.protocol, '-c', String(run.clients), '-j', String(Math.min(run.clients, MAX_THREADS)), '-T', String(run.seconds + Math.floor(run.clients / CLIENTS_CONNECTED_PER_SECOND)),
    `--random-seed=${run.seed}`, ...(run.reconnect === true ? ['-C'] : []),
    ...(logs === undefined ? [] : ['-l', `--log-prefix=${join(logs, 'log')}`, `--sampling-rate=${SAMPLING_RATE}`]),
    '-h', host, '-p', String(port), '-U', user, database,
  ]
}

/** No TLS anywhere, and no round trip to ask for it. */
function environment({ password }: Endpoint): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))
  return { ...Object.fromEntries(own), LC_ALL: 'C', PGPASSWORD: password, PGSSLMODE: 'disable', PGGSSENCMODE: 'disable', PGPASSFILE: '/dev/null' }
}

/** What pgbench prints at the end. */
export function parseReport(report: string): Sample {
  const failed = /^number of failed transactions: (\d+)/m.exec(report)?.[1] ?? '0'
  if (failed !== '0') throw new Error(`${failed} transactions failed:\n${report}`)
  const count = numberIn(report, /^number of transactions actually processed: (\d+)/m)
  if (count === 0) throw new Error(`no transaction was made:\n${report}`)
  return { count, perSecond: numberIn(report, /^tps = ([\d.]+)/m), latencyMs: numberIn(report, /^latency average = ([\d.]+) ms/m) }
}

function numberIn(report: string, pattern: RegExp): number {
  const value = Number(pattern.exec(report)?.[1])
  if (Number.isNaN(value)) throw new Error(`pgbench printed something else than expected:\n${report}`)
  return value
}

/** Log lines are `client_id transaction_no time …`, time in µs. */
function medianOfLogs(folder: string): number {
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  return median(lines.filter((line) => line !== '').map((line) => Number(line.split(' ')[2]))) / 1000
}
