import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Container } from 'inversify'
import { rfc3339, SallyportError, type EventData, type EventStore, type EventType, type Listener } from '../core/index.ts'
import type { FolderRuleEngine, RulesetChange } from '../core/rules/index.ts'
import { callers, createApi, listenApi, type Health } from './api/index.ts'
import type { Config } from './config/index.ts'
import { closeLostSessions } from './close-lost-sessions.ts'
import { createContainer, PARTS, sourceOf } from './container.ts'
import { aboutError, type Log } from './log.ts'
import { PROTOCOLS, type RunningAdapter } from './protocols/index.ts'
import { grantsInForce } from './grants-in-force.ts'
import { gatewayKey } from './gateway-key.ts'
import { createSecrets } from './secrets.ts'
import { VERSION } from './package-root.ts'

/** How long sessions have to end; then the store is closed over them. */
const STOP_MS = 10_000
const HEALTH_MS = 2_000

export interface RunningListener {
  readonly protocol: string
  readonly host: string
  readonly port: number
}

export interface RunningGateway {
  readonly listeners: readonly RunningListener[]
  /** `unix:/path` or `http://127.0.0.1:8443`. */
  readonly api: string
  readonly ruleset: { readonly digest: string; readonly rules: number }
  reloadRules(): Promise<{ digest: string; rules: number }>
  /** Answers what is held, ends sessions with an event, closes the store. Idempotent. */
  stop(reason: string): Promise<void>
}

export interface ServeOptions {
  readonly log: Log
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Rebinds parts before they are made; for tests. */
  readonly prepare?: (container: Container) => void
}

/** Composes and starts a gateway. Rejects with what stands in the way, and then nothing is left running. */
export async function startGateway(config: Config, { log, environment, prepare }: ServeOptions): Promise<RunningGateway> {
  const container = createContainer(config, createSecrets(environment), log)
  prepare?.(container)
  const gateway = new Gateway(config, container, log)
  try {
    await gateway.start()
    return gateway
  } catch (error) {
    await gateway.stop('it could not start').catch(() => {})
    throw error
  }
}

class Gateway implements RunningGateway {
  listeners: RunningListener[] = []
  api = ''
  readonly #config: Config
  readonly #container: Container
  readonly #log: Log
  /** Undone last to first. */
  readonly #undo: (() => Promise<void> | void)[] = []
  readonly #adapters: RunningAdapter[] = []
  #engine: FolderRuleEngine | undefined
  #stopped: Promise<void> | undefined

  constructor(config: Config, container: Container, log: Log) {
    this.#config = config
    this.#container = container
    this.#log = log
  }

  get ruleset(): { digest: string; rules: number } {
    const ruleset = this.#engine?.ruleset()
    return { digest: ruleset?.digest ?? '', rules: ruleset?.rules.length ?? 0 }
  }

  async start(): Promise<void> {
    const store = await this.#openRecord()
    await this.#endLost(store)
    await this.#openRules(store)
    const bus = await this.#container.getAsync(PARTS.bus)
    this.#undo.push(() => bus.close())
    await bus.ready()
    await this.#restoreGrants(store)
    await this.#openApi(store)
    for (const protocol of PROTOCOLS) await this.#openProtocol(protocol)
  }

  /** First to open and last to close: nothing happens that it does not see. */
  async #openRecord(): Promise<EventStore> {
    const store = await this.#container.getAsync(PARTS.store)
    this.#undo.push(() => store.close())
    const { name: gateway } = this.#config.gateway
    await this.#record(store, `gateway-${gateway}`, 'gateway.started.v1', { gateway, version: VERSION, audit: this.#config.audit })
    return store
  }

  /** A gateway that was killed has left sessions open in the record; this one is its only successor. */
  async #endLost(store: EventStore): Promise<void> {
    const [clock, approvals] = await Promise.all([this.#container.getAsync(PARTS.clock), this.#container.getAsync(PARTS.approvals)])
    const lost = await closeLostSessions({ store, clock, approvals, source: sourceOf(this.#config), projections: this.#config.projections.path })
    if (lost > 0) this.#log.warn({ sessions: lost }, 'sessions that an earlier run left open were closed in the record')
  }

  /** Those that were given before, by this gateway or another. */
  async #restoreGrants(store: EventStore): Promise<void> {
    const grants = await this.#container.getAsync(PARTS.grants)
    this.#undo.push(() => grants.close())
    await grants.restore(await grantsInForce(store, this.#config.projections.path, this.#container.get(PARTS.clock).now()))
  }

  async #openRules(store: EventStore): Promise<void> {
    const engine = await this.#container.getAsync(PARTS.engine)
    this.#undo.push(() => engine.close())
    this.#engine = engine
    await this.#record(store, `ruleset-${this.#config.gateway.name}`, 'ruleset.loaded.v1', engine.loaded())
    const changes = engine.changes.subscribe((change) => void this.#rulesChanged(store, change))
    this.#undo.push(() => changes.unsubscribe())
  }

  async #rulesChanged(store: EventStore, change: RulesetChange): Promise<void> {
    if (change.type === 'ruleset.loaded.v1') this.#log.info({ digest: change.data.digest, rules: change.data.rules.length }, 'rules loaded')
    else this.#log.error({ problems: change.data.problems, kept: change.data.kept }, 'the new rules are broken and were refused; the old ones stay in force')
    try {
      await this.#record(store, `ruleset-${this.#config.gateway.name}`, change.type, change.data)
    } catch (error) {
      this.#log.error(aboutError(error), 'a change of the rules could not be recorded')
    }
  }

  async #openApi(store: EventStore): Promise<void> {
    const [approvals, grants, sessions, accessLog] = await Promise.all([this.#container.getAsync(PARTS.approvals), this.#container.getAsync(PARTS.grants), this.#container.getAsync(PARTS.liveSessions), this.#container.getAsync(PARTS.accessLog)])
    this.#undo.push(() => sessions.close())
    const app: FastifyInstance = createApi({
      caller: callers(this.#config.people), approvals, grants, now: () => this.#container.get(PARTS.clock).now(), sessions: () => sessions.list(),
      reloadRules: () => this.reloadRules(), health: () => this.#health(store),
      refused: ({ address, code, message, claimedSubject }) => void accessLog.refused({ protocol: 'api', address, claimedSubject, target: '', code, message }),
      failed: (error) => { this.#log.warn(aboutError(error), 'an API call failed') },
    })
    this.#undo.push(() => app.close())
    this.api = await listenApi(app, this.#config.api)
  }

  async #openProtocol(protocol: (typeof PROTOCOLS)[number]): Promise<void> {
    const [gate, accessLog, copies, directory, engine, secrets] = await Promise.all([
      this.#container.getAsync(PARTS.gate), this.#container.getAsync(PARTS.accessLog), this.#container.getAsync(PARTS.copies), this.#container.getAsync(PARTS.directory), this.#container.getAsync(PARTS.engine), this.#container.getAsync(PARTS.secrets),
    ])
    const { adapter, listen } = await protocol.create({ config: this.#config, secrets, gate, accessLog, copies, directory, engine, key: await gatewayKey(this.#config, secrets), log: this.#log })
    this.#adapters.push(adapter)
    this.#undo.push(() => adapter.stop())
    const listeners = await listen()
    this.listeners.push(...listeners.map(({ host, port }) => ({ protocol: protocol.id, host, port })))
    this.#undo.push(() => closeAll(listeners))
  }

  async reloadRules(): Promise<{ digest: string; rules: number }> {
    const change = await this.#engine?.reload()
    if (change?.type === 'ruleset.refused.v1') {
      const problems = change.data.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`)
      throw new SallyportError('RULES_INVALID', `the new rules are broken, the old ones stay in force:\n${problems.join('\n')}`)
    }
    return this.ruleset
  }

  async #health(store: EventStore): Promise<Health> {
    const problem = await this.#problemWith(store)
    const sessions = this.#adapters.reduce((sum, adapter) => sum + adapter.sessions, 0)
    return { status: problem === '' ? 'ok' : 'failing', gateway: this.#config.gateway.name, version: VERSION, sessions, ruleset: this.ruleset.digest, problem }
  }

  async #problemWith(store: EventStore): Promise<string> {
    if (this.#stopped !== undefined) return 'the gateway is stopping'
    try {
      await within(HEALTH_MS, lastOf(store, `gateway-${this.#config.gateway.name}`))
      return ''
    } catch {
      return 'the event store does not answer'
    }
  }

  stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stopNow(reason)
    return this.#stopped
  }

  async #stopNow(reason: string): Promise<void> {
    const [closeStore, ...rest] = this.#undo.splice(0)
    for (const undo of rest.toReversed()) {
      await within(STOP_MS, Promise.resolve(undo())).catch((error: unknown) => { this.#log.warn(aboutError(error), 'a part of the gateway did not stop cleanly') })
    }
    if (closeStore === undefined) return
    const { name: gateway } = this.#config.gateway
    const store = await this.#container.getAsync(PARTS.store)
    await this.#record(store, `gateway-${gateway}`, 'gateway.stopped.v1', { gateway, reason }).catch((error: unknown) => { this.#log.warn(aboutError(error), 'the stop could not be recorded') })
    await closeStore()
  }

  async #record<T extends EventType>(store: EventStore, stream: string, type: T, data: EventData<T>): Promise<void> {
    const { name } = this.#config.gateway
    const time = rfc3339(this.#container.get(PARTS.clock).now())
    await store.append(stream, [{ id: randomUUID(), source: sourceOf(this.#config), type, subject: name, time, correlationid: name, data }], 'any')
  }
}

/** Starts closing and goes on: a listener is closed when its last connection is, and those end next. */
function closeAll(listeners: readonly Listener[]): void {
  for (const listener of listeners) listener.close().catch(() => {})
}

async function lastOf(store: EventStore, stream: string): Promise<unknown> {
  for await (const event of store.read(stream, { direction: 'backwards', limit: 1 })) return event
  return undefined
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
