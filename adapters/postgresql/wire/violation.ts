/** A peer sent bytes that are no PostgreSQL message. */
export class WireViolation extends Error {
  readonly code = 'PROTOCOL_VIOLATION'
  constructor(message: string) {
    super(`invalid message: ${message}`)
    this.name = 'WireViolation'
  }
}
