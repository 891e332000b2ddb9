import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { firstValueFrom } from 'rxjs'
import type { Verdict } from '../../../core/events/index.ts'
import { openRuleEngine, type FolderRuleEngine, type RuleEngineOptions } from '../../../core/rules/index.ts'
import { freeze, NOON, OPTIONS, ruleInput, type Parts } from './rule-input.ts'
import { rulesFolder, type RulesFolder } from './rules-folder.ts'

interface Opened { readonly engine: FolderRuleEngine; readonly folder: RulesFolder }

async function open(t: TestContext, rules: Readonly<Record<string, string>>, options: Partial<RuleEngineOptions> = {}): Promise<Opened> {
  const folder = await rulesFolder(rules)
  t.after(() => folder[Symbol.asyncDispose]())
  const engine = await openRuleEngine({ ...OPTIONS, folder: folder.path, ...options })
  t.after(() => engine.close())
  return { engine, folder }
}

const effects = async (engine: FolderRuleEngine, parts: Parts): Promise<string> => (await engine.evaluate(ruleInput(parts))).effect
const vote = (effect: string, rest = '') => `{ "effect": "${effect}", "reason": "${effect} it"${rest} }`
const MASK = vote('mask', ', "columns": { "public.a.b": "partial", "public.a.c": "null" }')

const COMBINATIONS: readonly (readonly [readonly string[], Verdict['effect'], Verdict['by']])[] = [
  [[], 'block', 'default'],
  [['allow'], 'allow', 'rules'],
  [['allow', 'block'], 'block', 'rules'],
  [['block', 'allow'], 'block', 'rules'],
  [['await-approval', 'block'], 'block', 'rules'],
  [['await-approval', 'allow'], 'await-approval', 'rules'],
]
for (const [votes, effect, by] of COMBINATIONS) {
  test(`${votes.join(' and ') || 'no vote'} gives ${effect}`, async (t) => {
    const { engine } = await open(t, Object.fromEntries(votes.map((each, i) => [`rule-${i}`, vote(each)])))
    const verdict = await engine.evaluate(ruleInput())
    assert.deepEqual([verdict.effect, verdict.by, verdict.votes.length], [effect, by, votes.length])
    assert.equal(verdict.ruleset, engine.digest())
  })
}

test('masks of all votes are united, the stricter method wins, and they hold for what is held or allowed', async (t) => {
  const other = vote('mask', ', "columns": { "public.a.b": "fixed", "class:pii.*": "hash" }')
  for (const more of ['allow', 'await-approval']) {
    const { engine } = await open(t, { a: MASK, b: other, c: vote(more) })
    const { effect, obligations } = await engine.evaluate(ruleInput())
    assert.equal(effect, more === 'allow' ? 'mask' : more)
    assert.deepEqual(obligations.masks, [
      { column: 'class:pii.*', method: 'hash' }, { column: 'public.a.b', method: 'fixed' }, { column: 'public.a.c', method: 'null' },
    ])
  }
})

test('approval terms are the shortest time and the approvers every rule names', async (t) => {
  const { engine } = await open(t, {
    a: vote('await-approval', ', "approvers": ["group:dba", "ada"], "timeout": 60'),
    b: vote('await-approval', ', "approvers": ["ada", "group:legal"]'),
  })
  const { obligations } = await engine.evaluate(ruleInput())
  assert.deepEqual(obligations.approval, { approvers: ['ada'], timeoutSeconds: 60 })
})

test('a dry run that one rule asks for is a term of the approval', async (t) => {
  const { engine } = await open(t, { a: vote('await-approval', ', "dry-run": true, "approvers": ["ada"]'), b: vote('await-approval', ', "dry-run": false, "approvers": ["ada"]') })
  const { obligations } = await engine.evaluate(ruleInput())
  assert.equal(obligations.approval?.dryRun, true)
})

test('approvals that nobody could give together are a block', async (t) => {
  const { engine } = await open(t, { a: vote('await-approval', ', "approvers": ["group:dba"]'), b: vote('await-approval') })
  const verdict = await engine.evaluate(ruleInput())
  assert.deepEqual([verdict.effect, verdict.by], ['block', 'rules'])
  assert.match(verdict.reason, /nobody may give them all/)
})

test('a rule that reads a value that is not there blocks, whatever it would have said', async (t) => {
  const { engine } = await open(t, { a: `command.values[3] = "x" ? ${vote('block')}`, b: vote('allow') })
  const verdict = await engine.evaluate(ruleInput({ command: { values: ['x'] } }))
  assert.deepEqual([verdict.effect, verdict.by], ['block', 'failure'])
  assert.match(verdict.votes[0]?.reason ?? '', /command\.values\[3\] has no value/)
  assert.doesNotMatch(verdict.reason, /values/, 'what went wrong inside a rule is not for the client')
})

const MISSING = [
  '$count(command.values[5]) = 0', '$not("x" in command.resources[5].columns)', '$not(command.values[5] = "x")', 'command.values[5] != "x"',
  '$lowercase(command.values[5]) != "x"', '$not($contains(command.values[5], "x"))', '$lookup(target.classes, "public.z") != "pii"',
  'target.classes.`public.z` != "pii"', '$max(command.resources.$length(name)) != 3', 'command.sql.statements / 0 > 5', '0 * (1 / 0) != 1',
  '($v := command.values[5]; $not($v = "x"))', '$count([command.values[5]]) = 1', 'command.sql.unbounded or command.values[5] != "x"',
  '$not(command.values[0] > 5)', '$single(command.values, function($v) { $v = "q" }) != "x"',
]
for (const gate of MISSING) {
  test(`a missing value does not open the gate: ${gate}`, async (t) => {
    const { engine } = await open(t, { a: `${gate} ? ${vote('allow')}`, b: vote('allow') })
    const verdict = await engine.evaluate(ruleInput({ command: { values: ['x'] } }))
    assert.deepEqual([verdict.effect, verdict.by], ['block', 'failure'])
  })
}

test('a rule may ask whether a value is there', async (t) => {
  const { engine } = await open(t, { a: `$exists(command.values[1]) and command.values[1] = "x" ? ${vote('block')}`, b: vote('allow') })
  assert.equal(await effects(engine, { command: { values: [] } }), 'allow')
  assert.equal(await effects(engine, { command: { values: ['', 'x'] } }), 'block')
})

test('a rule that reads a text or values that were cut blocks, unless it asks first', async (t) => {
  for (const rule of ['$contains(command.text, "drop")', '$count($filter(command.actions, function($a) { $contains(command.text, $a) })) > 0']) {
    const { engine } = await open(t, { a: `${rule} ? ${vote('block')}`, b: vote('allow') })
    assert.equal(await effects(engine, { command: { text: 'select' } }), 'allow')
    assert.equal((await engine.evaluate(ruleInput({ command: { text: 'select', textBytes: 9_999 } }))).by, 'failure')
  }
  const asks = await open(t, { a: `command.valuesComplete and "x" in command.values ? ${vote('block')}`, b: vote('allow') })
  assert.equal(await effects(asks.engine, { command: { values: ['x'], valuesComplete: false } }), 'allow')
  const reads = await open(t, { a: `"x" in command.values ? ${vote('block')}`, b: vote('allow') })
  assert.equal(await effects(reads.engine, { command: { values: [], valuesComplete: false } }), 'block')
})

test('facts that were declared and are missing, or of another type, block', async (t) => {
  const { engine } = await open(t, { a: vote('allow') })
  for (const sql of [{}, { statements: 1, tables: [], writes: [], unbounded: 'no', transaction: '' }]) {
    assert.equal((await engine.evaluate(ruleInput({ command: { facts: { sql } } }))).by, 'failure')
  }
  assert.equal(await effects(engine, { command: { facts: {} } }), 'allow', 'facts of another protocol have their defaults')
})

test('a clock that gives no time blocks', async (t) => {
  const { engine } = await open(t, { a: vote('allow') })
  assert.equal((await engine.evaluate(ruleInput({ now: Number.NaN }))).by, 'failure')
})

test('a repeated statement gets the very same verdict object', async (t) => {
  const { engine } = await open(t, { a: `command.action = "read" ? ${MASK}` })
  const input = ruleInput()
  const again = { ...input, command: { ...input.command, values: ['other'] }, session: { ...input.session, commands: 7 }, now: NOON + 5 }
  assert.equal(engine.evaluate(input), engine.evaluate(again))
})

test('sessions of one identity share what is remembered, unless a rule tells them apart', async (t) => {
  const input = ruleInput()
  const sessions = Array.from({ length: 20 }, (_, i) => ({ ...input, session: { ...input.session, id: `s-${i}`, address: `192.0.2.${i}` } }))
  const shared = await open(t, { a: `command.action = "read" ? ${vote('allow')}` })
  assert.equal(new Set(sessions.map((each) => shared.engine.evaluate(each))).size, 1)
  const apart = await open(t, { a: `session.address = "192.0.2.7" ? ${vote('block')} : ${vote('allow')}` })
  const blocked = [...sessions, ...sessions].filter((each) => (apart.engine.evaluate(each) as Verdict).effect === 'block')
  assert.deepEqual(blocked.map(({ session }) => session.id), ['s-7', 's-7'])
})

test('thousands of statements of one session are decided alike the second time', async (t) => {
  const { engine } = await open(t, { a: `command.sql.unbounded ? ${vote('block')} : ${vote('allow')}` })
  const input = ruleInput()
  const many = Array.from({ length: 1_200 }, (_, i) => {
    const facts = freeze({ sql: { statements: 1, tables: [], writes: [], unbounded: i % 3 === 0, transaction: '' } })
    return { ...input, command: { ...input.command, text: `SELECT ${i}`, facts } }
  })
  for (const round of [1, 2]) {
    assert.deepEqual(many.map((each) => (engine.evaluate(each) as Verdict).effect === 'block'), many.map((_, i) => i % 3 === 0), `round ${round}`)
  }
})

test('what is not frozen is not remembered by its identity', async (t) => {
  const { engine } = await open(t, { a: `command.sql.unbounded ? ${vote('block')} : ${vote('allow')}` })
  const facts = { sql: { statements: 1, tables: [], writes: [], unbounded: false, transaction: '' } }
  const input = { ...ruleInput(), command: { ...ruleInput().command, facts } }
  assert.equal((await engine.evaluate(input)).effect, 'allow')
  facts.sql.unbounded = true
  assert.equal((await engine.evaluate(input)).effect, 'block')
})

test('rules that read time, counters or values are asked each time, the others are remembered', async (t) => {
  const { engine } = await open(t, {
    a: `time.hour >= 18 ? ${vote('block')}`,
    b: `session.commands > 100 ? ${vote('block')}`,
    c: `"secret" in command.values ? ${vote('block')}`,
    d: vote('allow'),
  })
  const input = ruleInput()
  const at = (change: object) => ({ ...input, ...change })
  const seen = [input, at({ now: NOON + 7 * 3_600_000 }), at({ session: { ...input.session, commands: 101 } }), at({ command: { ...input.command, values: ['secret'] } }), input]
    .map((each) => (engine.evaluate(freeze(each)) as Verdict).effect)
  assert.deepEqual(seen, ['allow', 'block', 'block', 'block', 'allow'])
})

test('one statement in another phase, transaction state, session or target is decided anew', async (t) => {
  const { engine } = await open(t, {
    a: `command.phase = "prepare" or session.transaction = "failed" or target.name = "other" or session.application = "bad" ? ${vote('block')} : ${vote('allow')}`,
  })
  const input = ruleInput()
  const changed = [
    { ...input, command: { ...input.command, phase: 'prepare' as const } },
    { ...input, session: { ...input.session, transaction: 'failed' } },
    { ...input, target: freeze({ ...input.target, name: 'other' }) },
    { ...input, session: { ...input.session, application: 'bad' } },
  ]
  for (const each of changed) {
    assert.equal((await engine.evaluate(input)).effect, 'allow')
    assert.equal((await engine.evaluate(each)).effect, 'block')
  }
})

/** Expensive by design: 3 × 10⁸ steps in JSONata would take minutes. */
const ENDLESS = `$count($map([1..1000], function($a) { $map([1..1000], function($b) { $map([1..1000], function($c) { $a * $b * $c }) }) })) > 0 ? ${vote('allow')}`
/** Doubles a text forty times. */
const GREEDY = `$length($reduce([1..40], function($text, $n) { $text & $text }, "0123456789")) > 0 ? ${vote('allow')}`

test('a rule without end blocks within its CPU budget, and the rules beside it still vote', async (t) => {
  const { engine } = await open(t, { a: ENDLESS, b: `$count($filter(command.actions, function($a) { $a = "read" })) > 0 ? ${vote('allow')}` })
  const verdict = await engine.evaluate(ruleInput())
  assert.deepEqual([verdict.effect, verdict.by], ['block', 'failure'])
  assert.deepEqual(verdict.votes.map(({ rule, effect }) => [rule, effect]), [['a', 'block'], ['b', 'allow']])
  assert.match(verdict.votes[0]?.reason ?? '', /too much time or memory/)
})

test('a rule that eats memory blocks, and the process lives', async (t) => {
  const { engine } = await open(t, { a: `command.action = "drop" ? ${vote('block')}`, b: GREEDY })
  const verdict = await engine.evaluate(ruleInput())
  assert.deepEqual([verdict.effect, verdict.by], ['block', 'failure'])
})

test('evaluations of other sessions survive a rule that is stopped', async (t) => {
  const { engine } = await open(t, {
    a: `identity.subject = "mallory" and ${ENDLESS}`,
    b: `$count($filter(command.actions, function($a) { $a = "read" })) > 0 ? ${vote('allow')}`,
  })
  const subjects = ['ada', 'mallory', 'bob', 'eve', 'mallory', 'dan']
  const verdicts = await Promise.all(subjects.map((subject) => effects(engine, { identity: { subject } })))
  assert.deepEqual(verdicts, subjects.map((subject) => (subject === 'mallory' ? 'block' : 'allow')))
})

test('a text too long to match at once is matched in the thread, with the same answer', async (t) => {
  const { engine } = await open(t, { a: `$contains(command.text, /(x+x+)+y/) ? ${vote('block')} : ${vote('allow')}` })
  const text = 'x'.repeat(30_000)
  assert.ok(engine.evaluate(ruleInput({ command: { text } })) instanceof Promise)
  assert.equal(await effects(engine, { command: { text } }), 'allow')
  assert.equal(await effects(engine, { command: { text: `${text}y` } }), 'block')
  assert.equal(await effects(engine, { command: { text: 'xxy' } }), 'block')
})

test('more evaluations than may wait are blocked at once', async (t) => {
  const limits = { cpuMs: 100, wallMs: 5_000, memoryMb: 64, queue: 2 }
  const { engine } = await open(t, { a: `$count($filter(command.actions, function($a) { $a = "read" })) > 0 ? ${vote('allow')}` }, { limits })
  const many = await Promise.all(Array.from({ length: 8 }, async (_, i) => await engine.evaluate(ruleInput({ command: { actions: ['read', String(i)] } }))))
  assert.deepEqual(many.map(({ by }) => by), ['rules', 'rules', 'rules', ...Array.from({ length: 5 }, () => 'failure')])
})

test('a new set applies from the next command on, and a broken one is refused whole', async (t) => {
  const { engine, folder } = await open(t, { a: vote('allow') })
  const [input, before] = [ruleInput(), engine.digest()]
  assert.equal((await engine.evaluate(input)).effect, 'allow')
  await folder.write({ a: vote('block'), b: 'command.acton = "x"' })
  const refused = firstValueFrom(engine.changes)
  await engine.reload()
  const change = await refused
  assert.ok(change.type === 'ruleset.refused.v1')
  assert.deepEqual([change.data.kept, change.data.problems.map(({ file, line }) => [file, line])], [before, [['b.jsonata', 2]]])
  assert.deepEqual([(await engine.evaluate(input)).effect, engine.digest()], ['allow', before])
  await folder.remove('b')
  const loaded = await engine.reload()
  assert.ok(loaded.type === 'ruleset.loaded.v1' && loaded.data.digest !== before)
  const after = await engine.evaluate(input)
  assert.deepEqual([after.effect, after.ruleset], ['block', engine.digest()])
})

test('what is being decided when a new set comes ends under the old one', async (t) => {
  const slow = (effect: string) => `$count($filter(command.actions, function($a) { $a = "read" })) > 0 ? ${vote(effect)}`
  const { engine, folder } = await open(t, { a: slow('allow') })
  const [before, deciding] = [engine.digest(), engine.evaluate(ruleInput())]
  await folder.write({ a: slow('block') })
  await engine.reload()
  const verdict = await deciding
  assert.deepEqual([verdict.effect, verdict.ruleset], ['allow', before])
  assert.equal(await effects(engine, {}), 'block')
})

test('a watched folder reloads by itself', async (t) => {
  const { engine, folder } = await open(t, { a: vote('allow') }, { watch: true })
  const change = firstValueFrom(engine.changes)
  await folder.write({ a: vote('block') })
  assert.equal((await change).type, 'ruleset.loaded.v1')
  assert.equal(await effects(engine, {}), 'block')
})

test('a folder that is broken or not there opens nothing', async (t) => {
  await assert.rejects(openRuleEngine({ ...OPTIONS, folder: '/nowhere/rules' }), { code: 'RULES_INVALID', message: /cannot be read/ })
  await assert.rejects(open(t, { a: 'command.acton' }), { code: 'RULES_INVALID', message: /a\.jsonata:2: there is no command\.acton/ })
})

test('the engine knows which input paths rules read', async (t) => {
  const { engine } = await open(t, { a: `"public.a" in command.resources.name ? ${vote('block')}` })
  const asked = ['command.resources', 'command.resources.name', 'command.resources.columns', 'command', 'command.sql', 'command.res'].map((path) => engine.reads(path))
  assert.deepEqual(asked, [true, true, false, true, false, false])
})
