import type { Run } from './run.ts'
import type { Understood } from './observe.ts'

/** A prepared statement of the session. */
export interface Prepared {
  readonly understood: Understood
  /** Types of its parameters as Parse gave them; 0 is unspecified. */
  readonly types?: readonly number[]
}

/** A portal: a prepared statement with its values. */
export interface Portal {
  readonly name: string
  readonly prepared: Prepared
  readonly values: readonly (string | null)[]
  readonly valuesComplete: boolean
  /** Formats of the values, as Bind gave them. */
  readonly formats?: readonly number[]
  /** A Describe of it is on its way, or was answered. */
  described: boolean
  /** What Describe said of its rows: a RowDescription message, or none (NoData). */
  description: Buffer | undefined
  /** The run that it is in the middle of, or was decided for before its Execute came. */
  run: Run | undefined
  /** SQL declared it: every Execute of it is a command, as every FETCH is. */
  readonly cursor: boolean
}

/** One message that the target was sent and owes an answer to (but for the end of a COPY, which is answered by its command). */
export interface Operation {
  readonly kind: 'query' | 'call' | 'parse' | 'bind' | 'describe' | 'close' | 'execute' | 'sync' | 'copy-end'
  /** The command it runs or, for a Parse or Bind without an Execute, prepares. */
  run?: Run | undefined
  /** The run that a Parse or Bind is needed for. */
  serves?: Run | undefined
  readonly portal?: Portal | undefined
  /** Told whether the target did it (false: it failed, or was skipped after an error). */
  readonly settle?: ((done: boolean) => void) | undefined
  /** Sent by the gateway itself: the client must not see the answer. */
  readonly injected?: boolean
  /** What the client gets in place of the target's error. */
  readonly refusal?: Buffer | undefined
  /** Of an Execute: its row limit; 0 is none. */
  readonly maxRows?: number
  /** How often a COPY was ended between this message and the next. */
  copyEnds?: number
}
