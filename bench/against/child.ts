import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../test/support/postgres-server.ts'

const READY_MS = 10_000
const RETRY_MS = 20
const STOP_MS = 5_000
/** A port that was free can be taken before the program binds it. */
const BIND_ATTEMPTS = 5

export interface Child {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
}

export interface ChildOptions {
  readonly program: string
  /** Writes the configuration for a port and says with which arguments to start. */
  readonly prepare: (port: number) => readonly string[]
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

/** Starts a server on a free port of 127.0.0.1; resolves when it takes connections. */
export async function startChild(options: ChildOptions): Promise<Child> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const child = spawn(options.program, options.prepare(port), { ...options.owner, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = keepLog(child)
    const guard = guardOf(child)
    const stop = async (): Promise<void> => {
      await end(child)
      guard.kill('SIGKILL')
    }
    if (child.pid !== undefined && (await listening(child, port))) return { pid: child.pid, port, stop }
    await stop()
    if (attempt === BIND_ATTEMPTS) throw new Error(`${options.program} did not start:\n${log()}`)
  }
}

/** Asks a process to end; makes it end when it takes too long. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exit
  clearTimeout(timer)
}

function keepLog(child: ChildProcess): () => string {
  let text = ''
  const add = (more: string): void => { text = (text + more).slice(-10_000) }
  child.on('error', (error) => add(error.message))
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', add)
  return () => text
}

/** Ends the program when this process is gone, however it went: its standard input is a pipe that only this process holds. */
function guardOf(child: ChildProcess): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill "$1" 2>/dev/null', 'guard', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guard.unref()
  return guard
}

async function listening(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = performance.now() + READY_MS
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await accepts(port)) return true
    await delay(RETRY_MS)
  }
  return false
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
