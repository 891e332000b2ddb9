import { check, demand, ExpressionProblem, pathOf, positionOf, type Scope, type Tree } from './check.ts'
import type { Expression, Presence } from './expression.ts'
import { nearest } from './nearest.ts'
import { describe, listOf, type ObjectType, type Type } from './type.ts'

/**
 * A location path. Each step takes the value before it: a field of it, or of each of its elements when it is a list; or
 * an expression in whose inside `$` is that value, or each element in turn.
 */
export function checkPath(steps: readonly Tree[], scope: Scope): Expression {
  const [first, ...rest] = steps
  if (first === undefined) throw new ExpressionProblem(0, 'an empty path')
  let current = checkStep(first, undefined, scope)
  for (const step of rest) current = checkStep(step, current, scope)
  return current
}

function checkStep(step: Tree, before: Expression | undefined, scope: Scope): Expression {
  const at = positionOf(step)
  if (step.tuple !== undefined || step.focus !== undefined) throw new ExpressionProblem(at, '`@`, `#` and `%` are not available in rules')
  if (step.keepArray === true) throw new ExpressionProblem(at, '`[]` is not needed: a list stays a list in rules; remove it')
  const { stages = [], ...bareStep } = step
  const mapped = before !== undefined && elementOf(before.type) !== undefined
  const result = before === undefined
    ? check(bareStep as Tree, scope)
    : step.type === 'name' ? checkField(before, String(step.value), at) : mapStep(before, bareStep as Tree, scope)
  return checkPredicates(result, stages, scope, mapped)
}

/** `of.name`. */
export function checkField(of: Expression, name: string, at: number): Expression {
  const element = elementOf(of.type)
  const holder = element ?? of.type
  if (holder.kind === 'any') throw new ExpressionProblem(at, `it is not known what "${name}" would be a field of; only declared fields can be read`)
  if (holder.kind !== 'object') throw new ExpressionProblem(at, `"${name}" cannot be read: ${of.path === undefined || of.path === '' ? 'this' : of.path} is ${describe(of.type)}`)
  const type = fieldType(holder, name, of.path, at)
  const open = !holder.fields.has(name)
  const path = of.path === undefined ? undefined : of.path === '' ? name : `${of.path}.${name}`
  const result: Type = element === undefined || type.kind === 'list' ? type : listOf(type)
  // What is read through was demanded, so it is there; only the field itself may be missing, or nothing be selected.
  const presence: Presence = element !== undefined ? 'empty' : open ? 'maybe' : 'always'
  return { op: 'field', of: element === undefined ? demandIfMaybe(of) : demand(of, 'list'), name, type: result, presence, at, ...pathOf(path) }
}

/** Reading on through a value that may be missing would give a value that may be missing; say so at once. */
function demandIfMaybe(of: Expression): Expression {
  return of.presence === 'maybe' ? demand(of, 'value') : of
}

function fieldType(holder: ObjectType, name: string, path: string | undefined, at: number): Type {
  const type = holder.fields.get(name) ?? holder.rest
  if (type !== undefined) return type
  const prefix = path === undefined || path === '' ? '' : `${path}.`
  const near = nearest(name, holder.fields.keys())
  const known = [...holder.fields.keys()]
  const instead = near === undefined
    ? known.length === 0 ? 'there is nothing to read there' : `there are ${known.slice(0, 30).map((each) => prefix + each).join(', ')}`
    : `write ${prefix}${quoted(near)}`
  throw new ExpressionProblem(at, `there is no ${prefix}${name}; ${instead}`)
}

function quoted(name: string): string {
  return /^\w+$/.test(name) ? name : `\`${name}\``
}

function mapStep(of: Expression, step: Tree, scope: Scope): Expression {
  if (step.type === 'unary' && step.value === '[') throw new ExpressionProblem(positionOf(step), 'a list of lists is not available in rules')
  const element = elementOf(of.type)
  const source = element === undefined ? demandIfMaybe(of) : demand(of, 'list')
  const body = check(step, { ...scope, context: element ?? of.type, path: of.path })
  const inner = scope.vote ? body : demand(body, 'value')
  const type = element === undefined || inner.type.kind === 'list' ? inner.type : listOf(inner.type)
  const presence = element === undefined ? inner.presence : 'empty'
  return { op: 'map', of: source, body: inner, type, presence, at: positionOf(step) }
}

/** `[ … ]` after an expression: a condition selects elements, a number takes one. */
export function checkPredicates(of: Expression, predicates: readonly Tree[], scope: Scope, mapped = false): Expression {
  return predicates.reduce<Expression>((before, { expr }) => {
    if (expr === undefined) throw new ExpressionProblem(of.at, '`#` is not available in rules')
    return checkPredicate(before, expr, scope, mapped)
  }, of)
}

function checkPredicate(of: Expression, tree: Tree, scope: Scope, mapped: boolean): Expression {
  const at = positionOf(tree)
  const element = elementOf(of.type)
  if (element === undefined) throw new ExpressionProblem(at, `[ … ] selects from a list; this is ${describe(of.type)}`)
  const test = check(tree, { ...scope, context: element, path: of.path, vote: false })
  if (test.type.kind === 'number') return index(of, test, element, mapped, at)
  if (test.type.kind === 'any') throw new ExpressionProblem(at, 'inside [ … ] stands a condition or a number; it is not known which this is')
  return { op: 'filter', of: demand(of, 'list'), test: demand(test, 'boolean'), type: of.type, presence: 'empty', at, ...pathOf(of.path) }
}

function index(of: Expression, position: Expression, element: Type, mapped: boolean, at: number): Expression {
  if (mapped) throw new ExpressionProblem(at, 'an index after a list of lists takes one of each; write (…)[…] with the path in parentheses')
  if (position.op !== 'literal') throw new ExpressionProblem(at, 'an index is a number written out; [-1] is the last')
  return { op: 'index', of: demand(of, 'list'), index: position, type: element, presence: 'maybe', at, ...pathOf(of.path) }
}

function elementOf(type: Type): Type | undefined {
  return type.kind === 'list' ? type.of : undefined
}
