import jsonata from 'jsonata'
import { compile } from './expression/compile.ts'
import { checkExpression, ExpressionProblem } from './expression/check.ts'
import type { Expression } from './expression/expression.ts'
import { readsOf } from './expression/reads.ts'
import type { ObjectType } from './expression/type.ts'
import { readVotes } from './vote.ts'

/** One rule, read and checked. */
export interface Rule {
  /** The file's name without `.jsonata`. */
  readonly id: string
  readonly source: string
  /** The doc comment it opens with, without its stars. */
  readonly doc: string
  readonly expression: Expression
  /** Input paths it reads. */
  readonly reads: ReadonlySet<string>
  /** Answers at once; absent when it needs JSONata itself. May throw `TooMuchWork`, and whatever makes the rule fail. */
  readonly compiled: ((root: unknown) => unknown) | undefined
}

export interface SourceProblem { readonly line: number; readonly message: string }

const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*\.jsonata$/

/** Reads one rule file; says what is wrong, in which line, and what to write instead. */
export function readRule(file: string, source: string, input: ObjectType): { rule: Rule } | { problem: SourceProblem } {
  if (!FILE_NAME.test(file)) return problem(1, `name the file in kebab-case, as in block-drop.jsonata: its name is the rule's id`)
  const doc = docComment(source)
  if (doc === undefined) return problem(1, 'a rule opens with a comment that says what it is for: /* … */')
  try {
    const expression = checkExpression(parse(source), input)
    refuseNoVote(expression)
    const rule = { id: file.slice(0, -'.jsonata'.length), source, doc, expression, reads: readsOf(expression), compiled: compile(expression) }
    return { rule }
  } catch (error) {
    return { problem: problemOf(error, source) }
  }
}

function problem(line: number, message: string): { problem: SourceProblem } {
  return { problem: { line, message } }
}

function docComment(source: string): string | undefined {
  const text = /^\s*\/\*([\s\S]*?)\*\//.exec(source)?.[1]
  const doc = text?.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd()).join('\n').trim()
  return doc === undefined || doc === '' ? undefined : doc
}

function parse(source: string): unknown {
  return jsonata(source).ast()
}

function problemOf(error: unknown, source: string): SourceProblem {
  if (error instanceof ExpressionProblem) return { line: lineOf(source, error.at), message: error.message }
  if (error instanceof RangeError) return { line: 1, message: 'nested too deep; split the rule' }
  const { position, message, code } = error as { position?: unknown; message?: unknown; code?: unknown }
  const at = typeof position === 'number' ? position : source.length
  return { line: lineOf(source, at), message: typeof code === 'string' ? `not JSONata: ${String(message)}` : `cannot be read: ${String(message)}` }
}

/** 1-based line of an offset. JSONata's positions are the end of a token. */
function lineOf(source: string, offset: number): number {
  return source.slice(0, Math.max(0, offset - 1)).split('\n').length
}

/** Finds votes that are wrong however the rule is evaluated: in each place that is the rule's result. */
function refuseNoVote(expression: Expression): void {
  if (expression.type.kind === 'nothing') throw new ExpressionProblem(expression.at, 'the rule never votes; it gives { "effect": …, "reason": … } for what it is about')
  for (const result of resultsOf(expression)) refuseWrongVote(result)
}

function resultsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'condition': return [expression.then, ...expression.otherwise === undefined ? [] : [expression.otherwise]].flatMap(resultsOf)
    case 'block': return expression.body.slice(-1).flatMap(resultsOf)
    case 'list': return expression.items.flatMap(resultsOf)
    case 'map': return resultsOf(expression.body)
    case 'demand': return resultsOf(expression.operand)
    default: return [expression]
  }
}

function refuseWrongVote(result: Expression): void {
  const { kind } = result.type
  if (kind === 'nothing' || kind === 'any') return
  const value = result.op === 'object' ? constantObject(result, true) : undefined
  if (value === undefined && (kind === 'object' || kind === 'list')) return
  const votes = readVotes(value ?? PLACEHOLDERS[kind] ?? null)
  if (typeof votes === 'string') throw new ExpressionProblem(placeOf(result), votes)
}

const PLACEHOLDERS: Readonly<Record<string, unknown>> = { string: '…', number: 0, boolean: true }

function placeOf(result: Expression): number {
  return result.op === 'object' ? (result.entries[0]?.[0].at ?? result.at) : result.at
}

/**
 * The value where it is written out. Where it is computed, something of its kind if `standIn` says that will do, and
 * else `undefined`: then it is judged when the rule runs.
 */
function constant(expression: Expression, standIn: boolean): unknown {
  switch (expression.op) {
    case 'literal': return expression.value
    case 'object': return constantObject(expression, false)
    case 'list': return constants(expression.items, standIn)
    case 'demand': return constant(expression.operand, standIn)
    default: return standIn ? STAND_INS[expression.type.kind] : undefined
  }
}

const STAND_INS: Readonly<Record<string, unknown>> = { string: 'computed', number: 1 }

function constantObject({ entries }: Expression & { op: 'object' }, standIns: boolean): unknown {
  const made: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    const name = key.op === 'literal' ? String(key.value) : ''
    const known = constant(value, standIns && name !== 'effect')
    if (known === undefined) return undefined
    made[name] = known
  }
  return made
}

function constants(items: readonly Expression[], standIn: boolean): unknown {
  const values = items.map((each) => constant(each, standIn))
  return values.includes(undefined) ? undefined : values
}
