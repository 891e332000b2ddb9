import { SallyportError } from '../../../core/index.ts'
import type { ErrorFields } from '../startup/error-fields.ts'

/** The target could not be reached, was not who it should be, or said no. */
export class UpstreamError extends SallyportError {
  /** The target's own words, when it was the target that said no. */
  readonly fields: ErrorFields | undefined
  constructor(message: string, options: { fields?: ErrorFields; cause?: unknown } = {}) {
    super('TARGET_UNAVAILABLE', message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'UpstreamError'
    this.fields = options.fields
  }
}

/** From an ErrorResponse. */
export function refusedByTarget(fields: ErrorFields): UpstreamError {
  return new UpstreamError(`the target refused: ${fields.message ?? 'no message'} (${fields.code ?? 'no code'})`, { fields })
}
