import { CommanderError } from 'commander'
import { SallyportError } from '../../core/index.ts'
import { printable } from '../../projections/index.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'
import { createProgram } from './program.ts'

/** Runs one command line and returns its exit status. Messages go to stderr; a stack is printed only for a bug. */
export async function runCli(io: CliIo, args: readonly string[]): Promise<number> {
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    return failed(io, error)
  }
}

function failed(io: CliIo, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 || error.code === 'commander.help' ? 0 : EXIT.usage
  if (error instanceof CliFailure) return say(io, error.message, error.exitCode)
  if (error instanceof SallyportError) return say(io, `${error.message} [${error.code}]`, EXIT.unavailable)
  if (io.interrupted.aborted) return EXIT.failed
  io.stderr.write(`sallyport: this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 70
}

function say(io: CliIo, message: string, exitCode: number): number {
  if (message !== '') io.stderr.write(`${printable(message)}\n`)
  return exitCode
}
