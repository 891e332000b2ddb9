import type { NewEvent } from '../../../events/index.ts'
import { appendLines, type AppendLine, type CommitRow } from './commit-row.ts'
import { unpack } from './packing.ts'
import { corrupt } from './store-failure.ts'

/** One append, out of the commit it was stored with. */
export interface StoredAppend extends AppendLine {
  /** Of its first event. */
  readonly position: number
  /** The events as a JSON array. */
  readonly events: string
}

/** The appends of a row, in order. Throws `STORE_CORRUPT` when it does not hold what it says. */
export function appendsOf(row: CommitRow, path: string): StoredAppend[] {
  const lines = appendLines(row, path)
  const texts = unpack(row, path).split('\n')
  let position = row.position
  const appends = lines.map((line, i) => {
    const append = { ...line, position, events: texts[i] ?? '' }
    position += line.count
    return append
  })
  const whole = texts.length === lines.length + 1 && texts.at(-1) === ''
  if (whole && position === row.position + row.count) return appends
  throw corrupt(path, `the commit at position ${row.position} does not hold the appends it says`)
}

/** The events of an append as they were written. */
export function eventsOf(append: StoredAppend, path: string): NewEvent[] {
  const events = parsed(append, path)
  if (Array.isArray(events) && events.length === append.count) return events as NewEvent[]
  throw corrupt(path, `the append at position ${append.position} does not hold the ${append.count} events it says`)
}

function parsed(append: StoredAppend, path: string): unknown {
  try {
    return JSON.parse(append.events)
  } catch (cause) {
    throw corrupt(path, `the append at position ${append.position} is not JSON`, cause)
  }
}
