import type { Writable } from 'node:stream'
import { VERSION } from '../package-root.ts'
import { startDemo, type Demo } from './demo-gateway.ts'
import { Unexpected } from './expectation.ts'
import { showRecord } from './record.ts'
import { Screen } from './screen.ts'
import { runnableLine } from './shell.ts'
import { runTour } from './tour.ts'

export interface DemoOptions {
  /** End after the tour. */
  readonly once: boolean
  /** A folder of rules to use instead of the samples. */
  readonly rules: string | undefined
}

/**
 * Starts everything, takes the tour, stays up until `signal` aborts, and leaves nothing behind.
 * Returns the exit status: 0, 1 when a step did not do what it should, 130 when it was interrupted before the end.
 */
export async function runDemo(stream: Writable, signal: AbortSignal, options: DemoOptions): Promise<number> {
  const screen = new Screen(stream)
  const cleanup = new AsyncDisposableStack()
  try {
    return await demo(cleanup, screen, signal, options)
  } catch (error) {
    if (signal.aborted) return 130
    report(screen, error)
    return 1
  } finally {
    await cleanup.disposeAsync()
  }
}

async function demo(cleanup: AsyncDisposableStack, screen: Screen, signal: AbortSignal, { once, rules }: DemoOptions): Promise<number> {
  screen.print('Starting PostgreSQL with a small shop, and Sallyport in front of it …', 0, 'dim')
  const running = await startDemo(cleanup, rules)
  await introduce(running, screen)
  const interruption = aborted(signal)
  if ((await Promise.race([tour(running, screen), interruption])) === 'aborted') return 130
  screen.print()
  screen.print('✓ every step did what it should', 0, 'bold', 'green')
  if (once) return 0
  invite(running, screen)
  await interruption
  screen.print('\nstopping …', 0, 'dim')
  return 0
}

async function tour(running: Demo, screen: Screen): Promise<void> {
  await runTour(running, screen)
  await showRecord(running, screen)
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => { resolve('aborted') }, { once: true })
  })
}

async function introduce({ shop, ada, ruleset }: Demo, screen: Screen): Promise<void> {
  const [found] = await shop.query(`SELECT current_setting('server_version') AS version, (SELECT count(*) FROM people) AS people,
    (SELECT count(*) FROM cards) AS cards, (SELECT count(*) FROM orders) AS orders`, 'shop')
  const { version, people, cards, orders } = found ?? {}
  screen.print()
  screen.print(`${`PostgreSQL ${version}`.padEnd(18)}127.0.0.1:${shop.port}   shop: ${people} made-up people, ${cards} cards, ${orders} orders`)
  screen.print(`${`Sallyport ${VERSION}`.padEnd(18)}127.0.0.1:${ada.port}   ${ruleset.rules} rules; what none of them allows is blocked`)
  screen.print('Ada is an engineer, bot is the agent that acts for her, Grace reviews.')
}

function invite({ config, ada, bot, tokenFiles }: Demo, screen: Screen): void {
  screen.print('\nYour turn: as Ada, or as her agent', 0, 'bold')
  for (const { host, port, user, password, database } of [ada, bot]) screen.verbatim(`PGPASSWORD=${password} psql -h ${host} -p ${port} -U ${user} ${database}`, 3)
  screen.print('\nAs Grace, who reviews (in another terminal, in this folder)', 0, 'bold')
  for (const args of [['approvals', 'list'], ['approvals', 'approve', 'ID']]) paste([...args, '--config', config, '--token-file', tokenFiles.grace], screen)
  screen.print('\nWhat was recorded, and the rules that decided', 0, 'bold')
  for (const args of [['audit'], ['replay', 'SESSION'], ['rules', 'test']]) paste([...args, '--config', config], screen)
  screen.print('\nCtrl-C stops everything and deletes it', 0, 'bold')
}

function paste(args: readonly string[], screen: Screen): void {
  for (const line of runnableLine(args)) screen.verbatim(line, 3)
}

function report(screen: Screen, error: unknown): void {
  if (!(error instanceof Unexpected)) return screen.print(`✗ the demo could not go on: ${error instanceof Error ? error.message : String(error)}`, 0, 'bold', 'red')
  screen.print(`✗ ${error.message}`, 3, 'bold', 'red')
  screen.print(`expected  ${error.expected}`, 5)
  screen.print(`got       ${error.actual}`, 5)
}
