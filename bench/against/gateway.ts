import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { createVerifier } from '../../adapters/postgresql/auth/scram-verifier.ts'
import { end } from './child.ts'
import type { Contender, Endpoint } from './contender.ts'
import { proveGuarding } from './prove-guarding.ts'
import type { MemoryUse } from './report-memory.ts'

const MAIN = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
const REPORT_MEMORY = new URL('./report-memory.ts', import.meta.url).href
export const RULES = fileURLToPath(new URL('../rules', import.meta.url))
const MAX_SESSIONS = 10_000

export interface GatewayOptions {
  /** Configuration and event store are made here, and deleted at the end; on a real disk, or durability costs nothing. */
  readonly folder: string
  readonly target: Endpoint
  readonly audit: 'write-ahead' | 'relaxed'
}

export interface GatewayContender extends Contender {
  readonly pid: number
  /** Rules in force, as the gateway itself said. */
  readonly rules: number
  /** Its memory after a collection. */
  readonly memory: () => Promise<MemoryUse>
  /** Size of the event store. */
  readonly storeBytes: () => number
}

/**
 * The command a user would start (`sallyport serve`), as a process of its own, with ten rules in force. Proves that they
 * are before it lets itself be measured.
 */
export async function startGateway({ folder, target, audit }: GatewayOptions): Promise<GatewayContender> {
  const own = join(folder, `gateway-${audit}`)
  mkdirSync(own)
  const config = join(own, 'sallyport.yaml')
  writeFileSync(config, stringify(await configuration(own, target, audit)))
  const child = serve(config, target)
  const stop = async (): Promise<void> => {
    await end(child)
    rmSync(own, { recursive: true, force: true })
  }
  try {
    const { listeners, ruleset, pid } = await started(child)
    const port = listeners[0]?.port ?? 0
    const endpoint = { ...target, port }
    await proveGuarding(endpoint, target)
    const name = audit === 'relaxed' ? 'gateway-relaxed' : 'gateway'
    return { name, endpoint, pid, rules: ruleset.rules, memory: () => memoryOf(child), storeBytes: () => sizeOf(join(own, 'store')), [Symbol.asyncDispose]: stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function configuration(folder: string, target: Endpoint, audit: string): Promise<object> {
  const { host, port, database, user, password } = target
  return {
    gateway: { name: `bench-${audit}` },
    store: { embedded: { path: join(folder, 'store', 'events.db') } },
    projections: { path: join(folder, 'projections.db') },
    api: { listen: '127.0.0.1:0' },
    audit,
    rules: { folder: RULES, default: 'block', watch: false },
    approvals: { approvers: ['group:reviewers'] },
    limits: { sessions: MAX_SESSIONS, 'sessions-per-person': MAX_SESSIONS },
    targets: { bench: { protocol: 'postgresql', host, port, database, user, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' } } },
    listeners: [{ protocol: 'postgresql', listen: '127.0.0.1:0', target: 'bench' }],
    people: { [user]: { groups: ['engineers'], postgresql: { verifier: await createVerifier(password) } }, grace: { groups: ['reviewers'] } },
  }
}

function serve(config: string, { password }: Endpoint): ChildProcess {
  const args = ['--expose-gc', '--import', REPORT_MEMORY, MAIN, 'serve', '--config', config, '--json', '--log-level', 'error']
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, BENCH_PASSWORD: password } })
}

interface Banner {
  readonly listeners: readonly { readonly port: number }[]
  readonly ruleset: { readonly rules: number }
  readonly pid: number
}

/** The first line that `serve --json` prints. */
async function started(child: ChildProcess): Promise<Banner> {
  if (child.stdout === null) throw new Error('the gateway has no standard output')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line'), once(child, 'exit').then(([code]) => { throw new Error(`the gateway ended with ${String(code)} before it was ready`) })])
  return JSON.parse(String(line[0])) as Banner
}

async function memoryOf(child: ChildProcess): Promise<MemoryUse> {
  const answer = once(child, 'message')
  child.send('memory')
  return (await answer)[0] as MemoryUse
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
