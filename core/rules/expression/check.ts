import type { ExprNode } from 'jsonata'
import { bare, BINARY_OPERATORS, type BinaryOperator, type Demand, type Expression, type Presence } from './expression.ts'
import { checkCall } from './check-call.ts'
import { checkField, checkPath, checkPredicates } from './check-path.ts'
import { checkBinary } from './check-operator.ts'
import { ANY, BOOLEAN, describe, isScalar, join, listOf, NOTHING, NULL, NUMBER, objectOf, STRING, type ObjectType, type Type } from './type.ts'

/** JSONata's tree as its parser really makes it; the published types know half of it. */
export interface Tree {
  readonly type: string
  readonly value?: unknown
  readonly position?: number
  readonly steps?: readonly Tree[]
  readonly stages?: readonly Tree[]
  readonly predicate?: readonly Tree[]
  readonly expr?: Tree
  readonly expression?: Tree
  readonly expressions?: readonly Tree[]
  readonly arguments?: readonly Tree[]
  readonly procedure?: Tree
  readonly condition?: Tree
  readonly then?: Tree
  readonly else?: Tree
  readonly body?: Tree
  readonly lhs?: unknown
  readonly rhs?: unknown
  readonly group?: unknown
  readonly keepArray?: boolean
  readonly focus?: unknown
  readonly index?: unknown
  readonly tuple?: unknown
}

/** What is wrong with an expression, and where. Thrown inside the checker, caught per expression. */
export class ExpressionProblem extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.name = 'ExpressionProblem'
    this.at = at
  }
}

/** Where an expression stands: what `$` is there, and which variables are bound. */
export interface Scope {
  readonly root: ObjectType
  readonly context: Type
  /** Path of the context, when it has one. */
  readonly path: string | undefined
  readonly variables: ReadonlyMap<string, { readonly type: Type; readonly presence: Presence; readonly callable: boolean; readonly result?: Type }>
  /** Names bound anywhere so far; a name is bound once, so that no function can come to call itself. */
  readonly bound: Set<string>
  /** Whether "no value" is fine here: it means no vote. */
  readonly vote: boolean
}

const MAX_DEPTH = 100

/**
 * Turns JSONata's tree into a checked expression. `vote` positions may yield nothing.
 * Throws `ExpressionProblem` for whatever is outside the language of rules.
 */
export function checkExpression(tree: unknown, root: ObjectType): Expression {
  refuseDepth(tree as Tree)
  const scope: Scope = { root, context: root, path: '', variables: new Map(), bound: new Set(), vote: true }
  return check(tree as ExprNode as Tree, scope)
}

function refuseDepth(tree: Tree): void {
  const queue: { node: unknown; depth: number }[] = [{ node: tree, depth: 0 }]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { node, depth } = next
    if (depth > MAX_DEPTH * 3) throw new ExpressionProblem(tree.position ?? 0, `nested more than ${MAX_DEPTH} deep; split the rule`)
    if (node === null || typeof node !== 'object' || node instanceof RegExp) continue
    for (const child of Object.values(node)) queue.push({ node: child, depth: depth + 1 })
  }
}

/** Checks one node, with the predicates that follow it. */
export function check(tree: Tree, scope: Scope): Expression {
  const at = positionOf(tree)
  if (tree.group !== undefined) throw new ExpressionProblem(at, 'grouping `{ … }` after a path is not available in rules')
  if (tree.keepArray === true) throw new ExpressionProblem(at, '`[]` is not needed: a list stays a list in rules; remove it')
  if (tree.tuple !== undefined || tree.focus !== undefined) throw new ExpressionProblem(at, '`@`, `#` and `%` are not available in rules')
  return checkPredicates(checkNode(tree, scope, at), tree.predicate ?? [], scope)
}

function checkNode(tree: Tree, scope: Scope, at: number): Expression {
  switch (tree.type) {
    case 'string': return { op: 'literal', value: String(tree.value), type: STRING, presence: 'always', at }
    case 'number': return { op: 'literal', value: Number(tree.value), type: NUMBER, presence: 'always', at }
    case 'value': return literal(tree.value, at)
    case 'path': return checkPath(tree.steps ?? [], scope)
    case 'name': return checkField(contextOf(scope, at), String(tree.value), at)
    case 'variable': return variable(String(tree.value), scope, at)
    case 'binary': return binary(tree, scope, at)
    case 'unary': return unary(tree, scope, at)
    case 'condition': return condition(tree, scope, at)
    case 'block': return block(tree.expressions ?? [], scope, at)
    case 'function': return checkCall(tree, scope, at)
    case 'apply': return apply(tree, scope, at)
    case 'regex': throw new ExpressionProblem(at, 'a regular expression can only be an argument of $contains, $match, $replace or $split')
    case 'lambda': throw new ExpressionProblem(at, 'a function can only be bound to a name or given to $map, $filter, $single, $reduce, $sort or $replace')
    default: throw new ExpressionProblem(at, `${REFUSED_NODES[tree.type] ?? tree.type} not available in rules`)
  }
}

const REFUSED_NODES: Readonly<Record<string, string>> = {
  wildcard: 'the wildcard `*` reads fields nobody named; it is',
  descendant: 'the wildcard `**` reads fields nobody named; it is',
  parent: 'the parent operator `%` is',
  transform: 'a transform `| … |` is',
  partial: 'partial application `?` is',
  sort: 'the sort operator `^( )` is (use $sort); it is',
  bind: 'a variable can only be bound inside `( … )`; elsewhere it is',
}

function literal(value: unknown, at: number): Expression {
  if (value === null) return { op: 'literal', value: null, type: NULL, presence: 'always', at }
  return { op: 'literal', value: value === true, type: BOOLEAN, presence: 'always', at }
}

export function contextOf(scope: Scope, at: number): Expression {
  return { op: 'context', type: scope.context, presence: 'always', at, ...pathOf(scope.path) }
}

export function pathOf(path: string | undefined): { path: string } | object {
  return path === undefined ? {} : { path }
}

function variable(name: string, scope: Scope, at: number): Expression {
  if (name === '') return contextOf(scope, at)
  if (name === '$') return { op: 'root', type: scope.root, presence: 'always', at, path: '' }
  const bound = scope.variables.get(name)
  if (bound === undefined) throw new ExpressionProblem(at, `$${name} is not bound here; write ($${name} := …; …) around it`)
  if (bound.callable) throw new ExpressionProblem(at, `$${name} is a function; call it, or give it to $map, $filter, $single, $reduce or $sort`)
  return { op: 'variable', name, type: bound.type, presence: bound.presence, at }
}

function binary(tree: Tree, scope: Scope, at: number): Expression {
  const operator = BINARY_OPERATORS.find((known) => known === tree.value)
  if (operator === undefined) throw new ExpressionProblem(at, `\`${String(tree.value)}\` is not available here`)
  const inner = { ...scope, vote: false }
  return checkBinary(operator satisfies BinaryOperator, check(tree.lhs as Tree, inner), check(tree.rhs as Tree, inner), at)
}

function unary(tree: Tree, scope: Scope, at: number): Expression {
  if (tree.value === '{') return object(tree.lhs as readonly [Tree, Tree][], scope, at)
  if (tree.value === '[') return list(tree.expressions ?? [], scope, at)
  const operand = demand(check(tree.expression as Tree, { ...scope, vote: false }), 'value')
  if (operand.type.kind !== 'number' && operand.type.kind !== 'any') throw new ExpressionProblem(at, `\`-\` needs a number, not ${describe(operand.type)}`)
  return { op: 'negate', operand, type: NUMBER, presence: 'maybe', at }
}

function object(pairs: readonly [Tree, Tree][], scope: Scope, at: number): Expression {
  const inner = { ...scope, vote: false }
  const seen = new Set<string>()
  const entries = pairs.map(([keyTree, valueTree]) => {
    const key = check(keyTree, inner)
    if (key.op !== 'literal' || typeof key.value !== 'string') throw new ExpressionProblem(positionOf(keyTree), 'a key must be written out as text')
    if (seen.has(key.value)) throw new ExpressionProblem(positionOf(keyTree), `the key "${key.value}" is there twice`)
    seen.add(key.value)
    return [key, demand(check(valueTree, inner), 'value')] as const
  })
  const fields = Object.fromEntries(entries.map(([key, value]) => [String(key.op === 'literal' && key.value), value.type]))
  return { op: 'object', entries, type: objectOf(fields), presence: 'always', at }
}

function list(trees: readonly Tree[], scope: Scope, at: number): Expression {
  const [only] = trees
  if (trees.length === 1 && only?.type === 'binary' && only.value === '..') return range(only, at)
  const items = trees.map((tree) => item(tree, scope))
  const type = items.map(({ type: each }) => (each.kind === 'list' ? each.of : each)).reduce(join, NOTHING)
  return { op: 'list', items, type: listOf(type.kind === 'nothing' ? ANY : type), presence: 'always', at }
}

function item(tree: Tree, scope: Scope): Expression {
  if (tree.type === 'unary' && tree.value === '[') throw new ExpressionProblem(positionOf(tree), 'a list inside a list is not available in rules')
  const checked = check(tree, scope)
  return scope.vote ? checked : demand(checked, 'value')
}

/** Longest range, in elements. */
const MAX_RANGE = 1_000

function range(tree: Tree, at: number): Expression {
  const [from, to] = [tree.lhs as Tree, tree.rhs as Tree].map(({ type, value }) => (type === 'number' ? Number(value) : Number.NaN))
  if (!Number.isInteger(from) || !Number.isInteger(to) || from === undefined || to === undefined) {
    throw new ExpressionProblem(at, 'the ends of a range must be whole numbers, written out, as in [1..10]')
  }
  if (to < from || to - from >= MAX_RANGE) throw new ExpressionProblem(at, `a range has at least 1 and at most ${MAX_RANGE} elements`)
  return { op: 'range', from, to, type: listOf(NUMBER), presence: 'always', at }
}

function condition(tree: Tree, scope: Scope, at: number): Expression {
  const test = demand(check(tree.condition as Tree, { ...scope, vote: false }), 'boolean')
  const then = arm(tree.then as Tree, scope)
  if (tree.else === undefined && !scope.vote) throw new ExpressionProblem(at, 'write what it is otherwise: … ? … : …')
  const otherwise = tree.else === undefined ? undefined : arm(tree.else, scope)
  const type = join(then.type, otherwise?.type ?? NOTHING)
  // oxlint-disable-next-line unicorn/no-thenable -- the arm that is taken when the test holds
  return { op: 'condition', test, then, otherwise, type, presence: scope.vote ? 'maybe' : 'always', at }
}

function arm(tree: Tree, scope: Scope): Expression {
  const checked = check(tree, scope)
  return scope.vote ? checked : demand(checked, 'value')
}

function block(trees: readonly Tree[], scope: Scope, at: number): Expression {
  if (trees.length === 0) {
    if (scope.vote) return { op: 'block', body: [], type: NOTHING, presence: 'maybe', at }
    throw new ExpressionProblem(at, '`()` has no value')
  }
  const variables = new Map(scope.variables)
  const inner = { ...scope, variables }
  const body = trees.map((tree, i) => {
    if (tree.type === 'bind') return bind(tree, inner, variables)
    if (i < trees.length - 1) throw new ExpressionProblem(positionOf(tree), 'its value is thrown away; bind it with `:=` or remove it')
    return check(tree, inner)
  })
  const last = body.at(-1)
  if (last === undefined || last.op === 'bind') throw new ExpressionProblem(at, 'end the block with the value it stands for')
  if (body.length === 1) return last
  return { op: 'block', body, type: last.type, presence: last.presence, at, ...pathOf(last.path) }
}

function bind(tree: Tree, scope: Scope, variables: Map<string, { type: Type; presence: Presence; callable: boolean; result?: Type }>): Expression {
  const at = positionOf(tree)
  const name = String((tree.lhs as Tree).value)
  if (name === '' || name === '$' || name.startsWith('__')) throw new ExpressionProblem(at, `$${name} cannot be bound`)
  if (scope.bound.has(name)) throw new ExpressionProblem(at, `$${name} is bound already; take another name`)
  const source = tree.rhs as Tree
  const inner = { ...scope, vote: false }
  if (source.type === 'lambda') {
    const value = lambda(source, inner, [])
    scope.bound.add(name)
    variables.set(name, { type: { kind: 'function' }, presence: 'always', callable: true, result: bare(value).op === 'lambda' ? resultOf(value) : ANY })
    return { op: 'bind', name, value, type: NOTHING, presence: 'always', at }
  }
  const value = demand(check(source, inner), 'value')
  scope.bound.add(name)
  variables.set(name, { type: value.type, presence: 'always', callable: false })
  return { op: 'bind', name, value, type: NOTHING, presence: 'always', at }
}

function resultOf(value: Expression): Type {
  return value.op === 'lambda' ? value.body.type : ANY
}

/** A function literal; `types` are those of its parameters, `any` where nothing is known. */
export function lambda(tree: Tree, scope: Scope, types: readonly Type[]): Expression {
  const at = positionOf(tree)
  const parameters = (tree.arguments ?? []).map(({ value }) => String(value))
  const variables = new Map(scope.variables)
  for (const [i, name] of parameters.entries()) {
    if (scope.bound.has(name)) throw new ExpressionProblem(at, `$${name} is bound already; take another name for the parameter`)
    const type = types[i] ?? ANY
    variables.set(name, { type, presence: type === ANY ? 'maybe' : 'always', callable: false })
  }
  const body = demand(check(unthunk(tree.body as Tree), { ...scope, variables, vote: false }), 'value')
  return { op: 'lambda', parameters, body, type: { kind: 'function' }, presence: 'always', at }
}

/** JSONata wraps a call in tail position in a lambda of its own; take it off again. */
function unthunk(tree: Tree): Tree {
  const { thunk } = tree as { thunk?: boolean }
  if (tree.type === 'lambda' && thunk === true) return unthunk(tree.body as Tree)
  // oxlint-disable-next-line unicorn/no-thenable -- JSONata's own name for it
  if (tree.type === 'condition') return { ...tree, then: unthunk(tree.then as Tree), ...tree.else === undefined ? {} : { else: unthunk(tree.else) } }
  if (tree.type === 'block' && tree.expressions !== undefined) {
    return { ...tree, expressions: tree.expressions.map((each, i, all) => (i === all.length - 1 ? unthunk(each) : each)) }
  }
  return tree
}

function apply(tree: Tree, scope: Scope, at: number): Expression {
  const call = tree.rhs as Tree
  if (call.type !== 'function') throw new ExpressionProblem(at, 'after `~>` write a call, as in x ~> $uppercase()')
  return checkCall({ ...call, arguments: [tree.lhs as Tree, ...call.arguments ?? []] }, scope, at)
}

/**
 * Puts a demand on an expression, unless its type and presence already meet it. A list that may be empty is always given
 * as a list, so that "nothing selected" and "one selected" mean what they say.
 */
export function demand(expression: Expression, wanted: Demand): Expression {
  const { type, presence, at } = expression
  if (type.kind === 'nothing') throw new ExpressionProblem(at, 'this has no value')
  if (wanted === 'boolean') return demandBoolean(expression)
  if (type.kind === 'list') {
    if (wanted === 'scalar') throw new ExpressionProblem(at, 'a list cannot stand where one value is needed')
    return presence === 'always' ? expression : wrap(expression, 'list')
  }
  if (wanted === 'list') {
    if (type.kind !== 'any') throw new ExpressionProblem(at, `a list is needed here, not ${describe(type)}`)
    return wrap(expression, 'list')
  }
  if (type.kind === 'any' && wanted === 'scalar') return wrap(expression, 'scalar')
  if (wanted === 'scalar' && !isScalar(type)) throw new ExpressionProblem(at, `one value is needed here, not ${describe(type)}`)
  return presence === 'always' ? expression : wrap(expression, 'value')
}

function demandBoolean(expression: Expression): Expression {
  const { type, presence, at } = expression
  if (type.kind === 'list') throw new ExpressionProblem(at, 'a list is not a condition; write $count(…) > 0 or "…" in …')
  if (type.kind !== 'boolean' && type.kind !== 'any') {
    throw new ExpressionProblem(at, `a condition must be true or false, not ${describe(type)}; compare it, as in … != ${type.kind === 'number' ? '0' : '""'}`)
  }
  return presence === 'always' && type.kind === 'boolean' ? expression : wrap(expression, 'boolean')
}

function wrap(operand: Expression, wanted: Demand): Expression {
  const type = wanted === 'boolean' ? BOOLEAN : wanted === 'list' && operand.type.kind !== 'list' ? listOf(ANY) : operand.type
  return { op: 'demand', demand: wanted, operand, type, presence: 'always', at: operand.at, ...pathOf(operand.path) }
}

export function positionOf(tree: Tree): number {
  if (tree.position !== undefined) return tree.position
  const inner = tree.steps?.[0] ?? tree.expressions?.[0] ?? tree.condition
  return inner === undefined ? 0 : positionOf(inner)
}
