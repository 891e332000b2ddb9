import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { parseVerifier } from '../../../adapters/postgresql/auth/scram-verifier.ts'
import { openEmbeddedStore } from '../../../core/store/drivers/embedded/index.ts'
import { callers } from '../../../gateway/api/index.ts'
import { parseConfig } from '../../../gateway/config/index.ts'
import { command, History, identity, sessionId, target, verdict } from '../../projections/event-stream.ts'
import { cli } from './cli-run.ts'

describe('sallyport init and check', () => {
  let folder = ''
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-')) })
  afterEach(() => { rmSync(folder, { recursive: true }) })

  test('what init writes passes check, once its secret is there', async () => {
    assert.equal((await cli(folder, ['init'])).code, 0)
    const checked = await cli(folder, ['check'], { env: { SHOP_PASSWORD: 'x' } })
    assert.deepEqual([checked.code, checked.stderr], [0, ''])
    assert.match(checked.stdout, /^sallyport\.yaml is fine: 12 rules, 1 targets, 1 listeners, 2 people\nnote: nobody can log in yet/)
  })

  test('what init comments out is valid too, where it is put in', async () => {
    await cli(folder, ['init'])
    const source = readFileSync(join(folder, 'sallyport.yaml'), 'utf8')
    const defaults = source.slice(source.indexOf('shows its default. ----')).split('\n').slice(1).filter((line) => /^# (\w+:|  \w)/.test(line)).map((line) => line.slice(2))
    assert.ok(defaults.length >= 12)
    const { problems } = parseConfig(`${source}\n${defaults.join('\n')}\n`, folder)
    assert.deepEqual(problems, undefined)
  })

  test('init overwrites nothing', async () => {
    writeFileSync(join(folder, 'sallyport.yaml'), 'mine')
    const again = await cli(folder, ['init'])
    assert.deepEqual([again.code, again.stdout], [1, ''])
    assert.match(again.stderr, /already there/)
    assert.equal(readFileSync(join(folder, 'sallyport.yaml'), 'utf8'), 'mine')
    assert.ok(!existsSync(join(folder, 'rules')))
  })

  test('check names each missing secret with its line, and never looks for them with --no-secrets', async () => {
    await cli(folder, ['init'])
    const checked = await cli(folder, ['check'])
    assert.equal(checked.code, 3)
    assert.match(checked.stderr, /^sallyport\.yaml:\d+: targets\.shop: the reference \$\{env:SHOP_PASSWORD\} names an environment variable that is not set\n$/)
    assert.equal((await cli(folder, ['check', '--no-secrets'])).code, 0)
  })

  test('check finds problems of configuration, with file and line, as JSON too', async () => {
    writeFileSync(join(folder, 'sallyport.yaml'), 'audit: never\nlisteners: []\n')
    const plain = await cli(folder, ['check'])
    assert.equal(plain.code, 3)
    assert.deepEqual(plain.stderr.split('\n').slice(0, 2).map((line) => line.split(':', 2).join(':')), ['sallyport.yaml:1', 'sallyport.yaml:1'])
    const json = await cli(folder, ['check', '--json'])
    assert.deepEqual([json.code, json.stderr], [3, ''])
    assert.equal((JSON.parse(json.stdout) as { problems: unknown[] }).problems.length, 3)
  })

  test('check finds a broken rule, with its file and line', async () => {
    await cli(folder, ['init'])
    writeFileSync(join(folder, 'rules', 'broken.jsonata'), '/* Broken. */\ncommand.acton = "read" ? { "effect": "allow", "reason": "x" }\n')
    const checked = await cli(folder, ['check', '--no-secrets'])
    assert.equal(checked.code, 3)
    assert.match(checked.stderr, /^rules\/broken\.jsonata:2: .*action/)
  })

  test('nothing recorded yet is said, and is no damage', async () => {
    await cli(folder, ['init'])
    const audit = await cli(folder, ['audit'])
    assert.equal(audit.code, 4)
    assert.match(audit.stderr, /nothing is recorded at .* yet; `sallyport serve` begins a record/)
  })

  test('serve refuses to start without its secrets', async () => {
    await cli(folder, ['init'])
    const served = await cli(folder, ['serve'])
    assert.equal(served.code, 3)
    assert.match(served.stderr, /SHOP_PASSWORD/)
  })
})

describe('sallyport password and token', () => {
  test('a password becomes a verifier that fits the configuration, and is nowhere else', async () => {
    const made = await cli('/', ['password'], { input: 'correct horse\nsecond line\n' })
    assert.equal(made.code, 0)
    const verifier = /"(SCRAM[^"]+)"/.exec(made.stdout)?.[1] ?? ''
    assert.ok(parseVerifier(verifier).iterations >= 4096)
    assert.doesNotMatch(made.stdout + made.stderr, /horse/)
    const source = `listeners: [{ protocol: postgresql, listen: "127.0.0.1:0" }]\ntargets: { shop: { protocol: postgresql, host: h, database: d, user: u } }\npeople: { ada: { ${made.stdout.trim()} } }`
    assert.equal(parseConfig(source, '/').problems, undefined)
  })

  test('an empty password, or one that is much too long, is refused', async () => {
    assert.equal((await cli('/', ['password'], { input: '\n' })).code, 2)
    assert.equal((await cli('/', ['password'], { input: 'x'.repeat(5000) })).code, 2)
  })

  test('a token opens the API for the person whose configuration has its digest', async () => {
    const { stdout } = await cli('/', ['token', '--json'])
    const { token, digest } = JSON.parse(stdout) as { token: string; digest: string }
    const caller = callers({ grace: { kind: 'person', groups: ['reviewers'], api: { token: digest, operator: false } } })
    assert.equal(caller(token)?.identity.subject, 'grace')
    assert.equal(caller(token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))), undefined)
  })
})

describe('sallyport, asked about what was recorded', () => {
  let folder = ''
  const SESSION = sessionId(0xa1)
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
    mkdirSync(join(folder, 'rules'))
    writeFileSync(join(folder, 'rules', 'block-drop.jsonata'), '/* No drops. */\n"drop" in command.actions ? { "effect": "block", "reason": "nobody drops tables" }\n')
    writeFileSync(join(folder, 'rules', 'block-drop.cases.yaml'), '- name: a drop\n  sql: DROP TABLE x\n  expect: { effect: block }\n- name: a read\n  sql: SELECT 1\n  expect: none\n')
    writeFileSync(join(folder, 'sallyport.yaml'), `
listeners: [{ protocol: postgresql, listen: "127.0.0.1:0" }]
targets: { shop: { protocol: postgresql, host: localhost, database: shop, user: app, labels: { environment: test } } }
people: { ada: { groups: [engineers] } }
`)
    const history = new History()
    history.open(SESSION, identity('ada'), target('shop'))
    history.settle(SESSION, history.at(1000).command(SESSION, 1, command('SELECT 1'), verdict('allow', ['allow-reads'])))
    const drop = { ...command('DROP TABLE customers\u001b[2J'), action: 'drop', actions: ['drop'], facts: {} }
    history.settle(SESSION, history.at(2500).command(SESSION, 2, drop, verdict('block', ['block-drop'])), { status: 'not-forwarded', rows: 0, durationMs: 0 })
    history.close(SESSION, 2)
    const store = await openEmbeddedStore({ path: join(folder, 'data', 'events.db') })
    for (const { stream, events } of history.appends) await store.append(stream, events, 'any')
    await store.close()
  })
  after(() => { rmSync(folder, { recursive: true }) })
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await cli(folder, args)
    assert.deepEqual([code, stderr], [0, ''])
    return stdout.trimEnd().split('\n')
  }

  test('audit prints a table', async (t) => { t.assert.snapshot(await lines('audit')) })
  test('audit --full tells everything', async (t) => { t.assert.snapshot(await lines('audit', '--full', '--effect', 'block')) })
  test('sessions prints a table', async (t) => { t.assert.snapshot(await lines('sessions')) })
  test('replay prints the session', async (t) => { t.assert.snapshot(await lines('replay', '000000a1')) })
  test('rules test prints its report', async (t) => { t.assert.snapshot(await lines('rules', 'test')) })

  test('audit --json gives one document per line, filtered', async () => {
    const entries = (await lines('audit', '--json', '--rule', 'block-drop')).map((line) => JSON.parse(line) as { text: string; effect: string })
    assert.deepEqual(entries.map(({ text, effect }) => [text, effect]), [['DROP TABLE customers\u001b[2J', 'block']])
    assert.deepEqual(await lines('audit', '--since', '2026-11-22'), ['nothing recorded that fits'])
    assert.equal((await lines('audit', '--json', '--since', '2026-11-21T09:00:01Z', '--until', '2026-11-21T09:00:02Z')).length, 1)
  })

  test('replay --json gives each command whole', async () => {
    const steps = (await lines('replay', '--json', SESSION)).map((line) => JSON.parse(line) as { number: number; at: number })
    assert.deepEqual(steps.map(({ number, at }) => [number, at]), [[1, 1000], [2, 2500]])
  })

  test('rules explain says why, of a text and of what was recorded', async () => {
    const [written] = await lines('rules', 'explain', '--as', 'ada', '--target', 'shop', 'DROP TABLE customers')
    assert.equal(written, 'block (by rules): nobody drops tables')
    const [entry] = (await lines('audit', '--json', '--effect', 'block')).map((line) => JSON.parse(line) as { event: string })
    const [recorded] = await lines('rules', 'explain', '--event', entry?.event ?? '')
    assert.equal(recorded, written)
  })

  test('projections rebuild changes nothing but the time it took', async () => {
    const entries = await lines('audit', '--json')
    assert.match((await lines('projections', 'rebuild')).join('\n'), /^rebuilt audit, replay, sessions from 8 events in /)
    assert.deepEqual(await lines('audit', '--json'), entries)
  })

  test('rules that fail their cases end with 1', async () => {
    const cases = join(folder, 'rules', 'block-drop.cases.yaml')
    const good = readFileSync(cases)
    writeFileSync(cases, '- name: a read\n  sql: SELECT 1\n  expect: { effect: block }\n')
    assert.equal((await cli(folder, ['rules', 'test'])).code, 1)
    writeFileSync(cases, good)
  })

  const wrong: [string[], number, RegExp][] = [
    [['replay', 'ffff'], 1, /there is no session ffff/],
    [['replay', '%'], 1, /there is no session %/],
    [['audit', '--event', 'zzzz'], 0, /^$/],
    [['audit', '--limit', '0'], 2, /whole number from 1/],
    [['audit', '--since', 'yesterday'], 2, /how long ago/],
    [['audit', '--effect', 'deny'], 2, /Allowed choices are allow, mask, await-approval, block/],
    [['rules', 'explain'], 2, /either a command or --event/],
    [['rules', 'explain', '--as', 'bob', 'SELECT 1'], 2, /no person "bob"/],
    [['rules', 'explain', '--target', 'constructor', 'SELECT 1'], 2, /no target "constructor"/],
    [['approvals', 'list'], 2, /no API token: set SALLYPORT_TOKEN/],
    [['approvals', 'show', '../x', '--token-file', 'sallyport.yaml'], 2, /not the id|characters that no token has/],
    [['grants', 'issue', '--to', 'ada'], 2, /required option '--target <name>' not specified/],
    [['grants', 'issue', '--to', 'ada', '--target', 'shop', '--columns', 'a.b.c', '--for', 'ever', '--reason', 'x'], 2, /write how long/],
    [['grants', 'show', '../x', '--token-file', 'sallyport.yaml'], 2, /not the id|characters that no token has/],
    [['frobnicate'], 2, /unknown command 'frobnicate'/],
    [['audit', '--config', 'none.yaml'], 3, /none\.yaml: there is no such file/],
  ]
  for (const [args, code, message] of wrong) {
    test(`${args.join(' ')} ends with ${code} and says why`, async () => {
      const result = await cli(folder, args)
      assert.deepEqual([result.code, message.test(result.stderr)], [code, true], result.stderr)
    })
  }

  test('without a gateway, approvals says that none answers', async () => {
    const result = await cli(folder, ['approvals', 'list'], { env: { SALLYPORT_TOKEN: 'sallyport_x' } })
    assert.equal(result.code, 4)
    assert.match(result.stderr, /no gateway answers at .*api\.sock; is `sallyport serve` running/)
  })

  test('every command explains itself', async (t) => {
    const commands = [[], ['init'], ['check'], ['password'], ['token'], ['serve'], ['rules', 'test'], ['rules', 'explain'], ['approvals', 'list'], ['approvals', 'approve'], ['grants', 'issue'], ['grants', 'revoke'], ['audit'], ['sessions'], ['replay'], ['projections', 'rebuild']]
    const helps: string[] = []
    for (const args of commands) helps.push(...await lines(...args, '--help'))
    t.assert.snapshot(helps)
  })
})
