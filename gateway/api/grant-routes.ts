import type { FastifyInstance } from 'fastify'
import { MAX_GRANT_COLUMNS, MAX_TASK_CHARS, SallyportError, type GrantIssued, type GrantRequest, type GrantState, type Identity } from '../../core/index.ts'
import { callerOf } from './caller-of.ts'
import type { ApiDependencies } from './server.ts'

const ID = { type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: '^[0-9a-z]{1,32}$' } } }
const REASON = { type: 'string', minLength: 1, maxLength: 500 }
const ISSUE = {
  type: 'object', required: ['to', 'target', 'columns', 'seconds', 'reason'], additionalProperties: false,
  properties: {
    to: { type: 'string', maxLength: 64 }, target: { type: 'string', maxLength: 64 },
    columns: { type: 'array', minItems: 1, maxItems: MAX_GRANT_COLUMNS, items: { type: 'string', maxLength: 256 } },
    seconds: { type: 'integer', minimum: 1 }, reason: REASON, task: { type: 'string', minLength: 1, maxLength: MAX_TASK_CHARS },
  },
}
const REVOKE = { type: 'object', required: ['reason'], additionalProperties: false, properties: { reason: REASON } }

/** A grant as it is shown: `expired` is what the clock says. */
export interface ShownGrant {
  readonly status: 'issued' | 'revoked' | 'expired'
  readonly issued: GrantIssued
  readonly revokedBy?: string
  readonly revokedBecause?: string
}

/**
 * `GET /grants`, `GET /grants/:id`, `POST /grants { to, target, columns, seconds, reason, task? }`,
 * `POST /grants/:id/revoke { reason }`. One sees those for oneself and one's agents, and, who may give them, all.
 */
export function grantRoutes(app: FastifyInstance, { grants, now }: ApiDependencies): void {
  app.get('/grants', (request) => {
    const { identity } = callerOf(request)
    return { grants: grants.list().filter((grant) => maySee(grant, identity)) }
  })
  app.get<{ Params: { id: string } }>('/grants/:id', { schema: { params: ID } }, async (request) => (
    shown(await visible(request.params.id, callerOf(request).identity))))
  app.post<{ Body: GrantRequest }>('/grants', { schema: { body: ISSUE } }, async (request) => (
    shown({ status: 'issued', issued: await grants.issue(request.body, callerOf(request).identity) })))
  app.post<{ Params: { id: string }; Body: { reason: string } }>('/grants/:id/revoke', { schema: { params: ID, body: REVOKE } }, async (request) => {
    const { identity } = callerOf(request)
    await visible(request.params.id, identity)
    return shown(await grants.revoke(request.params.id, identity, request.body.reason))
  })

  const maySee = ({ to, actsFor }: GrantIssued, identity: Identity): boolean => grants.mayIssue(identity) || identity.subject === to || identity.subject === actsFor

  async function visible(id: string, identity: Identity): Promise<GrantState> {
    const state = await grants.get(id)
    if (state.status === 'none' || !maySee(state.issued, identity)) throw unknown(id)
    return state
  }

  function shown(state: GrantState): ShownGrant {
    if (state.status === 'none') throw unknown('')
    const { issued } = state
    if (state.status === 'revoked') return { status: 'revoked', issued, revokedBy: state.revoked.by.subject, revokedBecause: state.revoked.reason }
    return { status: Date.parse(issued.expires) > now() ? 'issued' : 'expired', issued }
  }
}

function unknown(id: string): SallyportError {
  return new SallyportError('GRANT_UNKNOWN', `there is no grant ${id} for you to see`)
}
