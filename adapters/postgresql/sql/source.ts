import type { Source } from './analysis.ts'

export function distinctSources(sources: readonly Source[]): Source[] {
  if (sources.length < 2) return [...sources]
  const seen = new Map<string, Source>()
  for (const source of sources) seen.set(sourceKey(source), source)
  return [...seen.values()]
}

/** The same for the same column, used alike. */
export function sourceKey({ relation, table, attnum, column, presence }: Source): string {
  return `${relation?.oid ?? table}.${attnum}.${column}${presence === true ? ' is null' : ''}`
}
