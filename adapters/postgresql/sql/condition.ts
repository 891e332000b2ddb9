import type { Node } from 'libpg-query'
import { stringsOf } from './ast.ts'
import { lastName, mentions } from './sameness.ts'
import { findItem, type ScopeItem } from './scope.ts'
import { truthOf } from './truth.ts'
import type { Env, Walk } from './walk.ts'

/**
 * Whether a condition narrows down the rows of `item`. It does not when it is always true, or when it says
 * nothing of these rows: `WHERE random() < 2` or `WHERE other.x = 1` takes all of them or none.
 */
export function restricts(condition: Node, item: ScopeItem, env: Env, walk: Walk): boolean {
  const truth = truthOf(condition, { item, env, walk })
  if (truth !== 'unknown') return truth !== 'true'
  if ('BoolExpr' in condition) {
    const { boolop, args = [] } = condition.BoolExpr
    if (boolop === 'AND_EXPR') return anyRestricts(args.flatMap(conjuncts), item, env, walk)
    if (boolop === 'OR_EXPR') return args.every((part) => restricts(part, item, env, walk))
  }
  if ('CurrentOfExpr' in condition) return true
  return twin(condition, item, env, walk) === undefined && mentions(condition, { item, env, walk })
}

/** `t.id = other.id`, where the other is the same table once more, chooses nothing: what is said of the other does. */
function anyRestricts(args: readonly Node[], item: ScopeItem, env: Env, walk: Walk): boolean {
  const twins = args.flatMap((part) => twin(part, item, env, walk) ?? [])
  return args.some((part) => restricts(part, item, env, walk) || twins.some((other) => twin(part, other, env, walk) === undefined && restricts(part, other, env, walk)))
}

function conjuncts(node: Node): readonly Node[] {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR' ? (node.BoolExpr.args ?? []).flatMap(conjuncts) : [node]
}

/** The other item of an equality between the same column of one table, taken twice. */
function twin(condition: Node, item: ScopeItem, { scope }: Env, { budget }: Walk): ScopeItem | undefined {
  if (!('A_Expr' in condition) || condition.A_Expr.kind !== 'AEXPR_OP' || stringsOf(condition.A_Expr.name).at(-1) !== '=') return undefined
  const { lexpr, rexpr } = condition.A_Expr
  if (lastName(lexpr) === undefined || lastName(lexpr) !== lastName(rexpr)) return undefined
  const [left, right] = [lexpr, rexpr].map((side) => {
    const parts = side !== undefined && 'ColumnRef' in side ? stringsOf(side.ColumnRef.fields) : []
    return parts.length < 2 ? undefined : findItem(parts.at(-2) ?? '', parts.at(-3), scope, budget)
  })
  const other = left === item ? right : right === item ? left : undefined
  const [relation] = item.relations
  return other !== undefined && other !== item && relation !== undefined && other.relations.includes(relation) ? other : undefined
}
