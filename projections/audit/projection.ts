import type { DatabaseSync } from 'node:sqlite'
import type { EventOf, Projection } from '../projection.ts'
import { AuditRows } from './rows.ts'
import { AUDIT_SCHEMA, AUDIT_TABLES } from './schema.ts'

const HANDLES = [
  'access.refused.v1', 'approval.denied.v1', 'approval.granted.v1', 'approval.requested.v1', 'command.received.v1', 'decision.made.v1',
  'gateway.started.v1', 'gateway.stopped.v1', 'grant.issued.v1', 'grant.revoked.v1', 'outcome.recorded.v1', 'ruleset.loaded.v1', 'ruleset.refused.v1', 'session.closed.v1', 'session.opened.v1',
] as const
type Handled = (typeof HANDLES)[number]

/** Who did what to which target, what was decided and why, and how it ended: one row per command, and one for each event around them. */
export const auditProjection: Projection<Handled> = {
  name: 'audit',
  version: 3,
  tables: AUDIT_TABLES,
  schema: AUDIT_SCHEMA,
  handles: HANDLES,
  prepare: (database: DatabaseSync) => {
    const rows = new AuditRows(database)
    return (event) => apply(rows, event)
  },
}

function apply(rows: AuditRows, event: EventOf<Handled>): void {
  switch (event.type) {
    case 'command.received.v1': return rows.command(event)
    case 'decision.made.v1': return rows.decided(event.data, event.id)
    case 'outcome.recorded.v1': return rows.ended(event.data)
    case 'session.opened.v1': return rows.sessionOpened(event)
    case 'session.closed.v1': return rows.sessionClosed(event)
    case 'approval.requested.v1': return rows.approvalRequested(event.data)
    case 'approval.granted.v1':
    case 'approval.denied.v1': return rows.answered(event.data.approval, event.data.by.subject)
    case 'grant.issued.v1': return rows.grantIssued(event)
    case 'grant.revoked.v1': return rows.grantRevoked(event)
    case 'access.refused.v1': return rows.accessRefused(event)
    default: return rows.notice(event)
  }
}
