import { matchesPattern } from '../subject.ts'

/** How many subjects keep their list of receivers in memory. */
const MAX_REMEMBERED = 1024

export interface Route {
  readonly pattern: string
  readonly queue: string | undefined
  readonly closed: boolean
}

/** Who gets a message: each route of its own, and one member of each group. */
export interface Receivers<R extends Route> {
  readonly singles: readonly R[]
  readonly groups: readonly Group<R>[]
}

/** A queue group takes turns. As in nats-server, its name alone makes it one, whatever its members' patterns. */
export class Group<R extends Route> {
  readonly #members: readonly R[]
  #turn = 0
  constructor(members: readonly R[]) {
    this.#members = members
  }

  /** The next member that is still there. */
  next(): R | undefined {
    for (let tries = 0; tries < this.#members.length; tries++) {
      const member = this.#members[this.#turn++ % this.#members.length]
      if (member !== undefined && !member.closed) return member
    }
    return undefined
  }
}

/** Subject → receivers, remembered by subject until somebody comes or goes. */
export class Routes<R extends Route> {
  readonly #routes = new Set<R>()
  readonly #remembered = new Map<string, Receivers<R>>()

  add(route: R): void {
    this.#routes.add(route)
    this.#remembered.clear()
  }

  delete(route: R): void {
    this.#routes.delete(route)
    this.#remembered.clear()
  }

  /** Whether it was looked for before, since somebody came or went. */
  remembers(subject: string): boolean {
    return this.#remembered.has(subject)
  }

  all(): Iterable<R> {
    return this.#routes
  }

  find(subject: string): Receivers<R> {
    const known = this.#remembered.get(subject)
    if (known !== undefined) return known
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    const found = this.#search(subject)
    this.#remembered.set(subject, found)
    return found
  }

  #search(subject: string): Receivers<R> {
    const matching = [...this.#routes].filter((route) => matchesPattern(route.pattern, subject))
    const grouped = Map.groupBy(matching, (route) => route.queue)
    const singles = grouped.get(undefined) ?? []
    grouped.delete(undefined)
    return { singles, groups: [...grouped.values()].map((members) => new Group(members)) }
  }
}
