/** A client that sends exactly the bytes it is told to, and writes down every message it gets. */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { connectUpstream } from '../../adapters/postgresql/auth/connect-upstream.ts'
import { startup, terminate } from './compare-messages.ts'

export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

export interface WireMessage {
  /** One letter. */
  readonly type: string
  readonly body: Buffer
}

export interface OpenOptions {
  readonly parameters?: Readonly<Record<string, string>>
  readonly database?: string
  readonly protocolMinor?: 0 | 2
}

/** Bodies of more than this are compared by their hash. */
const MAX_SHOWN_BYTES = 4096
/** OIDs from here on are of what was made after initdb, and differ from run to run. */
const FIRST_NORMAL_OID = 16_384
const CANCEL_REQUEST = 80_877_102
const PATIENCE_MS = 60_000

export class RawClient {
  readonly processId: number
  readonly secret: Buffer
  /** What was received, readable, with everything left out that differs between two runs of the same thing. */
  readonly transcript: string[] = []
  readonly #address: Address
  readonly #socket: Socket
  readonly #oids: Map<number, number>
  #messages: WireMessage[] = []
  #parts: Buffer[] = []
  #size = 0
  #closed = false
  #wake: (() => void) | undefined

  private constructor(address: Address, socket: Socket, key: { processId: number; secret: Buffer }, oids: Map<number, number>) {
    this.#address = address
    this.#socket = socket
    this.#oids = oids
    this.processId = key.processId
    this.secret = key.secret
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  /** `oids` is shared by all clients of one run, so that a table has one number in it. */
  static async open(address: Address, options: OpenOptions = {}, oids = new Map<number, number>()): Promise<RawClient> {
    const { parameters = {}, database = address.database, protocolMinor = 0 } = options
    const connection = await connectUpstream({ ...address, database, parameters, protocolMinor, tls: { mode: 'disable' }, timeoutMs: PATIENCE_MS })
    const { socket, backendKey, leftover, notices, transactionStatus } = connection
    const client = new RawClient(address, socket, backendKey ?? { processId: 0, secret: Buffer.alloc(4) }, oids)
    const statuses = [...connection.parameters].map(([name, value]) => `${name}=${value}`)
    client.transcript.push(`ready ${transactionStatus} ${connection.protocolMinor} key ${client.secret.length} ${statuses.join(' ')}`)
    for (const notice of notices) client.transcript.push(client.#show({ type: 'N', body: notice.subarray(5) }))
    if (leftover.length > 0) client.#received(leftover)
    return client
  }

  send(...messages: readonly Buffer[]): void {
    this.#socket.write(messages.length === 1 ? (messages[0] ?? Buffer.alloc(0)) : Buffer.concat(messages))
  }

  /** As `send`, but resolves once the socket takes more: for bulk. */
  async pour(bytes: Buffer): Promise<void> {
    if (this.#socket.write(bytes)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = (): void => resolve()
    this.#socket.once('drain', done).once('close', done)
    await promise.finally(() => this.#socket.off('drain', done).off('close', done))
  }

  /** Waits for messages until one fits, and returns them all. Rejects when the connection ends before. */
  async until(fits: (message: WireMessage) => boolean): Promise<WireMessage[]> {
    const got: WireMessage[] = []
    for (;;) {
      for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift()) {
        got.push(next)
        if (fits(next)) return got
      }
      if (this.#closed) throw new Error(`the connection ended; the last it said: ${this.transcript.slice(-3).join(' | ')}`)
      await this.#more()
    }
  }

  /** Everything up to and with the `count`-th ReadyForQuery from here. */
  async ready(count = 1): Promise<WireMessage[]> {
    const all: WireMessage[] = []
    for (let seen = 0; seen < count; seen++) all.push(...(await this.until(({ type }) => type === 'Z')))
    return all
  }

  async type(letter: string): Promise<WireMessage[]> {
    return this.until(({ type }) => type === letter)
  }

  /** Sends, and waits for ReadyForQuery. */
  async ask(...messages: readonly Buffer[]): Promise<WireMessage[]> {
    this.send(...messages)
    return this.ready()
  }

  /** Resolves when the server has closed. */
  async ended(): Promise<void> {
    while (!this.#closed) await this.#more()
    this.transcript.push('closed')
  }

  halfClose(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Says goodbye and waits until the server has closed. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#socket.end(terminate())
    await this.ended()
  }

  /** Sends a CancelRequest over a connection of its own; resolves when the server has closed it. */
  async cancel(secret = this.secret, processId = this.processId): Promise<void> {
    const { connect } = await import('node:net')
    const socket = connect(this.#address)
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.on('close', () => resolve()).on('error', () => resolve()).resume()
    const head = Buffer.alloc(4)
    head.writeInt32BE(processId)
    socket.write(startup(CANCEL_REQUEST, head, secret))
    await promise
    socket.destroy()
  }

  #more(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`nothing came for ${PATIENCE_MS} ms; the last: ${this.transcript.slice(-3).join(' | ')}`)), PATIENCE_MS)
    this.#wake = resolve
    return promise.finally(() => clearTimeout(timer))
  }

  #end(): void {
    this.#closed = true
    this.#wake?.()
  }

  #received(chunk: Buffer): void {
    this.#parts.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#wanted()) return
    let buffer = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    while (buffer.length >= 5 && buffer.length > buffer.readUInt32BE(1)) {
      const end = buffer.readUInt32BE(1) + 1
      this.#message({ type: buffer.toString('latin1', 0, 1), body: buffer.subarray(5, end) })
      buffer = buffer.subarray(end)
    }
    this.#parts = [buffer]
    this.#size = buffer.length
    this.#wake?.()
  }

  /** Bytes without which another look is useless. */
  #wanted(): number {
    const [first] = this.#parts
    return first === undefined || first.length < 5 ? 5 : first.readUInt32BE(1) + 1
  }

  #message(message: WireMessage): void {
    this.#messages.push(message)
    this.transcript.push(this.#show(message))
  }

  #show({ type, body }: WireMessage): string {
    if (type === 'T') return `T ${this.#columns(body)}`
    if (type === 'A') return `A ${body.toString('latin1', 4)}`
    if (body.length > MAX_SHOWN_BYTES) return `${type} ${body.length} bytes ${createHash('sha256').update(body).digest('hex')}`
    return `${type} ${JSON.stringify(body.toString('latin1'))}`
  }

  #columns(body: Buffer): string {
    const columns: string[] = []
    for (let at = 2; at < body.length;) {
      const end = body.indexOf(0, at)
      const table = this.#stable(body.readUInt32BE(end + 1))
      const type = this.#stable(body.readUInt32BE(end + 7))
      columns.push(`${body.toString('latin1', at, end)} ${table}.${body.readInt16BE(end + 5)} type ${type} ${body.readInt16BE(end + 11)} ${body.readInt32BE(end + 13)} format ${body.readInt16BE(end + 17)}`)
      at = end + 19
    }
    return columns.join(', ')
  }

  #stable(oid: number): string {
    if (oid < FIRST_NORMAL_OID) return String(oid)
    const known = this.#oids.get(oid) ?? this.#oids.size + 1
    this.#oids.set(oid, known)
    return `made${known}`
  }
}
