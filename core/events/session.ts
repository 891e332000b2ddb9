import { Type, type Static } from 'typebox'

/** Who is proven. Hints in the traffic are never part of it; they are recorded as `claimed`. */
export const IdentitySchema = Type.Object({
  /** The person or service that proved itself. */
  subject: Type.String(),
  kind: Type.Union([Type.Literal('person'), Type.Literal('service'), Type.Literal('agent')]),
  /** The agent that acts for the subject; empty when nobody does. */
  actor: Type.String(),
  groups: Type.Array(Type.String()),
  /** How it was proven: `scram-sha-256`, `api-token`, … */
  method: Type.String(),
})
export type Identity = Static<typeof IdentitySchema>

/** A named system behind the gateway. Credentials and addresses are not part of it. */
export const TargetSchema = Type.Object({
  name: Type.String(),
  protocol: Type.String(),
  /** The database (or bucket, cluster, host …) within the target; empty when it has none. */
  database: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  /** Resource pattern → data class: `public.customers.email → pii.email`. */
  classes: Type.Record(Type.String(), Type.String()),
})
export type Target = Static<typeof TargetSchema>

export const SessionOpened = Type.Object({
  session: Type.String(),
  protocol: Type.String(),
  identity: IdentitySchema,
  target: TargetSchema,
  /** `address:port` of the client. */
  address: Type.String(),
  tls: Type.Boolean(),
  /** What the client says of itself: application name, SQL comment, … Never trusted. */
  claimed: Type.Record(Type.String(), Type.String()),
})
export type SessionOpened = Static<typeof SessionOpened>

export const SessionClosed = Type.Object({
  session: Type.String(),
  reason: Type.Union([
    Type.Literal('client-terminated'),
    Type.Literal('client-disconnected'),
    Type.Literal('target-lost'),
    Type.Literal('protocol-violation'),
    Type.Literal('gateway-stopped'),
    Type.Literal('gateway-lost'),
    Type.Literal('error'),
  ]),
  commands: Type.Integer(),
  bytesFromClient: Type.Integer(),
  bytesToClient: Type.Integer(),
  error: Type.Optional(Type.String()),
})
export type SessionClosed = Static<typeof SessionClosed>

/** Somebody knocked and was not let in. */
export const AccessRefused = Type.Object({
  protocol: Type.String(),
  address: Type.String(),
  /** The name the client gave; not proven. */
  claimedSubject: Type.String(),
  target: Type.String(),
  /** Stable code: `bad-credentials`, `unknown-target`, `too-many-sessions`, `tls-required`, `protocol-violation`, `timeout`, … */
  code: Type.String(),
  message: Type.String(),
})
export type AccessRefused = Static<typeof AccessRefused>

export const GatewayStarted = Type.Object({ gateway: Type.String(), version: Type.String(), audit: Type.String() })
export const GatewayStopped = Type.Object({ gateway: Type.String(), reason: Type.String() })
