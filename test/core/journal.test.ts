import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NewEvent } from '../../core/events/index.ts'
import { eventIds, shortId } from '../../core/ids.ts'
import { Journal } from '../../core/journal.ts'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { appendOf, FaultyStore } from '../fault/gate-faulty-store.ts'
import { collect, FixedClock } from '../fault/gate-world.ts'

const ID = '0190f3b2-1c4d-4e5f-8a6b-7c8d9e0f1a2b'

describe('a journal', () => {
  it('gives each event the id that its place in the stream decides', async () => {
    const { journal, store } = aJournal()
    const expected = journal.nextId()
    assert.equal(stop(journal, 'a'), expected)
    stop(journal, 'b')
    await journal.flush()
    stop(journal, 'c')
    await journal.flush()
    const events = await collect(store.read(`session-${ID}`))
    assert.deepEqual(events.map(({ id }) => id), [0, 1, 2].map(eventIds(ID)))
    assert.deepEqual(store.appends.map(({ expected: revision }) => revision), ['no_stream', 1n])
  })

  it('tells of events when they are durable, in order, each once, also over a recovery', async () => {
    const { journal, store, published } = aJournal()
    const fault = store.failNext(appendOf('gateway.stopped.v1'), 'hung')
    stop(journal, 'a')
    const first = journal.flush()
    await fault.struck
    stop(journal, 'b')
    const second = journal.flush()
    assert.deepEqual(published, [])
    fault.release()
    await assert.rejects(first, { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(second, { code: 'STORE_CONFLICT' })
    stop(journal, 'c')
    await journal.flush()
    assert.deepEqual(published, ['a', 'b', 'c'])
    assert.deepEqual(await reasons(store), ['a', 'b', 'c'])
  })

  it('flushes nothing as soon as what was staged before is durable, and no sooner', async () => {
    const { journal, store } = aJournal()
    await journal.flush()
    const fault = store.failNext(() => true, 'hung')
    stop(journal, 'a')
    const first = journal.flush()
    await fault.struck
    const again = journal.flush()
    assert.equal(await Promise.race([again, Promise.resolve('waiting')]), 'waiting')
    fault.release()
    await assert.rejects(first, { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(again, { code: 'STORE_UNAVAILABLE' })
  })

  it('does not write again while an earlier append is still under way', async () => {
    const { journal, store } = aJournal()
    const [lost, hung] = [store.failNext(reason('a'), 'lost'), store.failNext(reason('b'), 'hung')]
    stop(journal, 'a')
    const first = journal.flush()
    stop(journal, 'b')
    const second = journal.flush()
    await lost.struck
    await assert.rejects(first, { code: 'STORE_UNAVAILABLE' })
    stop(journal, 'c')
    await assert.rejects(journal.flush(), /earlier events are still being written/)
    hung.release()
    await assert.rejects(second)
    await journal.flush()
    assert.deepEqual(await reasons(store), ['a', 'b', 'c'])
    assert.equal(journal.broken, false)
  })

  it('writes again in the order of the stream, whatever order the failures came in', async () => {
    const { journal, store } = aJournal()
    const failures = [Promise.withResolvers<never>(), Promise.withResolvers<never>()]
    const append = store.append.bind(store)
    let calls = 0
    store.append = (...args) => failures[calls++]?.promise ?? append(...args)
    stop(journal, 'a')
    const first = journal.flush()
    stop(journal, 'b')
    const second = journal.flush()
    failures[1]?.reject(new Error('the second fails first'))
    await assert.rejects(second)
    failures[0]?.reject(new Error('then the first'))
    await assert.rejects(first)
    await journal.flush()
    assert.deepEqual(await reasons(store), ['a', 'b'])
  })

  it('shares one recovery among all who wait, and takes along what is staged meanwhile', async () => {
    const { journal, store } = aJournal()
    store.failNext(reason('a'), 'lost')
    stop(journal, 'a')
    await assert.rejects(journal.flush())
    const fault = store.failNext(reason('a'), 'hung')
    const one = journal.flush()
    await fault.struck
    stop(journal, 'b')
    const two = journal.flush()
    fault.release()
    await assert.rejects(one)
    await assert.rejects(two)
    stop(journal, 'c')
    await Promise.all([journal.flush(), journal.flush()])
    assert.deepEqual(await reasons(store), ['a', 'b', 'c'])
  })

  it('puts no more into one append than a store takes, and never parts a command from its decision', async () => {
    const { journal, store } = aJournal()
    for (let n = 0; n < 1300; n++) pair(journal, 0)
    await journal.flush()
    assert.deepEqual(store.appends.map(({ types }) => types.length), [512, 512, 512, 512, 512, 40])
    store.appends.length = 0
    stop(journal, 'shifts the pairs by one')
    for (let n = 0; n < 300; n++) pair(journal, 0)
    await journal.flush()
    assert.deepEqual(store.appends.map(({ types }) => types.length), [511, 90])
    assert.ok(store.appends.every(({ types }) => types.at(-1) !== 'command.received.v1'))
  })

  it('cuts an append by size, where one event alone may be larger', async () => {
    const { journal, store } = aJournal()
    for (const megabytes of [3, 2, 2, 9, 1]) pair(journal, megabytes * 1024 * 1024)
    await journal.flush()
    assert.deepEqual(store.appends.map(({ types }) => types.length / 2), [1, 2, 1, 1])
  })

  it('cuts what piled up in an outage as well', async () => {
    const { journal, store } = aJournal()
    store.down = true
    pair(journal, 0)
    await assert.rejects(journal.flush())
    for (let n = 1; n < 3000; n++) pair(journal, 0)
    await assert.rejects(journal.flush())
    store.down = false
    await journal.flush()
    assert.equal((await collect(store.read(`session-${ID}`))).length, 6000)
    assert.ok(Math.max(...store.appends.map(({ types }) => types.length)) <= 512)
  })

  it('leaves no gap when the clock fails', async () => {
    const { journal, store, clock } = aJournal()
    stop(journal, 'a')
    clock.time = Number.NaN
    assert.throws(() => stop(journal, 'b'), RangeError)
    clock.time = 0
    stop(journal, 'c')
    await journal.flush()
    assert.deepEqual(await reasons(store), ['a', 'c'])
  })
})

describe('event ids', () => {
  it('are UUIDs of version 8, different for every revision and stream', () => {
    const revisions = [0, 1, 255, 4095, 4096, 2 ** 32, Number.MAX_SAFE_INTEGER]
    const ids = [ID, '0190f3b2-1c4d-4e5f-8a6b-7c8d9e0f1a2c', '1190f3b2-1c4d-4e5f-8a6b-7c8d9e0f1a2b'].map((id) => revisions.map(eventIds(id)))
    for (const id of ids.flat()) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(new Set(ids[0]).size, revisions.length)
    assert.equal(new Set([...(ids[0] ?? []), ...(ids[2] ?? [])]).size, 2 * revisions.length)
  })

  it('can be read out when they are short, and do not repeat', () => {
    const ids = Array.from({ length: 10_000 }, shortId)
    for (const id of ids) assert.match(id, /^[0-9a-hjkmnp-tv-z]{10}$/)
    assert.equal(new Set(ids).size, ids.length)
  })
})

function aJournal(): { journal: Journal; store: FaultyStore; published: string[]; clock: FixedClock } {
  const store = new FaultyStore(createMemoryStore())
  const published: string[] = []
  const clock = new FixedClock()
  const journal = new Journal(ID, {
    store, clock, source: 'sallyport/test', staged: () => {},
    published: (events) => published.push(...events.map(reasonOf)),
  })
  return { journal, store, published, clock }
}

function stop(journal: Journal, why: string): string {
  return journal.stage('gateway.stopped.v1', { gateway: 'test', reason: why })
}

function pair(journal: Journal, bytes: number): void {
  const command = { protocol: 'p', action: 'read', actions: [], phase: 'execute' as const, text: '', values: [], valuesComplete: true, resources: [], fidelity: 'opaque' as const, opaque: '', facts: {} }
  const verdict = { effect: 'allow' as const, by: 'rules' as const, reason: '', votes: [], obligations: { masks: [] }, ruleset: '' }
  const id = journal.stage('command.received.v1', { session: ID, number: 1, command }, { bytes })
  journal.stage('decision.made.v1', { session: ID, command: id, verdict }, { causation: id })
}

function reasonOf({ data }: Pick<NewEvent, 'data'>): string {
  return (data as { reason: string }).reason
}

const reason = (wanted: string) => (events: readonly NewEvent[]): boolean => events.some((event) => reasonOf(event) === wanted)

async function reasons(store: FaultyStore): Promise<string[]> {
  return (await collect(store.read(`session-${ID}`))).map(reasonOf)
}
