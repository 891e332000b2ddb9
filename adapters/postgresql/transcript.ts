/**
 * Recorded responses for people: what the client got, much as psql would have shown it.
 * The bytes are a peer's: a message may be cut or malformed, and no value reaches the terminal unescaped.
 */
import type { Recording } from '../../core/index.ts'
import { type TableColumn, writeTable } from './transcript/aligned-table.ts'
import { display, displayLine } from './transcript/display.ts'
import { reportText } from './transcript/report-text.ts'
import { type DecodeText, textDecoder } from './transcript/text-decoder.ts'
import { TranscriptOutput } from './transcript/transcript-output.ts'
import { isNumber, valueText } from './transcript/value-text.ts'
import { BodyReader } from './wire/body-reader.ts'
import { FRAME, FrameReader, MAX_MESSAGE_BYTES } from './wire/frame-reader.ts'
import { WireViolation } from './wire/violation.ts'

export interface TranscriptOptions {
  /** The statement, to show the place of an error in it. */
  readonly text?: string
  /** The session's `client_encoding` when the command began; default UTF8. */
  readonly clientEncoding?: string
  /** What stands for SQL NULL; default: nothing, as in psql. */
  readonly nullText?: string
  /** Also what psql hides: parameter changes and the transaction's status. */
  readonly details?: boolean
  /** Most characters to write; default `MAX_TRANSCRIPT_CHARACTERS`. */
  readonly maxCharacters?: number
}

export const MAX_TRANSCRIPT_CHARACTERS = 16_777_216

/** Renders a recording with encoding `postgresql/backend`. Never throws for what the bytes say. */
export function renderRecording(recording: Recording, options: TranscriptOptions = {}): string {
  const transcript = new Transcript(options)
  const parts = recording.chunks.map(({ data }) => transcript.push(Buffer.from(data, 'base64')))
  const capped = recording.cappedAt === undefined ? '' : `(recording capped at ${recording.cappedAt} bytes; the response had ${recording.bytes})\n`
  return parts.join('') + transcript.end() + capped
}

interface Field { readonly name: string; readonly type: number; readonly format: 0 | 1 }

/** The incremental form: push chunks as they come, print what comes back. A table is printed when it is complete. */
export class Transcript {
  readonly #options: TranscriptOptions
  readonly #frames = new FrameReader(MAX_MESSAGE_BYTES + 1)
  readonly #output: TranscriptOutput
  #decode: DecodeText
  /** Of the result at hand; undefined before any row or description of one. */
  #fields: readonly Field[] | undefined
  #rows: string[][] | undefined
  /** Characters in `#rows`. */
  #held = 0
  #binaryCopy = false
  #broken = false

  constructor(options: TranscriptOptions = {}) {
    this.#options = options
    this.#output = new TranscriptOutput(options.maxCharacters ?? MAX_TRANSCRIPT_CHARACTERS)
    this.#decode = textDecoder(options.clientEncoding ?? 'UTF8')
  }

  /** @returns the lines that this chunk completed. */
  push(chunk: Buffer): string {
    if (this.#broken || this.#output.full) return this.#output.take()
    try {
      this.#frames.feed(chunk)
      while (this.#frames.next() === FRAME) this.#message(this.#frames.type, this.#frames.buffer.subarray(this.#frames.start, this.#frames.end))
    } catch (error) {
      if (!(error instanceof WireViolation)) throw error
      this.#broken = true
    }
    return this.#output.take()
  }

  /** @returns what is left: an unfinished table, and a word on what was cut. */
  end(): string {
    this.#finishTable((rows) => `(${counted(rows)} up to here)`)
    if (this.#broken) this.#output.write('(the rest is no PostgreSQL message)')
    else if (this.#frames.heldBytes > 0) this.#output.write(`(the last message is cut after ${this.#frames.heldBytes} bytes)`)
    return this.#output.take()
  }

  #message(type: number, bytes: Buffer): void {
    const name = String.fromCharCode(type)
    const show = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined
    if (show === undefined) return this.#output.write(`(message ${displayLine(JSON.stringify(name))} of ${bytes.length} bytes)`)
    try {
      show(new Body(bytes, this.#decode))
    } catch (error) {
      if (!(error instanceof WireViolation)) throw error
      this.#output.write(`(malformed message ${displayLine(JSON.stringify(name))} of ${bytes.length} bytes)`)
    }
  }

  readonly #handlers: Readonly<Record<string, (body: Body) => void>> = {
    T: (body) => this.#describe(body),
    D: (body) => this.#row(body),
    C: (body) => this.#complete(body.cstring()),
    E: (body) => this.#report(body),
    N: (body) => this.#report(body),
    A: (body) => this.#notification(body),
    S: (body) => this.#parameter(body.cstring(), body.cstring()),
    Z: (body) => this.#ready(String.fromCharCode(body.byte())),
    H: (body) => this.#copy(body),
    W: (body) => this.#copy(body),
    G: () => this.#output.write('(the client sends the rows of a COPY)'),
    d: (body) => this.#copyData(body.rest()),
    V: (body) => this.#functionResult(body),
    s: () => this.#finishTable((rows) => `(${counted(rows)}; the portal has more)`),
    I: nothing,
    n: nothing,
    t: nothing,
    c: nothing,
    K: nothing,
    R: nothing,
    v: nothing,
    1: nothing,
    2: nothing,
    3: nothing,
  }

  #describe(body: Body): void {
    this.#finishTable((rows) => `(${counted(rows)} up to here)`)
    this.#fields = Array.from({ length: body.uint16() }, () => {
      const name = body.cstring()
      body.skip(6)
      const type = body.uint32()
      body.skip(6)
      return { name, type, format: body.int16() === 1 ? 1 : 0 }
    })
    this.#rows = []
  }

  #row(body: Body): void {
    // Then the table alone fills the transcript, and says so.
    if (this.#held > (this.#options.maxCharacters ?? MAX_TRANSCRIPT_CHARACTERS)) return
    const values = Array.from({ length: body.uint16() }, (_, i) => {
      const bytes = body.value()
      const field = this.#fields?.[i]
      return bytes === undefined ? this.#options.nullText ?? '' : valueText(field?.type ?? 0, field?.format ?? 0, bytes, this.#decode)
    })
    this.#rows ??= []
    this.#rows.push(values)
    this.#held = values.reduce((sum, value) => sum + value.length + 1, this.#held)
  }

  #complete(tag: string): void {
    const shown = this.#rows !== undefined
    this.#finishTable((rows) => `(${counted(rows)})`)
    if (!shown || /^(INSERT|UPDATE|DELETE|MERGE)\b/.test(tag)) this.#output.write(displayLine(tag))
    this.#fields = undefined
  }

  #finishTable(footer: (rows: number) => string): void {
    const rows = this.#rows
    if (rows === undefined) return
    // One after the other: spreading a million rows into Math.max overflows the stack.
    const width = rows.reduce((most, row) => Math.max(most, row.length), this.#fields?.length ?? 0)
    writeTable(Array.from({ length: width }, (_, i) => this.#column(i)), rows, this.#output)
    this.#output.write(footer(rows.length))
    this.#output.write('')
    this.#rows = undefined
    this.#held = 0
  }

  /** Without a description, columns have their number for a name. */
  #column(index: number): TableColumn {
    const field = this.#fields?.[index]
    return field === undefined ? { title: String(index + 1), right: false } : { title: displayLine(field.name), right: isNumber(field.type) }
  }

  #report(body: Body): void {
    const fields = new Map<string, string>()
    for (let code = body.byte(); code !== 0; code = body.byte()) fields.set(String.fromCharCode(code), body.cstring())
    const failed = fields.get('V') !== undefined ? ['ERROR', 'FATAL', 'PANIC'].includes(fields.get('V') ?? '') : body.type === 'E'
    if (failed) this.#finishTable((rows) => `(${counted(rows)} before the error)`)
    for (const line of reportText(fields, this.#options.text)) this.#output.write(line)
  }

  #notification(body: Body): void {
    const process = body.int32()
    const channel = body.cstring()
    const payload = body.cstring()
    const what = `Asynchronous notification "${channel}"${payload === '' ? '' : ` with payload "${payload}"`}`
    this.#output.write(displayLine(`${what} received from server process with PID ${process}.`))
  }

  #parameter(name: string, value: string): void {
    if (name === 'client_encoding') this.#decode = textDecoder(value)
    if (this.#options.details === true) this.#output.write(displayLine(`(${name} is now ${value})`))
  }

  #ready(status: string): void {
    const transaction = { I: 'no transaction', T: 'in a transaction', E: 'in a failed transaction' }[status] ?? `status ${displayLine(status)}`
    if (this.#options.details === true) this.#output.write(`(ready, ${transaction})`)
  }

  /** CopyOutResponse: byte format, int16 columns, int16 format of each. */
  #copy(body: Body): void {
    this.#binaryCopy = body.byte() === 1
    if (this.#binaryCopy) this.#output.write('(rows of a COPY in binary format)')
  }

  #copyData(bytes: Buffer): void {
    const text = this.#binaryCopy ? undefined : this.#decode(bytes)
    this.#output.write(text === undefined ? `\\x${bytes.toString('hex')}` : display(text.replace(/\r?\n$/, '')))
  }

  #functionResult(body: Body): void {
    const bytes = body.value()
    this.#output.write(`(function result: ${bytes === undefined ? 'NULL' : valueText(0, 0, bytes, this.#decode)})`)
  }
}

function nothing(): void {}

const counted = (rows: number): string => rows === 1 ? '1 row' : `${rows} rows`

/** A message's body; strings are in the client's encoding, or else as close as UTF-8 comes. */
class Body extends BodyReader {
  readonly #message: Buffer
  readonly #decode: DecodeText

  constructor(message: Buffer, decode: DecodeText) {
    super(message, 5, message.length)
    this.#message = message
    this.#decode = decode
  }

  get type(): string {
    return String.fromCharCode(this.#message[0] ?? 0)
  }

  override cstring(): string {
    const end = this.#message.indexOf(0, this.at)
    if (end < 0) throw new WireViolation('a string has no end')
    const bytes = this.bytes(end - this.at)
    this.skip(1)
    return this.#decode(bytes) ?? bytes.toString()
  }

  /** int32 length, bytes; undefined is NULL. */
  value(): Buffer | undefined {
    const length = this.int32()
    return length === -1 ? undefined : this.bytes(length)
  }

  rest(): Buffer {
    return this.bytes(this.left)
  }
}
