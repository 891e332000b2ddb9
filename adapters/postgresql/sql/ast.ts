/** Small readers of the grammar's tree. Zero, false and empty values are left out of it. */
import type { A_Const, Node, RangeVar, TypeName } from 'libpg-query'

/** An object of the tree, when its type does not matter. */
export type Tree = Readonly<Record<string, unknown>>

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The one key of a wrapped node: its type. `undefined` for a bare structure or a NULL in a list. */
export function nodeType(value: Tree): string | undefined {
  const keys = Object.keys(value)
  const [key] = keys
  return keys.length === 1 && key !== undefined && /^[A-Z]/.test(key) && isTree(value[key]) ? key : undefined
}

export function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : undefined
}

/** The strings of a list of names; anything else in it is left out. */
export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  const strings: string[] = []
  for (const node of nodes ?? []) {
    const text = stringOf(node)
    if (text !== undefined) strings.push(text)
  }
  return strings
}

/** A qualified name as a list: the last two parts. */
export function qualifiedName(nodes: readonly Node[] | undefined): { schema: string | undefined; name: string } {
  const parts = stringsOf(nodes)
  return { schema: parts.at(-2), name: parts.at(-1) ?? '' }
}

export function writtenName(relation: RangeVar): string {
  const { schemaname, relname = '' } = relation
  return schemaname === undefined ? relname : `${schemaname}.${relname}`
}

/** A constant as the text that PostgreSQL would read; `null` is SQL NULL. */
export function constantText(constant: A_Const): string | null {
  if (constant.isnull === true) return null
  if (constant.sval !== undefined) return constant.sval.sval ?? ''
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0)
  if (constant.fval !== undefined) return constant.fval.fval ?? '0'
  if (constant.boolval !== undefined) return constant.boolval.boolval === true ? 'true' : 'false'
  return constant.bsval?.bsval ?? ''
}

/** The text of a constant argument, casts looked through; `undefined` when it is not a constant. */
export function argumentText(node: Node | undefined): string | null | undefined {
  if (node === undefined) return undefined
  if ('A_Const' in node) return constantText(node.A_Const)
  if ('TypeCast' in node) return argumentText(node.TypeCast.arg)
  if ('String' in node) return node.String.sval ?? ''
  return undefined
}

export function typeName(type: TypeName | undefined): string {
  return stringsOf(type?.names).at(-1) ?? ''
}
