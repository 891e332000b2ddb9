/** What a server says before the first query. Source: PostgreSQL documentation, "Message Formats". */
import { int32, message } from './message-writer.ts'
import type { StartupMessage } from './startup-packet.ts'

/** The answers to SSLRequest and GSSENCRequest, one byte each. */
export const ENCRYPTION_ACCEPTED = Buffer.from('S')
export const ENCRYPTION_REFUSED = Buffer.from('N')
/** The newest minor version of protocol 3 that the gateway speaks. */
export const NEWEST_MINOR = 2

/** `I` idle, `T` in a transaction, `E` in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E'

export interface Negotiation {
  /** The minor version both speak from here on. */
  readonly minor: number
  /** NegotiateProtocolVersion, to be sent before the authentication request; absent when the client got all it asked for. */
  readonly answer?: Buffer
}

/** Every `_pq_.` option is refused by name, as none is known. */
export function negotiateProtocol(startup: Pick<StartupMessage, 'minor' | 'protocolOptions'>, newest = NEWEST_MINOR): Negotiation {
  const minor = Math.min(startup.minor, newest)
  if (minor === startup.minor && startup.protocolOptions.length === 0) return { minor }
  return { minor, answer: encodeNegotiateProtocolVersion(minor, startup.protocolOptions) }
}

/** The version is given whole (3.minor), as PostgreSQL's servers do and libpq expects. */
export function encodeNegotiateProtocolVersion(minor: number, options: readonly string[]): Buffer {
  return message('v', int32((3 << 16) | minor), int32(options.length), ...options)
}

export function encodeAuthenticationOk(): Buffer {
  return message('R', int32(0))
}

export function encodeAuthenticationCleartextPassword(): Buffer {
  return message('R', int32(3))
}

/** `salt`: 4 bytes. */
export function encodeAuthenticationMd5Password(salt: Buffer): Buffer {
  return message('R', int32(5), salt.subarray(0, 4))
}

export function encodeAuthenticationSasl(mechanisms: readonly string[]): Buffer {
  return message('R', int32(10), ...mechanisms, Buffer.of(0))
}

export function encodeAuthenticationSaslContinue(data: string): Buffer {
  return message('R', int32(11), Buffer.from(data))
}

export function encodeAuthenticationSaslFinal(data: string): Buffer {
  return message('R', int32(12), Buffer.from(data))
}

export function encodeParameterStatus(name: string, value: string): Buffer {
  return message('S', name, value)
}

/** `secret`: exactly 4 bytes for a client of protocol 3.0, 4 to 256 for 3.2. */
export function encodeBackendKeyData(processId: number, secret: Buffer): Buffer {
  return message('K', int32(processId), secret)
}

export function encodeReadyForQuery(status: TransactionStatus): Buffer {
  return message('Z', Buffer.from(status))
}
