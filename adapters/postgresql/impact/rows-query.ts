import { isDeepStrictEqual } from 'node:util'
import type { Node, RangeVar, SelectStmt } from 'libpg-query'
import { parse } from '../sql/load.ts'

/** A query for the rows that a statement would change. */
export interface RowsQuery {
  /** The query with this select list: one whole statement. */
  text(columns: string): string
  /** The select list of everything in a row of the target. */
  readonly all: string
  /** A row of the target may come several times, for it is joined. */
  readonly repeats: boolean
  /** Not all of these rows need to change. */
  readonly atMost: boolean
  /** How the target is called in it, quoted; empty when its rows are not yet there. */
  readonly row: string
}

/** What a query has to be, but for its select list. */
export interface Expected {
  readonly withClause: SelectStmt['withClause']
  readonly fromClause: readonly Node[]
  readonly whereClause: Node | undefined
}

/**
 * Whether a text is one SELECT with exactly these parts, and nothing else, to PostgreSQL's own grammar. What was cut out of
 * a statement's text means what it meant there only if this says so: comments, quotes and brackets cannot hide from it.
 */
export function isExactly(text: string, expected: Expected): boolean {
  const parsed = parse(text)
  const [only, ...others] = parsed.kind === 'parsed' ? parsed.statements : []
  if (only === undefined || others.length > 0 || !('SelectStmt' in only.node)) return false
  const { withClause, fromClause, whereClause, ...rest } = only.node.SelectStmt
  if (Object.keys(rest).some((key) => !PLAIN.has(key)) || rest.op !== 'SETOP_NONE') return false
  return isDeepStrictEqual(unplaced({ withClause, fromClause: fromClause ?? [], whereClause }), unplaced(expected))
}

/** Whether a text is one statement, the same as this but for what it returns. */
export function isSameWithReturning(text: string, node: Node): boolean {
  const parsed = parse(text)
  const [only, ...others] = parsed.kind === 'parsed' ? parsed.statements : []
  return only !== undefined && others.length === 0 && isDeepStrictEqual(unplaced(withoutReturning(only.node)), unplaced(withoutReturning(node)))
}

/** Of the statement itself: a RETURNING further in stays. */
function withoutReturning(node: Node): unknown {
  return Object.entries(node).map(([type, parts]) => [type, { ...parts as object, returningClause: undefined }])
}

const PLAIN = new Set(['targetList', 'limitOption', 'op'])

/** Where something stands in its text does not matter. */
const PLACES = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end'])

function unplaced(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (PLACES.has(key) ? undefined : value)))
}

export function quoted(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** How the columns of a table in FROM are qualified. */
export function rowName({ alias, relname = '' }: RangeVar): string {
  return quoted(alias?.aliasname ?? relname)
}
