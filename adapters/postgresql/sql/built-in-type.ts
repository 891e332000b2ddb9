import type { TypeName } from 'libpg-query'
import { stringsOf } from './ast.ts'
import type { AnalysisContext } from './collector.ts'

/** The name of a built-in scalar type; `undefined` for arrays, for sets, and where another type may be meant. */
export function builtInType(type: TypeName | undefined, { resolver, temporaries }: AnalysisContext): string | undefined {
  if (type === undefined || type.setof === true || type.pct_type === true || type.arrayBounds !== undefined) return undefined
  const [first, second, ...more] = stringsOf(type.names)
  if (more.length > 0) return undefined
  if (second !== undefined) return first === 'pg_catalog' ? second : undefined
  // A table has a type of its name, and a temporary one comes first.
  if (temporaries?.has(first ?? '') === true) return undefined
  return first !== undefined && resolver?.hasUserType(first) === false ? first : undefined
}
