import type { DatabaseSync } from 'node:sqlite'
import type { EventOf, Projection } from '../projection.ts'

const HANDLES = ['command.received.v1', 'decision.made.v1', 'session.closed.v1', 'session.opened.v1'] as const
type Handled = (typeof HANDLES)[number]

/** One row per session: who, where, since when, how much, and how it ended. */
export const sessionsProjection: Projection<Handled> = {
  name: 'sessions',
  version: 1,
  tables: ['sessions_list'],
  schema: `
CREATE TABLE sessions_list (
  session TEXT PRIMARY KEY, stream TEXT NOT NULL, gateway TEXT NOT NULL, opened TEXT NOT NULL, closed TEXT NOT NULL DEFAULT '',
  person TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL, protocol TEXT NOT NULL, target TEXT NOT NULL,
  database TEXT NOT NULL, address TEXT NOT NULL, tls INTEGER NOT NULL, application TEXT NOT NULL,
  commands INTEGER NOT NULL DEFAULT 0, blocked INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX sessions_by_opened ON sessions_list (opened);
`,
  handles: HANDLES,
  prepare,
}

function prepare(database: DatabaseSync): (event: EventOf<Handled>) => void {
  const open = database.prepare('INSERT OR REPLACE INTO sessions_list (session, stream, gateway, opened, person, actor, kind, method, protocol, target, database, address, tls, application) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const count = database.prepare('UPDATE sessions_list SET commands = max(commands, ?) WHERE session = ?')
  const decide = database.prepare('UPDATE sessions_list SET blocked = blocked + ?, held = held + ? WHERE session = ?')
  const close = database.prepare('UPDATE sessions_list SET closed = ?, reason = ?, error = ?, commands = max(commands, ?) WHERE session = ?')
  return (event) => {
    switch (event.type) {
      case 'session.opened.v1': {
        const { session, identity, protocol, target, address, tls, claimed } = event.data
        open.run(session, event.stream, event.source, event.time, identity.subject, identity.actor, identity.kind, identity.method, protocol, target.name, target.database, address, tls ? 1 : 0, claimed['application_name'] ?? '')
        return
      }
      case 'command.received.v1':
        count.run(event.data.number, event.data.session)
        return
      case 'decision.made.v1': {
        const { effect } = event.data.verdict
        if (effect === 'block' || effect === 'await-approval') decide.run(effect === 'block' ? 1 : 0, effect === 'block' ? 0 : 1, event.data.session)
        return
      }
      case 'session.closed.v1':
        close.run(event.time, event.data.reason, event.data.error ?? '', event.data.commands, event.data.session)
        return
      default:
        return event satisfies never
    }
  }
}
