import type { Copies } from './copies.ts'
import type { Run } from './run.ts'
import type { Analysis } from './sql/analysis.ts'

/** What one session copies into new relations, and what becomes of it: only the end of its transaction tells. */
export class SessionCopies {
  readonly #copies: Copies
  /** What runs copy, until they are over; and then what the transaction copied, until that is over. */
  readonly #copying = new Map<Run, readonly string[]>()
  #copied: string[] = []
  #transaction = 'idle'
  /** Runs that have ended since the target last said where its transaction stands. */
  #endedSince = 0
  #closed = false

  constructor(copies: Copies) {
    this.#copies = copies
  }

  /** The run may go to the target, and copies this. False when the session is over: it goes nowhere. */
  begun(run: Run, ids: readonly string[]): boolean {
    if (this.#closed) {
      this.#copies.dropped(ids)
      this.#copies.left(run)
    } else if (ids.length > 0) this.#copying.set(run, ids)
    return !this.#closed
  }

  ended(run: Run): void {
    this.#copies.left(run)
    const ids = this.#copying.get(run) ?? []
    this.#copying.delete(run)
    // Whatever ran in between may have begun another transaction.
    if (this.#transaction === 'open' && this.#endedSince++ === 0 && undoes(run)) this.#copies.dropped(this.#copied.splice(0))
    if (!run.reached || hadNoEffect(run)) this.#copies.dropped(ids)
    else this.#copied.push(...ids)
    // A prepared transaction is committed by anybody, at any time.
    if (run.reached && this.#copied.length > 0 && preparesTransaction(run.understood.analysis)) this.#copies.lost(this.#copied.splice(0))
  }

  /** Says whether there are copies that a reading of the catalogue, from now on, shows or that were not made. */
  ready(transaction: string): boolean {
    this.#transaction = transaction
    this.#endedSince = 0
    if (transaction !== 'idle' || this.#copied.length === 0) return false
    this.#copies.over(this.#copied.splice(0))
    return true
  }

  /** The session ends, and with it all that it left open. `settled`: nothing under way can still commit. */
  close(settled: boolean): void {
    this.#closed = true
    if (this.#transaction === 'open' && this.#endedSince === 0 && settled) this.#copies.dropped(this.#copied.splice(0))
    this.#copies.lost([...this.#copied.splice(0), ...[...this.#copying.values()].flat()])
    this.#copying.clear()
  }
}

/** The target said that nothing of it stays. */
function hadNoEffect({ ok, understood: { analysis } }: Run): boolean {
  return !ok && analysis?.statements.length === 1
}

/** All of its transaction is undone. */
function undoes({ ok, reached, understood: { analysis } }: Run): boolean {
  return ok && reached && analysis?.statements.length === 1 && analysis.statements[0]?.effects.transaction?.kind === 'rollback'
}

function preparesTransaction(analysis: Analysis | undefined): boolean {
  return analysis === undefined || analysis.statements.some(({ effects: { transaction } }) => transaction?.kind === 'prepare')
}
