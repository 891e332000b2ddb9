/**
 * Loaded before the gateway's own code, with `--expose-gc`: answers each message from the bench with the memory in use
 * after a collection, and ends the gateway when the bench is gone. Costs nothing while nobody asks.
 */
export interface MemoryUse {
  readonly rss: number
  readonly heapUsed: number
  /** Buffers and what addons hold. */
  readonly external: number
}

const COLLECTIONS = 4

/** Finalisers free what the collection before them found, so one is not enough; between two of them the loop turns. */
async function afterCollection(): Promise<MemoryUse> {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

process.on('message', () => {
  void afterCollection().then((use) => process.send?.(use))
})
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
