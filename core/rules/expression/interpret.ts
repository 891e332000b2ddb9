import jsonata from 'jsonata'
import type { Expression } from './expression.ts'
import { LinearRegExp } from './linear-regexp.ts'
import { strictTree } from './strict-tree.ts'

/** Called with each part of the rule as it yields its value. */
export type Trace = (expression: Expression, value: unknown) => void

/** Nesting depth and list length at which JSONata gives up. */
const LIMITS = { stack: 2_000, sequence: 100_000 }

/**
 * Evaluates a checked expression with JSONata itself. Its guards do not hold against every expression: call it where it
 * may be stopped from outside, or on input you made.
 * Rejects with whatever JSONata throws, or `RuleFailure`.
 */
export function interpreter(expression: Expression): (input: unknown, trace?: Trace) => Promise<unknown> {
  // JSONata asks for a RegExp constructor and uses `exec` and `lastIndex` of what it constructs.
  const RegexEngine = LinearRegExp as unknown as RegExpConstructor
  const evaluable = jsonata('null', { RegexEngine, ...LIMITS })
  const { tree, bindings, origins } = strictTree(expression)
  replace(evaluable.ast(), tree)
  origins.forEach((origin, node) => node === tree && (origins as Map<object, Expression>).set(evaluable.ast(), origin))
  for (const [name, check] of bindings) evaluable.assign(name, check)
  let listener: Trace | undefined
  evaluable.assign(EXIT as unknown as string, (node: object, _input: unknown, _environment: unknown, value: unknown) => {
    const origin = listener === undefined ? undefined : origins.get(node)
    if (origin !== undefined) listener?.(origin, value)
  })
  return async (input, trace) => {
    listener = trace
    return await evaluable.evaluate(input)
  }
}

/** The hook that JSONata's own debugger uses. */
const EXIT = Symbol.for('jsonata.__evaluate_exit')

/** JSONata evaluates the very object that `ast()` returns; its root is refilled with ours. */
function replace(root: object, tree: object): void {
  for (const key of Object.keys(root)) Reflect.deleteProperty(root, key)
  Object.assign(root, tree)
}
