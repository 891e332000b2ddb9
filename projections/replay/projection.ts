import type { DatabaseSync } from 'node:sqlite'
import type { EventOf, Projection } from '../projection.ts'

const HANDLES = ['approval.denied.v1', 'approval.granted.v1', 'command.received.v1', 'decision.made.v1', 'outcome.recorded.v1', 'recording.captured.v1', 'session.opened.v1'] as const
type Handled = (typeof HANDLES)[number]

/**
 * What is needed to play a session back: its commands in order, each with its decision, its outcome and the place of
 * its recording. Text and recorded bytes stay in the event store, which already has them; rows say where.
 */
export const replayProjection: Projection<Handled> = {
  name: 'replay',
  version: 2,
  tables: ['replay_sessions', 'replay_commands', 'replay_approvals'],
  schema: `
CREATE TABLE replay_sessions (session TEXT PRIMARY KEY, stream TEXT NOT NULL, opened TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE replay_commands (
  session TEXT NOT NULL, revision INTEGER NOT NULL, stream TEXT NOT NULL, event TEXT NOT NULL, number INTEGER NOT NULL, time TEXT NOT NULL,
  decisions TEXT NOT NULL DEFAULT '[]', approval TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '', ended TEXT NOT NULL DEFAULT '',
  recording INTEGER,
  PRIMARY KEY (session, revision)
) WITHOUT ROWID;
CREATE TABLE replay_approvals (approval TEXT PRIMARY KEY, status TEXT NOT NULL, approver TEXT NOT NULL, comment TEXT NOT NULL, time TEXT NOT NULL) WITHOUT ROWID;
`,
  handles: HANDLES,
  prepare,
}

/** Commands of a session end in about the order they began: the search for one begins at the newest. */
const FIND = '(SELECT revision FROM replay_commands WHERE session = ?1 AND event = ?2 ORDER BY revision DESC LIMIT 1)'
const AT = `WHERE session = ?1 AND revision = ${FIND}`

function prepare(database: DatabaseSync): (event: EventOf<Handled>) => void {
  const open = database.prepare('INSERT OR REPLACE INTO replay_sessions VALUES (?, ?, ?)')
  const command = database.prepare('INSERT INTO replay_commands (session, revision, stream, event, number, time) VALUES (?, ?, ?, ?, ?, ?)')
  const decide = database.prepare(`UPDATE replay_commands SET decisions = json_insert(decisions, '$[#]', json(?3)), approval = CASE ?4 WHEN '' THEN approval ELSE ?4 END ${AT}`)
  const end = database.prepare(`UPDATE replay_commands SET outcome = ?3, ended = ?4 ${AT}`)
  const record = database.prepare(`UPDATE replay_commands SET recording = ?3 ${AT}`)
  const answer = database.prepare('INSERT OR REPLACE INTO replay_approvals VALUES (?, ?, ?, ?, ?)')
  return (event) => {
    switch (event.type) {
      case 'session.opened.v1':
        open.run(event.data.session, event.stream, event.time)
        return
      case 'command.received.v1':
        command.run(event.data.session, event.revision, event.stream, event.id, event.data.number, event.time)
        return
      case 'decision.made.v1':
        decide.run(event.data.session, event.data.command, JSON.stringify(decisionOf(event)), event.data.approval ?? '')
        return
      case 'outcome.recorded.v1':
        end.run(event.data.session, event.data.command, JSON.stringify(event.data.outcome), event.time)
        return
      case 'recording.captured.v1':
        record.run(event.data.session, event.data.command, event.revision)
        return
      case 'approval.granted.v1':
      case 'approval.denied.v1':
        answer.run(event.data.approval, event.type === 'approval.granted.v1' ? 'granted' : 'denied', event.data.by.subject, event.data.comment, event.time)
        return
      default:
        return event satisfies never
    }
  }
}

function decisionOf({ id, time, data: { verdict } }: EventOf<'decision.made.v1'>): object {
  const { effect, by, reason, obligations: { exemptions } } = verdict
  return { id, time, effect, by, reason, ...exemptions === undefined ? {} : { exemptions } }
}
