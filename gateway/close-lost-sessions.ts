/** What a gateway does about its predecessor: sessions, commands and approvals that a crash left open are ended in the record. */
import {
  Approvals, eventIds, rfc3339, type Clock, type EventData, type EventStore, type EventType, type NewEvent, type SallyportRecordedEvent,
} from '../core/index.ts'
import { Projections, querySessions, standardProjections } from '../projections/index.ts'

export interface LostOptions {
  readonly store: EventStore
  readonly clock: Clock
  /** CloudEvents source of this gateway; sessions of others are theirs. */
  readonly source: string
  readonly approvals: Approvals
  /** The projections' file. */
  readonly projections: string
}

/** Sessions looked at in one go; more are a second round. */
const ROUND = 1000
const REASON = 'its gateway stopped without a word'

/** Ends every session of this gateway that is still open in the record. Resolves with how many there were. */
export async function closeLostSessions(options: LostOptions): Promise<number> {
  let closed = 0
  for (;;) {
    const lost = await openSessions(options)
    for (const { session, approvals } of lost) {
      for (const approval of approvals) await options.approvals.withdraw(approval, REASON)
      await closeLost(session, options)
    }
    closed += lost.length
    if (lost.length < ROUND) return closed
  }
}

async function openSessions({ store, source, projections: path }: LostOptions): Promise<{ session: string; approvals: string[] }[]> {
  const projections = new Projections({ path, projections: standardProjections })
  try {
    await projections.catchUp(store)
    const { database } = projections
    const held = database.prepare('SELECT audit_approvals.approval FROM audit_approvals JOIN audit_entries USING (entry) WHERE session = ?')
    const open = querySessions(database, { open: true, limit: ROUND }).filter(({ gateway }) => gateway === source)
    return open.map(({ session }) => ({ session, approvals: held.all(session).map(({ approval }) => String(approval)) }))
  } finally {
    projections.close()
  }
}

async function closeLost(session: string, options: LostOptions): Promise<void> {
  const { store, clock, source } = options
  const open = new Map<string, { decision: string; reached: boolean }>()
  let commands = 0
  let last = -1n
  for await (const event of store.read(`session-${session}`)) {
    last = event.revision
    if (event.type === 'session.closed.v1') return
    commands += follow(event as SallyportRecordedEvent, open)
  }
  const idOf = eventIds(session)
  const events: NewEvent[] = []
  const add = <T extends EventType>(type: T, subject: string, data: EventData<T>, causationid?: string): void => {
    const id = idOf(Number(last) + 1 + events.length)
    events.push({ id, source, type, subject, time: rfc3339(clock.now()), correlationid: session, ...(causationid === undefined ? {} : { causationid }), data })
  }
  for (const [command, { decision, reached }] of open) {
    const status = reached ? 'unknown' : 'not-forwarded'
    add('outcome.recorded.v1', command, { session, command, outcome: { status, rows: 0, bytes: 0, durationMs: 0 } }, decision)
  }
  add('session.closed.v1', session, { session, reason: 'gateway-lost', commands, bytesFromClient: 0, bytesToClient: 0, error: REASON })
  await store.append(`session-${session}`, events, last)
}

/** Which commands have no outcome, and whether they may have reached the target. Returns 1 for a command. */
function follow(event: SallyportRecordedEvent, open: Map<string, { decision: string; reached: boolean }>): number {
  if (event.type === 'decision.made.v1') {
    const { effect } = event.data.verdict
    open.set(event.data.command, { decision: event.id, reached: effect === 'allow' || effect === 'mask' })
  }
  if (event.type === 'outcome.recorded.v1') open.delete(event.data.command)
  return event.type === 'command.received.v1' ? 1 : 0
}
