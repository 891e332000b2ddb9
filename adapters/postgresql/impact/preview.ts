import type { Command, Impact } from '../../../core/index.ts'
import type { Action } from '../sql/analysis.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import type { Route } from '../target.ts'
import { Draft } from './draft.ts'
import { PreviewRun, Unknown, type HeldStatement } from './preview-run.ts'

export interface PreviewLimits {
  /** In the planner's units: a count that would cost more is estimated. */
  readonly maxCost: number
  /** For everything: when it is up, what is known by then is what there is. */
  readonly timeoutMs: number
  /** 0: no sample. */
  readonly sampleRows: number
}

export const DEFAULT_PREVIEW: PreviewLimits = { maxCost: 100_000, timeoutMs: 2000, sampleRows: 5 }

export interface PreviewOptions {
  readonly route: Route
  readonly limits: PreviewLimits
  /** The catalogue as it is now. */
  readonly catalogue: () => Promise<Catalogue>
}

/** Previews under way for one database; each is a connection. */
const MAX_AT_ONCE = 4
const WRITES = new Set<string>(['insert', 'copy-in', 'update', 'delete', 'truncate', 'create', 'alter', 'call', 'do', 'grant', 'drop', 'admin', 'unknown'] satisfies Action[])

/**
 * Finds out what a held statement would change, over connections of the gateway's own. Nothing is ever committed there, and
 * nothing that the database's users wrote is run. Never rejects: what goes wrong is something that is not known.
 */
export class Preview {
  readonly #o: PreviewOptions
  #underWay = 0

  constructor(options: PreviewOptions) {
    this.#o = options
  }

  /** `undefined` for what changes nothing. */
  async of(held: HeldStatement, withdrawn: AbortSignal): Promise<Impact | undefined> {
    if (!held.command.actions.some((action) => WRITES.has(action))) return undefined
    const draft = new Draft()
    const deadline = AbortSignal.timeout(this.#o.limits.timeoutMs)
    const signal = AbortSignal.any([withdrawn, deadline])
    this.#underWay++
    try {
      if (this.#underWay > MAX_AT_ONCE) throw new Unknown('too many statements are being looked at, so this one was not')
      await orAborted(new PreviewRun(this.#o, held, draft, signal).run(), signal)
    } catch (error) {
      draft.unknown(deadline.aborted ? `the time to find out (${this.#o.limits.timeoutMs} ms) was up` : reasonOf(error))
    } finally {
      this.#underWay--
    }
    nameTheRest(held.command, draft)
    return draft.finish()
  }
}

/** What the statement writes by its text and was not looked at. A view's or a partition's kin is named with `*`. */
function nameTheRest({ resources }: Command, draft: Draft): void {
  const named = draft.effects.map(({ resource }) => resource)
  for (const { name, access, columns } of resources) {
    // Without a catalogue at hand, the statement was understood with its names as they are written.
    const known = named.some((resource) => resource === name || (!name.includes('.') && resource.endsWith(`.${name}`)) || (!resource.includes('.') && name.endsWith(`.${resource}`)))
    if (access === 'write' && !columns.includes('*') && !known) draft.effect(name, 'change')
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Unknown ? error.message : 'the target could not be asked'
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const aborted = (): void => reject(new Unknown('it was withdrawn'))
  signal.addEventListener('abort', aborted, { once: true })
  if (signal.aborted) aborted()
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', aborted)
    work.catch(() => {})
  }
}
