/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, without I/O.
 * Source: RFC 5802, RFC 7677; the exchange is drawn in scram-server.ts.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from './base64.ts'
import { deriveKeys, hmac, xor } from './scram-keys.ts'
import { SCRAM, SCRAM_PLUS } from './scram-server.ts'
import { MAX_ITERATIONS } from './scram-verifier.ts'
import { UpstreamError } from './upstream-error.ts'

const NONCE_BYTES = 18
const MAX_MESSAGE_LENGTH = 4096
const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,6})(?:,.*)?$/s
const SERVER_FINAL = /^v=([A-Za-z0-9+/=]+)(?:,.*)?$/s

export interface ScramClientOptions {
  readonly password: string
  /** As the target offered them. */
  readonly offered: readonly string[]
  /** tls-server-end-point of the target's certificate, when there is TLS and it can be computed. */
  readonly channelBinding?: Buffer | undefined
  readonly requireChannelBinding?: boolean
  /** Left empty for PostgreSQL, which takes the startup packet's. */
  readonly user?: string
  /** For tests with published vectors. */
  readonly nonce?: string
}

/** One exchange: `first`, `final`, `verify`, once each. Throws `UpstreamError` for whatever is not as it should be. */
export class ScramClient {
  readonly mechanism: string
  readonly #password: string
  readonly #header: string
  readonly #binding: Buffer
  readonly #firstBare: string
  readonly #nonce: string
  #signature: Buffer | undefined

  constructor(options: ScramClientOptions) {
    const { offered, channelBinding } = options
    const plus = channelBinding !== undefined && offered.includes(SCRAM_PLUS)
    if (!plus && options.requireChannelBinding === true) throw new UpstreamError('channel binding is required, but the target does not offer it')
    if (!plus && !offered.includes(SCRAM)) throw new UpstreamError('the target offers no SASL mechanism that the gateway speaks')
    this.mechanism = plus ? SCRAM_PLUS : SCRAM
    this.#header = plus ? 'p=tls-server-end-point,,' : channelBinding === undefined ? 'n,,' : 'y,,'
    this.#binding = plus ? channelBinding : Buffer.alloc(0)
    this.#password = options.password
    this.#nonce = options.nonce ?? randomBytes(NONCE_BYTES).toString('base64')
    this.#firstBare = `n=${options.user ?? ''},r=${this.#nonce}`
  }

  first(): string {
    return this.#header + this.#firstBare
  }

  /** server-first → client-final. */
  async final(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = this.#parseFirst(serverFirst)
    const binding = Buffer.concat([Buffer.from(this.#header), this.#binding]).toString('base64')
    const withoutProof = `c=${binding},r=${nonce}`
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`
    const { clientKey, storedKey, serverKey } = await deriveKeys(this.#password, salt, iterations)
    this.#signature = hmac(serverKey, authMessage)
    return `${withoutProof},p=${xor(clientKey, hmac(storedKey, authMessage)).toString('base64')}`
  }

  /** Proves that the target knows the password's verifier, too. */
  verify(serverFinal: string): void {
    const [, text = ''] = serverFinal.length > MAX_MESSAGE_LENGTH ? [] : (SERVER_FINAL.exec(serverFinal) ?? [])
    const signature = decodeBase64(text)
    const expected = this.#signature
    if (expected === undefined || signature?.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new UpstreamError('the target could not prove that it knows the password (wrong SCRAM server signature)')
    }
  }

  /** A hostile server must not make us compute for hours. */
  #parseFirst(serverFirst: string): { nonce: string; salt: Buffer; iterations: number } {
    const [, nonce = '', saltText = '', digits] = serverFirst.length > MAX_MESSAGE_LENGTH ? [] : (SERVER_FIRST.exec(serverFirst) ?? [])
    const salt = decodeBase64(saltText)
    const iterations = Number(digits)
    if (salt === undefined || salt.length === 0 || !(iterations <= MAX_ITERATIONS)) throw new UpstreamError('malformed SCRAM message from the target')
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) throw new UpstreamError('the target answered with another SCRAM nonce')
    return { nonce, salt, iterations }
  }
}
