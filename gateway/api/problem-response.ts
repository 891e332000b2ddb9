import type { FastifyReply } from 'fastify'
import { SallyportError, type ErrorCode } from '../../core/index.ts'

/** RFC 9457 `application/problem+json`; `code` is ours and stable. */
export interface ProblemDetails {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode | 'BAD_REQUEST' | 'NOT_FOUND' | 'INTERNAL'
}

const STATUS: { readonly [C in ErrorCode]?: number } = {
  ACCESS_REFUSED: 403,
  APPROVAL_REFUSED: 409,
  APPROVAL_UNKNOWN: 404,
  GRANT_REFUSED: 409,
  GRANT_UNKNOWN: 404,
  BUS_UNAVAILABLE: 503,
  RULES_INVALID: 422,
  STORE_CONFLICT: 409,
  STORE_UNAVAILABLE: 503,
}
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict', 413: 'Content Too Large', 415: 'Unsupported Media Type',
  422: 'Unprocessable Content', 500: 'Internal Server Error', 503: 'Service Unavailable',
}

export function sendProblem(reply: FastifyReply, status: number, code: ProblemDetails['code'], detail: string): FastifyReply {
  const problem: ProblemDetails = { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code }
  return reply.code(status).type('application/problem+json').send(problem)
}

/** Our own errors are written for the caller; of others only the log hears more than that they happened. */
export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof SallyportError) return sendProblem(reply, STATUS[error.code] ?? 500, error.code, error.message)
  const status = statusOf(error)
  if (status < 500 && error instanceof Error) return sendProblem(reply, status, 'BAD_REQUEST', error.message)
  return sendProblem(reply, 500, 'INTERNAL', 'the gateway failed to answer; its log says more')
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 ? status : 500
}
