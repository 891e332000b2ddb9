import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Ruleset } from '../../../core/rules/index.ts'
import { explain, loadRuleset } from '../../../core/rules/index.ts'
import { Decider } from '../../../core/rules/decider.ts'
import { freeze, NOON, OPTIONS, ruleInput } from './rule-input.ts'
import { rulesFolder } from './rules-folder.ts'

/** Conditions that guard, fail, read what is fleeting, or need the thread. */
const CONDITIONS = [
  'command.action = "read"', 'command.action in ["drop", "update"]', '"drop" in command.actions', 'command.protocol = "http"',
  'identity.subject = "ada"', 'target.name = "shop" or target.name = "b"', 'command.sql.unbounded', '$not(command.sql.unbounded)',
  'command.values[0] = "x"', '"x" in command.values', 'time.hour > 12', 'session.commands > 1', 'session.transaction = "open"',
  '$contains(command.text, "a")', '"public.a" in command.resources.name', '$count($filter(command.values, function($v) { $v = "x" })) > 0',
  'command.phase = "prepare"', 'command.actions[1] = "drop"', '$count(command.resources[access = "write"]) > 0',
]
const condition = fc.constantFrom(...CONDITIONS)
const rule = fc.tuple(fc.array(condition, { minLength: 1, maxLength: 3 }), fc.constantFrom('and', 'or'), fc.constantFrom('allow', 'block', 'await-approval'))
  .map(([terms, operator, effect]) => `${terms.join(` ${operator} `)} ? { "effect": "${effect}", "reason": "because " & command.action }`)

const picks = fc.record({
  action: fc.constantFrom('read', 'drop'), protocol: fc.constantFrom('postgresql', 'http'), subject: fc.constantFrom('ada', 'bob'),
  unbounded: fc.boolean(), value: fc.constantFrom('x', 'y', undefined), hour: fc.constantFrom(0, 3), commands: fc.constantFrom(1, 2),
  transaction: fc.constantFrom('idle', 'open'), text: fc.constantFrom('a', 'b'), table: fc.constantFrom('public.a', 'public.b'), phase: fc.constantFrom('execute' as const, 'prepare' as const),
})
type Picks = typeof picks extends fc.Arbitrary<infer T> ? T : never

/** Parts are shared between inputs that mean the same, as an adapter shares them: that is what the memory goes by. */
function inputs() {
  const shared = new Map<string, unknown>()
  const share = <T>(key: string, make: () => T): T => {
    if (!shared.has(key)) shared.set(key, freeze(make()))
    return shared.get(key) as T
  }
  const base = ruleInput()
  return (pick: Picks) => ({
    command: {
      ...base.command, action: pick.action, actions: [pick.action], protocol: pick.protocol, phase: pick.phase,
      text: pick.text, values: pick.value === undefined ? [] : [pick.value],
      resources: share(`r${pick.table}`, () => [{ name: pick.table, kind: 'table', access: 'write' as const, columns: [] }]),
      facts: share(`f${pick.unbounded}`, () => ({ sql: { statements: 1, tables: [], writes: [], unbounded: pick.unbounded, transaction: '' } })),
    },
    identity: share(`i${pick.subject}`, () => ({ ...base.identity, subject: pick.subject })),
    target: base.target,
    session: { ...base.session, commands: pick.commands, transaction: pick.transaction },
    now: NOON + pick.hour * 3_600_000,
  })
}

test('index and memory never change a verdict: it is what asking every rule anew gives', async () => {
  await fc.assert(fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 40 }), fc.array(picks, { minLength: 1, maxLength: 6 }), async (bodies, sequence) => {
    await using folder = await rulesFolder(Object.fromEntries(bodies.map((body, i) => [`rule-${String(i).padStart(2, '0')}`, body])))
    const ruleset = await loaded(folder.path)
    const decider = new Decider(ruleset)
    try {
      const inputOf = inputs()
      for (const pick of [...sequence, ...sequence]) {
        const input = inputOf(pick)
        assert.deepEqual(await decider.decide(input), (await explain(ruleset, input)).verdict)
      }
    } finally {
      await decider.close()
    }
  }), { numRuns: 40 })
})

async function loaded(folder: string): Promise<Ruleset> {
  const read = await loadRuleset(folder, OPTIONS)
  assert.ok('ruleset' in read, JSON.stringify(read))
  return read.ruleset
}
