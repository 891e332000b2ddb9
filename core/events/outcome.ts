import { Type, type Static } from 'typebox'

/** How a command ended, seen from the gateway. */
export const OutcomeSchema = Type.Object({
  status: Type.Union([
    Type.Literal('completed'),
    Type.Literal('failed'),
    Type.Literal('cancelled'),
    /** It may have run; nobody was there to see. */
    Type.Literal('unknown'),
    /** It never reached the target. */
    Type.Literal('not-forwarded'),
  ]),
  rows: Type.Integer(),
  /** Bytes of the response as the client got it. */
  bytes: Type.Integer(),
  /** From the first byte of the command to the last of the response. */
  durationMs: Type.Number(),
  /** The target's own closing word (`UPDATE 3`), when it has one. */
  tag: Type.Optional(Type.String()),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  /** The limit that it went beyond, by its name in the decision's obligations. */
  limit: Type.Optional(Type.Object({ name: Type.String(), value: Type.Number() })),
  /** Columns that were masked, and how many values. */
  masked: Type.Optional(Type.Object({ columns: Type.Array(Type.String()), values: Type.Integer() })),
})
export type Outcome = Static<typeof OutcomeSchema>

export const OutcomeRecorded = Type.Object({
  session: Type.String(),
  command: Type.String(),
  outcome: OutcomeSchema,
})
export type OutcomeRecorded = Static<typeof OutcomeRecorded>

/** The response as the client got it, masks applied, in the wire's own bytes. */
export const RecordingSchema = Type.Object({
  /** What the bytes are: `postgresql/backend`. The adapter of that name can render them. */
  encoding: Type.String(),
  /** Base64 of the bytes, with the time of each chunk in ms after the command was received. */
  chunks: Type.Array(Type.Object({ at: Type.Number(), data: Type.String() })),
  /** Size of the whole response. */
  bytes: Type.Integer(),
  /** The cap that was reached, in bytes; absent when everything is here. */
  cappedAt: Type.Optional(Type.Integer()),
})
export type Recording = Static<typeof RecordingSchema>

export const RecordingCaptured = Type.Object({
  session: Type.String(),
  command: Type.String(),
  recording: RecordingSchema,
})
export type RecordingCaptured = Static<typeof RecordingCaptured>
