import type { CopyStmt, CreateTableAsStmt, DeclareCursorStmt, ExplainStmt, FetchStmt, Node, PrepareStmt, ViewStmt } from 'libpg-query'
import type { Effects, Place } from './analysis.ts'
import { argumentText, nodeType, stringsOf, type Tree } from './ast.ts'
import { renameOutputs } from './column-aliases.ts'
import { define } from './definition.ts'
import { expression } from './expression.ts'
import { follow, runViews } from './followers.ts'
import { fill, made, touchAll } from './from-clause.ts'
import { copyFormat } from './copy-options.ts'
import { runImplied } from './implied-code.ts'
import { COPY_FILE, DEFINITION, EXPLAIN_ANALYZE, VIEW, WHERE } from './place.ts'
import { lookUp, relationItem, starSources } from './relation-item.ts'
import { sessionStatement } from './session-statement.ts'
import { unknownColumn, type ScopeColumn, type ScopeItem } from './scope.ts'
import { NO_OUTPUTS, top, useOutputs, type Outputs, type Walk } from './walk.ts'

const CURSOR_OPT_HOLD = 0x20

/** Follows one statement of any kind; what it gives to the client is left in `found.outputs`. */
export function statement(node: Node, walk: Walk): void {
  walk.found.mayMake = 'CreateTableAsStmt' in node || ('SelectStmt' in node && node.SelectStmt.intoClause !== undefined)
  runImplied(node, walk)
  const outputs = run(node, walk)
  Object.assign(walk.found.effects, executedFor(node))
  walk.found.outputs = outputs.columns.map(({ sources, derived }) => ({ sources, derived }))
  walk.found.placed = outputs.ordered && !outputs.open
}

/** What EXPLAIN or CREATE TABLE AS takes from a prepared statement; `attach` brings the two together. */
function executedFor(node: Node): Pick<Effects, 'executes' | 'executesFor'> {
  const query = 'ExplainStmt' in node ? node.ExplainStmt.query : 'CreateTableAsStmt' in node ? node.CreateTableAsStmt.query : undefined
  if (query === undefined) return {}
  const made = 'ExplainStmt' in node ? (isAnalyze(node.ExplainStmt.options) ? 'report' : 'plan') : 'table'
  if ('ExecuteStmt' in query) return { executes: query.ExecuteStmt.name ?? '', executesFor: made }
  const inner = executedFor(query)
  return inner.executes === undefined ? {} : { ...inner, executesFor: made }
}

function run(node: Node, walk: Walk): Outputs {
  if ('SelectStmt' in node) {
    walk.found.act('read')
    const outputs = walk.query(node.SelectStmt, top(walk))
    return node.SelectStmt.intoClause === undefined ? outputs : NO_OUTPUTS
  }
  const written = walk.write(node, top(walk))
  if (written !== undefined) return written
  if ('PrepareStmt' in node) return prepare(node.PrepareStmt, walk)
  if ('DeclareCursorStmt' in node) return declare(node.DeclareCursorStmt, walk)
  if ('FetchStmt' in node) return fetch(node.FetchStmt, walk)
  if ('CopyStmt' in node) return copy(node.CopyStmt, walk)
  other(node, walk)
  return NO_OUTPUTS
}

function other(node: Node, walk: Walk): void {
  if ('ExplainStmt' in node) return explain(node.ExplainStmt, walk)
  if ('CreateTableAsStmt' in node) return createTableAs(node.CreateTableAsStmt, walk)
  if ('ViewStmt' in node) return createView(node.ViewStmt, walk)
  if (sessionStatement(node, walk)) return
  if (define(node, walk, (inner) => planned(inner, DEFINITION, walk))) return
  walk.found.act('unknown')
  walk.found.opaque(`${nodeType(node as unknown as Tree) ?? 'this statement'} is not understood`)
}

/** A statement inside another: what it would change about the session does not happen. */
function nested(node: Node | undefined, walk: Walk): Outputs {
  if (node === undefined) return NO_OUTPUTS
  const before = { ...walk.found.effects }
  const outputs = walk.budget.nested(() => run(node, walk))
  for (const key of Object.keys(walk.found.effects) as (keyof typeof before)[]) delete walk.found.effects[key]
  Object.assign(walk.found.effects, before)
  return outputs
}

/** A statement that is stored or planned, and not run now. */
function planned(node: Node | undefined, place: Place, walk: Walk): void {
  const before = walk.found.planning
  walk.found.planning = true
  useOutputs(nested(node, walk), place, walk)
  walk.found.planning = before
}

function prepare({ name = '', query }: PrepareStmt, walk: Walk): Outputs {
  walk.found.act('prepare')
  const outputs = nested(query, walk)
  walk.found.effects.prepares = name
  return outputs
}

function declare({ portalname = '', options = 0, query }: DeclareCursorStmt, walk: Walk): Outputs {
  const outputs = nested(query, walk)
  walk.found.effects.declares = { name: portalname, hold: (options & CURSOR_OPT_HOLD) !== 0 }
  return outputs
}

/** What a cursor gives is known only from its DECLARE; `attach` brings the two together. */
function fetch({ portalname = '', ismove }: FetchStmt, walk: Walk): Outputs {
  walk.found.act('read')
  walk.found.effects.fetches = portalname
  if (ismove !== true) walk.found.opaque(`cursor ${portalname} is not known`)
  return NO_OUTPUTS
}

function explain({ query, options }: ExplainStmt, walk: Walk): void {
  const { found } = walk
  found.act('explain')
  const before = { planning: found.planning, explaining: found.explaining }
  found.explaining = true
  if (isAnalyze(options)) useOutputs(nested(query, walk), EXPLAIN_ANALYZE, walk)
  else {
    found.planning = true
    nested(query, walk)
  }
  Object.assign(found, before)
}

function isAnalyze(options: readonly Node[] | undefined): boolean {
  return (options ?? []).some((node) => {
    if (!('DefElem' in node) || node.DefElem.defname !== 'analyze') return false
    const value = argumentText(node.DefElem.arg)
    return !(typeof value === 'string' && /^(false|off|0)$/i.test(value)) && !isZero(node.DefElem.arg)
  })
}

function isZero(node: Node | undefined): boolean {
  return node !== undefined && 'Integer' in node && (node.Integer.ival ?? 0) === 0
}

/** What a COPY to the client gives are columns like any others; what goes elsewhere is used. */
function copy(statement: CopyStmt, walk: Walk): Outputs {
  const { found } = walk
  found.act(statement.is_from === true ? 'copy-in' : 'copy-out')
  if (statement.is_program === true) {
    found.flag('programs')
    found.opaque('COPY runs a program on the server')
  } else if (statement.filename !== undefined) {
    found.flag('files')
    if (statement.is_from === true) found.untraced('COPY reads a file of the server')
  }
  const outputs = statement.query === undefined ? copyRelation(statement, walk) : nested(statement.query, walk)
  if (statement.is_from === true) return NO_OUTPUTS
  if (statement.is_program !== true && statement.filename === undefined) {
    found.copies = copyFormat(statement.options)
    return outputs
  }
  useOutputs(outputs, COPY_FILE, walk)
  return NO_OUTPUTS
}

function copyRelation({ relation = {}, attlist, is_from, whereClause }: CopyStmt, walk: Walk): Outputs {
  const named = lookUp(relation, walk.found.context)
  const columns = stringsOf(attlist)
  if (is_from === true) {
    touchAll(named, 'write', walk, columns.length > 0 ? columns : ['*'])
    runViews(named, walk)
    follow(named, 'insert', walk)
    expression(whereClause, { scope: { items: [relationItem(relation, named)], parent: undefined }, ctes: undefined }, WHERE, walk)
    return NO_OUTPUTS
  }
  touchAll(named, 'read', walk)
  runViews(named, walk)
  const item = relationItem(relation, named)
  const all = item.unknownTable === undefined ? stored(item, walk) : starSources(item).map((sources) => ({ name: '*', sources, derived: [] }))
  const given = columns.length === 0 ? all : columns.flatMap((name) => columnNamed(name, all, item.unknownTable))
  for (const { sources } of given) walk.found.name(sources)
  return { columns: given, ordered: item.ordered && (columns.length === 0 || given.length === columns.length), open: item.open && columns.length === 0 }
}

/** COPY leaves generated columns out, unless they are named: then the server refuses. */
function stored({ columns, relations: [relation] }: ScopeItem, { found }: Walk): readonly ScopeColumn[] {
  if (relation?.made !== undefined) return columns
  return columns.filter(({ name, sources: [source] }) => source?.relation === undefined || found.context.resolver?.isGenerated(source.relation, name) !== true)
}

function columnNamed(name: string, all: readonly ScopeColumn[], unknownTable: string | undefined): readonly ScopeColumn[] {
  if (unknownTable !== undefined) return [{ name, sources: [unknownColumn(unknownTable, name)], derived: [] }]
  return all.filter((column) => column.name === name)
}

function createTableAs({ query, into, if_not_exists }: CreateTableAsStmt, walk: Walk): void {
  const { found } = walk
  const mayMake = found.mayMake
  found.mayMake = false
  found.act('create')
  if (into?.rel !== undefined) made(into.rel, walk)
  const outputs = nested(query, walk)
  found.mayMake = mayMake
  fill(into?.rel, renameOutputs(outputs, stringsOf(into?.colNames)), if_not_exists === true, walk)
  found.effects.redefines = { code: false, creates: into?.rel?.relname ?? '' }
}

function createView({ view = {}, query }: ViewStmt, walk: Walk): void {
  walk.found.act('create')
  walk.found.effects.redefines = { code: true, creates: '' }
  made(view, walk)
  planned(query, VIEW, walk)
}
