/** Operators and casts that give a value for whatever they are given: see `total.ts`. */
import { typed, type Total } from './total.ts'
import { PLAIN_PATTERN } from './total-functions.ts'
import { COMPARABLE, commonKind, compareWell, JOINABLE, MOMENTS, NUMBERS, type ValueKind } from './value-kind.ts'

export interface Operands {
  /** The grammar's: `AEXPR_OP`, `AEXPR_IN`. */
  readonly kind: string
  readonly symbol: string
  /** Left and right; the right alone of a prefix operator; behind the left, all that it is compared with. */
  readonly parts: readonly Total[]
  /** What is on the right, where that is a constant. */
  readonly written: string | undefined
  /** Notes that the value of a constant was looked at. */
  literal(): void
}

type Operated = Pick<Total, 'kind' | 'weight' | 'brittle' | 'chosen'>

export const COMPARES: ReadonlySet<string> = new Set(['=', '<>', '<', '>', '<=', '>='])
const COMPARISONS = new Set(['AEXPR_OP', 'AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT'])
/** NULL among what it is compared with may or may not decide. */
const LIST_COMPARISONS = new Set(['AEXPR_IN', 'AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM'])

const truth = (chosen: boolean, brittle = false): Operated => ({ kind: 'bool', weight: 1, brittle, chosen })

/** `joined`: one text behind the other. `undefined`: it may fail. */
export function operate({ kind, symbol, parts, written, literal }: Operands): Operated | 'joined' | undefined {
  const [left, right] = parts
  if (left === undefined) return undefined
  if (kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') return like(left, written)
  if (kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL') return COMPARES.has(symbol) && COMPARABLE.has(left.kind) && isOneOf(right, ['array', 'constant', 'parameter']) ? truth(true) : undefined
  if (kind === 'AEXPR_OP' && right === undefined) return symbol === '-' && left.kind === 'numeric' ? { ...left, brittle: false } : undefined
  if (kind === 'AEXPR_OP' && !COMPARES.has(symbol)) return right === undefined ? undefined : byKind(symbol, left, right, written, literal)
  if (!parts.every((part) => COMPARABLE.has(part.kind)) || !compareWell(parts.map(typed))) return undefined
  if (parts.some(({ kind: each }) => each === 'float') && parts.some(isTooLargeByChoice)) return undefined
  // A list may become an array.
  if (kind === 'AEXPR_IN' && commonKind(parts.map(typed)) === undefined) return undefined
  if (kind === 'AEXPR_NULLIF') return { ...left, brittle: false, chosen: true }
  if (LIST_COMPARISONS.has(kind)) return truth(true)
  return COMPARISONS.has(kind) ? truth(false) : undefined
}

function byKind(symbol: string, left: Total, right: Total, written: string | undefined, literal: () => void): Operated | 'joined' | undefined {
  if (symbol === '||') return [left, right].every(({ kind }) => JOINABLE.has(kind)) && [left, right].some(({ kind }) => kind === 'text') ? 'joined' : undefined
  if (/^!?~\*?$/.test(symbol)) return matches(left, written, literal)
  if (MEMBERS.has(symbol)) return member(symbol, left, right)
  if (CONTAINS.has(symbol)) return contains(left.kind, right.kind) || contains(right.kind, left.kind) ? truth(false) : undefined
  return arithmetic(symbol, left, right, written)
}

function isOneOf(total: Total | undefined, kinds: readonly ValueKind[]): boolean {
  return total !== undefined && kinds.includes(total.kind)
}

/** A pattern that ends in a backslash fails only where the text gets that far; for some collations there is no LIKE at all. */
function like({ kind }: Total, pattern: string | undefined): Operated | undefined {
  return (kind === 'text' || kind === 'constant') && pattern?.includes('\\') === false ? truth(false, true) : undefined
}

function matches({ kind }: Total, pattern: string | undefined, literal: () => void): Operated | undefined {
  literal()
  return (kind === 'text' || kind === 'constant') && pattern !== undefined && PLAIN_PATTERN.test(pattern) ? truth(false, true) : undefined
}

const MEMBERS = new Set(['->', '->>', '#>', '#>>', '?', '?|', '?&'])

/** Of JSON that was made here, or of `jsonb`: a column of the type `json` may hold what no text may. */
function member(symbol: string, left: Total, right: Total): Operated | undefined {
  if (left.kind !== 'jsonb' && left.kind !== 'json') return undefined
  if (symbol.startsWith('?')) return isOneOf(right, ['constant', 'text', 'array']) ? truth(false) : undefined
  if (!isOneOf(right, symbol.startsWith('#') ? ['constant', 'array'] : ['constant', 'int'])) return undefined
  return { kind: symbol.endsWith('>>') ? 'text' : left.kind, weight: left.weight, brittle: false, chosen: true }
}

const CONTAINS = new Set(['@>', '<@', '&&', '<<', '>>', '<<=', '>>='])

/** Networks are among the scalars; for any other there is no such operator. */
function contains(kind: ValueKind, other: ValueKind): boolean {
  if (kind === 'range') return other === 'range' || other === 'constant' || NUMBERS.has(other) || MOMENTS.has(other)
  return (kind === 'jsonb' || kind === 'array' || kind === 'scalar') && (other === kind || other === 'constant')
}

/** So many columns and constants multiplied stay far below what a `numeric` holds, and below what floating point does. */
const MAX_FACTORS = 4

/** Of `numeric`, and of integers that a constant divides: others may be out of range. */
function arithmetic(symbol: string, left: Total, right: Total, written: string | undefined): Operated | undefined {
  const divides = symbol === '/' || symbol === '%'
  if (!NUMBERS.has(left.kind) || !NUMBERS.has(right.kind) || (divides && !isSafeDivisor(right, written))) return undefined
  const weight = symbol === '*' || symbol === '/' ? left.weight + right.weight : Math.max(left.weight, right.weight)
  if (weight > MAX_FACTORS || !/^[-+*/%]$/.test(symbol) || outOfBounds(left, right) || outOfBounds(right, left)) return undefined
  if (left.kind === 'numeric' || right.kind === 'numeric') return { kind: 'numeric', weight, brittle: false, chosen: false }
  return divides && right.kind === 'int' ? { kind: left.kind, weight: left.weight, brittle: false, chosen: false } : undefined
}

/** Where there may be no value, or one that nothing can be computed of. */
function isTooLargeByChoice({ endless, chosen }: Total): boolean {
  return endless === true && chosen
}

/** The other value would decide whether what is as large as can be still has a result: only constants are alike for all. */
function outOfBounds(large: Total, other: Total): boolean {
  return large.endless === true && (large.chosen || other.endless === true || !typed(other).written)
}

/** A constant above 0. Whether it is 0 is seen by the shape of a text. */
function isSafeDivisor({ plain }: Total, written: string | undefined): boolean {
  return plain && Number(written) > 0
}

const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name'])
/** From what a cast to it cannot fail. */
const CASTS: Readonly<Record<string, readonly ValueKind[]>> = {
  int4: ['bool'], int8: ['int'], numeric: ['int', 'bigint', 'number', 'numeric'], float8: ['int', 'bigint', 'number', 'numeric', 'float'], bool: ['bool', 'int'],
  date: ['date', 'moment'], timestamp: ['date', 'moment'], timestamptz: ['date', 'moment'], time: ['moment'], json: ['jsonb'],
}
const GIVES: Readonly<Record<string, ValueKind>> = {
  int2: 'int', int4: 'int', int8: 'bigint', numeric: 'numeric', float8: 'float', bool: 'bool', date: 'date', timestamp: 'moment', timestamptz: 'moment',
  time: 'scalar', uuid: 'scalar', interval: 'scalar', inet: 'scalar', bytea: 'scalar', jsonb: 'jsonb', json: 'json',
}
/** What a constant may be read as: that is done before the statement runs. */
const READABLE = new Set(['int2', 'int4', 'int8', 'numeric', 'bool', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'interval', 'inet', 'bytea', 'jsonb'])

/** `text`: a string constant. `narrowed`: the type has a length or a precision. Anything can be written as text. */
export function castTo(type: string, from: Total | undefined, { text, narrowed }: { readonly text: boolean; readonly narrowed: boolean }): Total | undefined {
  if (from === undefined) return undefined
  const kind = GIVES[type] ?? 'other'
  if (text) return TEXTS.has(type) ? { ...from, kind: 'text' } : READABLE.has(type) ? { ...from, kind, endless: kind === 'numeric' } : undefined
  if (TEXTS.has(type)) return from.kind === 'parameter' ? undefined : { ...from, kind: 'text', type: undefined }
  // A date that a condition chose may be none of the other type.
  if ((MOMENTS.has(kind) && !from.plain) || (kind === 'float' && isTooLargeByChoice(from))) return undefined
  return CASTS[type]?.includes(from.kind) === true && !narrowed ? { ...from, kind, type: undefined, plain: false } : undefined
}
