/**
 * The first packet of a client, which has no type byte:
 *
 *     Int32 length (itself included) · Int32 code · payload
 *     code 3.x   StartupMessage: (name NUL value NUL)* NUL
 *     80877102   CancelRequest: Int32 process id · secret key (4 bytes in 3.0, 4 to 256 in 3.2)
 *     80877103   SSLRequest
 *     80877104   GSSENCRequest
 *
 * Source: PostgreSQL documentation, "Message Formats", "Protocol versions"; backend_startup.c.
 */
import { ProtocolViolation } from './protocol-violation.ts'

export type StartupPacket =
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'gssenc-request' }
  | { readonly kind: 'cancel-request'; readonly processId: number; readonly secret: Buffer }
  | StartupMessage

export interface StartupMessage {
  readonly kind: 'startup'
  readonly major: number
  readonly minor: number
  readonly user: string
  /** The user's name when the client named none, as in PostgreSQL. */
  readonly database: string
  /** Everything the client sent, `user` and `database` included; of a name that came twice, the last. */
  readonly parameters: ReadonlyMap<string, string>
  /** Names of `_pq_.` protocol extensions asked for, in order; none is known. */
  readonly protocolOptions: readonly string[]
}

/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH), the length word not counted. */
export const MAX_STARTUP_PACKET_BYTES = 10_000
export const MIN_CANCEL_KEY_BYTES = 4
export const MAX_CANCEL_KEY_BYTES = 256
const LENGTH_BYTES = 4
const SPECIAL_MAJOR = 1234
const CANCEL_REQUEST = 5678
const SSL_REQUEST = 5679
const GSSENC_REQUEST = 5680
const CANCEL_HEADER_BYTES = 12

/** How many bytes the packet at `start` has, its length word included; `undefined` while the length word is not whole. */
export function startupPacketLength(buffer: Buffer, start = 0): number | undefined {
  if (buffer.length - start < LENGTH_BYTES) return undefined
  const length = buffer.readUInt32BE(start)
  if (length < 2 * LENGTH_BYTES || length > MAX_STARTUP_PACKET_BYTES + LENGTH_BYTES) {
    throw new ProtocolViolation('08P01', 'invalid length of startup packet')
  }
  return length
}

/** `packet` is exactly one packet, its length word included. Throws `ProtocolViolation`. The result keeps no part of it. */
export function parseStartupPacket(packet: Buffer): StartupPacket {
  if (startupPacketLength(packet) !== packet.length) throw new ProtocolViolation('08P01', 'invalid length of startup packet')
  const major = packet.readUInt16BE(4)
  const minor = packet.readUInt16BE(6)
  return major === SPECIAL_MAJOR ? parseSpecial(packet, minor) : parseStartupMessage(packet, major, minor)
}

function parseSpecial(packet: Buffer, code: number): StartupPacket {
  if (code === CANCEL_REQUEST) return parseCancelRequest(packet)
  if (code !== SSL_REQUEST && code !== GSSENC_REQUEST) throw unsupportedVersion(SPECIAL_MAJOR, code)
  if (packet.length !== 8) throw new ProtocolViolation('08P01', 'invalid length of startup packet')
  return { kind: code === SSL_REQUEST ? 'ssl-request' : 'gssenc-request' }
}

function parseCancelRequest(packet: Buffer): StartupPacket {
  const keyBytes = packet.length - CANCEL_HEADER_BYTES
  if (keyBytes < MIN_CANCEL_KEY_BYTES || keyBytes > MAX_CANCEL_KEY_BYTES) {
    throw new ProtocolViolation('08P01', 'invalid length of cancel request packet')
  }
  return { kind: 'cancel-request', processId: packet.readInt32BE(8), secret: Buffer.from(packet.subarray(CANCEL_HEADER_BYTES)) }
}

function parseStartupMessage(packet: Buffer, major: number, minor: number): StartupMessage {
  if (major !== 3) throw unsupportedVersion(major, minor)
  const parameters = new Map<string, string>()
  const protocolOptions: string[] = []
  for (const [name, value] of pairs(packet)) {
    if (name.startsWith('_pq_.')) protocolOptions.push(name)
    else parameters.set(name, value)
  }
  const user = parameters.get('user') ?? ''
  if (user === '') throw new ProtocolViolation('28000', 'no PostgreSQL user name specified in startup packet')
  const named = parameters.get('database') ?? ''
  return { kind: 'startup', major, minor, user, database: named === '' ? user : named, parameters, protocolOptions }
}

function* pairs(packet: Buffer): Generator<[string, string]> {
  let at = 8
  for (;;) {
    const nameEnd = packet.indexOf(0, at)
    if (nameEnd === at && at === packet.length - 1) return
    const valueEnd = nameEnd <= at ? -1 : packet.indexOf(0, nameEnd + 1)
    if (valueEnd === -1) throw new ProtocolViolation('08P01', 'invalid startup packet layout: expected terminator as last byte')
    const name = text(packet, at, nameEnd)
    yield [name, text(packet, nameEnd + 1, valueEnd, name)]
    at = valueEnd + 1
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Names decide who may do what, so they are never guessed from bytes that are not UTF-8. */
function text(packet: Buffer, start: number, end: number, parameter?: string): string {
  try {
    return utf8.decode(packet.subarray(start, end))
  } catch {
    if (parameter === 'application_name') return escaped(packet.subarray(start, end))
    throw new ProtocolViolation('22021', `startup parameter ${parameter === undefined ? 'name' : `"${parameter}"`} is not valid UTF-8`)
  }
}

/** As PostgreSQL shows such an application name (pg_clean_ascii). */
function escaped(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function unsupportedVersion(major: number, minor: number): ProtocolViolation {
  return new ProtocolViolation('0A000', `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`)
}
