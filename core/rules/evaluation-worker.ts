import { parentPort, workerData } from 'node:worker_threads'
import { hideIncomplete, type RuleDocument } from './document.ts'
import { interpreter } from './expression/interpret.ts'
import { inputType, type InputVocabulary } from './input-schema.ts'
import { readRule } from './rule.ts'
import { readVotes, type RuleVote } from './vote.ts'

/** What the thread is started with. */
export interface WorkerStart {
  readonly rules: readonly { readonly id: string; readonly source: string }[]
  readonly vocabulary: InputVocabulary
  /** [0]: place of the rule being evaluated, −1 for none; [1]: CPU time of the thread when it began, in µs. */
  readonly progress: SharedArrayBuffer
}

export interface WorkerJob {
  readonly id: number
  /** Places of the rules to evaluate. */
  readonly places: readonly number[]
  readonly document: RuleDocument
}

export type WorkerOutcome = { readonly votes: readonly RuleVote[] } | { readonly failure: string }
export interface WorkerReport { readonly id: number; readonly outcomes: readonly WorkerOutcome[] }

type Interpret = (input: unknown) => Promise<unknown>

/** The thread's life: one job at a time, each rule announced before it runs, so that what stops the thread is known. */
function serve({ rules, vocabulary, progress }: WorkerStart): void {
  const state = new Float64Array(progress)
  const interpreters = new Map<number, Interpret>()
  const type = inputType(vocabulary)
  const interpreterOf = (place: number): Interpret => {
    const known = interpreters.get(place)
    if (known !== undefined) return known
    const rule = rules[place]
    const read = rule === undefined ? undefined : readRule(`${rule.id}.jsonata`, rule.source, type)
    if (read === undefined || 'problem' in read) throw new TypeError(`no rule at ${place}`)
    const made = interpreter(read.rule.expression)
    interpreters.set(place, made)
    return made
  }
  parentPort?.on('message', (job: WorkerJob) => void run(job, interpreterOf, state))
}

async function run({ id, places, document }: WorkerJob, interpreterOf: (place: number) => Interpret, state: Float64Array): Promise<void> {
  const root = hideIncomplete(document.root, document.incomplete)
  const outcomes: WorkerOutcome[] = []
  for (const place of places) {
    // Reading a rule for the first time is not on its budget: no input can make that longer.
    const interpret = interpreterOf(place)
    const { user, system } = process.threadCpuUsage()
    state[1] = user + system
    state[0] = place
    outcomes.push(await outcomeOf(interpret, root))
    state[0] = -1
  }
  parentPort?.postMessage({ id, outcomes } satisfies WorkerReport)
}

async function outcomeOf(interpret: Interpret, root: unknown): Promise<WorkerOutcome> {
  try {
    const result = await interpret(root)
    const votes = readVotes(result === undefined ? undefined : plain(result))
    return typeof votes === 'string' ? { failure: votes } : { votes }
  } catch (error) {
    const { message } = error as { message?: unknown }
    return { failure: typeof message === 'string' ? message.slice(0, 300) : 'it failed' }
  }
}

/** JSONata marks its lists with properties of its own; take them off. */
function plain(result: unknown): unknown {
  return JSON.parse(JSON.stringify(result) ?? 'null')
}

serve(workerData as WorkerStart)
