import { jsonEvent, type EventData, type EventType as EventStoreDbType, type ResolvedEvent } from '@eventstore/db-client'
import { problemWith, upcast, type NewEvent, type RecordedEvent } from '../../../events/index.ts'
import { corrupt, refused } from './failures.ts'

/** EventStoreDB keeps ids as 128 bits and gives them back in this form only. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What the server says for "no position": stream reads have them since EventStoreDB 22.6. */
const NO_POSITION = 2n ** 64n - 1n

/**
 * The attributes beyond id, type and data. `$correlationId` and `$causationId` are the names EventStoreDB's own
 * projections go by (`$by_correlation_id`).
 */
interface Metadata {
  $correlationId: string
  $causationId?: string
  source: string
  subject: string
  time: string
  traceparent?: string
}

export interface Encoded {
  readonly events: EventData[]
  /** Bytes of data and metadata as JSON. */
  readonly bytes: number
}

/** Throws `STORE_REFUSED` for what must not be written. */
export function encodeEvents(stream: string, events: readonly NewEvent[]): Encoded {
  if (events.length === 0) throw refused(`an append to "${stream}" needs at least one event`)
  let bytes = 0
  const encoded = events.map((event) => {
    checkEvent(event)
    const metadata = metadataOf(event)
    const data = JSON.stringify(event.data)
    bytes += Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(metadata))
    // A copy: the library writes it out later, when the caller may have changed what it gave us.
    return jsonEvent({ id: event.id, type: event.type, data: JSON.parse(data), metadata: { ...metadata } }) as EventData<EventStoreDbType>
  })
  return { events: encoded, bytes }
}

/** Throws `STORE_CORRUPT` for what no Sallyport wrote, `STORE_REFUSED` for a server that is too old, `TypeError` for a type this version cannot read. */
export function decodeEvent(stream: string, resolved: ResolvedEvent): RecordedEvent {
  const event = resolved.event
  if (event === undefined) throw corrupt(`stream "${stream}" holds a link to an event that is gone`)
  const where = `event ${event.revision} of stream "${stream}"`
  const position = event.position?.commit
  if (position === undefined || position === NO_POSITION) {
    throw refused(`the server gave no position for ${where}; it must be EventStoreDB 22.6 or later`)
  }
  if (!event.isJson || !isObject(event.data)) throw corrupt(`${where} is not JSON`)
  const attributes = attributesOf(event.metadata)
  if (attributes === undefined) throw corrupt(`${where} has no envelope: Sallyport did not write it`)
  return upcast({ id: event.id, type: event.type, ...attributes, data: event.data, stream, revision: event.revision, position })
}

function checkEvent(event: NewEvent): void {
  const problem = problemWith(event)
  if (problem !== undefined) throw refused(problem)
  if (!UUID.test(event.id)) throw refused(`event id "${event.id}" is not a UUID in lower case`)
}

function metadataOf(event: NewEvent): Metadata {
  return {
    $correlationId: event.correlationid,
    ...(event.causationid !== undefined && { $causationId: event.causationid }),
    source: event.source,
    subject: event.subject,
    time: event.time,
    ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
  }
}

function attributesOf(metadata: unknown): Omit<NewEvent, 'id' | 'type' | 'data'> | undefined {
  if (!isMetadata(metadata)) return undefined
  return {
    source: metadata.source,
    subject: metadata.subject,
    time: metadata.time,
    correlationid: metadata.$correlationId,
    ...(metadata.$causationId !== undefined && { causationid: metadata.$causationId }),
    ...(metadata.traceparent !== undefined && { traceparent: metadata.traceparent }),
  }
}

function isMetadata(value: unknown): value is Metadata {
  if (!isObject(value)) return false
  const required = [value['source'], value['subject'], value['time'], value['$correlationId']]
  const optional = [value['$causationId'], value['traceparent']]
  return required.every(isText) && optional.every((text) => text === undefined || isText(text))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
