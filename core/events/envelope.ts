/**
 * The envelope every event travels in: the CloudEvents 1.0 attributes, plus the
 * `correlationid`, `causationid` and `traceparent` extensions.
 * Source: CloudEvents 1.0.2, "Context Attributes"; W3C Trace Context.
 */

/** What a writer hands to the store. `specversion` and `datacontenttype` are constant and added on export. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  /** UUID, unique in the store. Deterministic where a retry must be idempotent. */
  readonly id: string
  /** URI reference of the gateway that saw it: `sallyport/gateway-1`. */
  readonly source: string
  /** Past tense with a version: `command.received.v1`. */
  readonly type: Type
  /** What the event is about: a session, command or approval id. */
  readonly subject: string
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** The session the event belongs to, or the gateway's own name. */
  readonly correlationid: string
  /** The event that led to this one. */
  readonly causationid?: string
  /** W3C trace context, when the client sent one. */
  readonly traceparent?: string
  readonly data: Data
}

/** An event as read back: where it stands, and what it says. */
export interface RecordedEvent<Type extends string = string, Data = unknown> extends NewEvent<Type, Data> {
  readonly stream: string
  /** Place in its stream; the first is 0n. */
  readonly revision: bigint
  /** Place among all events of the store; grows, may have gaps. */
  readonly position: bigint
}

/** A CloudEvents 1.0 JSON object, for exports and for the bus. */
export function toCloudEvent(event: NewEvent): Record<string, unknown> {
  return { specversion: '1.0', datacontenttype: 'application/json', ...event }
}
