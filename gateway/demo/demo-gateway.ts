/** The shop and the gateway in front of it, in one temporary folder. */
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createVerifier } from '../../adapters/postgresql/auth/scram-verifier.ts'
import { mintToken } from '../api/index.ts'
import { loadConfig, renderProblems } from '../config/index.ts'
import { createLog } from '../log.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { startGateway } from '../serve.ts'
import { traversable } from './postgres-binaries.ts'
import { startPostgres, type PostgresServer } from './postgres-server.ts'
import type { Login } from './shop-client.ts'
import { SHOP_SQL } from './shop.ts'

/** The path of a unix socket in there has to fit in 103 bytes (macOS; Linux: 107). */
const MAX_BASE_BYTES = 64

export interface Demo {
  readonly config: string
  readonly ruleset: { readonly rules: number }
  /** Ada, an engineer, and the agent that acts for her: how each connects to the gateway. */
  readonly ada: Login
  readonly bot: Login
  /** Files with API tokens: hers, and that of Grace, who reviews. */
  readonly tokenFiles: { readonly ada: string; readonly grace: string }
  /** The real server behind: asked past the gateway to see what is true. */
  readonly shop: Pick<PostgresServer, 'query' | 'port'>
}

/**
 * Starts everything; `cleanup` stops it and deletes what it made, also after a start that failed.
 * `rules` is a folder to use as it is; default: the sample rules, with the demo's own laid over them.
 */
export async function startDemo(cleanup: AsyncDisposableStack, rules: string | undefined): Promise<Demo> {
  const folder = temporaryFolder()
  cleanup.defer(() => { rmSync(folder, { recursive: true, force: true }) })
  const password = secret()
  const server = await startShop(folder, password)
  cleanup.defer(() => server.stop())
  const files = await writeFiles(join(folder, 'gateway'), { port: server.port, password, rules })
  const gateway = await start(files.config)
  cleanup.defer(() => gateway.stop('the demo ended'))
  const [listener] = gateway.listeners
  const login = { host: '127.0.0.1', port: listener?.port ?? 0, database: 'shop' }
  return {
    config: files.config, ruleset: gateway.ruleset, tokenFiles: files.tokenFiles, shop: server,
    ada: { ...login, user: 'ada', password: files.passwords.ada }, bot: { ...login, user: 'bot', password: files.passwords.bot },
  }
}

/** Others may pass through, for PostgreSQL runs as somebody else when this process is root; what is theirs not to read is closed below. */
function temporaryFolder(): string {
  const fits = Buffer.byteLength(tmpdir()) <= MAX_BASE_BYTES && (process.getuid?.() !== 0 || traversable(tmpdir()))
  const base = fits ? tmpdir() : '/tmp'
  const folder = mkdtempSync(join(base, 'sallyport-demo-'))
  chmodSync(folder, 0o711)
  return folder
}

async function startShop(folder: string, password: string): Promise<PostgresServer> {
  const server = await startPostgres({ major: 18, within: folder, superuserPassword: secret(), settings: { max_connections: '50' } })
  try {
    await server.query(`create role shop_app login password '${password}'`)
    await server.query('create database shop owner shop_app')
    // Its tables belong to the role that the gateway logs in with: only the rules stand before a DROP.
    await server.query(`set role shop_app; ${SHOP_SQL}`, 'shop')
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

interface FilesOptions { readonly port: number; readonly password: string; readonly rules: string | undefined }
interface Files {
  readonly config: string
  readonly tokenFiles: { readonly ada: string; readonly grace: string }
  readonly passwords: { readonly ada: string; readonly bot: string }
}

async function writeFiles(folder: string, { port, password, rules }: FilesOptions): Promise<Files> {
  mkdirSync(folder, { mode: 0o700 })
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  write('shop.password', password)
  const passwords = { ada: secret(), bot: secret() }
  const [ada, grace] = [mintToken(), mintToken()]
  const config = write('sallyport.yaml', `# Written by the demo; \`sallyport init\` writes one for a database of your own.
targets:
  shop:
    protocol: postgresql
    host: 127.0.0.1
    port: ${port}
    database: shop
    user: shop_app
    password: "\${file:shop.password}"
    tls: { mode: disable }                # it runs on this machine
    labels: { environment: demo }
    classes:
      public.people.born: pii.birth-date
listeners:
  - protocol: postgresql
    listen: 127.0.0.1:0
people:
  ada:
    groups: [engineers, reviewers]
    postgresql: { verifier: "${await createVerifier(passwords.ada)}" }
    api: { token: "${ada.digest}" }
  bot:
    kind: agent
    acts-for: ada
    postgresql: { verifier: "${await createVerifier(passwords.bot)}" }
  grace:
    groups: [reviewers]
    api: { token: "${grace.digest}" }
rules: { folder: ${JSON.stringify(rules === undefined ? sampleRules(folder) : resolve(rules))} }
approvals: { approvers: [group:reviewers], timeout: 10m }
`)
  return { config, passwords, tokenFiles: { ada: write('ada.token', ada.token), grace: write('grace.token', grace.token) } }
}

/** The sample rules, and over them what the demo says otherwise. */
function sampleRules(folder: string): string {
  const rules = join(folder, 'rules')
  for (const from of [new URL('rules/', PACKAGE_ROOT), new URL('rules/', import.meta.url)]) cpSync(fileURLToPath(from), rules, { recursive: true })
  return './rules'
}

/** The same way as `sallyport serve`. */
async function start(path: string): ReturnType<typeof startGateway> {
  const loaded = await loadConfig(path)
  if (loaded.problems !== undefined) throw new Error(renderProblems(path, loaded.problems))
  return startGateway(loaded.config, { log: createLog({ level: 'error' }) })
}

/** 96 random bits, safe in SQL, YAML and a shell. */
function secret(): string {
  return randomBytes(12).toString('hex')
}
