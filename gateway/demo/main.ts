/** `npm run demo`: a shop, a gateway in front of it, and a tour. See README.md. */
import { parseArgs } from 'node:util'
import { VERSION } from '../package-root.ts'
import { startDemo, type Demo } from './demo-gateway.ts'
import { Unexpected } from './expectation.ts'
import { showRecord } from './record.ts'
import { Screen } from './screen.ts'
import { runnableLine } from './shell.ts'
import { runTour } from './tour.ts'

const USAGE = `npm run demo -- [--once] [--rules FOLDER]
  --once          end after the tour: 0 when every step did what it should, else 1
  --rules FOLDER  use these rules instead of the samples`

const interrupted = new AbortController()
const interruption = new Promise<'interrupted'>((resolve) => {
  interrupted.signal.addEventListener('abort', () => resolve('interrupted'), { once: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => { interrupted.abort() })
// `npm run demo | head` ends it, too.
process.stdout.on('error', () => { interrupted.abort() })

const screen = new Screen(process.stdout)
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args)
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  const cleanup = new AsyncDisposableStack()
  try {
    return await demo(cleanup, options)
  } catch (error) {
    return failed(error)
  } finally {
    await cleanup.disposeAsync()
  }
}

interface Options { readonly once: boolean; readonly rules: string | undefined }

function optionsOf(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { once: { type: 'boolean', default: false }, rules: { type: 'string' } } })
    return { once: values.once, rules: values.rules }
  } catch {
    return undefined
  }
}

async function demo(cleanup: AsyncDisposableStack, { once, rules }: Options): Promise<number> {
  screen.print('Starting PostgreSQL with a small shop, and Sallyport in front of it …', 0, 'dim')
  const running = await startDemo(cleanup, rules)
  await introduce(running)
  const tour = (async () => {
    await runTour(running, screen)
    await showRecord(running, screen)
  })()
  if ((await Promise.race([tour, interruption])) === 'interrupted') {
    // What is still under way ends with the gateway.
    tour.catch(() => {})
    return 130
  }
  screen.print()
  screen.print('✓ every step did what it should', 0, 'bold', 'green')
  if (once) return 0
  invite(running)
  // The pending promise alone would not keep the process; the gateway's listeners do.
  await interruption
  screen.print('\nstopping …', 0, 'dim')
  return 0
}

async function introduce({ shop, ada, ruleset }: Demo): Promise<void> {
  const [found] = await shop.query("SELECT current_setting('server_version') AS version, (SELECT count(*) FROM people) AS people, (SELECT count(*) FROM cards) AS cards, (SELECT count(*) FROM orders) AS orders", 'shop')
  const { version, people, cards, orders } = found ?? {}
  screen.print()
  screen.print(`PostgreSQL ${version}    127.0.0.1:${shop.port}   shop: ${people} made-up people, ${cards} cards, ${orders} orders`)
  screen.print(`Sallyport ${VERSION}    127.0.0.1:${ada.port}   ${ruleset.rules} rules; what none of them allows is blocked`)
  screen.print('Ada is an engineer, ada-agent acts for her, Grace reviews.')
}

function invite({ config, ada, agent, tokenFiles }: Demo): void {
  const heading = (text: string): void => { screen.print(`\n${text}`, 0, 'bold') }
  heading('Your turn: as Ada, or as her agent')
  for (const { host, port, user, password, database } of [ada, agent]) screen.verbatim(`PGPASSWORD=${password} psql -h ${host} -p ${port} -U ${user} ${database}`, 3)
  heading('As Grace, who reviews (in another terminal, in this folder)')
  const asGrace = ['--config', config, '--token-file', tokenFiles.grace]
  for (const args of [['approvals', 'list'], ['approvals', 'approve', 'ID']]) pasteable([...args, ...asGrace])
  heading('Look around')
  for (const args of [['audit'], ['sessions'], ['rules', 'test']]) pasteable([...args, '--config', config])
  heading('Ctrl-C stops everything and deletes it')
}

function pasteable(args: readonly string[]): void {
  for (const line of runnableLine(args)) screen.verbatim(line.replace(/^\$ /, ''), 3)
}

function failed(error: unknown): number {
  if (interrupted.signal.aborted) return 130
  if (error instanceof Unexpected) {
    screen.print(`✗ ${error.message}`, 3, 'bold', 'red')
    screen.print(`expected  ${error.expected}`, 5)
    screen.print(`got       ${error.actual}`, 5)
    return 1
  }
  screen.print(`✗ the demo could not go on: ${error instanceof Error ? error.message : String(error)}`, 0, 'bold', 'red')
  return 1
}
