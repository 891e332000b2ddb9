import { createHash, createHmac } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { AccessLog, CopyRecord, Directory, Gate, Listener, ProtocolAdapter } from '../../core/index.ts'
import type { OwnPattern } from '../shared/detection/index.ts'
import { release } from '../shared/socket-reader.ts'
import type { ServerTls } from '../shared/tls.ts'
import { admit, farewell, Refused, type Admitted, type CancelKey } from './admission.ts'
import { askSearchPath } from './ask-search-path.ts'
import { sendCancelRequest } from './auth/connect-upstream.ts'
import { Copies } from './copies.ts'
import { ContentDetections } from './detect/content-detection.ts'
import { SQLSTATE } from './enforce.ts'
import type { PreviewLimits } from './impact/preview.ts'
import { Knowledge } from './knowledge.ts'
import { rotatingKey } from './mask/rotating-key.ts'
import { Observer } from './observe.ts'
import { PostgresSession } from './session.ts'
import { loadSqlParser } from './sql/load.ts'
import type { PostgresTarget } from './target.ts'

export interface PostgresAdapterOptions {
  readonly gate: Gate
  readonly accessLog: AccessLog
  /** What was copied into new tables, so that it stays masked there. */
  readonly copies: CopyRecord
  readonly directory: Directory
  readonly targets: readonly PostgresTarget[]
  /** The gateway's own secret, 32 bytes, the same after a restart. Masks hash with it, and unknown users are given a made-up salt from it. */
  readonly key: Buffer
  /** What rules may ask to detect beside the built-in entities. */
  readonly patterns?: readonly OwnPattern[]
  /** Whether any rule or mask in force depends on the names a statement uses; asked per statement. */
  readonly needsNames: () => boolean
  /** For what held statements would change; `undefined`: it is not found out. */
  readonly preview?: PreviewLimits | undefined
  readonly limits: {
    readonly sessions: number
    readonly sessionsPerPerson: number
    readonly loginTimeoutMs: number
    readonly statementBytes: number
    readonly recordingBytes: number
  }
  /** For what an operator should see; never statements, values or secrets. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string, about?: Readonly<Record<string, unknown>>) => void
}

export interface PostgresListenerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tls?: ServerTls | undefined
  readonly tlsRequired?: boolean
  /** The name of the one target that this listener serves. */
  readonly target?: string | undefined
}

/** Loads what the adapter needs before it can take connections. */
export async function createPostgresAdapter(options: PostgresAdapterOptions): Promise<PostgresAdapter> {
  await loadSqlParser()
  return new PostgresAdapter(options)
}

export class PostgresAdapter implements ProtocolAdapter {
  readonly id = 'postgresql'
  readonly supports = { hold: true, mask: true, limit: true }
  readonly #o: PostgresAdapterOptions
  readonly #targets: ReadonlyMap<string, PostgresTarget>
  readonly #sessions = new Map<string, { session: PostgresSession; subject: string }>()
  readonly #knowledge = new Map<string, Knowledge>()
  readonly #arriving = new Set<Socket>()
  /** Who has proven themselves, and will have a session in a moment; counted as if they had. */
  readonly #entering = new Set<{ subject: string }>()
  readonly #mockSecret: Buffer
  readonly #maskKeys = new Map<string, () => Buffer>()
  readonly #detections: ContentDetections
  #stopping = false

  constructor(options: PostgresAdapterOptions) {
    this.#o = options
    this.#detections = new ContentDetections(options.patterns)
    this.#mockSecret = derived(options.key, 'unknown users')
    this.#targets = new Map(options.targets.map((target) => [target.name, target]))
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Rejects when the address cannot be listened on, or the target is unknown. */
  async listen(options: PostgresListenerOptions): Promise<Listener> {
    const ownTarget = options.target === undefined ? undefined : this.#targets.get(options.target)
    if (options.target !== undefined && ownTarget === undefined) throw new Error(`listener: there is no target "${options.target}"`)
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true, allowHalfOpen: true }, (socket) => void this.#arrived(socket, options, ownTarget))
    server.on('error', (error) => this.#o.log('error', 'the listener failed', { error: error.message }))
    await listening(server, options)
    const { address: host, port } = server.address() as { address: string; port: number }
    return { host, port, close: () => closed(server) }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const socket of this.#arriving) socket.destroy()
    await Promise.all(Array.from(this.#sessions.values(), ({ session }) => session.stop()))
    for (const knowledge of this.#knowledge.values()) knowledge.close()
  }

  async #arrived(socket: Socket, options: PostgresListenerOptions, ownTarget: PostgresTarget | undefined): Promise<void> {
    const address = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`
    const place = { subject: '' }
    let current = socket
    this.#arriving.add(socket)
    socket.on('error', () => {})
    try {
      if (this.#arriving.size > this.#o.limits.sessions) throw new Refused('too-many-connections', '53300', 'too many connections are waiting to log in')
      const { gate, directory, limits } = this.#o
      const admission = {
        gate, directory, targets: this.#targets, ownTarget, tls: options.tls, tlsRequired: options.tlsRequired ?? false,
        loginTimeoutMs: limits.loginTimeoutMs, mockSecret: this.#mockSecret, capacity: (subject: string) => this.#take(place, subject),
      }
      const result = await admit(socket, address, admission, (reached) => {
        current = reached
        reached.on('error', () => {})
      })
      if (result.kind === 'session') return await this.#begin(result)
      await this.#sessions.get(keyText(result.key))?.session.cancel()
      socket.destroy()
    } catch (error) {
      await this.#refuse(current, address, error)
    } finally {
      this.#arriving.delete(socket)
      this.#entering.delete(place)
    }
  }

  async #refuse(socket: Socket, address: string, error: unknown): Promise<void> {
    const refused = error instanceof Refused ? error : new Refused('internal', 'XX000', 'the gateway failed', { cause: error })
    const { code, message, subject, target } = refused
    const cause = refused.cause instanceof Error ? refused.cause.message : undefined
    this.#o.log(code.startsWith('target') || code === 'internal' ? 'warn' : 'info', 'connection refused', { code, address, subject, target, cause })
    await this.#o.accessLog.refused({ protocol: 'postgresql', address, claimedSubject: subject, target, code, message })
    if (code !== 'disconnected') socket.write(farewell(refused))
    socket.end()
    setTimeout(() => socket.destroy(), 1000).unref()
    socket.resume()
  }

  /** Takes a place for one more session; why there is none, or `undefined`. */
  #take(place: { subject: string }, subject: string): string | undefined {
    const { sessions, sessionsPerPerson } = this.#o.limits
    if (this.#stopping) return 'the gateway is stopping'
    if (this.#sessions.size + this.#entering.size >= sessions) return `this gateway has its ${sessions} sessions (limits.sessions)`
    let own = 0
    for (const others of [this.#sessions.values(), this.#entering]) for (const other of others) if (other.subject === subject) own++
    if (own >= sessionsPerPerson) return `"${subject}" has ${sessionsPerPerson} sessions (limits.sessions-per-person)`
    place.subject = subject
    this.#entering.add(place)
    return undefined
  }

  async #begin(admitted: Admitted): Promise<void> {
    const { session, route, clientSocket, clientLeftover, upstream, key, startup } = admitted
    const id = keyText(key)
    const knowledge = this.#knowledgeOf(admitted)
    await knowledge.prepare()
    const parameters = await this.#parametersOf(admitted).catch((error: unknown) => this.#lost(admitted, error))
    const { statementBytes, recordingBytes } = this.#o.limits
    const running = new PostgresSession({
      gate: this.#o.gate,
      session,
      observer: new Observer(knowledge, { parameters, startup, target: session.target, user: route.target.user, maskKey: this.#maskKeyOf(route.target), detections: this.#detections }),
      limits: { statementBytes, recordingBytes, functionCalls: route.target.fastpath },
      clientSocket,
      clientLeftover,
      targetSocket: upstream.socket,
      targetLeftover: Buffer.concat([upstream.leftover, release(upstream.socket)]),
      cancelAtTarget: () => this.#cancelAtTarget(admitted),
      ended: () => this.#sessions.delete(id),
    })
    this.#sessions.set(id, { session: running, subject: session.identity.subject })
    running.start()
    if (this.#stopping) await running.stop()
  }

  /** What the target said at login and, if rules depend on names and it did not say, its search path. */
  async #parametersOf({ upstream }: Admitted): Promise<ReadonlyMap<string, string>> {
    const { parameters } = upstream
    if (parameters.has('search_path') || !this.#o.needsNames()) return parameters
    const path = await askSearchPath(upstream)
    return path === undefined ? parameters : new Map([...parameters, ['search_path', path]])
  }

  /** The target left between login and session: the session, which is recorded as open, ends. */
  async #lost({ session, upstream }: Admitted, cause: unknown): Promise<never> {
    upstream.socket.destroy()
    await this.#o.gate.close(session, { reason: 'target-lost', bytesFromClient: 0, bytesToClient: 0, error: cause instanceof Error ? cause.message : String(cause) })
    throw new Refused('target-unavailable', SQLSTATE.TARGET_UNAVAILABLE, 'the target left before the session began', { subject: session.identity.subject, target: session.target.name, cause })
  }

  async #cancelAtTarget({ route: { target }, upstream }: Admitted): Promise<void> {
    if (upstream.backendKey === undefined) return
    const { host, port, tls, connectTimeoutMs: timeoutMs } = target
    await sendCancelRequest({ host, port, tls, timeoutMs, key: upstream.backendKey }).catch((error: unknown) => {
      this.#o.log('warn', 'a cancel request did not reach the target', { target: target.name, error: error instanceof Error ? error.message : String(error) })
    })
  }

  /** One per target, so that all its sessions change keys together. */
  #maskKeyOf({ name, maskKey, maskKeyRotationMs: rotationMs }: PostgresTarget): () => Buffer {
    const known = this.#maskKeys.get(name)
    if (known !== undefined) return known
    const secret = maskKey === undefined ? this.#o.key : createHash('sha256').update(maskKey.reveal()).digest()
    const made = rotatingKey({ secret, name, rotationMs, now: Date.now })
    this.#maskKeys.set(name, made)
    return made
  }

  /** What is known of a target's database is shared by its sessions. */
  #knowledgeOf({ route }: Admitted): Knowledge {
    const name = `${route.target.name}/${route.database}`
    const known = this.#knowledge.get(name)
    if (known !== undefined) return known
    const made = new Knowledge({ route, needsNames: this.#o.needsNames, preview: this.#o.preview, copies: new Copies(route, this.#o.copies) })
    this.#knowledge.set(name, made)
    return made
  }
}

/** A key of its own for each purpose. */
function derived(key: Buffer, purpose: string): Buffer {
  return createHmac('sha256', key).update(purpose).digest()
}

function keyText({ processId, secret }: CancelKey): string {
  return `${processId}:${secret.toString('hex')}`
}

function listening(server: Server, { host, port }: PostgresListenerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}

function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  return promise
}
