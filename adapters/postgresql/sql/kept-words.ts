/**
 * Words in string constants that say what a function does with its other arguments. The shape of a text keeps them
 * (`shape.ts`), so what is found out by them holds for every text of the shape. As they are mostly written: in lower case
 * or in capitals.
 */
const written = (...words: readonly string[]): ReadonlySet<string> => new Set(words.flatMap((word) => [word, word.toUpperCase()]))

const DAY_FIELDS = ['day', 'dow', 'doy', 'isodow', 'week', 'month', 'quarter', 'year', 'isoyear', 'decade', 'century', 'millennium', 'epoch']

/** Of EXTRACT. */
export const FIELD_OF_DATE = written(...DAY_FIELDS)
export const FIELD_OF_MOMENT = written(...DAY_FIELDS, 'hour', 'minute', 'second', 'milliseconds', 'microseconds')
/** Of `date_trunc`. */
export const UNIT = written('second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'millennium')
/** Of `encode`, and the one that every text can be written in. */
export const ENCODING = written('hex', 'base64', 'escape', 'utf8')
export const TIME_ZONE = written('utc', 'gmt')

export const KEPT_WORDS: ReadonlySet<string> = new Set([...FIELD_OF_MOMENT, ...UNIT, ...ENCODING, ...TIME_ZONE])
