import type { ScopeColumn } from './scope.ts'
import type { Outputs } from './walk.ts'

/** Applies a column alias list to columns whose places are known. */
export function renameColumns(columns: readonly ScopeColumn[], names: readonly string[]): ScopeColumn[] {
  const result = columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
  for (const name of names.slice(columns.length)) result.push({ name, sources: [], derived: [] })
  return result
}

/** A column alias list. Where places are uncertain, each new name stands for every column. */
export function renameOutputs(outputs: Outputs, names: readonly string[]): Outputs {
  if (names.length === 0) return outputs
  if (outputs.ordered && !outputs.open) return { ...outputs, columns: renameColumns(outputs.columns, names) }
  const sources = outputs.columns.flatMap((column) => column.sources)
  const derived = outputs.columns.flatMap((column) => column.derived)
  const columns = [...outputs.columns.map(({ name }) => name), ...names].map((name) => ({ name, sources, derived }))
  return { ...outputs, columns }
}
