import { rfc3339, type EventStore } from '../core/index.ts'
import { grantsUntil, Projections, standardProjections } from '../projections/index.ts'

/** Ids of the grants that are in force at a time (Unix, ms), as far as the record goes. */
export async function grantsInForce(store: EventStore, path: string, now: number): Promise<string[]> {
  const projections = new Projections({ path, projections: standardProjections })
  try {
    await projections.catchUp(store)
    return grantsUntil(projections.database, rfc3339(now))
  } finally {
    projections.close()
  }
}
