import { SallyportError } from '../../../core/index.ts'

/** The peer broke the protocol; the connection ends with this SQLSTATE and message, which quote nothing of the peer's secrets. */
export class ProtocolViolation extends SallyportError {
  readonly sqlState: string
  constructor(sqlState: string, message: string) {
    super('PROTOCOL_VIOLATION', message)
    this.name = 'ProtocolViolation'
    this.sqlState = sqlState
  }
}
