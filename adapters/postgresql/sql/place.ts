import type { Place } from './analysis.ts'

const place = (kind: Place['kind'], how: string): Place => Object.freeze({ how, kind })

/** The places where a statement uses columns, and what that can give away. */
export const OUTPUT = place('output', 'an expression')
export const WHOLE_ROW = place('output', 'a whole-row reference')
export const RISKY = place('risky-output', 'an expression that may fail for some values')
export const VALUES = place('output', 'a VALUES list')
export const EQUALITY = place('equality', 'WHERE')
export const WHERE = place('predicate', 'WHERE')
export const HAVING = place('predicate', 'HAVING')
export const WINDOW = place('predicate', 'a window')
export const GROUP_BY = place('predicate', 'GROUP BY')
export const ORDER_BY = place('predicate', 'ORDER BY')
export const DISTINCT = place('predicate', 'DISTINCT')
export const LIMIT = place('predicate', 'LIMIT')
export const OFFSET = place('predicate', 'OFFSET')
export const SET_OPERATION = place('predicate', 'a set operation')
export const SEARCH_OR_CYCLE = place('predicate', 'a SEARCH or CYCLE clause')
export const JOIN = place('predicate', 'a JOIN condition')
export const TABLESAMPLE = place('predicate', 'TABLESAMPLE')
/** A function that stands in FROM: what it gives are columns. Its arguments decide how many rows there are. */
export const FROM_CALL = place('output', 'a function in FROM')
export const FROM_FUNCTION = place('predicate', 'an argument of a function')
export const FROM_TABLE_FUNCTION = place('predicate', 'an argument of a table function')
export const ON_CONFLICT = place('predicate', 'ON CONFLICT')
export const MERGE_CONDITION = place('predicate', 'a MERGE condition')
export const MERGE_ACTION = place('flow', 'a MERGE action')
export const SET = place('flow', 'a SET expression')
export const INSERT_COLUMN = place('flow', 'an INSERT column')
export const COPIED = place('flow', 'a copy into another table')
export const COPY_FILE = place('flow', 'COPY')
export const EXPLAIN_ANALYZE = place('flow', 'EXPLAIN ANALYZE')
export const DEFINITION = place('flow', 'a definition')
export const VIEW = place('flow', 'a view')
export const FOREIGN_KEY = place('flow', 'a foreign key')
export const BLOCK = place('flow', 'a DO block')
export const RULE = place('flow', 'a rewrite rule')
/** A trigger, a default, a check: what it reads goes where it likes. */
export const HIDDEN = place('flow', 'what follows by itself')
export const PARAMETER = place('flow', 'a parameter')

/** An argument of something that does more than compute: what it is given may come out anywhere. */
export function handedTo(name: string): Place {
  return place('flow', `an argument of ${name}()`)
}

/** What the body of a function reads: it comes out where the function is called, if that is `outermost` among the outputs. */
export function bodyOf(name: string, outermost: boolean): Place {
  return place(outermost ? 'body' : 'flow', `function ${name}()`)
}

/** What code uses that nobody named. */
export function implied(name: string): Place {
  return place('flow', name)
}

/** What a sub-select gives, where it stands. */
export function subselect({ kind }: Place): Place {
  return place(kind, 'a subquery')
}

/** A whole row, where it stands. */
export function wholeRow({ kind }: Place): Place {
  return place(kind, 'a whole-row reference')
}
