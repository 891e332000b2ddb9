import { Type, type Static } from 'typebox'

/** How well the gateway understood a command. Rules can tell the difference. */
export const FidelitySchema = Type.Union([Type.Literal('parsed'), Type.Literal('heuristic'), Type.Literal('opaque')])
export type Fidelity = Static<typeof FidelitySchema>

/** Something a command touches, in words no protocol owns. */
export const ResourceSchema = Type.Object({
  /** Dotted name as the target knows it: `public.customers`. */
  name: Type.String(),
  kind: Type.String(),
  access: Type.Union([Type.Literal('read'), Type.Literal('write')]),
  /** Columns (or fields) named; `*` stands for all of them. */
  columns: Type.Array(Type.String()),
})
export type Resource = Static<typeof ResourceSchema>

/**
 * One thing about to be done. `facts` holds what only one family of protocols can say, under that
 * family's own name (`{ sql: { unbounded: true, … } }`), with the shape its adapter declared.
 */
export const CommandSchema = Type.Object({
  protocol: Type.String(),
  /** The weightiest of `actions`. */
  action: Type.String(),
  actions: Type.Array(Type.String()),
  /** `execute`: it is about to run. `prepare`: it is only being made ready; it may run later, as a command of its own. */
  phase: Type.Union([Type.Literal('execute'), Type.Literal('prepare')]),
  /** What was asked, word for word, up to the recording cap. */
  text: Type.String(),
  /** Size of the whole text in bytes when `text` was cut; else absent. */
  textBytes: Type.Optional(Type.Integer()),
  /** Bound values, as text; null is SQL NULL (or its like). */
  values: Type.Array(Type.Union([Type.String(), Type.Null()])),
  /** False when values were too large to hold before the decision. */
  valuesComplete: Type.Boolean(),
  resources: Type.Array(ResourceSchema),
  fidelity: FidelitySchema,
  /** Why it is opaque; empty otherwise. */
  opaque: Type.String(),
  facts: Type.Record(Type.String(), Type.Unknown()),
})
export type Command = Static<typeof CommandSchema>

export const CommandReceived = Type.Object({
  session: Type.String(),
  /** Counts the session's commands from 1. */
  number: Type.Integer(),
  command: CommandSchema,
})
export type CommandReceived = Static<typeof CommandReceived>
