/** What the gateway is made of, and what each part is made from. The one place that knows inversify. */
import { Container, type ServiceIdentifier } from 'inversify'
import { AccessLog, Approvals, CopyRecord, Gate, Grants, systemClock, type Clock, type Directory, type EventBus, type EventStore } from '../core/index.ts'
import { openRuleEngine, type FolderRuleEngine } from '../core/rules/index.ts'
import { LiveSessions } from './api/index.ts'
import { configDirectory } from './config-directory.ts'
import type { Config } from './config/index.ts'
import { openBus, openStore } from './drivers.ts'
import { labelNames } from './identity-of.ts'
import { aboutError, type Log } from './log.ts'
import { PROTOCOLS } from './protocols/index.ts'
import type { Secrets } from './secrets.ts'

function id<T>(name: string): ServiceIdentifier<T> {
  return Symbol(name) as ServiceIdentifier<T>
}

export const PARTS = {
  config: id<Config>('config'),
  secrets: id<Secrets>('secrets'),
  log: id<Log>('log'),
  clock: id<Clock>('clock'),
  store: id<EventStore>('event-store'),
  bus: id<EventBus>('event-bus'),
  engine: id<FolderRuleEngine>('rule-engine'),
  approvals: id<Approvals>('approvals'),
  grants: id<Grants>('grants'),
  gate: id<Gate>('gate'),
  accessLog: id<AccessLog>('access-log'),
  copies: id<CopyRecord>('copy-record'),
  directory: id<Directory>('directory'),
  liveSessions: id<LiveSessions>('live-sessions'),
}

/**
 * Binds every part. Nothing is made before it is asked for; a part that has to be opened is a promise, so ask with
 * `getAsync`. To swap one, rebind it before asking.
 */
export function createContainer(config: Config, secrets: Secrets, log: Log): Container {
  const container = new Container({ defaultScope: 'Singleton' })
  container.bind(PARTS.config).toConstantValue(config)
  container.bind(PARTS.secrets).toConstantValue(secrets)
  container.bind(PARTS.log).toConstantValue(log)
  container.bind(PARTS.clock).toConstantValue(systemClock)
  container.bind(PARTS.store).toDynamicValue(() => openStore(config.store, secrets, { backlogBytes: config.limits.storeBacklog }))
  container.bind(PARTS.bus).toDynamicValue(() => openBus(config.bus, config.gateway.name, secrets, (error) => { log.error(aboutError(error), 'the bus reported an error') }))
  container.bind(PARTS.engine).toDynamicValue(() => openRuleEngine({ ...ruleOptions(config), watch: config.rules.watch }))
  container.bind(PARTS.directory).toDynamicValue(() => configDirectory(config.people, secrets))
  container.bind(PARTS.accessLog).toResolvedValue((store, clock) => new AccessLog(store, clock, config.gateway.name), [PARTS.store, PARTS.clock])
  container.bind(PARTS.copies).toResolvedValue((store, clock) => new CopyRecord({ store, clock, source: sourceOf(config) }), [PARTS.store, PARTS.clock])
  container.bind(PARTS.liveSessions).toResolvedValue((bus) => new LiveSessions(bus), [PARTS.bus])
  container.bind(PARTS.approvals).toResolvedValue((store, bus, clock) => new Approvals({ store, bus, clock, source: sourceOf(config) }), [PARTS.store, PARTS.bus, PARTS.clock])
  container.bind(PARTS.grants).toResolvedValue((store, bus, clock, directory) => (
    new Grants({ store, bus, clock, source: sourceOf(config), directory, ...grantTerms(config) })
  ), [PARTS.store, PARTS.bus, PARTS.clock, PARTS.directory])
  container.bind(PARTS.gate).toResolvedValue((store, bus, engine, approvals, grants, clock) => (
    new Gate({ store, bus, engine, approvals, grants, clock, source: sourceOf(config), audit: config.audit })
  ), [PARTS.store, PARTS.bus, PARTS.engine, PARTS.approvals, PARTS.grants, PARTS.clock])
  return container
}

/** CloudEvents `source`. */
export function sourceOf({ gateway }: Config): string {
  return `sallyport/${gateway.name}`
}

function grantTerms({ targets, grants, approvals }: Config): { targets: string[]; approvers: string[]; maxSeconds: number } {
  return { targets: Object.keys(targets), approvers: grants.approvers ?? approvals.approvers, maxSeconds: Math.floor(grants.max / 1000) }
}

/** How the rules of a configuration are read: by the gateway, and by whoever checks or tests them. */
export function ruleOptions(config: Config): Parameters<typeof openRuleEngine>[0] {
  const { folder, default: otherwise } = config.rules
  const { approvers, timeout } = config.approvals
  return {
    folder, default: otherwise, labels: labelNames(config), facts: PROTOCOLS.map(({ facts }) => facts),
    approval: { approvers, timeoutSeconds: Math.ceil(timeout / 1000) },
  }
}
