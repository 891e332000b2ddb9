/** A client that sends whatever bytes it likes, for tests of what a well-behaved driver never does. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import pg from 'pg'

export interface Frame {
  /** The message's first byte, as a letter. */
  readonly type: string
  readonly body: Buffer
}

export interface RawLogin {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database?: string
  /** The startup parameter `options`. */
  readonly options?: string
  /** How long an answer may take. */
  readonly waitMs?: number
}

const WAIT_MS = 4_000

/** Logs in by way of node-postgres, then takes the socket over. */
export async function rawClient(login: RawLogin): Promise<RawClient> {
  const client = new pg.Client({ database: 'postgres', ...login })
  client.on('error', () => {})
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.removeAllListeners('data')
  stream.removeAllListeners('end')
  stream.removeAllListeners('close')
  return new RawClient(stream, login.waitMs)
}

export class RawClient {
  readonly socket: Socket
  readonly #waitMs: number
  /** Every byte that came since login. */
  readonly #chunks: Buffer[] = []
  #pending: Buffer = Buffer.alloc(0)
  #frames: Frame[] = []
  #readies = 0
  #wake: (() => void)[] = []
  closed = false

  constructor(socket: Socket, waitMs = WAIT_MS) {
    this.socket = socket
    this.#waitMs = waitMs
    socket.on('error', () => {}).on('data', (chunk: Buffer) => this.#receive(chunk))
    for (const event of ['end', 'close']) socket.on(event, () => this.#gone())
    socket.resume()
  }

  /** One write: all of it in one segment, as far as the kernel is concerned. */
  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  /** Sends, then collects what comes until `readies` more ReadyForQuery, or the end of the connection. */
  async ask(messages: readonly Buffer[], readies = 1): Promise<Frame[]> {
    const wanted = this.#readies + readies
    this.send(...messages)
    await this.when(() => this.#readies >= wanted)
    return this.take()
  }

  async query(text: string): Promise<Frame[]> {
    return this.ask([Q(text)])
  }

  /** Resolves once it holds, or the connection is over. */
  async when(holds: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(this.#waitMs)
    while (!holds() && !this.closed) {
      if (late.aborted) throw new Error(`nothing came in ${this.#waitMs} ms; so far: ${this.#frames.map(({ type }) => type).join('')}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake.push(resolve)
      late.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
  }

  has(type: string, times = 1): boolean {
    return this.#frames.filter((frame) => frame.type === type).length >= times
  }

  take(): Frame[] {
    return this.#frames.splice(0)
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  async end(): Promise<void> {
    if (this.socket.destroyed) return
    const over = once(this.socket, 'close')
    if (this.socket.writable) this.socket.end(X)
    else this.socket.destroy()
    await over
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= 5) {
      const length = this.#pending.readInt32BE(1) + 1
      if (this.#pending.length < length) break
      const type = String.fromCharCode(this.#pending[0] ?? 0)
      this.#frames.push({ type, body: this.#pending.subarray(5, length) })
      if (type === 'Z') this.#readies++
      this.#pending = this.#pending.subarray(length)
    }
    this.#woken()
  }

  #gone(): void {
    this.closed = true
    this.#woken()
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** `C42501 blocked by policy: …` for each ErrorResponse. */
export function errorsIn(frames: readonly Frame[]): string[] {
  return frames.filter(({ type }) => type === 'E').map(({ body }) => {
    const fields = new Map(body.toString('utf8').split('\0').map((field) => [field[0], field.slice(1)] as const))
    return `${fields.get('C') ?? ''} ${fields.get('M') ?? ''}`
  })
}

/** The text of every value of every DataRow; null for SQL NULL. */
export function rowsIn(frames: readonly Frame[]): (string | null)[][] {
  return frames.filter(({ type }) => type === 'D').map(({ body }) => {
    const values: (string | null)[] = []
    for (let at = 2; at < body.length;) {
      const length = body.readInt32BE(at)
      at += 4
      values.push(length < 0 ? null : body.toString('utf8', at, at + length))
      at += Math.max(0, length)
    }
    return values
  })
}

export function tagsIn(frames: readonly Frame[]): string[] {
  return frames.filter(({ type }) => type === 'C').map(({ body }) => body.toString('utf8', 0, body.length - 1))
}

export const shapeOf = (frames: readonly Frame[]): string => frames.map(({ type }) => type).join('')

export function message(type: string, ...parts: readonly (string | number | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : typeof part === 'number' ? int16(part) : part)))
  const head = Buffer.alloc(5, type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const Q = (text: string): Buffer => message('Q', text)
export const P = (name: string, text: string): Buffer => message('P', name, text, 0)
/** `format` 1 asks for binary results. */
export const B = (portal: string, statement: string, values: readonly string[] = [], format = 0): Buffer =>
  message('B', portal, statement, 0, values.length, ...values.map((value) => Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)])), 1, format)
export const D = (kind: 'S' | 'P', name: string): Buffer => message('D', Buffer.from(kind), name)
export const E = (portal = '', limit = 0): Buffer => message('E', portal, int32(limit))
export const C = (kind: 'S' | 'P', name: string): Buffer => message('C', Buffer.from(kind), name)
export const S = message('S')
export const H = message('H')
export const X = message('X')
