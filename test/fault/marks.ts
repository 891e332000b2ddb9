/** Rows that say which command wrote them, compared with what the store knows of that command. */
import { randomUUID } from 'node:crypto'
import type { SallyportRecordedEvent } from '../../core/index.ts'
import type { PostgresServer } from '../support/postgres-server.ts'
import { B, E, P, Q, S } from './raw-client.ts'

export const MARKS_SQL = 'create table marks (mark uuid primary key)'

export interface Mark {
  readonly mark: string
  readonly messages: readonly Buffer[]
  readonly readies: number
}

/** A command that leaves a row of its own, simple, extended with a value, or in the middle of a transaction. */
export function newMark(how: number): Mark {
  const mark = randomUUID()
  const text = `insert into marks values ('${mark}')`
  if (how % 3 === 0) return { mark, messages: [Q(text)], readies: 1 }
  if (how % 3 === 1) return { mark, messages: [P('', 'insert into marks values ($1)'), B('', '', [mark]), E(), S], readies: 1 }
  return { mark, messages: [Q('begin'), P('', text), B('', ''), E(), S, Q('commit')], readies: 3 }
}

/** Rows that no command with a decision to let it through explains. */
export async function unexplained(server: PostgresServer, events: readonly SallyportRecordedEvent[]): Promise<string[]> {
  const allowed = new Set<string>()
  for (const event of events) if (event.type === 'decision.made.v1' && ['allow', 'mask'].includes(event.data.verdict.effect)) allowed.add(event.data.command)
  const explained = new Set<string>()
  for (const event of events) {
    if (event.type !== 'command.received.v1' || !allowed.has(event.id)) continue
    for (const text of [event.data.command.text, ...event.data.command.values]) for (const mark of text?.match(/[0-9a-f-]{36}/g) ?? []) explained.add(mark)
  }
  const rows = await server.query('select mark::text from marks')
  return rows.map(({ mark }) => String(mark)).filter((mark) => !explained.has(mark))
}
