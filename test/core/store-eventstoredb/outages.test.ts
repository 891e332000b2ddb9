/** Against the double: servers that die, hang, lose answers and come back. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { RecordedEvent } from '../../../core/events/index.ts'
import { openEventStoreDb, type EventStoreDbOptions } from '../../../core/store/drivers/eventstoredb/index.ts'
import type { EventStore } from '../../../core/store/event-store.ts'
import { anEvent, collect, idsOf, revisionsOf, someEvents } from '../../contract/event-store-events.ts'
import { startEventStoreDbDouble, type EventStoreDbDouble } from '../../support/eventstoredb-double.ts'

async function setUp(test: TestContext, options: Partial<EventStoreDbOptions> = {}): Promise<{ double: EventStoreDbDouble; store: EventStore }> {
  const double = await startEventStoreDbDouble()
  const store = await openEventStoreDb({ connectionString: double.connectionString, ...options })
  test.after(async () => {
    await store.close()
    double.kill()
  })
  return { double, store }
}

const UNAVAILABLE = { code: 'STORE_UNAVAILABLE' }

describe('an EventStoreDB server in trouble', () => {
  it('has its writers told, and serves them again when it is back', async (test) => {
    const { double, store } = await setUp(test)
    await store.append('s', [anEvent()], 'no_stream')
    double.hold()
    const underWay = Array.from({ length: 40 }, (_, i) => store.append(`s-${i}`, [anEvent()], 'no_stream'))
    const results = Promise.allSettled(underWay)
    await until(() => double.appendCalls === 41)
    double.kill()
    for (const result of await results) assert.equal(result.status === 'rejected' && (result.reason as { code: string }).code, 'STORE_UNAVAILABLE')
    await assert.rejects(store.append('s', [anEvent()], 0n), UNAVAILABLE)
    await assert.rejects(collect(store.read('s')), UNAVAILABLE)
    await assert.rejects(collect(store.readAll()), UNAVAILABLE)
    assert.equal(store.pending(), 0)
    double.release()
    await double.start()
    assert.equal((await eventually(() => store.append('s', [anEvent()], 0n))).revision, 1n)
    assert.equal((await collect(store.read('s'))).length, 2)
  })

  it('survives many writers while it goes and comes', async (test) => {
    const { double, store } = await setUp(test)
    let written = 0
    const writers = Array.from({ length: 40 }, async (_, i) => {
      for (let revision = 0n; revision < 10n; revision++) {
        const event = anEvent()
        await eventually(() => store.append(`w-${i}`, [event], revision === 0n ? 'no_stream' : revision - 1n))
        written++
      }
    })
    for (const mark of [100, 200, 300]) {
      await until(() => written > mark)
      double.kill()
      await double.start()
    }
    await Promise.all(writers)
    const all = await collect(store.readAll())
    assert.equal(new Set(idsOf(all)).size, 400)
    assert.equal(all.length, 400)
  })

  it('ends no process by an error that comes after its reader has left', async (test) => {
    const { double, store } = await setUp(test)
    await store.append('s', someEvents(100), 'no_stream')
    for (let round = 0; round < 10; round++) {
      const leave = async (events: AsyncIterable<RecordedEvent>): Promise<void> => {
        for await (const _ of events) {
          double.kill()
          break
        }
      }
      await Promise.all([leave(store.readAll({ follow: true })), leave(store.read('s')), leave(store.readAll())].map((left) => left.catch(() => {})))
      double.kill()
      await double.start()
      await eventually(() => collect(store.read('s')))
    }
  })

  it('is looked for by gossip as long as callers ask, and found when it is back', async (test) => {
    const double = await startEventStoreDbDouble()
    const store = await openEventStoreDb({ connectionString: `${double.discoverString}&maxDiscoverAttempts=1&discoveryInterval=1` })
    test.after(async () => {
      await store.close()
      double.kill()
    })
    for (let round = 0; round < 3; round++) {
      double.hold()
      const before = double.appendCalls
      const underWay = Array.from({ length: 20 }, (_, i) => assert.rejects(store.append(`s-${i}`, [anEvent()], 'any'), UNAVAILABLE))
      await until(() => double.appendCalls === before + 20)
      const reads = Array.from({ length: 20 }, () => collect(store.readAll()).catch(() => {}))
      double.kill()
      await Promise.all([...underWay, ...reads])
      await assert.rejects(store.append('s', [anEvent()], 'any'), UNAVAILABLE)
      double.release()
      await double.start()
      await eventually(() => store.append('s', [anEvent()], 'any'))
    }
  })

  it('may have written what it did not answer: a retry tells', async (test) => {
    const { double, store } = await setUp(test)
    const events = someEvents(2)
    double.loseAnswers(1)
    await assert.rejects(store.append('s', events, 'no_stream'), UNAVAILABLE)
    assert.equal((await eventually(() => store.append('s', events, 'no_stream'))).revision, 1n)
    assert.deepEqual(idsOf(await collect(store.read('s'))), idsOf(events))
  })

  it('is waited for only so long; what queued behind is not sent, and what it held back is not written later', async (test) => {
    const { double, store } = await setUp(test, { appendTimeoutMs: 100 })
    double.hold()
    const first = store.append('s', [anEvent('held')], 'any')
    const behind = store.append('s', [anEvent('behind')], 'any')
    const elsewhere = store.append('t', [anEvent('elsewhere')], 'any')
    await assert.rejects(first, UNAVAILABLE)
    await assert.rejects(behind, { ...UNAVAILABLE, message: /was not sent/ })
    await assert.rejects(elsewhere, UNAVAILABLE)
    assert.equal(double.appendCalls, 2)
    double.release()
    await store.append('s', [anEvent('after')], 'any')
    assert.deepEqual((await collect(store.read('s'))).map(({ data }) => (data as { reason: string }).reason), ['after'])
  })

  it('does not stop a follower, which misses nothing and sees nothing twice', async (test) => {
    const { double, store } = await setUp(test)
    const stop = new AbortController()
    const seen: RecordedEvent[] = []
    const following = (async () => {
      for await (const event of store.readAll({ follow: true, signal: stop.signal })) seen.push(event)
    })()
    for (let round = 0n; round < 4n; round++) {
      await eventually(() => store.append('s', [anEvent()], 'any'))
      await until(() => seen.length === Number(round) + 1)
      double.kill()
      await double.start()
    }
    await eventually(() => store.append('s', [anEvent()], 3n))
    await until(() => seen.length === 5)
    stop.abort()
    await following
    assert.deepEqual(revisionsOf(seen), [0n, 1n, 2n, 3n, 4n])
  })

  it('that stays away ends a follower when its patience does', async (test) => {
    const { double, store } = await setUp(test, { followPatienceMs: 100 })
    const following = collect(store.readAll({ follow: true }))
    following.catch(() => {})
    await until(() => double.subscriptions === 1)
    double.kill()
    await assert.rejects(following, UNAVAILABLE)
  })

  it('is given the whole patience again each time it was reached', async (test) => {
    const { double, store } = await setUp(test)
    let hours = 0
    const started = performance.now()
    test.mock.method(performance, 'now', () => started + 3_600_000 * hours)
    const stop = new AbortController()
    const following = collect(store.readAll({ follow: true, signal: stop.signal }))
    for (; hours < 3; hours++) {
      await until(() => double.subscriptions === 1)
      double.kill()
      await double.start()
    }
    await until(() => double.subscriptions === 1)
    stop.abort()
    assert.deepEqual(await following, [])
  })

  it('lets a follower stop at once while it waits for the server to come back', async (test) => {
    const { double, store } = await setUp(test)
    const stop = new AbortController()
    const following = collect(store.readAll({ follow: true, signal: stop.signal }))
    await until(() => double.subscriptions === 1)
    double.kill()
    await assert.rejects(store.append('s', [anEvent()], 'any'), UNAVAILABLE)
    stop.abort()
    assert.deepEqual(await following, [])
  })

  it('does not keep the store from closing', async (test) => {
    const { double, store } = await setUp(test, { appendTimeoutMs: 100 })
    const following = collect(store.readAll({ follow: true }))
    await until(() => double.subscriptions === 1)
    double.hold()
    const taken = store.append('s', [anEvent()], 'any')
    taken.catch(() => {})
    await store.close()
    await assert.rejects(taken, UNAVAILABLE)
    assert.deepEqual(await following, [])
    await assert.rejects(collect(store.read('s')), UNAVAILABLE)
    await assert.rejects(collect(store.readAll()), UNAVAILABLE)
  })
})

/** Tries until the server is reached; any other failure ends it. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if ((error as { code?: string }).code !== 'STORE_UNAVAILABLE') throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** One try per turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
