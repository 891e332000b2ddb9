import type { DatabaseSync } from 'node:sqlite'
import type { EventType, SallyportRecordedEvent } from '../core/index.ts'

/** An event of one of the types that a projection handles. */
export type EventOf<T extends EventType> = Extract<SallyportRecordedEvent, { type: T }>

/**
 * A read model: tables that are a function of the events so far, and of nothing else. It may be thrown away at any
 * time and built again, with the same content.
 *
 * 1. `schema` is run once, on an empty file or after `tables` were dropped. Every table's name begins with `name`.
 * 2. `prepare` is run once per opened file and returns what applies an event: in position order, each once, inside a
 *    transaction together with the checkpoint. It must not read a clock, draw random numbers or look outside its tables.
 *    What it remembers between events may only be a cache of its tables.
 * 3. Raise `version` when the meaning of a table changes: the projection is then built again from the first event.
 */
export interface Projection<T extends EventType = EventType> {
  readonly name: string
  readonly version: number
  readonly tables: readonly string[]
  readonly schema: string
  readonly handles: readonly T[]
  prepare(database: DatabaseSync): (event: EventOf<T>) => void
}

/** Forgets the event types, for a list of different projections; the runner hands each only what it handles. */
export function anyProjection<T extends EventType>(projection: Projection<T>): Projection {
  return projection as unknown as Projection
}
