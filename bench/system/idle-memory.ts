import type { Contender } from '../against/contender.ts'
import type { GatewayContender } from '../against/gateway.ts'
import type { Target } from '../against/target.ts'
import { startContenders, type BenchRun } from './bench-run.ts'
import { residentBytes } from './cpu-time.ts'
import { RawClient } from './raw-client.ts'

export interface IdleMemory {
  readonly connections: number
  readonly results: readonly IdleMemoryResult[]
}

export interface IdleMemoryResult {
  readonly contender: string
  /** `logged in`: nothing was asked yet. `used`: each has run one statement. */
  readonly state: 'logged in' | 'used'
  /** Growth of resident memory, divided by the connections. */
  readonly residentBytes: number
  /** Growth of the heap and of buffers, divided by the connections; only for Node. */
  readonly heapBytes?: number
}

interface Use { readonly resident: number; readonly heap: number | undefined }

/** How many logins are under way at once. */
const CONCURRENT = 16
/** Opened and closed beforehand, so that what the first connections load for all of them is not counted. */
const REHEARSAL = 64
const STATEMENT = 'SELECT name FROM public.parcels WHERE id = 1'

/** What a connection that does nothing costs the process in between; the target's own backends are not counted. */
export async function idleMemory(run: BenchRun, target: Target): Promise<IdleMemory> {
  const connections = run.options.quick ? 100 : 1000
  const results: IdleMemoryResult[] = []
  for (const name of ['gateway', 'pgbouncer'] as const) {
    await using contenders = await startContenders(run, target, [name])
    const [contender] = contenders.all
    if (contender === undefined) continue
    results.push(...(await measure(contender, contenders.gateways[0], connections)))
    for (const { state, residentBytes: bytes } of results.slice(-2)) run.say(`  ${name}, ${state}: ${Math.round(bytes / 1024)} KiB`)
  }
  return { connections, results }
}

async function measure({ name, endpoint, pid }: Contender, gateway: GatewayContender | undefined, connections: number): Promise<IdleMemoryResult[]> {
  const use = (): Promise<Use> => useOf(pid, gateway)
  const connect = (): Promise<RawClient> => RawClient.connect(endpoint)
  const rehearsal = await many(REHEARSAL, connect)
  for (const client of rehearsal) await client.read(STATEMENT)
  await closeAll(rehearsal)
  const before = await use()
  const clients = await many(connections, connect)
  const loggedIn = await use()
  for (const client of clients) await client.read(STATEMENT)
  const used = await use()
  await closeAll(clients)
  const each = (state: IdleMemoryResult['state'], now: Use): IdleMemoryResult => ({
    contender: name, state, residentBytes: Math.round((now.resident - before.resident) / connections),
    ...(now.heap === undefined || before.heap === undefined ? {} : { heapBytes: Math.round((now.heap - before.heap) / connections) }),
  })
  return [each('logged in', loggedIn), each('used', used)]
}

async function closeAll(clients: readonly RawClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
}

async function useOf(pid: number | undefined, gateway: GatewayContender | undefined): Promise<Use> {
  if (gateway === undefined) return { resident: residentBytes(pid) ?? Number.NaN, heap: undefined }
  const { rss, heapUsed, external } = await gateway.memory()
  return { resident: rss, heap: heapUsed + external }
}

async function many<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  let started = 0
  const worker = async (): Promise<void> => {
    while (started < count) {
      started++
      made.push(await make())
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, worker))
  return made
}
