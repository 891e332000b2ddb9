import { Type, type Static } from 'typebox'

export const RulesetLoaded = Type.Object({
  /** `sha256:…` over the ids and sources of all rules and the default. */
  digest: Type.String(),
  default: Type.String(),
  rules: Type.Array(Type.Object({ id: Type.String(), digest: Type.String(), source: Type.String() })),
})
export type RulesetLoaded = Static<typeof RulesetLoaded>

/** A new set that was broken; the old one stays. */
export const RulesetRefused = Type.Object({
  kept: Type.String(),
  problems: Type.Array(Type.Object({ file: Type.String(), line: Type.Integer(), message: Type.String() })),
})
export type RulesetRefused = Static<typeof RulesetRefused>
