import type { Operation } from './operation.ts'
import { WireViolation } from './wire/violation.ts'

/** What the target was sent and owes an answer to, in the order that it was sent. */
export class OwedAnswers {
  #operations: Operation[] = []
  #first = 0
  /** After an error, until a Sync: no answer will come. */
  #skipping = false
  /** The target takes CopyData, and ignores Sync, until it is sent CopyDone or CopyFail. */
  #copyingIn = false

  /** What the target answers next. */
  get head(): Operation | undefined {
    return this.#operations[this.#first]
  }

  get isEmpty(): boolean {
    return this.#first === this.#operations.length
  }

  /** The target waits for the rows of a COPY. */
  get copyingIn(): boolean {
    return this.#copyingIn
  }

  /** The target was sent this. `skipped`: it reads on to a Sync first; `ignored`: it stands for no answer of its own. */
  add(operation: Operation): 'owed' | 'skipped' | 'ignored' {
    if (operation.kind === 'copy-end') return this.#copyEnds()
    if (this.#copyingIn) return duringCopy(operation)
    if (operation.kind === 'sync') this.#skipping = false
    if (this.#skipping) return 'skipped'
    this.#operations.push(operation)
    return 'owed'
  }

  shift(): Operation | undefined {
    const head = this.#operations[this.#first]
    if (head === undefined) return undefined
    this.#first++
    if (this.#first === this.#operations.length) {
      this.#operations.length = 0
      this.#first = 0
    } else if (this.#first > 1024) {
      this.#operations = this.#operations.slice(this.#first)
      this.#first = 0
    }
    return head
  }

  /** It answered with an error, and reads on to the next Sync: what is before that is given to `skip`. */
  skipToSync(skip: (head: Operation) => void): void {
    this.#skipping = true
    for (let { head } = this; head !== undefined && head.kind !== 'sync'; { head } = this) skip(head)
    if (!this.isEmpty) this.#skipping = false
  }

  ready(): void {
    this.#skipping = false
  }

  /** The command that copies is over, whatever became of it. */
  copyOver(): void {
    this.#copyingIn = false
  }

  /** The target asks for rows. While it copies, it ignores Sync: those that were sent before the end of the rows will not be answered. */
  copyBegins(): void {
    const { head } = this
    if (head !== undefined) this.#copyingIn = !this.#takeCopyEnd(head)
  }

  /** Where no COPY has begun, it is for one that may: or the target ignores it. */
  #copyEnds(): 'ignored' {
    const last = this.#operations[this.#operations.length - 1]
    if (this.#copyingIn) this.#copyingIn = false
    else if (last !== undefined) last.copyEnds = (last.copyEnds ?? 0) + 1
    return 'ignored'
  }

  /** Drops what the target swallows from `from` to the end of the rows. False when that was not sent yet. */
  #takeCopyEnd(from: Operation): boolean {
    const place = this.#first + 1
    for (let at: Operation | undefined = from; at !== undefined; [at] = this.#operations.splice(place, 1)) {
      if (at !== from) duringCopy(at)
      const ends = at.copyEnds ?? 0
      if (ends === 0) continue
      from.copyEnds = ends - 1
      return true
    }
    return false
  }
}

/** Sync is ignored. Anything else ends the COPY with an error, or (had that failed before) does not: nobody can tell. */
function duringCopy(operation: Operation): 'ignored' {
  if (operation.kind !== 'sync') throw new WireViolation('a COPY is under way, which only CopyDone or CopyFail ends')
  operation.settle?.(false)
  return 'ignored'
}
