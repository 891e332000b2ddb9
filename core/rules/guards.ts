import { bare, type Expression } from './expression/expression.ts'
import type { Rule } from './rule.ts'

/** A rule has nothing to say, and cannot fail, unless the value at `path` is (or its list holds) one of `values`. */
export interface Guard {
  readonly path: string
  readonly values: readonly string[]
}

/** Paths that are not whole, or change with each execution: no index is kept by them. */
const NO_GUARD = /^(time|session\.commands|command\.(text|values))(\.|$)/

/**
 * Guards of a rule of the form `… and PATH = "literal" and … ? vote`. Only conditions that nothing before them can make
 * fail count: skipping the rule must never hide a failure, because a failure blocks.
 */
export function guardsOf(rule: Rule): readonly Guard[] {
  const { expression } = rule
  if (expression.op !== 'condition' || expression.otherwise !== undefined) return []
  const guards: Guard[] = []
  for (const term of conjuncts(expression.test)) {
    const guard = guardOf(term)
    if (guard !== undefined) guards.push(guard)
    if (!isTotal(term)) break
  }
  return guards
}

export function conjuncts(expression: Expression): readonly Expression[] {
  const inner = bare(expression)
  if (inner.op === 'binary' && inner.operator === 'and') return [...conjuncts(inner.left), ...conjuncts(inner.right)]
  return [expression]
}

function guardOf(term: Expression): Guard | undefined {
  if (term.op !== 'binary') return undefined
  if (term.operator === '=') return literalGuard(term.left, term.right) ?? literalGuard(term.right, term.left)
  if (term.operator === 'in') return literalGuard(term.right, term.left) ?? listGuard(term.left, term.right)
  return term.operator === 'or' ? either(guardOf(term.left), guardOf(term.right)) : undefined
}

function literalGuard(field: Expression, value: Expression): Guard | undefined {
  if (value.op !== 'literal' || typeof value.value !== 'string') return undefined
  const path = isPlainField(field) ? field.path : selectedPath(field)
  return path === undefined ? undefined : { path, values: [value.value] }
}

/** The path of `command.resources.name`, or of `command.resources[access = "write"].name`: what a list's elements say. */
function selectedPath(expression: Expression): string | undefined {
  const field = bare(expression)
  if (field.op !== 'field' || field.path === undefined || NO_GUARD.test(field.path)) return undefined
  const list = bare(field.of)
  const source = list.op === 'filter' ? bare(list.of) : list
  return isPlainField(source) && isTotal(expression) ? field.path : undefined
}

function listGuard(field: Expression, list: Expression): Guard | undefined {
  if (list.op !== 'list' || !isPlainField(field)) return undefined
  const values = list.items.map((each) => (each.op === 'literal' && typeof each.value === 'string' ? each.value : undefined))
  return values.every((each) => each !== undefined) ? { path: field.path, values } : undefined
}

function either(left: Guard | undefined, right: Guard | undefined): Guard | undefined {
  return left !== undefined && right !== undefined && left.path === right.path ? { path: left.path, values: [...left.values, ...right.values] } : undefined
}

/** A field of the input that is always there, whole, reached through objects alone. */
function isPlainField(field: Expression): field is Expression & { op: 'field'; path: string } {
  if (field.op !== 'field' || field.path === undefined || field.presence !== 'always' || NO_GUARD.test(field.path)) return false
  return field.of.op === 'context' || field.of.op === 'root' ? field.of.path === '' : isPlainField(field.of)
}

/** A field of an element of the input; the input's shape was checked before any rule was asked. */
function isElementField(field: Expression): boolean {
  return field.op === 'field' && field.presence === 'always' && field.of.op === 'context' && field.of.path !== undefined && field.of.path !== ''
}

/** Whether an expression yields a value for every input: it cannot make the rule fail. */
function isTotal(expression: Expression): boolean {
  switch (expression.op) {
    case 'literal': return true
    case 'field': return isPlainField(expression) || isElementField(expression) || (expression.presence === 'empty' && isTotal(expression.of))
    case 'filter': return isTotal(expression.of) && isTotal(expression.test)
    // An empty selection is the empty list; only what may be missing can fail here.
    case 'demand': return expression.demand === 'list' && expression.operand.presence === 'empty' && isTotal(expression.operand)
    case 'list': return expression.items.every(isTotal)
    case 'binary': return TOTAL_OPERATORS.has(expression.operator) && isTotal(expression.left) && isTotal(expression.right)
    case 'call': return !expression.own && (expression.name === 'not' || expression.name === 'count') && expression.arguments.every(isTotal)
    default: return false
  }
}

const TOTAL_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', '=', '!=', 'in', '<', '<=', '>', '>='])
