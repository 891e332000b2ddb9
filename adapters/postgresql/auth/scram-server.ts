/**
 * The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, without I/O.
 * Source: RFC 5802 (sections 5 to 7), RFC 7677, RFC 5929 (tls-server-end-point); PostgreSQL's auth-scram.c.
 *
 *     client-first   gs2-header n=<user>,r=<nonce>      gs2-header: n,, | y,, | p=tls-server-end-point,,
 *     server-first   r=<nonce>,s=<salt>,i=<iterations>
 *     client-final   c=<gs2-header and binding>,r=<nonce>,p=<proof>
 *     server-final   v=<signature>
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from './base64.ts'
import { ProtocolViolation } from '../startup/protocol-violation.ts'
import { hmac, SCRAM_KEY_BYTES, sha256, xor } from './scram-keys.ts'
import { mockVerifier, type ScramVerifier } from './scram-verifier.ts'

export const SCRAM = 'SCRAM-SHA-256'
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS'
/** As PostgreSQL (PG_MAX_SASL_MESSAGE_LENGTH). */
export const MAX_SCRAM_MESSAGE_BYTES = 1024
/** As PostgreSQL (SCRAM_RAW_NONCE_LEN). */
const NONCE_BYTES = 18
const CLIENT_FIRST = /^(n|y|p=([A-Za-z0-9.-]+)),(a=[^,]*)?,(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^,]*)*),p=([A-Za-z0-9+/=]+)$/s

export interface ScramServerOptions {
  /** Absent: the user is unknown; the exchange runs to its end, and fails. */
  readonly verifier: ScramVerifier | undefined
  /** The name in the startup packet; as in PostgreSQL, the one in the SCRAM messages is not looked at. */
  readonly user: string
  /** The gateway's own, at least 16 bytes, the same after a restart. */
  readonly mockSecret: Buffer
  /** Should be what the real verifiers have, or an unknown user shows by its iterations. */
  readonly mockIterations?: number
  /** tls-server-end-point of the gateway's certificate, when the client came by TLS. */
  readonly channelBinding?: Buffer | undefined
  /** For tests with published vectors. */
  readonly nonce?: string
}

/** `undefined`: the proof is wrong, or the user unknown; which of the two is not to be told. */
export type ScramFinal = string | undefined

/** One exchange: `first`, then `final`, once each. Both throw `ProtocolViolation` for what is not SCRAM. */
export class ScramServer {
  readonly #options: ScramServerOptions
  readonly #verifier: ScramVerifier
  #serverFirst = ''
  #clientFirstBare = ''
  #nonce = ''
  #binding = ''

  constructor(options: ScramServerOptions) {
    this.#options = options
    this.#verifier = options.verifier ?? mockVerifier(options.user, options.mockSecret, options.mockIterations)
  }

  /** What to offer, best first. */
  get mechanisms(): string[] {
    return this.#options.channelBinding === undefined ? [SCRAM] : [SCRAM_PLUS, SCRAM]
  }

  /** client-first → server-first. */
  first(mechanism: string, message: string): string {
    if (this.#nonce !== '') throw malformed('a second first message')
    if (!this.mechanisms.includes(mechanism)) throw malformed('the client selected a mechanism that was not offered')
    const [, flag = '', bindingType, authorization, bare = '', , nonce = ''] = CLIENT_FIRST.exec(capped(message)) ?? []
    if (flag === '') throw malformed('its first message')
    if (authorization !== undefined) throw new ProtocolViolation('0A000', 'client uses authorization identity, but it is not supported')
    this.#binding = this.#expectedBinding(mechanism, flag, bindingType)
    this.#clientFirstBare = bare
    this.#nonce = nonce + (this.#options.nonce ?? randomBytes(NONCE_BYTES).toString('base64'))
    const { salt, iterations } = this.#verifier
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`
    return this.#serverFirst
  }

  /** client-final → server-final. */
  final(message: string): ScramFinal {
    if (this.#nonce === '') throw malformed('a final message before the first')
    const [, withoutProof = '', binding, nonce, proofText = ''] = CLIENT_FINAL.exec(capped(message)) ?? []
    const proof = decodeBase64(proofText)
    if (proof?.length !== SCRAM_KEY_BYTES) throw malformed('its final message')
    if (nonce !== this.#nonce) throw malformed('the nonce does not match')
    if (binding !== this.#binding) throw new ProtocolViolation('28000', 'SCRAM channel binding check failed')
    return this.#verify(`${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`, proof)
  }

  /** The whole work is done for an unknown user too, so that time tells nothing. */
  #verify(authMessage: string, proof: Buffer): ScramFinal {
    const { storedKey, serverKey } = this.#verifier
    const clientKey = xor(proof, hmac(storedKey, authMessage))
    const right = timingSafeEqual(sha256(clientKey), storedKey)
    const signature = hmac(serverKey, authMessage).toString('base64')
    return right && this.#options.verifier !== undefined ? `v=${signature}` : undefined
  }

  /** What `c=` must say, in base64 (RFC 5802, section 6). */
  #expectedBinding(mechanism: string, flag: string, bindingType: string | undefined): string {
    const plus = mechanism === SCRAM_PLUS
    const own = this.#options.channelBinding
    if (flag === 'y' && own !== undefined) {
      throw new ProtocolViolation('28000', 'SCRAM channel binding negotiation error: the client supports channel binding but thinks the server does not')
    }
    if (plus !== (bindingType !== undefined)) throw malformed('its channel binding does not fit the mechanism')
    if (!plus || own === undefined) return Buffer.from(`${flag},,`).toString('base64')
    if (bindingType !== 'tls-server-end-point') throw new ProtocolViolation('08P01', 'unsupported SCRAM channel-binding type')
    return Buffer.concat([Buffer.from('p=tls-server-end-point,,'), own]).toString('base64')
  }
}

function capped(message: string): string {
  if (message.length > MAX_SCRAM_MESSAGE_BYTES) throw malformed('a message too long')
  return message
}

function malformed(what: string): ProtocolViolation {
  return new ProtocolViolation('08P01', `malformed SCRAM message: ${what}`)
}
