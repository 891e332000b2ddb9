/** The process that `sallyport` is. */
import { runCli } from './run.ts'

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one means it.
    if (interrupt.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    interrupt.abort(signal)
  })
}
// `sallyport audit | head` is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli({
  stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(), interrupted: interrupt.signal,
  onHangup: (callback) => {
    process.on('SIGHUP', callback)
    return () => process.off('SIGHUP', callback)
  },
}, process.argv.slice(2))
// The gateway is stopped; a peer that does not hang up shall not keep the process.
if (interrupt.signal.aborted) process.exit()
