import type { ByteStream } from './byte-stream.ts'
import type { LimitGuard } from './limit-guard.ts'
import type { Operation } from './operation.ts'
import type { Run } from './run.ts'
import type { FrameReader } from './wire/frame-reader.ts'
import { WireViolation } from './wire/violation.ts'

export interface RowsOptions {
  readonly client: ByteStream
  readonly reader: FrameReader
  readonly limits: LimitGuard
  /** Passes whole messages on to the client, and records them. */
  forward(run: Run | undefined, buffer: Buffer, start: number, end: number): void
}

/**
 * The rows of the answers, as DataRow and as CopyData: passed on as they came, or masked. As many as came in one piece go in one
 * piece, so what is done for each is to look at its length and, where it is masked, at its bytes. Only under a limit that
 * could end in their midst do they go one by one.
 */
export class Rows {
  readonly #o: RowsOptions

  constructor(options: RowsOptions) {
    this.#o = options
  }

  /** The reader is at a DataRow. */
  data(head: Operation | undefined): void {
    const run = head?.run
    if (head === undefined || run === undefined) throw new WireViolation('the target sent rows that nobody asked for')
    const { reader, limits } = this.#o
    const { masked, watch } = run
    const description = head.portal?.description
    if (description !== undefined && masked?.described === false) masked.describe(description, 0, description.length)
    if (masked === undefined || masked.passes) return this.#pass(run)
    if (watch === undefined) reader.extend()
    const replaced = masked.apply(reader.buffer, reader.start, reader.end, this.#o.client.written)
    if (watch !== undefined && !limits.admits(run, 1, replaced?.length ?? reader.end - reader.start)) return
    this.#give(run, replaced)
  }

  /** The reader is at a CopyData, which is within the limits. */
  copyData(run: Run | undefined): void {
    const { reader } = this.#o
    if (run?.watch === undefined) reader.extend()
    if (run?.masked?.copies === true) this.#give(run, run.masked.copyData(reader.buffer, reader.start, reader.end, this.#o.client.written))
    else this.#o.forward(run, reader.buffer, reader.start, reader.end)
  }

  /** The reader is at a CopyDone. */
  copyDone(run: Run | undefined): void {
    const { reader: { buffer, start, end } } = this.#o
    if (run?.masked?.copies === true) this.#give(run, run.masked.copyEnds())
    this.#o.forward(run, buffer, start, end)
  }

  #pass(run: Run): void {
    const { reader } = this.#o
    if (run.watch === undefined) reader.extend()
    else if (!this.#mayPass(run)) return
    this.#o.forward(run, reader.buffer, reader.start, reader.end)
  }

  /** Takes in as many rows as there surely is room for; false when not even one may pass. */
  #mayPass(run: Run): boolean {
    const { reader, limits } = this.#o
    if (!limits.admits(run, 1, reader.end - reader.start)) return false
    const { watch } = run
    if (watch !== undefined) watch.rows += reader.extend(watch.room(reader.buffer.length, run.bytes))
    return true
  }

  /** Passes on what was masked: where it stands, or what takes its place, in memory that will be used again. */
  #give(run: Run, replaced: Buffer | undefined): void {
    const { reader, forward } = this.#o
    if (replaced === undefined) return forward(run, reader.buffer, reader.start, reader.end)
    if (replaced.length === 0) return
    forward(run, replaced, 0, replaced.length)
    run.keepRecording()
  }
}
