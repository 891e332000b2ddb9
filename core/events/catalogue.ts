/**
 * Every event there is. A type that is not here is refused on write.
 * A new version of an event is a new line here, and an up-cast from the old one in `UPCASTS`.
 */
import type { Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { ApprovalConsumed, ApprovalDenied, ApprovalExpired, ApprovalGranted, ApprovalRequested, ApprovalWithdrawn } from './approval.ts'
import { CommandReceived } from './command.ts'
import { CopyBegun, CopySettled } from './copy.ts'
import { DecisionMade } from './decision.ts'
import type { NewEvent, RecordedEvent } from './envelope.ts'
import { GrantIssued, GrantRevoked } from './grant.ts'
import { OutcomeRecorded, RecordingCaptured } from './outcome.ts'
import { RulesetLoaded, RulesetRefused } from './ruleset.ts'
import { AccessRefused, GatewayStarted, GatewayStopped, SessionClosed, SessionOpened } from './session.ts'

export const CATALOGUE = {
  'access.refused.v1': AccessRefused,
  'approval.consumed.v1': ApprovalConsumed,
  'approval.denied.v1': ApprovalDenied,
  'approval.expired.v1': ApprovalExpired,
  'approval.granted.v1': ApprovalGranted,
  'approval.requested.v1': ApprovalRequested,
  'approval.withdrawn.v1': ApprovalWithdrawn,
  'command.received.v1': CommandReceived,
  'copy.begun.v1': CopyBegun,
  'copy.settled.v1': CopySettled,
  'decision.made.v1': DecisionMade,
  'gateway.started.v1': GatewayStarted,
  'gateway.stopped.v1': GatewayStopped,
  'grant.issued.v1': GrantIssued,
  'grant.revoked.v1': GrantRevoked,
  'outcome.recorded.v1': OutcomeRecorded,
  'recording.captured.v1': RecordingCaptured,
  'ruleset.loaded.v1': RulesetLoaded,
  'ruleset.refused.v1': RulesetRefused,
  'session.closed.v1': SessionClosed,
  'session.opened.v1': SessionOpened,
} as const

export type EventType = keyof typeof CATALOGUE
export type EventData<T extends EventType> = Static<(typeof CATALOGUE)[T]>
/** The union of all events, told apart by `type`. */
export type SallyportEvent = { [T in EventType]: NewEvent<T, EventData<T>> }[EventType]
export type SallyportRecordedEvent = { [T in EventType]: RecordedEvent<T, EventData<T>> }[EventType]

interface Check { Check(value: unknown): boolean; Errors(value: unknown): Iterable<{ instancePath: string; message: string }> }
const checks = new Map<string, Check>()
for (const [type, schema] of Object.entries(CATALOGUE)) checks.set(type, Compile(schema) as unknown as Check)

/** What is wrong with an event, or `undefined`. Run by every store driver before it writes. */
export function problemWith(event: NewEvent): string | undefined {
  const check = checks.get(event.type)
  if (check === undefined) return `unknown event type "${event.type}"; the catalogue has no such version`
  if (check.Check(event.data)) return undefined
  const [first] = check.Errors(event.data)
  return `${event.type}: data${first?.instancePath ?? ''} ${first?.message ?? 'does not fit its schema'}`
}

/** Old version → the next one. Applied repeatedly on read until the type is in the catalogue. */
export type Upcasts = Readonly<Record<string, (data: never) => { type: string; data: unknown }>>
export const UPCASTS: Upcasts = {}

/** Brings an event read from a store up to today's catalogue; throws `TypeError` when no path leads there. */
export function upcast(event: RecordedEvent, upcasts: Upcasts = UPCASTS, known: ReadonlySet<string> = KNOWN_TYPES): RecordedEvent {
  let current = event
  for (let step = 0; !known.has(current.type); step++) {
    const next = upcasts[current.type]
    if (next === undefined || step > 64) {
      throw new TypeError(`event ${event.id} has type "${event.type}", which this version of Sallyport cannot read`)
    }
    current = { ...current, ...next(current.data as never) }
  }
  return current
}
export const KNOWN_TYPES: ReadonlySet<string> = new Set(Object.keys(CATALOGUE))
