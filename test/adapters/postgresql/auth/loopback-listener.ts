/** A listener that does everything up to the first query, with the gateway's own parts and nothing behind it. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { ClientLogin } from '../../../../adapters/postgresql/auth/client-login.ts'
import { parseVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'
import { encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery, negotiateProtocol } from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { ClientStartup } from '../../../../adapters/postgresql/startup/client-startup.ts'
import { encodeError } from '../../../../adapters/postgresql/startup/error-fields.ts'
import { message } from '../../../../adapters/postgresql/startup/message-writer.ts'
import type { StartupMessage } from '../../../../adapters/postgresql/startup/startup-packet.ts'
import { acceptTls, type ServerTls } from '../../../../adapters/shared/tls.ts'

export interface LoopbackListener {
  readonly host: '127.0.0.1'
  readonly port: number
  /** What each connection came to, in order. */
  readonly events: LoopbackEvent[]
  close(): Promise<void>
}

export interface LoopbackEvent {
  readonly kind: 'authenticated' | 'refused' | 'cancel' | 'violation' | 'left'
  readonly detail: string
  readonly encrypted: boolean
  readonly startup?: StartupMessage
}

export interface LoopbackOptions {
  /** Name → verifier text. */
  readonly people: Readonly<Record<string, string>>
  readonly tls?: ServerTls
}

const MOCK_SECRET = Buffer.from('a secret of sixteen bytes or more')
const QUERY = 0x51

export async function startLoopback(options: LoopbackOptions): Promise<LoopbackListener> {
  const events: LoopbackEvent[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    const connection = new Connection(socket, options)
    void connection.serve().then((event) => events.push(event))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { host: '127.0.0.1', port: address.port, events, close }
}

class Connection {
  #socket: Socket
  readonly #options: LoopbackOptions
  readonly #startup: ClientStartup

  constructor(socket: Socket, options: LoopbackOptions) {
    this.#socket = socket
    this.#options = options
    this.#startup = new ClientStartup({ tls: options.tls !== undefined })
  }

  async serve(): Promise<LoopbackEvent> {
    try {
      return await this.#begin()
    } catch (cause) {
      const { sqlState = '08P01', message: text } = cause as Error & { sqlState?: string }
      const kind = cause instanceof Error && 'code' in cause && cause.code === 'PROTOCOL_VIOLATION' ? 'violation' : 'left'
      this.#socket.end(encodeError({ severity: 'FATAL', code: sqlState, message: text }))
      return this.#event(kind, text)
    }
  }

  async #begin(): Promise<LoopbackEvent> {
    for (let bytes = await this.#next(); ; ) {
      const step = this.#startup.receive(bytes)
      bytes = Buffer.alloc(0)
      if (step.kind === 'startup') return await this.#logIn(step.message, step.leftover)
      if (step.kind === 'cancel') return this.#cancel(step.processId, step.secret)
      if (step.kind === 'answer') this.#socket.write(step.bytes)
      else if (step.kind === 'upgrade') await this.#upgrade({ answer: step.bytes })
      else if (step.kind === 'direct-tls') await this.#upgrade({ handshake: step.received, requireAlpn: true })
      else bytes = await this.#next()
    }
  }

  #cancel(processId: number, secret: Buffer): LoopbackEvent {
    this.#socket.end()
    return this.#event('cancel', `${processId}:${secret.toString('hex')}`)
  }

  async #upgrade(options: { answer?: Buffer; handshake?: Buffer; requireAlpn?: boolean }): Promise<void> {
    const { tls } = this.#options
    if (tls === undefined) throw new Error('no TLS here')
    this.#socket = (await acceptTls(this.#socket, tls, { ...options, timeoutMs: 10_000 })).socket
  }

  async #logIn(startup: StartupMessage, leftover: Buffer): Promise<LoopbackEvent> {
    const { people, tls } = this.#options
    const { answer } = negotiateProtocol(startup)
    if (answer !== undefined) this.#socket.write(answer)
    const text = people[startup.user]
    const channelBinding = this.#startup.encrypted ? tls?.channelBinding : undefined
    const login = new ClientLogin({ verifier: text === undefined ? undefined : parseVerifier(text), user: startup.user, mockSecret: MOCK_SECRET, channelBinding })
    this.#socket.write(login.start())
    let step = login.receive(leftover)
    while (step.kind === 'wait' || step.kind === 'answer') {
      if (step.kind === 'answer') this.#socket.write(step.bytes)
      step = login.receive(step.kind === 'wait' ? await this.#next() : undefined)
    }
    if (step.kind === 'refused') return this.#refuse(startup)
    this.#socket.write(Buffer.concat([step.bytes, encodeParameterStatus('server_version', '16.0'), encodeParameterStatus('client_encoding', 'UTF8'), encodeBackendKeyData(4711, randomBytes(4)), encodeReadyForQuery('I')]))
    void this.#answerQueries().catch(() => undefined)
    return { ...this.#event('authenticated', step.method), startup }
  }

  #refuse(startup: StartupMessage): LoopbackEvent {
    this.#socket.end(encodeError({ severity: 'FATAL', code: '28P01', message: `password authentication failed for user "${startup.user}"` }))
    return this.#event('refused', startup.user)
  }

  async #answerQueries(): Promise<void> {
    for (;;) {
      const bytes = await this.#next()
      if (bytes[0] !== QUERY) this.#socket.end()
      else this.#socket.write(Buffer.concat([message('C', 'SELECT 0'), encodeReadyForQuery('I')]))
    }
  }

  #event(kind: LoopbackEvent['kind'], detail: string): LoopbackEvent {
    return { kind, detail, encrypted: this.#startup.encrypted }
  }

  async #next(): Promise<Buffer> {
    for (;;) {
      const chunk: unknown = this.#socket.read()
      if (Buffer.isBuffer(chunk)) return chunk
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error('the client left')
      await nextOf(this.#socket, ['readable', 'end', 'close'])
    }
  }
}

async function nextOf(socket: Socket, events: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const arrived = (): void => resolve()
  for (const event of events) socket.on(event, arrived)
  await promise
  for (const event of events) socket.off(event, arrived)
}
