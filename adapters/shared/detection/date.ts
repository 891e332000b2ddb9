import { DOT, HYPHEN, type NumberRun, SLASH, SPACE } from './number-run.ts'

/** Whether a run begins with a date: year first, or year last in four digits. */
export function isDate(run: NumberRun): boolean {
  if (run.count < 3) return false
  const separator = run.separator(1)
  if (separator !== run.separator(2) || separator !== HYPHEN && separator !== DOT && separator !== SLASH && separator !== SPACE) return false
  if (run.length(0) === 4) return isYear(run, 0) && isMonthAndDay(run, 1, 2)
  return run.length(2) === 4 && isYear(run, 2) && (isMonthAndDay(run, 0, 1) || isMonthAndDay(run, 1, 0))
}

function isYear(run: NumberRun, group: number): boolean {
  const year = run.value(group)
  return year >= 1800 && year <= 2199
}

function isMonthAndDay(run: NumberRun, month: number, day: number): boolean {
  if (run.length(month) > 2 || run.length(day) > 2) return false
  const [m, d] = [run.value(month), run.value(day)]
  return m >= 1 && m <= 12 && d >= 1 && d <= 31
}
