import { deepFreeze, weightiest, type Analysis, type Lineage, type Statement } from './analysis.ts'
import { COPIED, EXPLAIN_ANALYZE } from './place.ts'
import { combine, mergeFacts } from './combine.ts'

/** Where the bodies of named things are looked up: a session, or the text they stand in. */
export interface NamedStatements {
  /** The PREPARE (or protocol-level statement) of that name. */
  prepared(name: string): Statement | undefined
  /** The DECLARE (or portal) of that name. */
  cursor(name: string): Statement | undefined
}

/** Names made within one text. */
export class LocalNames implements NamedStatements {
  readonly #prepared = new Map<string, Statement>()
  readonly #cursors = new Map<string, Statement>()

  prepared(name: string): Statement | undefined {
    return this.#prepared.get(name)
  }

  cursor(name: string): Statement | undefined {
    return this.#cursors.get(name)
  }

  observe(statement: Statement): void {
    const { prepares, declares, deallocates, closes, discards } = statement.effects
    if (prepares !== undefined) this.#prepared.set(prepares, statement)
    if (declares !== undefined) this.#cursors.set(declares.name, statement)
    forget(this.#prepared, discards === 'all' ? { name: undefined } : deallocates)
    forget(this.#cursors, discards === 'all' ? { name: undefined } : closes)
  }
}

/** Takes one name out, or all of them. */
export function forget(names: Map<string, Statement>, gone: { readonly name: string | undefined } | undefined): void {
  if (gone === undefined) return
  if (gone.name === undefined) names.clear()
  else names.delete(gone.name)
}

/**
 * Gives EXECUTE and FETCH the facts and the lineage of what they name. Names that are not known stay opaque.
 * Returns the analysis itself when it names nothing; else a new one, frozen.
 */
export function attach(analysis: Analysis, names: NamedStatements): Analysis {
  const { statements } = analysis
  const joined = statements.map((statement) => attached(statement, names))
  if (joined.every((statement, index) => statement === statements[index])) return analysis
  return deepFreeze({ ...combine(joined, analysis.unknown), syntaxError: analysis.syntaxError, cannotRun: analysis.cannotRun })
}

export function attached(statement: Statement, names: NamedStatements): Statement {
  const { executes, executesFor, fetches } = statement.effects
  if (executes !== undefined) {
    const body = names.prepared(executes)
    return body === undefined ? statement : joined(statement, executesFor === undefined ? body : enclosed(body, executesFor), `prepared statement ${executes} is not known`, body?.lineage)
  }
  if (fetches === undefined) return statement
  const body = names.cursor(fetches)
  if (body === undefined) return statement
  return statement.lineage.untraced === '' ? movedThrough(statement, body) : joined(statement, body, `cursor ${fetches} is not known`)
}

/** MOVE computes the rows that it passes over, and gives none of them. */
function movedThrough(statement: Statement, { lineage }: Statement): Statement {
  return deepFreeze({ ...statement, lineage: { ...joinLineage(statement.lineage, lineage, ''), outputs: [], placed: true } })
}

function joined(statement: Statement, body: Statement, reason: string, made?: Lineage): Statement {
  if (!statement.opaque.split('; ').includes(reason)) return statement
  const opaque = join(without(statement.opaque, reason), body.opaque)
  const own = { ...statement, actions: statement.actions.filter((action) => action !== 'unknown') }
  const actions = [...new Set([...own.actions, ...body.actions.filter((action) => action !== 'prepare')])]
  const { effects, sql } = statement
  return deepFreeze({
    ...statement,
    actions,
    action: weightiest(actions),
    resources: [...body.resources, ...statement.resources],
    fidelity: opaque === '' ? 'parsed' : 'opaque',
    opaque,
    effects: { ...effects, settings: [...body.effects.settings, ...effects.settings] },
    sql: { ...mergeFacts([body, own]), statements: 1, countable: false, catalogOnly: body.sql.catalogOnly && (sql.catalogOnly || sql.tables.length === 0) },
    lineage: joinLineage(statement.lineage, body.lineage, reason),
    ...(statement.makes === undefined || made === undefined ? {} : { makes: { ...statement.makes, columns: made.outputs, placed: made.placed } }),
  })
}

/** A plan tells more of values than the statement would, and writes nothing; what a new table is filled with does not come out. */
function enclosed(body: Statement, within: 'plan' | 'report' | 'table'): Statement {
  const { lineage, sql, resources } = body
  const given = within === 'plan' ? [] : lineage.outputs.flatMap(({ sources, derived }) => [...sources, ...derived])
  const place = within === 'table' ? COPIED : EXPLAIN_ANALYZE
  const uses = lineage.uses.map((use) => (within !== 'table' && use.kind !== 'output' ? { ...use, kind: 'flow' as const } : use))
  const filled: Lineage = { ...lineage, outputs: [], uses: [...uses, ...given.map((source) => ({ source, ...place, forOutput: false }))] }
  if (within !== 'plan' || body.runsEarly === true) return { ...body, lineage: filled }
  return {
    ...body,
    actions: [],
    lineage: filled,
    resources: resources.map((resource) => ({ ...resource, access: 'read' })),
    sql: { ...sql, reads: [...new Set([...sql.reads, ...sql.writes])], writes: [], unbounded: false, returning: false },
  }
}

function without(reasons: string, reason: string): string {
  return reasons.split('; ').filter((part) => part !== reason).join('; ')
}

function join(...reasons: readonly string[]): string {
  return [...new Set(reasons.filter((reason) => reason !== ''))].join('; ')
}

function joinLineage(own: Lineage, body: Lineage, reason: string): Lineage {
  return {
    outputs: body.outputs,
    placed: body.placed,
    uses: [...body.uses, ...own.uses],
    relations: [...body.relations, ...own.relations],
    unresolved: [...body.unresolved, ...own.unresolved],
    untraced: join(without(own.untraced, reason), body.untraced),
  }
}
