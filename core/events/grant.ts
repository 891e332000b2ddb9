import { Type, type Static } from 'typebox'
import { IdentitySchema } from './session.ts'

/** Opens the stream `grant-<id>`: for a while, masks on some columns do not hold for somebody. */
export const GrantIssued = Type.Object({
  grant: Type.String(),
  /** Whom it is for: the one who is at the keyboard, as the configuration names them. */
  to: Type.String(),
  /** Whom they act for; empty when nobody. */
  actsFor: Type.String(),
  target: Type.String(),
  /** Columns and classes; see `liftMasks`. */
  columns: Type.Array(Type.String()),
  /** It holds only for sessions that claim this task. */
  task: Type.Optional(Type.String()),
  reason: Type.String(),
  by: IdentitySchema,
  /** RFC 3339. */
  expires: Type.String(),
})
export type GrantIssued = Static<typeof GrantIssued>

export const GrantRevoked = Type.Object({ grant: Type.String(), by: IdentitySchema, reason: Type.String() })
export type GrantRevoked = Static<typeof GrantRevoked>
