/** A set of code points, kept as sorted ranges. */
export class CodePointRanges {
  readonly #first: readonly number[]
  readonly #last: readonly number[]

  /** `packed`: comma-separated pairs in base 36, `<gap after the last end> <length - 1>`. */
  constructor(packed: string) {
    const first: number[] = []
    const last: number[] = []
    let end = 0
    for (const pair of packed.split(',')) {
      const [gap = 0, extent = 0] = pair.split(' ').map((digits) => Number.parseInt(digits, 36))
      first.push(end + gap)
      end += gap + extent
      last.push(end)
    }
    this.#first = first
    this.#last = last
  }

  has(codePoint: number): boolean {
    let low = 0
    let high = this.#first.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (codePoint < (this.#first[middle] ?? 0)) high = middle - 1
      else if (codePoint > (this.#last[middle] ?? 0)) low = middle + 1
      else return true
    }
    return false
  }
}
