import type { A_Expr, Node, TypeCast } from 'libpg-query'
import type { Source } from './analysis.ts'
import { stringsOf } from './ast.ts'
import { builtInType } from './built-in-type.ts'
import { expression, reference } from './expression.ts'
import { EQUALITY, WHERE } from './place.ts'
import type { Env, Walk } from './walk.ts'

/**
 * Follows a WHERE. A column that is compared for equality with constants or parameters, and with nothing around it
 * but AND and OR, is used for that alone; every other use tells more.
 */
export function filter(condition: Node | undefined, env: Env, walk: Walk): void {
  if (condition === undefined) return
  walk.budget.enter()
  if ('BoolExpr' in condition && condition.BoolExpr.boolop !== 'NOT_EXPR') for (const part of condition.BoolExpr.args ?? []) filter(part, env, walk)
  else if (!('A_Expr' in condition) || !lookUp(condition.A_Expr, env, walk)) expression(condition, env, WHERE, walk)
  walk.budget.leave()
}

/** True when it was an equality, and is noted. */
function lookUp(expr: A_Expr, env: Env, walk: Walk): boolean {
  const column = compared(expr, walk)
  if (column === undefined || !isBuiltInEquals(expr, walk)) return false
  const found = reference(column.ColumnRef, env, walk)
  if (found.kind !== 'column' || !found.plain || found.derived.length > 0 || !found.sources.every(comparesWhole)) return false
  walk.found.use(found.sources, EQUALITY)
  return true
}

/** The one column of `column = constant`, of `constant = column`, and of IN and ANY. */
function compared({ kind, lexpr, rexpr }: A_Expr, walk: Walk): Extract<Node, { ColumnRef: unknown }> | undefined {
  if (lexpr === undefined || rexpr === undefined) return undefined
  if (kind === 'AEXPR_OP') {
    if ('ColumnRef' in lexpr && isConstant(rexpr, walk)) return lexpr
    return 'ColumnRef' in rexpr && isConstant(lexpr, walk) ? rexpr : undefined
  }
  const listed = (kind === 'AEXPR_IN' && 'List' in rexpr && (rexpr.List.items ?? []).every((item) => isConstant(item, walk)))
    || (kind === 'AEXPR_OP_ANY' && isConstantArray(rexpr, walk))
  return listed && 'ColumnRef' in lexpr ? lexpr : undefined
}

function isBuiltInEquals({ name }: A_Expr, { found: { context } }: Walk): boolean {
  const parts = stringsOf(name)
  if (parts.at(-1) !== '=' || (parts.length > 1 && parts.at(-2) !== 'pg_catalog')) return false
  return context.resolver?.operatorFunctions('=').length === 0
}

/** Types of a constant that make the server compare neither by another type's idea of equality nor with rounding. */
const EXACT = new Set(['text', 'varchar', 'uuid', 'int2', 'int4', 'int8', 'numeric', 'date', 'timestamp', 'timestamptz', 'bool'])

function isConstant(node: Node, walk: Walk): boolean {
  if ('A_Const' in node || 'ParamRef' in node) return true
  return 'TypeCast' in node && castsExactly(node.TypeCast, walk)
}

function castsExactly({ arg, typeName }: TypeCast, walk: Walk): boolean {
  const type = builtInType(typeName, walk.found.context)
  return arg !== undefined && ('A_Const' in arg || 'ParamRef' in arg) && type !== undefined && EXACT.has(type)
}

function isConstantArray(node: Node, walk: Walk): boolean {
  if ('A_Const' in node || 'ParamRef' in node) return true
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every((part) => isConstant(part, walk))
  if (!('TypeCast' in node)) return false
  const { arg, typeName } = node.TypeCast
  const { arrayBounds, ...element } = typeName ?? {}
  return arrayBounds !== undefined && arg !== undefined && ('A_ArrayExpr' in arg ? isConstantArray(arg, walk) : castsExactly({ arg, typeName: element }, walk))
}

/** Of geometry, `=` compares areas and lengths. Their object ids: lseg, path, box, polygon, line, circle. */
const NOT_EXACT = new Set([601, 602, 603, 604, 628, 718])

function comparesWhole({ relation, attnum }: Source): boolean {
  const column = relation?.columns.find((each) => each.attnum === attnum)
  return column !== undefined && !NOT_EXACT.has(column.type)
}
