/** Stable codes; docs/errors.md lists each with its meaning, and a test keeps the two equal. */
export type ErrorCode =
  | 'STORE_CONFLICT'
  | 'STORE_UNAVAILABLE'
  | 'STORE_CORRUPT'
  | 'STORE_LOCKED'
  | 'STORE_REFUSED'
  | 'BUS_UNAVAILABLE'
  | 'BUS_TIMEOUT'
  | 'BUS_REFUSED'
  | 'RULES_INVALID'
  | 'RULE_FAILED'
  | 'CONFIG_INVALID'
  | 'APPROVAL_REFUSED'
  | 'APPROVAL_UNKNOWN'
  | 'GRANT_REFUSED'
  | 'GRANT_UNKNOWN'
  | 'PROTOCOL_VIOLATION'
  | 'TARGET_UNAVAILABLE'
  | 'ACCESS_REFUSED'

/** The one base of every error Sallyport throws. A denial is a value, not one of these. */
export class SallyportError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SallyportError'
    this.code = code
  }
}
