import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../../gateway/cli/run.ts'

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the CLI in this process, with its own streams. */
export async function cli(cwd: string, args: readonly string[], { input = '', env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {}): Promise<CliResult> {
  const [stdout, stderr] = [new Collected(), new Collected()]
  const code = await runCli({ stdin: Readable.from([Buffer.from(input)]), stdout, stderr, env: { HOME: cwd, ...env }, cwd, interrupted: new AbortController().signal, onHangup: () => () => {} }, args)
  return { code, stdout: stdout.text, stderr: stderr.text }
}

class Collected extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

export const LAUNCHER: string = fileURLToPath(new URL('../../../bin/sallyport.js', import.meta.url))

/** Starts the real thing and resolves with its first line of standard output. */
export async function startServe(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<{ child: ChildProcessWithoutNullStreams; first: string; stderr: () => string }> {
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--json', ...args], { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env } })
  let [stdout, stderr] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  child.stdout.setEncoding('utf8')
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    stdout += String(chunk)
    if (stdout.includes('\n')) return { child, first: stdout.split('\n', 1)[0] ?? '', stderr: () => stderr }
  }
  throw new Error(`serve ended before it was ready: ${stderr}`)
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { code: child.exitCode, signal: child.signalCode }
}
