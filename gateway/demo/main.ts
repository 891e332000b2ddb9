/** `npm run demo`: a shop, a gateway in front of it, and a tour. See README.md. */
import { parseArgs } from 'node:util'

const USAGE = `npm run demo -- [--once] [--rules FOLDER]
  --once          end after the tour: 0 when every step did what it should, else 1
  --rules FOLDER  use these rules instead of the samples`

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second one means it. PostgreSQL and the folder are then left to the watchdog.
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
  })
}
// `npm run demo | head` ends it, too.
process.stdout.on('error', () => { interrupted.abort() })

process.exitCode = await main(process.argv.slice(2))
// A step that was under way shall not keep the process.
if (interrupted.signal.aborted) process.exit()

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args)
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  try {
    const { runDemo } = await import('./run-demo.ts')
    return await runDemo(process.stdout, interrupted.signal, options)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    process.stderr.write(`${error.message.split('\n', 1)[0]}\nThe demo needs everything that \`npm ci\` installs, development dependencies included.\n`)
    return 1
  }
}

function optionsOf(args: readonly string[]): { once: boolean; rules: string | undefined } | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { once: { type: 'boolean', default: false }, rules: { type: 'string' } } })
    return { once: values.once, rules: values.rules }
  } catch {
    return undefined
  }
}
