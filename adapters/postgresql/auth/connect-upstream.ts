/** The gateway's own connection to a target: TCP or unix socket, TLS, login. */
import type { X509Certificate } from 'node:crypto'
import { connect as connectSocket, isIP, Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { release } from '../../shared/socket-reader.ts'
import { handshake, MIN_TLS_VERSION, tlsServerEndPoint } from '../../shared/tls.ts'
import { int32, untypedMessage } from '../startup/message-writer.ts'
import { UpstreamError } from './upstream-error.ts'
import { type BackendKey, type LoginResult, type Revealable, UpstreamLogin } from './upstream-login.ts'

export interface UpstreamTls {
  /**
   * As in libpq, but `prefer` does not try again without TLS after a handshake that failed. `require` checks the chain
   * only when there is a `ca`; `verify-ca` checks it always, `verify-full` the name too (without `ca`: Node's roots).
   */
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
  /** PEM. */
  readonly ca?: string
  /** PEM: the gateway's client certificate and key. */
  readonly cert?: string
  readonly key?: Revealable | string
  /** The name to ask for and to verify, when it is not `host`. */
  readonly serverName?: string
  /** tls-server-end-point in SCRAM; default: when the target offers it. */
  readonly channelBinding?: 'disable' | 'prefer' | 'require'
}

export interface UpstreamAddress {
  /** A name, an IP address, or the folder of a unix socket (starts with `/`). */
  readonly host: string
  readonly port: number
  readonly tls: UpstreamTls
  /** For everything until the session is ready. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface UpstreamOptions extends UpstreamAddress {
  readonly user: string
  readonly password?: Revealable | string | undefined
  readonly database: string
  readonly parameters?: Readonly<Record<string, string>>
  /** 2 asks for long cancel keys (PostgreSQL 18); default 0. */
  readonly protocolMinor?: 0 | 2
}

export interface UpstreamConnection extends LoginResult {
  /**
   * Not flowing, everything read from it is in `leftover`; a `TLSSocket` when there is TLS. The only listener left swallows
   * `error`: look at `destroyed` when taking it over.
   */
  readonly socket: Socket
}

const SSL_REQUEST = untypedMessage(int32(80877103))
const ACCEPTED = 0x53
const REFUSED = 0x4e
const noop = (): undefined => undefined

/** Rejects with `UpstreamError`; whatever was opened is closed then. */
export async function connectUpstream(options: UpstreamOptions): Promise<UpstreamConnection> {
  return withDeadline(options, async (opened) => {
    const socket = await openSocket(options, opened)
    const channelBinding = bindingOf(socket, options.tls)
    const login = new UpstreamLogin({
      ...options,
      encrypted: isEncrypted(socket),
      channelBinding,
      requireChannelBinding: options.tls.channelBinding === 'require',
    })
    return { socket, ...(await logIn(socket, login)) }
  })
}

/** Asks a target to cancel what the session with this key is doing. Resolves when the target has taken it; it never answers. */
export async function sendCancelRequest(options: UpstreamAddress & { readonly key: BackendKey }): Promise<void> {
  await withDeadline(options, async (opened) => {
    const socket = await openSocket(options, opened)
    const { promise, resolve } = Promise.withResolvers<void>()
    // A server that closes without reading to the end shows as a reset: it has the request all the same.
    socket.on('close', () => resolve()).on('error', () => resolve()).resume()
    socket.end(untypedMessage(int32(80877102), int32(options.key.processId), options.key.secret))
    await promise
    socket.destroy()
  })
}

/** Runs `work`; when time is up or the signal aborts, destroys what it has opened, which makes it fail. */
async function withDeadline<T>(options: UpstreamAddress, work: (opened: (socket: Socket) => void) => Promise<T>): Promise<T> {
  const sockets: Socket[] = []
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new UpstreamError(`the target did not answer within ${options.timeoutMs} ms`)), options.timeoutMs)
  const aborted = (): void => reject(new UpstreamError('connecting to the target was aborted'))
  options.signal?.addEventListener('abort', aborted)
  if (options.signal?.aborted === true) aborted()
  try {
    return await Promise.race([stopped, work((socket) => sockets.push(socket))])
  } catch (cause) {
    for (const socket of sockets) socket.destroy()
    throw cause instanceof UpstreamError ? cause : new UpstreamError(`no connection to the target: ${(cause as Error).message}`, { cause })
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', aborted)
  }
}

async function openSocket(options: UpstreamAddress, opened: (socket: Socket) => void): Promise<Socket> {
  const { host, port, tls } = options
  const local = host.startsWith('/')
  const plain = local ? connectSocket({ path: `${host}/.s.PGSQL.${port}` }) : connectSocket({ host, port, noDelay: true, keepAlive: true })
  opened(plain.on('error', noop))
  await firstOf(plain, 'connect')
  if (local && tls.mode !== 'disable' && tls.mode !== 'prefer') throw new UpstreamError('TLS is required, and a unix socket has none')
  if (local || tls.mode === 'disable' || !(await targetAcceptsTls(plain, tls))) return plain
  const secure = connectTls({ socket: plain, ...tlsOptions(options) })
  opened(secure.on('error', noop))
  await handshake(secure, 'secureConnect', plain, options).catch((cause: unknown) => {
    throw new UpstreamError(`TLS with the target failed: ${(cause as Error).message}`, { cause })
  })
  return secure
}

/** SSLRequest, answered by one byte. Anything behind it was not sent by an honest target (CVE-2021-23222). */
async function targetAcceptsTls(plain: Socket, tls: UpstreamTls): Promise<boolean> {
  plain.write(SSL_REQUEST)
  const answer = await firstBytes(plain)
  if (answer.length !== 1) throw new UpstreamError('the target sent unencrypted data before TLS')
  if (answer[0] === ACCEPTED) return true
  if (answer[0] !== REFUSED) throw new UpstreamError('the target does not understand a request for TLS')
  if (tls.mode !== 'prefer' || tls.channelBinding === 'require') throw new UpstreamError('TLS is required, and the target does not offer it')
  return false
}

function tlsOptions({ host, tls }: UpstreamAddress): ConnectionOptions {
  const name = tls.serverName ?? host
  const verifyChain = tls.mode === 'verify-ca' || tls.mode === 'verify-full' || (tls.mode === 'require' && tls.ca !== undefined)
  const key = typeof tls.key === 'object' ? tls.key.reveal() : tls.key
  return {
    host: name,
    servername: isIP(name) === 0 ? name : '',
    minVersion: MIN_TLS_VERSION,
    ALPNProtocols: ['postgresql'],
    rejectUnauthorized: verifyChain,
    checkServerIdentity: tls.mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(name, certificate) : noop,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(key === undefined ? {} : { key }),
  }
}

function isEncrypted(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket && socket.encrypted === true
}

function bindingOf(socket: Socket, tls: UpstreamTls): Buffer | undefined {
  if (!isEncrypted(socket) || tls.channelBinding === 'disable') return undefined
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : tlsServerEndPoint(certificate)
}

async function logIn(socket: Socket, login: UpstreamLogin): Promise<LoginResult> {
  socket.write(login.start())
  let step = await login.receive()
  while (step.kind !== 'ready') {
    if (step.kind === 'send') socket.write(step.bytes)
    step = await login.receive(step.kind === 'wait' ? await firstBytes(socket) : undefined)
  }
  return { ...step.result, leftover: Buffer.concat([step.result.leftover, release(socket)]) }
}

/** The next chunk. */
async function firstBytes(socket: Socket): Promise<Buffer> {
  for (;;) {
    const chunk: unknown = socket.read()
    if (Buffer.isBuffer(chunk)) return chunk
    if (socket.readableEnded || socket.destroyed) throw new Error(socket.errored?.message ?? 'the target closed the connection')
    await firstOf(socket, 'readable')
  }
}

/** Resolves on `event`; rejects on an error, or when the peer leaves. */
function firstOf(socket: Socket, event: 'connect' | 'readable'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const arrived = (): void => resolve()
  const left = (): void => reject(new Error('the target closed the connection'))
  socket.once(event, arrived).once('error', reject).once('close', left).once('end', left)
  return promise.finally(() => socket.off(event, arrived).off('error', reject).off('close', left).off('end', left))
}
