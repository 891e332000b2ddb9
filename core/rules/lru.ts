/** A map of bounded size that forgets what was not asked for longest. */
export class Lru<T> {
  readonly #max: number
  readonly #map = new Map<string, T>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: string): T | undefined {
    const value = this.#map.get(key)
    if (value === undefined) return undefined
    this.#map.delete(key)
    this.#map.set(key, value)
    return value
  }

  set(key: string, value: T): void {
    this.#map.delete(key)
    if (this.#map.size >= this.#max) this.#map.delete(this.#map.keys().next().value ?? '')
    this.#map.set(key, value)
  }

  get size(): number {
    return this.#map.size
  }
}
