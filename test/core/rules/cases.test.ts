import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { explain, loadRuleset, renderExplanation, renderTestReport, testRules, type Ruleset } from '../../../core/rules/index.ts'
import { OPTIONS, ruleInput } from './rule-input.ts'
import { rulesFolder } from './rules-folder.ts'

const RULE = `command.action = "drop" and (identity.kind = "agent" or identity.actor != "")
  ? { "effect": "block", "reason": "no drops by agents" }
  : command.sql.statements > 3 ? { "effect": "await-approval", "reason": "many", "timeout": 60 }`

async function ruleset(t: TestContext, files: Readonly<Record<string, string>>, rules: Readonly<Record<string, string>> = { a: RULE }): Promise<Ruleset> {
  const folder = await rulesFolder(rules)
  t.after(() => folder[Symbol.asyncDispose]())
  for (const [name, text] of Object.entries(files)) await folder.writeFile(name, text)
  const read = await loadRuleset(folder.path, OPTIONS)
  assert.ok('ruleset' in read, JSON.stringify(read))
  return read.ruleset
}

const GOOD = `
- name: blocks an agent
  input: { command: { action: drop }, identity: { kind: agent } }
  expect: { effect: block }
- name: holds many statements
  input: { command: { action: read, sql: { statements: 4 } } }
  expect: { effect: await-approval, timeout: 60 }
`

test('cases that hold pass, and what they do not reach is named', async (t) => {
  const report = await testRules(await ruleset(t, { 'a.cases.yaml': GOOD }))
  assert.deepEqual([report.passed, report.failed, report.problems], [2, 0, []])
  assert.deepEqual(report.rules[0]?.unreached, ['identity.actor != "" is looked at', 'command.sql.statements > 3 is false'])
  assert.match(renderTestReport(report), /✓ a: 2 of 2 cases, 4 of 6 branches reached\n {4}not reached: identity\.actor/)
})

test('the same cases in JSON', async (t) => {
  const cases = [{ name: 'blocks an agent', input: { command: { action: 'drop' }, identity: { kind: 'agent' } }, expect: { effect: 'block' } }]
  const report = await testRules(await ruleset(t, { 'a.cases.json': JSON.stringify(cases) }))
  assert.deepEqual([report.passed, report.failed], [1, 0])
})

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['another effect', '- { name: x, input: { command: { action: drop }, identity: { kind: agent } }, expect: { effect: allow } }', /expected \{"effect":"allow"\}, got \{"effect":"block"/],
  ['another reason', '- { name: x, input: { command: { action: drop }, identity: { kind: agent } }, expect: { effect: block, reason: other } }', /got \{"effect":"block"/],
  ['a vote where none was expected', '- { name: x, input: { command: { action: drop }, identity: { kind: agent } }, expect: none }', /expected no vote, got/],
  ['no vote where one was expected', '- { name: x, input: {}, expect: { effect: block } }', /got no vote/],
  ['an expected failure that does not come', '- { name: x, input: {}, expect: failure }', /did not fail/],
  ['an unknown field', '- { name: x, input: { command: { acton: drop } }, expect: none }', /there is no command\.acton; write command\.action/],
  ['a value of the wrong type', '- { name: x, input: { command: { sql: { statements: many } } }, expect: none }', /command\.sql\.statements is missing or not what was declared/],
  ['a statement nobody can analyse', '- { name: x, sql: "DROP TABLE a", expect: none }', /nothing here that can analyse/],
]
for (const [what, text, message] of WRONG) {
  test(`a case fails by ${what}`, async (t) => {
    const report = await testRules(await ruleset(t, { 'a.cases.yaml': text }))
    assert.equal(report.failed, 1)
    assert.match(report.rules[0]?.cases[0]?.wrong ?? '', message)
    assert.match(renderTestReport(report), /✗ a: 0 of 1 case/)
  })
}

test('a case may expect what its rule looks for, and an explanation says it', async (t) => {
  const rules = { a: 'command.action = "read" ? { "effect": "mask", "reason": "a", "detect": { "card-number": "partial", "*": { "method": "fixed", "confidence": 0.9 } } }' }
  const cases = `- { name: x, input: { command: { action: read } }, expect: { effect: mask, detect: { card-number: partial, "*": { method: fixed, confidence: 0.9 } } } }
- { name: y, input: { command: { action: read } }, expect: { effect: mask, detect: { card-number: fixed } } }`
  const read = await ruleset(t, { 'a.cases.yaml': cases }, rules)
  const report = await testRules(read)
  assert.deepEqual([report.passed, report.failed], [1, 1])
  const text = renderExplanation(await explain(read, ruleInput({ command: { action: 'read' } })))
  assert.match(text, /\n {2}detect every entity not named: fixed, from confidence 0\.9\n {2}detect card-number: partial, from confidence 0\.5\n/)
})

const UNREADABLE: readonly (readonly [string, number, RegExp])[] = [
  ['- name: x\n  input: {}\n  expekt: none', 3, /a case has no "expekt"; write expect/],
  ['- name: x\n  expect: maybe', 1, /expect says what the rule does/],
  ['\n- input: {}\n  expect: none', 2, /name the case/],
  ['name: x', 1, /write a list of cases/],
  ['- name: "x\n', 2, /not YAML/],
  ['- {}', 1, /name the case/],
]
for (const [text, line, message] of UNREADABLE) {
  test(`a case file says what is wrong with ${JSON.stringify(text)}`, async (t) => {
    const { problems } = await testRules(await ruleset(t, { 'a.cases.yaml': text }))
    assert.deepEqual(problems.map((each) => [each.file, each.line]), [['a.cases.yaml', line]])
    assert.match(problems[0]?.message ?? '', message)
  })
}

test('a case may expect its rule to fail', async (t) => {
  const rules = { a: 'command.values[2] = "x" ? { "effect": "allow", "reason": "a" }' }
  const report = await testRules(await ruleset(t, { 'a.cases.yaml': '- { name: x, input: { command: { values: [a] } }, expect: failure }' }, rules))
  assert.equal(report.passed, 1)
})

test('a rule without cases is named', async (t) => {
  const report = await testRules(await ruleset(t, {}))
  assert.deepEqual(report.untested, ['a'])
  assert.match(renderTestReport(report), /\? a: no cases/)
})

test('a statement in a case goes through the analyser it is given', async (t) => {
  const { command } = ruleInput({ command: { action: 'drop', actions: ['drop'] } })
  const seen: string[] = []
  const analyse = (text: string) => (seen.push(text), command)
  const report = await testRules(await ruleset(t, { 'a.cases.yaml': '- { name: x, sql: DROP TABLE a, input: { identity: { kind: agent } }, expect: { effect: block } }' }), analyse)
  assert.deepEqual([report.passed, seen], [1, ['DROP TABLE a']])
})

test('an explanation says what each rule voted, which conditions held, and what they read', async (t) => {
  const rules = { a: RULE, b: 'command.sql.unbounded ? { "effect": "block", "reason": "b" }', c: 'command.values[0] = "x" ? { "effect": "allow", "reason": "c" }' }
  const explanation = await explain(await ruleset(t, {}, rules), ruleInput({ command: { action: 'drop' }, identity: { actor: 'bot\u001b[2J' } }))
  assert.equal(explanation.verdict.effect, 'block')
  assert.deepEqual(explanation.rules[0]?.conditions.map(({ text, value }) => [text, value]), [
    ['command.action = "drop"', true], ['identity.kind = "agent" or identity.actor != ""', true], ['command.sql.statements > 3', undefined],
  ])
  const text = renderExplanation(explanation)
  assert.match(text, /^block \(by rules\): no drops by agents; a rule could not be evaluated\n/)
  assert.match(text, /a: block: no drops by agents\n {4}a\.\n {4}✓ true {6}command\.action = "drop" {3}\(command\.action is "drop"\)/)
  assert.match(text, /c: failed, which blocks: command\.values\[0\] has no value/)
  assert.match(text, /Had nothing to say:\n {2}b: no vote\n {4}b\.\n {4}✗ false {5}command\.sql\.unbounded/)
  assert.ok(!text.includes('\u001b'), 'what a peer wrote does not steer the terminal')
})
