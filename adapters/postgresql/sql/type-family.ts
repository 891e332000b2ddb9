/**
 * Types that stand for each other without a conversion that could fail. The server converts unasked where several expressions come
 * out in one place (CASE, COALESCE, ARRAY, UNION), or are compared: a `date` to `timestamptz`, a `bigint` to `oid`, a `numeric` to
 * `float8`. Each of these fails for some values, and what chooses the value chooses whether it does.
 * Source: pg_cast of PostgreSQL 18, casts that are made implicitly.
 */
import { isTextType, OID } from '../mask/type-oids.ts'

/**
 * `integer` is made into any number, `number` (bigint, numeric) into those of its kind only. `constant` is read as whatever the others
 * are, before the statement runs; `parameter` is of a type that the client chose, `unknown` of one that is not known here. Any other
 * type is a family of its own.
 */
export type TypeFamily = string

const FAMILIES: ReadonlyMap<number, TypeFamily> = new Map([
  [OID.int2, 'integer'], [OID.int4, 'integer'], [OID.int8, 'number'], [OID.numeric, 'number'], [OID.json, 'json'], [OID.jsonb, 'json'], [OID.xml, 'json'],
])

export function familyOf(type: number): TypeFamily {
  return isTextType(type) ? 'text' : FAMILIES.get(type) ?? String(type)
}

export const BOOLEAN: TypeFamily = familyOf(OID.bool)

/** Two of these may be of different types. */
const ONE_AT_MOST: ReadonlySet<TypeFamily> = new Set(['parameter', 'unknown'])
/** What is never converted with failure, whatever the type of a parameter beside it. */
const BESIDE_PARAMETER: ReadonlyMap<TypeFamily, TypeFamily> = new Map([['text', 'text'], ['integer', 'parameter'], [BOOLEAN, BOOLEAN]])
const NUMBERS: ReadonlySet<TypeFamily> = new Set(['integer', 'number'])
const MOMENTS: ReadonlySet<TypeFamily> = new Set([OID.date, OID.timestamp, OID.timestamptz].map(familyOf))

/** The family of what comes out where any of these may; `undefined` when a conversion could fail. */
export function commonFamily(families: readonly TypeFamily[]): TypeFamily | undefined {
  const given = families.filter((family) => family !== 'constant')
  const [first = 'constant', second, ...more] = new Set(given)
  if (second === undefined) return ONE_AT_MOST.has(first) && given.length > 1 ? undefined : first
  if (more.length > 0) return undefined
  if (NUMBERS.has(first) && NUMBERS.has(second)) return 'number'
  const beside = first === 'parameter' ? second : second === 'parameter' ? first : undefined
  return beside === undefined || given.filter((family) => family === 'parameter').length > 1 ? undefined : BESIDE_PARAMETER.get(beside)
}

/** What a parameter of some type makes the server convert, where the two are compared: to a real, to an oid, to a shorter address. */
const CONVERTED: ReadonlySet<TypeFamily> = new Set(['number', 'unknown', familyOf(OID.oid), familyOf(OID.macaddr8)])

/** Whether values can be compared, two at a time, without a conversion that could fail: there are operators for moments of different types. */
export function comparesWell(families: readonly TypeFamily[]): boolean {
  if (commonFamily(families) !== undefined) return true
  const given = families.filter((family) => family !== 'constant' && family !== 'parameter')
  if (given.length === 0) return false
  if (given.every((family) => MOMENTS.has(family))) return true
  const common = commonFamily(given)
  // Two parameters beside an integer may be any two numbers.
  return common !== undefined && common !== 'integer' && !CONVERTED.has(common)
}

/** Never converted with failure, whatever is beside it. */
const SAFE: ReadonlySet<TypeFamily> = new Set(['text', 'constant', 'integer', 'json', 'row', BOOLEAN])

/** Whether a conversion could fail where nobody knows which of these come out in one place. */
export function mayConvert(families: readonly TypeFamily[]): boolean {
  const unsafe = families.filter((family) => !SAFE.has(family))
  return new Set(unsafe).size > 1 || (unsafe.length > 1 && unsafe.some((family) => ONE_AT_MOST.has(family)))
}

const ARRAY = '[]'

export function arrayFamily(element: TypeFamily): TypeFamily {
  return element + ARRAY
}

export function elementFamily(array: TypeFamily): TypeFamily {
  return array.endsWith(ARRAY) ? array.slice(0, -ARRAY.length) : 'unknown'
}
