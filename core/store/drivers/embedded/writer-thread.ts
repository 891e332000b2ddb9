import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { SallyportError } from '../../../errors.ts'
import { StoreConflict, type AppendResult, type ExpectedRevision } from '../../event-store.ts'
import type { NewEvent } from '../../../events/index.ts'
import { AppendDraft } from './append-draft.ts'
import { received } from './store-failure.ts'
import type { Head, Verification } from './verify-store.ts'
import { CONFLICT, EXPECT_ANY, EXPECT_NO_STREAM, type FromWriter, type ToWriter, type WriterSettings } from './writer-protocol.ts'

const WRITER = new URL(`./writer${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

const MAX_IN_FLIGHT = 2

/** An append that was taken and not answered yet. */
interface Waiting {
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly bytes: number
  resolve(result: AppendResult): void
  reject(error: SallyportError): void
}

export interface WriterThreadOptions {
  readonly path: string
  /** Bytes that may wait for the disk; more are refused with `STORE_UNAVAILABLE`. */
  readonly maxPendingBytes: number
  /** Called after each commit, before its appends resolve. */
  onCommit(): void
}

/**
 * The caller's end of the writer's thread. Appends of one turn of the event loop travel in one message.
 * When the thread dies, what it had not answered rejects with `STORE_UNAVAILABLE`, and the next append starts another.
 */
export class WriterThread {
  readonly #options: WriterThreadOptions
  #worker: Worker | undefined
  readonly #draft = new AppendDraft()
  /** Taken and not answered, oldest at `#answered`. */
  #waiting: Waiting[] = []
  #answered = 0
  #pendingBytes = 0
  /** Messages that were sent and not answered. */
  #inFlight = 0
  #closing: Promise<Head | undefined> | undefined

  constructor(options: WriterThreadOptions) {
    this.#options = options
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Starts the thread and waits until it holds a verified store. Throws what it says when it cannot. */
  open(verification: Verification, known: Head | undefined): Promise<Head> {
    const worker = this.#start(verification, known)
    worker.ref()
    return new Promise((resolve, reject) => {
      const leave = (): void => reject(lost(this.#options.path))
      worker.once('exit', leave)
      worker.once('message', (message: FromWriter) => {
        worker.off('exit', leave)
        this.#restWhenIdle()
        if (message.type === 'opened') resolve(message.head)
        else if (message.type === 'not-opened') reject(received(message.failure))
      })
    })
  }

  /** Throws, and has taken nothing, for what cannot be written or is too much. */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const draft = this.#draft
    const first = draft.empty
    const ids = expected === 'any' ? events.map((event) => event.id).join('\n') : ''
    const bytes = draft.add(stream, events, expectedCode(expected), ids, this.#admit)
    this.#pendingBytes += bytes
    if (first) setImmediate(this.#sendDraft)
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>()
    this.#waiting.push({ stream, expected, bytes, resolve, reject })
    if (draft.full) this.#send()
    return promise
  }

  readonly #admit = (bytes: number): void => {
    const { path, maxPendingBytes } = this.#options
    if (this.#closing !== undefined) throw new SallyportError('STORE_UNAVAILABLE', `${path}: the event store is closed`)
    if (this.#pendingBytes === 0 || this.#pendingBytes + bytes <= maxPendingBytes) return
    throw new SallyportError('STORE_UNAVAILABLE', `${path}: more than ${maxPendingBytes} bytes already wait for the disk`)
  }

  /** One message is being committed and another is there for when it is; what comes now travels together, as soon as there is an answer. */
  readonly #sendDraft = (): void => {
    if (this.#inFlight < MAX_IN_FLIGHT) this.#send()
  }

  #send(): void {
    if (this.#draft.empty) return
    const worker = this.#worker ?? this.#start('tail', undefined)
    worker.ref()
    const message = this.#draft.take()
    this.#inFlight++
    worker.postMessage(message satisfies ToWriter, [message.events])
  }

  #start(verification: Verification, known: Head | undefined): Worker {
    const settings: WriterSettings = { path: this.#options.path, verification, known }
    const worker = new Worker(WRITER, { workerData: settings, name: 'sallyport event store', stdin: false })
    worker.on('message', (message: FromWriter) => this.#take(message))
    worker.on('error', (error) => this.#lose(worker, error))
    worker.on('messageerror', (error) => this.#lose(worker, error))
    worker.on('exit', () => this.#lose(worker))
    this.#worker = worker
    return worker
  }

  #take(message: FromWriter): void {
    if (message.type !== 'committed' && message.type !== 'failed') return
    this.#draft.giveBack(message.buffers)
    this.#inFlight -= message.buffers.length
    this.#sendDraft()
    if (message.type === 'committed') this.#settle(message.answers)
    else this.#rejectNext(message.count, received(message.failure))
  }

  #settle(answers: readonly number[]): void {
    this.#options.onCommit()
    for (let i = 0; i + 1 < answers.length; i += 2) answer(this.#nextWaiting(), answers[i] ?? 0, answers[i + 1] ?? 0)
    this.#restWhenIdle()
  }

  #rejectNext(count: number, error: SallyportError): void {
    for (let i = 0; i < count; i++) this.#nextWaiting()?.reject(error)
    this.#restWhenIdle()
  }

  #nextWaiting(): Waiting | undefined {
    const waiting = this.#waiting[this.#answered++]
    this.#pendingBytes -= waiting?.bytes ?? 0
    if (this.#answered === this.#waiting.length) {
      this.#waiting = []
      this.#answered = 0
    }
    return waiting
  }

  /** An idle store does not keep the process alive. */
  #restWhenIdle(): void {
    if (this.#waiting.length === 0 && this.#closing === undefined) this.#worker?.unref()
  }

  #lose(worker: Worker, cause?: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#inFlight = 0
    this.#draft.clear()
    this.#rejectNext(this.#waiting.length - this.#answered, lost(this.#options.path, cause))
    void worker.terminate()
  }

  /** Finishes what was taken. Resolves with the end of the record when the store was closed in order. */
  close(): Promise<Head | undefined> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<Head | undefined> {
    this.#send()
    const worker = this.#worker
    if (worker === undefined) return undefined
    let head: Head | undefined
    worker.ref()
    worker.on('message', (message: FromWriter) => {
      if (message.type === 'closed') head = message.head
    })
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ type: 'close' } satisfies ToWriter)
    await gone
    return head
  }
}

function answer(waiting: Waiting | undefined, revision: number, position: number): void {
  if (waiting === undefined) return
  const { stream, expected } = waiting
  if (position !== CONFLICT) return waiting.resolve({ revision: BigInt(revision), position: BigInt(position) })
  waiting.reject(new StoreConflict(stream, expected, revision < 0 ? 'no_stream' : BigInt(revision)))
}

/** Revisions beyond the safe integers cannot exist, so that cutting them off still conflicts. */
function expectedCode(expected: ExpectedRevision): number {
  if (expected === 'any') return EXPECT_ANY
  if (expected === 'no_stream') return EXPECT_NO_STREAM
  return Number(expected < MAX_REVISION ? expected : MAX_REVISION)
}
const MAX_REVISION = BigInt(Number.MAX_SAFE_INTEGER)

function lost(path: string, cause?: unknown): SallyportError {
  const message = `${path}: the writer's thread ended; whether what it had was written is not known`
  return new SallyportError('STORE_UNAVAILABLE', message, { cause })
}
