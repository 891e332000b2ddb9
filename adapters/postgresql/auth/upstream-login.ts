/**
 * The gateway's own login to a target, without I/O: bytes in, the next step out.
 * Source: PostgreSQL documentation, "Start-up", "SASL Authentication".
 */
import { createHash } from 'node:crypto'
import type { TransactionStatus } from '../startup/backend-messages.ts'
import { type ErrorFields, parseErrorFields } from '../startup/error-fields.ts'
import { int32, message, untypedMessage } from '../startup/message-writer.ts'
import { MAX_CANCEL_KEY_BYTES } from '../startup/startup-packet.ts'
import { ScramClient } from './scram-client.ts'
import { refusedByTarget, UpstreamError } from './upstream-error.ts'

export interface UpstreamLoginOptions {
  readonly user: string
  /** A `Secret`, or anything else that shows itself only when asked. */
  readonly password?: Revealable | string | undefined
  readonly database: string
  /** More startup parameters: `application_name`, `client_encoding`, `options`, … */
  readonly parameters?: Readonly<Record<string, string>>
  /** Whether the bytes travel in TLS: only then is a password sent in the clear. */
  readonly encrypted: boolean
  /** tls-server-end-point of the target's certificate (RFC 5929). */
  readonly channelBinding?: Buffer | undefined
  readonly requireChannelBinding?: boolean
  /** 0 (default), or 2 to be given long cancel keys by PostgreSQL 18. */
  readonly protocolMinor?: 0 | 2
}

export interface Revealable {
  reveal(): string
}

export interface BackendKey {
  readonly processId: number
  /** 4 bytes, or up to 256 in protocol 3.2. */
  readonly secret: Buffer
}

export interface LoginResult {
  /** Every ParameterStatus so far. */
  readonly parameters: Map<string, string>
  /** Absent when the target (a pooler) gave none: then it cannot cancel. */
  readonly backendKey: BackendKey | undefined
  readonly transactionStatus: TransactionStatus
  /** What came behind ReadyForQuery. */
  readonly leftover: Buffer
  /** NoticeResponse messages of the login, whole: a client would have seen them. */
  readonly notices: readonly Buffer[]
  /** Minor version of protocol 3 in use. */
  readonly protocolMinor: number
  /** How the gateway proved itself: `scram-sha-256-plus`, `scram-sha-256`, `md5`, `password` or `none`. */
  readonly method: string
}

export type LoginStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'send'; readonly bytes: Buffer }
  | { readonly kind: 'ready'; readonly result: LoginResult }

/** Of one message before the first ReadyForQuery. */
export const MAX_LOGIN_MESSAGE_BYTES = 64 * 1024
/** Of everything before the first ReadyForQuery. */
export const MAX_LOGIN_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const WAIT: LoginStep = { kind: 'wait' }
const NOTHING = Buffer.alloc(0)

type Handler = (login: UpstreamLogin, body: Buffer, whole: Buffer) => LoginStep | Promise<LoginStep>

/**
 * One login: send `start()`, then feed `receive` until it says `ready`; it throws `UpstreamError`, after which the
 * connection is to be closed. Calls must not overlap.
 */
export class UpstreamLogin {
  readonly #options: UpstreamLoginOptions
  readonly #parameters = new Map<string, string>()
  readonly #notices: Buffer[] = []
  #buffered: Buffer = NOTHING
  #total = 0
  #scram: ScramClient | undefined
  #scramStage: 'first' | 'final' | 'verified' = 'first'
  #method = 'none'
  #authenticated = false
  #backendKey: BackendKey | undefined
  #minor: number

  constructor(options: UpstreamLoginOptions) {
    this.#options = options
    this.#minor = options.protocolMinor ?? 0
  }

  /** The StartupMessage. */
  start(): Buffer {
    const { user, database, parameters = {} } = this.#options
    const pairs = Object.entries({ ...parameters, user, database }).flat()
    if (pairs.some((text) => text.includes('\0'))) throw new UpstreamError('a startup parameter contains a NUL')
    return untypedMessage(int32((3 << 16) | this.#minor), ...pairs, Buffer.of(0))
  }

  /** After a `send`, call it again with no bytes: more may be here already. */
  async receive(bytes: Buffer = NOTHING): Promise<LoginStep> {
    this.#take(bytes)
    for (;;) {
      const whole = this.#nextMessage()
      if (whole === undefined) return WAIT
      const step = await this.#dispatch(whole)
      if (step.kind !== 'wait') return step
    }
  }

  #take(bytes: Buffer): void {
    this.#total += bytes.length
    if (this.#total > MAX_LOGIN_BYTES) throw new UpstreamError(`the target sent more than ${MAX_LOGIN_BYTES} bytes before the session began`)
    this.#buffered = Buffer.concat([this.#buffered, bytes])
  }

  #nextMessage(): Buffer | undefined {
    const buffered = this.#buffered
    if (buffered.length < HEADER_BYTES) return undefined
    const length = buffered.readUInt32BE(1)
    if (length < 4 || length > MAX_LOGIN_MESSAGE_BYTES) throw new UpstreamError('the target does not speak the PostgreSQL protocol (length of a message)')
    if (buffered.length <= length) return undefined
    this.#buffered = buffered.subarray(length + 1)
    return buffered.subarray(0, length + 1)
  }

  #dispatch(whole: Buffer): LoginStep | Promise<LoginStep> {
    const type = String.fromCharCode(whole[0] ?? 0)
    const handlers = this.#authenticated ? UpstreamLogin.#starting : UpstreamLogin.#authenticating
    const handler = handlers.get(type)
    if (handler === undefined) throw new UpstreamError(`the target sent an unexpected message of type ${JSON.stringify(type)} during login`)
    return handler(this, whole.subarray(HEADER_BYTES), whole)
  }

  static readonly #either: readonly [string, Handler][] = [
    ['E', (_login, body) => { throw refusedByTarget(errorFields(body)) }],
    ['N', (login, _body, whole) => login.#notice(whole)],
  ]

  static readonly #authenticating: ReadonlyMap<string, Handler> = new Map([
    ...UpstreamLogin.#either,
    ['R', (login, body) => login.#authentication(body)],
    ['v', (login, body) => login.#negotiated(body)],
  ])

  static readonly #starting: ReadonlyMap<string, Handler> = new Map([
    ...UpstreamLogin.#either,
    ['S', (login, body) => login.#parameterStatus(body)],
    ['K', (login, body) => login.#backendKeyData(body)],
    ['Z', (login, body) => login.#ready(body)],
  ])

  static readonly #methods: ReadonlyMap<number, Handler> = new Map<number, Handler>([
    [0, (login) => login.#authenticationOk()],
    [3, (login) => login.#cleartext()],
    [5, (login, body) => login.#md5(body)],
    [10, (login, body) => login.#sasl(body)],
    [11, (login, body) => login.#saslContinue(body)],
    [12, (login, body) => login.#saslFinal(body)],
  ])

  #authentication(body: Buffer): LoginStep | Promise<LoginStep> {
    if (body.length < 4) throw malformed('authentication request')
    const code = body.readInt32BE(0)
    const handler = UpstreamLogin.#methods.get(code)
    if (handler === undefined) throw new UpstreamError(`the target asks for authentication method ${code}, which the gateway does not speak`)
    return handler(this, body.subarray(4), body)
  }

  #authenticationOk(): LoginStep {
    if (this.#scram !== undefined && this.#scramStage !== 'verified') throw new UpstreamError('the target skipped its own proof in SCRAM')
    if (this.#options.requireChannelBinding === true && this.#method !== 'scram-sha-256-plus') {
      throw new UpstreamError('channel binding is required, but the target did not use it')
    }
    this.#authenticated = true
    return WAIT
  }

  #cleartext(): LoginStep {
    if (!this.#options.encrypted) throw new UpstreamError('the target asks for the password in the clear, and the connection has no TLS')
    return this.#sendPassword('password', this.#password())
  }

  /** "md5" + md5(md5(password + user) + salt), all in hex. */
  #md5(salt: Buffer): LoginStep {
    if (salt.length !== 4) throw malformed('md5 request')
    const inner = createHash('md5').update(this.#password() + this.#options.user).digest('hex')
    return this.#sendPassword('md5', `md5${createHash('md5').update(inner).update(salt).digest('hex')}`)
  }

  #sendPassword(method: string, text: string): LoginStep {
    if (this.#method !== 'none') throw new UpstreamError('the target asks for a password twice')
    if (this.#options.requireChannelBinding === true) throw new UpstreamError('channel binding is required, but the target did not use it')
    this.#method = method
    return { kind: 'send', bytes: message('p', text) }
  }

  #sasl(body: Buffer): LoginStep {
    if (this.#method !== 'none') throw new UpstreamError('the target asks for a password twice')
    const offered = body.toString('latin1').split('\0').filter((name) => name !== '')
    const { channelBinding, requireChannelBinding = false } = this.#options
    this.#scram = new ScramClient({ password: this.#password(), offered, channelBinding, requireChannelBinding })
    this.#method = this.#scram.mechanism.toLowerCase()
    const first = Buffer.from(this.#scram.first())
    return { kind: 'send', bytes: message('p', this.#scram.mechanism, int32(first.length), first) }
  }

  async #saslContinue(body: Buffer): Promise<LoginStep> {
    if (this.#scram === undefined || this.#scramStage !== 'first') throw malformed('SASL exchange')
    this.#scramStage = 'final'
    return { kind: 'send', bytes: message('p', Buffer.from(await this.#scram.final(body.toString('utf8')))) }
  }

  #saslFinal(body: Buffer): LoginStep {
    if (this.#scram === undefined || this.#scramStage !== 'final') throw malformed('SASL exchange')
    this.#scram.verify(body.toString('utf8'))
    this.#scramStage = 'verified'
    return WAIT
  }

  /** Int32 version · Int32 count · names. Older servers answer 3.0 to a wish for 3.2. */
  #negotiated(body: Buffer): LoginStep {
    if (body.length < 8) throw malformed('protocol negotiation')
    const version = body.readInt32BE(0)
    const minor = version & 0xffff
    // Some servers give the minor version alone, as the documentation once said.
    if ((version >> 16 !== 3 && version >> 16 !== 0) || minor > this.#minor) throw malformed('protocol negotiation')
    if (body.readInt32BE(4) !== 0) throw new UpstreamError('the target refuses protocol options that the gateway did not ask for')
    this.#minor = minor
    return WAIT
  }

  #notice(whole: Buffer): LoginStep {
    errorFields(whole.subarray(HEADER_BYTES))
    this.#notices.push(Buffer.from(whole))
    return WAIT
  }

  #parameterStatus(body: Buffer): LoginStep {
    const [name, value, end, ...more] = body.toString('utf8').split('\0')
    if (name === undefined || value === undefined || end !== '' || more.length > 0) throw malformed('parameter status')
    this.#parameters.set(name, value)
    return WAIT
  }

  #backendKeyData(body: Buffer): LoginStep {
    const keyBytes = body.length - 4
    if (keyBytes < 1 || keyBytes > MAX_CANCEL_KEY_BYTES) throw malformed('cancel key')
    this.#backendKey = { processId: body.readInt32BE(0), secret: Buffer.from(body.subarray(4)) }
    return WAIT
  }

  #ready(body: Buffer): LoginStep {
    const status = body.toString('latin1')
    if (status !== 'I' && status !== 'T' && status !== 'E') throw malformed('transaction status')
    const leftover = Buffer.from(this.#buffered)
    this.#buffered = NOTHING
    const result = { parameters: this.#parameters, backendKey: this.#backendKey, transactionStatus: status, leftover }
    return { kind: 'ready', result: { ...result, notices: this.#notices, protocolMinor: this.#minor, method: this.#method } as LoginResult }
  }

  #password(): string {
    const { password } = this.#options
    if (password === undefined) throw new UpstreamError('the target asks for a password, and the configuration has none')
    return typeof password === 'string' ? password : password.reveal()
  }
}

function errorFields(body: Buffer): ErrorFields {
  try {
    return parseErrorFields(body)
  } catch {
    throw malformed('error fields')
  }
}

function malformed(what: string): UpstreamError {
  return new UpstreamError(`the target does not keep to the PostgreSQL protocol (${what})`)
}
