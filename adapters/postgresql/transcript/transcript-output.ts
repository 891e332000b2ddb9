/** Lines up to a cap: what is recorded may be small and still ask for gigabytes of padding. */
export class TranscriptOutput {
  #lines: string[] = []
  #left: number
  readonly #cap: number

  /** @param cap - most characters that all lines may have together */
  constructor(cap: number) {
    this.#cap = cap
    this.#left = cap
  }

  get full(): boolean {
    return this.#left < 0
  }

  /** Takes one line or several; says so, once, when the cap is reached, and then takes no more. */
  write(text: string): void {
    if (this.full) return
    this.#left -= text.length + 1
    this.#lines.push(this.full ? `(transcript cut at ${this.#cap} characters)` : text)
  }

  /** What was written since the last call, each line with its end. */
  take(): string {
    const text = this.#lines.map((line) => `${line}\n`).join('')
    this.#lines = []
    return text
  }
}
