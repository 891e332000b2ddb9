/**
 * Tells readers that follow that something became durable. A reader takes `version` before it reads and then
 * waits for a later one, so that a commit between its read and its wait is not missed.
 */
export class CommitSignal {
  #version = 0
  #waiting: (() => void)[] = []

  get version(): number {
    return this.#version
  }

  raise(): void {
    this.#version++
    if (this.#waiting.length === 0) return
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
  }

  /** Resolves when `version` is past `seen`, or `signal` aborts. */
  past(seen: number, signal?: AbortSignal): Promise<void> {
    if (this.#version !== seen || signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== wake)
        resolve()
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(wake)
    })
  }
}
