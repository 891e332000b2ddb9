/**
 * Built-in functions that give a value for any argument of their types: they never fail, whatever they are given, and
 * take no longer for one value than for another of its length. Reviewed by hand; what is not here may fail.
 * Left out on purpose: `repeat` and `replace` (huge lengths), `format` (NULL for %I), casts to numbers and
 * dates, `encode` and `convert` (names checked when called), `json_object_agg` (NULL keys), regular expressions, LIKE
 * (a pattern that ends in a backslash fails only where the text gets that far), arithmetic (overflow).
 */
export interface TotalFunction {
  readonly gives: 'text' | 'integer' | 'number' | 'truth' | 'json' | 'array' | 'argument'
  readonly arguments: readonly [least: number, most: number]
  /** Its result is as long as all arguments together. */
  readonly joins?: boolean
  /**
   * Of an aggregate whose result grows with the rows: there is a size at which it fails. So it takes only what is
   * made of whole columns, whose lengths nobody chooses by a condition.
   */
  readonly grows?: boolean
  /** Adds: only built-in integers and `numeric`, which do not overflow in any number of rows that can be had. */
  readonly adds?: boolean
  /** Even arguments, from the first, must be constants: they name fields. */
  readonly keyed?: boolean
  /** From this one, arguments are numbers above 0, written out. Before it, and behind the first, they are constants. */
  readonly counts?: number
  /** It needs to know by which collation. */
  readonly collates?: boolean
  /** Takes no columns of the type `json`: what they hold, `jsonb` may refuse. */
  readonly noJson?: boolean
}

const text = (least: number, most = least): TotalFunction => ({ gives: 'text', arguments: [least, most] })
const number: TotalFunction = { gives: 'number', arguments: [1, 1] }
const measure: TotalFunction = { gives: 'integer', arguments: [1, 1] }
const truth: TotalFunction = { gives: 'truth', arguments: [1, 1] }
const folded: TotalFunction = { ...text(1), collates: true }
const same = (most = 1): TotalFunction => ({ gives: 'argument', arguments: [1, most] })
const rank: TotalFunction = { gives: 'number', arguments: [0, 0] }
const MANY = 100

export const TOTAL_FUNCTIONS: ReadonlyMap<string, TotalFunction> = new Map(Object.entries<TotalFunction>({
  upper: folded, lower: folded, initcap: folded, reverse: text(1), md5: text(1), quote_literal: text(1), quote_ident: text(1),
  btrim: text(1, 2), ltrim: text(1, 2), rtrim: text(1, 2), left: text(2), right: text(2),
  substr: { ...text(2, 3), counts: 1 }, substring: { ...text(2, 3), counts: 1 }, split_part: { ...text(3), counts: 2, collates: true },
  concat: { ...text(0, MANY), joins: true }, concat_ws: { ...text(1, MANY), joins: true },
  length: measure, char_length: measure, character_length: measure, octet_length: measure, bit_length: measure, ascii: measure,
  count: { gives: 'number', arguments: [0, 1] }, min: { ...same(), collates: true }, max: { ...same(), collates: true }, bool_and: truth, bool_or: truth, every: truth,
  sum: { ...number, adds: true }, avg: { ...number, adds: true },
  string_agg: { ...text(2), grows: true }, array_agg: { gives: 'array', arguments: [1, 1], grows: true },
  json_agg: { gives: 'json', arguments: [1, 1], grows: true }, jsonb_agg: { gives: 'json', arguments: [1, 1], grows: true, noJson: true },
  row_number: rank, rank, dense_rank: rank, percent_rank: rank, cume_dist: rank, first_value: same(), last_value: same(), lag: same(2), lead: same(2),
  to_json: { gives: 'json', arguments: [1, 1] }, to_jsonb: { gives: 'json', arguments: [1, 1], noJson: true }, row_to_json: { gives: 'json', arguments: [1, 1] },
  json_build_array: { gives: 'json', arguments: [0, MANY], joins: true }, jsonb_build_array: { gives: 'json', arguments: [0, MANY], joins: true, noJson: true },
  json_build_object: { gives: 'json', arguments: [0, MANY], joins: true, keyed: true },
  jsonb_build_object: { gives: 'json', arguments: [0, MANY], joins: true, keyed: true, noJson: true },
}))
