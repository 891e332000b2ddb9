/** The second half of the tour: what was recorded, read with the same commands that everybody has. */
import type { Demo } from './demo-gateway.ts'
import { expect, expectMatch, expectWithout } from './expectation.ts'
import { sallyport } from './sallyport-command.ts'
import type { Screen } from './screen.ts'
import { WIDTH } from './width.ts'
import { ASKED, secrets } from './tour.ts'

const MARGIN = 3
const PATIENCE_MS = 10_000

interface Entry {
  readonly kind: string
  readonly session: string
  readonly actor: string
  readonly text: string
  readonly effect: string
  readonly by: string
  readonly status: string
}

/** @throws {Unexpected} when the record is not what the tour did, or holds what was masked */
export async function showRecord(demo: Demo, screen: Screen): Promise<void> {
  const entries = await settled(demo)
  const commands = entries.filter(({ kind }) => kind === 'command')
  expect('the audit was to tell what happened', commands.map(({ text, effect, by, status }) => ({ text, effect, by, status })), ASKED)
  const hidden = await secrets(demo)

  title(screen, 'audit', 'who did what, and what became of it')
  const audit = await show(screen, ['audit', '--kind', 'command', '--config', demo.config], 0)
  expectWithout('the audit was to be masked', audit, hidden)

  for (const [name, says] of [['ada', /1 row|4 rows/], ['bot', /granted by grace: customer called/]] as const) {
    const session = commands.find(({ actor }) => (actor === '' ? 'ada' : actor) === name)?.session ?? ''
    title(screen, 'replay', `the session of ${name}, as its client saw it`)
    const replay = await show(screen, ['replay', session.slice(0, 8), '--config', demo.config])
    expectMatch(`the replay was to show the session of ${name}`, replay, says)
    expectWithout('the replay was to be masked', replay, hidden)
  }
}

function title(screen: Screen, word: string, rest: string): void {
  screen.print()
  screen.print(`${screen.style(word, 'bold', 'cyan')}  ${rest}`)
}

async function show(screen: Screen, args: readonly string[], margin = MARGIN): Promise<string> {
  const { code, text } = await sallyport(args, WIDTH - margin)
  screen.command(args, MARGIN)
  screen.print(text, margin)
  expect(`sallyport ${args[0]} was to succeed`, code, 0)
  return text
}

/** The audit, once both sessions have ended in it: outcomes are recorded after the client has its answer. */
async function settled({ config }: Demo): Promise<Entry[]> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const { text } = await sallyport(['audit', '--json', '--config', config])
    const entries = text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Entry)
    const closed = entries.filter(({ kind }) => kind === 'session.closed').length
    if (closed === 2 || performance.now() > until) {
      expect('both sessions were to be recorded to their end', closed, 2)
      return entries
    }
  }
}
