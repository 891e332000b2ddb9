import { Type, type Static } from 'typebox'

/** A column that values of another one go into. */
const Source = Type.Object({
  /** What the target calls the relation, whatever its name: PostgreSQL's OID. */
  relation: Type.String(),
  /** What the target calls the column within it. 0: the whole row. */
  attribute: Type.Integer(),
  /** Its name when the copy was made, from the outside in: schema, table, column. */
  path: Type.Array(Type.String()),
  /** The copy was computed from it, and is not the same value. */
  whole: Type.Boolean(),
})

/** On the stream `copies-<target>/<database>`: a relation is about to be made of what others hold. */
export const CopyBegun = Type.Object({
  copy: Type.String(),
  target: Type.String(),
  database: Type.String(),
  /** The name it gets, without a schema. */
  name: Type.String(),
  /** Relations that had the name before. */
  known: Type.Array(Type.String()),
  columns: Type.Array(Type.Object({
    /** Attribute number; 0: any. */
    attribute: Type.Integer(),
    sources: Type.Array(Source),
  })),
})
export type CopyBegun = Static<typeof CopyBegun>

/** What became of it: the relations that hold the copy; none when it was not made. */
export const CopySettled = Type.Object({ copy: Type.String(), relations: Type.Array(Type.String()) })
export type CopySettled = Static<typeof CopySettled>
