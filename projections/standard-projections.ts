import { auditProjection } from './audit/projection.ts'
import { anyProjection, type Projection } from './projection.ts'
import { replayProjection } from './replay/projection.ts'
import { sessionsProjection } from './sessions/projection.ts'

/** The read models that every gateway keeps. */
export const standardProjections: readonly Projection[] = [anyProjection(auditProjection), anyProjection(replayProjection), anyProjection(sessionsProjection)]
