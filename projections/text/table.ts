import { columns, cut, pad } from './printable.ts'

export interface Column {
  readonly title: string
  /** Columns it is cut to, `…` included; the last column takes what is left. */
  readonly width: number
}

/** A table of cells that are already printable, at most `width` wide. A column is never wider than its content. */
export function renderTable(head: readonly Column[], rows: readonly (readonly string[])[], width = 120): string {
  const last = head.length - 1
  const widths = head.map((column, index) => Math.min(column.width, widest(rows, index, column.title)))
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0)
  widths[last] = Math.max(8, width - before)
  return [head.map(({ title }) => title), ...rows].map((cells) => line(cells, widths)).join('\n')
}

function widest(rows: readonly (readonly string[])[], index: number, title: string): number {
  return rows.reduce((most, row) => Math.max(most, columns(row[index] ?? '')), title.length)
}

function line(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, index) => pad(cut(cell, widths[index] ?? 8), widths[index] ?? 8)).join('  ').trimEnd()
}
