import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boundedImpact, problemWith, type ApprovalRequested, type Impact, type NewEvent } from '../../../core/index.ts'
import { aCommand, ALICE, aWorld, open, SHOP } from '../../fault/gate-world.ts'

const IMPACT: Impact = {
  summary: 'deletes 2 rows of public.orders', notes: [], unknown: ['what the triggers do is not followed'],
  effects: [{ resource: 'public.orders', change: 'delete', amount: 2, certainty: 'exact', through: '' }],
  sample: { resource: 'public.orders', columns: ['id'], rows: [['1'], [null]], masked: [] },
}

describe('the impact of a held command', () => {
  it('is recorded with the request, and no part of its digest', async () => {
    const world = aWorld()
    const session = await open(world)
    const requests: ApprovalRequested[] = []
    for (const impact of [undefined, IMPACT]) {
      const decision = await world.gate.decide(session, aCommand('await-approval x'))
      const controller = new AbortController()
      await world.gate.hold(decision, controller.signal, (request) => {
        requests.push(request)
        controller.abort('seen')
      }, impact)
    }
    assert.deepEqual(requests.map(({ impact }) => impact), [undefined, IMPACT])
    const state = await world.approvals.get(requests[1]?.approval ?? '')
    assert.deepEqual(state.status === 'withdrawn' && state.request.impact, IMPACT)
    const asked = { session: 's', command: 'c', asked: aCommand('x'), identity: ALICE, target: SHOP, ruleset: 'sha256:one' }
    const terms = { approvers: ['group:reviewers'], timeoutSeconds: 60 }
    const [bare, shown] = [await world.approvals.request(asked, terms, []), await world.approvals.request(asked, terms, [], IMPACT)]
    assert.equal(bare.digest, shown.digest)
  })

  it('is cut to a size that an event may have, and says that effects were left out', () => {
    const long = '\u{1f600}'.repeat(10_000)
    const cells = Array.from({ length: 300 }, () => long)
    const bounded = boundedImpact({
      summary: long, notes: Array.from({ length: 500 }, () => long), unknown: Array.from({ length: 500 }, () => long), plan: long,
      effects: Array.from({ length: 500 }, () => ({ resource: long, change: long, certainty: 'unknown' as const, through: long })),
      sample: { resource: long, columns: cells, rows: Array.from({ length: 500 }, () => cells), masked: cells },
      diff: { resource: long, columns: cells, rows: Array.from({ length: 500 }, () => ({ before: cells, after: null })), masked: cells },
    })
    const json = JSON.stringify(bounded)
    assert.ok(json.length < 1024 * 1024, String(json.length))
    assert.ok(json.isWellFormed())
    assert.equal(bounded.unknown[0], '450 more effects are not listed')
    assert.equal(bounded.diff?.rows[0]?.after, null)
    const event: NewEvent = { id: 'e', source: 's', type: 'approval.requested.v1', subject: 'a', time: '2026-11-29T00:00:00Z', correlationid: 'c', data: {
      approval: 'a', session: 's', command: 'c', digest: 'd', asked: aCommand('x'), identity: ALICE, target: SHOP, ruleset: 'r', votes: [], terms: { approvers: [], timeoutSeconds: 1 }, expires: 'e', impact: bounded,
    } }
    assert.equal(problemWith(event), undefined)
  })
})
