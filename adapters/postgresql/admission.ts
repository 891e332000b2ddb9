/** A connection from its first byte until a session may begin: TLS, who it is, where to, and the login at the target. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Directory, Gate, GateSession, Identity } from '../../core/index.ts'
import { SallyportError } from '../../core/index.ts'
import { nextChunk, release } from '../shared/socket-reader.ts'
import { acceptTls, type ServerTls } from '../shared/tls.ts'
import { ClientLogin } from './auth/client-login.ts'
import { connectUpstream, type UpstreamConnection } from './auth/connect-upstream.ts'
import { UpstreamError } from './auth/upstream-error.ts'
import { parseVerifier } from './auth/scram-verifier.ts'
import { fatal, SQLSTATE } from './enforce.ts'
import { encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery, negotiateProtocol } from './startup/backend-messages.ts'
import { ClientStartup } from './startup/client-startup.ts'
import { ProtocolViolation } from './startup/protocol-violation.ts'
import type { StartupMessage } from './startup/startup-packet.ts'
import { takeTaskClaim } from './startup/task-claim.ts'
import { describeTarget, route, type PostgresTarget, type Route } from './target.ts'

export interface AdmissionOptions {
  readonly gate: Gate
  readonly directory: Directory
  readonly targets: ReadonlyMap<string, PostgresTarget>
  /** Set on a listener that serves one target only. */
  readonly ownTarget: PostgresTarget | undefined
  readonly tls: ServerTls | undefined
  readonly tlsRequired: boolean
  readonly loginTimeoutMs: number
  /** Makes an unknown user look like a known one with a wrong password. */
  readonly mockSecret: Buffer
  /** Why a session may not begin right now; `undefined` when it may. */
  readonly capacity: (subject: string) => string | undefined
}

/** Let in: everything that a session needs. */
export interface Admitted {
  readonly kind: 'session'
  readonly session: GateSession
  readonly route: Route
  readonly clientSocket: Socket
  readonly clientLeftover: Buffer
  readonly upstream: UpstreamConnection
  readonly key: CancelKey
  readonly startup: ReadonlyMap<string, string>
}

/** What the client sends to cancel. The process id is the target's own, the secret is ours. */
export interface CancelKey {
  readonly processId: number
  readonly secret: Buffer
}

export interface CancelRequested {
  readonly kind: 'cancel'
  readonly key: CancelKey
}

/** Not let in; `code` is what the access event says. */
export class Refused extends Error {
  readonly code: string
  readonly sqlstate: string
  readonly subject: string
  readonly target: string
  readonly hint: string | undefined
  constructor(code: string, sqlstate: string, message: string, about: { subject?: string; target?: string; hint?: string; cause?: unknown } = {}) {
    super(message, { cause: about.cause })
    this.name = 'Refused'
    this.code = code
    this.sqlstate = sqlstate
    this.subject = about.subject ?? ''
    this.target = about.target ?? ''
    this.hint = about.hint
  }
}

interface Arrived {
  readonly socket: Socket
  readonly encrypted: boolean
  readonly message: StartupMessage
  readonly leftover: Buffer
}

/** Rejects with `Refused`; the caller answers and closes. */
export async function admit(socket: Socket, address: string, options: AdmissionOptions, reached: (socket: Socket) => void): Promise<Admitted | CancelRequested> {
  const signal = AbortSignal.timeout(options.loginTimeoutMs)
  try {
    const arrived = await arrive(socket, options, signal)
    if ('kind' in arrived) return arrived
    reached(arrived.socket)
    return await enter(arrived, address, options, signal)
  } catch (error) {
    throw asRefused(error, signal, options.loginTimeoutMs)
  }
}

async function enter(arrived: Arrived, address: string, options: AdmissionOptions, signal: AbortSignal): Promise<Admitted> {
  const { encrypted } = arrived
  const { task, parameters } = takeTaskClaim(arrived.message.parameters)
  const message = { ...arrived.message, parameters }
  const { user: subject, database: target } = message
  if (options.tlsRequired && !encrypted) throw new Refused('tls-required', '28000', 'this gateway takes only TLS connections', { subject, target, hint: 'Connect with sslmode=require or stronger.' })
  const { minor, answer } = negotiateProtocol(message)
  if (answer !== undefined) arrived.socket.write(answer)
  const login = await prove(arrived, options, signal)
  const { identity } = login
  const way = destination(message, options)
  const busy = options.capacity(subject)
  if (busy !== undefined) throw new Refused('too-many-sessions', '53300', busy, { subject, target })
  const upstream = await reach(way, message, minor, signal).catch((error: unknown) => {
    throw unreachable(error, subject, way)
  })
  try {
    const claimed = { ...claimedBy(message), ...task === '' ? {} : { 'sallyport.task': task } }
    const session = await options.gate.open({ protocol: 'postgresql', identity, target: describeTarget(way), address, tls: encrypted, claimed })
    const key = { processId: upstream.backendKey?.processId ?? 0, secret: randomBytes(minor >= 2 ? 32 : 4) }
    arrived.socket.write(welcome(upstream, key))
    const clientLeftover = Buffer.concat([login.leftover, release(arrived.socket)])
    return { kind: 'session', session, route: way, clientSocket: arrived.socket, clientLeftover, upstream, key, startup: message.parameters }
  } catch (error) {
    upstream.socket.destroy()
    throw error
  }
}

async function arrive(socket: Socket, options: AdmissionOptions, signal: AbortSignal): Promise<Arrived | CancelRequested> {
  const startup = new ClientStartup({ tls: options.tls !== undefined })
  let current = socket
  let step = startup.receive(await nextChunk(current, signal))
  for (;;) {
    switch (step.kind) {
      case 'wait':
        step = startup.receive(await nextChunk(current, signal))
        break
      case 'answer':
        current.write(step.bytes)
        step = startup.receive()
        break
      case 'upgrade':
        current = await secured(current, options, { answer: step.bytes }, signal)
        step = startup.receive(await nextChunk(current, signal))
        break
      case 'direct-tls':
        current = await secured(current, options, { handshake: step.received, requireAlpn: true }, signal)
        step = startup.receive(await nextChunk(current, signal))
        break
      case 'cancel':
        return { kind: 'cancel', key: { processId: step.processId, secret: step.secret } }
      case 'startup':
        return { socket: current, encrypted: startup.encrypted, message: step.message, leftover: step.leftover }
      case 'left':
        throw new Refused('disconnected', '08006', 'the client left before it was let in')
      default:
        return step satisfies never
    }
  }
}

async function secured(socket: Socket, options: AdmissionOptions, how: { answer?: Buffer; handshake?: Buffer; requireAlpn?: boolean }, signal: AbortSignal): Promise<Socket> {
  if (options.tls === undefined) throw new Refused('tls-unavailable', '08P01', 'TLS is not set up on this listener')
  return (await acceptTls(socket, options.tls, { ...how, signal })).socket
}

/** SCRAM-SHA-256. An unknown name goes all the way and fails in the end like a wrong password. */
async function prove(arrived: Arrived, options: AdmissionOptions, signal: AbortSignal): Promise<{ identity: Identity; leftover: Buffer }> {
  const { socket, message, encrypted } = arrived
  const principal = options.directory.find(message.user)
  const written = principal?.verifiers['postgresql']
  const verifier = written === undefined ? undefined : parseVerifier(written)
  const channelBinding = encrypted ? options.tls?.channelBinding : undefined
  const login = new ClientLogin({ verifier, user: message.user, mockSecret: options.mockSecret, channelBinding })
  socket.write(login.start())
  let step = login.receive(arrived.leftover)
  while (step.kind === 'wait' || step.kind === 'answer') {
    if (step.kind === 'answer') socket.write(step.bytes)
    step = login.receive(step.kind === 'wait' ? await nextChunk(socket, signal) : undefined)
  }
  if (step.kind === 'refused' || principal === undefined) {
    throw new Refused('bad-credentials', '28P01', `password authentication failed for user "${message.user}"`, { subject: message.user, target: message.database })
  }
  socket.write(step.bytes)
  return { identity: { ...principal.identity, method: step.method }, leftover: step.leftover }
}

/** What the one who logged in may reach; an agent does not inherit the targets of whom it acts for. */
function destination(message: StartupMessage, options: AdmissionOptions): Route {
  const { user: subject, database: target, parameters } = message
  const way = route(target, options.targets, options.ownTarget)
  const allowed = options.directory.find(subject)?.targets
  if (way === undefined || (allowed !== undefined && !allowed.includes(way.target.name))) {
    throw new Refused('unknown-target', '3D000', `there is no target "${target}" that you may reach`, { subject, target, hint: 'The database name picks the target: NAME, or NAME/DATABASE.' })
  }
  const replication = parameters.get('replication')
  if (replication !== undefined && !/^(false|off|no|0)$/i.test(replication) && !way.target.replication) {
    throw new Refused('replication-refused', '42501', 'replication connections are not allowed on this target', { subject, target })
  }
  return way
}

function reach({ target, database }: Route, message: StartupMessage, minor: number, signal: AbortSignal): Promise<UpstreamConnection> {
  const { host, port, user, password, tls, connectTimeoutMs: timeoutMs } = target
  const parameters = Object.fromEntries([...message.parameters].filter(([name]) => name !== 'user' && name !== 'database'))
  return connectUpstream({ host, port, user, password, tls, database, parameters, timeoutMs, signal, protocolMinor: minor >= 2 ? 2 : 0 })
}

function welcome({ parameters, notices, transactionStatus }: UpstreamConnection, key: CancelKey): Buffer {
  const statuses = [...parameters].map(([name, value]) => encodeParameterStatus(name, value))
  return Buffer.concat([...notices, ...statuses, encodeBackendKeyData(key.processId, key.secret), encodeReadyForQuery(transactionStatus)])
}

/** What the client says of itself, but for who it is. */
function claimedBy({ parameters }: StartupMessage): Record<string, string> {
  return Object.fromEntries([...parameters].filter(([name]) => name !== 'user' && name !== 'database'))
}

/** The target's own words are passed on, but never those about the gateway's credential. */
function unreachable(error: unknown, subject: string, { target, database }: Route): Refused {
  const about = { subject, target: target.name, cause: error }
  const fields = error instanceof UpstreamError ? error.fields : undefined
  if (fields?.code !== undefined && fields.code.slice(0, 2) !== '28') {
    return new Refused('target-refused', fields.code, fields.message ?? `the target refused database "${database}"`, about)
  }
  const hint = 'The gateway is fine; ask whoever runs it to look at its connection to this target.'
  return new Refused('target-unavailable', SQLSTATE.TARGET_UNAVAILABLE, `target "${target.name}" cannot be reached`, { ...about, hint })
}

function asRefused(error: unknown, signal: AbortSignal, loginTimeoutMs: number): Refused {
  if (error instanceof Refused) return error
  if (signal.aborted) return new Refused('timeout', '08000', `no login within ${loginTimeoutMs} ms`, { cause: error })
  if (error instanceof ProtocolViolation) return new Refused('protocol-violation', error.sqlState, error.message, { cause: error })
  if (error instanceof SallyportError && error.code.startsWith('STORE_')) return new Refused('store-unavailable', SQLSTATE[error.code], 'the session could not be recorded, so it may not begin; try again in a moment', { cause: error })
  if (error instanceof SallyportError) return new Refused(error.code.toLowerCase().replaceAll('_', '-'), SQLSTATE[error.code], error.message, { cause: error })
  return new Refused('disconnected', '08006', 'the client left before it was let in', { cause: error })
}

/** What a client that is not let in reads. */
export function farewell(refused: Refused): Buffer {
  return fatal(refused.sqlstate, refused.message, refused.hint)
}
