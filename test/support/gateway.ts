/** A whole gateway in this process, for tests: real store, real rules from a folder, real sockets. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresAdapter, type PostgresAdapter, type PostgresAdapterOptions, type PostgresListenerOptions } from '../../adapters/postgresql/adapter.ts'
import { createVerifier } from '../../adapters/postgresql/auth/scram-verifier.ts'
import { SQL_FACTS } from '../../adapters/postgresql/sql/facts-declaration.ts'
import { DEFAULT_PREVIEW, type PreviewLimits } from '../../adapters/postgresql/impact/preview.ts'
import type { PostgresTarget } from '../../adapters/postgresql/target.ts'
import { createLocalBus } from '../../core/bus/drivers/local/index.ts'
import { AccessLog, Approvals, CopyRecord, Gate, Grants, systemClock, type Clock, type EventStore, type Identity, type Principal, type SallyportRecordedEvent } from '../../core/index.ts'
import { openRuleEngine, type FolderRuleEngine } from '../../core/rules/index.ts'
import { openEmbeddedStore } from '../../core/store/drivers/embedded/index.ts'
import type { PostgresServer } from './postgres-server.ts'

export interface TestPerson {
  readonly password: string
  readonly kind?: Identity['kind']
  readonly groups?: readonly string[]
  /** An agent's principal. */
  readonly actsFor?: string
  readonly targets?: readonly string[]
}

export interface TestGatewayOptions {
  readonly postgres: Pick<PostgresServer, 'host' | 'port' | 'user' | 'password'>
  /** File name without `.jsonata` → JSONata (the doc comment is added). Default: everything is allowed. */
  readonly rules?: Readonly<Record<string, string>>
  readonly default?: 'allow' | 'block'
  readonly people?: Readonly<Record<string, TestPerson>>
  readonly audit?: 'write-ahead' | 'relaxed'
  readonly target?: Partial<PostgresTarget>
  readonly listener?: Partial<PostgresListenerOptions>
  readonly limits?: Partial<PostgresAdapterOptions['limits']>
  readonly clock?: Clock
  /** Default: nothing is found out about what is held. */
  readonly preview?: Partial<PreviewLimits>
  readonly patterns?: PostgresAdapterOptions['patterns']
  /** That of a gateway before: its record is gone on with. It is the caller's to remove. */
  readonly folder?: string
  /** Wraps the store, to make it fail. */
  readonly wrapStore?: (store: EventStore) => EventStore
  readonly log?: PostgresAdapterOptions['log']
}

export interface TestGateway extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly folder: string
  readonly store: EventStore
  readonly approvals: Approvals
  /** The group `reviewers` may give them, for up to an hour. */
  readonly grants: Grants
  readonly engine: FolderRuleEngine
  readonly adapter: PostgresAdapter
  /** Writes a rule; `engine.reload()` puts it in force. */
  writeRule(id: string, source: string): Promise<void>
  /** Everything recorded so far, once it is durable. */
  events(): Promise<SallyportRecordedEvent[]>
  /** Events from now on, as they are committed, until one fits. */
  until<T extends SallyportRecordedEvent['type']>(type: T, fits?: (event: Extract<SallyportRecordedEvent, { type: T }>) => boolean): Promise<Extract<SallyportRecordedEvent, { type: T }>>
  stop(): Promise<void>
}

export const ALLOW_ALL = { 'allow-all': '{ "effect": "allow", "reason": "a test allows everything" }' }
export const REVIEWER: Identity = { subject: 'rita', kind: 'person', actor: '', groups: ['reviewers'], method: 'test' }
const LIMITS = { sessions: 500, sessionsPerPerson: 500, loginTimeoutMs: 10_000, statementBytes: 64 * 1024 * 1024, recordingBytes: 65_536 }

export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const folder = options.folder ?? await mkdtemp(join(tmpdir(), 'sallyport-gateway-'))
  const rules = join(folder, 'rules')
  await mkdir(rules, { recursive: true })
  const writeRule = (id: string, source: string): Promise<void> => writeFile(join(rules, `${id}.jsonata`), `/* Written by a test. */\n${source}\n`)
  for (const [id, source] of Object.entries(options.rules ?? ALLOW_ALL)) await writeRule(id, source)
  const target = targetOf(options)
  const engine = await openRuleEngine({
    folder: rules, default: options.default ?? 'block', facts: [SQL_FACTS], labels: Object.keys(target.labels),
    approval: { approvers: ['group:reviewers'], timeoutSeconds: 60 },
  })
  const opened = await openEmbeddedStore({ path: join(folder, 'events.db') })
  const store = options.wrapStore?.(opened) ?? opened
  const bus = createLocalBus()
  const common = { store, bus, clock: options.clock ?? systemClock, source: 'sallyport/test' }
  const approvals = new Approvals(common)
  const principals = await directory(options.people ?? { ada: { password: 'ada secret', groups: ['engineers'] } })
  const found = { find: (name: string) => principals.get(name) }
  const grants = new Grants({ ...common, directory: found, targets: [target.name], approvers: ['group:reviewers'], maxSeconds: 3600 })
  const gate = new Gate({ ...common, engine, approvals, grants, audit: options.audit ?? 'write-ahead' })
  const adapter = await createPostgresAdapter({
    gate, key: Buffer.alloc(32, 7), accessLog: new AccessLog(store, systemClock, 'test'), copies: new CopyRecord(common), directory: found, targets: [target],
    needsNames: () => engine.reads('command.resources') || engine.reads('command.sql') || engine.ruleset().rules.some(({ source }) => source.includes('mask')),
    patterns: options.patterns ?? [],
    limits: { ...LIMITS, ...options.limits }, preview: options.preview === undefined ? undefined : { ...DEFAULT_PREVIEW, ...options.preview }, log: options.log ?? (() => {}),
  })
  const listener = await adapter.listen({ host: '127.0.0.1', port: 0, target: 'shop', ...options.listener })
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    await listener.close().catch(() => {})
    await adapter.stop()
    grants.close()
    await engine.close()
    await bus.close()
    await opened.close()
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
  }
  return {
    host: listener.host, port: listener.port, folder, store, approvals, grants, engine, adapter, writeRule,
    events: () => collect(opened),
    until: (type, fits) => follow(opened, type, fits),
    stop: () => (stopped ??= stop()),
    [Symbol.asyncDispose]: () => (stopped ??= stop()),
  }
}

function targetOf({ postgres, target }: TestGatewayOptions): PostgresTarget {
  return {
    name: 'shop', host: postgres.host, port: postgres.port, database: 'postgres', databases: undefined, user: postgres.user,
    password: { reveal: () => postgres.password }, tls: { mode: 'disable' }, labels: {}, classes: {}, fastpath: false, replication: false,
    connectTimeoutMs: 5000, ...target,
  }
}

async function directory(people: Readonly<Record<string, TestPerson>>): Promise<Map<string, Principal>> {
  const found = new Map<string, Principal>()
  for (const [subject, { password, kind = 'person', groups = [], actsFor, targets }] of Object.entries(people)) {
    const verifiers = { postgresql: await createVerifier(password) }
    found.set(subject, { identity: { subject: actsFor ?? subject, kind, actor: actsFor === undefined ? '' : subject, groups: [...groups] }, targets, verifiers })
  }
  return found
}

async function collect(store: EventStore): Promise<SallyportRecordedEvent[]> {
  while (store.pending() > 0) await new Promise((resolve) => setImmediate(resolve))
  const events: SallyportRecordedEvent[] = []
  for await (const event of store.readAll()) events.push(event as SallyportRecordedEvent)
  return events
}

async function follow<T extends SallyportRecordedEvent['type']>(
  store: EventStore, type: T, fits: (event: Extract<SallyportRecordedEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<SallyportRecordedEvent, { type: T }>> {
  const signal = AbortSignal.timeout(20_000)
  for await (const event of store.readAll({ follow: true, signal })) {
    const found = event as Extract<SallyportRecordedEvent, { type: T }>
    if (event.type === type && fits(found)) return found
  }
  throw new Error(`no ${type} came within 20 s`)
}
