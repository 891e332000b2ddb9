import { bare, childrenOf, type Expression } from './expression/expression.ts'
import { print } from './expression/print.ts'
import type { Trace } from './expression/interpret.ts'

/** A way through a rule. */
export interface Branch {
  /** As a person would say it: `command.action = "drop" is true`. */
  readonly what: string
  readonly reached: () => boolean
}

/**
 * Watches a rule's evaluations: each arm of each condition, the silent "otherwise" included, and each operand of each
 * `and` and `or`, which is reached when it was looked at.
 */
export class Coverage {
  readonly #values = new Map<Expression, Set<unknown>>()
  readonly branches: readonly Branch[]

  constructor(expression: Expression) {
    this.branches = this.#branchesOf(expression)
  }

  /** To be given to the interpreter. */
  readonly trace: Trace = (expression, value) => {
    const seen = this.#values.get(expression) ?? new Set()
    this.#values.set(expression, seen.add(typeof value === 'boolean' ? value : 'seen'))
  }

  #branchesOf(expression: Expression): Branch[] {
    return [...this.#ownBranches(expression), ...childrenOf(expression).flatMap((child) => this.#branchesOf(child))]
  }

  #ownBranches(expression: Expression): Branch[] {
    if (expression.op === 'condition') return [true, false].map((value) => this.#arm(expression.test, value))
    if (expression.op !== 'binary' || (expression.operator !== 'and' && expression.operator !== 'or')) return []
    // The left side is looked at whenever the whole is, unless it is a chain of its own.
    return [this.#operand(expression.right)]
  }

  #arm(test: Expression, value: boolean): Branch {
    return { what: `${print(test)} is ${value}`, reached: () => this.#seen(test)?.has(value) ?? false }
  }

  #operand(operand: Expression): Branch {
    return { what: `${print(operand)} is looked at`, reached: () => this.#seen(operand) !== undefined }
  }

  #seen(expression: Expression): Set<unknown> | undefined {
    return this.#values.get(expression) ?? this.#values.get(bare(expression))
  }
}
