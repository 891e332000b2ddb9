import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./appending-process.ts', import.meta.url))

/** An append that the child was told is durable. */
export interface Acknowledged {
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly ids: readonly [string, string]
}

/** A process that appends; see appending-process.ts. */
export class AppendingChild {
  readonly acknowledged: Acknowledged[] = []
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #opened = false
  #stderr = ''
  #look: () => void = () => {}

  constructor(path: string) {
    this.#process = spawn(process.execPath, [SCRIPT, path], { stdio: ['ignore', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#process
    if (stdout === null || stderr === null) throw new Error('the child has no output')
    stderr.on('data', (text) => (this.#stderr += String(text)))
    const lines = createInterface({ input: stdout })
    lines.on('line', (line) => this.#line(line))
    this.#ended = Promise.all([once(lines, 'close'), once(this.#process, 'exit')]).then(() => this.#look())
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  #line(line: string): void {
    if (line === 'opened') this.#opened = true
    else {
      const [stream, revision, position, a, b] = line.split(' ')
      // The kill may cut the last line short; what is not whole was not told.
      if (stream && revision && position && a && b?.length === 36) this.acknowledged.push({ stream, revision: BigInt(revision), position: BigInt(position), ids: [a, b] })
    }
    this.#look()
  }

  /** Resolves when the child holds the store and so many appends were acknowledged; rejects when it ends before. */
  async until(acknowledged: number): Promise<void> {
    while (!this.#opened || this.acknowledged.length < acknowledged) {
      if (this.#process.exitCode !== null) throw new Error(`the child ended with ${this.#process.exitCode}: ${this.#stderr}`)
      await new Promise<void>((resolve) => (this.#look = resolve))
    }
  }

  /** kill -9, and every line it had printed is read. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }
}
