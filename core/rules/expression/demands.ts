import { RuleFailure, type Demand, type Expression } from './expression.ts'
import { print } from './print.ts'

/**
 * Makes the run-time check of a demand. JSONata lets a missing value fall through every comparison; here it is a failure,
 * and so are infinite numbers, which compare as if they meant something.
 */
export function checkerFor(expression: Expression & { op: 'demand' }): (value: unknown) => unknown {
  const { demand, operand } = expression
  const what = print(operand)
  if (demand === 'list') return listChecker(operand, what)
  return CHECKERS[demand](what)
}

const CHECKERS: Record<Exclude<Demand, 'list'>, (what: string) => (value: unknown) => unknown> = {
  value: (what) => (value) => present(value, what),
  scalar: (what) => (value) => {
    if (value !== null && typeof value === 'object') throw new RuleFailure(`${what} is not one value`)
    return present(value, what)
  },
  boolean: (what) => (value) => {
    if (typeof value !== 'boolean') throw new RuleFailure(`${what} is neither true nor false`)
    return value
  },
}

function present(value: unknown, what: string): unknown {
  if (value === undefined) throw new RuleFailure(`${what} has no value`)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RuleFailure(`${what} is not a finite number`)
  return value
}

function listChecker(operand: Expression, what: string): (value: unknown) => unknown {
  const mayBeEmpty = operand.presence === 'empty'
  return (value) => {
    if (Array.isArray(value)) return value
    if (value !== undefined) return [value]
    if (mayBeEmpty) return []
    throw new RuleFailure(`${what} has no value`)
  }
}
