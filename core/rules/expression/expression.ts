import type { Type } from './type.ts'

/**
 * Whether an expression always yields something.
 * - `always`: yes.
 * - `maybe`: it may have no value (an index out of range); using it then is a failure, and a failure blocks.
 * - `empty`: a list that JSONata gives as "no value" when nothing was selected; it stands for the empty list.
 */
export type Presence = 'always' | 'maybe' | 'empty'

/** What a place demands of the value put there; checked at run time where the type does not prove it. */
export type Demand = 'value' | 'scalar' | 'boolean' | 'list'

interface Node {
  readonly type: Type
  readonly presence: Presence
  /** Offset in the source, for messages. */
  readonly at: number
  /** Dotted path from the root of the input, where the expression is one: `command.resources.name`. */
  readonly path?: string
}

/**
 * A checked JSONata expression: every value has a type, and every place where a missing value could change the
 * meaning is a `demand`. Compiled to closures by `compile`, and turned back into JSONata's own tree by `strict-tree`.
 */
export type Expression = Node & (
  | { readonly op: 'literal'; readonly value: string | number | boolean | null }
  | { readonly op: 'regex'; readonly source: string; readonly flags: string }
  | { readonly op: 'root' | 'context' }
  | { readonly op: 'variable'; readonly name: string }
  | { readonly op: 'field'; readonly of: Expression; readonly name: string }
  | { readonly op: 'map'; readonly of: Expression; readonly body: Expression }
  | { readonly op: 'filter'; readonly of: Expression; readonly test: Expression }
  | { readonly op: 'index'; readonly of: Expression; readonly index: Expression }
  | { readonly op: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'negate'; readonly operand: Expression }
  | { readonly op: 'range'; readonly from: number; readonly to: number }
  | { readonly op: 'list'; readonly items: readonly Expression[] }
  | { readonly op: 'object'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly op: 'condition'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression | undefined }
  | { readonly op: 'block'; readonly body: readonly Expression[] }
  | { readonly op: 'bind'; readonly name: string; readonly value: Expression }
  | { readonly op: 'call'; readonly name: string; readonly arguments: readonly Expression[]; readonly own: boolean }
  | { readonly op: 'lambda'; readonly parameters: readonly string[]; readonly body: Expression }
  | { readonly op: 'demand'; readonly demand: Demand; readonly operand: Expression }
)

export type BinaryOperator = (typeof BINARY_OPERATORS)[number]
export const BINARY_OPERATORS = ['and', 'or', '=', '!=', '<', '<=', '>', '>=', 'in', '&', '+', '-', '*', '/', '%'] as const

/** A rule reached a value that is not there, or not of the kind the place needs. The rule then blocks. */
export class RuleFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RuleFailure'
  }
}

/** The expressions directly inside one. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'literal': case 'regex': case 'root': case 'context': case 'variable': case 'range': return []
    case 'field': return [expression.of]
    case 'map': return [expression.of, expression.body]
    case 'filter': return [expression.of, expression.test]
    case 'index': return [expression.of, expression.index]
    case 'binary': return [expression.left, expression.right]
    case 'negate': case 'demand': return [expression.operand]
    case 'list': return expression.items
    case 'object': return expression.entries.flat()
    case 'condition': return [expression.test, expression.then, ...expression.otherwise === undefined ? [] : [expression.otherwise]]
    case 'block': return expression.body
    case 'bind': return [expression.value]
    case 'call': return expression.arguments
    case 'lambda': return [expression.body]
    default: return expression satisfies never
  }
}

/** The expression under its demands. */
export function bare(expression: Expression): Expression {
  return expression.op === 'demand' ? bare(expression.operand) : expression
}
