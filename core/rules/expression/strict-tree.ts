import { checkerFor } from './demands.ts'
import type { Expression } from './expression.ts'
import type { Tree } from './check.ts'

/** A tree for JSONata's own evaluator, with every demand as a call of one of `bindings`. */
export interface StrictTree {
  readonly tree: Tree
  /** Names to bind: `$__0`, `$__1`, … */
  readonly bindings: ReadonlyMap<string, (value: unknown) => unknown>
  /** Which checked expression each node stands for, for tracing. */
  readonly origins: ReadonlyMap<object, Expression>
}

/**
 * Turns a checked expression back into the tree that JSONata evaluates. The meaning is JSONata's; what is added can only
 * turn an answer into a failure.
 */
export function strictTree(expression: Expression): StrictTree {
  const bindings = new Map<string, (value: unknown) => unknown>()
  const origins = new Map<object, Expression>()
  return { tree: emit(expression, { bindings, origins }), bindings, origins }
}

interface Output {
  readonly bindings: Map<string, (value: unknown) => unknown>
  readonly origins: Map<object, Expression>
}

function emit(expression: Expression, output: Output): Tree {
  const tree = node(expression, output)
  output.origins.set(tree, expression)
  return tree
}

function node(expression: Expression, output: Output): Tree {
  const inner = (each: Expression) => emit(each, output)
  const position = expression.at
  switch (expression.op) {
    case 'literal': return literal(expression.value, position)
    case 'regex': return { type: 'regex', value: new RegExp(expression.source, `g${expression.flags}`), position }
    case 'root': return { type: 'variable', value: '$', position }
    case 'context': return { type: 'variable', value: '', position }
    case 'variable': return { type: 'variable', value: expression.name, position }
    case 'field': return { type: 'path', steps: [inner(expression.of), { type: 'name', value: expression.name, position }] }
    case 'map': return { type: 'path', steps: [inner(expression.of), { type: 'block', position, expressions: [inner(expression.body)] }] }
    case 'filter': return predicated(inner(expression.of), inner(expression.test), position)
    case 'index': return predicated(inner(expression.of), inner(expression.index), position)
    case 'binary': return { type: 'binary', value: expression.operator, position, lhs: inner(expression.left), rhs: inner(expression.right) }
    case 'negate': return { type: 'unary', value: '-', position, expression: inner(expression.operand) }
    case 'range': return range(expression.from, expression.to, position)
    case 'list': return { type: 'unary', value: '[', position, expressions: expression.items.map(inner) }
    case 'object': return { type: 'unary', value: '{', position, lhs: expression.entries.map(([key, value]) => [inner(key), inner(value)]) }
    case 'condition': return condition(expression, inner)
    case 'block': return { type: 'block', position, expressions: expression.body.map(inner) }
    case 'bind': return { type: 'bind', value: ':=', position, lhs: { type: 'variable', value: expression.name }, rhs: inner(expression.value) }
    case 'call': return call(expression.name, expression.arguments.map(inner), position)
    case 'lambda': return { type: 'lambda', position, arguments: expression.parameters.map((value) => ({ type: 'variable', value })), body: inner(expression.body) }
    case 'demand': return demand(expression, output)
    default: return expression satisfies never
  }
}

function literal(value: string | number | boolean | null, position: number): Tree {
  return { type: typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'value', value, position }
}

function predicated(of: Tree, expr: Tree, position: number): Tree {
  return { type: 'block', position, expressions: [of], predicate: [{ type: 'filter', expr, position }] }
}

function range(from: number, to: number, position: number): Tree {
  const ends = { lhs: literal(from, position), rhs: literal(to, position) }
  return { type: 'unary', value: '[', position, expressions: [{ type: 'binary', value: '..', position, ...ends }] }
}

function condition(expression: Expression & { op: 'condition' }, inner: (each: Expression) => Tree): Tree {
  // oxlint-disable-next-line unicorn/no-thenable -- JSONata's own name for it
  const arms = { condition: inner(expression.test), then: inner(expression.then) }
  const tree = { type: 'condition', position: expression.at, ...arms }
  return expression.otherwise === undefined ? tree : { ...tree, else: inner(expression.otherwise) }
}

function call(name: string, args: readonly Tree[], position: number): Tree {
  return { type: 'function', value: '(', position, arguments: args, procedure: { type: 'variable', value: name, position } }
}

function demand(expression: Expression & { op: 'demand' }, output: Output): Tree {
  const name = `__${output.bindings.size}`
  output.bindings.set(name, checkerFor(expression))
  return call(name, [emit(expression.operand, output)], expression.at)
}
