import { SallyportError } from '../../../core/index.ts'
import { int32At } from '../../shared/bytes.ts'
import { encodeCopyData } from '../wire/backend.ts'
import type { ColumnMasks } from './column-masks.ts'
import type { MessageMask } from './message-mask.ts'
import { MessageRewriter } from './message-rewriter.ts'

export function copyViolation(what: string): SallyportError {
  return new SallyportError('PROTOCOL_VIOLATION', `rows of a COPY cannot be masked: ${what}`)
}

/** Byte1('d') Int32(length, itself included) */
const HEADER_BYTES = 5
/** Bytes of a row that are kept until it is complete. */
const MAX_ROW_BYTES = 64 * 1024 * 1024
const NOTHING = Buffer.alloc(0)

/** What the formats have in common: CopyData messages, each of which ends with a row; or does not, and what is left is kept for the next. */
export abstract class CopyRows implements MessageMask {
  protected readonly columns: ColumnMasks
  readonly #rewriter = new MessageRewriter()
  readonly #aside = new MessageRewriter()
  #kept: Buffer[] = []
  #keptBytes = 0
  /** When so much is kept, it is looked at again: each byte twice on the average, however small the messages are. */
  #enough = 0

  constructor(columns: ColumnMasks) {
    this.columns = columns
  }

  get values(): number {
    return this.columns.values
  }

  get detected(): ReadonlySet<number> {
    return this.columns.detected
  }

  /** Whether any column is masked at all. */
  get masksAny(): boolean {
    return this.columns.places.length > 0
  }

  /** Masks the row that begins at `from`, where it stands or by `rewriter`, and returns its end; -1, and nothing is changed, when it does not end before `to`. */
  protected abstract row(bytes: Buffer, from: number, to: number, rewriter: MessageRewriter): number

  /** Masks whole CopyData messages. Rows that are not complete are kept. */
  apply(buffer: Buffer, start: number, end: number, reusable = false): Buffer | undefined {
    const rewriter = this.#rewriter
    rewriter.begin(buffer, start, reusable)
    for (let at = start; at < end;) {
      const next = at + 1 + int32At(buffer, at + 1)
      if (next > end || next < at + HEADER_BYTES) throw copyViolation('a message has the wrong length')
      if (this.#keptBytes === 0) this.#message(buffer, at, next, rewriter)
      else rewriter.instead(at, next, this.#goOn(buffer.subarray(at + HEADER_BYTES, next)))
      at = next
    }
    return rewriter.finish(end)
  }

  /**
   * The rows are over: a message with the last of them, or nothing.
   * @throws SallyportError PROTOCOL_VIOLATION when a row is cut off.
   */
  end(): Buffer {
    this.#enough = 0
    const last = this.#keptBytes > 0 ? this.#goOn(NOTHING) : NOTHING
    if (this.#keptBytes > 0) throw copyViolation('the last one is cut off')
    return last
  }

  #message(bytes: Buffer, start: number, end: number, rewriter: MessageRewriter): void {
    rewriter.message(start)
    let at = start + HEADER_BYTES
    for (let next = at; next >= 0 && at < end;) {
      next = this.row(bytes, at, end, rewriter)
      if (next >= 0) at = next
    }
    if (at < end) this.#keepRow(bytes, at, end)
    if (at === start + HEADER_BYTES) return rewriter.instead(start, end, NOTHING)
    if (at < end) rewriter.replace(at, end, NOTHING)
    rewriter.messageEnds(end)
  }

  /** What is left is no row yet. */
  #keepRow(bytes: Buffer, start: number, end: number): void {
    this.#keep(bytes, start, end)
    if (this.#keptBytes > MAX_ROW_BYTES) throw copyViolation(`a row has more than ${MAX_ROW_BYTES} bytes`)
    this.#enough = this.#keptBytes * 2
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#keptBytes += end - start
    this.#kept.push(Buffer.from(bytes.subarray(start, end)))
  }

  /** Messages with what is complete of the bytes that are kept and these. */
  #goOn(bytes: Buffer): Buffer {
    this.#keep(bytes, 0, bytes.length)
    if (this.#keptBytes < this.#enough) return NOTHING
    const message = encodeCopyData(Buffer.concat(this.#kept))
    this.#kept = []
    this.#keptBytes = 0
    this.#aside.begin(message, 0, true)
    this.#message(message, 0, message.length, this.#aside)
    return this.#aside.finish(message.length) ?? message
  }
}
