import type { ApprovalAnswered, ApprovalRequested, Identity, RecordedEvent } from '../events/index.ts'

/** Where an approval stands; a fold over its stream. The only ways on are those in `NEXT`. */
export type ApprovalState =
  | { readonly status: 'none' }
  | { readonly status: 'pending'; readonly request: ApprovalRequested }
  | { readonly status: 'granted' | 'denied'; readonly request: ApprovalRequested; readonly answer: ApprovalAnswered }
  | { readonly status: 'expired' | 'consumed'; readonly request: ApprovalRequested }
  | { readonly status: 'withdrawn'; readonly request: ApprovalRequested; readonly reason: string }

/** What may follow each state; a grant is spent once, or withdrawn unused. Everything else in the stream changes nothing. */
const NEXT: Readonly<Record<ApprovalState['status'], readonly string[]>> = {
  none: ['approval.requested.v1'],
  pending: ['approval.granted.v1', 'approval.denied.v1', 'approval.expired.v1', 'approval.withdrawn.v1'],
  granted: ['approval.consumed.v1', 'approval.withdrawn.v1'],
  denied: [],
  expired: [],
  withdrawn: [],
  consumed: [],
}

export function evolve(state: ApprovalState, event: Pick<RecordedEvent, 'type' | 'data'>): ApprovalState {
  if (!NEXT[state.status].includes(event.type)) return state
  if (event.type === 'approval.requested.v1') return { status: 'pending', request: event.data as ApprovalRequested }
  if (state.status === 'none') return state
  const { request } = state
  switch (event.type) {
    case 'approval.granted.v1':
      return { status: 'granted', request, answer: event.data as ApprovalAnswered }
    case 'approval.denied.v1':
      return { status: 'denied', request, answer: event.data as ApprovalAnswered }
    case 'approval.expired.v1':
      return { status: 'expired', request }
    case 'approval.withdrawn.v1':
      return { status: 'withdrawn', request, reason: (event.data as { reason: string }).reason }
    case 'approval.consumed.v1':
      return { status: 'consumed', request }
    default:
      return state
  }
}

/** Why `reviewer` may not answer, or `undefined` when they may. */
export function refusal(state: ApprovalState, reviewer: Identity, digest: string, now: number): string | undefined {
  if (state.status === 'none') return 'there is no such approval'
  if (state.status !== 'pending') return `it is already ${state.status}`
  const { request } = state
  if (Date.parse(request.expires) <= now) return 'it has expired'
  if (request.digest !== digest) return 'it asks for something else than what you were shown'
  if (isRequester(request.identity, reviewer)) return 'you asked for it yourself; a second person has to answer'
  if (!isAmong(request.terms.approvers, reviewer)) return `you are not one of its approvers (${request.terms.approvers.join(', ')})`
  return undefined
}

/** Whether a reviewer is who asked, or one of the two is the agent of the other. */
export function isRequester(requester: Identity, reviewer: Identity): boolean {
  const theirs = [requester.subject, requester.actor].filter((name) => name !== '')
  return theirs.includes(reviewer.subject) || (reviewer.actor !== '' && theirs.includes(reviewer.actor))
}

/** Whether a list of `group:NAME` and subjects names somebody. */
export function isAmong(approvers: readonly string[], { subject, groups }: Identity): boolean {
  return approvers.some((approver) => (approver.startsWith('group:') ? groups.includes(approver.slice('group:'.length)) : approver === subject))
}
