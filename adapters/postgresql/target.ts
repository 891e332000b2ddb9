import type { Target } from '../../core/index.ts'
import type { UpstreamTls } from './auth/connect-upstream.ts'

/** A PostgreSQL server behind the gateway, as the configuration describes it. */
export interface PostgresTarget {
  readonly name: string
  /** A name, an IP address, or the folder of a unix socket. */
  readonly host: string
  readonly port: number
  /** Its default database. */
  readonly database: string
  /** Other databases of the same server that may be asked for as `name/database`; `undefined`: any. */
  readonly databases: readonly string[] | undefined
  readonly user: string
  readonly password: { reveal(): string } | undefined
  readonly tls: UpstreamTls
  readonly labels: Readonly<Record<string, string>>
  readonly classes: Readonly<Record<string, string>>
  /** What keyed masks derive their key from; the gateway's own key when there is none. */
  readonly maskKey?: { reveal(): string } | undefined
  /** How long keyed masks use one key; for good when it is not said. */
  readonly maskKeyRotationMs?: number | undefined
  readonly fastpath: boolean
  readonly replication: boolean
  readonly connectTimeoutMs: number
}

export interface Route {
  readonly target: PostgresTarget
  readonly database: string
}

/**
 * Where a database name leads. On a listener of its own target, every name is that server's. Elsewhere the name picks
 * the target: `shop`, or `shop/analytics` for another database of the same server.
 */
export function route(name: string, targets: ReadonlyMap<string, PostgresTarget>, own: PostgresTarget | undefined): Route | undefined {
  if (own !== undefined) return { target: own, database: name }
  const slash = name.indexOf('/')
  const target = targets.get(slash < 0 ? name : name.slice(0, slash))
  if (target === undefined) return undefined
  const database = slash < 0 ? target.database : name.slice(slash + 1)
  const allowed = database === target.database || target.databases === undefined || target.databases.includes(database)
  return allowed && database !== '' ? { target, database } : undefined
}

/** What rules and events see of it. */
export function describeTarget({ target, database }: Route): Target {
  return { name: target.name, protocol: 'postgresql', database, labels: { ...target.labels }, classes: { ...target.classes } }
}
