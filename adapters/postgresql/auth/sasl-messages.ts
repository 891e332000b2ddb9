/** What a client answers to an authentication request. Source: PostgreSQL documentation, "Message Formats". */
import { ProtocolViolation } from '../startup/protocol-violation.ts'
import { MAX_SCRAM_MESSAGE_BYTES } from './scram-server.ts'

export interface SaslInitialResponse {
  readonly mechanism: string
  readonly data: string
}

const PASSWORD_MESSAGE = 0x70
const HEADER_BYTES = 5
/** A mechanism's name, its terminator and the length of what follows come on top of a SCRAM message. */
const MAX_RESPONSE_BYTES = MAX_SCRAM_MESSAGE_BYTES + 64

/** Length of the whole response at the start of `buffer`, header included; `undefined` while its header is not whole. */
export function responseLength(buffer: Buffer): number | undefined {
  if (buffer.length > 0 && buffer[0] !== PASSWORD_MESSAGE) throw new ProtocolViolation('08P01', 'expected SASL response')
  if (buffer.length < HEADER_BYTES) return undefined
  const length = buffer.readUInt32BE(1)
  if (length < 4 || length > MAX_RESPONSE_BYTES) throw new ProtocolViolation('08P01', 'invalid length of SASL response')
  return length + 1
}

/** Mechanism NUL · Int32 length · data. */
export function parseSaslInitialResponse(response: Buffer): SaslInitialResponse {
  const nul = response.indexOf(0, HEADER_BYTES)
  if (nul === -1 || response.length < nul + 5) throw new ProtocolViolation('08P01', 'malformed SASL initial response')
  if (response.readInt32BE(nul + 1) !== response.length - nul - 5) throw new ProtocolViolation('08P01', 'malformed SASL initial response')
  return { mechanism: response.toString('latin1', HEADER_BYTES, nul), data: response.toString('utf8', nul + 5) }
}

export function parseSaslResponse(response: Buffer): string {
  return response.toString('utf8', HEADER_BYTES)
}
