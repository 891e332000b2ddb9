import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import { int32, query, terminate } from './message-bytes.ts'

export interface Answer {
  readonly type: string
  readonly bytes: Buffer
}

/** Sends any bytes to a real server, over its unix socket where no password is asked for, and collects what it answers. */
export class SocketClient {
  readonly #socket: Socket
  #input = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async connect(server: PostgresServer): Promise<SocketClient> {
    const socket = connect({ path: `${server.socketDir}/.s.PGSQL.${server.port}` })
    await once(socket, 'connect')
    const client = new SocketClient(socket)
    const body = Buffer.concat([Buffer.from(int32(196_608)), Buffer.from(`user\0${server.user}\0database\0postgres\0\0`)])
    await client.send(Buffer.from(int32(body.length + 4)), body)
    return client
  }

  /** Resolves with every answer up to ReadyForQuery. */
  async send(...messages: readonly Buffer[]): Promise<Answer[]> {
    this.#socket.write(Buffer.concat(messages))
    const answers: Answer[] = []
    while (answers.at(-1)?.type !== 'Z') {
      const next = this.#take()
      if (next !== undefined) answers.push(next)
      else this.#input = Buffer.concat([this.#input, (await once(this.#socket, 'data') as [Buffer])[0]])
    }
    return answers
  }

  query(sql: string): Promise<Answer[]> {
    return this.send(query(sql))
  }

  async close(): Promise<void> {
    this.#socket.end(terminate())
    await once(this.#socket.resume(), 'close')
  }

  #take(): Answer | undefined {
    const end = this.#input.length < 5 ? Number.POSITIVE_INFINITY : this.#input.readInt32BE(1) + 1
    if (this.#input.length < end) return undefined
    const bytes = this.#input.subarray(0, end)
    this.#input = this.#input.subarray(end)
    return { type: bytes.toString('latin1', 0, 1), bytes }
  }
}
