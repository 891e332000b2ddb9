import { upcast, type RecordedEvent } from '../../../events/index.ts'
import { eventsOf, type StoredAppend } from './stored-append.ts'

/** The events of an append as readers get them, up-cast. */
export function recordedEventsOf(append: StoredAppend, path: string): RecordedEvent[] {
  const { stream, revision, position } = append
  return eventsOf(append, path).map((event, i) => upcast({ ...event, stream, revision: BigInt(revision + i), position: BigInt(position + i) }))
}
