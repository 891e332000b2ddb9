import { findProgram } from '../against/programs.ts'
import { startGateway, type GatewayContender } from '../against/gateway.ts'
import { startHaproxy } from '../against/haproxy.ts'
import { startPgbouncer } from '../against/pgbouncer.ts'
import type { Contender, ContenderName, Skipped } from '../against/contender.ts'
import type { Target } from '../against/target.ts'
import type { BenchOptions } from '../options.ts'

/** What every section works with. */
export interface BenchRun {
  readonly options: BenchOptions
  /** Temporary, on a real disk. */
  readonly folder: string
  /** Path of pgbench. */
  readonly pgbench: string | undefined
  readonly skipped: Skipped[]
  /** For who watches. */
  readonly say: (text: string) => void
}

export interface Contenders extends AsyncDisposable {
  readonly all: readonly Contender[]
  readonly gateways: readonly GatewayContender[]
}

const GATEWAYS: readonly ContenderName[] = ['gateway', 'gateway-relaxed']

/** Starts those of the names that are installed; what is not is said once. */
export async function startContenders({ folder, skipped }: BenchRun, target: Target, names: readonly ContenderName[]): Promise<Contenders> {
  const stack = new AsyncDisposableStack()
  const all: Contender[] = []
  const gateways: GatewayContender[] = []
  try {
    for (const name of names) {
      const contender = await start(name, folder, target)
      if (contender === undefined) skip(skipped, name, `${name} is not installed`)
      else all.push(stack.use(contender))
      if (contender !== undefined && GATEWAYS.includes(name)) gateways.push(contender as GatewayContender)
    }
  } catch (cause) {
    await stack.disposeAsync()
    throw cause
  }
  return { all, gateways, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function start(name: ContenderName, folder: string, { endpoint, verifier }: Target): Promise<Contender | undefined> {
  switch (name) {
    case 'direct':
      return { name, endpoint, pid: undefined, [Symbol.asyncDispose]: async () => {} }
    case 'gateway':
      return startGateway({ folder, target: endpoint, audit: 'write-ahead' })
    case 'gateway-relaxed':
      return startGateway({ folder, target: endpoint, audit: 'relaxed' })
    case 'haproxy':
      return whenInstalled('haproxy', (program) => startHaproxy({ program, target: endpoint }))
    case 'pgbouncer':
      return whenInstalled('pgbouncer', (program) => startPgbouncer({ program, target: endpoint, verifier }))
    default:
      return name satisfies never
  }
}

async function whenInstalled(name: string, begin: (program: string) => Promise<Contender>): Promise<Contender | undefined> {
  const program = findProgram(name)
  return program === undefined ? undefined : begin(program)
}

export function skip(skipped: Skipped[], what: string, why: string): void {
  if (!skipped.some((known) => known.what === what && known.why === why)) skipped.push({ what, why })
}
