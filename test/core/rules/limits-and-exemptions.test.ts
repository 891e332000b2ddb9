import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Compile } from 'typebox/compile'
import { VerdictSchema, type Verdict } from '../../../core/events/index.ts'
import { combine, withExemptions } from '../../../core/rules/combine.ts'
import { readVotes } from '../../../core/rules/vote.ts'

const OPTIONS = { default: 'block', approval: { approvers: ['group:reviewers'], timeoutSeconds: 60 }, digest: 'sha256:00' } as const
const checked = Compile(VerdictSchema)

/** Each argument is what one rule gives; the first is `r1`. */
function verdictOf(...given: readonly unknown[]): Verdict {
  const outcomes = given.map((result, index) => {
    const votes = readVotes(result)
    assert.ok(typeof votes !== 'string')
    return { rule: `r${index + 1}`, votes }
  })
  const verdict = combine(outcomes, OPTIONS)
  assert.ok(checked.Check(verdict), JSON.stringify(verdict))
  return verdict
}

/** What is wrong with what a rule gives. */
function problemIn(result: unknown): string {
  const votes = readVotes(result)
  return typeof votes === 'string' ? votes : ''
}

const allow = (more: object): object => ({ effect: 'allow', reason: 'fine', ...more })
const mask = (columns: object, more: object = {}): object => ({ effect: 'mask', reason: 'personal', columns, ...more })

test('limits of several votes combine to the smallest of each, whatever the effect', () => {
  const { effect, obligations } = verdictOf(
    allow({ limits: { rows: 100, seconds: 5 } }),
    mask({ 'a.b.c': 'null' }, { limits: { rows: 50, bytes: 9 } }),
    { effect: 'await-approval', reason: 'second person', limits: { seconds: 7, statementsPerMinute: 3 } },
  )
  assert.equal(effect, 'await-approval')
  assert.deepEqual(obligations.limits, { rows: 50, bytes: 9, seconds: 5, statementsPerMinute: 3 })
  assert.equal(verdictOf(allow({})).obligations.limits, undefined)
  assert.equal(verdictOf(allow({ limits: { rows: 1 } }), { effect: 'block', reason: 'no' }).obligations.limits, undefined)
})

test('a limit that is no limit is a problem, in words that say what to write', () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{}, /says what a command may use/], [[], /says what/], [5, /says what/], [{ row: 5 }, /no "row"; write rows/], [{ rows: 1.5 }, /whole number/], [{ rows: -1 }, /from 0/],
    [{ seconds: 0 }, /from 0.001/], [{ seconds: '5' }, /number of seconds/], [{ statementsPerMinute: 0 }, /from 1/], [{ statementsPerMinute: 1e9 }, /to 60000/], [{ bytes: Infinity }, /whole number/],
  ]
  for (const [limits, said] of wrong) assert.match(problemIn(allow({ limits })), said)
  assert.match(problemIn({ effect: 'block', reason: 'r', limits: { rows: 1 } }), /belongs to the effect "allow" or "mask" or "await-approval"/)
})

test('an exemption lifts the masks it covers, and says by whom and why', () => {
  const { effect, obligations } = verdictOf(mask({ 'public.people.email': 'partial', 'public.people.born': 'null', 'class:pii.email': 'null' }), allow({ reason: 'support needs it', exempt: ['public.people.email', 'class:pii.*'] }))
  assert.equal(effect, 'mask')
  assert.deepEqual(obligations.masks.map(({ column }) => column), ['public.people.born'])
  assert.deepEqual(obligations.exemptions, [
    { column: 'public.people.email', by: 'r2', reason: 'support needs it' }, { column: 'class:pii.*', by: 'r2', reason: 'support needs it' },
  ])
})

test('when every mask is lifted nothing is masked, and the verdict says so', () => {
  const { effect, reason, obligations } = verdictOf(mask({ 'public.people.email': 'partial' }), allow({ reason: 'ticket 42', exempt: ['public.*.email'] }))
  assert.deepEqual([effect, reason, obligations.masks], ['allow', 'nothing is masked: ticket 42', []])
})

test('what an exemption cannot cover alone stays, for the adapter to take it apart', () => {
  const columns = { 'public.*.email': 'null', 'class:pii.*': 'null' } as const
  const { obligations } = verdictOf(mask(columns), allow({ exempt: ['public.people.email', 'class:pii.email'] }))
  assert.deepEqual(obligations.masks, [
    { column: 'class:pii.*', method: 'null', except: ['public.people.email', 'class:pii.email'] },
    { column: 'public.*.email', method: 'null', except: ['public.people.email'] },
  ])
  assert.deepEqual(obligations.exemptions?.map(({ column }) => column), ['public.people.email', 'class:pii.email'])
})

test('a class does not lift the mask that a rule wrote for a column, nor a column that of another', () => {
  const { effect, obligations } = verdictOf(mask({ 'public.people.email': 'null' }), allow({ exempt: ['class:pii.email', 'public.people.phone'] }))
  assert.equal(effect, 'mask')
  assert.equal(obligations.masks.length, 1)
  assert.equal(obligations.exemptions, undefined)
})

test('no exemption lifts a block, or reaches a command that another rule holds back', () => {
  assert.equal(verdictOf(allow({ exempt: ['*.*.*', 'class:pii.*'] }), { effect: 'block', reason: 'no' }).effect, 'block')
  const held = verdictOf(mask({ 'a.b.c': 'null' }), allow({ exempt: ['a.b.c'] }), { effect: 'await-approval', reason: 'second person' })
  assert.deepEqual([held.effect, held.obligations.masks, held.obligations.exemptions?.length], ['await-approval', [], 1])
})

test('an exemption that is none is a problem', () => {
  for (const exempt of [[], 'public.people.email', ['email'], ['class:'], [5], ['a.b*.c']]) assert.notEqual(problemIn(allow({ exempt })), '', JSON.stringify(exempt))
  assert.match(problemIn(mask({ 'a.b.c': 'null' }, { exempt: ['a.b.c'] })), /cannot be masked and exempt/)
  assert.match(problemIn({ effect: 'await-approval', reason: 'r', exempt: ['a.b.c'] }), /belongs to the effect "allow" or "mask"/)
})

test('exemptions given later are added to those of the rules, and the verdict that is shared is not changed', () => {
  const before = verdictOf(mask({ 'a.b.c': 'null', 'a.b.d': 'null' }), allow({ exempt: ['a.b.c'] }))
  const after = withExemptions(before, [{ column: 'a.b.d', by: 'grant:x', reason: 'ticket' }])
  assert.equal(before.obligations.masks.length, 1)
  assert.deepEqual([after.effect, after.obligations.masks, after.obligations.exemptions?.map(({ by }) => by)], ['allow', [], ['r2', 'grant:x']])
  assert.equal(withExemptions(before, [{ column: 'x.y.z', by: 'grant:x', reason: 'ticket' }]), before)
  assert.ok(Object.isFrozen(after) && Object.isFrozen(after.obligations.exemptions))
})
