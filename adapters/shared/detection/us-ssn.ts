import { contextOf, vocabulary, weigh } from './context.ts'
import type { Finding } from './finding.ts'
import { DOT, HYPHEN, isCleanAfter, isCleanBefore, type NumberRun, SPACE } from './number-run.ts'

const WORDS = vocabulary('ssn ssns social security socialsecurity sozialversicherung taxpayer tin itin ss')
/** Printed in advertisements, and void since. Source: Social Security Administration. */
const VOID = new Set(['078051120', '219099999', '457555462'])
const PLUS = 43
/** Nine digits alone are too many other things. */
const ALONE = 0.2

/**
 * A US Social Security number at the beginning of a run: area, group and serial. No area is 000, 666 or above 899, no
 * group 00, no serial 0000. Source: SSA, POMS RM 10201.
 */
export function findUsSsn(run: NumberRun, hint: string): Finding | undefined {
  if (run.prefix === PLUS) return undefined
  const groups = run.length(0) === 9 ? 1 : isGrouped(run) ? 3 : 0
  if (groups === 0) return undefined
  const digits = run.joined(groups)
  const start = run.starts[0] as number
  const end = run.end(groups - 1)
  if (!isPossible(digits) || !isCleanBefore(run.text, start) || !isCleanAfter(run.text, end)) return undefined
  if (groups === 3 && run.separator(3) !== 0 && run.separator(3) === run.separator(1) && run.separator(3) !== SPACE) return undefined
  const context = contextOf(run.text, start, hint, WORDS)
  return { entity: 'us-ssn', start, end, confidence: weigh(base(run, groups), context, groups === 1 ? 0.6 : 0.3, 0.45) }
}

function base(run: NumberRun, groups: number): number {
  if (groups === 1) return ALONE
  return run.separator(1) === HYPHEN ? 0.85 : 0.55
}

function isGrouped(run: NumberRun): boolean {
  if (run.count < 3 || run.length(0) !== 3 || run.length(1) !== 2 || run.length(2) !== 4) return false
  const separator = run.separator(1)
  return separator === run.separator(2) && (separator === HYPHEN || separator === SPACE || separator === DOT)
}

function isPossible(digits: string): boolean {
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area >= '900') return false
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000' && !VOID.has(digits) && new Set(digits).size > 1
}
