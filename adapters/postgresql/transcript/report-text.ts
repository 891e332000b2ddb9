import { display, widthOf } from './display.ts'

/** Fields of an ErrorResponse or NoticeResponse by their codes. Source: PostgreSQL, "Error and Notice Message Fields". */
export type ReportFields = ReadonlyMap<string, string>

/** Columns of a statement's line that are shown around the place of an error. */
const EXCERPT_COLUMNS = 60

/**
 * An error or notice as psql shows it (VERBOSITY default, SHOW_CONTEXT errors): severity and message, the line that it is
 * about, DETAIL, HINT, QUERY, CONTEXT.
 * @param statement - what was asked, if known
 */
export function reportText(fields: ReportFields, statement: string | undefined): string[] {
  const severity = fields.get('S') ?? fields.get('V') ?? 'ERROR'
  const failed = ['ERROR', 'FATAL', 'PANIC'].includes(fields.get('V') ?? severity)
  const position = Number(fields.get('P') ?? '0')
  return [
    `${severity}:  ${fields.get('M') ?? ''}`,
    ...(statement === undefined || position === 0 ? [] : excerpt(statement, position)),
    ...labelled('DETAIL', fields.get('D')),
    ...labelled('HINT', fields.get('H')),
    ...labelled('QUERY', fields.get('q')),
    ...(failed ? labelled('CONTEXT', fields.get('W')) : []),
  ].map(display)
}

function labelled(label: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${label}:  ${text}`]
}

/** `LINE 2: …` and a caret under the character at `position`, which counts characters from 1. */
function excerpt(statement: string, position: number): string[] {
  const before = Array.from(statement).slice(0, position - 1).join('')
  if (!Number.isInteger(position) || position < 1 || before.length >= statement.length) return []
  const start = before.lastIndexOf('\n') + 1
  const [line = ''] = statement.slice(start).split('\n', 1)
  const column = before.length - start
  const from = line.length <= EXCERPT_COLUMNS ? 0 : Math.max(0, Math.min(column - EXCERPT_COLUMNS / 2, line.length - EXCERPT_COLUMNS))
  const label = `LINE ${before.split('\n').length}: ${from > 0 ? '...' : ''}`
  const shown = (text: string): string => display(text.replaceAll('\t', ' '))
  const rest = line.length > from + EXCERPT_COLUMNS ? '...' : ''
  return [
    `${label}${shown(line.slice(from, from + EXCERPT_COLUMNS))}${rest}`,
    `${' '.repeat(label.length + widthOf(shown(line.slice(from, column))))}^`,
  ]
}
