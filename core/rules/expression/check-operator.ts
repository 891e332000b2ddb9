import { demand, ExpressionProblem } from './check.ts'
import type { BinaryOperator, Expression } from './expression.ts'
import { print } from './print.ts'
import { BOOLEAN, describe, NUMBER, STRING, type Type } from './type.ts'

/** Checks an operator and its two sides, so that neither a missing value nor a list in the wrong place can pass unseen. */
export function checkBinary(operator: BinaryOperator, left: Expression, right: Expression, at: number): Expression {
  switch (operator) {
    case 'and': case 'or': return result(operator, demand(left, 'boolean'), demand(right, 'boolean'), BOOLEAN, at)
    case '=': case '!=': return equality(operator, left, right, at)
    case '<': case '<=': case '>': case '>=': return comparison(operator, left, right, at)
    case 'in': return inclusion(left, right, at)
    case '&': return result(operator, text(left), text(right), STRING, at)
    case '+': case '-': case '*': case '/': case '%':
      return { ...result(operator, number(left, operator), number(right, operator), NUMBER, at), presence: 'maybe' }
    default: return operator satisfies never
  }
}

function result(operator: BinaryOperator, left: Expression, right: Expression, type: Type, at: number): Expression {
  return { op: 'binary', operator, left, right, type, presence: 'always', at }
}

function equality(operator: '=' | '!=', left: Expression, right: Expression, at: number): Expression {
  if (left.type.kind === 'list' || right.type.kind === 'list') {
    if (left.type.kind !== right.type.kind) refuseListEquality(left, right, operator, at)
    return result(operator, demand(left, 'list'), demand(right, 'list'), BOOLEAN, at)
  }
  const sides = [demand(left, 'scalar'), demand(right, 'scalar')] as const
  refuseNever(left, right.type, right, at)
  refuseNever(right, left.type, left, at)
  return result(operator, ...sides, BOOLEAN, at)
}

function refuseListEquality(left: Expression, right: Expression, operator: string, at: number): never {
  const [list, single] = left.type.kind === 'list' ? [left, right] : [right, left]
  const instead = `${print(single)} in ${print(list)}`
  throw new ExpressionProblem(at, `${print(list)} is a list; write ${operator === '=' ? instead : `$not(${instead})`}`)
}

/** A comparison that can never hold is a mistake, and in a rule that blocks it would leave the gate open. */
function refuseNever(side: Expression, other: Type, otherSide: Expression, at: number): void {
  if (side.type.kind === 'null' || other.kind === 'null' || side.type.kind === 'any' || other.kind === 'any') return
  if (side.type.kind !== other.kind) {
    throw new ExpressionProblem(at, `${print(side)} is ${describe(side.type)} and ${print(otherSide)} is ${describe(other)}: they are never equal`)
  }
  if (side.type.kind !== 'string' || side.type.oneOf === undefined) return
  if (otherSide.op === 'literal' && typeof otherSide.value === 'string') refuseUnknownWord(side, side.type.oneOf, otherSide.value, at)
}

function refuseUnknownWord(side: Expression, known: readonly string[], word: string, at: number): void {
  if (known.includes(word)) return
  throw new ExpressionProblem(at, `${print(side)} is never "${word}"; it is one of ${known.map((each) => `"${each}"`).join(', ')}`)
}

function comparison(operator: BinaryOperator, left: Expression, right: Expression, at: number): Expression {
  for (const side of [left, right]) {
    if (side.type.kind !== 'number' && side.type.kind !== 'string' && side.type.kind !== 'any') {
      throw new ExpressionProblem(at, `\`${operator}\` compares numbers or text; ${print(side)} is ${describe(side.type)}`)
    }
  }
  const known = left.type.kind !== 'any' && right.type.kind !== 'any'
  if (known && left.type.kind !== right.type.kind) {
    throw new ExpressionProblem(at, `${print(left)} is ${describe(left.type)} and ${print(right)} is ${describe(right.type)}: they cannot be compared`)
  }
  return result(operator, demand(left, 'scalar'), demand(right, 'scalar'), BOOLEAN, at)
}

function inclusion(left: Expression, right: Expression, at: number): Expression {
  if (left.type.kind === 'list') {
    throw new ExpressionProblem(at, `the left of \`in\` is one value, and ${print(left)} is a list; write $count(${print(left)}[$ in ${print(right)}]) > 0`)
  }
  if (right.type.kind !== 'list') {
    throw new ExpressionProblem(at, `the right of \`in\` is a list, as in x in ["a", "b"]; ${print(right)} is ${describe(right.type)}`)
  }
  refuseNeverIn(left, right, at)
  return result('in', demand(left, 'scalar'), demand(right, 'list'), BOOLEAN, at)
}

function refuseNeverIn(left: Expression, right: Expression, at: number): void {
  const of = right.type.kind === 'list' ? right.type.of : right.type
  if (of.kind !== 'any' && left.type.kind !== 'any' && of.kind !== 'null' && left.type.kind !== 'null' && of.kind !== left.type.kind) {
    throw new ExpressionProblem(at, `${print(left)} is ${describe(left.type)}, and ${print(right)} has none of that`)
  }
  if (left.type.kind === 'string' && left.type.oneOf !== undefined && right.op === 'list') {
    for (const item of right.items) if (item.op === 'literal') refuseUnknownWord(left, left.type.oneOf, String(item.value), at)
  }
  if (of.kind === 'string' && of.oneOf !== undefined && left.op === 'literal') refuseUnknownWord(right, of.oneOf, String(left.value), at)
}

function text(side: Expression): Expression {
  if (side.type.kind === 'list') throw new ExpressionProblem(side.at, `${print(side)} is a list; write $join(${print(side)}, ", ")`)
  return demand(side, 'scalar')
}

function number(side: Expression, operator: string): Expression {
  if (side.type.kind !== 'number' && side.type.kind !== 'any') throw new ExpressionProblem(side.at, `\`${operator}\` needs numbers; ${print(side)} is ${describe(side.type)}`)
  return demand(side, 'scalar')
}
