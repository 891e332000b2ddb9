import { watch } from 'node:fs'

const DEBOUNCE_MS = 100

/**
 * Calls `changed` once things have been quiet for 100 ms after something in a folder changed. A folder that cannot be
 * watched (any more) is reported to `failed`; what was loaded stays. Returns how to stop.
 */
export function watchFolder(folder: string, changed: () => void, failed: (error: Error) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(changed, DEBOUNCE_MS).unref()
  }
  try {
    const watcher = watch(folder, { persistent: false }, later)
    watcher.on('error', failed)
    return () => {
      clearTimeout(timer)
      watcher.close()
    }
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)))
    return () => clearTimeout(timer)
  }
}
