import { SallyportError } from '../errors.ts'
import { problemWith, type NewEvent } from '../events/index.ts'
import type { EventBytes } from './event-bytes.ts'
import type { ExpectedRevision } from './event-store.ts'

export const MAX_STREAM_NAME_LENGTH = 512
export const MAX_EVENT_ID_LENGTH = 256
export const MAX_APPEND_EVENTS = 4096
/** Of all events of one append, as JSON in UTF-8. */
export const MAX_APPEND_BYTES = 32 * 1024 * 1024

/**
 * Validates an append, on the caller's thread.
 * Throws `STORE_REFUSED` for what must never be written: see the caps above, the catalogue, and the stream's name.
 */
export function checkAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): void {
  checkStreamName(stream)
  if (typeof expected === 'bigint' && expected < 0n) refuse(stream, `expected revision ${expected} is negative`)
  if (events.length === 0) refuse(stream, 'there is no event in it')
  if (events.length > MAX_APPEND_EVENTS) refuse(stream, `${events.length} events are more than ${MAX_APPEND_EVENTS}`)
  for (const event of events) checkEvent(stream, event)
}

/** Writes the events of an append as a JSON array, and returns its size in bytes. Throws `STORE_REFUSED`, and has written nothing then. */
export function serialiseAppend(stream: string, events: readonly NewEvent[], into: EventBytes): number {
  const start = into.length
  try {
    into.addArray(events)
  } catch (cause) {
    into.cut(start)
    throw new SallyportError('STORE_REFUSED', `append to "${stream}" refused: its data is not JSON`, { cause })
  }
  const bytes = into.length - start
  if (bytes <= MAX_APPEND_BYTES) return bytes
  into.cut(start)
  return refuse(stream, `${bytes} bytes are more than ${MAX_APPEND_BYTES}`)
}

function checkEvent(stream: string, event: NewEvent): void {
  const { id } = event
  if (typeof id !== 'string' || id === '' || id.length > MAX_EVENT_ID_LENGTH || CONTROL_CHARACTER.test(id)) {
    refuse(stream, `an event id is a string of 1 to ${MAX_EVENT_ID_LENGTH} characters without control characters`)
  }
  const problem = problemWith(event)
  if (problem !== undefined) refuse(stream, problem)
}

// oxlint-disable-next-line no-control-regex -- names and ids are one line of text: they are joined by line, and printed
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/

function checkStreamName(stream: string): void {
  const fits = typeof stream === 'string' && stream !== '' && stream.length <= MAX_STREAM_NAME_LENGTH
  if (fits && stream.isWellFormed() && !CONTROL_CHARACTER.test(stream)) return
  throw new SallyportError(
    'STORE_REFUSED',
    `a stream name is 1 to ${MAX_STREAM_NAME_LENGTH} characters of well-formed text without control characters`,
  )
}

function refuse(stream: string, why: string): never {
  throw new SallyportError('STORE_REFUSED', `append to "${stream}" refused: ${why}`)
}
