import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { SallyportError } from '../../../errors.ts'

export interface NatsOptions {
  /** `host:port`, `nats://host:port` or `tls://host:port`; credentials do not belong here. */
  readonly servers: readonly string[]
  /** Shown by the server in its list of connections. */
  readonly name?: string
  readonly token?: string
  readonly user?: string
  readonly password?: string
  /** With this, a server that does not speak TLS is refused. */
  readonly tls?: NatsTls
  /** How long the first connection may take; default 5000. */
  readonly connectTimeoutMs?: number
  /** Pause between attempts to connect again; default 500, plus up to 100 of jitter. There is no last attempt. */
  readonly reconnectWaitMs?: number
  /** How long `ready` and a drained `close` wait for the server; default 5000. */
  readonly flushTimeoutMs?: number
  /** Told of what handlers throw, of messages that are not JSON and of what the server complains about; default: a process warning. */
  readonly onError?: (error: unknown) => void
}

/** Files in PEM. */
export interface NatsTls {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

/** How soon a server that has gone silent counts as lost: two of these. */
const PING_INTERVAL_MS = 10_000

/** What the client library is told. Throws `CONFIG_INVALID`. */
export function connectionOptions(options: NatsOptions): NodeConnectionOptions {
  if (options.servers.length === 0) throw invalid('no server is named')
  if (options.servers.some((server) => server.includes('@'))) throw invalid('put user and password beside the servers, not into their addresses')
  if (options.password !== undefined && options.user === undefined) throw invalid('a password needs a user')
  options.servers.forEach(hostOf)
  return {
    servers: [...options.servers],
    timeout: options.connectTimeoutMs ?? 5000,
    reconnectTimeWait: options.reconnectWaitMs ?? 500,
    maxReconnectAttempts: -1,
    // A server that comes back with its accounts not yet loaded must not end the connection for good.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(options.name !== undefined && { name: options.name }),
    ...(options.token !== undefined && { token: options.token }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.password !== undefined && { pass: options.password }),
    ...(options.tls !== undefined && { tls: tlsOptions(options.tls, options.servers.map(hostOf)) }),
  }
}

/**
 * For a server given as an IP address the library names no host, and Node then checks the certificate against
 * "localhost". Such a certificate must be for one of the addresses that were given instead.
 */
function tlsOptions(tls: NatsTls, hosts: readonly string[]): NonNullable<NodeConnectionOptions['tls']> {
  const verify = (host: string, certificate: PeerCertificate): Error | undefined => {
    const names = host === 'localhost' ? hosts : [host]
    const errors = names.map((name) => checkServerIdentity(name, certificate))
    return errors.includes(undefined) ? undefined : errors[0]
  }
  return Object.assign({ ...tls }, { checkServerIdentity: verify })
}

function hostOf(server: string): string {
  const url = server.includes('://') ? server : `nats://${server}`
  const host = URL.parse(url)?.hostname
  if (!host) throw invalid(`${JSON.stringify(server)} is no server address`)
  return host.replace(/^\[(.*)\]$/, '$1')
}

function invalid(message: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `bus nats: ${message}`)
}
