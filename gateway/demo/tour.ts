/** The four effects, one step each, with a real client: every step says what it does, shows what the client sees, and checks it. */
import type { Demo } from './demo-gateway.ts'
import { expect, expectMatch, expectWithout } from './expectation.ts'
import { sallyport } from './sallyport-command.ts'
import type { Screen } from './screen.ts'
import { ShopClient, type Answer } from './shop-client.ts'

interface Tour {
  readonly demo: Demo
  readonly screen: Screen
  readonly ada: ShopClient
  readonly bot: ShopClient
}

interface Step {
  readonly effect: 'mask' | 'allow' | 'block' | 'await-approval'
  readonly title: string
  /** Returns what it made sure of. */
  readonly run: (tour: Tour) => Promise<string>
}

const MASKED_READ = 'SELECT p.name, p.email, p.phone, p.born, c.number AS card\n  FROM people p JOIN cards c ON c.person = p.id ORDER BY c.id LIMIT 4'
const SHIP = "UPDATE orders SET status = 'shipped' WHERE id = 15"
const DROP = 'DROP TABLE orders CASCADE'
const DELETE_ALL = 'DELETE FROM orders'
const REFUND = "UPDATE orders SET status = 'refunded' WHERE id = 7"

const STEPS: readonly Step[] = [
  { effect: 'mask', title: 'Ada reads personal data', run: readMasked },
  { effect: 'allow', title: 'Ada ships an order', run: ship },
  { effect: 'block', title: 'her agent wants to drop a table', run: (tour) => blocked(tour, DROP, /^ERROR: {2}blocked by policy: .*DROP/) },
  { effect: 'block', title: 'her agent forgets the WHERE', run: (tour) => blocked(tour, DELETE_ALL, /^ERROR: {2}blocked by policy: .*every row/) },
  { effect: 'await-approval', title: 'her agent refunds an order, once a second person agrees', run: refund },
]

/** What the tour asks for, in its order, and what the audit must say of it. An approval lifts the wait; an agent's masks stay. */
export const ASKED: readonly { readonly text: string; readonly effect: string; readonly by: string; readonly status: string }[] = [
  { text: MASKED_READ, effect: 'mask', by: 'rules', status: 'completed' },
  { text: SHIP, effect: 'allow', by: 'rules', status: 'completed' },
  { text: DROP, effect: 'block', by: 'rules', status: 'not-forwarded' },
  { text: DELETE_ALL, effect: 'block', by: 'rules', status: 'not-forwarded' },
  { text: REFUND, effect: 'mask', by: 'approval', status: 'completed' },
]

/** @throws {Unexpected} by the first step that did not do what it should */
export async function runTour(demo: Demo, screen: Screen): Promise<void> {
  const ada = await ShopClient.connect(demo.ada)
  try {
    const bot = await ShopClient.connect(demo.bot)
    try {
      for (const [index, step] of STEPS.entries()) await take(step, index + 1, { demo, screen, ada, bot })
    } finally {
      await bot.close()
    }
  } finally {
    await ada.close()
  }
}

async function take({ effect, title, run }: Step, number: number, tour: Tour): Promise<void> {
  const { screen } = tour
  screen.print()
  screen.print(`${number}. ${screen.style(effect, 'bold', 'cyan')}  ${title}`)
  screen.print(`✓ ${await run(tour)}`, 3, 'green')
}

async function readMasked(tour: Tour): Promise<string> {
  const answer = await ask(tour, tour.ada, MASKED_READ)
  const truth = await tour.demo.shop.query(`SELECT p.name, p.email, p.phone, c.number ${MASKED_READ.slice(MASKED_READ.indexOf('FROM'))}`, 'shop')
  expect('the read was to succeed', answer.code, '')
  expectWithout('personal data was to be masked', answer.text, await secrets(tour.demo))
  expect('names were to be readable', answer.rows.map(([name]) => name), truth.map(({ name }) => name))
  expect('domains were to stay', answer.rows.map(([, email]) => domain(email)), truth.map(({ email }) => domain(String(email))))
  expect('the last four digits were to stay', answer.rows.map((row) => row[4]?.slice(-4)), truth.map(({ number }) => String(number).slice(-4)))
  expect('birth dates were to be NULL', answer.rows.map((row) => row[3]), truth.map(() => null))
  return 'none of the real values reached the client; birth dates are classified, and not shown at all'
}

function domain(email: string | null | undefined): string {
  return String(email).split('@')[1] ?? ''
}

/** Every value that nobody is to see, as the database has it. */
export async function secrets({ shop }: Demo): Promise<string[]> {
  const rows = await shop.query('SELECT email AS value FROM people UNION ALL SELECT phone FROM people UNION ALL SELECT born::text FROM people UNION ALL SELECT number FROM cards', 'shop')
  return rows.map(({ value }) => String(value))
}

async function ship(tour: Tour): Promise<string> {
  expect('the order was to change', (await ask(tour, tour.ada, SHIP)).tag, 'UPDATE 1')
  expect('the database was to have it', await statusOf(tour, 15), 'shipped')
  return 'the database has it'
}

async function blocked(tour: Tour, sql: string, message: RegExp): Promise<string> {
  const answer = await ask(tour, tour.bot, sql)
  expect('the statement was to be refused as PostgreSQL does', answer.code, '42501')
  expectMatch('the client was to be told why', answer.text, message)
  expectMatch('the client was to be given the event to ask about', answer.text, /\nHINT: .*event [0-9a-f]{8}-/)
  expect('the orders were to be as before', await tour.demo.shop.query('SELECT count(*)::int AS orders FROM orders', 'shop'), [{ orders: 30 }])
  return `SQLSTATE ${answer.code}, all 30 orders are there, and the connection goes on`
}

async function refund(tour: Tour): Promise<string> {
  const { demo, screen, bot } = tour
  const approval = Promise.withResolvers<string>()
  bot.onNotice((text) => {
    screen.print(text, 3, 'yellow')
    const [, id] = /waiting for approval ([0-9a-z]+)/.exec(text) ?? []
    if (id !== undefined) approval.resolve(id)
  })
  screen.print(`shop=> ${REFUND};`, 3, 'bold')
  const answer = bot.ask(REFUND)
  // Should a check below fail first, nobody waits for it.
  answer.catch(() => {})
  const id = await Promise.race([approval.promise, answer.then(({ text }) => expectMatch('the statement was to wait for an approval', text, /^NOTICE/))])
  expect('the order was to be as before', await statusOf(tour, 7), 'shipped')
  const shown = await review(screen, ['approvals', 'show', String(id), '--config', demo.config, '--token-file', demo.tokenFiles.grace])
  expectMatch('the reviewer was to be shown what it would change', shown.text, /\nimpact: +updates 1 row of public\.orders\n(.*\n)*some of the rows of public\.orders/)
  const own = await review(screen, ['approvals', 'approve', String(id), '--yes', '--config', demo.config, '--token-file', demo.tokenFiles.ada])
  expect('nobody was to approve what was asked for in her name', own.code, 1)
  const granted = await review(screen, ['approvals', 'approve', String(id), '--yes', '-m', 'customer called', '--config', demo.config, '--token-file', demo.tokenFiles.grace])
  expect('a second person was to approve', granted.code, 0)
  const { tag, text } = await answer
  screen.print(text, 3)
  expect('the order was to change', tag, 'UPDATE 1')
  expect('the database was to have it', await statusOf(tour, 7), 'refunded')
  return 'it ran once, after Grace approved exactly this statement; Ada could not, for it is her agent'
}

async function review(screen: Screen, args: readonly string[]): Promise<{ code: number; text: string }> {
  const result = await sallyport(args)
  screen.command(args, 3)
  screen.print(result.text, 3)
  return result
}

async function ask({ screen }: Tour, client: ShopClient, sql: string): Promise<Answer> {
  screen.print(`shop=> ${sql.replaceAll('\n', '\n     ')};`, 3, 'bold')
  const answer = await client.ask(sql)
  screen.print(answer.text, 3, ...(answer.code === '' ? [] : ['red'] as const))
  return answer
}

async function statusOf({ demo }: Tour, order: number): Promise<unknown> {
  const [row] = await demo.shop.query(`SELECT status FROM orders WHERE id = ${order}`, 'shop')
  return row?.['status']
}
