import type { SallyportRecordedEvent } from '../../core/index.ts'

/** Everything an event holds: its JSON, and the bytes behind its base64. */
export function bytesOf(event: SallyportRecordedEvent): Buffer {
  const parts = [Buffer.from(JSON.stringify(event, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))]
  if (event.type === 'recording.captured.v1') for (const { data } of event.data.recording.chunks) parts.push(Buffer.from(data, 'base64'))
  return Buffer.concat(parts)
}

/** The events of sessions that this person opened. */
export function eventsOf(events: readonly SallyportRecordedEvent[], subject: string): SallyportRecordedEvent[] {
  const own = new Set(events.flatMap((event) => (event.type === 'session.opened.v1' && event.data.identity.subject === subject ? [event.data.session] : [])))
  return events.filter((event) => own.has(event.correlationid))
}
