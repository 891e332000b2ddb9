import { encodeAuthenticationOk, encodeAuthenticationSasl, encodeAuthenticationSaslContinue, encodeAuthenticationSaslFinal } from '../startup/backend-messages.ts'
import { ProtocolViolation } from '../startup/protocol-violation.ts'
import { parseSaslInitialResponse, parseSaslResponse, responseLength } from './sasl-messages.ts'
import { ScramServer, type ScramServerOptions } from './scram-server.ts'

export type ClientLoginStep =
  /** More bytes are needed. */
  | { readonly kind: 'wait' }
  /** Send this, then go on receiving. */
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** Proven. Send `bytes` (SASL final and AuthenticationOk), then ParameterStatus, BackendKeyData and ReadyForQuery. */
  | { readonly kind: 'authenticated'; readonly bytes: Buffer; readonly method: string; readonly leftover: Buffer }
  /** Wrong password or unknown user: answer 28P01 `password authentication failed for user "…"`, and close. */
  | { readonly kind: 'refused' }

const NOTHING = Buffer.alloc(0)

/** Has a client prove itself with SCRAM, without I/O. Holds at most one response of the client. */
export class ClientLogin {
  readonly #scram: ScramServer
  #received: Buffer = NOTHING
  #mechanism = ''

  constructor(options: ScramServerOptions) {
    this.#scram = new ScramServer(options)
  }

  /** The authentication request. */
  start(): Buffer {
    return encodeAuthenticationSasl(this.#scram.mechanisms)
  }

  /** Throws `ProtocolViolation`. After an `answer`, call it again with no bytes: more may be here already. */
  receive(bytes: Buffer = NOTHING): ClientLoginStep {
    const received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    const length = responseLength(received)
    if (length === undefined || received.length < length) {
      this.#received = Buffer.from(received)
      return { kind: 'wait' }
    }
    this.#received = received.subarray(length)
    const response = received.subarray(0, length)
    return this.#mechanism === '' ? this.#first(response) : this.#final(response)
  }

  #first(response: Buffer): ClientLoginStep {
    const { mechanism, data } = parseSaslInitialResponse(response)
    if (mechanism === '') throw new ProtocolViolation('08P01', 'malformed SASL initial response')
    this.#mechanism = mechanism
    return { kind: 'answer', bytes: encodeAuthenticationSaslContinue(this.#scram.first(mechanism, data)) }
  }

  #final(response: Buffer): ClientLoginStep {
    const signature = this.#scram.final(parseSaslResponse(response))
    if (signature === undefined) return { kind: 'refused' }
    const bytes = Buffer.concat([encodeAuthenticationSaslFinal(signature), encodeAuthenticationOk()])
    return { kind: 'authenticated', bytes, method: this.#mechanism.toLowerCase(), leftover: Buffer.from(this.#received) }
  }
}
