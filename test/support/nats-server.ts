/** Real nats-server processes for tests: each test starts its own, on its own port, and stops it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Debian puts it into sbin, which is not on everybody's PATH. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin']
const LISTENING = /Listening for client connections on 127\.0\.0\.1:(\d+)/
const READY = 'Server is ready'
const START_TIMEOUT_MS = 10_000

/** Why no server can be started, or `undefined`; for the `skip` of a test. */
export function natsUnavailable(): string | undefined {
  return binary() === undefined ? 'nats-server is not installed (Debian package nats-server)' : undefined
}

export interface NatsServer {
  readonly port: number
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Ends it at once, as in a crash (SIGKILL). */
  kill(): Promise<void>
  /** Stops the process without ending it: connections stay open and nothing is answered any more. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same port, after `kill`. */
  restart(): Promise<void>
  /** Ends it and deletes its files. Idempotent. */
  stop(): Promise<void>
}

/** Boots a server on a free port of 127.0.0.1 (about 20 ms). `config` is in nats-server's own language. */
export async function startNats(config = ''): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-nats-'))
  const file = join(folder, 'nats.conf')
  writeFileSync(file, config)
  let { child, port } = await launch(file, -1)
  const kill = (): Promise<void> => end(child)
  return {
    port,
    address: `127.0.0.1:${port}`,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    restart: async () => void ({ child, port } = await launch(file, port)),
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launch(file: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(binary() ?? 'nats-server', ['-a', '127.0.0.1', '-p', String(port), '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const log = await started(child)
  return { child, port: Number(LISTENING.exec(log)?.[1]) }
}

/** Its log up to the line that says it is ready. */
async function started(child: ChildProcess): Promise<string> {
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  let log = ''
  try {
    for await (const chunk of child.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
      log += String(chunk)
      if (log.includes(READY)) break
    }
  } finally {
    clearTimeout(timer)
  }
  if (!log.includes(READY)) throw new Error(`nats-server did not start:\n${log}`)
  child.stderr?.resume()
  return log
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

function binary(): string | undefined {
  return FOLDERS.map((folder) => join(folder, 'nats-server')).find(existsSync)
}
