import { check, demand, ExpressionProblem, lambda, positionOf, type Scope, type Tree } from './check.ts'
import type { Expression } from './expression.ts'
import { FUNCTIONS, REFUSED_FUNCTIONS, type Parameter, type Signature } from './functions.ts'
import { LinearRegExp } from './linear-regexp.ts'
import { nearest } from './nearest.ts'
import { print } from './print.ts'
import { ANY, describe, NUMBER, STRING, type Type } from './type.ts'

/** A call of a library function, or of a function bound earlier in the same rule. */
export function checkCall(tree: Tree, scope: Scope, at: number): Expression {
  const procedure = tree.procedure
  if (procedure?.type !== 'variable') throw new ExpressionProblem(at, 'only a named function can be called, as in $count(…)')
  const name = String(procedure.value)
  const trees = tree.arguments ?? []
  if (scope.variables.has(name)) return callOwn(name, trees, scope, at)
  const signature = FUNCTIONS.get(name)
  if (signature === undefined) throw unknownFunction(name, scope, at)
  return callLibrary(name, signature, trees, scope, at)
}

function unknownFunction(name: string, scope: Scope, at: number): ExpressionProblem {
  const refused = REFUSED_FUNCTIONS.get(name)
  if (refused !== undefined) return new ExpressionProblem(at, `$${name} is not available in rules: ${refused}`)
  const near = nearest(name, [...FUNCTIONS.keys(), ...scope.variables.keys()])
  return new ExpressionProblem(at, `there is no function $${name}${near === undefined ? '' : `; write $${near}`} (a function cannot call itself)`)
}

function callOwn(name: string, trees: readonly Tree[], scope: Scope, at: number): Expression {
  const bound = scope.variables.get(name)
  // A parameter could hold any function, this one too; calls of those would be recursion.
  if (bound?.callable !== true) throw new ExpressionProblem(at, `$${name} is not a function`)
  const args = trees.map((tree) => demand(check(tree, { ...scope, vote: false }), 'value'))
  return { op: 'call', name, arguments: args, own: true, type: bound.result ?? ANY, presence: 'always', at }
}

function callLibrary(name: string, signature: Signature, trees: readonly Tree[], scope: Scope, at: number): Expression {
  const parameters = [...signature.required, ...signature.optional ?? []]
  if (trees.length < signature.required.length || trees.length > parameters.length) {
    const wanted = signature.optional === undefined ? `${parameters.length}` : `${signature.required.length} to ${parameters.length}`
    throw new ExpressionProblem(at, `$${name} takes ${wanted} argument${parameters.length === 1 ? '' : 's'}, written out; here are ${trees.length}`)
  }
  const args: Expression[] = []
  for (const [i, tree] of trees.entries()) {
    args.push(argument(name, parameters[i] ?? 'any', tree, { ...scope, vote: false }, args))
  }
  if (name === 'exists') refuseCertain(args[0], at)
  const type = signature.returns(args.map((each) => each.type))
  return { op: 'call', name, arguments: args, own: false, type, presence: presenceOf(signature, type), at }
}

function presenceOf(signature: Signature, type: Type): 'always' | 'maybe' | 'empty' {
  // JSONata gives an empty selection as no value; a number may be the result of an overflow.
  if (type.kind === 'list') return 'empty'
  return signature.maybe === true || type.kind === 'number' || type.kind === 'any' ? 'maybe' : 'always'
}

function refuseCertain(argument: Expression | undefined, at: number): void {
  if (argument === undefined || argument.presence !== 'always') return
  const instead = argument.type.kind === 'list' ? `$count(${print(argument)}) > 0` : `${print(argument)} != ${argument.type.kind === 'number' ? '0' : '""'}`
  throw new ExpressionProblem(at, `${print(argument)} always exists, empty or not; write ${instead}`)
}

function argument(name: string, parameter: Parameter, tree: Tree, scope: Scope, before: readonly Expression[]): Expression {
  if (parameter === 'regex' || (tree.type === 'regex' && parameter === 'regex-or-string')) return regex(name, tree)
  if (parameter === 'function' || (parameter === 'string-or-function' && tree.type === 'lambda')) return functionArgument(name, tree, scope, before)
  const checked = check(tree, scope)
  // The one place that may hold a value that is not there.
  if (name === 'exists') return checked
  return typed(name, parameter, checked)
}

function regex(name: string, tree: Tree): Expression {
  const at = positionOf(tree)
  if (tree.type !== 'regex' || !(tree.value instanceof RegExp)) throw new ExpressionProblem(at, `$${name} takes a regular expression here, as in /^select\\s/i`)
  const flags = tree.value.flags.replace('g', '')
  try {
    new LinearRegExp(tree.value.source, flags)
  } catch (error) {
    throw new ExpressionProblem(at, `the pattern /${tree.value.source}/ is not RE2 (no look-around, no back-references): ${error instanceof Error ? error.message : ''}`)
  }
  return { op: 'regex', source: tree.value.source, flags, type: { kind: 'regex' }, presence: 'always', at }
}

function functionArgument(name: string, tree: Tree, scope: Scope, before: readonly Expression[]): Expression {
  const at = positionOf(tree)
  if (tree.type === 'lambda') return lambda(tree, scope, parameterTypes(name, before[0]?.type))
  const bound = tree.type === 'variable' ? scope.variables.get(String(tree.value)) : undefined
  if (bound?.callable !== true) throw new ExpressionProblem(at, `$${name} takes a function here, as in function($x) { … }`)
  return { op: 'variable', name: String(tree.value), type: { kind: 'function' }, presence: 'always', at }
}

function parameterTypes(name: string, list: Type | undefined): readonly Type[] {
  const element = list?.kind === 'list' ? list.of : ANY
  if (name === 'reduce') return [ANY, element, NUMBER]
  if (name === 'sort') return [element, element]
  return name === 'replace' ? [ANY] : [element, NUMBER, list ?? ANY]
}

const KINDS: Partial<Record<Parameter, Type['kind']>> = {
  string: 'string', 'regex-or-string': 'string', 'string-or-function': 'string', number: 'number', boolean: 'boolean',
}

function typed(name: string, parameter: Parameter, value: Expression): Expression {
  const { kind } = value.type
  if (parameter === 'boolean') return demand(value, 'boolean')
  if (parameter === 'list' || parameter === 'strings' || parameter === 'numbers') return listArgument(name, parameter, value)
  if (parameter === 'map') return mapArgument(name, value)
  if (parameter === 'any') return demand(value, 'value')
  if (parameter !== 'scalar' && kind !== 'any' && kind !== KINDS[parameter]) {
    const hint = kind === 'list' ? `; for each element write ${print(value)}.$${name}($, …)` : ''
    throw new ExpressionProblem(value.at, `$${name} takes ${describe(parameter === 'number' ? NUMBER : STRING)} here; ${print(value)} is ${describe(value.type)}${hint}`)
  }
  return demand(value, 'scalar')
}

function listArgument(name: string, parameter: Parameter, value: Expression): Expression {
  const { type } = value
  if (type.kind !== 'list' && type.kind !== 'any') throw new ExpressionProblem(value.at, `$${name} takes a list; ${print(value)} is ${describe(type)}`)
  const of = type.kind === 'list' ? type.of.kind : 'any'
  const wanted = parameter === 'strings' ? 'string' : parameter === 'numbers' ? 'number' : of
  if (of !== 'any' && of !== wanted) throw new ExpressionProblem(value.at, `$${name} takes a list of ${wanted === 'string' ? 'text' : 'numbers'}; ${print(value)} is ${describe(type)}`)
  return demand(value, 'list')
}

function mapArgument(name: string, value: Expression): Expression {
  if (value.type.kind !== 'object' || value.path === 'command' || value.path === '') {
    throw new ExpressionProblem(value.at, `$${name} takes an object such as target.labels or target.classes`)
  }
  return demand(value, 'value')
}
