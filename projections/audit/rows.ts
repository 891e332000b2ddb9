import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ApprovalRequested, DecisionMade, Exemption, EventData, RulesetRefused } from '../../core/index.ts'
import type { EventOf } from '../projection.ts'

type SessionRow = readonly [person: string, actor: string, protocol: string, target: string, database: string, address: string]
const UNKNOWN_SESSION: SessionRow = ['', '', '', '', '', '']
const MAX_CACHED = 10_000
type Notice = EventOf<'gateway.started.v1' | 'gateway.stopped.v1' | 'ruleset.loaded.v1' | 'ruleset.refused.v1'>

/** The statements that write the audit's tables, one method for each kind of event. */
export class AuditRows {
  readonly #insertCommand: StatementSync
  readonly #insertOther: StatementSync
  readonly #index: StatementSync
  readonly #open: StatementSync
  readonly #findOpen: StatementSync
  readonly #closeOpen: StatementSync
  readonly #decide: StatementSync
  readonly #end: StatementSync
  readonly #insertSession: StatementSync
  readonly #findSession: StatementSync
  readonly #insertApproval: StatementSync
  readonly #answer: StatementSync
  readonly #insertGrant: StatementSync
  readonly #revokeGrant: StatementSync
  readonly #expect: StatementSync
  /** Rows of `audit_sessions`, which never change. */
  readonly #sessions = new Map<string, SessionRow>()

  constructor(database: DatabaseSync) {
    const who = 'session, person, actor, protocol, target, database, address'
    this.#insertCommand = database.prepare(`INSERT INTO audit_entries (kind, time, event, ${who}, number, action, fidelity, text, parameters) VALUES ('command', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#insertOther = database.prepare(`INSERT INTO audit_entries (kind, time, event, ${who}, text, effect, decided_by, reason, ruleset, status, grants) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#index = database.prepare('INSERT INTO audit_text (rowid, text) VALUES (?, ?)')
    this.#open = database.prepare('INSERT INTO audit_open VALUES (?, ?, ?)')
    this.#findOpen = database.prepare('SELECT entry FROM audit_open WHERE session = ? AND command = ?')
    this.#closeOpen = database.prepare('DELETE FROM audit_open WHERE session = ? AND command = ?')
    this.#decide = database.prepare(`UPDATE audit_entries SET decision = ?, effect = ?, decided_by = ?, rules = ?, reason = ?, ruleset = ?, approval = CASE ?7 WHEN '' THEN approval ELSE ?7 END, exemptions = ?8, grants = ?9 WHERE entry = ?10`)
    this.#end = database.prepare('UPDATE audit_entries SET status = ?, rows = ?, bytes = ?, duration_ms = ?, error = ?, masked = ?, beyond = ? WHERE entry = ?')
    this.#insertSession = database.prepare('INSERT OR REPLACE INTO audit_sessions VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#findSession = database.prepare('SELECT person, actor, protocol, target, database, address FROM audit_sessions WHERE session = ?')
    this.#insertApproval = database.prepare('INSERT OR REPLACE INTO audit_approvals VALUES (?, ?)')
    this.#expect = database.prepare('UPDATE audit_entries SET impact = ? WHERE entry = ?')
    this.#answer = database.prepare('UPDATE audit_entries SET approver = ? WHERE entry = (SELECT entry FROM audit_approvals WHERE approval = ?)')
    this.#insertGrant = database.prepare('INSERT OR REPLACE INTO audit_grants (id, expires) VALUES (?, ?)')
    this.#revokeGrant = database.prepare('UPDATE audit_grants SET revoked = 1 WHERE id = ?')
  }

  command({ id, time, data }: EventOf<'command.received.v1'>): void {
    const { session, number, command } = data
    const { lastInsertRowid: entry } = this.#insertCommand.run(
      time, id, session, ...this.#session(session), number, command.action, command.fidelity, command.text,
      command.values.length === 0 ? '[]' : JSON.stringify(command.values))
    this.#index.run(entry, command.text)
    this.#open.run(session, id, entry)
  }

  decided({ session, command, verdict, approval }: DecisionMade, id: string): void {
    const entry = this.#entryOf(session, command)
    if (entry === undefined) return
    const rules = verdict.votes.length === 0 ? '[]' : JSON.stringify([...new Set(verdict.votes.map(({ rule }) => rule))])
    this.#decide.run(id, verdict.effect, verdict.by, rules, verdict.reason, verdict.ruleset, approval ?? '', ...lifted(verdict.obligations.exemptions), entry)
  }

  ended({ session, command, outcome }: EventData<'outcome.recorded.v1'>): void {
    const entry = this.#entryOf(session, command)
    if (entry === undefined) return
    const error = outcome.error === undefined ? '' : `${outcome.error.code} ${outcome.error.message}`
    const masked = outcome.masked === undefined ? '[]' : JSON.stringify(outcome.masked.columns)
    this.#end.run(outcome.status, outcome.rows, outcome.bytes, outcome.durationMs, error, masked, outcome.limit === undefined ? '' : `${outcome.limit.value} ${outcome.limit.name}`, entry)
    this.#closeOpen.run(session, command)
  }

  sessionOpened({ id, time, data }: EventOf<'session.opened.v1'>): void {
    const { session, identity, protocol, target, address, tls, claimed } = data
    const row: SessionRow = [identity.subject, identity.actor, protocol, target.name, target.database, address]
    this.#insertSession.run(session, ...row)
    this.#remember(session, row)
    const application = claimed['application_name'] ?? ''
    const text = `session opened from ${address}${tls ? ' with TLS' : ''}${application === '' ? '' : ` by ${application}`} (${identity.method})`
    this.#other({ kind: 'session.opened', time, id, session, row, text })
  }

  sessionClosed({ id, time, data }: EventOf<'session.closed.v1'>): void {
    const text = `session closed: ${data.reason}, ${data.commands} commands${data.error === undefined ? '' : ` (${data.error})`}`
    this.#other({ kind: 'session.closed', time, id, session: data.session, row: this.#session(data.session), text, status: data.reason })
  }

  approvalRequested({ approval, session, command, impact }: ApprovalRequested): void {
    const entry = this.#entryOf(session, command)
    if (entry === undefined) return
    this.#insertApproval.run(approval, entry)
    if (impact !== undefined) this.#expect.run(impact.summary, entry)
  }

  answered(approval: string, approver: string): void {
    this.#answer.run(approver, approval)
  }

  grantIssued({ id, time, data }: EventOf<'grant.issued.v1'>): void {
    const { grant, to, actsFor, target, columns, task, by, reason, expires } = data
    this.#insertGrant.run(grant, expires)
    const text = `grant ${grant} to ${to}: ${columns.join(', ')} until ${expires}${task === undefined ? '' : ` for task ${task}`}, given by ${by.subject}`
    const row: SessionRow = actsFor === '' ? [to, '', '', target, '', ''] : [actsFor, to, '', target, '', '']
    this.#other({ kind: 'grant.issued', time, id, session: '', row, text, reason, grants: [grant] })
  }

  grantRevoked({ id, time, data }: EventOf<'grant.revoked.v1'>): void {
    const { grant, by, reason } = data
    this.#revokeGrant.run(grant)
    this.#other({ kind: 'grant.revoked', time, id, session: '', row: [by.subject, by.actor, '', '', '', ''], text: `grant ${grant} revoked by ${by.subject}`, reason, grants: [grant] })
  }

  accessRefused({ id, time, data }: EventOf<'access.refused.v1'>): void {
    const row: SessionRow = [data.claimedSubject, '', data.protocol, data.target, '', data.address]
    this.#other({ kind: 'access.refused', time, id, session: '', row, text: `access refused: ${data.message}`, effect: 'block', by: 'access', reason: data.message, status: data.code })
  }

  notice(event: Notice): void {
    const kind = event.type.slice(0, event.type.lastIndexOf('.'))
    this.#other({ kind, time: event.time, id: event.id, session: '', row: UNKNOWN_SESSION, ...noticeOf(event) })
  }

  #other(entry: { kind: string; time: string; id: string; session: string; row: SessionRow; text: string; effect?: string; by?: string; reason?: string; ruleset?: string; status?: string; grants?: readonly string[] }): void {
    const { lastInsertRowid } = this.#insertOther.run(
      entry.kind, entry.time, entry.id, entry.session, ...entry.row, entry.text,
      entry.effect ?? '', entry.by ?? '', entry.reason ?? '', entry.ruleset ?? '', entry.status ?? '', JSON.stringify(entry.grants ?? []))
    this.#index.run(lastInsertRowid, entry.text)
  }

  #entryOf(session: string, command: string): number | undefined {
    const row = this.#findOpen.get(session, command)
    return row === undefined ? undefined : Number(row['entry'])
  }

  #session(session: string): SessionRow {
    const cached = this.#sessions.get(session)
    if (cached !== undefined) return cached
    const row = this.#findSession.get(session)
    if (row === undefined) return UNKNOWN_SESSION
    const found: SessionRow = [String(row['person']), String(row['actor']), String(row['protocol']), String(row['target']), String(row['database']), String(row['address'])]
    this.#remember(session, found)
    return found
  }

  #remember(session: string, row: SessionRow): void {
    if (this.#sessions.size >= MAX_CACHED) this.#sessions.clear()
    this.#sessions.set(session, row)
  }
}

const GRANT = 'grant:'

/** Exemptions, and the grants among them, as JSON. */
function lifted(exemptions: readonly Exemption[] | undefined): [string, string] {
  if (exemptions === undefined) return ['[]', '[]']
  const grants = exemptions.flatMap(({ by }) => (by.startsWith(GRANT) ? [by.slice(GRANT.length)] : []))
  return [JSON.stringify(exemptions), JSON.stringify([...new Set(grants)])]
}

function noticeOf(event: Notice): { text: string; ruleset?: string; reason?: string } {
  switch (event.type) {
    case 'gateway.started.v1':
      return { text: `gateway ${event.data.gateway} started, version ${event.data.version}, audit ${event.data.audit}` }
    case 'gateway.stopped.v1':
      return { text: `gateway ${event.data.gateway} stopped: ${event.data.reason}` }
    case 'ruleset.loaded.v1':
      return { text: `ruleset loaded: ${event.data.rules.length} rules, default ${event.data.default}`, ruleset: event.data.digest }
    case 'ruleset.refused.v1':
      return { text: `ruleset refused: ${problemsOf(event.data)}`, ruleset: event.data.kept, reason: 'the rules in force stay' }
    default:
      return event satisfies never
  }
}

function problemsOf({ problems }: RulesetRefused): string {
  return problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('; ')
}
