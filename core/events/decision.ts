import { Type, type Static } from 'typebox'

/** From weakest to strongest: the strongest vote wins, whatever the order of rules. */
export const EFFECTS = ['allow', 'mask', 'await-approval', 'block'] as const
export const EffectSchema = Type.Union([
  Type.Literal('allow'),
  Type.Literal('mask'),
  Type.Literal('await-approval'),
  Type.Literal('block'),
])
export type Effect = Static<typeof EffectSchema>

/** From weakest to strictest: when two rules mask one column differently, the stricter method holds. */
export const MASK_METHODS = ['partial', 'hash', 'fixed', 'null'] as const
export const MaskMethodSchema = Type.Union([
  Type.Literal('partial'),
  Type.Literal('hash'),
  Type.Literal('fixed'),
  Type.Literal('null'),
])
export type MaskMethod = Static<typeof MaskMethodSchema>

export const MaskSchema = Type.Object({
  /** `schema.table.column`, each part may be `*`; or `class:pii.email`, or `class:pii.*`. */
  column: Type.String(),
  method: MaskMethodSchema,
})
export type Mask = Static<typeof MaskSchema>

export const VoteSchema = Type.Object({ rule: Type.String(), effect: EffectSchema, reason: Type.String() })
export type Vote = Static<typeof VoteSchema>

export const ApprovalTermsSchema = Type.Object({
  /** `group:NAME` or a subject. Any one of them may approve. */
  approvers: Type.Array(Type.String()),
  timeoutSeconds: Type.Integer(),
})
export type ApprovalTerms = Static<typeof ApprovalTermsSchema>

/** What must hold when the command runs. */
export const ObligationsSchema = Type.Object({
  masks: Type.Array(MaskSchema),
  approval: Type.Optional(ApprovalTermsSchema),
})
export type Obligations = Static<typeof ObligationsSchema>

/** What the rules say of one command; a pure function of its input and the ruleset. */
export const VerdictSchema = Type.Object({
  effect: EffectSchema,
  /** Who spoke last: the rules, the default for what no rule allows, a failure, or an approval. */
  by: Type.Union([
    Type.Literal('rules'),
    Type.Literal('default'),
    Type.Literal('failure'),
    Type.Literal('approval'),
    Type.Literal('enforcement'),
  ]),
  /** For the client, in one line; names no rule internals. */
  reason: Type.String(),
  votes: Type.Array(VoteSchema),
  obligations: ObligationsSchema,
  /** `sha256:…` of the ruleset that decided. */
  ruleset: Type.String(),
})
export type Verdict = Static<typeof VerdictSchema>

export const DecisionMade = Type.Object({
  session: Type.String(),
  /** Id of the `command.received` event. */
  command: Type.String(),
  verdict: VerdictSchema,
  /** The approval that is awaited, or that was used. */
  approval: Type.Optional(Type.String()),
})
export type DecisionMade = Static<typeof DecisionMade>
