import type { Readable, Writable } from 'node:stream'

/** Everything a command touches of the process it runs in, so that tests can be that process. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Aborts when somebody asks the process to end; its reason is the signal's name. */
  readonly interrupted: AbortSignal
  /** Calls back for SIGHUP, until the returned function is called. */
  onHangup(callback: () => void): () => void
}

/** What a command ends with when it does not succeed. */
export const EXIT = {
  /** The answer is no: rules fail their cases, an approval was refused, a gateway could not start. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration or the rules are wrong. */
  config: 3,
  /** The gateway, or the event store, cannot be reached. */
  unavailable: 4,
} as const

/** Ends a command with a message on stderr and an exit code; not a bug, so no stack is printed. */
export class CliFailure extends Error {
  readonly exitCode: number
  constructor(exitCode: number, message: string) {
    super(message)
    this.name = 'CliFailure'
    this.exitCode = exitCode
  }
}

export function print(io: CliIo, text: string): void {
  io.stdout.write(`${text}\n`)
}

/** One JSON document per line; bigints have no place in what we print. */
export function printJson(io: CliIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Columns to fill: the terminal's, or 120 where there is none. */
export function widthOf({ stdout }: CliIo): number {
  return stdout.isTTY === true ? Math.max(80, stdout.columns ?? 120) : 120
}
