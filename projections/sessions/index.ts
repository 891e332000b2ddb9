export { sessionsProjection } from './projection.ts'
export { findSessions, querySessions, type SessionEntry, type SessionFilter } from './query.ts'
export { renderSessions } from './render.ts'
