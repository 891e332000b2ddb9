/** Of an even count, the mean of the two in the middle. `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/**
 * The median of the ratios round by round, so that a slow moment of the machine, which falls on both of a round, falls out.
 * `undefined` without a base.
 */
export function pairedRatio(values: readonly number[], base: readonly number[] | undefined): number | undefined {
  if (base === undefined || base.length === 0) return undefined
  return median(values.flatMap((value, round) => {
    const other = base[round]
    return other === undefined ? [] : [value / other]
  }))
}

/** To four significant digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
