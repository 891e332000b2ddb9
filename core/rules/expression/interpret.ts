import jsonata from 'jsonata'
import type { Expression } from './expression.ts'
import { LinearRegExp } from './linear-regexp.ts'
import { strictTree } from './strict-tree.ts'

/** Called with each part of the rule as it yields its value. */
export type Trace = (expression: Expression, value: unknown) => void

/** Nesting depth and list length at which JSONata gives up, and, when it is traced, the time in ms. */
const LIMITS = { stack: 2_000, sequence: 100_000 }
const TRACED_TIMEOUT_MS = 5_000

/**
 * Evaluates a checked expression with JSONata itself. Its guards do not hold against every expression: call it where it
 * may be stopped from outside, or on input you made.
 * Rejects with whatever JSONata throws, or `RuleFailure`.
 */
export function interpreter(expression: Expression, trace?: Trace): (input: unknown) => Promise<unknown> {
  // JSONata asks for a RegExp constructor and uses `exec` and `lastIndex` of what it constructs.
  const RegexEngine = LinearRegExp as unknown as RegExpConstructor
  const evaluable = jsonata('null', { RegexEngine, ...LIMITS, ...trace === undefined ? {} : { timeout: TRACED_TIMEOUT_MS } })
  const { tree, bindings, origins } = strictTree(expression)
  for (const [name, check] of bindings) evaluable.assign(name, check)
  if (trace !== undefined) listen(evaluable, new Map([...origins, [evaluable.ast(), expression]]), trace)
  refill(evaluable.ast(), tree)
  return async (input) => await evaluable.evaluate(input)
}

/** The hook that JSONata's own debuggers use. */
const EXIT = Symbol.for('jsonata.__evaluate_exit')

function listen(evaluable: jsonata.Expression, origins: ReadonlyMap<object, Expression>, trace: Trace): void {
  // Published as taking a name, it binds a symbol just as well.
  evaluable.assign(EXIT as unknown as string, (node: object, _input: unknown, _environment: unknown, value: unknown) => {
    const origin = origins.get(node)
    if (origin !== undefined) trace(origin, single(value))
  })
}

/** The hook sees JSONata's sequences before it takes a lone element out of them. */
function single(value: unknown): unknown {
  const isSequence = Array.isArray(value) && (value as { sequence?: unknown }).sequence === true
  return isSequence && value.length < 2 ? value[0] as unknown : value
}

/** JSONata evaluates the very object that `ast()` returns; its root is refilled with ours. */
function refill(root: object, tree: object): void {
  for (const key of Object.keys(root)) Reflect.deleteProperty(root, key)
  Object.assign(root, tree)
}
