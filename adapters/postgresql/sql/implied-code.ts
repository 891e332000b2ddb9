/**
 * Code that a statement runs without naming it: what converts, checks and compares values of types that somebody made,
 * and operators that the grammar spells otherwise.
 */
import type { FuncCall, Node } from 'libpg-query'
import { argumentText, isTree, stringsOf, type Tree } from './ast.ts'
import { effectOf, noteEffect } from './function-effects.ts'
import type { FunctionEntry, Relation } from './resolver.ts'
import type { Walk } from './walk.ts'

/** Notes what the types and the implied operators of a whole statement run. */
export function runImplied(node: Node, walk: Walk): void {
  const { resolver } = walk.found.context
  if (resolver?.hasImpliedCode !== true) return
  const spelled: Spelled = { types: new Set(), operators: new Set() }
  look(node, spelled)
  runAll(resolver.castCode(), walk)
  for (const type of spelled.types) runAll(resolver.typeCode(type), walk)
  for (const operator of spelled.operators) runAll(resolver.operatorFunctions(operator), walk)
}

/** A value of a relation's column may be converted, compared or checked wherever its rows are. */
export function runRowCode(relation: Relation, walk: Walk): void {
  runAll(walk.found.context.resolver?.rowCode(relation) ?? [], walk)
}

/** What a function is given is made to fit its arguments, and what it gives is of a type, too. */
export function runSignatureCode({ oid }: FunctionEntry, walk: Walk): void {
  runAll(walk.found.context.resolver?.signatureCode(oid) ?? [], walk)
}

/** What reads a text as a value of a type that another text names. */
export function runNamedType({ args }: FuncCall, walk: Walk): void {
  if (walk.found.context.resolver?.hasImpliedCode !== true) return
  const name = argumentText(args?.[1])
  walk.found.literal()
  if (typeof name !== 'string') walk.found.opaque('it reads a value of a type that is not known')
  else runType(name, walk)
}

/** A value is made to fit a type that is written as a text: `"Mood"`, `shop.mood[]`, `orders.item%TYPE`. */
export function runType(written: string, walk: Walk): void {
  const { resolver } = walk.found.context
  for (const part of written.match(/[\w\u0080-\uffff]+/g) ?? []) for (const each of new Set([part, part.toLowerCase()])) runAll(resolver?.typeCode(each) ?? [], walk)
}

function runAll(entries: readonly (FunctionEntry | undefined)[], walk: Walk): void {
  for (const entry of entries) {
    if (entry === undefined) walk.found.opaque('a type or an operator of its own runs what cannot be read')
    else run(entry, walk)
  }
}

function run(entry: FunctionEntry, walk: Walk): void {
  const effect = effectOf(entry)
  if (effect !== undefined) noteEffect(effect, entry.name, walk.found)
  else walk.implied(entry)
}

interface Spelled {
  readonly types: Set<string>
  readonly operators: Set<string>
}

function look(value: unknown, spelled: Spelled): void {
  if (Array.isArray(value)) for (const part of value) look(part, spelled)
  if (!isTree(value)) return
  note(value, spelled)
  for (const key in value) if (typeof value[key] === 'object') look(value[key], spelled)
}

/** A type has `names` and a `typemod`; with `%TYPE`, they are a table and its column. */
function note(tree: Tree, { types, operators }: Spelled): void {
  const names = (key: string): string[] => (Array.isArray(tree[key]) ? stringsOf(tree[key] as Node[]) : [])
  if ('typemod' in tree) for (const name of names('names')) types.add(name)
  for (const name of [...names('operName').slice(-1), ...names('useOp').slice(-1)]) operators.add(name)
  if (typeof tree['kind'] === 'string' && tree['kind'].includes('BETWEEN')) for (const name of ['<=', '>=', '<', '>']) operators.add(name)
  if ('subLinkType' in tree || 'usingClause' in tree || 'isNatural' in tree || isCaseOf(tree)) operators.add('=')
}

/** `CASE x WHEN y`. */
function isCaseOf(tree: Tree): boolean {
  return 'args' in tree && 'arg' in tree
}
