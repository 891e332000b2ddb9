import { randomUUID } from 'node:crypto'
import type { NewEvent, RecordedEvent } from '../../core/events/index.ts'

/** An event the catalogue knows; `note` is what tests tell events apart by, `padding` what makes them large. */
export function anEvent(note = 'note', padding = 0): NewEvent {
  return {
    id: randomUUID(),
    source: 'sallyport/test',
    type: 'gateway.stopped.v1',
    subject: 'test',
    time: '2026-01-02T03:04:05.678Z',
    correlationid: 'test',
    data: { gateway: 'test', reason: note + 'x'.repeat(padding) },
  }
}

export function someEvents(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => anEvent(`event ${i}`))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function idsOf(events: readonly { readonly id: string }[]): string[] {
  return events.map((event) => event.id)
}

export function revisionsOf(events: readonly RecordedEvent[]): bigint[] {
  return events.map((event) => event.revision)
}
