import { shownName, shownTime } from '../text/fields.ts'
import { printableLine } from '../text/printable.ts'
import { renderTable } from '../text/table.ts'
import type { SessionEntry } from './query.ts'

const HEAD = [
  { title: 'SESSION', width: 36 },
  { title: 'OPENED (UTC)', width: 19 },
  { title: 'WHO', width: 16 },
  { title: 'TARGET', width: 16 },
  { title: 'COMMANDS', width: 8 },
  { title: 'BLOCKED', width: 7 },
  { title: 'STATE', width: 40 },
]

export function renderSessions(sessions: readonly SessionEntry[], width = 120): string {
  return renderTable(HEAD, sessions.map(cells), width)
}

function cells({ session, opened, person, actor, target, database, commands, blocked, closed, reason }: SessionEntry): string[] {
  return [
    session, shownTime(opened), shownName(person, actor),
    printableLine(database === target ? target : `${target}/${database}`), String(commands), String(blocked), closed === '' ? 'open' : reason,
  ]
}
