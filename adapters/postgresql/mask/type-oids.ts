/** Object ids of built-in types, the same in every server. Source: PostgreSQL, src/include/catalog/pg_type.dat. */
export const OID = {
  bool: 16, bytea: 17, char: 18, name: 19, int8: 20, int2: 21, int4: 23, text: 25, oid: 26, json: 114, xml: 142,
  cidr: 650, float4: 700, float8: 701, macaddr8: 774, money: 790, macaddr: 829, inet: 869, bpchar: 1042, varchar: 1043,
  date: 1082, time: 1083, timestamp: 1114, timestamptz: 1184, interval: 1186, timetz: 1266, bit: 1560, varbit: 1562,
  numeric: 1700, uuid: 2950, pg_lsn: 3220, tsvector: 3614, tsquery: 3615, jsonb: 3802,
} as const
export type KnownType = keyof typeof OID

/** Array type → its element type, both by object id. */
export const ARRAY_ELEMENT: ReadonlyMap<number, number> = new Map([
  [143, OID.xml], [199, OID.json], [651, OID.cidr], [775, OID.macaddr8], [791, OID.money], [1000, OID.bool],
  [1001, OID.bytea], [1002, OID.char], [1003, OID.name], [1005, OID.int2], [1007, OID.int4], [1009, OID.text],
  [1014, OID.bpchar], [1015, OID.varchar], [1016, OID.int8], [1021, OID.float4], [1022, OID.float8], [1028, OID.oid],
  [1040, OID.macaddr], [1041, OID.inet], [1115, OID.timestamp], [1182, OID.date], [1183, OID.time], [1185, OID.timestamptz],
  [1187, OID.interval], [1231, OID.numeric], [1270, OID.timetz], [1561, OID.bit], [1563, OID.varbit], [2951, OID.uuid],
  [3221, OID.pg_lsn], [3643, OID.tsvector], [3645, OID.tsquery], [3807, OID.jsonb],
])

const TEXT_TYPES: ReadonlySet<number> = new Set([OID.text, OID.varchar, OID.bpchar, OID.name, OID.char])

/** Types whose text and binary formats are both the characters themselves, in the client's encoding. */
export function isTextType(type: number): boolean {
  return TEXT_TYPES.has(type)
}

/** Most characters a value may have: n of `varchar(n)` and `char(n)`, 1 of `"char"`, 63 of `name`. */
export function maxCharacters(type: number, typmod: number): number {
  if (type === OID.char) return 1
  if (type === OID.name) return 63
  return (type === OID.varchar || type === OID.bpchar) && typmod >= 4 ? typmod - 4 : Infinity
}
