import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Approvals } from '../../../core/approvals/approvals.ts'
import type { Asked } from '../../../core/approvals/digest.ts'
import { createLocalBus } from '../../../core/bus/drivers/local/index.ts'
import type { ApprovalRequested } from '../../../core/events/index.ts'
import { createMemoryStore } from '../../../core/store/drivers/memory/index.ts'
import type { EventStore } from '../../../core/store/event-store.ts'
import { appendOf, FaultyStore } from '../../fault/gate-faulty-store.ts'
import { ALICE, aCommand, BOB, collect, FixedClock, RULESET, SHOP } from '../../fault/gate-world.ts'

const TERMS = { approvers: ['group:reviewers'], timeoutSeconds: 600 }
const CAROL = { ...BOB, subject: 'carol' }
let count = 0

describe('approvals', () => {
  it('can be asked for, listed, answered and spent', async () => {
    const { approvals, types } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    assert.deepEqual(approvals.pending(), [request])
    assert.equal(request.expires, '2026-03-04T05:16:07.089Z')
    const waiting = approvals.resolution(request, new AbortController().signal)
    await answer(approvals, request)
    assert.deepEqual(await waiting, { status: 'granted', by: BOB, comment: 'fine' })
    await approvals.consume(request)
    assert.deepEqual(approvals.pending(), [])
    assert.deepEqual(await types(request), ['requested', 'granted', 'consumed'])
  })

  it('hear an answer that came between the request and the wait', async () => {
    const { approvals } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await answer(approvals, request)
    assert.equal((await approvals.resolution(request, new AbortController().signal)).status, 'granted')
  })

  it('hear an answer that another gateway took', async () => {
    const house = aHouse()
    const other = new Approvals({ store: house.store, bus: house.bus, clock: house.clock, source: 'sallyport/other' })
    const request = await house.approvals.request(asked(), TERMS, [])
    const waiting = house.approvals.resolution(request, new AbortController().signal)
    await answer(other, request, false)
    assert.deepEqual(await waiting, { status: 'denied', by: BOB, comment: 'fine' })
  })

  it('leave no timer and no listener behind once they are answered', async () => {
    const { approvals } = aHouse()
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const signal = new AbortController().signal
    let listeners = 0
    const counted = new Proxy(signal, {
      get: (on, key) => {
        if (key === 'addEventListener') listeners++
        if (key === 'removeEventListener') listeners--
        const value: unknown = Reflect.get(on, key)
        return typeof value === 'function' ? value.bind(on) : value
      },
    })
    const request = await approvals.request(asked(), TERMS, [])
    const waiting = approvals.resolution(request, counted)
    await answer(approvals, request)
    await waiting
    assert.deepEqual([timers() - before, listeners], [0, 0])
  })

  it('let one of two reviewers win who answer at the same moment', async () => {
    for (const grants of [[true, false], [false, true], [true, true]] as const) {
      const { approvals, types } = aHouse()
      const request = await approvals.request(asked(), TERMS, [])
      const answers = await Promise.allSettled([answer(approvals, request, grants[0]), answer(approvals, request, grants[1], CAROL)])
      const [winner, loser] = answers.toSorted((a, b) => a.status.localeCompare(b.status))
      assert.deepEqual([winner?.status, loser?.status], ['fulfilled', 'rejected'])
      assert.match(String(loser?.status === 'rejected' && loser.reason), /APPROVAL_REFUSED|somebody else answered first/)
      assert.equal((await types(request)).length, 2)
    }
  })

  it('refuse an answer to what nobody asked for', async () => {
    const { approvals } = aHouse()
    await assert.rejects(approvals.answer('nothing', { grant: true, reviewer: BOB, digest: 'sha256:', comment: '' }), { code: 'APPROVAL_UNKNOWN' })
  })

  it('refuse the requester, a stranger, another digest and a late answer, and write nothing', async () => {
    const { approvals, clock, types } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    const refused = { code: 'APPROVAL_REFUSED' }
    await assert.rejects(answer(approvals, request, true, { ...ALICE, groups: ['reviewers'] }), refused)
    await assert.rejects(answer(approvals, request, true, { ...BOB, groups: [] }), refused)
    await assert.rejects(answer(approvals, { ...request, digest: 'sha256:other' }), refused)
    clock.time += TERMS.timeoutSeconds * 1000
    await assert.rejects(answer(approvals, request), refused)
    assert.deepEqual(await types(request), ['requested'])
  })

  it('are spent once, also when two try at the same moment', async () => {
    const { approvals, types } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await answer(approvals, request)
    const spent = await Promise.allSettled([approvals.consume(request), approvals.consume(request)])
    assert.deepEqual(spent.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    await assert.rejects(approvals.consume(request), { code: 'APPROVAL_REFUSED' })
    assert.deepEqual(await types(request), ['requested', 'granted', 'consumed'])
  })

  it('are not spent on anything else, nor before they are granted', async () => {
    const { approvals } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await assert.rejects(approvals.consume(request), { code: 'APPROVAL_REFUSED' })
    await answer(approvals, request)
    await assert.rejects(approvals.consume({ ...request, digest: 'sha256:other' }), { code: 'APPROVAL_REFUSED' })
  })

  it('stay unused when the requester left before the grant was heard of', async () => {
    const { approvals, types } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await answer(approvals, request)
    assert.deepEqual(await approvals.resolution(request, AbortSignal.abort('the client has left')), { status: 'withdrawn', reason: 'the client has left' })
    await assert.rejects(approvals.consume(request), { code: 'APPROVAL_REFUSED' })
    assert.deepEqual(await types(request), ['requested', 'granted', 'withdrawn'])
  })

  it('can no longer be granted once they are withdrawn', async () => {
    const { approvals, types } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await approvals.resolution(request, AbortSignal.abort(new Error('the gateway stops')))
    await assert.rejects(answer(approvals, request), /already withdrawn/)
    assert.deepEqual(await types(request), ['requested', 'withdrawn'])
  })

  it('are withdrawn when the grant is being written at that moment, whichever comes first', async () => {
    for (const first of ['approval.granted.v1', 'approval.withdrawn.v1']) {
      const { approvals, store, types } = aHouse()
      const request = await approvals.request(asked(), TERMS, [])
      const leave = new AbortController()
      const waiting = approvals.resolution(request, leave.signal)
      const gate = store.delay(first === 'approval.granted.v1' ? 'approval.withdrawn.v1' : 'approval.granted.v1')
      const answered = answer(approvals, request).then(() => 'granted', () => 'refused')
      if (first === 'approval.granted.v1') {
        leave.abort('left')
        await gate.reached
        await answered
      } else {
        await gate.reached
        leave.abort('left')
        await waiting
      }
      gate.open()
      assert.equal((await waiting).status, 'withdrawn')
      assert.equal(await answered, first === 'approval.granted.v1' ? 'granted' : 'refused')
      assert.deepEqual(await types(request), first === 'approval.granted.v1' ? ['requested', 'granted', 'withdrawn'] : ['requested', 'withdrawn'])
      await assert.rejects(approvals.consume(request), { code: 'APPROVAL_REFUSED' })
    }
  })

  it('that were denied before the requester left are denied', async () => {
    const { approvals } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    await answer(approvals, request, false)
    assert.equal((await approvals.resolution(request, AbortSignal.abort('left'))).status, 'denied')
  })

  it('expire by themselves, and a grant that came just before counts', async () => {
    const { approvals, store } = aHouse()
    const late = await approvals.request(asked(), { ...TERMS, timeoutSeconds: 0 }, [])
    assert.deepEqual(await approvals.resolution(late, new AbortController().signal), { status: 'expired' })
    const request = await approvals.request(asked(), TERMS, [])
    const gate = store.delay('approval.expired.v1')
    const waiting = approvals.resolution({ ...request, expires: '2026-03-04T05:06:07.089Z' }, new AbortController().signal)
    await gate.reached
    await answer(approvals, request)
    gate.open()
    assert.equal((await waiting).status, 'granted')
  })

  it('answer a reviewer whose answer is durable, also when the bus is gone', async () => {
    const { approvals, bus } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    const waiting = approvals.resolution(request, new AbortController().signal)
    await bus.close()
    await answer(approvals, request)
    assert.equal((await waiting).status, 'granted')
  })

  it('tell a reviewer when their answer could not be recorded, and stop waiting when the stream cannot be read', async () => {
    const { approvals, store } = aHouse()
    const request = await approvals.request(asked(), TERMS, [])
    store.faulty.failNext(appendOf('approval.granted.v1'), 'lost')
    await assert.rejects(answer(approvals, request), { code: 'STORE_UNAVAILABLE' })
    await answer(approvals, request)
    await store.close()
    await assert.rejects(approvals.resolution(request, new AbortController().signal), { code: 'STORE_UNAVAILABLE' })
    assert.deepEqual(approvals.pending(), [])
  })
})

/** A store that can hold back one append before it reaches the stream, while others go on. */
class DelayingStore implements EventStore {
  readonly faulty = new FaultyStore(createMemoryStore())
  #delayed: { type: string; reached: PromiseWithResolvers<void>; opened: PromiseWithResolvers<void> } | undefined

  delay(type: string): { reached: Promise<void>; open: () => void } {
    const delayed = { type, reached: Promise.withResolvers<void>(), opened: Promise.withResolvers<void>() }
    this.#delayed = delayed
    return { reached: delayed.reached.promise, open: () => delayed.opened.resolve() }
  }

  async append(...[stream, events, expected]: Parameters<EventStore['append']>): ReturnType<EventStore['append']> {
    const delayed = this.#delayed
    if (delayed !== undefined && events.some(({ type }) => type === delayed.type)) {
      this.#delayed = undefined
      delayed.reached.resolve()
      await delayed.opened.promise
    }
    return this.faulty.append(stream, events, expected)
  }

  read(...args: Parameters<EventStore['read']>): ReturnType<EventStore['read']> {
    return this.faulty.read(...args)
  }

  readAll(...args: Parameters<EventStore['readAll']>): ReturnType<EventStore['readAll']> {
    return this.faulty.readAll(...args)
  }

  pending(): number {
    return 0
  }

  close(): Promise<void> {
    return this.faulty.close()
  }
}

function aHouse(): { approvals: Approvals; store: DelayingStore; bus: ReturnType<typeof createLocalBus>; clock: FixedClock; types: (request: ApprovalRequested) => Promise<string[]> } {
  const [store, bus, clock] = [new DelayingStore(), createLocalBus(), new FixedClock()]
  const approvals = new Approvals({ store, bus, clock, source: 'sallyport/test' })
  const types = async ({ approval }: ApprovalRequested): Promise<string[]> =>
    (await collect(store.read(`approval-${approval}`))).map(({ type }) => type.split('.')[1] ?? '')
  return { approvals, store, bus, clock, types }
}

function asked(): Asked {
  return { session: 's1', command: `c${count++}`, asked: aCommand('delete'), identity: ALICE, target: SHOP, ruleset: RULESET }
}

function answer(approvals: Approvals, { approval, digest }: ApprovalRequested, grant = true, reviewer = BOB): Promise<void> {
  return approvals.answer(approval, { grant, reviewer, digest, comment: 'fine' })
}
