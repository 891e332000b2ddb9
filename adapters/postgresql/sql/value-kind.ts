import { ARRAY_ELEMENT, isTextType, OID } from '../mask/type-oids.ts'
import type { Resolver } from './resolver.ts'

/**
 * What kind of value an expression gives, as far as it matters to whether working with it can fail. `int` holds what an
 * `integer` does, `number` is an integer or a `numeric`; `moment` a day and a time of it; `scalar` any other built-in type
 * that can be compared, and converted to any other of these that the server would; `json` was made by the statement itself, so that, unlike a column of that type, it holds nothing
 * that no text can; `parameter` is of a type that the client chose; `other` of one that is not known here.
 */
export type ValueKind =
  | 'text' | 'int' | 'bigint' | 'numeric' | 'number' | 'float' | 'bool' | 'date' | 'moment' | 'scalar' | 'enum' | 'range'
  | 'jsonb' | 'json' | 'array' | 'row' | 'constant' | 'parameter' | 'other'

const ALL_NUMBERS: readonly ValueKind[] = ['int', 'bigint', 'numeric', 'number']
const SINGLE: readonly ValueKind[] = ['text', ...ALL_NUMBERS, 'float', 'bool', 'date', 'moment', 'scalar', 'enum', 'constant']

export const NUMBERS: ReadonlySet<ValueKind> = new Set(ALL_NUMBERS)
export const MOMENTS: ReadonlySet<ValueKind> = new Set(['date', 'moment'])
/** What may be an element of an array, or be joined to a text. */
export const JOINABLE: ReadonlySet<ValueKind> = new Set(SINGLE)
export const COMPARABLE: ReadonlySet<ValueKind> = new Set([...SINGLE, 'jsonb', 'range', 'array', 'parameter'])
/** What XML writes as it is: it has no infinite dates, and takes XML for XML. */
export const IN_XML: ReadonlySet<ValueKind> = new Set(['text', ...ALL_NUMBERS, 'float', 'bool', 'scalar', 'enum', 'constant'])

const KINDS = new Map<number, ValueKind>([
  [OID.int2, 'int'], [OID.int4, 'int'], [OID.int8, 'bigint'], [OID.numeric, 'numeric'], [OID.float4, 'float'], [OID.float8, 'float'],
  [OID.bool, 'bool'], [OID.date, 'date'], [OID.timestamp, 'moment'], [OID.timestamptz, 'moment'], [OID.jsonb, 'jsonb'],
  ...[OID.time, OID.timetz, OID.interval, OID.uuid, OID.inet, OID.cidr, OID.macaddr, OID.bytea].map((oid) => [oid, 'scalar'] as const),
  // int4range, numrange, tsrange, tstzrange, daterange, int8range, and the multiranges of each.
  ...[3904, 3906, 3908, 3910, 3912, 3926, 4451, 4532, 4533, 4534, 4535, 4536].map((oid) => [oid, 'range'] as const),
])

/** The type below all domains, and what kind it is. */
export function kindOfType(type: number, resolver: Resolver | undefined): { readonly kind: ValueKind; readonly type: number } {
  const form = resolver?.typeForm(type)
  if (form?.kind === 'domain') return kindOfType(form.base, resolver)
  const kind = form?.kind ?? (isTextType(type) ? 'text' : ARRAY_ELEMENT.has(type) ? 'array' : (KINDS.get(type) ?? 'other'))
  return { kind, type }
}

/** The type of an array's elements; `undefined` where it is not known. */
export function elementType(type: number | undefined, resolver: Resolver | undefined): number | undefined {
  if (type === undefined) return undefined
  const form = resolver?.typeForm(type)
  return form?.kind === 'array' ? form.element : ARRAY_ELEMENT.get(type)
}

/** The type of a field of a composite type; `undefined` when it has none of that name. */
export function fieldType(type: number | undefined, field: string, resolver: Resolver | undefined): number | undefined {
  const form = type === undefined ? undefined : resolver?.typeForm(type)
  return form?.kind === 'row' ? form.relation.columns.find(({ name }) => name === field)?.type : undefined
}

export interface Typed {
  readonly kind: ValueKind
  readonly type?: number | undefined
  /** A constant, tried before the statement runs. */
  readonly written: boolean
}

/** Of several of these, each has to be of the same type. */
const OF_ONE_TYPE: ReadonlySet<ValueKind> = new Set(['moment', 'array', 'row', 'other'])
/** What a parameter of any type may stand beside. */
const BESIDE_PARAMETER: ReadonlySet<ValueKind> = new Set(['text', 'int', 'bool'])

/**
 * The kind of what comes out where any of these may (CASE, COALESCE, ARRAY, UNION): the server converts them to one type, unasked;
 * `undefined` when that fails for some values. A `date` may be none that a `timestamptz` can be, a `numeric` none that a `real` can.
 * Source: pg_cast of PostgreSQL 18, casts that are made implicitly.
 */
export function commonKind(parts: readonly Typed[]): ValueKind | undefined {
  const given = parts.filter(({ kind }) => kind !== 'constant')
  const kinds = [...new Set(given.map(({ kind }) => kind))]
  const [first = 'constant', second] = kinds
  if (second === undefined) return given.length < 2 || isOne(first, given) ? first : undefined
  if (kinds.every((kind) => NUMBERS.has(kind))) return 'number'
  if (kinds.every((kind) => NUMBERS.has(kind) || kind === 'float')) return given.some(({ kind, written }) => !written && (kind === 'numeric' || kind === 'number')) ? undefined : 'float'
  if (!kinds.includes('parameter') || kinds.length > 2) return undefined
  const [beside = 'other'] = kinds.filter((kind) => kind !== 'parameter')
  return given.filter(({ kind }) => kind === 'parameter').length === 1 && BESIDE_PARAMETER.has(beside) ? 'parameter' : undefined
}

function isOne(kind: ValueKind, given: readonly Typed[]): boolean {
  if (kind === 'parameter') return false
  const [first] = given
  return !OF_ONE_TYPE.has(kind) || (first?.type !== undefined && given.every(({ type }) => type === first.type))
}

/** What there are operators for, whatever the types of both sides. */
const COMPARED_AS_THEY_ARE: ReadonlySet<ValueKind> = new Set(['date', 'moment', 'array', 'enum', 'range', 'jsonb'])
/** What a parameter of some type has the server convert, where the two are compared. */
const CONVERTED: ReadonlySet<ValueKind> = new Set(['bigint', 'numeric', 'number', 'float', 'other'])

/** Whether these can be compared, two at a time, without a conversion that fails for some values. */
export function compareWell(parts: readonly Typed[]): boolean {
  if (commonKind(parts) !== undefined) return true
  const given = parts.filter(({ kind }) => kind !== 'constant' && kind !== 'parameter')
  if (given.length === 0) return false
  if (given.every(({ kind }) => MOMENTS.has(kind)) || given.every(({ kind }) => kind === given[0]?.kind && COMPARED_AS_THEY_ARE.has(kind))) return true
  const common = commonKind(given)
  if (given.length === parts.length) return given.every(({ kind }) => NUMBERS.has(kind) || kind === 'float')
  // Two parameters beside an integer may be any two numbers.
  return common !== undefined && common !== 'int' && !CONVERTED.has(common)
}

/** Never converted with failure, whatever is beside it. */
const SAFE: ReadonlySet<ValueKind> = new Set(['text', 'constant', 'int', 'json', 'jsonb', 'row', 'bool', 'scalar'])

/** Whether a conversion could fail where nobody knows which of these come out in one place. */
export function mayConvert(parts: readonly Typed[]): boolean {
  const unsafe = parts.filter(({ kind }) => !SAFE.has(kind))
  return unsafe.length > 1 && commonKind(unsafe) === undefined
}
