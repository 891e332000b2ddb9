import { accessSync, constants } from 'node:fs'

export * from '../../gateway/demo/postgres-binaries.ts'

/** Whether a program is there and may be run. */
export function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
