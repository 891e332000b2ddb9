import { ARRAY_ELEMENT, isTextType, OID } from '../mask/type-oids.ts'
import type { Resolver } from './resolver.ts'

/**
 * What kind of value an expression gives, as far as it matters to whether working with it can fail. `int` holds what an
 * `integer` does, `number` is an integer or a `numeric`; `moment` a day and a time of it; `scalar` any other built-in type
 * that can be compared; `json` was made by the statement itself, so that, unlike a column of that type, it holds nothing
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
  ...[OID.time, OID.timetz, OID.interval, OID.uuid, OID.inet, OID.cidr, OID.macaddr, OID.macaddr8, OID.bytea, OID.oid].map((oid) => [oid, 'scalar'] as const),
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
