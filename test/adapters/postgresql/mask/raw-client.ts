/** A client that hands out the server's own bytes: connects over the unix socket, where no password is asked for. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { int16, int32 } from '../../../fault/raw-client.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'
import type { Value } from './data-row.ts'

export interface Message { readonly type: string; readonly bytes: Buffer }

export class RawClient {
  #socket: Socket
  #input = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async connect(server: PostgresServer): Promise<RawClient> {
    const socket = connect({ path: `${server.socketDir}/.s.PGSQL.${server.port}` })
    await once(socket, 'connect')
    const client = new RawClient(socket)
    const body = Buffer.concat([int32(196_608), Buffer.from(`user\0${server.user}\0database\0postgres\0\0`)])
    socket.write(Buffer.concat([int32(body.length + 4), body]))
    await client.#untilReady()
    return client
  }

  /** One simple query: every message of the answer, ReadyForQuery included. */
  query(sql: string): Promise<Message[]> {
    this.#socket.write(message('Q', cstring(sql)))
    return this.#untilReady()
  }

  /** Parse, Bind, Describe of the portal (unless told not to), Execute, Sync; parameters and results all in one format. */
  execute(sql: string, values: readonly Value[], format: 0 | 1, describe = true): Promise<Message[]> {
    const parameters = values.flatMap((value) => value === null ? [int32(-1)] : [int32(value.length), value])
    this.#socket.write(Buffer.concat([
      message('P', cstring(''), cstring(sql), int16(0)),
      message('B', cstring(''), cstring(''), int16(1), int16(format), int16(values.length), ...parameters, int16(1), int16(format)),
      describe ? message('D', cstring('P')) : Buffer.alloc(0),
      message('E', cstring(''), int32(0)),
      message('S'),
    ]))
    return this.#untilReady()
  }

  async close(): Promise<void> {
    this.#socket.end(message('X'))
    await once(this.#socket.resume(), 'close')
  }

  async #untilReady(): Promise<Message[]> {
    const messages: Message[] = []
    for (;;) {
      const next = this.#take()
      if (next === undefined) {
        const [chunk] = await once(this.#socket, 'data') as [Buffer]
        this.#input = Buffer.concat([this.#input, chunk])
      } else if (messages.push(next) > 0 && next.type === 'Z') return messages
    }
  }

  #take(): Message | undefined {
    if (this.#input.length < 5 || this.#input.length < this.#input.readInt32BE(1) + 1) return undefined
    const end = this.#input.readInt32BE(1) + 1
    const bytes = this.#input.subarray(0, end)
    this.#input = this.#input.subarray(end)
    return { type: bytes.toString('latin1', 0, 1), bytes }
  }
}

/** Fields S, M, C … of an ErrorResponse. */
export function errorFields(bytes: Buffer): Record<string, string> {
  return Object.fromEntries(bytes.toString('latin1', 5).split('\0').filter((field) => field !== '').map((field) => [field.charAt(0), field.slice(1)]))
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}
