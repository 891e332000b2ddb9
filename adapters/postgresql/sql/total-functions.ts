/**
 * Built-in functions that give a value for any argument of their types: they never fail, whatever they are given, and
 * take no longer for one value than for another of its length. Reviewed by hand; what is not here may fail.
 * Functions of dates fail where a result lies beyond the first or last day that the server knows, some 4,700 years
 * BC and 290,000 from now: nothing moves a date there, and what a condition chose (`moves`) is not taken.
 * Left out on purpose: casts to numbers and dates, `json_object_agg` (NULL keys), regular expressions with groups or
 * counts, `to_char` of numbers, `age` and differences of dates (infinite ones), arithmetic of integers and of floating point
 * (overflow), `array_position` and `array_append` (arrays of arrays), `jsonb_array_length` and the like (other JSON).
 */
import { ENCODING, FIELD_OF_DATE, FIELD_OF_MOMENT, TIME_ZONE, UNIT } from './kept-words.ts'
import { NUMBERS, type ValueKind } from './value-kind.ts'

type Kinds = ReadonlySet<ValueKind>

export interface TotalFunction {
  readonly gives: ValueKind | 'argument'
  readonly arguments: readonly [least: number, most: number]
  /** By their place: arguments that are one of these kinds. Without, of any. */
  readonly takes?: Readonly<Record<number, Kinds>>
  /** By their place: arguments that are constants, and what they look like. */
  readonly written?: Readonly<Record<number, RegExp | ReadonlySet<string> | 'anything'>>
  /** Its result is as long as all arguments together, and never NULL. */
  readonly joins?: boolean
  /** Its result may be so many times as long as its first argument. */
  readonly lengthens?: (written: readonly (string | undefined)[]) => number
  /**
   * Of an aggregate whose result grows with the rows: there is a size at which it fails. So it takes only what is
   * made of whole columns, whose lengths nobody chooses by a condition.
   */
  readonly grows?: boolean
  /** Of arrays it takes those alone that are as long for every row. */
  readonly levels?: boolean
  /** Even arguments, from the first, must be constants: they name fields. */
  readonly keyed?: boolean
  /** Takes no columns of the type `json`: what they hold, `jsonb` may refuse. */
  readonly noJson?: boolean
  /** It may fail for all values alike, but for NULL: for a collation, or what the server was built with. */
  readonly brittle?: boolean
  /** What it is given may be out of its reach. */
  readonly moves?: boolean
  /** It may be NULL where no argument is. */
  readonly chooses?: boolean
}

const of = (...kinds: ValueKind[]): Kinds => new Set(kinds)
const FLOATING: Kinds = new Set([...NUMBERS, 'float'])
const JSONB = of('jsonb', 'json')
const TEXTS = of('text', 'constant')
const MOMENTS = of('date', 'moment')

/** A regular expression without groups, counts and references. */
export const PLAIN_PATTERN = /^(?:[^\\()|{}[\]]|\\[.dDsSwW]|\[\^?[^\\[\]]+\])*$/
const COUNT = /^[1-9]\d{0,8}$/
const LENGTH = /^\d{1,4}$/
const SHORT = /^.{0,4}$/s
const MANY = 100

const text = (least: number, most = least): TotalFunction => ({ gives: 'text', arguments: [least, most] })
const count: TotalFunction = { gives: 'int', arguments: [1, 1] }
const truth: TotalFunction = { gives: 'bool', arguments: [1, 1] }
const same = (most = 1): TotalFunction => ({ gives: 'argument', arguments: [1, most] })
const rank: TotalFunction = { gives: 'bigint', arguments: [0, 0] }
const share: TotalFunction = { gives: 'float', arguments: [0, 0] }
const rounded = (most: number): TotalFunction => ({ ...same(most), takes: { 0: FLOATING }, written: { 1: 'anything' } })
const spread: TotalFunction = { gives: 'numeric', arguments: [1, 1], takes: { 0: NUMBERS } }
const padded: TotalFunction = { ...text(2, 3), written: { 1: LENGTH, 2: 'anything' } }
const ofRange: TotalFunction = { ...truth, takes: { 0: of('range') } }
const ofAddress: TotalFunction = { gives: 'scalar', arguments: [1, 1], takes: { 0: of('scalar') } }
const digest: TotalFunction = { gives: 'scalar', arguments: [1, 1] }
const now: TotalFunction = { gives: 'moment', arguments: [0, 0] }
const ofArray = (gives: ValueKind, most = 1): TotalFunction => ({ gives, arguments: [most, most], takes: { 0: of('array') }, chooses: true })
const inJson = (gives: ValueKind, most = 1): TotalFunction => ({ gives, arguments: [1, most], takes: { 0: JSONB }, chooses: true })
const json = (least: number, most: number): TotalFunction => ({ gives: 'json', arguments: [least, most] })

/** How many times as long a text gets when each piece of it becomes another. */
const longer = (to = '', from = ' '): number => Math.max(1, to.length / Math.max(1, from.length))

const TEXT_FUNCTIONS: Readonly<Record<string, TotalFunction>> = {
  upper: text(1), lower: text(1), initcap: text(1), reverse: text(1), md5: text(1), quote_literal: text(1), quote_nullable: text(1), quote_ident: text(1),
  normalize: { ...text(1), brittle: true }, casefold: { ...text(1), brittle: true },
  btrim: text(1, 2), ltrim: text(1, 2), rtrim: text(1, 2), left: text(2), right: text(2), lpad: padded, rpad: padded,
  substr: { ...text(2, 3), written: { 1: COUNT, 2: COUNT } }, substring: { ...text(2, 3), written: { 1: COUNT, 2: COUNT } }, split_part: { ...text(3), written: { 1: 'anything', 2: COUNT } },
  overlay: { ...text(3, 4), written: { 1: /^/, 2: COUNT, 3: LENGTH }, lengthens: ([, by]) => longer(by) },
  replace: { ...text(3), written: { 1: /^/, 2: /^/ }, lengthens: ([, from, to]) => longer(to, from), brittle: true },
  translate: { ...text(3), written: { 1: 'anything', 2: 'anything' }, lengthens: () => 4 },
  repeat: { ...text(2), written: { 1: LENGTH }, lengthens: ([, times]) => Number(times) },
  regexp_replace: { ...text(3, 4), takes: { 0: TEXTS }, written: { 1: PLAIN_PATTERN, 2: /^[^\\]*$/, 3: /^[gi]*$/ }, lengthens: ([, , by]) => longer(by) + 1, brittle: true },
  concat: { ...text(0, MANY), joins: true }, concat_ws: { ...text(1, MANY), joins: true }, format: { ...text(1, MANY), written: { 0: /^(?:[^%]|%[s%])*$/ }, joins: true, brittle: true },
  length: count, char_length: count, character_length: count, octet_length: count, bit_length: count, ascii: count, hashtext: count, pg_column_size: count, pg_typeof: { ...count, gives: 'other' },
  strpos: { ...count, arguments: [2, 2], brittle: true }, position: { ...count, arguments: [2, 2], brittle: true }, starts_with: { ...truth, arguments: [2, 2], brittle: true },
  to_hex: { ...text(1), takes: { 0: NUMBERS } }, string_to_array: { gives: 'array', arguments: [2, 3], takes: { 0: TEXTS }, written: { 1: 'anything', 2: 'anything' }, lengthens: () => 10, brittle: true },
  sha224: digest, sha256: digest, sha384: digest, sha512: digest, convert_to: { ...digest, arguments: [2, 2], written: { 1: ENCODING } },
  encode: { ...text(2), takes: { 0: of('scalar') }, written: { 1: ENCODING }, lengthens: () => 4 },
}

const NUMBER_FUNCTIONS: Readonly<Record<string, TotalFunction>> = {
  round: rounded(2), trunc: rounded(2), ceil: rounded(1), ceiling: rounded(1), floor: rounded(1), sign: rounded(1), abs: { ...same(), takes: { 0: of('numeric', 'float') } },
  sum: { gives: 'number', arguments: [1, 1], takes: { 0: NUMBERS } }, avg: spread, stddev: spread, stddev_pop: spread, stddev_samp: spread, variance: spread, var_pop: spread, var_samp: spread,
  row_number: rank, rank, dense_rank: rank, percent_rank: share, cume_dist: share, count: { ...rank, arguments: [0, 1] },
}

const DATE_FUNCTIONS: Readonly<Record<string, TotalFunction>> = {
  now, transaction_timestamp: now, statement_timestamp: now, clock_timestamp: now, date: { gives: 'date', arguments: [1, 1], takes: { 0: MOMENTS }, moves: true },
  to_char: { ...text(2), takes: { 0: MOMENTS }, written: { 1: 'anything' }, chooses: true, moves: true },
  date_trunc: { gives: 'moment', arguments: [2, 2], takes: { 1: MOMENTS }, written: { 0: UNIT }, moves: true },
  timezone: { gives: 'moment', arguments: [2, 2], takes: { 1: of('moment') }, written: { 0: TIME_ZONE }, moves: true },
}
const partOf = (kind: 'date' | 'moment', fields: ReadonlySet<string>): TotalFunction => ({ gives: 'float', arguments: [2, 2], takes: { 1: of(kind) }, written: { 0: fields }, chooses: true, moves: true })
/** What parts there are depends on what they are taken from. */
export const PART_FUNCTIONS: ReadonlySet<string> = new Set(['extract', 'date_part'])
export const PARTS_OF_A_DATE = partOf('date', FIELD_OF_DATE)
export const PARTS_OF_A_MOMENT = partOf('moment', FIELD_OF_MOMENT)

const OTHER_FUNCTIONS: Readonly<Record<string, TotalFunction>> = {
  min: same(), max: same(), any_value: same(), first_value: same(), last_value: same(), lag: same(2), lead: same(2), bool_and: truth, bool_or: truth, every: truth,
  isempty: ofRange, lower_inc: ofRange, upper_inc: ofRange, lower_inf: ofRange, upper_inf: ofRange,
  host: { ...ofAddress, gives: 'text' }, abbrev: { ...ofAddress, gives: 'text' }, text: { ...ofAddress, gives: 'text' }, family: { ...ofAddress, gives: 'int' }, masklen: { ...ofAddress, gives: 'int' },
  network: ofAddress, netmask: ofAddress, hostmask: ofAddress, broadcast: ofAddress,
  cardinality: ofArray('int'), array_ndims: ofArray('int'), array_dims: ofArray('text'), array_length: ofArray('int', 2), array_upper: ofArray('int', 2), array_lower: ofArray('int', 2),
  array_to_string: { ...text(2, 3), takes: { 0: of('array') }, written: { 1: SHORT, 2: SHORT }, lengthens: () => 5 }, array_to_json: { ...json(1, 1), takes: { 0: of('array') } },
  string_agg: { ...text(2), grows: true }, array_agg: { gives: 'array', arguments: [1, 1], grows: true, levels: true }, json_agg: { ...json(1, 1), grows: true }, jsonb_agg: { ...json(1, 1), grows: true, noJson: true },
  to_json: json(1, 1), to_jsonb: { ...json(1, 1), noJson: true }, row_to_json: json(1, 1),
  json_build_array: { ...json(0, MANY), joins: true }, jsonb_build_array: { ...json(0, MANY), joins: true, noJson: true },
  json_build_object: { ...json(0, MANY), joins: true, keyed: true }, jsonb_build_object: { ...json(0, MANY), joins: true, keyed: true, noJson: true },
  jsonb_typeof: inJson('text'), jsonb_strip_nulls: inJson('json'), jsonb_extract_path: inJson('json', MANY), jsonb_extract_path_text: inJson('text', MANY),
}

export const TOTAL_FUNCTIONS: ReadonlyMap<string, TotalFunction> = new Map(Object.entries({ ...TEXT_FUNCTIONS, ...NUMBER_FUNCTIONS, ...DATE_FUNCTIONS, ...OTHER_FUNCTIONS }))
