import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connectUpstream } from '../../adapters/postgresql/auth/connect-upstream.ts'
import type { Endpoint } from '../against/contender.ts'
import { RowCounter } from './row-counter.ts'

const LOGIN_MS = 30_000
/** Byte1 'X', Int32 length. */
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

export interface ReadCount {
  readonly rows: number
  readonly bytes: number
  /** From the statement's last byte to the last of its answer. */
  readonly seconds: number
}

/** A client that looks at nothing but message headers: psql and drivers would be what a bulk read waits for. */
export class RawClient {
  readonly #socket: Socket
  #counter = new RowCounter()
  #finished: (() => void) | undefined
  #failed: ((cause: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#counter.add(chunk)
      if (this.#counter.done) this.#finished?.()
    })
    socket.on('error', (error) => this.#failed?.(error)).on('close', () => this.#failed?.(new Error('the server closed the connection')))
  }

  /** Logs in with SCRAM; resolves when the session is ready. */
  static async connect(endpoint: Endpoint): Promise<RawClient> {
    const { socket } = await connectUpstream({ ...endpoint, tls: { mode: 'disable' }, timeoutMs: LOGIN_MS })
    return new RawClient(socket)
  }

  /** Runs one statement by the simple protocol and counts what comes back. Rejects with the server's error. */
  async read(sql: string): Promise<ReadCount> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#counter = new RowCounter()
    this.#finished = resolve
    this.#failed = reject
    const began = performance.now()
    this.#socket.write(queryMessage(sql))
    await promise
    const { rows, bytes, error } = this.#counter
    if (error !== undefined) throw new Error(error)
    return { rows, bytes, seconds: (performance.now() - began) / 1000 }
  }

  /** Resolves when the other side has closed, too. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = once(this.#socket, 'close')
    this.#socket.end(TERMINATE)
    await closed
  }
}

/** Byte1 'Q', Int32 length, String. */
function queryMessage(sql: string): Buffer {
  const message = Buffer.from(`Q....${sql}\0`)
  message.writeInt32BE(message.length - 1, 1)
  return message
}
