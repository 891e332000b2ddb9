import type { Limits } from '../events/index.ts'
import { nearest } from './expression/nearest.ts'

interface Bound { readonly min: number; readonly max: number; readonly whole: boolean; readonly of: string }

/** A day is longer than anybody waits; a minute has room for no more statements than a window can remember. */
const BOUNDS: Readonly<Record<keyof Limits, Bound>> = {
  rows: { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true, of: 'rows that come back' },
  bytes: { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true, of: 'bytes that come back' },
  seconds: { min: 0.001, max: 86_400, whole: false, of: 'seconds' },
  statementsPerMinute: { min: 1, max: 60_000, whole: true, of: 'statements' },
}
const NAMES = Object.keys(BOUNDS) as (keyof Limits)[]

/** Reads `limits` of a vote, or says what is wrong with it. */
export function readLimits(written: unknown): { readonly is: Limits } | string {
  if (written === null || typeof written !== 'object' || Array.isArray(written) || Object.keys(written).length === 0) {
    return '"limits" says what a command may use: { "rows": 1000, "bytes": 10000000, "seconds": 30, "statementsPerMinute": 60 }'
  }
  for (const [name, value] of Object.entries(written)) {
    const known = NAMES.find((each) => each === name)
    if (known === undefined) return `"limits" has no "${name}"; write ${nearest(name, NAMES) ?? NAMES.join(', ')}`
    const { min, max, whole, of } = BOUNDS[known]
    const good = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))
    if (!good) return `"limits": "${name}" is a ${whole ? 'whole ' : ''}number of ${of} from ${min} to ${max}`
  }
  return { is: written as Limits }
}

/** The smallest of each, or `undefined` when nothing is limited. */
export function smallestLimits(all: readonly Limits[]): Limits | undefined {
  const entries = NAMES.flatMap((name) => {
    const values = all.flatMap(({ [name]: value }) => (value === undefined ? [] : [value]))
    return values.length === 0 ? [] : [[name, Math.min(...values)] as const]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
