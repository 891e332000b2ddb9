import { Readable, Writable } from 'node:stream'
import { runCli } from '../cli/run.ts'
import { WIDTH } from './width.ts'

export interface CommandResult {
  /** Exit status. */
  readonly code: number
  /** Standard output, then standard error. */
  readonly text: string
}

/** Runs `sallyport ARGS` as somebody at a terminal of `columns` columns would, and returns what they would see. */
export async function sallyport(args: readonly string[], columns = WIDTH): Promise<CommandResult> {
  const [stdout, stderr] = [new Terminal(columns), new Terminal(columns)]
  const io = { stdin: Readable.from([]), stdout, stderr, env: {}, cwd: process.cwd(), interrupted: new AbortController().signal, onHangup: () => () => {} }
  const code = await runCli(io, args)
  return { code, text: `${stdout.text}${stderr.text}`.trimEnd() }
}

class Terminal extends Writable {
  readonly isTTY = true
  readonly columns: number
  text = ''

  constructor(columns: number) {
    super()
    this.columns = columns
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}
