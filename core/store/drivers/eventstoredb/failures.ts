import {
  AccessDeniedError,
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { SallyportError } from '../../../errors.ts'
import { StoreConflict, type ExpectedRevision } from '../../event-store.ts'

/** gRPC status codes that say the request itself was at fault. */
const INVALID_ARGUMENT = 3
const PERMISSION_DENIED = 7

/** What the client library threw, in the port's words. Whatever is not known to be final counts as unavailable. */
export function toStoreError(stream: string, error: unknown, expected: ExpectedRevision = 'any'): SallyportError {
  if (error instanceof SallyportError) return error
  if (error instanceof WrongExpectedVersionError) return new StoreConflict(stream, expected, actualRevision(error))
  if (error instanceof StreamDeletedError) return deleted(stream, error)
  if (error instanceof MaxAppendSizeExceededError) {
    return refused(`the events for "${stream}" are larger than the server takes in one append (${error.maxAppendSize} bytes)`, error)
  }
  if (isRefusal(error)) return refused(`EventStoreDB refused "${stream}": ${messageOf(error)}`, error)
  return unavailable(`EventStoreDB did not serve "${stream}": ${messageOf(error)}`, error)
}

export function unavailable(message: string, cause?: unknown): SallyportError {
  return new SallyportError('STORE_UNAVAILABLE', message, cause === undefined ? undefined : { cause })
}

export function refused(message: string, cause?: unknown): SallyportError {
  return new SallyportError('STORE_REFUSED', message, cause === undefined ? undefined : { cause })
}

export function corrupt(message: string, cause?: unknown): SallyportError {
  return new SallyportError('STORE_CORRUPT', message, cause === undefined ? undefined : { cause })
}

/** Somebody deleted a stream on the server, or part of it: the record is no longer whole, and says so. */
export function deleted(stream: string, cause?: unknown): SallyportError {
  return corrupt(`stream "${stream}" was deleted on the server; restore it from a backup`, cause)
}

function actualRevision(error: WrongExpectedVersionError): 'no_stream' | bigint {
  return typeof error.actualVersion === 'bigint' ? error.actualVersion : 'no_stream'
}

function isRefusal(error: unknown): boolean {
  if (error instanceof AccessDeniedError || error instanceof InvalidArgumentError) return true
  return error instanceof UnknownError && (error.code === INVALID_ARGUMENT || error.code === PERMISSION_DENIED)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
