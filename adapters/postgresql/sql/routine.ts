/** Code that a statement runs without showing it: the bodies of functions and DO blocks, the queries of views. */
import type { CreateFunctionStmt, Node } from 'libpg-query'
import { stringOf, stringsOf } from './ast.ts'
import { Collector, type AnalysisContext } from './collector.ts'
import { expression } from './expression.ts'
import { runType } from './implied-code.ts'
import { AnalysisLimit, Budget } from './limit.ts'
import { parse } from './load.ts'
import { plpgsqlBody } from './plpgsql.ts'
import { BLOCK, OUTPUT, RULE } from './place.ts'
import type { FunctionEntry, Relation, Resolver } from './resolver.ts'
import { settingChange } from './session-statement.ts'
import { putsTemporaryFirst } from './temporary-table.ts'
import { statement } from './statement.ts'
import { TOP, type Walk } from './walk.ts'

/** Bodies that run each other are followed this deep. */
const MAX_DEPTH = 16
/** Readings that are kept with one catalogue; each function has one per search path it was called under. */
const MAX_KEPT = 10_000

/** Makes the walk of a body; `calls` are the routines around it, the innermost last. */
export type MakeWalk = (found: Collector, budget: Budget, calls: readonly string[]) => Walk

/** What `Walk` offers about code. `calls` are the routines that are being read, by name. */
export function codeReader(found: Collector, calls: readonly string[], make: MakeWalk): Pick<Walk, 'routine' | 'implied' | 'trigger' | 'policies' | 'block' | 'view' | 'rule'> {
  const reading = (): Reading => ({ context: { ...found.context, triggered: undefined }, calls, make })
  return {
    routine: (entry, place) => {
      // What calls itself does again what it does.
      if (calls.at(-1) === keyOf(entry)) found.repeats = true
      if (place === undefined) found.absorbHidden(readRoutine(entry, reading()))
      else found.absorb(readRoutine(entry, reading()), place)
    },
    implied: (entry) => {
      // What is being read already counts where that began.
      if (!calls.includes(keyOf(entry))) found.absorbImplied(readRoutine(entry, reading()), `function ${entry.name}()`)
    },
    trigger: (entry, relation) => {
      const own = reading()
      found.absorbTrigger(readRoutine(entry, { ...own, context: { ...own.context, triggered: relation } }), relation)
    },
    policies: (relation) => {
      const code = readPolicies(relation, reading())
      if (code !== undefined) found.absorbImplied(code, `row security of ${relation.name}`)
    },
    block: (code, language) => found.absorb(readBlock(code, language, reading()), BLOCK),
    view: (relation) => found.absorb(readView(relation, reading())),
    rule: (relation, definition) => runRule(found, relation, readRule(relation, definition, reading())),
  }
}

interface Reading {
  readonly context: AnalysisContext
  readonly calls: readonly string[]
  readonly make: MakeWalk
}

const kept = new WeakMap<Resolver, Map<string, Collector>>()

/** A reading is the same for everybody who calls it under the same catalogue and path. */
function once(key: string, { context }: Reading, read: () => Collector): Collector {
  const { resolver, searchPath, standardStrings, unsettled, temporaries, triggered } = context
  if (resolver === undefined || (temporaries?.size ?? 0) > 0) return read()
  let readings = kept.get(resolver)
  if (readings === undefined) kept.set(resolver, (readings = new Map()))
  const place = JSON.stringify([key, searchPath ?? null, standardStrings ?? null, unsettled?.code ?? null, triggered?.oid ?? null, [...(unsettled?.created ?? [])], 'standardStrings' in context])
  const known = readings.get(place)
  if (known !== undefined) return known
  const found = read()
  if (readings.size >= MAX_KEPT) readings.clear()
  readings.set(place, found)
  return found
}

function readRoutine(entry: FunctionEntry, reading: Reading): Collector {
  const name = `function ${entry.name}()`
  const key = keyOf(entry)
  if (reading.calls.at(-1) === key) return new Collector(reading.context)
  if (reading.context.unsettled?.code === true) return unread(name, 'its body may have been changed in this transaction', reading)
  if (reading.calls.includes(key) || reading.calls.length >= MAX_DEPTH) return unread(name, 'it is called in a circle, or too deep, to be followed', reading)
  return once(key, reading, () => body(entry, name, { ...reading, calls: [...reading.calls, key] }))
}

const keyOf = ({ oid }: FunctionEntry): string => `function ${oid}`

function unread(name: string, reason: string, { context }: Reading): Collector {
  const found = new Collector(context)
  found.act('call')
  found.opaque(`${name}: ${reason}`)
  return found
}

function body(entry: FunctionEntry, name: string, reading: Reading): Collector {
  const parsed = parse(entry.definition)
  const create = parsed.kind === 'parsed' ? parsed.statements[0]?.node : undefined
  if (create === undefined || !('CreateFunctionStmt' in create)) return unread(name, 'its body cannot be parsed', reading)
  const context = contextOf(entry, create.CreateFunctionStmt, reading.context)
  if ((context.temporaries?.size ?? 0) > 0 && !putsTemporaryFirst(context.searchPath)) return unread(name, 'which of the temporary tables of this transaction its names stand for cannot be told', reading)
  const inner = { ...reading, context }
  const found = follow(name, inner, (walk) => {
    walk.found.givesSet = givesSet(create.CreateFunctionStmt)
    defaults(create.CreateFunctionStmt, walk)
    return entry.language === 'plpgsql' ? plpgsql(entry.definition, asText(create.CreateFunctionStmt.options) ?? '', name, walk) : sql(create.CreateFunctionStmt, name, walk)
  })
  found.runsEarly = mayRunEarly(entry, found)
  return found
}

/** A plan holds what a function gives that is not volatile, and the body of one in SQL as if it were written there. */
function mayRunEarly({ volatility, language }: FunctionEntry, { onlyReads, runsEarly }: Collector): boolean {
  return volatility === 'volatile' ? language === 'sql' && runsEarly : !onlyReads
}

function givesSet({ returnType, parameters }: CreateFunctionStmt): boolean {
  return returnType?.setof === true || (parameters ?? []).some((parameter) => 'FunctionParameter' in parameter && parameter.FunctionParameter.mode === 'FUNC_PARAM_TABLE')
}

/** Walks statements one after the other; whatever it cannot, it says. */
function follow(name: string, { context, calls, make }: Reading, statementsOf: (walk: Walk) => readonly Node[]): Collector {
  const found = new Collector(context)
  const budget = new Budget()
  const walk = make(found, budget, calls)
  try {
    for (const node of statementsOf(walk)) {
      statement(node, walk)
      for (const { sources, derived } of found.outputs) found.use([...sources, ...derived], OUTPUT)
      if (found.movesNames) found.context = { ...context, searchPath: undefined, temporaries: undefined, unsettled: { code: true, created: new Set() } }
    }
  } catch (error) {
    if (!(error instanceof AnalysisLimit) && !(error instanceof RangeError)) throw error
    found.opaque(`${name}: its body is too large to follow`)
  }
  if (found.repeats && found.changesRows) found.flag('unbounded')
  if (found.leavesEffects) found.opaque(`${name}: it changes the session`)
  return found
}

/** Names in a body mean what they mean where it is called, unless it sets the path itself. */
function contextOf(entry: FunctionEntry, { options }: CreateFunctionStmt, outer: AnalysisContext): AnalysisContext {
  for (const option of options ?? []) {
    if (!('DefElem' in option) || option.DefElem.defname !== 'set') continue
    const { arg } = option.DefElem
    if (arg === undefined || !('VariableSetStmt' in arg)) continue
    const { name, value } = settingChange(arg.VariableSetStmt)
    if (name === 'search_path') return { ...outer, searchPath: typeof value === 'string' || value.includes('$user') ? undefined : value.filter((schema) => schema !== '') }
  }
  // `$user` in the caller's path would be the owner in there.
  return entry.securityDefiner ? { ...outer, searchPath: undefined } : outer
}

/** Defaults of arguments that a call leaves out. */
function defaults({ parameters }: CreateFunctionStmt, walk: Walk): void {
  for (const parameter of parameters ?? []) {
    if ('FunctionParameter' in parameter) expression(parameter.FunctionParameter.defexpr, TOP, OUTPUT, walk)
  }
}

function plpgsql(definition: string, code: string, name: string, walk: Walk): readonly Node[] {
  const { found } = walk
  const { statements, types, opaque, loops, untraced } = plpgsqlBody(definition, code)
  for (const type of new Set(types)) runType(type, walk)
  if (loops) found.repeats = true
  if (opaque !== '') found.opaque(`${name}: ${opaque}`)
  if (untraced !== '') found.untraced(`${name}: ${untraced}`)
  escapes(code, name, found)
  return statements
}

function sql({ options, sql_body }: CreateFunctionStmt, name: string, { found }: Walk): readonly Node[] {
  if (sql_body !== undefined) return atomic(sql_body)
  const text = asText(options)
  const parsed = text === undefined ? undefined : parse(text)
  escapes(text ?? '', name, found)
  if (parsed?.kind === 'parsed') return parsed.statements.map(({ node }) => node)
  found.opaque(`${name}: its body cannot be parsed`)
  return []
}

/** `RETURN …` or `BEGIN ATOMIC … END`: lists of statements inside lists. */
function atomic(body: Node): readonly Node[] {
  if ('List' in body) return (body.List.items ?? []).flatMap(atomic)
  if (!('ReturnStmt' in body)) return [body]
  const { returnval } = body.ReturnStmt
  return returnval === undefined ? [] : [{ SelectStmt: { targetList: [{ ResTarget: { val: returnval } }] } }]
}

function asText(options: readonly Node[] | undefined): string | undefined {
  for (const option of options ?? []) {
    if (!('DefElem' in option) || option.DefElem.defname !== 'as' || option.DefElem.arg === undefined) continue
    const { arg } = option.DefElem
    return 'List' in arg ? stringsOf(arg.List.items)[0] : stringOf(arg)
  }
  return undefined
}

/** Strings in a body are read when it runs, by the session's setting. */
function escapes(text: string, name: string, found: Collector): void {
  const { context } = found
  if ('standardStrings' in context && context.standardStrings !== true && text.includes('\\')) found.opaque(`${name}: a backslash in it may be an escape`)
}

function readBlock(code: string, language: string, reading: Reading): Collector {
  const name = 'a DO block'
  if (language !== 'plpgsql') return unread(name, `it is written in ${language}`, reading)
  const definition = `CREATE FUNCTION block() RETURNS void LANGUAGE plpgsql AS '${code.replaceAll("'", "''")}'`
  return follow(name, { ...reading, calls: [...reading.calls, name] }, (walk) => plpgsql(definition, code, name, walk))
}

/** The functions that a view's query calls run when it is read, and so on through views of views. */
function readView(relation: Relation, reading: Reading): Collector {
  const key = `view ${relation.oid}`
  const name = `the view ${relation.name}`
  const context = { ...reading.context, searchPath: [], temporaries: undefined }
  const inner = { ...reading, context, calls: [...reading.calls, key] }
  if (reading.calls.includes(key) || reading.calls.length >= MAX_DEPTH) return unread(name, 'it is read in a circle, or too deep, to be followed', reading)
  return once(key, { ...reading, context }, () => follow(name, inner, (walk) => query(relation, name, walk)))
}

/** What a rule runs beside a write of rows, or in its place. `NEW` and `OLD` are rows of the write. */
function readRule({ name: relation }: Relation, definition: string, reading: Reading): Collector {
  const key = `rule ${definition}`
  const name = `a rule of ${relation}`
  const context = { ...reading.context, searchPath: [] }
  const inner = { ...reading, context, calls: [...reading.calls, key] }
  if (reading.calls.includes(key) || reading.calls.length >= MAX_DEPTH) return unread(name, 'it runs in a circle, or too deep, to be followed', reading)
  return once(key, { ...reading, context }, () => follow(name, inner, (walk) => actions(definition, name, walk)))
}

function actions(definition: string, name: string, walk: Walk): readonly Node[] {
  const parsed = parse(definition)
  const rule = parsed.kind === 'parsed' ? parsed.statements[0]?.node : undefined
  if (rule === undefined || !('RuleStmt' in rule)) {
    walk.found.opaque(`${name}: it cannot be parsed`)
    return []
  }
  expression(rule.RuleStmt.whereClause, TOP, OUTPUT, walk)
  const { actions: nodes = [] } = rule.RuleStmt
  if (nodes.some((node) => 'SelectStmt' in node)) walk.found.flag('returning')
  return nodes
}

/**
 * The rows of the write go wherever the rule puts them, and what it reads decides what becomes of them. A SELECT in it, or
 * its RETURNING, gives the client rows of its own. No count of the rows tells how many are changed.
 */
function runRule(found: Collector, relation: Relation, rule: Collector): void {
  found.absorb(rule, RULE)
  found.touch(relation, relation.name, 'write')
  found.use([{ relation, table: `${relation.schema}.${relation.name}`, column: '*', attnum: 0 }], RULE)
  found.flag('uncountable')
  if (rule.givesRows) found.untraced('a rule gives rows of its own')
}

/** The conditions of row security, which whoever reads or writes the rows runs. */
function readPolicies(relation: Relation, reading: Reading): Collector | undefined {
  const conditions = reading.context.resolver?.policies(relation) ?? []
  const key = `policies ${relation.oid}`
  if (conditions.length === 0 || reading.calls.includes(key)) return undefined
  const context = { ...reading.context, searchPath: [] }
  const name = `row security of ${relation.name}`
  const inner = { ...reading, context, calls: [...reading.calls, key] }
  return once(key, inner, () => follow(name, inner, (walk) => conditions.flatMap((condition) => conditional(condition, relation, name, walk))))
}

function conditional(condition: string, { schema, name }: Relation, label: string, { found }: Walk): readonly Node[] {
  const [inSchema, table] = [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`)
  const parsed = parse(`SELECT 1 FROM ${inSchema}.${table} WHERE ${condition}`)
  if (parsed.kind === 'parsed') return parsed.statements.map(({ node }) => node)
  found.opaque(`${label}: it cannot be parsed`)
  return []
}

function query({ oid }: Relation, name: string, { found }: Walk): readonly Node[] {
  const parsed = parse(found.context.resolver?.definition(oid) ?? '')
  if (parsed.kind === 'parsed') return parsed.statements.map(({ node }) => node)
  found.opaque(`${name}: its query cannot be parsed`)
  return []
}
