/** Decisions as PostgreSQL messages: what a client reads when it may not, must wait, or may see only a part. */
import type { ApprovalRequested, Decision, ErrorCode } from '../../core/index.ts'
import { encodeError, encodeNotice, parseErrorFields } from './startup/error-fields.ts'
import type { Exceeded } from './limit-watch.ts'
import type { ErrorExposure } from './sql/index.ts'

/** Our codes in PostgreSQL's words. Source: PostgreSQL documentation, appendix A. */
export const SQLSTATE = {
  STORE_CONFLICT: '58000',
  STORE_UNAVAILABLE: '58000',
  STORE_CORRUPT: '58000',
  STORE_LOCKED: '58000',
  STORE_REFUSED: '58000',
  BUS_UNAVAILABLE: '58000',
  BUS_TIMEOUT: '58000',
  BUS_REFUSED: '58000',
  RULES_INVALID: '58000',
  RULE_FAILED: '58000',
  CONFIG_INVALID: 'F0000',
  APPROVAL_REFUSED: '42501',
  APPROVAL_UNKNOWN: '42501',
  GRANT_REFUSED: '42501',
  GRANT_UNKNOWN: '42501',
  PROTOCOL_VIOLATION: '08P01',
  TARGET_UNAVAILABLE: '08006',
  ACCESS_REFUSED: '28000',
} as const satisfies Record<ErrorCode, string>

export const INSUFFICIENT_PRIVILEGE = '42501'
export const SYSTEM_ERROR = '58000'
export const QUERY_CANCELED = '57014'
export const ADMIN_SHUTDOWN = '57P01'
export const PROGRAM_LIMIT_EXCEEDED = '54000'

/** The ErrorResponse for a command that will not run. The session goes on. */
export function refusal(decision: Decision): Buffer {
  const { verdict, id } = decision
  const code = verdict.by === 'failure' ? SYSTEM_ERROR : INSUFFICIENT_PRIVILEGE
  const message = verdict.by === 'failure' ? verdict.reason : `blocked by policy: ${verdict.reason}`
  return encodeError({ severity: 'ERROR', code, message, hint: `This is recorded as event ${id}; give that id to whoever can change the policy.` })
}

export function cancelled(): Buffer {
  return encodeError({ severity: 'ERROR', code: QUERY_CANCELED, message: 'canceling statement due to user request' })
}

export interface BeyondLimit {
  readonly code: string
  readonly message: string
  readonly bytes: Buffer
}

/** The ErrorResponse for a command that went beyond a limit. `kept` is the target's word when it had completed it for good. */
export function beyondLimit(decision: Decision | undefined, { name, value }: Exceeded, kept: string | undefined): BeyondLimit {
  const code = PROGRAM_LIMIT_EXCEEDED
  const message = `limit reached: more than ${value} ${name}`
  const detail = kept === undefined ? {} : { detail: `The target had completed it before it could be ended, and what it did is kept (${kept}).` }
  const hint = `This is recorded as event ${decision?.id ?? ''}; give that id to whoever can change the policy.`
  return { code, message, bytes: encodeError({ severity: 'ERROR', code, message, ...detail, hint }) }
}

export function fatal(code: string, message: string, hint?: string): Buffer {
  return encodeError({ severity: 'FATAL', code, message, ...(hint === undefined ? {} : { hint }) })
}

/** Tells the client that its statement waits, for whom, and how to go on. */
export function holdNotice(request: ApprovalRequested, reason: string): Buffer {
  const { approval, terms, expires } = request
  return encodeNotice({
    severity: 'NOTICE',
    code: '00000',
    message: `waiting for approval ${approval}: ${reason}`,
    detail: `May be approved by ${terms.approvers.join(', ') || 'nobody'} until ${expires}.`,
    hint: `A reviewer runs: sallyport approvals approve ${approval}. Cancel the statement to withdraw it.`,
  })
}

/**
 * An ErrorResponse or NoticeResponse without the fields that may quote data: DETAIL, HINT, CONTEXT and internal queries;
 * where even the message may (a trigger says what it likes), without that.
 */
export function withoutDetails(buffer: Buffer, start: number, end: number, exposure: ErrorExposure): Buffer {
  const { severity = 'ERROR', severityText = severity, code = 'XX000', message: said = '', position, schema, table, constraint } = parseErrorFields(buffer, start + 5, end, 'latin1')
  const message = exposure === 'message' ? 'the target reported an error; its text is withheld, for it could quote a masked column' : said
  const kept = { severity, severityText, code, message, ...(position === undefined ? {} : { position }), ...(schema === undefined ? {} : { schema }), ...(table === undefined ? {} : { table }), ...(constraint === undefined ? {} : { constraint }) }
  const hint = 'Details were removed: they could quote a masked column.'
  const encode = buffer[start] === 0x45 ? encodeError : encodeNotice
  return encode({ ...kept, hint }, 'latin1')
}
