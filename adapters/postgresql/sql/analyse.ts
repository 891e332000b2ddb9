import { deepFreeze, redefinitionBy, unsettledBy, type Analysis, type Statement } from './analysis.ts'
import { attached, LocalNames } from './attach.ts'
import { Collector, type AnalysisContext } from './collector.ts'
import { combine } from './combine.ts'
import { AnalysisLimit, Budget } from './limit.ts'
import { GRAMMAR_MAJOR, parse, type ParsedStatement, type ParseResult } from './load.ts'
import { query } from './query.ts'
import { codeReader } from './routine.ts'
import { statement } from './statement.ts'
import type { Env, Walk } from './walk.ts'
import { definesTemporaryOnly, temporariesAfter } from './temporary-table.ts'
import { write } from './write.ts'

/**
 * Says what a text would do, by PostgreSQL's own grammar and the target's catalogue. Pure and synchronous;
 * the result is deeply frozen and may be kept as long as the catalogue and the context are the same.
 * Never throws on account of the text: what it cannot follow is `opaque`, and says why.
 */
export function analyse(text: string, context: AnalysisContext): Analysis {
  const parsed = parse(text)
  if (parsed.kind !== 'parsed') return unparsed(parsed, text, context)
  if (context.standardStrings === undefined && 'standardStrings' in context && text.includes('\\')) {
    return blind('whether a backslash in a string is an escape is not certain', text, context, '')
  }
  if (context.standardStrings === false && text.includes('\\')) return blind('a backslash in a string is an escape here', text, context, '')
  const analysis = combined(statements(parsed.statements, context))
  return deepFreeze(readsLiterals(text, context) ? { ...analysis, literals: true } : analysis)
}

/** A constant can decide how the text around it is read: an escape that ends a string later, the sign of U&"" names. */
function readsLiterals(text: string, context: AnalysisContext): boolean {
  const plainStrings = !('standardStrings' in context) || context.standardStrings === true
  return !plainStrings || /\buescape\b/i.test(text)
}

function unparsed(parsed: Exclude<ParseResult, { kind: 'parsed' }>, text: string, context: AnalysisContext): Analysis {
  if (parsed.kind === 'refused') return blind(parsed.reason, text, context, '')
  return blind(`${parsed.message} (by the grammar of PostgreSQL ${GRAMMAR_MAJOR})`, text, context, parsed.message)
}

/**
 * A text nobody read. When the server has the same grammar and refuses it too, it cannot run. That is believed only
 * of plain texts: comments, backslashes and other characters are where two lexers may disagree.
 */
function blind(reason: string, text: string, context: AnalysisContext, syntaxError: string): Analysis {
  const found = new Collector(context)
  found.act('unknown')
  found.opaque(reason)
  const only = found.finish(0, Buffer.byteLength(text), '')
  const plain = syntaxError.startsWith('syntax error') && /^[\t\n\r\x20-\x7e]*$/.test(text) && !/--|\/\*|\\/.test(text)
  return deepFreeze({ ...combine([only], []), syntaxError, cannotRun: plain && context.resolver?.serverMajor === GRAMMAR_MAJOR })
}

interface Analysed {
  readonly statement: Statement
  readonly unknown: readonly string[]
}

function combined(parts: readonly Analysed[]): Analysis {
  return combine(parts.map(({ statement: part }) => part), [...new Set(parts.flatMap(({ unknown }) => unknown))])
}

/** Statements of one text run one after the other: what one changes, the next ones see. */
function statements(parsed: readonly ParsedStatement[], start: AnalysisContext): Analysed[] {
  const names = new LocalNames()
  let context = start
  return parsed.map((part) => {
    const alone = one(part, context)
    const analysed = { ...alone, statement: attached(alone.statement, names) }
    names.observe(analysed.statement)
    context = after(analysed.statement, context)
    return analysed
  })
}

function after(statement: Statement, context: AnalysisContext): AnalysisContext {
  if (context.temporaries !== undefined && definesTemporaryOnly(statement)) return { ...context, temporaries: temporariesAfter(statement.effects, context.temporaries) }
  const moved = mayMoveNames(statement) ? { ...context, searchPath: undefined, temporaries: undefined } : context
  const redefines = redefinitionBy(statement)
  return redefines === undefined ? moved : { ...moved, unsettled: unsettledBy(redefines, moved.unsettled) }
}

/** Whether an unqualified name may mean something else afterwards. */
function mayMoveNames({ fidelity, effects, actions, lineage }: Statement): boolean {
  if (fidelity === 'opaque' || lineage.untraced !== '') return true
  if (actions.some((action) => action === 'create' || action === 'alter' || action === 'drop')) return true
  if (effects.transaction !== undefined) return !['begin', 'savepoint', 'release'].includes(effects.transaction.kind)
  return effects.settings.some(({ name }) => /^(\*|search_path|role|session_authorization)$/.test(name))
}

/** These run nothing that could have been redefined. */
const DEFINES_ONLY = new Set(['CreateStmt', 'CreateFunctionStmt', 'CreateTrigStmt', 'ViewStmt', 'RuleStmt', 'CreatePolicyStmt', 'CommentStmt', 'GrantStmt', 'DropStmt', 'RenameStmt'])

function one({ node, start, end }: ParsedStatement, context: AnalysisContext): Analysed {
  const found = new Collector(context)
  const kind = Object.keys(node)[0] ?? ''
  try {
    statement(node, walker(found, new Budget()))
    if (found.isUnsettled && !DEFINES_ONLY.has(kind)) found.opaque('its transaction has changed functions, triggers, views or the like, which cannot be read before it ends')
  } catch (error) {
    if (!(error instanceof AnalysisLimit) && !(error instanceof RangeError)) throw error
    found.planning = false
    found.act('unknown')
    found.opaque(error instanceof AnalysisLimit ? error.message : 'the statement is nested too deeply to follow')
  }
  return { statement: found.finish(start, end, kind), unknown: [...found.unknown] }
}

/** `calls` are the routines whose bodies are being walked, the innermost last. */
function walker(found: Collector, budget: Budget, calls: readonly string[] = []): Walk {
  const walk: Walk = {
    found,
    budget,
    subqueries: new WeakMap(),
    ...codeReader(found, calls, walker),
    query: (select, env: Env) => query(select, env, walk),
    write: (node, env: Env) => write(node, env, walk),
    probe: () => walker(new Collector(found.context, found), budget, calls),
  }
  return walk
}
