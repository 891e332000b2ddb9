import { connectUpstream, sendCancelRequest, type UpstreamConnection, type UpstreamOptions } from '../auth/connect-upstream.ts'
import { refusedByTarget, UpstreamError } from '../auth/upstream-error.ts'
import { parseErrorFields } from '../startup/error-fields.ts'
import { int32, message, type Part } from '../startup/message-writer.ts'
import { decodeRowDescription, type ColumnDescription } from '../wire/backend.ts'
import { BodyReader } from '../wire/body-reader.ts'
import { FRAME, FrameReader, NEED_MORE } from '../wire/frame-reader.ts'
import { BACKEND } from '../wire/message-types.ts'

/** Values for `$1`, `$2`, … with their types and formats, as the protocol has them. */
export interface Bound {
  readonly types: readonly number[]
  readonly values: readonly (Buffer | null)[]
  readonly formats: readonly number[]
}

export const UNBOUND: Bound = { types: [], values: [], formats: [] }

export interface Answer {
  readonly columns: readonly ColumnDescription[]
  /** Whole DataRow messages, values in text format. */
  readonly rows: readonly Buffer[]
}

/** Of all backend messages of one question. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const HEADER_BYTES = 5
const SYNC = message('S')

interface Question {
  readonly columns: ColumnDescription[]
  readonly rows: Buffer[]
  readonly types: number[]
  bytes: number
  refused: UpstreamError | undefined
  readonly done: PromiseWithResolvers<void>
}

/**
 * A connection for questions with bound values, one after the other, each alone in its message cycle: a text that holds
 * several statements is refused by the target itself. After an abort, an answer too large or anything that is not the
 * protocol it is closed for good, and the target is told to stop.
 */
export class QuestionConnection {
  readonly #options: UpstreamOptions
  readonly #connection: UpstreamConnection
  readonly #reader = new FrameReader(MAX_ANSWER_BYTES)
  #question: Question | undefined
  #failure: UpstreamError | undefined

  /** Rejects with `UpstreamError`. When the signal aborts, now or later, the connection closes. */
  static async open(options: UpstreamOptions & { readonly signal: AbortSignal }): Promise<QuestionConnection> {
    return new QuestionConnection(options, await connectUpstream(options))
  }

  private constructor(options: UpstreamOptions & { readonly signal: AbortSignal }, connection: UpstreamConnection) {
    this.#options = options
    this.#connection = connection
    const { socket, leftover } = connection
    socket.on('error', (cause) => this.#fail(new UpstreamError('the connection to the target was lost', { cause })))
    socket.on('close', () => this.#fail(new UpstreamError('the connection to the target was lost')))
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    if (leftover.length > 0) this.#receive(leftover)
    const aborted = (): void => this.#abandon('the time for it was up')
    options.signal.addEventListener('abort', aborted, { once: true })
    socket.once('close', () => options.signal.removeEventListener('abort', aborted))
    if (options.signal.aborted) aborted()
  }

  /** Rejects with `UpstreamError`; with `fields` when the target refused, and then the connection goes on. */
  async ask(sql: string, bound: Bound = UNBOUND): Promise<Answer> {
    const execute = [message('D', Buffer.from('P'), ''), message('E', '', int32(0))]
    const { columns, rows } = await this.#run([parse(sql, bound.types), bind(bound), ...execute, SYNC])
    return { columns, rows }
  }

  /** The types that the target gives to the parameters of a statement, without planning or running it. */
  async parameterTypes(sql: string, types: readonly number[]): Promise<readonly number[]> {
    return (await this.#run([parse(sql, types), message('D', Buffer.from('S'), ''), SYNC])).types
  }

  /** Idempotent. What it has begun and not committed is rolled back by the target. */
  close(): void {
    if (this.#failure === undefined) this.#connection.socket.write(message('X'))
    this.#fail(new UpstreamError('the connection was closed'))
  }

  async #run(messages: readonly Buffer[]): Promise<Question> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#question !== undefined) throw new UpstreamError('a question is under way')
    const question: Question = { columns: [], rows: [], types: [], bytes: 0, refused: undefined, done: Promise.withResolvers() }
    this.#question = question
    this.#connection.socket.write(Buffer.concat(messages))
    try {
      await question.done.promise
      if (question.refused !== undefined) throw question.refused
      return question
    } finally {
      this.#question = undefined
    }
  }

  #abandon(reason: string): void {
    const { backendKey: key } = this.#connection
    const asked = this.#question !== undefined
    this.#fail(new UpstreamError(reason))
    if (asked && key !== undefined) sendCancelRequest({ ...this.#options, signal: undefined, key }).catch(() => undefined)
  }

  #fail(cause: UpstreamError): void {
    this.#failure ??= cause
    this.#connection.socket.destroySoon()
    this.#question?.done.reject(this.#failure)
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return
    try {
      if (this.#question !== undefined && (this.#question.bytes += chunk.length) > MAX_ANSWER_BYTES) throw new UpstreamError(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
      this.#reader.feed(chunk)
      for (let step = this.#reader.next(); step !== NEED_MORE; step = this.#reader.next()) {
        if (step !== FRAME) throw new UpstreamError('the target sent a message too long')
        this.#message(this.#reader.type, this.#reader.buffer, this.#reader.start, this.#reader.end)
      }
    } catch (cause) {
      this.#abandon(cause instanceof UpstreamError ? cause.message : 'the target does not keep to the PostgreSQL protocol')
    }
  }

  #message(type: number, buffer: Buffer, start: number, end: number): void {
    const question = this.#question
    if (question === undefined) return
    if (type === BACKEND.dataRow) question.rows.push(Buffer.from(buffer.subarray(start, end)))
    else if (type === BACKEND.rowDescription) question.columns.push(...decodeRowDescription(buffer, start, end))
    else if (type === BACKEND.parameterDescription) question.types.push(...typesIn(buffer, start, end))
    else if (type === BACKEND.errorResponse) question.refused ??= refusedByTarget(parseErrorFields(buffer, start + HEADER_BYTES, end))
    else if (type === BACKEND.readyForQuery) question.done.resolve()
  }
}

/** ParameterDescription: int16 n, n × uint32 type. */
function typesIn(buffer: Buffer, start: number, end: number): number[] {
  const body = new BodyReader(buffer, start + HEADER_BYTES, end)
  return Array.from({ length: body.uint16() }, () => body.uint32())
}

/** Parse: cstring name, cstring text, int16 n, n × uint32 type. */
function parse(sql: string, types: readonly number[]): Buffer {
  return message('P', '', sql, int16(types.length), ...types.map(int32))
}

/** Bind: cstring portal, cstring statement, formats, values, and the formats of the result: none, which is text. */
function bind({ values, formats }: Bound): Buffer {
  return message('B', '', '', int16(formats.length), ...formats.map(int16), int16(values.length), ...values.flatMap(value), int16(0))
}

function value(bytes: Buffer | null): Part[] {
  return bytes === null ? [int32(-1)] : [int32(bytes.length), bytes]
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16BE(value)
  return bytes
}
