import type { Analysis } from '../sql/analysis.ts'
import { OWN_SETTING, READING_SETTINGS } from './session-state.ts'

const MAX_SETTINGS = 100
/** Followed elsewhere, or of no meaning to what a statement changes. */
const PASSED_OVER = new Set(['search_path', 'role', 'session_authorization', 'client_encoding', 'standard_conforming_strings', 'datestyle', 'intervalstyle', 'timezone', 'application_name', 'extra_float_digits', 'client_min_messages', 'statement_timeout', 'lock_timeout', 'names'])

/**
 * The settings of a session that a statement may depend on, so that they can be repeated for a look at it. Transactions are
 * not followed: what was set in one that was rolled back is taken for set, which is why all of these are told as doubts.
 */
export class FollowedSettings {
  readonly #reported = new Map<string, string>()
  readonly #own = new Map<string, string>()
  readonly #unknown = new Set<string>()

  /** `reported`: what the target said at login. */
  constructor(reported: ReadonlyMap<string, string>) {
    for (const [name, value] of reported) this.report(name, value)
  }

  /** The target says what a setting has become. */
  report(name: string, value: string): void {
    if (READING_SETTINGS.has(name)) this.#reported.set(name, value)
  }

  /** A text ran; `undefined` when nobody could read it. */
  observe(analysis: Analysis | undefined): void {
    if (analysis === undefined) return void this.#unknown.add('something that could not be read')
    for (const { effects } of analysis.statements) for (const { name, value } of effects.settings) this.#change(name, value)
  }

  #change(name: string, value: readonly string[] | 'default' | 'unknown'): void {
    if (PASSED_OVER.has(name)) return
    const [only, ...others] = typeof value === 'string' ? [] : value
    if (OWN_SETTING.test(name) && only !== undefined && others.length === 0 && (this.#own.has(name) || this.#own.size < MAX_SETTINGS)) {
      this.#own.set(name, only)
      this.#unknown.delete(name)
    } else if (this.#unknown.size < MAX_SETTINGS) {
      this.#own.delete(name)
      this.#unknown.add(name === '*' ? 'all settings back' : name)
    }
  }

  repeatable(): ReadonlyMap<string, string> {
    return new Map([...this.#reported, ...this.#own])
  }

  unrepeatable(): readonly string[] {
    return [...this.#unknown]
  }
}
