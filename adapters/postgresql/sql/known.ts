/** What may be known of a value, and how it goes through arithmetic. */
export interface Known {
  /** Never NULL. */
  readonly never: boolean
  /** The least and the greatest number; NaN where it is none, or not known. */
  readonly low: number
  readonly high: number
  /** A text that is the same for the same value; the value is that, and between `from` and `to` more. */
  readonly base?: string | undefined
  readonly from: number
  readonly to: number
  /** A text that is not empty. */
  readonly filled: boolean
}

export const ANY: Known = { never: false, low: Number.NaN, high: Number.NaN, from: 0, to: 0, filled: false }
export const number = (low: number, high: number, never = true): Known => ({ ...ANY, never, low, high })
export const present = (never: boolean): Known => ({ ...ANY, never })
export const isNumber = ({ low, high }: Known): boolean => !Number.isNaN(low) && !Number.isNaN(high)
/** Of types without bounds, all but infinity. */
export const MOST = Number.MAX_VALUE

export function arithmetic(symbol: string, a: Known, b: Known): Known {
  if (symbol === '+') return { ...number(a.low + b.low, a.high + b.high), ...(a.base === undefined ? moved(b, a.low, a.high) : b.base === undefined ? moved(a, b.low, b.high) : {}) }
  if (symbol === '-' && a.base !== undefined && a.base === b.base) return number(a.from - b.to, a.to - b.from)
  if (symbol === '-') return { ...number(a.low - b.high, a.high - b.low), ...(b.base === undefined ? moved(a, -b.high, -b.low) : {}) }
  if (/^[*/]$/.test(symbol) && b.low === 1 && b.high === 1) return a
  if (symbol === '*') return a.low === 1 && a.high === 1 ? b : product(a, b)
  if (symbol === '%' && b.low === b.high && b.low !== 0) return remainder(a, Math.abs(b.low))
  return ANY
}

/** So much more than its base. */
function moved({ base, from, to }: Known, least: number, most: number): Partial<Known> {
  return Number.isNaN(least) || Number.isNaN(most) ? {} : { base, from: from + least, to: to + most }
}

/** It has the sign of what is divided. */
function remainder({ low, high }: Known, by: number): Known {
  const most = high < MOST ? by - 1 : by
  return Number.isNaN(low) ? ANY : number(low >= 0 ? 0 : -most, most)
}

function product(a: Known, b: Known): Known {
  if ([a, b].some(({ low, high }) => low === 0 && high === 0)) return number(0, 0)
  if (a.base !== undefined && a.base === b.base && a.from === a.to && b.from === b.to && a.from === b.from) return number(0, Infinity)
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
  return number(Math.min(...corners), Math.max(...corners))
}
