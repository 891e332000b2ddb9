import type { Impact, ImpactDiff, ImpactEffect, ImpactSample } from '../../core/index.ts'
import { cut, printableLine } from './printable.ts'
import { renderTable } from './table.ts'

const HEAD = [
  { title: 'CHANGE', width: 10 },
  { title: 'ROWS', width: 20 },
  { title: 'OF', width: 50 },
]
const THROUGH = { title: 'THROUGH', width: 80 }
const MAX_CELL = 30

/** What a command would change, for a person with ten seconds: amounts and tables, then what is not known, then the details. */
export function renderImpact({ effects, notes, unknown, sample, diff, plan }: Impact, width = 120): string {
  return [
    ...effects.length === 0 ? [] : [renderEffects(effects, width)],
    ...unknown.length === 0 ? [] : [listed('not known:', unknown)],
    ...notes.length === 0 ? [] : [listed('also:', notes)],
    ...diff === undefined ? [] : [renderDiff(diff, width)],
    ...sample === undefined ? [] : [renderSample(sample, width)],
    ...plan === undefined ? [] : [`found by:\n${plan.split('\n').map((line) => `  ${indent(line)}${printableLine(line)}`).join('\n')}`],
  ].join('\n\n')
}

function renderEffects(effects: readonly ImpactEffect[], width: number): string {
  const carried = effects.some(({ through }) => through !== '')
  const rows = effects.map(({ change, resource, through, ...amount }) => [printableLine(change), amountOf(amount), printableLine(resource), ...carried ? [printableLine(through)] : []])
  return renderTable(carried ? [...HEAD, THROUGH] : HEAD, rows, width)
}

function amountOf({ amount, certainty }: Pick<ImpactEffect, 'amount' | 'certainty'>): string {
  if (amount === undefined || certainty === 'unknown') return '?'
  return { exact: '', 'at-most': 'at most ', estimate: '≈ ' }[certainty] + String(amount)
}

function listed(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  - ${printableLine(line)}`)].join('\n')
}

function indent(line: string): string {
  return ' '.repeat(line.length - line.trimStart().length)
}

function renderSample({ resource, columns, rows, masked }: ImpactSample, width: number): string {
  const title = `some of the rows of ${printableLine(resource)}${hidden(masked)}:`
  if (rows.length === 0) return `${title}\n  none`
  const head = columns.map((column) => ({ title: printableLine(column), width: MAX_CELL }))
  return `${title}\n${renderTable(head, rows.map((row) => row.map(cell)), width - 2).split('\n').map((line) => cut(`  ${line}`, width)).join('\n')}`
}

function hidden(masked: readonly string[]): string {
  return masked.length === 0 ? '' : ` (hidden: ${printableLine(masked.join(', '))})`
}

function renderDiff({ resource, columns, rows, masked }: ImpactDiff, width: number): string {
  const title = `what a trial run changed in ${printableLine(resource)}, and undid${hidden(masked)}:`
  return [title, ...rows.map(({ before, after }) => cut(`  ${diffLine(columns, before, after)}`, width))].join('\n')
}

/** `~ id 7: status shipped → refunded`; the first column says which row it is. */
function diffLine(columns: readonly string[], before: readonly (string | null)[] | null, after: readonly (string | null)[] | null): string {
  if (before === null || after === null) return `${before === null ? '+' : '-'} ${columns.map((column, index) => `${printableLine(column)} ${cell((before ?? after)?.[index] ?? null)}`).join(', ')}`
  const changed = columns.flatMap((column, index) => (before[index] === after[index] ? [] : [`${printableLine(column)} ${cell(before[index] ?? null)} → ${cell(after[index] ?? null)}`]))
  return `~ ${printableLine(columns[0] ?? '')} ${cell(before[0] ?? null)}: ${changed.join(', ') || 'nothing that is shown'}`
}

function cell(value: string | null): string {
  return value === null ? 'NULL' : cut(printableLine(value), MAX_CELL)
}
