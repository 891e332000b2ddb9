import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { unprivilegedUser } from '../../test/support/postgres-binaries.ts'
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
  /** The configuration; it is written to a file that only the program's user may read. */
  readonly files: (port: number) => Readonly<Record<string, string>>
  /** The program starts in the folder where its files are. */
  readonly args: readonly string[]
}

/** Starts a server on a free port of 127.0.0.1, not as root; resolves when it takes connections. */
export async function startChild({ program, files, args }: ChildOptions): Promise<Child> {
  const owner = unprivilegedUser()
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    writeOwned(folder, files(port), owner)
    const child = spawn(program, args, { ...owner, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = keepLog(child)
    const guard = guardOf(child, folder)
    const stop = async (): Promise<void> => {
      await end(child)
      guard.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    if (child.pid !== undefined && (await listening(child, port))) return { pid: child.pid, port, stop }
    await stop()
    if (attempt === BIND_ATTEMPTS) throw new Error(`${program} did not start:\n${log()}`)
  }
}

function writeOwned(folder: string, files: Readonly<Record<string, string>>, owner: { uid: number; gid: number } | undefined): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  if (owner === undefined) return
  for (const path of [folder, ...Object.keys(files).map((name) => join(folder, name))]) chownSync(path, owner.uid, owner.gid)
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

/** Ends the program and deletes its folder when this process is gone, however it went: its standard input is a pipe that only this process holds. */
function guardOf(child: ChildProcess, folder: string): ChildProcess {
  const script = 'read -r _; kill "$1" 2>/dev/null; rm -rf "$2"'
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(child.pid), folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
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
