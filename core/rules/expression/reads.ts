import { childrenOf, type Expression } from './expression.ts'

/**
 * The input paths an expression reads, as precise as it names them: `command.resources.name`.
 * A bare root would be the empty path, which stands for everything.
 */
export function readsOf(expression: Expression): ReadonlySet<string> {
  const reads = new Set<string>()
  collect(expression, reads)
  return reads
}

function collect(expression: Expression, reads: Set<string>): void {
  if (isChain(expression) && expression.path !== undefined) {
    reads.add(expression.path)
    for (const inner of besideChain(expression)) collect(inner, reads)
    return
  }
  for (const child of childrenOf(expression)) collect(child, reads)
}

function isChain({ op }: Expression): boolean {
  return op === 'field' || op === 'filter' || op === 'index' || op === 'root' || op === 'context' || op === 'demand'
}

/** What stands in the brackets of a chain; the chain itself is one path, the longest. */
function besideChain(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'field': return inChain(expression.of)
    case 'demand': return inChain(expression.operand)
    case 'filter': return [expression.test, ...inChain(expression.of)]
    case 'index': return [expression.index, ...inChain(expression.of)]
    default: return []
  }
}

function inChain(expression: Expression): readonly Expression[] {
  return isChain(expression) ? besideChain(expression) : [expression]
}

/** Whether one path is the other, or stands above or below it. */
export function overlaps(one: string, other: string): boolean {
  return one === other || one === '' || other === '' || one.startsWith(`${other}.`) || other.startsWith(`${one}.`)
}
