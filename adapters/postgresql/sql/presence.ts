import type { Node } from 'libpg-query'
import type { Place, Source } from './analysis.ts'
import type { ColumnMask } from './column-mask.ts'
import { reference } from './expression.ts'
import type { Resolver } from './resolver.ts'
import { kindOfType } from './value-kind.ts'
import type { Env, Walk } from './walk.ts'

/** Notes that nothing of a column is used but whether it is NULL; false when it is no column that comes as it is. */
export function usePresence(node: Node | undefined, env: Env, place: Place, walk: Walk): boolean {
  if (node === undefined || !('ColumnRef' in node)) return false
  const found = reference(node.ColumnRef, env, walk)
  if (found.kind !== 'column' || !found.plain || found.derived.length > 0 || found.sources.some(({ attnum }) => attnum < 1)) return false
  walk.found.use(found.sources.map((source) => ({ ...source, presence: true })), place)
  return true
}

/** Built-in types of which every method but \`null\` shows something for every value: object ids. \`hash\` does for fewer. */
const SHOWN = new Set([16, 17, 18, 19, 20, 21, 23, 25, 114, 142, 650, 700, 701, 790, 869, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 3802])
const SHOWN_HASHED = new Set([17, 20, 21, 23, 25, 1042, 1043, 2950])

/** Whether the rows tell, masked as they are, that there is a value. */
export function showsPresence({ method, whole }: ColumnMask, { relation, attnum }: Source, resolver: Resolver): boolean {
  const { type } = kindOfType(relation?.columns.find((column) => column.attnum === attnum)?.type ?? 0, resolver)
  return whole !== true && method !== 'null' && (method === 'hash' ? SHOWN_HASHED : SHOWN).has(type)
}
