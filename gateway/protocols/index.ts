import type { Protocol } from './protocol.ts'
import { postgresql } from './postgresql.ts'

/** Every protocol the gateway speaks. */
export const PROTOCOLS: readonly Protocol[] = [postgresql]
export type { AdapterParts, Protocol, RunningAdapter } from './protocol.ts'
