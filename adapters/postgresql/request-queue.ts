import { randomUUID } from 'node:crypto'
import type { ByteStream } from './byte-stream.ts'
import type { Operation, Portal, Prepared } from './operation.ts'
import type { Responses } from './responses.ts'
import type { Run } from './run.ts'
import { encodeDescribePortal, encodeExecute, encodeFlush, encodeQuery } from './wire/frontend.ts'

/** While this much waits for decisions, the client is not read. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024
const MAX_QUEUED_MESSAGES = 8192

/** A message from the client, in its place in the order. */
export interface Entry {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  readonly operation: Operation | undefined
  /** What has to be decided before it may go; `undefined` when nothing has to. */
  run: Run | undefined
  /** No Execute, Flush or Sync came yet to say what it is for. */
  undecided: boolean
  /** What a Parse or a Bind defines. */
  readonly prepared?: Prepared
  readonly portal?: Portal
}

/** What is on its way to the target, in the order it came. Nothing overtakes a message that waits. */
export class RequestQueue {
  readonly #target: ByteStream
  readonly #responses: Responses
  #entries: Entry[] = []
  #bytes = 0
  #wakeOnEmpty: (() => void)[] = []
  /** How many wait for the target's answer to what was sent without a Sync. */
  #flushing = 0

  constructor(target: ByteStream, responses: Responses) {
    this.#target = target
    this.#responses = responses
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#bytes += entry.end - entry.start
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** The run that everything waits for until it is decided. */
  get waitingRun(): Run | undefined {
    const run = this.#entries[0]?.run
    return run?.decided === false ? run : undefined
  }

  get isFull(): boolean {
    return this.#bytes > MAX_QUEUED_BYTES || this.#entries.length > MAX_QUEUED_MESSAGES
  }

  /** Resolves once everything that is queued now has been sent. */
  async emptied(): Promise<void> {
    if (this.isEmpty) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeOnEmpty.push(resolve)
    await promise
  }

  /** Asks the target to answer what was sent without a Sync, and what will be, until `flushed`. */
  flush(): void {
    this.#flushing++
    if (!this.#responses.idle) this.#target.add(encodeFlush())
  }

  /** One of those who wait has its answer. */
  flushed(): void {
    this.#flushing--
  }

  /** Drops what nothing will ever ask for. */
  dropUndecided(): void {
    this.#entries = this.#entries.filter(({ undecided }) => !undecided)
  }

  /** Drops everything; returns the runs that will not be sent. */
  abandon(): Run[] {
    const runs = this.#entries.flatMap(({ run }) => (run === undefined ? [] : [run]))
    this.#entries = []
    return runs
  }

  /** Sends what may go, up to the first message that has to wait. */
  advance(): void {
    let sent = 0
    for (const entry of this.#entries) {
      if (entry.undecided || (entry.run !== undefined && !entry.run.decided)) break
      if (this.#responses.limits.barred && !this.#passesLimit(entry)) break
      sent++
      this.#bytes -= entry.end - entry.start
      if (entry.run?.refusal === undefined) this.#send(entry)
      else this.refuse(entry.operation, entry.run, entry.run.refusal)
    }
    if (sent === 0) return
    if (this.#flushing > 0) this.#target.add(encodeFlush())
    this.#entries = sent === this.#entries.length ? [] : this.#entries.slice(sent)
    if (this.isEmpty) for (const wake of this.#wakeOnEmpty.splice(0)) wake()
  }

  /**
   * In place of the first message of a refused run goes one that the target must fail on; the others are dropped.
   * It names a statement or portal that cannot exist. Nobody must be able to guess the name, and make one.
   */
  refuse(operation: Operation | undefined, run: Run, message: Buffer): void {
    operation?.settle?.(false)
    if (run.replaced) return
    run.replaced = true
    const kind = operation?.kind === 'query' || operation?.kind === 'call' ? 'query' : 'execute'
    this.#target.add(impossible(kind))
    this.#responses.expect({ kind, run, refusal: message })
  }

  /** Behind a run that may use only so much goes nothing but the rows of its own COPY. */
  #passesLimit({ operation }: Entry): boolean {
    return operation === undefined || operation.kind === 'copy-end' || (operation.kind === 'sync' && this.#responses.copyingIn)
  }

  /** In place of what the target completed and should not have goes something that it must fail on. */
  spoil(run: Run, kind: 'query' | 'execute'): void {
    this.#target.add(impossible(kind))
    if (kind === 'execute') this.#target.add(encodeFlush())
    this.#responses.expect({ kind, run, injected: true })
  }

  #send({ buffer, start, end, operation }: Entry): void {
    if (operation?.kind === 'execute') this.#beforeExecute(operation)
    else if (operation?.kind === 'describe' && operation.portal !== undefined) operation.portal.described = true
    this.#target.add(buffer, start, end)
    if (operation === undefined) return
    this.#responses.expect(operation)
    // What follows waits for it, and so for an answer that the target gives only when it is asked to.
    if ((operation.kind === 'execute' || operation.kind === 'copy-end') && this.#responses.limits.barred) this.#target.add(encodeFlush())
  }

  /** Where time is limited, it counts from when the target has answered what came before. */
  #beforeExecute(operation: Operation): void {
    this.#describeIfMasked(operation)
    if (operation.run?.limits?.seconds !== undefined) this.#target.add(encodeFlush())
  }

  /** Masks need to know the columns; a client that does not ask leaves it to us. */
  #describeIfMasked({ run, portal }: Operation): void {
    if (run?.masked?.strict !== true || portal === undefined || portal.described) return
    portal.described = true
    this.#target.add(encodeDescribePortal(portal.name))
    this.#responses.expect({ kind: 'describe', portal, injected: true })
  }
}

/** Names a statement or portal that cannot exist. */
function impossible(kind: 'query' | 'execute'): Buffer {
  const nobody = `sallyport blocked ${randomUUID()}`
  return kind === 'query' ? encodeQuery(`EXECUTE "${nobody}"`) : encodeExecute(nobody)
}
