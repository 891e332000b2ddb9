/** Nested levels of the tree that are followed. */
export const MAX_DEPTH = 400
/** Columns of one list; PostgreSQL itself allows 1664. */
export const MAX_COLUMNS = 2000
/** Nodes and columns visited for one statement: other sessions wait meanwhile, so no text may cost more than a part of a second. */
export const MAX_WORK = 100_000

/** A statement is larger than what is analysed; it becomes opaque. */
export class AnalysisLimit extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'AnalysisLimit'
  }
}

/** Counts the work and the depth of one statement's analysis. */
export class Budget {
  #work = 0
  #depth = 0

  spend(amount: number): void {
    this.#work += amount
    if (this.#work > MAX_WORK) throw new AnalysisLimit('the statement is too large to follow')
  }

  nested<T>(walk: () => T): T {
    this.enter()
    try {
      return walk()
    } finally {
      this.#depth--
    }
  }

  enter(): void {
    this.#work++
    if (++this.#depth > MAX_DEPTH) throw new AnalysisLimit('the statement is nested too deeply to follow')
  }

  leave(): void {
    this.#depth--
  }
}
