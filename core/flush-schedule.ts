import type { Journal } from './journal.ts'

/** How long an outcome waits for company before it is written by itself. */
const SOON_MS = 20
/** How often events that a failing store did not take are offered to it again. */
const RETRY_MS = 500
/** Journals that are offered again; of more, only those whose session goes on are. */
const MAX_RETRIED = 10_000

/** Flushes journals that nobody flushes: what was staged without a command behind it, and what a failing store did not take. */
export class FlushSchedule {
  readonly #staged = new Set<Journal>()
  readonly #unwritten = new Set<Journal>()

  soon(journal: Journal): void {
    if (this.#staged.size === 0) setTimeout(() => this.#flush(this.#staged), SOON_MS)
    this.#staged.add(journal)
  }

  /** Also for a session that is silent or gone, so that nothing is lost in an outage. */
  #retryLater(journal: Journal): void {
    if (journal.full || this.#unwritten.size >= MAX_RETRIED) return
    if (this.#unwritten.size === 0) setTimeout(() => this.#flush(this.#unwritten), RETRY_MS).unref()
    this.#unwritten.add(journal)
  }

  #flush(journals: Set<Journal>): void {
    const waiting = [...journals]
    journals.clear()
    for (const journal of waiting) journal.flush().catch(() => this.#retryLater(journal))
  }
}
