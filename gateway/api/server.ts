import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Answer, ApprovalRequested, ApprovalState, Grants } from '../../core/index.ts'
import { approvalRoutes } from './approval-routes.ts'
import { grantRoutes } from './grant-routes.ts'
import type { LiveSession } from './live-sessions.ts'
import { operatorRoutes } from './operator-routes.ts'
import { sendError, sendProblem } from './problem-response.ts'
import type { ApiCaller } from './tokens.ts'

const MAX_BODY_BYTES = 16 * 1024
const REQUEST_TIMEOUT_MS = 10_000

export interface Health {
  readonly status: 'ok' | 'failing'
  readonly gateway: string
  readonly version: string
  readonly sessions: number
  /** Digest of the ruleset in force. */
  readonly ruleset: string
  /** What fails, in words for an operator; empty when nothing does. */
  readonly problem: string
}

/** What the API needs of the gateway. */
export interface ApiDependencies {
  /** The caller a bearer token belongs to. */
  readonly caller: (token: string) => ApiCaller | undefined
  readonly approvals: {
    pending(): readonly ApprovalRequested[]
    get(approval: string): Promise<ApprovalState>
    answer(approval: string, answer: Answer): Promise<void>
  }
  readonly grants: Pick<Grants, 'list' | 'get' | 'issue' | 'revoke' | 'mayIssue'>
  /** Unix time in ms. */
  readonly now: () => number
  readonly sessions: () => readonly LiveSession[]
  /** Loads the rules anew; throws `RULES_INVALID` and keeps the old ones when the new are broken. */
  readonly reloadRules: () => Promise<{ digest: string; rules: number }>
  readonly health: () => Promise<Health>
  /** Told of every call that was not let in. */
  readonly refused: (refusal: { address: string; code: 'bad-credentials' | 'not-an-operator'; message: string; claimedSubject: string }) => void
  readonly failed: (error: unknown) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: ApiCaller | undefined
  }
}

/** The local API: approvals and grants for reviewers, sessions and rules for operators, health for everybody. JSON, errors as problem+json. */
export function createApi(dependencies: ApiDependencies): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: true, logger: false,
    routerOptions: { maxParamLength: 64 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  app.decorateRequest('caller', undefined)
  app.setErrorHandler((error, _, reply) => {
    if (!(error instanceof Error && 'validation' in error)) dependencies.failed(error)
    return sendError(reply, error)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(reply, 404, 'NOT_FOUND', `there is no ${request.method} ${request.url.split('?', 1)[0] ?? ''}`))
  app.get('/v1/health', async (_, reply) => {
    const health = await dependencies.health()
    return reply.code(health.status === 'ok' ? 200 : 503).send(health)
  })
  void app.register(async (guarded) => {
    guarded.addHook('onRequest', async (request, reply) => {
      request.caller = dependencies.caller(bearerToken(request))
      if (request.caller !== undefined) return undefined
      const message = 'a valid API token is needed'
      dependencies.refused({ address: addressOf(request), code: 'bad-credentials', message, claimedSubject: '' })
      return sendProblem(reply.header('www-authenticate', 'Bearer'), 401, 'ACCESS_REFUSED', `${message}: Authorization: Bearer …`)
    })
    approvalRoutes(guarded, dependencies)
    grantRoutes(guarded, dependencies)
    operatorRoutes(guarded, dependencies)
  }, { prefix: '/v1' })
  return app
}

function bearerToken(request: FastifyRequest): string {
  const header = request.headers.authorization ?? ''
  return header.startsWith('Bearer ') ? header.slice('Bearer '.length) : ''
}

/** A unix socket has no addresses. */
export function addressOf(request: FastifyRequest): string {
  const { remoteAddress, remotePort } = request.socket
  return remoteAddress === undefined ? 'unix-socket' : `${remoteAddress}:${remotePort ?? 0}`
}
