export { auditProjection } from './projection.ts'
export { grantsUntil, queryAudit, type AuditEntry, type AuditFilter } from './query.ts'
export { renderAudit, renderAuditEntry } from './render.ts'
