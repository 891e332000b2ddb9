import { Type, type Static } from 'typebox'
import { ApprovalTermsSchema, VoteSchema } from './decision.ts'
import { CommandSchema } from './command.ts'
import { ImpactSchema } from './impact.ts'
import { IdentitySchema, TargetSchema } from './session.ts'

/** Opens the stream `approval-<id>`. */
export const ApprovalRequested = Type.Object({
  approval: Type.String(),
  session: Type.String(),
  command: Type.String(),
  /** `sha256:…` over exactly what was asked: text, values, identity, target, session and ruleset. */
  digest: Type.String(),
  asked: CommandSchema,
  identity: IdentitySchema,
  target: TargetSchema,
  ruleset: Type.String(),
  votes: Type.Array(VoteSchema),
  terms: ApprovalTermsSchema,
  /** RFC 3339. */
  expires: Type.String(),
  /** What it would change, as the reviewer is shown it. Not under the digest: it is about what is asked, and no part of it. */
  impact: Type.Optional(ImpactSchema),
})
export type ApprovalRequested = Static<typeof ApprovalRequested>

const Answered = { approval: Type.String(), digest: Type.String(), by: IdentitySchema, comment: Type.String() }
export const ApprovalGranted = Type.Object(Answered)
export const ApprovalDenied = Type.Object(Answered)
export type ApprovalAnswered = Static<typeof ApprovalGranted>

export const ApprovalExpired = Type.Object({ approval: Type.String() })
/** The requester cancelled, left, or the gateway stopped. */
export const ApprovalWithdrawn = Type.Object({ approval: Type.String(), reason: Type.String() })
/** The grant was spent on its one command. */
export const ApprovalConsumed = Type.Object({ approval: Type.String(), command: Type.String(), digest: Type.String() })
