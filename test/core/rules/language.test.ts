import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputType } from '../../../core/rules/input-schema.ts'
import { readRule } from '../../../core/rules/rule.ts'
import { FACTS, LABELS } from './rule-input.ts'

const TYPE = inputType({ facts: FACTS, labels: LABELS })
const read = (body: string) => readRule('a-rule.jsonata', `/* Why. */\n${body}`, TYPE)
const vote = '{ "effect": "block", "reason": "no" }'

/** What stands in the rule → what the problem says. All are on line 2. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  [`command.acton = "drop" ? ${vote}`, /there is no command\.acton; write command\.action/],
  [`command.sql.unbonded ? ${vote}`, /write command\.sql\.unbounded/],
  [`target.labels.envv = "x" ? ${vote}`, /write target\.labels\.env/],
  [`target.labels.team = "x" ? ${vote}`, /there is no target\.labels\.team/],
  [`command.facts.sql.unbounded ? ${vote}`, /there is no command\.facts/],
  [`command.text.length > 3 ? ${vote}`, /cannot be read: command\.text is text/],
  [`command.actions = "drop" ? ${vote}`, /is a list; write "drop" in command\.actions/],
  [`command.resources.name != "a" ? ${vote}`, /write \$not\("a" in command\.resources\.name\)/],
  [`command.actions in ["drop"] ? ${vote}`, /the left of `in` is one value/],
  [`"drop" in command.action ? ${vote}`, /the right of `in` is a list/],
  [`5 in command.actions ? ${vote}`, /has none of that/],
  [`command.action = 5 ? ${vote}`, /they are never equal/],
  [`identity.kind = "robot" ? ${vote}`, /identity\.kind is never "robot"; it is one of "person", "service", "agent"/],
  [`identity.kind in ["person", "bot"] ? ${vote}`, /is never "bot"/],
  [`"wrote" in command.resources.access ? ${vote}`, /is never "wrote"/],
  [`command.sql.statements > "3" ? ${vote}`, /they cannot be compared/],
  [`command.actions ? ${vote}`, /a list is not a condition/],
  [`identity.actor ? ${vote}`, /a condition must be true or false, not text/],
  [`command.sql.unbounded and identity.actor ? ${vote}`, /a condition must be true or false/],
  [`$not(command.text) ? ${vote}`, /a condition must be true or false/],
  [`$exists(identity.actor) ? ${vote}`, /always exists, empty or not; write identity\.actor != ""/],
  [`$exists(command.sql.tables) ? ${vote}`, /write \$count\(command\.sql\.tables\) > 0/],
  [`command.resources.columns[0] = "a" ? ${vote}`, /takes one of each; write \(…\)\[…\]/],
  [`$eval("1") ? ${vote}`, /\$eval is not available in rules: it runs text as code/],
  [`$pad("a", 5) = "a" ? ${vote}`, /\$pad is not available/],
  [`$now() = "a" ? ${vote}`, /read time\.iso instead/],
  [`$millis() > 1 ? ${vote}`, /read time\.epoch instead/],
  [`$random() > 0.5 ? ${vote}`, /same answer for the same input/],
  [`$lowercas(command.text) = "a" ? ${vote}`, /there is no function \$lowercas; write \$lowercase/],
  [`$lowercase() = "a" ? ${vote}`, /takes 1 argument, written out; here are 0/],
  [`$lowercase(command.actions) = "a" ? ${vote}`, /for each element write command\.actions\.\$lowercase\(\$, …\)/],
  [`$contains(command.text, /a(?=b)/) ? ${vote}`, /is not RE2/],
  [`$contains(command.text, /(a)\\1/) ? ${vote}`, /is not RE2/],
  [`($f := function($x) { $f($x) }; $f(1) = 1 ? ${vote})`, /a function cannot call itself/],
  [`($f := function($g) { $g($g) }; $f(1) = 1 ? ${vote})`, /\$g is not a function/],
  [`($x := 1; $x := 2; $x = 1 ? ${vote})`, /\$x is bound already/],
  [`$x = 1 ? ${vote}`, /\$x is not bound here/],
  [`command.* = "a" ? ${vote}`, /wildcard/],
  [`"a" in **.name ? ${vote}`, /wildcard/],
  [`command.resources.%.action = "a" ? ${vote}`, /`@`, `#` and `%` are not available/],
  [`command.resources@$r.name = "a" ? ${vote}`, /`@`, `#` and `%` are not available/],
  [`"a" in command.resources#$i.name ? ${vote}`, /`@`, `#` and `%` are not available/],
  [`"a" in command.actions[] ? ${vote}`, /`\[\]` is not needed/],
  [`command ~> |resources|{"a": 1}| ? ${vote}`, /transform|after `~>`/],
  [`1 in [1..100000000] ? ${vote}`, /a range has at least 1 and at most 1000 elements/],
  [`1 in [1..command.sql.statements] ? ${vote}`, /ends of a range must be whole numbers, written out/],
  [`command.values[$ = "a"] = "a" ? ${vote}`, /is a list/],
  [`command.sql.unbounded`, /gives nothing or a vote/],
  [`"block"`, /gives nothing or a vote/],
  [`command.sql.unbounded ? "block"`, /gives nothing or a vote/],
  [`()`, /never votes/],
  [`command.sql.unbounded ? { "effect": "deny", "reason": "no" }`, /the effect is one of/],
  [`command.sql.unbounded ? { "effect": "blok", "reason": "no" }`, /write "block"/],
  [`command.sql.unbounded ? { "effect": "block" }`, /a vote says why/],
  [`command.sql.unbounded ? { "effect": "block", "reason": 5 }`, /a vote says why/],
  [`command.sql.unbounded ? { "effect": "block", "reson": "no" }`, /a vote has no "reson"; write reason/],
  [`command.sql.unbounded ? { "effect": "allow", "reason": "a", "columns": { "a.b.c": "null" } }`, /"columns" belongs to the effect "mask"/],
  [`command.sql.unbounded ? { "effect": "mask", "reason": "a" }`, /a mask says what it hides/],
  [`command.sql.unbounded ? { "effect": "mask", "reason": "a", "columns": { "a.b": "null" } }`, /"a\.b" is not a column/],
  [`command.sql.unbounded ? { "effect": "mask", "reason": "a", "columns": { "a.b.c": "hide" } }`, /the method is one of/],
  [`command.sql.unbounded ? { "effect": "mask", "reason": "a", "columns": { "class:": "null" } }`, /is not a class/],
  [`command.sql.unbounded ? { "effect": "await-approval", "reason": "a", "approvers": [] }`, /"approvers" is a list/],
  [`command.sql.unbounded ? { "effect": "await-approval", "reason": "a", "timeout": 0 }`, /"timeout" is a whole number of seconds/],
  [`command.sql.unbounded ? { "effect": "block", "effect": "allow", "reason": "a" }`, /is there twice/],
  [`command.sql.unbounded ? ${vote} :`, /not JSONata/],
  [`command.sql.unbounded = (command.sql.unbounded ? true) ? ${vote}`, /write what it is otherwise/],
  [`[command.sql.tables, 1][0] = "a" ? [[${vote}]]`, /a list inside a list/],
]

for (const [body, problem] of REFUSED) {
  test(`refuses ${body.slice(0, 90)}`, () => {
    const result = read(body)
    assert.ok('problem' in result, 'it was accepted')
    assert.match(result.problem.message, problem)
    assert.equal(result.problem.line, 2)
  })
}

const ACCEPTED: readonly string[] = [
  `command.action = "drop" ? ${vote}`,
  `target.labels.\`data-class\` = "secret" ? ${vote} : { "effect": "allow", "reason": "fine" }`,
  `time.hour >= 18 or time.weekday in [6, 7] ? ${vote}`,
  `$exists(command.values[0]) ? ${vote}`,
  `$lookup(target.classes, "public.a") = "pii.email" ? ${vote}`,
  `($tables := command.resources[access = "write"].name; "public.a" in $tables ? ${vote})`,
  `command.resources[name = "public.a" and access = "write"].{ "effect": "block", "reason": "writes " & name }`,
  `$count($filter(command.resources, function($r) { $r.access = "write" })) > 0 ? ${vote}`,
  `($big := function($n) { $n > 3 }; $big(command.sql.statements) ? ${vote})`,
  `command.text ~> $contains(/drop/i) ? ${vote}`,
  `[{ "effect": "block", "reason": "a" }, command.sql.unbounded ? { "effect": "allow", "reason": "b" }]`,
  `$toMillis(session.startedAt) < time.epoch - 3600000 ? ${vote}`,
  `command.sql.unbounded ? { "effect": "mask", "reason": "a", "columns": { "*.*.ssn": "null", "class:pii.*": "hash" } }`,
]
for (const body of ACCEPTED) {
  test(`accepts ${body.slice(0, 90)}`, () => assert.deepEqual('problem' in read(body) ? read(body) : 'accepted', 'accepted'))
}

test('a rule must open with a comment that says what it is for', () => {
  const result = readRule('a-rule.jsonata', vote, TYPE)
  assert.ok('problem' in result)
  assert.match(result.problem.message, /opens with a comment/)
})

test('the file name must be kebab-case, because it is the id', () => {
  const result = readRule('A_Rule.jsonata', `/* Why. */ ${vote}`, TYPE)
  assert.ok('problem' in result)
  assert.match(result.problem.message, /kebab-case/)
})

test('a problem names its own line, counted from one', () => {
  const result = readRule('a-rule.jsonata', '/* One.\n * Two. */\n\ncommand.sql.unbounded\n  and command.acton = "drop"\n  ? { }', TYPE)
  assert.ok('problem' in result)
  assert.equal(result.problem.line, 5)
})

test('nesting as deep as a file can hold is a problem, not a crash', () => {
  for (const body of ['('.repeat(20_000) + ')'.repeat(20_000), `${'$not('.repeat(5_000)}true${')'.repeat(5_000)} ? ${vote}`, `${'-'.repeat(30_000)}1`]) {
    assert.ok('problem' in read(body))
  }
})

test('what a rule reads is known by path', () => {
  const result = read(`command.resources[access = "write" and name in $$.command.sql.tables].columns[$ = "a"] = ["a"] and time.hour > 3 ? ${vote}`)
  assert.ok('rule' in result)
  assert.deepEqual([...result.rule.reads].sort(), ['command.resources.access', 'command.resources.columns', 'command.resources.name', 'command.sql.tables', 'time.hour'])
})
