import type { Entity } from '../../shared/detection/index.ts'

/** What a column can hold, as far as its values can tell. */
export const CLASS_OF_ENTITY: Readonly<Record<Entity, string>> = {
  'card-number': 'pii.card-number', iban: 'pii.iban', 'us-ssn': 'pii.ssn', email: 'pii.email', phone: 'pii.phone', 'ip-address': 'pii.ip-address',
  jwt: 'secret.token', 'private-key': 'secret.key', 'cloud-key': 'secret.key',
}
export const PASSWORD_CLASS = 'secret.password'

/** Classes that values would show: a name alone is doubted when none of them does. */
export const VERIFIABLE: ReadonlySet<string> = new Set(['pii.card-number', 'pii.iban', 'pii.ssn', 'pii.email', 'pii.ip-address'])

/** What types come down to here. */
export type TypeKind = 'text' | 'number' | 'date' | 'timestamp' | 'inet' | 'boolean' | 'json' | 'bytes' | 'point' | 'other'

const KINDS: ReadonlyMap<string, TypeKind> = new Map([
  ...['text', 'varchar', 'bpchar', 'name', 'citext', 'xml', 'hstore'].map((type) => [type, 'text'] as const),
  ...['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money'].map((type) => [type, 'number'] as const),
  ...['json', 'jsonb'].map((type) => [type, 'json'] as const),
  ...['timestamp', 'timestamptz'].map((type) => [type, 'timestamp'] as const),
  ...['inet', 'cidr'].map((type) => [type, 'inet'] as const),
  ...['point', 'geometry', 'geography'].map((type) => [type, 'point'] as const),
  ['date', 'date'], ['bool', 'boolean'], ['bytea', 'bytes'],
])

export function kindOfType(type: string): TypeKind {
  return KINDS.get(type) ?? 'other'
}

/** Which kinds of type a class can have; text where nothing is said. */
const FITS: ReadonlyMap<string, readonly TypeKind[]> = new Map<string, readonly TypeKind[]>([
  ['pii.email', ['text', 'json']], ['pii.phone', ['text', 'number', 'json']], ['pii.ssn', ['text', 'number']], ['pii.national-id', ['text', 'number']],
  ['pii.birth-date', ['date', 'timestamp', 'text', 'number']], ['pii.card-number', ['text', 'number']], ['pii.card-verification', ['text', 'number']],
  ['pii.card-expiry', ['text', 'date', 'timestamp', 'number']], ['pii.bank-account', ['text', 'number']], ['pii.salary', ['number', 'text']],
  ['pii.postal-code', ['text', 'number']], ['pii.address', ['text', 'json']], ['pii.location', ['number', 'point']], ['pii.ip-address', ['inet', 'text']],
  ['pii.gender', ['text', 'other']], ['pii.sensitive', ['text', 'json', 'other']], ['pii.health', ['text', 'json', 'other']],
  ['secret.password', ['text', 'bytes']], ['secret.token', ['text', 'bytes', 'json', 'other']], ['secret.key', ['text', 'bytes', 'json']],
])
const TEXT_ONLY: readonly TypeKind[] = ['text']

export function fitsType(dataClass: string, kind: TypeKind): boolean {
  return (FITS.get(dataClass) ?? TEXT_ONLY).includes(kind)
}
