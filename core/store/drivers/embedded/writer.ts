/**
 * The writer's thread. Commits as soon as it has something; what arrives meanwhile is the next transaction.
 * An answer is posted only after COMMIT returned, which is after the write-ahead log was synced.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { AppendBatch } from './append-batch.ts'
import { Appender } from './appender.ts'
import { sendable, storeFailure } from './store-failure.ts'
import type { AppendsMessage, FromWriter, ToWriter, WriterSettings } from './writer-protocol.ts'

/** Of events in one transaction, and so in one row: only a single message that is larger makes it more. */
const MAX_COMMIT_BYTES = 2 * 1024 * 1024
const MAX_COMMIT_APPENDS = 1024

class Writer {
  readonly #port: MessagePort
  readonly #path: string
  #appender: Appender | undefined

  constructor(port: MessagePort, { path, verification, known }: WriterSettings) {
    this.#port = port
    this.#path = path
    try {
      this.#appender = new Appender(path, verification, known)
      this.#post({ type: 'opened', head: this.#appender.head })
    } catch (error) {
      this.#post({ type: 'not-opened', failure: sendable(storeFailure(path, error)) })
    }
    port.on('message', (message: ToWriter) => this.#take(message))
  }

  #post(message: FromWriter, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #take(first: ToWriter): void {
    let message: ToWriter | undefined = first
    while (message !== undefined) {
      if (message.type === 'close') return this.#close()
      message = this.#commitWithWhatWaits(message)
    }
  }

  /** Commits `message` with the messages behind it, as far as the caps allow; returns the first that was left out. */
  #commitWithWhatWaits(message: ToWriter): ToWriter | undefined {
    const batch = new AppendBatch()
    let next: ToWriter | undefined = message
    while (next?.type === 'appends' && fits(batch, next)) {
      batch.add(next)
      next = receiveMessageOnPort(this.#port)?.message as ToWriter | undefined
    }
    this.#commit(batch)
    return next
  }

  #commit(batch: AppendBatch): void {
    const { buffers } = batch
    try {
      this.#appender ??= new Appender(this.#path, 'tail')
      const answers: number[] = []
      for (const { revision, position } of this.#appender.append(batch)) answers.push(revision, position)
      this.#post({ type: 'committed', answers, buffers }, buffers)
    } catch (error) {
      this.#post({ type: 'failed', count: batch.requests.length, failure: sendable(storeFailure(this.#path, error)), buffers }, buffers)
      return this.#discard()
    }
    this.#tidy()
  }

  /** After the answers, so that nobody waits for it who need not. A failure here is met again by the next append. */
  #tidy(): void {
    try {
      if (this.#appender?.indexIsDue === true) this.#appender.flushIndex()
      if (this.#appender?.checkpointIsDue === true) this.#appender.checkpoint()
    } catch {
      this.#discard()
    }
  }

  /** What the appender remembers may be wrong now, and SQLite may want to recover: the next append opens it anew. */
  #discard(): void {
    const appender = this.#appender
    this.#appender = undefined
    try {
      appender?.close()
    } catch {
      // It is closed as far as it can be.
    }
  }

  #close(): void {
    let head = this.#appender?.head
    try {
      this.#appender?.flushIndex()
    } catch {
      head = undefined
    }
    this.#discard()
    this.#post({ type: 'closed', head })
    this.#port.close()
  }
}

function fits(batch: AppendBatch, message: AppendsMessage): boolean {
  const { length } = batch.requests
  if (length === 0) return true
  return batch.bytes + message.bytes <= MAX_COMMIT_BYTES && length + message.streams.length <= MAX_COMMIT_APPENDS
}

if (parentPort !== null) new Writer(parentPort, workerData as WriterSettings)
