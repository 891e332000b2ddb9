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
export const MASK_METHODS = ['partial', 'generalise', 'shuffle', 'hash', 'fixed', 'null'] as const
export const MaskMethodSchema = Type.Union([
  Type.Literal('partial'),
  /** To a coarser value: a date to its year, a number to the lower end of its bucket. */
  Type.Literal('generalise'),
  /** To another value of the same shape: a digit for a digit, a letter for a letter. */
  Type.Literal('shuffle'),
  /** Keyed, so that equal values stay equal within a target, and nobody can try out values without the key. */
  Type.Literal('hash'),
  Type.Literal('fixed'),
  Type.Literal('null'),
])
export type MaskMethod = Static<typeof MaskMethodSchema>

/**
 * What a statement may do with a masked column besides showing it (WHERE, JOIN, ORDER BY, …), from weakest to strictest.
 * `equality`: compare it for equality with a parameter or a constant, and nothing else.
 */
export const PREDICATE_USES = ['allow', 'equality', 'block'] as const
export const PredicateUseSchema = Type.Union([Type.Literal('allow'), Type.Literal('equality'), Type.Literal('block')])
export type PredicateUse = Static<typeof PredicateUseSchema>

/** What becomes of an output that cannot be traced and may touch a masked column, from weakest to strictest. */
export const UNTRACED_USES = ['mask', 'block'] as const
export const UntracedUseSchema = Type.Union([Type.Literal('mask'), Type.Literal('block')])
export type UntracedUse = Static<typeof UntracedUseSchema>

export const MaskSchema = Type.Object({
  /** `schema.table.column`, each part may be `*`; or `class:pii.email`, or `class:pii.*`. */
  column: Type.String(),
  method: MaskMethodSchema,
  /** With `generalise`, for numbers: the width of a bucket. Absent: a power of ten that keeps the first digit. */
  bucket: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  /** Absent: `block`. */
  predicates: Type.Optional(PredicateUseSchema),
  /** Absent: `block`. */
  untraced: Type.Optional(UntracedUseSchema),
  /** Columns and classes that are exempted from it; see `exemptions`. A rule cannot write this. */
  except: Type.Optional(Type.Array(Type.String())),
})
export type Mask = Static<typeof MaskSchema>

/** Values that look like an entity are masked wherever they come out, whatever column they are in: a second net. */
export const DetectionSchema = Type.Object({
  /** As `docs/detection.md` names it (`card-number`), or an own pattern; `*` for all that are not named. */
  entity: Type.String(),
  method: MaskMethodSchema,
  /** Findings below this are let through, from 0 to 1. */
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
})
export type Detection = Static<typeof DetectionSchema>

/** What one command (and, for the last, one identity) may use. Going beyond one ends the command. */
export const LimitsSchema = Type.Object({
  /** Of the response: what comes back, not what is changed. */
  rows: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Of the response. */
  bytes: Type.Optional(Type.Integer({ minimum: 0 })),
  /** In which the target works on it, and the client takes the answer. */
  seconds: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  /** Of all sessions of the identity at one gateway, in the minute that ends now. */
  statementsPerMinute: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type Limits = Static<typeof LimitsSchema>

/** Masks that do not hold for this command, and why. */
export const ExemptionSchema = Type.Object({
  /** Column or class whose masks are lifted, as the rule or the grant wrote it; see `liftMasks`. */
  column: Type.String(),
  /** The rule that exempts, or `grant:ID`. */
  by: Type.String(),
  reason: Type.String(),
})
export type Exemption = Static<typeof ExemptionSchema>

export const VoteSchema = Type.Object({ rule: Type.String(), effect: EffectSchema, reason: Type.String() })
export type Vote = Static<typeof VoteSchema>

export const ApprovalTermsSchema = Type.Object({
  /** `group:NAME` or a subject. Any one of them may approve. */
  approvers: Type.Array(Type.String()),
  timeoutSeconds: Type.Integer(),
  /** Whether reviewers are to see what a trial run changes, that is then undone; where that is safe. */
  dryRun: Type.Optional(Type.Boolean()),
})
export type ApprovalTerms = Static<typeof ApprovalTermsSchema>

/** What must hold when the command runs. */
export const ObligationsSchema = Type.Object({
  masks: Type.Array(MaskSchema),
  approval: Type.Optional(ApprovalTermsSchema),
  detections: Type.Optional(Type.Array(DetectionSchema)),
  limits: Type.Optional(LimitsSchema),
  /** Masks that rules asked for and that were lifted. */
  exemptions: Type.Optional(Type.Array(ExemptionSchema)),
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
