/** TLS as listeners use it, whatever their protocol; and channel binding data for both sides. */
import { constants, createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion, TLSSocket } from 'node:tls'
import { SallyportError } from '../../core/index.ts'

export const MIN_TLS_VERSION: SecureVersion = 'TLSv1.2'
const MAX_HANDSHAKE_MS = 60_000

export interface ServerTlsOptions {
  /** PEM: the certificate, then the chain below the root. */
  readonly cert: string
  /** PEM, unencrypted. */
  readonly key: string
  /** PEM: authorities of client certificates; without it, none is asked for. */
  readonly ca?: string
  /** Default `optional` when there is a `ca`. A certificate that is shown must be valid either way. */
  readonly clientCertificates?: 'optional' | 'required'
  /** ALPN protocols, for instance `postgresql`. A client that offers only others is refused. */
  readonly alpn?: readonly string[]
}

/** What a listener needs for every connection, made once. */
export interface ServerTls {
  readonly context: SecureContext
  readonly alpn: readonly string[]
  readonly clientCertificates: 'none' | 'optional' | 'required'
  /** tls-server-end-point of the certificate; absent when its signature algorithm names no hash. */
  readonly channelBinding: Buffer | undefined
}

/** Throws `CONFIG_INVALID`, without a word of the PEM texts. */
export function createServerTls(options: ServerTlsOptions): ServerTls {
  const certificate = parsed('certificate', () => new X509Certificate(options.cert))
  const key = parsed('private key', () => createPrivateKey(options.key))
  if (!certificate.checkPrivateKey(key)) throw new SallyportError('CONFIG_INVALID', 'TLS: the private key does not belong to the certificate')
  const context = parsed('settings', () => createSecureContext(contextOptions(options)))
  const asked = options.ca === undefined ? 'none' : (options.clientCertificates ?? 'optional')
  return { context, alpn: options.alpn ?? [], clientCertificates: asked, channelBinding: tlsServerEndPoint(certificate) }
}

function contextOptions({ cert, key, ca }: ServerTlsOptions): SecureContextOptions {
  const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION
  return { cert, key, minVersion: MIN_TLS_VERSION, secureOptions, ...(ca === undefined ? {} : { ca }) }
}

/** OpenSSL's messages say what is wrong and quote no key. */
function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new SallyportError('CONFIG_INVALID', `TLS: the ${what} cannot be used: ${(cause as Error).message}`, { cause })
  }
}

/** The hash in a signature algorithm's name: `sha256WithRSAEncryption`, `ecdsa-with-SHA384`. */
const NAMED_HASH = /(md5|sha-?1|sha-?224|sha-?256|sha-?384|sha-?512)(?!\d)/i

/**
 * The certificate's hash by the hash of its own signature, MD5 and SHA-1 raised to SHA-256. Source: RFC 5929, section 4.1.
 * `undefined` where the algorithm names none (Ed25519, RSA-PSS), for which the binding is not defined.
 */
export function tlsServerEndPoint(certificate: X509Certificate): Buffer | undefined {
  const named = NAMED_HASH.exec(certificate.signatureAlgorithm ?? '')?.[1]?.toLowerCase().replace('-', '')
  if (named === undefined) return undefined
  return createHash(named === 'md5' || named === 'sha1' ? 'sha256' : named).update(certificate.raw).digest()
}

export interface AcceptTlsOptions extends HandshakeLimits {
  /** Sent before the handshake, in the clear: PostgreSQL's `S`. */
  readonly answer?: Buffer
  /**
   * Bytes the caller has read behind the request to go over to TLS. There must be none: they came in the clear, and
   * would be taken for the encrypted client's (CVE-2021-23214).
   */
  readonly buffered?: Uint8Array
  /** Direct TLS: the beginning of the handshake, which the caller has read already. */
  readonly handshake?: Uint8Array
  /** Refuse a client that did not agree on one of `alpn`. PostgreSQL demands it for direct TLS. */
  readonly requireAlpn?: boolean
}

export interface AcceptedTls {
  /** Paused, with nothing read from it. */
  readonly socket: TLSSocket
  /** Present and verified, or absent. */
  readonly clientCertificate: X509Certificate | undefined
}

/**
 * The server's side of the handshake on a socket in use. The caller has removed its own `data` listeners; `socket` is not
 * to be touched afterwards. Rejects with `PROTOCOL_VIOLATION` and destroys the socket when the handshake fails, takes
 * longer than `timeoutMs` (default 60 s), or is aborted.
 */
export async function acceptTls(socket: Socket, tls: ServerTls, options: AcceptTlsOptions = {}): Promise<AcceptedTls> {
  socket.pause()
  refuseInjected(socket, options)
  if (options.answer !== undefined) socket.write(options.answer)
  if (options.handshake !== undefined) socket.unshift(options.handshake)
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: tls.context,
    requestCert: tls.clientCertificates !== 'none',
    rejectUnauthorized: tls.clientCertificates === 'required',
    ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
  })
  try {
    await handshake(secure, 'secure', socket, options)
    return { socket: secure, clientCertificate: checkPeer(secure, options) }
  } catch (cause) {
    secure.destroy()
    socket.destroy()
    throw cause instanceof SallyportError ? cause : new SallyportError('PROTOCOL_VIOLATION', `TLS handshake failed: ${(cause as Error).message}`, { cause })
  }
}

function refuseInjected(socket: Socket, { buffered, handshake: received }: AcceptTlsOptions): void {
  if ((buffered?.length ?? 0) === 0 && (received !== undefined || socket.readableLength === 0)) return
  socket.destroy()
  throw new SallyportError('PROTOCOL_VIOLATION', 'received unencrypted data after SSL request')
}

function checkPeer(secure: TLSSocket, options: AcceptTlsOptions): X509Certificate | undefined {
  if (options.requireAlpn === true && typeof secure.alpnProtocol !== 'string') {
    throw new SallyportError('PROTOCOL_VIOLATION', 'received direct TLS connection without ALPN protocol negotiation')
  }
  const certificate = secure.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const problem = verificationProblem(secure)
  if (problem !== undefined) throw new SallyportError('PROTOCOL_VIOLATION', `client certificate refused: ${problem}`)
  return certificate
}

/** `authorized` is set by `tls.Server` alone; a socket of our own has to ask where that asks. */
function verificationProblem(secure: TLSSocket): string | undefined {
  const { _handle: handle } = secure as unknown as { _handle?: { verifyError?(): (Error & { code?: string }) | null | undefined } | null }
  if (handle?.verifyError === undefined) return 'it cannot be verified'
  const error = handle.verifyError()
  return error === null || error === undefined ? undefined : (error.code ?? error.message)
}

/** An error before the new owner listens must not end the process; it sees `destroyed`. */
const ignore = (): void => undefined

export interface HandshakeLimits {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Resolves on `event` (`secure` for a server, `secureConnect` for a client); rejects on error, close, time-out or abort. */
export function handshake(secure: TLSSocket, event: 'secure' | 'secureConnect', below: Socket, options: HandshakeLimits): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const closed = (): void => reject(new Error('the peer closed the connection'))
  const aborted = (): void => reject(new Error('aborted'))
  const timer = setTimeout(() => reject(new Error('timed out')), options.timeoutMs ?? MAX_HANDSHAKE_MS)
  secure.on('error', ignore).once(event, resolve).once('error', reject).once('close', closed)
  below.once('error', reject)
  options.signal?.addEventListener('abort', aborted)
  if (options.signal?.aborted === true) aborted()
  return promise.finally(() => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', aborted)
    secure.off(event, resolve).off('error', reject).off('close', closed)
    below.off('error', reject)
  })
}
