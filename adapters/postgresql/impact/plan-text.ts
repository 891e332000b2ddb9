import { isTree, type Tree } from '../sql/ast.ts'

export interface Plan {
  /** In the planner's units. */
  readonly cost: number
  /** Rows, as the planner guesses. */
  readonly rows: number
  /** A line per node. Conditions are left out: they hold constants, of views and policies too. */
  readonly text: string
}

const MAX_LINES = 100
const MAX_DEPTH = 50

/** Reads what EXPLAIN (FORMAT JSON, VERBOSE) says; `undefined` when it is not that. */
export function readPlan(json: string): Plan | undefined {
  const explained = JSON.parse(json) as unknown
  const plan = Array.isArray(explained) && isTree(explained[0]) ? explained[0]['Plan'] : undefined
  if (!isTree(plan)) return undefined
  const lines: string[] = []
  walk(plan, 0, lines)
  return { cost: numberIn(plan, 'Total Cost'), rows: numberIn(plan, 'Plan Rows'), text: lines.join('\n') }
}

function walk(node: Tree, depth: number, lines: string[]): void {
  if (depth > MAX_DEPTH || lines.length > MAX_LINES) return
  if (lines.length === MAX_LINES) return void lines.push('…')
  const part = textIn(node, 'Subplan Name')
  lines.push(`${'  '.repeat(depth)}${part === undefined ? '' : `${part}: `}${describe(node)}  (cost ${numberIn(node, 'Total Cost')}, about ${rowsOf(numberIn(node, 'Plan Rows'))})`)
  const children = node['Plans']
  if (Array.isArray(children)) for (const child of children) if (isTree(child)) walk(child, depth + 1, lines)
}

function describe(node: Tree): string {
  const join = textIn(node, 'Join Type')
  const schema = textIn(node, 'Schema')
  const relation = textIn(node, 'Relation Name')
  const index = textIn(node, 'Index Name')
  return [
    textIn(node, 'Node Type') ?? '?',
    ...join === undefined || join === 'Inner' ? [] : [`(${join})`],
    ...relation === undefined ? [] : [`on ${schema === undefined ? '' : `${schema}.`}${relation}`],
    ...index === undefined ? [] : [`using ${index}`],
  ].join(' ')
}

function textIn(node: Tree, key: string): string | undefined {
  const value = node[key]
  return typeof value === 'string' ? value : undefined
}

function numberIn(node: Tree, key: string): number {
  const value = node[key]
  return typeof value === 'number' ? value : 0
}

function rowsOf(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}
