/**
 * Words in string constants that say what a function does with its other arguments. The shape of a text keeps them
 * (`shape.ts`), so what is found out by them holds for every text of the shape. In lower case, as they are mostly written.
 */
const DAY_FIELDS = ['day', 'dow', 'doy', 'isodow', 'week', 'month', 'quarter', 'year', 'isoyear', 'decade', 'century', 'millennium', 'epoch']
const TIME_FIELDS = ['hour', 'minute', 'second', 'milliseconds', 'microseconds']

/** Of EXTRACT. */
export const FIELD_OF_DATE: ReadonlySet<string> = new Set(DAY_FIELDS)
export const FIELD_OF_MOMENT: ReadonlySet<string> = new Set([...DAY_FIELDS, ...TIME_FIELDS])
/** Of `date_trunc`. */
export const UNIT: ReadonlySet<string> = new Set(['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'millennium'])
/** Of `encode`, and the one that every text can be written in. */
export const ENCODING: ReadonlySet<string> = new Set(['hex', 'base64', 'escape', 'utf8', 'UTF8'])

export const KEPT_WORDS: ReadonlySet<string> = new Set([...FIELD_OF_MOMENT, ...UNIT, ...ENCODING])
