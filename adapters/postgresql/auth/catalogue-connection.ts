import { int32At } from '../../shared/bytes.ts'
import { parseErrorFields } from '../startup/error-fields.ts'
import { message } from '../startup/message-writer.ts'
import { connectUpstream, sendCancelRequest, type UpstreamConnection, type UpstreamOptions } from './connect-upstream.ts'
import { refusedByTarget, UpstreamError } from './upstream-error.ts'

export interface CatalogueQueryOptions {
  /** Of all backend messages of one query. Default 16 MiB. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

export type CatalogueRow = (string | null)[]

const MAX_RESULT_BYTES = 16 * 1024 * 1024
const HEADER_BYTES = 5
const type = (letter: string): number => letter.charCodeAt(0)
const DATA_ROW = type('D')
const ERROR = type('E')
const READY = type('Z')
/** Messages a simple query may bring that carry no row. COPY is none of them: the catalogue is not read by COPY. */
const PASSED_OVER = new Set(['T', 'C', 'I', 'N', 'S', 'A'].map(type))

/**
 * A connection for the gateway's own questions to a target's catalogue. Queries run one after the other.
 * After a time-out, an abort, an oversized result or anything that is not the protocol, it is closed for good.
 */
export class CatalogueConnection {
  readonly #options: UpstreamOptions
  readonly #connection: UpstreamConnection
  #last: Promise<unknown> = Promise.resolve()
  #query: RunningQuery | undefined
  #failure: UpstreamError | undefined
  #received: Buffer

  /** Rejects with `UpstreamError`. */
  static async open(options: UpstreamOptions): Promise<CatalogueConnection> {
    return new CatalogueConnection(options, await connectUpstream(options))
  }

  private constructor(options: UpstreamOptions, connection: UpstreamConnection) {
    this.#options = options
    this.#connection = connection
    this.#received = connection.leftover
    const { socket } = connection
    socket.on('error', (error) => this.#fail(lost(error)))
    socket.on('close', () => this.#fail(lost()))
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    if (socket.destroyed) this.#fail(lost())
  }

  get closed(): boolean {
    return this.#failure !== undefined
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#connection.parameters
  }

  /**
   * Rows of all statements of `sql`, values in text format. Rejects with `UpstreamError`; with `fields` when the target
   * refused the query, and then the connection goes on.
   */
  query(sql: string, options: CatalogueQueryOptions = {}): Promise<CatalogueRow[]> {
    const result = this.#last.then(() => this.#run(sql, options))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Idempotent. A query under way fails. */
  close(): void {
    if (this.#failure === undefined) this.#connection.socket.write(message('X'))
    this.#fail(new UpstreamError('the connection was closed'))
  }

  async #run(sql: string, { signal, maxBytes = MAX_RESULT_BYTES }: CatalogueQueryOptions): Promise<CatalogueRow[]> {
    if (this.#failure !== undefined) throw this.#failure
    if (signal?.aborted === true) throw new UpstreamError('the query was aborted')
    const query = new RunningQuery(maxBytes)
    const aborted = (): void => this.#abandon('the query was aborted')
    const timer = setTimeout(() => this.#abandon(`the target did not answer within ${this.#options.timeoutMs} ms`), this.#options.timeoutMs)
    signal?.addEventListener('abort', aborted)
    this.#query = query
    this.#connection.socket.write(message('Q', sql))
    try {
      return await query.done
    } finally {
      this.#query = undefined
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
  }

  /** The target would go on with the query, so it is told to stop; nobody waits for that. */
  #abandon(reason: string): void {
    const { backendKey: key } = this.#connection
    this.#fail(new UpstreamError(reason))
    if (key !== undefined) sendCancelRequest({ ...this.#options, signal: undefined, key }).catch(() => undefined)
  }

  #fail(cause: UpstreamError): void {
    this.#failure ??= cause
    this.#received = Buffer.alloc(0)
    this.#connection.socket.destroySoon()
    this.#query?.reject(cause)
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return
    try {
      this.#query?.count(chunk.length)
      this.#received = Buffer.from(this.#consume(this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])))
    } catch (cause) {
      this.#fail(cause instanceof UpstreamError ? cause : new UpstreamError('the target does not keep to the PostgreSQL protocol', { cause }))
    }
  }

  /** Returns the beginning of a message that is not whole. */
  #consume(bytes: Buffer): Buffer {
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at + 1)
      if (length < 4 || length > (this.#query?.maxBytes ?? MAX_RESULT_BYTES)) throw new UpstreamError('the target sent a message too long')
      if (bytes.length - at <= length) break
      this.#message(bytes, at, at + length + 1)
      at += length + 1
    }
    return bytes.subarray(at)
  }

  #message(bytes: Buffer, start: number, end: number): void {
    const kind = bytes[start] ?? 0
    const query = this.#query
    if (kind === ERROR) this.#error(bytes, start + HEADER_BYTES, end)
    else if (kind === DATA_ROW && query !== undefined) query.rows.push(parseDataRow(bytes, start + HEADER_BYTES, end))
    else if (kind === READY) query?.finish()
    else if (!PASSED_OVER.has(kind)) throw new UpstreamError('the target sent an unexpected message')
  }

  #error(bytes: Buffer, start: number, end: number): void {
    const refused = refusedByTarget(parseErrorFields(bytes, start, end))
    if (this.#query === undefined) this.#fail(refused)
    else this.#query.refused ??= refused
  }
}

class RunningQuery {
  readonly rows: CatalogueRow[] = []
  readonly maxBytes: number
  readonly done: Promise<CatalogueRow[]>
  readonly reject: (cause: UpstreamError) => void
  readonly #resolve: (rows: CatalogueRow[]) => void
  refused: UpstreamError | undefined
  #bytes = 0

  constructor(maxBytes: number) {
    const { promise, resolve, reject } = Promise.withResolvers<CatalogueRow[]>()
    this.maxBytes = maxBytes
    this.done = promise
    this.#resolve = resolve
    this.reject = reject
  }

  count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.maxBytes) throw new UpstreamError(`the result is larger than ${this.maxBytes} bytes`)
  }

  finish(): void {
    if (this.refused === undefined) this.#resolve(this.rows)
    else this.reject(this.refused)
  }
}

/** Int16 count · (Int32 length or -1 · bytes)*. */
function parseDataRow(bytes: Buffer, start: number, end: number): CatalogueRow {
  const row: CatalogueRow = []
  let at = start + 2
  for (let left = at <= end ? bytes.readUInt16BE(start) : -1; left > 0; left--) {
    if (at + 4 > end) throw new RangeError('row too short')
    const length = int32At(bytes, at)
    at += 4
    if (length < -1 || at + length > end) throw new RangeError('value too long')
    row.push(length === -1 ? null : bytes.toString('utf8', at, at + length))
    at += Math.max(length, 0)
  }
  if (at !== end) throw new RangeError('row of the wrong length')
  return row
}

function lost(cause?: Error): UpstreamError {
  return new UpstreamError('the connection to the target was lost', { cause })
}
