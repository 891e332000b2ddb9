/**
 * What an expression can yield. `any` is a value whose type is only known when it is read (a bound value, a look-up in an
 * open map); it is checked at run time. `nothing` is JSONata's "no value", which only a vote may be.
 */
export type Type =
  | { readonly kind: 'string'; readonly oneOf?: readonly string[] }
  | { readonly kind: 'number' | 'boolean' | 'null' | 'any' | 'nothing' | 'function' | 'regex' }
  | ListType
  | ObjectType

export interface ListType { readonly kind: 'list'; readonly of: Type }
/** `rest`: the type of fields that are not listed, when any name is allowed. */
export interface ObjectType { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Type>; readonly rest?: Type }

export const STRING: Type = { kind: 'string' }
export const NUMBER: Type = { kind: 'number' }
export const BOOLEAN: Type = { kind: 'boolean' }
export const NULL: Type = { kind: 'null' }
export const ANY: Type = { kind: 'any' }
export const NOTHING: Type = { kind: 'nothing' }
export const STRINGS: ListType = { kind: 'list', of: STRING }

export function oneOf(...values: string[]): Type {
  return { kind: 'string', oneOf: values }
}
export function listOf(of: Type): ListType {
  return { kind: 'list', of }
}
export function objectOf(fields: Readonly<Record<string, Type>>, rest?: Type): ObjectType {
  const known = new Map(Object.entries(fields))
  return rest === undefined ? { kind: 'object', fields: known } : { kind: 'object', fields: known, rest }
}

/** The type of a value that is the one or the other. */
export function join(left: Type, right: Type): Type {
  if (left.kind === 'nothing') return right
  if (right.kind === 'nothing') return left
  if (left.kind !== right.kind) return ANY
  if (left.kind === 'list' && right.kind === 'list') return listOf(join(left.of, right.of))
  if (left.kind === 'string') return STRING
  if (left.kind === 'object' && left !== right) return objectOf({}, ANY)
  return left
}

export function isScalar(type: Type): boolean {
  return type.kind === 'string' || type.kind === 'number' || type.kind === 'boolean' || type.kind === 'null'
}

/** For messages: `a list of text`. */
export function describe(type: Type): string {
  switch (type.kind) {
    case 'string': return 'text'
    case 'number': return 'a number'
    case 'boolean': return 'true or false'
    case 'null': return 'null'
    case 'list': return `a list of ${describe(type.of).replace(/^an? /, '')}s`.replace('texts', 'text').replace('falses', 'false').replace('values', 'values')
    case 'object': return 'an object'
    case 'function': return 'a function'
    case 'regex': return 'a regular expression'
    case 'nothing': return 'no value'
    case 'any': return 'a value'
    default: return type satisfies never
  }
}
