import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { portable, type RuleDocument } from './document.ts'
import type { WorkerJob, WorkerOutcome, WorkerReport, WorkerStart } from './evaluation-worker.ts'
import type { Ruleset } from './load-ruleset.ts'

/** Limits of one rule on one input. CPU time, not wall time: a busy machine must not make a healthy rule fail. */
export interface EvaluationLimits {
  readonly cpuMs: number
  /** When the thread has not answered by then, it is stopped whatever it used. */
  readonly wallMs: number
  readonly memoryMb: number
  /** Jobs that may wait. */
  readonly queue: number
}
export const EVALUATION_LIMITS: EvaluationLimits = { cpuMs: 100, wallMs: 5_000, memoryMb: 64, queue: 1_000 }

/** `transient`: another try may go well. */
export type BoundedOutcome = WorkerOutcome | { readonly failure: string; readonly transient: true }

interface Job {
  readonly places: readonly number[]
  readonly document: RuleDocument
  readonly outcomes: Map<number, BoundedOutcome>
  readonly resolve: (outcomes: readonly BoundedOutcome[]) => void
  /** Threads that stopped on it before any of its rules had begun. */
  crashes: number
  startedAt: number
}

const WATCH_MS = 20
const MAX_CRASHES = 2

/**
 * Evaluates rules in a thread of its own, one job at a time. A rule that takes too much time or memory costs the thread
 * and fails; a new thread goes on with the rest, so that nobody else's evaluation is lost with it.
 */
export class BoundedEvaluator {
  readonly #ruleset: Ruleset
  readonly #limits: EvaluationLimits
  readonly #progress = new Float64Array(new SharedArrayBuffer(16))
  readonly #queue: Job[] = []
  #current: Job | undefined
  #worker: Worker | undefined
  #watch: NodeJS.Timeout | undefined
  #closed = false
  #jobs = 0

  constructor(ruleset: Ruleset, limits: EvaluationLimits = EVALUATION_LIMITS) {
    this.#ruleset = ruleset
    this.#limits = limits
  }

  /** Starts the thread before it is needed. */
  warm(): void {
    if (!this.#closed) this.#worker ??= this.#start()
  }

  /** Outcomes of the rules at `places`, in that order. Never rejects. */
  evaluate(places: readonly number[], document: RuleDocument): Promise<readonly BoundedOutcome[]> {
    const refused = this.#closed ? 'the rules were replaced' : this.#queue.length >= this.#limits.queue ? 'too many evaluations are waiting' : undefined
    if (refused !== undefined) return Promise.resolve(places.map(() => ({ failure: refused, transient: true })))
    return new Promise((resolve) => {
      this.#queue.push({ places, document: portable(document), outcomes: new Map(), resolve, crashes: 0, startedAt: 0 })
      this.#next()
    })
  }

  /** Finishes what waits, then stops the thread. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#current === undefined && this.#queue.length === 0) await this.#stop()
  }

  #next(): void {
    if (this.#current !== undefined) return
    const job = this.#queue.shift()
    if (job === undefined) return this.#rest()
    this.#current = job
    this.#send(job)
  }

  #rest(): void {
    clearTimeout(this.#watch)
    this.#watch = undefined
    if (this.#closed) void this.#stop()
    else this.#worker?.unref()
  }

  #send(job: Job): void {
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    this.#progress[0] = -1
    job.startedAt = performance.now()
    const places = job.places.filter((place) => !job.outcomes.has(place))
    worker.postMessage({ id: ++this.#jobs, places, document: job.document } satisfies WorkerJob)
    this.#watch ??= setTimeout(() => void this.#check(), WATCH_MS)
  }

  #start(): Worker {
    const url = new URL(`./evaluation-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
    const { rules, vocabulary } = this.#ruleset
    const progress = this.#progress.buffer as SharedArrayBuffer
    const start: WorkerStart = { rules: rules.map(({ id, source }) => ({ id, source })), vocabulary, progress }
    const resourceLimits = { maxOldGenerationSizeMb: this.#limits.memoryMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 }
    const worker = new Worker(url, { workerData: start, resourceLimits, stdout: false })
    worker.on('message', (report: WorkerReport) => this.#done(worker, report))
    worker.on('error', () => {})
    worker.on('exit', () => this.#lost(worker))
    worker.unref()
    return worker
  }

  #done(worker: Worker, { id, outcomes }: WorkerReport): void {
    const job = this.#current
    if (worker !== this.#worker || job === undefined || id !== this.#jobs) return
    const places = job.places.filter((place) => !job.outcomes.has(place))
    places.forEach((place, i) => job.outcomes.set(place, outcomes[i] ?? { failure: 'it gave no answer', transient: true }))
    this.#settle(job)
  }

  #settle(job: Job): void {
    this.#current = undefined
    job.resolve(job.places.map((place) => job.outcomes.get(place) ?? { failure: 'it gave no answer', transient: true }))
    this.#next()
  }

  async #check(): Promise<void> {
    const [worker, job] = [this.#worker, this.#current]
    this.#watch = undefined
    if (worker === undefined || job === undefined) return
    const [place, begun] = this.#progress
    const late = performance.now() - job.startedAt > this.#limits.wallMs
    const used = late || place === undefined || place < 0 ? 0 : await cpuMicroseconds(worker, this.#limits.wallMs)
    const stillAt = this.#current === job && this.#progress[0] === place && this.#progress[1] === begun
    if (stillAt && (late || (place !== -1 && used - (begun ?? 0) > this.#limits.cpuMs * 1_000))) void worker.terminate()
    else if (this.#current !== undefined) this.#watch ??= setTimeout(() => void this.#check(), WATCH_MS)
  }

  /** The thread is gone: the rule it was at is to blame. The rest of its job begins again in a new one. */
  #lost(worker: Worker): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    const job = this.#current
    if (job === undefined) return
    const place = this.#progress[0] ?? -1
    if (place >= 0) job.outcomes.set(place, { failure: 'it took too much time or memory', transient: true })
    else if (++job.crashes >= MAX_CRASHES) return this.#giveUp(job)
    if (job.places.every((each) => job.outcomes.has(each))) this.#settle(job)
    else this.#send(job)
  }

  #giveUp(job: Job): void {
    for (const place of job.places) if (!job.outcomes.has(place)) job.outcomes.set(place, { failure: 'it could not be started', transient: true })
    this.#settle(job)
  }

  async #stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

/** CPU time a thread has used; infinite when it does not even answer that. */
async function cpuMicroseconds(worker: Worker, patienceMs: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<number>((resolve) => (timer = setTimeout(resolve, patienceMs, Number.POSITIVE_INFINITY)))
  const usage = worker.cpuUsage().then(({ user, system }) => user + system, () => Number.POSITIVE_INFINITY)
  return await Promise.race([usage, silence]).finally(() => clearTimeout(timer))
}
