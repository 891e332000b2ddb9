import type { Command, Identity, Target } from '../../../core/events/index.ts'
import type { FactsDeclaration, RuleInput, SessionFacts } from '../../../core/rules/rule-engine.ts'

/** A declaration of the tests' own, with one fact of each type. */
export const FACTS: readonly FactsDeclaration[] = [
  { namespace: 'sql', defaults: { statements: 1, tables: [], writes: [], unbounded: false, transaction: '' } },
  { namespace: 'http', defaults: { method: '', status: 0 } },
]
export const LABELS: readonly string[] = ['env', 'data-class']
export const APPROVAL = { approvers: ['group:reviewers'], timeoutSeconds: 600 }
export const OPTIONS = { default: 'block' as const, facts: FACTS, labels: LABELS, approval: APPROVAL }

/** 2026-11-19 is a Thursday. */
export const NOON = Date.UTC(2026, 10, 19, 12, 30)

export interface Parts {
  readonly command?: Partial<Command>
  readonly identity?: Partial<Identity>
  readonly target?: Partial<Target>
  readonly session?: Partial<SessionFacts>
  readonly now?: number
}

/** A whole input: a person reading one table, with some parts as given. Deeply frozen, as adapters give it. */
export function ruleInput(parts: Parts = {}): RuleInput {
  return freeze({
    command: {
      protocol: 'postgresql', action: 'read', actions: ['read'], phase: 'execute', text: 'SELECT 1', values: [], valuesComplete: true,
      resources: [], fidelity: 'parsed', opaque: '',
      facts: { sql: { statements: 1, tables: [], writes: [], unbounded: false, transaction: '' } }, ...parts.command,
    },
    identity: { subject: 'ada', kind: 'person', actor: '', groups: ['engineers'], method: 'scram-sha-256', ...parts.identity },
    target: { name: 'shop', protocol: 'postgresql', database: 'shop', labels: { env: 'production' }, classes: {}, ...parts.target },
    session: { id: 's-1', address: '192.0.2.1', application: 'psql', task: '', tls: true, startedAt: '2026-11-19T12:00:00.000Z', commands: 1, transaction: 'idle', ...parts.session },
    now: parts.now ?? NOON,
  })
}

export function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}
