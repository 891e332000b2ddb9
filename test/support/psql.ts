import { spawn } from 'node:child_process'
import { runnable } from './postgres-binaries.ts'

const PSQL = '/usr/bin/psql'

export interface PsqlOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password?: string
  readonly database: string
  readonly args?: readonly string[]
  /** Given to standard input, which is then closed. */
  readonly input?: string
  /** More environment: `PGSSLMODE`, `PGCHANNELBINDING`, … */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface PsqlResult {
  readonly stdout: string
  readonly stderr: string
  /** Exit status; -1 when a signal ended it. */
  readonly code: number
}

/** Why psql cannot be run here, or `undefined`. */
export function psqlUnavailable(): string | undefined {
  return runnable(PSQL) ? undefined : `no psql at ${PSQL}`
}

/** Runs the real psql without its start-up file, with its own environment only (no PG* of ours leaks in). */
export async function runPsql(options: PsqlOptions): Promise<PsqlResult> {
  const child = spawn(PSQL, ['-X', ...(options.args ?? [])], { env: environment(options), stdio: 'pipe', signal: options.signal })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve(status ?? -1))
  })
  return { stdout: stdout.join(''), stderr: stderr.join(''), code }
}

function environment(options: PsqlOptions): Record<string, string> {
  const own = Object.entries(process.env).filter(([name, value]) => !name.startsWith('PG') && value !== undefined)
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    LC_ALL: 'C.UTF-8',
    PGHOST: options.host,
    PGPORT: String(options.port),
    PGUSER: options.user,
    PGDATABASE: options.database,
    PGPASSFILE: '/dev/null',
    PGCONNECT_TIMEOUT: '20',
    ...(options.password === undefined ? {} : { PGPASSWORD: options.password }),
    ...options.env,
  }
}

function collect(stream: NodeJS.ReadableStream): string[] {
  const parts: string[] = []
  stream.setEncoding('utf8').on('data', (text: string) => parts.push(text))
  return parts
}
