import type { DatabaseSync } from 'node:sqlite'
import { SallyportError, type ApprovalRequested, type CommandReceived, type Effect, type EventStore, type Exemption, type Impact, type Outcome, type Recording, type RecordingCaptured, type Verdict } from '../../core/index.ts'

export interface ReplayDecision {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly effect: Effect
  readonly by: Verdict['by']
  readonly reason: string
  /** Masks that were lifted, and by whom. */
  readonly exemptions?: readonly Exemption[]
}

export interface ReplayAnswer {
  readonly approval: string
  readonly status: 'granted' | 'denied'
  readonly approver: string
  readonly comment: string
  readonly time: string
}

/** One command as it went. */
export interface ReplayStep {
  readonly session: string
  readonly number: number
  /** Id of its `command.received` event. */
  readonly event: string
  /** RFC 3339, UTC. */
  readonly time: string
  /** ms after the session opened. */
  readonly at: number
  readonly command: CommandReceived['command']
  /** The last one holds; an earlier `await-approval` is how it came to wait. */
  readonly decisions: readonly ReplayDecision[]
  readonly answer?: ReplayAnswer
  /** What whoever answered was shown of what it would change. */
  readonly impact?: Impact
  /** Absent when nobody saw how it ended. */
  readonly outcome?: Outcome
  readonly recording?: Recording
}

/** A session's commands in the order they came. Holds one command's bytes at a time. */
export async function* readReplay(database: DatabaseSync, store: EventStore, session: string): AsyncGenerator<ReplayStep> {
  const opened = database.prepare('SELECT opened FROM replay_sessions WHERE session = ?').get(session)
  const start = opened === undefined ? undefined : Date.parse(String(opened['opened']))
  const rows = database.prepare(`SELECT c.*, a.status, a.approver, a.comment, a.time AS answered FROM replay_commands c
    LEFT JOIN replay_approvals a ON a.approval = c.approval WHERE c.session = ? ORDER BY c.revision`).iterate(session)
  for (const row of rows) yield await stepOf(row, store, start)
}

async function stepOf(row: Record<string, unknown>, store: EventStore, start: number | undefined): Promise<ReplayStep> {
  const time = String(row['time'])
  const stream = String(row['stream'])
  const received = (await dataAt(store, stream, row['revision'])) as CommandReceived
  const recorded = row['recording'] === null ? undefined : (await dataAt(store, stream, row['recording'])) as RecordingCaptured
  const impact = row['approval'] === '' ? undefined : await impactOf(store, String(row['approval']))
  return {
    session: received.session, number: received.number, event: String(row['event']), time,
    at: start === undefined ? 0 : Math.max(0, Date.parse(time) - start),
    command: received.command,
    decisions: JSON.parse(String(row['decisions'])) as ReplayDecision[],
    ...(row['status'] === null ? {} : { answer: answerOf(row) }),
    ...(impact === undefined ? {} : { impact }),
    ...(row['outcome'] === '' ? {} : { outcome: JSON.parse(String(row['outcome'])) as Outcome }),
    ...(recorded === undefined ? {} : { recording: recorded.recording }),
  }
}

/** The request opens the approval's stream. */
async function impactOf(store: EventStore, approval: string): Promise<Impact | undefined> {
  for await (const event of store.read(`approval-${approval}`, { limit: 1 })) return (event.data as ApprovalRequested).impact
  return undefined
}

function answerOf(row: Record<string, unknown>): ReplayAnswer {
  return {
    approval: String(row['approval']), status: row['status'] === 'granted' ? 'granted' : 'denied',
    approver: String(row['approver']), comment: String(row['comment']), time: String(row['answered']),
  }
}

async function dataAt(store: EventStore, stream: string, revision: unknown): Promise<unknown> {
  for await (const event of store.read(stream, { from: BigInt(Number(revision)), limit: 1 })) return event.data
  throw new SallyportError('STORE_CORRUPT', `stream "${stream}" has no revision ${String(revision)}, which the projections saw; check that they belong to this store`)
}
