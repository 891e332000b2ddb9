import { findSessions, playReplay, readReplay, renderReplayHeader, renderStep, type RecordingRenderers, type ReplayStep, type SessionEntry } from '../../../projections/index.ts'
import { PROTOCOLS } from '../../protocols/index.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'
import { withRecords, type Records } from '../records.ts'

export interface ReplayOptions {
  readonly config: string
  readonly json?: boolean
  readonly timed?: boolean
  readonly speed?: number
}

export function replay(io: CliIo, session: string, options: ReplayOptions): Promise<void> {
  return withRecords(io, options.config, async (records) => {
    const found = theSession(records, session)
    const steps = readReplay(records.projections.database, records.store, found.session)
    if (options.json === true) return printSteps(io, steps)
    print(io, renderReplayHeader(found))
    await show(io, options.timed === true ? playReplay(steps, options.speed ?? 1, io.interrupted) : steps)
  })
}

function theSession({ projections }: Records, beginning: string): SessionEntry {
  const [found, another] = findSessions(projections.database, beginning)
  if (found === undefined) throw new CliFailure(EXIT.failed, `there is no session ${beginning}; \`sallyport sessions\` lists them`)
  if (another !== undefined) throw new CliFailure(EXIT.failed, `more than one session begins with ${beginning}; write more of its id`)
  return found
}

async function show(io: CliIo, steps: AsyncIterable<ReplayStep>): Promise<void> {
  const renderers = await recordingRenderers()
  for await (const step of steps) print(io, `\n${renderStep(step, renderers)}`)
}

async function printSteps(io: CliIo, steps: AsyncIterable<ReplayStep>): Promise<void> {
  for await (const step of steps) printJson(io, step)
}

/** Each adapter renders what it recorded. */
async function recordingRenderers(): Promise<RecordingRenderers> {
  const all = PROTOCOLS.flatMap(({ renderers }) => Object.entries(renderers))
  return Object.fromEntries(await Promise.all(all.map(async ([encoding, load]) => [encoding, await load()] as const)))
}
