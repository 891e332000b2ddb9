import type { GrantIssued, GrantRevoked, Identity, RecordedEvent } from '../events/index.ts'

/** Where a grant stands; a fold over its stream. That its time is up is no event: it is seen by the clock. */
export type GrantState =
  | { readonly status: 'none' }
  | { readonly status: 'issued'; readonly issued: GrantIssued }
  | { readonly status: 'revoked'; readonly issued: GrantIssued; readonly revoked: GrantRevoked }

export function evolve(state: GrantState, event: Pick<RecordedEvent, 'type' | 'data'>): GrantState {
  if (state.status === 'none' && event.type === 'grant.issued.v1') return { status: 'issued', issued: event.data as GrantIssued }
  if (state.status === 'issued' && event.type === 'grant.revoked.v1') return { ...state, status: 'revoked', revoked: event.data as GrantRevoked }
  return state
}

export function isActive(state: GrantState, now: number): state is GrantState & { readonly status: 'issued' } {
  return state.status === 'issued' && Date.parse(state.issued.expires) > now
}

/** What is known of a session that a grant may be for. */
export interface GrantSession {
  readonly identity: Identity
  readonly target: { readonly name: string }
  /** Claimed by the client; empty when nothing is. */
  readonly task: string
}

/** A grant to a person is not one to the agents that act for them. A claimed task can only be asked for: it narrows. */
export function holdsFor({ to, actsFor, target, task }: GrantIssued, session: GrantSession): boolean {
  const { subject, actor } = session.identity
  const isGrantee = actor === '' ? subject === to && actsFor === '' : actor === to && subject === actsFor
  return isGrantee && target === session.target.name && (task === undefined || task === session.task)
}

/** Why `issuer` may not give it, or `undefined`. A second person gives: neither who gets it, nor whom they act for. */
export function issueRefusal({ to, actsFor }: Pick<GrantIssued, 'to' | 'actsFor'>, issuer: Identity, isIssuer: boolean): string | undefined {
  if (issuer.kind !== 'person' || issuer.actor !== '') return 'only a person can give one'
  if (issuer.subject === to) return 'nobody can give one to themselves; ask a second person'
  if (issuer.subject === actsFor) return `${to} acts for you; a second person has to give it`
  return isIssuer ? undefined : 'you are not one of those who may give one (grants.approvers)'
}
