import type { FastifyInstance } from 'fastify'
import { isRequester, SallyportError, type ApprovalRequested, type ApprovalState, type Identity } from '../../core/index.ts'
import { callerOf } from './caller-of.ts'
import type { ApiDependencies } from './server.ts'

const ID = { type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: '^[0-9a-z]{1,32}$' } } }
const ANSWER = {
  type: 'object', required: ['digest'], additionalProperties: false,
  properties: {
    digest: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
    comment: { type: 'string', maxLength: 1000, default: '' },
  },
}

/** What a reviewer is shown of an approval. */
export interface ShownApproval {
  readonly status: ApprovalState['status']
  readonly request: ApprovalRequested
  readonly answeredBy?: string
  readonly comment?: string
}

/**
 * `GET /approvals`, `GET /approvals/:id`, `POST /approvals/:id/approve|deny { digest, comment? }`.
 * One sees what one asked for, or may answer; for everybody else it does not exist.
 */
export function approvalRoutes(app: FastifyInstance, { approvals }: ApiDependencies): void {
  app.get('/approvals', (request) => {
    const { identity } = callerOf(request)
    return { approvals: approvals.pending().filter((pending) => maySee(pending, identity)).map((pending) => forReader(pending, identity)) }
  })
  app.get<{ Params: { id: string } }>('/approvals/:id', { schema: { params: ID } }, async (request) => {
    const { identity } = callerOf(request)
    return shown(await visible(approvals, request.params.id, identity), identity)
  })
  for (const word of ['approve', 'deny'] as const) {
    app.post<{ Params: { id: string }; Body: { digest: string; comment: string } }>(`/approvals/:id/${word}`, { schema: { params: ID, body: ANSWER } }, async (request) => {
      const { identity: reviewer } = callerOf(request)
      const { id } = request.params
      await visible(approvals, id, reviewer)
      await approvals.answer(id, { grant: word === 'approve', reviewer, ...request.body })
      return shown(await approvals.get(id), reviewer)
    })
  }
}

async function visible(approvals: ApiDependencies['approvals'], id: string, identity: Identity): Promise<ApprovalState> {
  const state = await approvals.get(id)
  if (state.status === 'none' || !maySee(state.request, identity)) throw new SallyportError('APPROVAL_UNKNOWN', `there is no approval ${id} for you to see`)
  return state
}

function maySee({ identity, terms }: ApprovalRequested, { subject, groups }: Identity): boolean {
  return identity.subject === subject || terms.approvers.some((approver) => approver === subject || groups.some((group) => approver === `group:${group}`))
}

/** What a command would change is for whoever decides on it: who asks would read rows, or count them, by asking. */
function forReader(request: ApprovalRequested, identity: Identity): ApprovalRequested {
  if (!isRequester(request.identity, identity)) return request
  const { impact: _, ...others } = request
  return others
}

function shown(state: ApprovalState, identity: Identity): ShownApproval {
  if (state.status === 'none') throw new SallyportError('APPROVAL_UNKNOWN', 'there is no such approval')
  const { status } = state
  const request = forReader(state.request, identity)
  return 'answer' in state ? { status, request, answeredBy: state.answer.by.subject, comment: state.answer.comment } : { status, request }
}
