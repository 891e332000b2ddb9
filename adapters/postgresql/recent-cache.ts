interface Remembered<T> {
  readonly value: T
  readonly bytes: number
}

/**
 * Remembers what was used of late, bounded by entries and by bytes: two generations, of which the older is dropped
 * when the younger is full. A hit in the older one moves it to the younger.
 */
export class RecentCache<T> {
  readonly #maxEntries: number
  readonly #maxBytes: number
  #young = new Map<string, Remembered<T>>()
  #old = new Map<string, Remembered<T>>()
  #bytes = 0

  /** Each generation has half of both. */
  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries / 2
    this.#maxBytes = maxBytes / 2
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young.value
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old.value, old.bytes)
    return old?.value
  }

  set(key: string, value: T, bytes: number): void {
    if (this.#young.size >= this.#maxEntries || this.#bytes + bytes > this.#maxBytes) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = 0
    }
    this.#young.set(key, { value, bytes })
    this.#bytes += bytes
  }
}
