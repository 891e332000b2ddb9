import type { FastifyRequest } from 'fastify'
import { SallyportError } from '../../core/index.ts'
import type { ApiCaller } from './tokens.ts'

/** The caller that the guard let in. */
export function callerOf(request: FastifyRequest): ApiCaller {
  if (request.caller === undefined) throw new SallyportError('ACCESS_REFUSED', 'nobody is logged in')
  return request.caller
}
