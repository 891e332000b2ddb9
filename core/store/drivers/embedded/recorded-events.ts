import { upcast, type RecordedEvent } from '../../../events/index.ts'
import { eventsOf, type AppendRow } from './append-row.ts'

/** The events of a row as readers get them, up-cast. */
export function recordedEventsOf(row: AppendRow, path: string): RecordedEvent[] {
  return eventsOf(row, path).map((event, i) =>
    upcast({ ...event, stream: row.stream, revision: BigInt(row.revision + i), position: BigInt(row.position + i) }),
  )
}
