import { createPostgresAdapter } from '../../adapters/postgresql/adapter.ts'
import { parseVerifier } from '../../adapters/postgresql/auth/scram-verifier.ts'
import type { UpstreamTls } from '../../adapters/postgresql/auth/connect-upstream.ts'
import type { PreviewLimits } from '../../adapters/postgresql/impact/preview.ts'
import { analyse } from '../../adapters/postgresql/sql/analyse.ts'
import { SQL_FACTS } from '../../adapters/postgresql/sql/facts-declaration.ts'
import { loadSqlParser } from '../../adapters/postgresql/sql/load.ts'
import type { PostgresTarget } from '../../adapters/postgresql/target.ts'
import type { OwnPattern } from '../../adapters/shared/detection/index.ts'
import { createServerTls, type ServerTls } from '../../adapters/shared/tls.ts'
import { SallyportError, type Command, type Listener } from '../../core/index.ts'
import type { FolderRuleEngine } from '../../core/rules/index.ts'
import type { RecordingRenderer } from '../../projections/index.ts'
import { configDirectory } from '../config-directory.ts'
import type { Config, ListenerConfig, PathProblem, Person, TargetConfig } from '../config/index.ts'
import { plainText, type Secrets } from '../secrets.ts'
import type { AdapterParts, Protocol } from './protocol.ts'

export const postgresql: Protocol = {
  id: 'postgresql',
  facts: SQL_FACTS,
  renderers: { 'postgresql/backend': loadRenderer },
  async analyser() {
    await loadSqlParser()
    return commandOf
  },
  async create(parts) {
    const { config, gate, accessLog, copies, directory, engine, key, log } = parts
    const adapter = await createPostgresAdapter({
      gate, accessLog, copies, directory, key, patterns: ownPatterns(config), targets: await targetsOf(parts), needsNames: needsNames(engine, config.approvals.impact.enabled), preview: previewOf(config), limits: limitsOf(config),
      log: (level, message, about) => { log[level]({ protocol: 'postgresql', ...about }, message) },
    })
    return { adapter, listen: () => listenAll(config, parts.secrets, adapter) }
  },
  async check({ targets, listeners, people }, secrets) {
    const found = await Promise.all([
      ...Object.entries(targets).map(([name, target]) => problemOf(['targets', name], () => targetOf(name, target, secrets))),
      ...listeners.map((listener, index) => problemOf(['listeners', index], () => tlsOf(listener, secrets))),
      ...Object.entries(people).map(([name, person]) => problemOf(['people', name], () => checkVerifier(name, person, secrets))),
    ])
    return found.flat()
  },
}

async function loadRenderer(): Promise<RecordingRenderer> {
  const { renderRecording } = await import('../../adapters/postgresql/transcript.ts')
  return (recording, { command }) => renderRecording(recording, { text: command.text })
}

function commandOf(text: string, { values }: { readonly values: readonly (string | null)[] }): Command {
  const { action, actions, resources, fidelity, opaque, sql } = analyse(text, { resolver: undefined, searchPath: undefined })
  return {
    protocol: 'postgresql', action, actions: [...actions], phase: 'execute', text, values: [...values], valuesComplete: true,
    resources: [...resources], fidelity, opaque, facts: { sql },
  }
}

export function ownPatterns({ detection }: Config): OwnPattern[] {
  return Object.entries(detection.patterns).map(([name, { pattern, confidence, literal, context }]) => ({ name, pattern, confidence, literal, context }))
}

function limitsOf({ limits, recording }: Config): { sessions: number; sessionsPerPerson: number; loginTimeoutMs: number; statementBytes: number; recordingBytes: number } {
  const { sessions, sessionsPerPerson, loginTimeout, statementBytes } = limits
  return { sessions, sessionsPerPerson, loginTimeoutMs: loginTimeout, statementBytes, recordingBytes: recording.bytesPerCommand }
}

function previewOf({ approvals: { impact } }: Config): PreviewLimits | undefined {
  const { enabled, maxCost, timeout: timeoutMs, sampleRows } = impact
  return enabled ? { maxCost, timeoutMs, sampleRows } : undefined
}

async function listenAll(config: Config, secrets: Secrets, adapter: Awaited<ReturnType<typeof createPostgresAdapter>>): Promise<Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const listener of config.listeners) {
      const { listen: { host, port }, target } = listener
      listeners.push(await adapter.listen({ host, port, target, tls: await tlsOf(listener, secrets), tlsRequired: listener.tls?.required ?? false }).catch((cause: unknown) => {
        throw new SallyportError('CONFIG_INVALID', `cannot listen on ${host}:${port} (${cause instanceof Error ? cause.message : String(cause)})`, { cause })
      }))
    }
    return listeners
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()))
    throw error
  }
}

async function tlsOf({ tls }: ListenerConfig, secrets: Secrets): Promise<ServerTls | undefined> {
  if (tls === undefined) return undefined
  return createServerTls({ cert: await plainText(secrets, tls.cert), key: await plainText(secrets, tls.key), alpn: ['postgresql'] })
}

function targetsOf({ config, secrets }: Pick<AdapterParts, 'config' | 'secrets'>): Promise<PostgresTarget[]> {
  return Promise.all(Object.entries(config.targets).map(([name, target]) => targetOf(name, target, secrets)))
}

/** A target with its secrets. Rejects with `CONFIG_INVALID` when one is not there. */
export async function targetOf(name: string, target: TargetConfig, secrets: Secrets): Promise<PostgresTarget> {
  const { host, port, database, databases, user, labels, classes, maskKeyRotation, fastpath, replication, connectTimeout } = target
  return {
    name, host, port, database, databases, user, labels, classes, fastpath, replication, connectTimeoutMs: connectTimeout,
    maskKey: await maskKeyOf(target, secrets), maskKeyRotationMs: maskKeyRotation,
    password: target.password === undefined ? undefined : await secrets(target.password),
    tls: await upstreamTls(target.tls, secrets),
  }
}

const MIN_KEY_CHARACTERS = 32

async function maskKeyOf({ maskKey }: TargetConfig, secrets: Secrets): Promise<PostgresTarget['maskKey']> {
  if (maskKey === undefined) return undefined
  const secret = await secrets(maskKey)
  if (secret.reveal().trim().length >= MIN_KEY_CHARACTERS) return secret
  throw new SallyportError('CONFIG_INVALID', `mask-key: a key needs at least ${MIN_KEY_CHARACTERS} characters; write what \`openssl rand -hex 32\` prints`)
}

/** Without a word about TLS, the strictest: an unverified target could be anybody. */
async function upstreamTls(tls: TargetConfig['tls'], secrets: Secrets): Promise<UpstreamTls> {
  if (tls === undefined) return { mode: 'verify-full' }
  const { mode, ca, cert, key, serverName } = tls
  return {
    mode,
    ...(ca === undefined ? {} : { ca: await plainText(secrets, ca) }),
    ...(cert === undefined ? {} : { cert: await plainText(secrets, cert) }),
    ...(key === undefined ? {} : { key: await secrets(key) }),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

const NAMES = ['command.resources', 'command.sql.tables', 'command.sql.reads', 'command.sql.writes', 'command.sql.columns', 'command.sql.functions']

/** Whether names must be resolved: a rule reads them, may mask or hold (then it is found out what would change), or writes an effect that only running it would tell. Asked per statement, worked out per ruleset. */
function needsNames(engine: FolderRuleEngine, previews: boolean): () => boolean {
  let digest = ''
  let needed = true
  return () => {
    if (digest === engine.digest()) return needed
    digest = engine.digest()
    needed = NAMES.some((path) => engine.reads(path)) || (previews && engine.ruleset().rules.some(({ source }) => source.includes('await-approval'))) || engine.ruleset().rules.some(({ source }) => /mask|["']effect["']\s*:\s*(?!\s|["'](allow|block|await-approval)["'])/.test(source))
    return needed
  }
}

async function checkVerifier(name: string, person: Person, secrets: Secrets): Promise<void> {
  const verifier = (await configDirectory({ [name]: person }, secrets)).find(name)?.verifiers['postgresql']
  if (verifier === undefined) return
  try {
    parseVerifier(verifier)
  } catch (cause) {
    throw new SallyportError('CONFIG_INVALID', 'the verifier is not what `sallyport password` prints', { cause })
  }
}

async function problemOf(path: PathProblem['path'], check: () => Promise<unknown>): Promise<PathProblem[]> {
  try {
    await check()
    return []
  } catch (error) {
    if (error instanceof SallyportError) return [{ path, message: error.message }]
    throw error
  }
}
