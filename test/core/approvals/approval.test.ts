import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { evolve, refusal, type ApprovalState } from '../../../core/approvals/approval.ts'
import { approvalDigest, type Asked } from '../../../core/approvals/digest.ts'
import type { ApprovalRequested, EventType, Identity } from '../../../core/events/index.ts'
import { ALICE, aCommand, BOB, RULESET, SHOP } from '../../fault/gate-world.ts'

const NOW = Date.parse('2026-03-04T05:06:07.089Z')
const REQUEST: ApprovalRequested = {
  approval: 'x1', session: 's1', command: 'c1', digest: 'sha256:asked', asked: aCommand('delete'), identity: { ...ALICE, actor: 'agent-7' }, target: SHOP,
  ruleset: RULESET, votes: [], terms: { approvers: ['group:reviewers', 'carol'], timeoutSeconds: 600 }, expires: '2026-03-04T05:16:07.089Z',
}
const ANSWER = { approval: 'x1', digest: 'sha256:asked', by: BOB, comment: 'fine' }

interface Happening { readonly type: EventType; readonly data: unknown }
const requested: Happening = { type: 'approval.requested.v1', data: REQUEST }
const granted: Happening = { type: 'approval.granted.v1', data: ANSWER }
const denied: Happening = { type: 'approval.denied.v1', data: ANSWER }
const expired: Happening = { type: 'approval.expired.v1', data: { approval: 'x1' } }
const withdrawn: Happening = { type: 'approval.withdrawn.v1', data: { approval: 'x1', reason: 'left' } }
const consumed: Happening = { type: 'approval.consumed.v1', data: { approval: 'x1', command: 'c1', digest: 'sha256:asked' } }
const unrelated: Happening = { type: 'gateway.stopped.v1', data: { gateway: 'g', reason: '' } }

type Status = ApprovalState['status']
/** given these events → when this one → then this state. */
const TABLE: readonly (readonly [given: readonly Happening[], when: Happening, then: Status])[] = [
  [[], requested, 'pending'],
  [[], granted, 'none'],
  [[], denied, 'none'],
  [[], expired, 'none'],
  [[], withdrawn, 'none'],
  [[], consumed, 'none'],
  [[requested], requested, 'pending'],
  [[requested], granted, 'granted'],
  [[requested], denied, 'denied'],
  [[requested], expired, 'expired'],
  [[requested], withdrawn, 'withdrawn'],
  [[requested], consumed, 'pending'],
  [[requested], unrelated, 'pending'],
  [[requested, granted], consumed, 'consumed'],
  [[requested, granted], withdrawn, 'withdrawn'],
  [[requested, granted], requested, 'granted'],
  [[requested, granted], granted, 'granted'],
  [[requested, granted], denied, 'granted'],
  [[requested, granted], expired, 'granted'],
  ...[granted, consumed, requested, withdrawn, expired, denied].flatMap((when) => [
    [[requested, denied], when, 'denied'],
    [[requested, expired], when, 'expired'],
    [[requested, withdrawn], when, 'withdrawn'],
    [[requested, granted, withdrawn], when, 'withdrawn'],
    [[requested, granted, consumed], when, 'consumed'],
  ] as const),
]

const fold = (events: readonly Happening[]): ApprovalState => events.reduce<ApprovalState>((state, event) => evolve(state, event), { status: 'none' })
const named = (events: readonly Happening[]): string => (events.length === 0 ? 'nothing' : events.map(({ type }) => type.split('.')[1]).join(', '))

describe('an approval', () => {
  for (const [given, when, then] of TABLE) {
    it(`is ${then} when it is ${named([when])} after ${named(given)}`, () => {
      assert.equal(evolve(fold(given), when).status, then)
    })
  }

  it('remembers what was asked, who answered, and why it was withdrawn', () => {
    assert.deepEqual(fold([requested, granted]), { status: 'granted', request: REQUEST, answer: ANSWER })
    assert.deepEqual(fold([requested, denied]), { status: 'denied', request: REQUEST, answer: ANSWER })
    assert.deepEqual(fold([requested, withdrawn]), { status: 'withdrawn', request: REQUEST, reason: 'left' })
    assert.deepEqual(fold([requested, { ...requested, data: { ...REQUEST, digest: 'sha256:other' } }]), { status: 'pending', request: REQUEST })
  })
})

const person = (change: Partial<Identity>): Identity => ({ ...BOB, ...change })

describe('a reviewer', () => {
  const cases: readonly (readonly [string, ApprovalState, Identity, string, number, RegExp | undefined])[] = [
    ['of an approver group may answer', fold([requested]), BOB, 'sha256:asked', NOW, undefined],
    ['who is named may answer', fold([requested]), person({ subject: 'carol', groups: [] }), 'sha256:asked', NOW, undefined],
    ['who is neither may not', fold([requested]), person({ groups: ['engineers'] }), 'sha256:asked', NOW, /not one of its approvers/],
    ['whose name looks like a group may not', fold([requested]), person({ subject: 'group:reviewers', groups: [] }), 'sha256:asked', NOW, /not one of its approvers/],
    ['whose group looks like a name may not', fold([requested]), person({ groups: ['carol'] }), 'sha256:asked', NOW, /not one of its approvers/],
    ['with a name in other letters may not', fold([requested]), person({ subject: 'Carol', groups: [] }), 'sha256:asked', NOW, /not one of its approvers/],
    ['who asked may not', fold([requested]), person({ subject: 'alice' }), 'sha256:asked', NOW, /a second person/],
    ['who is the agent that asked may not', fold([requested]), person({ subject: 'agent-7' }), 'sha256:asked', NOW, /a second person/],
    ['for whom the same agent acts may not', fold([requested]), person({ actor: 'agent-7' }), 'sha256:asked', NOW, /a second person/],
    ['for whom the requester acts may not', fold([requested]), person({ actor: 'alice' }), 'sha256:asked', NOW, /a second person/],
    ['without an actor is nobody\'s agent', fold([{ ...requested, data: { ...REQUEST, identity: ALICE } }]), person({ actor: '' }), 'sha256:asked', NOW, undefined],
    ['who was shown something else may not', fold([requested]), BOB, 'sha256:other', NOW, /something else than what you were shown/],
    ['may answer up to the last millisecond', fold([requested]), BOB, 'sha256:asked', Date.parse(REQUEST.expires) - 1, undefined],
    ['is too late when the time is up', fold([requested]), BOB, 'sha256:asked', Date.parse(REQUEST.expires), /has expired/],
    ['has nothing to answer before it was asked', fold([]), BOB, 'sha256:asked', NOW, /no such approval/],
    ...(['granted', 'denied', 'expired', 'withdrawn'] as const).map((status) =>
      [`has nothing to answer once it is ${status}`, fold([requested, { granted, denied, expired, withdrawn }[status]]), BOB, 'sha256:asked', NOW, new RegExp(`already ${status}`)] as const),
    ['has nothing to answer once it is consumed', fold([requested, granted, consumed]), BOB, 'sha256:asked', NOW, /already consumed/],
  ]
  for (const [title, state, reviewer, digest, now, expected] of cases) {
    it(title, () => {
      const problem = refusal(state, reviewer, digest, now)
      if (expected === undefined) assert.equal(problem, undefined)
      else assert.match(problem ?? 'nothing', expected)
    })
  }
})

describe('the digest of what is asked', () => {
  const asked: Asked = { session: 's1', command: 'c1', asked: aCommand('delete from orders where id = $1', ['7']), identity: ALICE, target: SHOP, ruleset: RULESET }
  const changes: readonly (readonly [string, Asked])[] = [
    ['session', { ...asked, session: 's2' }],
    ['command', { ...asked, command: 'c2' }],
    ['text', { ...asked, asked: { ...asked.asked, text: `${asked.asked.text} ` } }],
    ['value', { ...asked, asked: { ...asked.asked, values: ['8'] } }],
    ['NULL for a value', { ...asked, asked: { ...asked.asked, values: [null] } }],
    ['text "null" for NULL', { ...asked, asked: { ...asked.asked, values: ['null'] } }],
    ['number of values', { ...asked, asked: { ...asked.asked, values: ['7', ''] } }],
    ['size of the text', { ...asked, asked: { ...asked.asked, textBytes: 100_000 } }],
    ['completeness of the values', { ...asked, asked: { ...asked.asked, valuesComplete: false } }],
    ['fact', { ...asked, asked: { ...asked.asked, facts: { sql: { unbounded: true } } } }],
    ['person', { ...asked, identity: { ...ALICE, subject: 'alicia' } }],
    ['agent', { ...asked, identity: { ...ALICE, actor: 'agent-8' } }],
    ['group', { ...asked, identity: { ...ALICE, groups: [] } }],
    ['proof', { ...asked, identity: { ...ALICE, method: 'password' } }],
    ['target', { ...asked, target: { ...SHOP, name: 'shop2' } }],
    ['database', { ...asked, target: { ...SHOP, database: 'analytics' } }],
    ['label', { ...asked, target: { ...SHOP, labels: { env: 'test' } } }],
    ['data class', { ...asked, target: { ...SHOP, classes: {} } }],
    ['ruleset', { ...asked, ruleset: 'sha256:two' }],
  ]
  for (const [what, changed] of changes) {
    it(`changes with the ${what}`, () => assert.notEqual(approvalDigest(changed), approvalDigest(asked)))
  }

  it('is the same for the same, also after it was stored', () => {
    assert.match(approvalDigest(asked), /^sha256:[0-9a-f]{64}$/)
    assert.equal(approvalDigest(JSON.parse(JSON.stringify(asked)) as Asked), approvalDigest(asked))
  })

  it('is shared only by requests that are equal, whatever their text (property)', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('"', '","', '[', '\\', '', '\u0000', '\ud800', 'a"],["b'))
    const anything = fc.record({
      session: text, command: text, ruleset: text,
      asked: fc.record({ text, values: fc.array(fc.option(text), { maxLength: 3 }) }).map(({ text: sql, values }) => aCommand(sql, values)),
      identity: fc.record({ subject: text, actor: text, groups: fc.array(text, { maxLength: 2 }) }).map((change) => ({ ...ALICE, ...change })),
      target: fc.record({ name: text, database: text }).map((change) => ({ ...SHOP, ...change })),
    })
    const field = fc.constantFrom('session', 'command', 'ruleset', 'asked', 'identity', 'target')
    fc.assert(fc.property(anything, anything, field, (one, other, key) => {
      const mixed = { ...one, [key]: other[key] }
      const equal = JSON.stringify(mixed[key]) === JSON.stringify(one[key])
      assert.equal(approvalDigest(mixed) === approvalDigest(one), equal)
    }), { numRuns: 2000 })
  })
})
