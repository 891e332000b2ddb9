const HEADER_BYTES = 5
const DATA_ROW = 0x44
const COPY_DATA = 0x64
const ERROR = 0x45
const READY_FOR_QUERY = 0x5a
const MAX_ERROR_BYTES = 4096

/**
 * Counts the rows in a stream of backend messages by their headers alone: Byte1 type, Int32 length (itself included), body.
 * Source: PostgreSQL documentation, "Message Formats". A row of COPY is one CopyData message.
 */
export class RowCounter {
  rows = 0
  bytes = 0
  /** What the server said went wrong: the message of its last ErrorResponse. */
  error: string | undefined
  /** ReadyForQuery has come, whole. */
  done = false
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  /** Of the body that is passing. */
  #left = 0
  #type = 0
  #errorBody = ''

  add(chunk: Buffer): void {
    this.bytes += chunk.length
    let at = 0
    while (at < chunk.length) at = this.#left > 0 ? this.#body(chunk, at) : this.#start(chunk, at)
  }

  #body(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    if (this.#type === ERROR) this.#errorBody = (this.#errorBody + chunk.toString('latin1', at, end)).slice(0, MAX_ERROR_BYTES)
    this.#left -= end - at
    if (this.#left === 0) this.#end()
    return end
  }

  #end(): void {
    if (this.#type === READY_FOR_QUERY) this.done = true
    if (this.#type === ERROR) this.error = messageOf(this.#errorBody)
  }

  #start(chunk: Buffer, at: number): number {
    if (this.#headerBytes === 0 && chunk.length - at >= HEADER_BYTES) {
      this.#begin(chunk[at] ?? 0, chunk.readInt32BE(at + 1))
      return at + HEADER_BYTES
    }
    this.#header[this.#headerBytes++] = chunk[at] ?? 0
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0
      this.#begin(this.#header[0] ?? 0, this.#header.readInt32BE(1))
    }
    return at + 1
  }

  #begin(type: number, length: number): void {
    if (length < 4) throw new Error(`a message of ${length} bytes: this is not the PostgreSQL protocol`)
    this.#type = type
    this.#left = length - 4
    if (type === ERROR) this.#errorBody = ''
    if (type === DATA_ROW || type === COPY_DATA) this.rows++
  }
}

/** Fields are Byte1 code, String; `M` is the message for people. */
function messageOf(body: string): string {
  const field = body.split('\0').find((each) => each.startsWith('M'))
  return field === undefined ? 'an error without a message' : Buffer.from(field.slice(1), 'latin1').toString('utf8')
}
