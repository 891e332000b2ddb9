export { replayProjection } from './projection.ts'
export { readReplay, type ReplayAnswer, type ReplayDecision, type ReplayStep } from './read.ts'
export { playReplay, renderStep, renderReplayHeader, type RecordingRenderer, type RecordingRenderers } from './render.ts'
