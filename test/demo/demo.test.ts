import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { postgresUnavailable } from '../support/postgres-server.ts'
import { cli } from '../gateway/cli/cli-run.ts'

const unavailable = postgresUnavailable(18)
if (unavailable !== undefined) console.log(`skipped: ${unavailable}`)

const MAIN = fileURLToPath(new URL('../../gateway/demo/main.ts', import.meta.url))
const SAMPLES = fileURLToPath(new URL('../../rules', import.meta.url))
const DEMO_RULES = fileURLToPath(new URL('../../gateway/demo/rules', import.meta.url))

class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''

  constructor(folder: string, args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => { this.stdout += text })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close')
    return this.child.exitCode
  }

  /** Resolves once it has said that; rejects when it ends without. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => { if (this.stdout.includes(text)) resolve() }
      this.child.stdout?.on('data', look)
      this.child.on('close', () => { reject(new Error(`it ended without saying "${text}":\n${this.stdout}${this.stderr}`)) })
      look()
    })
  }
}

describe('the demo', { skip: unavailable ?? false, concurrency: false }, () => {
  let folder = ''
  let current: Running | undefined
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sp demo-'))
    chmodSync(folder, 0o711)
  })
  afterEach(async () => {
    current?.child.kill()
    await current?.ended()
    current = undefined
  })
  after(() => { rmSync(folder, { recursive: true, force: true }) })

  const start = (...args: string[]): Running => (current = new Running(folder, args))
  const rulesOf = (name: string, samples: boolean): string => {
    const rules = join(folder, name)
    if (samples) for (const from of [SAMPLES, DEMO_RULES]) cpSync(from, rules, { recursive: true })
    else cpSync(DEMO_RULES, rules, { recursive: true, filter: (file) => file === DEMO_RULES })
    return rules
  }

  it('shows all four effects, the audit and the replay, ends with 0 and leaves nothing behind', async () => {
    const demo = start('--once')
    assert.equal(await demo.ended(), 0, demo.stdout + demo.stderr)
    assert.equal(demo.stderr, '')
    assert.match(demo.stdout, /1\. mask .*\n(.*\n){4} +Ada Marsh +\| a\*+@example\.com +\| \+\*\* \*\* \*{4} 0018 +\| +\| \*{12}7899\n/)
    assert.match(demo.stdout, /2\. allow .*\n.*UPDATE orders SET status = 'shipped' WHERE id = 15;\n +UPDATE 1\n/)
    assert.match(demo.stdout, /3\. block .*\n.*DROP TABLE orders CASCADE;\n +ERROR: {2}blocked by policy: .*\n +HINT: .*event [0-9a-f-]{36}/)
    assert.match(demo.stdout, /4\. block .*\n.*DELETE FROM orders;\n +ERROR: {2}blocked by policy: .*\n +HINT: .*event [0-9a-f-]{36}/)
    assert.match(demo.stdout, /5\. await-approval .*\n.*'refunded' WHERE id = 7;\n +NOTICE: {2}waiting for approval (\w+): .*\n(.*\n)*.*you asked for it yourself.*\n(.*\n)* +approved \1\n +UPDATE 1\n/)
    assert.match(demo.stdout, /\naudit .*\n(.*\n)+.* bot for ada +shop +block +not-forwarded +DROP TABLE/)
    assert.match(demo.stdout, /\nreplay .*\n(.*\n)+ +\| {2}Ada Marsh +\| a\*+@/)
    assert.match(demo.stdout, /granted by grace: customer called/)
    assert.match(demo.stdout, /✓ every step did what it should\n$/)
    assert.doesNotMatch(demo.stdout, /ada\.marsh|7946 0018|1984-03-07|4000001234567899/)
    assert.ok(!demo.stdout.includes('\u001b'))
    assert.deepEqual(demo.stdout.split('\n').filter((line) => line.length > 100), [])
    assert.deepEqual(readdirSync(folder), [])
  })

  it('fails with 1 and says what was expected when rules let everything through', async () => {
    const rules = rulesOf('allow-all', false)
    writeFileSync(join(rules, 'allow-all.jsonata'), '/* Everything. */\n{ "effect": "allow", "reason": "anything goes" }\n')
    const demo = start('--once', '--rules', rules)
    assert.equal(await demo.ended(), 1)
    assert.match(demo.stdout, /✗ personal data was to be masked\n +expected +only masked values\n +got +the real ada\.marsh@example\.com/)
    assert.doesNotMatch(demo.stdout + demo.stderr, /✓ every step| at .*:\d+:\d+/)
  })

  it('fails with 1 when a statement that should wait runs at once', async () => {
    const rules = rulesOf('hold nothing', true)
    for (const file of readdirSync(rules)) if (file.startsWith('hold-writes-by-agents')) rmSync(join(rules, file))
    writeFileSync(join(rules, 'allow-agents.jsonata'), '/* Agents are trusted. */\ncommand.action = "update" and identity.kind = "agent" ? { "effect": "allow", "reason": "agents are trusted" }\n')
    const demo = start('--once', '--rules', rules)
    assert.equal(await demo.ended(), 1)
    assert.match(demo.stdout, /4\. block (.*\n)+.*5\. await-approval (.*\n)+ +✗ the statement was to wait for an approval\n/)
  })

  it('fails with 1 when the rules are broken, naming the file', async () => {
    const rules = rulesOf('broken', false)
    writeFileSync(join(rules, 'broken.jsonata'), '/* Broken. */\n{ "effect": "perhaps" }\n')
    const demo = start('--once', '--rules', rules)
    assert.equal(await demo.ended(), 1)
    assert.match(demo.stdout, /✗ the demo could not go on: .*broken\.jsonata/s)
    assert.doesNotMatch(demo.stdout + demo.stderr, / at .*:\d+:\d+/)
  })

  it('stays up for whoever uses the lines it prints, until it is interrupted', async () => {
    const demo = start()
    await demo.says('Ctrl-C stops everything')
    const [, password = '', port = ''] = /PGPASSWORD=(\w+) psql -h 127\.0\.0\.1 -p (\d+) -U ada shop/.exec(demo.stdout) ?? []
    const client = new pg.Client({ host: '127.0.0.1', port: Number(port), user: 'ada', password, database: 'shop' })
    client.on('error', () => {})
    await client.connect()
    assert.deepEqual((await client.query('SELECT count(*)::int AS orders FROM orders')).rows, [{ orders: 30 }])
    const [, config = '', token = ''] = /approvals list [^']*'([^']+)'[^']*--token-file '([^']+)'/.exec(demo.stdout) ?? []
    assert.deepEqual(await cli(folder, ['approvals', 'list', '--config', config, '--token-file', token]), { code: 0, stdout: 'nothing waits for an approval\n', stderr: '' })
    const rules = await cli(folder, ['rules', 'test', '--config', config])
    assert.equal(rules.code, 0, rules.stdout + rules.stderr)
    assert.equal((await cli(folder, ['check', '--config', config])).code, 0)
    demo.child.kill('SIGINT')
    assert.equal(await demo.ended(), 0, demo.stdout + demo.stderr)
    assert.equal(existsSync(config), false)
    await client.end().catch(() => {})
  })

  it('refuses what it does not know, with 2', async () => {
    const demo = start('--twice')
    assert.equal(await demo.ended(), 2)
    assert.match(demo.stderr, /^npm run demo -- \[--once\]/)
  })
})
