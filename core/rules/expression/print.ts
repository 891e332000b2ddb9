import { bare, type Expression } from './expression.ts'

const MAX_PRINTED = 200

/** The expression as a rule would write it, on one line, cut at 200 characters. */
export function print(expression: Expression): string {
  const text = source(expression, 0)
  return text.length > MAX_PRINTED ? `${text.slice(0, MAX_PRINTED - 1)}…` : text
}

/** How tightly operators bind, as JSONata's parser has it. */
const BINDING: Readonly<Record<string, number>> = {
  or: 25, and: 30, '=': 40, '!=': 40, '<': 40, '<=': 40, '>': 40, '>=': 40, in: 40, '&': 50, '+': 50, '-': 50, '*': 60, '/': 60, '%': 60,
}

function source(expression: Expression, binding: number): string {
  switch (expression.op) {
    case 'literal': return JSON.stringify(expression.value)
    case 'regex': return `/${expression.source}/${expression.flags}`
    case 'root': return '$$'
    case 'context': return '$'
    case 'variable': return `$${expression.name}`
    case 'field': return field(expression.of, name(expression.name))
    case 'map': return field(expression.of, source(expression.body, 90))
    case 'filter': return `${selected(expression.of)}[${source(expression.test, 0)}]`
    case 'index': return `${selected(expression.of)}[${source(expression.index, 0)}]`
    case 'binary': return binary(expression, binding)
    case 'negate': return `-${source(expression.operand, 90)}`
    case 'range': return `[${expression.from}..${expression.to}]`
    case 'list': return `[${expression.items.map((each) => source(each, 0)).join(', ')}]`
    case 'object': return `{ ${expression.entries.map(([key, value]) => `${source(key, 0)}: ${source(value, 0)}`).join(', ')} }`
    case 'condition': return parens(condition(expression), binding > 20)
    case 'block': return `(${expression.body.map((each) => source(each, 0)).join('; ')})`
    case 'bind': return `$${expression.name} := ${source(expression.value, 10)}`
    case 'call': return `$${expression.name}(${expression.arguments.map((each) => source(each, 0)).join(', ')})`
    case 'lambda': return `function(${expression.parameters.map((each) => `$${each}`).join(', ')}) { ${source(expression.body, 0)} }`
    case 'demand': return source(expression.operand, binding)
    default: return expression satisfies never
  }
}

function field(of: Expression, rest: string): string {
  if (of.op === 'context' || (of.op === 'root' && of.path === '' )) return of.op === 'context' ? rest : `$$.${rest}`
  return `${source(of, 75)}.${rest}`
}

/**
 * A list written out needs parentheses, since inside another list it would be one of its elements; so does a path
 * through a list, since the brackets would belong to its last step.
 */
function selected(of: Expression): string {
  const inner = bare(of)
  const mapped = (inner.op === 'field' || inner.op === 'map') && inner.of.type.kind === 'list'
  return parens(source(of, 80), mapped || inner.op === 'map' || inner.op === 'list' || inner.op === 'range')
}

function name(text: string): string {
  return /^[A-Za-z_]\w*$/.test(text) ? text : `\`${text}\``
}

function binary(expression: Expression & { op: 'binary' }, outer: number): string {
  const own = BINDING[expression.operator] ?? 0
  const text = `${source(expression.left, own)} ${expression.operator} ${source(expression.right, own + 1)}`
  return parens(text, own < outer)
}

function condition(expression: Expression & { op: 'condition' }): string {
  const otherwise = expression.otherwise === undefined ? '' : ` : ${source(expression.otherwise, 20)}`
  return `${source(expression.test, 21)} ? ${source(expression.then, 0)}${otherwise}`
}

function parens(text: string, needed: boolean): string {
  return needed ? `(${text})` : text
}
