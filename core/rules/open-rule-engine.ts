import { Subject, type Observable } from 'rxjs'
import { SallyportError } from '../errors.ts'
import type { RulesetLoaded, RulesetRefused, Verdict } from '../events/index.ts'
import { Decider } from './decider.ts'
import type { EvaluationLimits } from './bounded-evaluator.ts'
import { overlaps } from './expression/reads.ts'
import { loadRuleset, rulesetLoaded, type RuleProblem, type Ruleset, type RulesetOptions } from './load-ruleset.ts'
import type { RuleEngine, RuleInput } from './rule-engine.ts'
import { watchFolder } from './watch-folder.ts'

export interface RuleEngineOptions extends RulesetOptions {
  readonly folder: string
  /** Reload by itself when a file of the folder changes. Default: only when `reload` is called. */
  readonly watch?: boolean
  readonly limits?: EvaluationLimits
}

/** A reload that was tried: the events the gateway records. */
export type RulesetChange =
  | { readonly type: 'ruleset.loaded.v1'; readonly data: RulesetLoaded }
  | { readonly type: 'ruleset.refused.v1'; readonly data: RulesetRefused }

export interface FolderRuleEngine extends RuleEngine {
  /** Every later change; the set that was opened is `loaded()`. An unchanged set is no change. Completes on `close`. */
  readonly changes: Observable<RulesetChange>
  /** The ruleset in force, as its event. */
  loaded(): RulesetLoaded
  ruleset(): Ruleset
  /**
   * Reads the folder again. All or nothing: a set with a problem is refused and the old one stays; a good one decides
   * from the next command on, while what is being decided ends under the old one. Resolves with what became of it.
   */
  reload(): Promise<RulesetChange>
  /** Whether any rule reads this input path, or anything below or above it. */
  reads(path: string): boolean
  close(): Promise<void>
}

/** Opens the rules of a folder. Rejects with `RULES_INVALID`, every problem in its message, when they are broken. */
export async function openRuleEngine(options: RuleEngineOptions): Promise<FolderRuleEngine> {
  const loaded = await loadRuleset(options.folder, options)
  if ('problems' in loaded) throw new SallyportError('RULES_INVALID', describeProblems(loaded.problems))
  return new WatchedRuleEngine(options, loaded.ruleset)
}

/** One line each: `file:line: what is wrong and what to write`. */
export function describeProblems(problems: readonly RuleProblem[]): string {
  return problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n')
}

class WatchedRuleEngine implements FolderRuleEngine {
  readonly #options: RuleEngineOptions
  readonly #changes = new Subject<RulesetChange>()
  readonly #stopWatching: () => void
  #decider: Decider
  /** Reloads run one after the other, so that the newest reading of the folder is the one that stays. */
  #reloading: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: RuleEngineOptions, ruleset: Ruleset) {
    this.#options = options
    this.#decider = new Decider(ruleset, options.limits)
    this.#stopWatching = options.watch === true ? watchFolder(options.folder, () => void this.reload(), (error) => this.#unwatched(error)) : () => {}
  }

  get changes(): Observable<RulesetChange> {
    return this.#changes.asObservable()
  }

  evaluate(input: RuleInput): Verdict | Promise<Verdict> {
    return this.#decider.decide(input)
  }

  digest(): string {
    return this.#decider.ruleset.digest
  }

  ruleset(): Ruleset {
    return this.#decider.ruleset
  }

  loaded(): RulesetLoaded {
    return rulesetLoaded(this.#decider.ruleset)
  }

  reads(path: string): boolean {
    return this.#decider.ruleset.rules.some((rule) => [...rule.reads].some((read) => overlaps(read, path)))
  }

  reload(): Promise<RulesetChange> {
    const change = this.#reloading.then(() => this.#reloadNow())
    this.#reloading = change.catch(() => {})
    return change
  }

  async #reloadNow(): Promise<RulesetChange> {
    const read = await loadRuleset(this.#options.folder, this.#options)
    if ('problems' in read) return this.#refuse(read.problems)
    if (this.#closed || read.ruleset.digest === this.digest()) return { type: 'ruleset.loaded.v1', data: this.loaded() }
    const before = this.#decider
    this.#decider = new Decider(read.ruleset, this.#options.limits)
    void before.close()
    return this.#announce({ type: 'ruleset.loaded.v1', data: this.loaded() })
  }

  #refuse(problems: RuleProblem[]): RulesetChange {
    return this.#announce({ type: 'ruleset.refused.v1', data: { kept: this.digest(), problems } })
  }

  #announce(change: RulesetChange): RulesetChange {
    this.#changes.next(change)
    return change
  }

  #unwatched(error: Error): void {
    this.#refuse([{ file: this.#options.folder, line: 1, message: `the folder is no longer watched: ${error.message}; reload by hand` }])
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    await this.#reloading
    await this.#decider.close()
    this.#changes.complete()
  }
}
