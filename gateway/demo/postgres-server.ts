/** Real PostgreSQL servers for the demo and for tests: each starts its own, on its own port, and stops it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type PostgresBinaries, type PostgresMajor, claim, postgresBinaries, unprivilegedUser } from './postgres-binaries.ts'

export { postgresUnavailable } from './postgres-binaries.ts'
export type { PostgresMajor } from './postgres-binaries.ts'

export interface PostgresOptions {
  readonly major: PostgresMajor
  /** postgresql.conf settings. `fsync`, `synchronous_commit` and `full_page_writes` are off unless set here. */
  readonly settings?: Readonly<Record<string, string>>
  /** Lines of pg_hba.conf for connections over TCP; default: scram-sha-256 for everybody. The unix socket is always trusted. */
  readonly hba?: string
  /** PEM texts. `ca` makes the server accept client certificates that it signed. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
  readonly superuserPassword?: string
  /**
   * A folder of the caller's own to keep everything in; the server's user must be able to enter it. Nothing is then kept
   * between runs, and should this process be killed, the whole folder is deleted. Default: folders in the system's
   * temporary one, and a fresh data folder per major is kept there to copy from.
   */
  readonly within?: string
}

export interface PostgresServer {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly user: 'postgres'
  readonly password: string
  readonly major: PostgresMajor
  readonly dataDir: string
  /** Folder of the unix socket: connecting through it needs no password. */
  readonly socketDir: string
  /** What the server wrote to its log since it started. */
  log(): string
  /** Runs SQL as the superuser through the unix socket; rows of the last statement. */
  query(sql: string, database?: string): Promise<Record<string, unknown>[]>
  /** Ends it at once, as in a crash (SIGQUIT); the data stays for `restart`. */
  kill(): Promise<void>
  /** Starts it again on the same port with the same data, after `kill`. */
  restart(): Promise<void>
  /** Ends it and deletes its data. Idempotent. */
  stop(): Promise<void>
}

const SUPERUSER_PASSWORD = 'superuser secret'
const ENVIRONMENT = { ...process.env, LC_ALL: 'C', PGOPTIONS: '', TZ: 'UTC' }
const DEFAULT_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }
const DEFAULT_HBA = 'host all all 127.0.0.1/32 scram-sha-256'
/** A port that was free can be taken before the server binds it. */
const BIND_ATTEMPTS = 5

/** Boots a server of that major on a free port of 127.0.0.1; resolves when it accepts connections (about 0.2 s). */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { major, within } = options
  const owner = unprivilegedUser()
  const binaries = postgresBinaries(major, owner?.uid, within)
  const folder = ownedFolder(join(within ?? tmpdir(), 'sallyport-pg-'), owner)
  const dataDir = join(folder, 'data')
  if (within === undefined) execFileSync('cp', ['-Rp', initialisedTemplate(major, binaries, owner), dataDir])
  else runInitdb(major, binaries, folder, owner)
  writeConfiguration(dataDir, options, owner)
  const server = new Cluster(options, binaries, folder, owner)
  await server.boot()
  return server
}

interface Owner { readonly uid: number; readonly gid: number }

class Cluster implements PostgresServer {
  readonly host = '127.0.0.1'
  readonly user = 'postgres'
  readonly password: string
  readonly major: PostgresMajor
  readonly dataDir: string
  readonly socketDir: string
  port = 0
  #options: PostgresOptions
  #binaries: PostgresBinaries
  #owner: Owner | undefined
  #process: ChildProcess | undefined
  #watchdog: ChildProcess
  #log = ''

  constructor(options: PostgresOptions, binaries: PostgresBinaries, folder: string, owner: Owner | undefined) {
    this.#options = options
    this.#binaries = binaries
    this.#owner = owner
    this.password = options.superuserPassword ?? SUPERUSER_PASSWORD
    this.major = options.major
    this.socketDir = folder
    this.dataDir = join(folder, 'data')
    this.#watchdog = startWatchdog(options.within ?? folder)
  }

  async boot(): Promise<void> {
    try {
      for (let attempt = 1; ; attempt++) {
        this.port = await freePort()
        if (await this.#start()) break
        if (attempt === BIND_ATTEMPTS) throw new Error(`PostgreSQL ${this.major} did not start:\n${this.#log}`)
      }
      await this.#storePassword()
    } catch (cause) {
      await this.stop()
      throw cause
    }
  }

  log(): string {
    return this.#log
  }

  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: this.socketDir, port: this.port, user: this.user, password: this.password, database })
    await client.connect()
    try {
      const result = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[]
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
    } finally {
      await client.end()
    }
  }

  async kill(): Promise<void> {
    const running = this.#process
    if (running === undefined) return
    this.#process = undefined
    if (running.exitCode !== null || running.signalCode !== null) return
    const exit = once(running, 'exit')
    running.ref()
    running.kill('SIGQUIT')
    await exit
  }

  async restart(): Promise<void> {
    await this.kill()
    if (!(await this.#start())) throw new Error(`PostgreSQL ${this.major} did not start again:\n${this.#log}`)
  }

  async stop(): Promise<void> {
    await this.kill()
    this.#watchdog.kill('SIGKILL')
    rmSync(this.socketDir, { recursive: true, force: true })
  }

  /** False when it ended before it was ready. */
  async #start(): Promise<boolean> {
    const settings = { ...DEFAULT_SETTINGS, ...tlsSettings(this.#options), ...this.#options.settings }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const args = ['-D', this.dataDir, '-p', String(this.port), '-h', this.host, '-k', this.socketDir, ...options]
    const child = spawn(this.#binaries.postgres, args, { ...this.#owner, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    this.#process = child
    this.#log = ''
    const ready = this.#followLog(child)
    const started = await Promise.race([ready, once(child, 'exit').then(() => false)])
    if (started) this.#release(child)
    return started
  }

  #followLog(child: ChildProcess): Promise<boolean> {
    return new Promise((resolve) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-1_000_000)
        if (this.#log.includes('database system is ready to accept connections')) resolve(true)
      })
    })
  }

  /** A server that was forgotten must not keep its process from ending; the watchdog then ends the server. */
  #release(child: ChildProcess): void {
    if (child.pid !== undefined) this.#watchdog.stdin?.write(`${child.pid}\n`)
    child.unref()
    const log = child.stderr as unknown as { unref?(): void } | null
    log?.unref?.()
  }

  /** The template knows one password, hashed one way. */
  async #storePassword(): Promise<void> {
    const { superuserPassword, settings } = this.#options
    if (superuserPassword === undefined && settings?.['password_encryption'] === undefined) return
    await this.query(`ALTER ROLE postgres PASSWORD '${this.password.replaceAll("'", "''")}'`)
  }
}

/** A data folder fresh from initdb, made once per major and kept between runs. */
function initialisedTemplate(major: PostgresMajor, binaries: PostgresBinaries, owner: Owner | undefined): string {
  const uid = owner?.uid ?? process.getuid?.() ?? 0
  const template = join(tmpdir(), `sallyport-postgres-template-${versionOf(binaries)}-${uid}-v1`)
  if (existsSync(template)) {
    if (statSync(template).uid !== uid) throw new Error(`${template} belongs to somebody else`)
    return template
  }
  const draft = ownedFolder(join(tmpdir(), 'sallyport-initdb-'), owner)
  runInitdb(major, binaries, draft, owner)
  claim(join(draft, 'data'), template)
  rmSync(draft, { recursive: true, force: true })
  return template
}

function ownedFolder(prefix: string, owner: Owner | undefined): string {
  const folder = mkdtempSync(prefix)
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  return folder
}

/** Makes `folder`/data. */
function runInitdb(major: PostgresMajor, binaries: PostgresBinaries, folder: string, owner: Owner | undefined): void {
  const passwordFile = writeOwned(join(folder, 'password'), `${SUPERUSER_PASSWORD}\n`, owner)
  const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  args.push('-E', 'UTF8', '--no-locale', '--no-sync', '--wal-segsize=1')
  if (major >= 18) args.push('--no-data-checksums')
  execFileSync(binaries.initdb, args, { ...owner, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** `18.4` from `postgres (PostgreSQL) 18.4`. */
function versionOf(binaries: PostgresBinaries): string {
  const text = execFileSync(binaries.postgres, ['--version'], { encoding: 'utf8' })
  return /(\d+\.\d+)/.exec(text)?.[1] ?? 'unknown'
}

function writeConfiguration(dataDir: string, options: PostgresOptions, owner: Owner | undefined): void {
  const hba = `local all all trust\n${options.hba ?? DEFAULT_HBA}\n`
  writeOwned(join(dataDir, 'pg_hba.conf'), hba, owner)
  if (options.tls === undefined) return
  writeOwned(join(dataDir, 'server.crt'), options.tls.cert, owner)
  writeOwned(join(dataDir, 'server.key'), options.tls.key, owner)
  if (options.tls.ca !== undefined) writeOwned(join(dataDir, 'root.crt'), options.tls.ca, owner)
}

function tlsSettings({ tls }: PostgresOptions): Record<string, string> {
  if (tls === undefined) return {}
  return { ssl: 'on', ...(tls.ca === undefined ? {} : { ssl_ca_file: 'root.crt' }) }
}

function writeOwned(path: string, text: string, owner: Owner | undefined): string {
  writeFileSync(path, text, { mode: 0o600 })
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  return path
}

/**
 * Ends the server and deletes its folder when this process is gone, however it went: its standard input is a pipe that
 * only this process holds. Each line it reads is the id of the server process now in use.
 */
function startWatchdog(folder: string): ChildProcess {
  const script = 'while read -r next; do pid=$next; done; kill -QUIT "$pid" 2>/dev/null; sleep 0.3; rm -rf "$1"'
  const child = spawn('/bin/sh', ['-c', script, 'watchdog', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.unref()
  const input = child.stdin as unknown as { unref?(): void } | null
  input?.unref?.()
  child.stdin?.on('error', () => undefined)
  return child
}

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
