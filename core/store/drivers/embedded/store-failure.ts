import { SallyportError, type ErrorCode } from '../../../errors.ts'

/** SQLite result codes (https://sqlite.org/rescode.html), the low byte of an extended one. */
export const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** `what`: what is wrong and where. */
export function corrupt(path: string, what: string, cause?: unknown): SallyportError {
  const advice = 'Nothing was changed. Restore the file from a backup; opened read-only, it still yields what is readable.'
  return new SallyportError('STORE_CORRUPT', `${path}: ${what}. ${advice}`, { cause })
}

/** What SQLite or the operating system threw, in the port's codes. */
export function storeFailure(path: string, error: unknown): SallyportError {
  if (error instanceof SallyportError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = sqliteCode(error)
  if (code === SQLITE_NOTADB) return corrupt(path, 'the file is not an event store: its header is not SQLite\'s', error)
  if (code === SQLITE_CORRUPT) return corrupt(path, `SQLite cannot read its structure (${message})`, error)
  const why = code === SQLITE_FULL ? 'no space is left on its disk' : message
  return new SallyportError('STORE_UNAVAILABLE', `${path}: ${why}`, { cause: error })
}

/** The primary SQLite result code of an error; 0 when it has none. */
export function sqliteCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error)) return 0
  return typeof error.errcode === 'number' ? error.errcode & 0xff : 0
}

/** An error as it crosses from the writer's thread. */
export interface SentFailure {
  readonly code: ErrorCode
  readonly message: string
}

export function sendable(failure: SallyportError): SentFailure {
  return { code: failure.code, message: failure.message }
}

export function received(failure: SentFailure): SallyportError {
  return new SallyportError(failure.code, failure.message)
}
