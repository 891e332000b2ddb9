import { hash } from 'node:crypto'
import type { NewEvent } from '../../../events/index.ts'
import { corrupt } from './store-failure.ts'

/** One append as stored. `position` and `revision` are those of its first event; the rest count on from there. */
export interface AppendRow {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly count: number
  /** The events as a JSON array. */
  readonly events: string
}
export interface ChainedRow extends AppendRow {
  readonly digest: string
}

/**
 * Chains a row to the one before it: base64url of SHA-256 over the earlier digest and the row, one field a line.
 * The first row's `previous` is the store's id. No field but the last can hold a line feed (JSON escapes it).
 */
export function digestOf(previous: string, row: AppendRow): string {
  return hash('sha256', `${previous}\n${row.position}\n${row.revision}\n${row.count}\n${row.stream}\n${row.events}`, 'base64url')
}

/** The events of a row as they were written. */
export function eventsOf(row: AppendRow, path: string): NewEvent[] {
  const events = parsed(row, path)
  if (Array.isArray(events) && events.length === row.count) return events as NewEvent[]
  throw corrupt(path, `the append at position ${row.position} does not hold the ${row.count} events it says`)
}

function parsed(row: AppendRow, path: string): unknown {
  try {
    return JSON.parse(row.events)
  } catch (cause) {
    throw corrupt(path, `the append at position ${row.position} is not JSON`, cause)
  }
}
