import { widthOf } from './display.ts'
import type { TranscriptOutput } from './transcript-output.ts'

export interface TableColumn {
  readonly title: string
  /** Numbers stand to the right. */
  readonly right: boolean
}

/** Wider cells are shown whole, but do not make the others of their column as wide. */
const MAX_PADDED_WIDTH = 200
const TAB_WIDTH = 8

/**
 * Writes a table as psql does with `\pset border 1`, format aligned: lines of a cell follow each other, marked with `+`.
 * Cells must be safe to print; a row may have fewer or more cells than there are columns.
 */
export function writeTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[], output: TranscriptOutput): void {
  if (columns.length === 0) return output.write('--')
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => row.map(linesOf))
  const widths = columnWidths(titles, cells)
  output.write(titles.map((title, i) => ` ${centred(title, widths[i] ?? 0)} `).join('|'))
  output.write(widths.slice(0, titles.length).map((width) => '-'.repeat(width + 2)).join('+'))
  for (const row of cells) {
    const height = row.reduce((most, lines) => Math.max(most, lines.length), 1)
    for (let line = 0; line < height && !output.full; line++) output.write(rowLine(row, line, columns, widths))
  }
}

function linesOf(cell: string): string[] {
  return cell.includes('\n') || cell.includes('\t') ? cell.split('\n').map(expandTabs) : [cell]
}

function expandTabs(line: string): string {
  const [first = '', ...rest] = line.split('\t')
  return rest.reduce((text, part) => text + ' '.repeat(TAB_WIDTH - widthOf(text) % TAB_WIDTH) + part, first)
}

function columnWidths(titles: readonly string[], rows: readonly (readonly string[][])[]): number[] {
  const widths = titles.map((title) => Math.min(widthOf(title), MAX_PADDED_WIDTH))
  for (const row of rows) {
    for (const [i, lines] of row.entries()) {
      for (const line of lines) widths[i] = Math.max(widths[i] ?? 0, Math.min(widthOf(line), MAX_PADDED_WIDTH))
    }
  }
  return widths
}

function rowLine(row: readonly string[][], line: number, columns: readonly TableColumn[], widths: readonly number[]): string {
  const last = row.length - 1
  return row.map((lines, i) => {
    const text = lines[line] ?? ''
    const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(text)))
    const more = line < lines.length - 1
    // The end of a line needs no padding; neither does a last cell that has ended before its row.
    const bare = i === last && (line >= lines.length || (!more && columns[i]?.right !== true))
    const padded = bare ? text : columns[i]?.right === true ? gap + text : text + gap
    return ` ${padded}${more ? '+' : i === last ? '' : ' '}`
  }).join('|')
}

function centred(title: string, width: number): string {
  const gap = Math.max(0, width - widthOf(title))
  const left = Math.floor(gap / 2)
  return ' '.repeat(left) + title + ' '.repeat(gap - left)
}
