import { ANY, BOOLEAN, NUMBER, STRING, STRINGS, listOf, objectOf, type Type } from './type.ts'

/** What an argument must be. `regex-or-string`: as `$contains` takes it. `function`: a lambda, or a function bound before. */
export type Parameter = 'string' | 'number' | 'boolean' | 'scalar' | 'list' | 'strings' | 'numbers' | 'map' | 'any' | 'regex' | 'regex-or-string' | 'string-or-function' | 'function'

export interface Signature {
  readonly required: readonly Parameter[]
  readonly optional?: readonly Parameter[]
  /** From the types of the arguments. */
  readonly returns: (types: readonly Type[]) => Type
  /** May yield no value. */
  readonly maybe?: true
}

const same = (types: readonly Type[]) => types[0] ?? ANY
const element = (types: readonly Type[]) => (types[0]?.kind === 'list' ? types[0].of : ANY)
const fixed = (type: Type) => () => type
const MATCHES = listOf(objectOf({ match: STRING, index: NUMBER, groups: listOf(ANY) }))

/**
 * The functions a rule may use: JSONata's, without those that evaluate text, grow without bound, or depend on anything but
 * the input. All arguments are written out; JSONata's "the context when left out" is refused.
 * Source: docs.jsonata.org, function library.
 */
export const FUNCTIONS: ReadonlyMap<string, Signature> = new Map<string, Signature>(Object.entries({
  not: { required: ['boolean'], returns: fixed(BOOLEAN) },
  exists: { required: ['any'], returns: fixed(BOOLEAN) },
  count: { required: ['list'], returns: fixed(NUMBER) },
  string: { required: ['scalar'], returns: fixed(STRING) },
  length: { required: ['string'], returns: fixed(NUMBER) },
  lowercase: { required: ['string'], returns: fixed(STRING) },
  uppercase: { required: ['string'], returns: fixed(STRING) },
  trim: { required: ['string'], returns: fixed(STRING) },
  substring: { required: ['string', 'number'], optional: ['number'], returns: fixed(STRING) },
  substringBefore: { required: ['string', 'string'], returns: fixed(STRING) },
  substringAfter: { required: ['string', 'string'], returns: fixed(STRING) },
  contains: { required: ['string', 'regex-or-string'], returns: fixed(BOOLEAN) },
  split: { required: ['string', 'regex-or-string'], optional: ['number'], returns: fixed(STRINGS) },
  join: { required: ['strings'], optional: ['string'], returns: fixed(STRING) },
  match: { required: ['string', 'regex'], optional: ['number'], returns: fixed(MATCHES) },
  replace: { required: ['string', 'regex-or-string', 'string-or-function'], optional: ['number'], returns: fixed(STRING) },
  base64encode: { required: ['string'], returns: fixed(STRING) },
  base64decode: { required: ['string'], returns: fixed(STRING) },
  number: { required: ['scalar'], returns: fixed(NUMBER) },
  abs: { required: ['number'], returns: fixed(NUMBER) },
  floor: { required: ['number'], returns: fixed(NUMBER) },
  ceil: { required: ['number'], returns: fixed(NUMBER) },
  round: { required: ['number'], optional: ['number'], returns: fixed(NUMBER) },
  sum: { required: ['numbers'], returns: fixed(NUMBER) },
  max: { required: ['numbers'], returns: fixed(NUMBER), maybe: true },
  min: { required: ['numbers'], returns: fixed(NUMBER), maybe: true },
  average: { required: ['numbers'], returns: fixed(NUMBER), maybe: true },
  toMillis: { required: ['string'], returns: fixed(NUMBER), maybe: true },
  fromMillis: { required: ['number'], returns: fixed(STRING) },
  append: { required: ['list', 'list'], returns: same },
  distinct: { required: ['list'], returns: same },
  reverse: { required: ['list'], returns: same },
  sort: { required: ['list'], optional: ['function'], returns: same },
  map: { required: ['list', 'function'], returns: fixed(listOf(ANY)) },
  filter: { required: ['list', 'function'], returns: same },
  single: { required: ['list', 'function'], returns: element, maybe: true },
  reduce: { required: ['list', 'function'], optional: ['any'], returns: fixed(ANY), maybe: true },
  keys: { required: ['map'], returns: fixed(STRINGS) },
  lookup: { required: ['map', 'string'], returns: (types) => (types[0]?.kind === 'object' ? types[0].rest ?? ANY : ANY), maybe: true },
} satisfies Record<string, Signature>))

/** Functions of JSONata that are refused, each with what to do instead. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map(Object.entries({
  eval: 'it runs text as code; write the expression itself',
  pad: 'it can grow without bound; compare the text as it is',
  random: 'a rule must give the same answer for the same input',
  shuffle: 'a rule must give the same answer for the same input',
  now: 'read time.iso instead',
  millis: 'read time.epoch instead',
  boolean: 'it turns text and lists into true or false silently; compare with what you mean, as in x != ""',
  spread: 'name the fields you need',
  each: 'use $keys and $lookup',
  sift: 'use $keys and $lookup',
  zip: 'use $map',
  merge: 'write the object out',
  clone: 'values cannot be changed, so a copy is never needed',
  error: 'vote "block" with a reason',
  assert: 'vote "block" with a reason',
  type: 'the type of every field is declared',
  power: 'write the multiplication out',
  sqrt: 'compare the squares',
  formatNumber: 'use $string',
  formatBase: 'use $string',
  formatInteger: 'use $string',
  parseInteger: 'use $number',
  encodeUrlComponent: 'it is not available in rules',
  decodeUrlComponent: 'it is not available in rules',
  encodeUrl: 'it is not available in rules',
  decodeUrl: 'it is not available in rules',
}))
