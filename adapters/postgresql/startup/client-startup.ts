import { ENCRYPTION_ACCEPTED, ENCRYPTION_REFUSED } from './backend-messages.ts'
import { ProtocolViolation } from './protocol-violation.ts'
import { parseStartupPacket, startupPacketLength, type StartupMessage } from './startup-packet.ts'

/** What to do next. */
export type StartupStep =
  /** More bytes are needed. */
  | { readonly kind: 'wait' }
  /** Send this, then go on receiving. */
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** Send this, then hand the socket to TLS; go on with what comes out of it. Nothing came after the request. */
  | { readonly kind: 'upgrade'; readonly bytes: Buffer }
  /** The client began with TLS (sslnegotiation=direct): hand the socket, and these bytes of it, to TLS. */
  | { readonly kind: 'direct-tls'; readonly received: Buffer }
  /** Find the session, cancel, and close without an answer. */
  | { readonly kind: 'cancel'; readonly processId: number; readonly secret: Buffer }
  | { readonly kind: 'startup'; readonly message: StartupMessage; readonly leftover: Buffer }
  /** The client says goodbye before it began: close without an answer. */
  | { readonly kind: 'left' }

const WAIT: StartupStep = { kind: 'wait' }
const TLS_HANDSHAKE_RECORD = 0x16
/** Terminate, which drivers send when they are told to end while they still connect; the server says nothing to it either. */
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

/**
 * Everything before the authentication request, without I/O: feed it what the client sent, do what it says.
 * One instance per connection, also across the upgrade to TLS. After a step other than `wait`, `answer`, `upgrade` or
 * `direct-tls` it is done. Holds at most one startup packet.
 */
export class ClientStartup {
  readonly #tlsOffered: boolean
  #received: Buffer = Buffer.alloc(0)
  #encrypted = false
  #askedTls = false
  #askedGss = false

  /** `tls`: whether the listener has a certificate. */
  constructor(options: { tls: boolean }) {
    this.#tlsOffered = options.tls
  }

  /** Whether what comes in is out of TLS. */
  get encrypted(): boolean {
    return this.#encrypted
  }

  /** Throws `ProtocolViolation`. After an `answer`, call it again with no bytes: more may be here already. */
  receive(bytes: Buffer = Buffer.alloc(0)): StartupStep {
    const received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    this.#received = received
    if (received[0] === TLS_HANDSHAKE_RECORD && this.#isFirst()) return this.#directTls(received)
    if (received.subarray(0, TERMINATE.length).equals(TERMINATE)) return { kind: 'left' }
    const length = startupPacketLength(received)
    if (length === undefined || received.length < length) return this.#keep(received)
    this.#received = received.subarray(length)
    return this.#next(received.subarray(0, length))
  }

  #next(bytes: Buffer): StartupStep {
    const packet = parseStartupPacket(bytes)
    switch (packet.kind) {
      case 'ssl-request':
        return this.#sslRequest()
      case 'gssenc-request':
        return this.#gssRequest()
      case 'cancel-request':
        return { kind: 'cancel', processId: packet.processId, secret: packet.secret }
      case 'startup':
        return { kind: 'startup', message: packet, leftover: Buffer.from(this.#received) }
      default:
        return packet satisfies never
    }
  }

  #sslRequest(): StartupStep {
    if (this.#askedTls || this.#encrypted) throw new ProtocolViolation('08P01', 'a second SSLRequest')
    this.#askedTls = true
    if (!this.#tlsOffered) return { kind: 'answer', bytes: ENCRYPTION_REFUSED }
    this.#refuseInjected()
    this.#encrypted = true
    return { kind: 'upgrade', bytes: ENCRYPTION_ACCEPTED }
  }

  #gssRequest(): StartupStep {
    if (this.#askedGss || this.#encrypted) throw new ProtocolViolation('08P01', 'a second GSSENCRequest')
    this.#askedGss = true
    return { kind: 'answer', bytes: ENCRYPTION_REFUSED }
  }

  #directTls(received: Buffer): StartupStep {
    if (!this.#tlsOffered) throw new ProtocolViolation('08P01', 'direct TLS connection, but TLS is not set up here')
    this.#received = Buffer.alloc(0)
    this.#encrypted = true
    return { kind: 'direct-tls', received }
  }

  #isFirst(): boolean {
    return !this.#encrypted && !this.#askedTls && !this.#askedGss
  }

  /** Plain bytes behind the request would be taken as if they had come by TLS (CVE-2021-23214). */
  #refuseInjected(): void {
    if (this.#received.length > 0) throw new ProtocolViolation('08P01', 'received unencrypted data after SSL request')
  }

  /** The peer's buffer is not ours to hold. */
  #keep(received: Buffer): StartupStep {
    this.#received = Buffer.from(received)
    return WAIT
  }
}
