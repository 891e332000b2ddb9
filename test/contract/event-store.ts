import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { SallyportError, type ErrorCode } from '../../core/errors.ts'
import { toCloudEvent, type NewEvent, type RecordedEvent } from '../../core/events/index.ts'
import { StoreConflict, type EventStore } from '../../core/store/event-store.ts'
import { anEvent, collect, idsOf, revisionsOf, someEvents } from './event-store-events.ts'

export interface EventStoreDriver {
  /** A store that the suite may write to; it closes it. Streams of earlier runs may be in it. */
  open(): Promise<EventStore>
  /** Opens what the last `open` (now closed) left behind. Absent when nothing outlives a close. */
  readonly reopen?: () => Promise<EventStore>
  /** After the last test. */
  cleanUp?(): Promise<void> | void
}

/** A test's name → why this driver cannot pass it. Printed, never silent. A name that does not exist is an error. */
export type Skips = Readonly<Record<string, string>>

/** What every driver of the `EventStore` port does. Registers its tests under `name`. */
export function eventStoreContract(name: string, driver: EventStoreDriver, skips: Skips = {}): void {
  describe(`event store contract: ${name}`, () => {
    let store: EventStore
    before(async () => {
      store = await driver.open()
    })
    after(async () => {
      await store.close()
      await driver.cleanUp?.()
    })
    const unused = new Set(Object.keys(skips))
    const check = (title: string, body: (stream: string) => Promise<void>): void => {
      unused.delete(title)
      const skip = skips[title]
      it(title, skip === undefined ? {} : { skip }, () => body(`contract-${randomUUID()}`))
    }

    check('gives back what was written, word for word and in order', async (stream) => {
      const written: NewEvent[] = [{ ...anEvent('zero \u0000 quote " \u{1F511} line\n'), causationid: 'cause', traceparent: '00-a-b-01' }, anEvent('one')]
      await store.append(stream, written, 'no_stream')
      const read = await collect(store.read(stream))
      assert.deepEqual(read.map(asWritten), written.map(toCloudEvent))
      assert.deepEqual(revisionsOf(read), [0n, 1n])
      assert.ok(read.every((event) => event.stream === stream))
    })

    check('answers an append with the revision and position of its last event', async (stream) => {
      const first = await store.append(stream, someEvents(3), 'no_stream')
      const second = await store.append(stream, [anEvent()], 2n)
      const read = await collect(store.read(stream))
      assert.deepEqual([first.revision, second.revision], [2n, 3n])
      assert.deepEqual([read[2]?.position, read[3]?.position], [first.position, second.position])
      assert.ok(second.position > first.position)
    })

    check('yields nothing for a stream that does not exist', async (stream) => {
      assert.deepEqual(await collect(store.read(stream)), [])
      assert.deepEqual(await collect(store.read(stream, { direction: 'backwards' })), [])
    })

    check('keeps the order of appends to one stream when nobody waits in between', async (stream) => {
      const appends = Array.from({ length: 200 }, (_, i) => store.append(stream, [anEvent(`${i}`), anEvent(`${i} too`)], i === 0 ? 'no_stream' : BigInt(2 * i - 1)))
      const results = await Promise.all(appends)
      assert.deepEqual(results.map(({ revision }) => revision), results.map((_, i) => BigInt(2 * i + 1)))
      assert.deepEqual(revisionsOf(await collect(store.read(stream))), Array.from({ length: 400 }, (_, i) => BigInt(i)))
    })

    check('refuses an append to a stream that is further along, and says where it is', async (stream) => {
      await store.append(stream, someEvents(3), 'no_stream')
      await conflicts(store.append(stream, [anEvent()], 1n), stream, 1n, 2n)
      await conflicts(store.append(stream, [anEvent()], 7n), stream, 7n, 2n)
      await conflicts(store.append(stream, [anEvent()], 'no_stream'), stream, 'no_stream', 2n)
      assert.equal((await collect(store.read(stream))).length, 3)
    })

    check('refuses a revision of a stream that does not exist', async (stream) => {
      await conflicts(store.append(stream, [anEvent()], 0n), stream, 0n, 'no_stream')
      assert.deepEqual(await collect(store.read(stream)), [])
    })

    check('lets exactly one of many writers win a revision', async (stream) => {
      await store.append(stream, [anEvent()], 'no_stream')
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.append(stream, [anEvent()], 0n)))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof StoreConflict)
      assert.equal((await collect(store.read(stream))).length, 2)
    })

    check('appends wherever the stream is when anything is expected', async (stream) => {
      for (const revision of [0n, 1n, 2n]) assert.equal((await store.append(stream, [anEvent()], 'any')).revision, revision)
    })

    check('answers a retry of the same events at the same revision as it did first, and writes nothing', async (stream) => {
      const opening = someEvents(2)
      const more = someEvents(3)
      const first = await store.append(stream, opening, 'no_stream')
      const second = await store.append(stream, more, 1n)
      await store.append(stream, [anEvent()], 4n)
      assert.deepEqual(await store.append(stream, more, 1n), second)
      assert.deepEqual(await store.append(stream, opening, 'no_stream'), first)
      assert.equal((await collect(store.read(stream))).length, 6)
    })

    check('answers a retry that is made while the first is still on its way', async (stream) => {
      const events = someEvents(2)
      const [first, retry] = await Promise.all([store.append(stream, events, 'no_stream'), store.append(stream, events, 'no_stream')])
      assert.deepEqual(retry, first)
      assert.equal((await collect(store.read(stream))).length, 2)
    })

    check('does not take other events at the same revision for a retry', async (stream) => {
      const [a, b] = someEvents(2) as [NewEvent, NewEvent]
      await store.append(stream, [a, b], 'no_stream')
      await conflicts(store.append(stream, [a, anEvent()], 'no_stream'), stream, 'no_stream', 1n)
      await conflicts(store.append(stream, [b, a], 'no_stream'), stream, 'no_stream', 1n)
    })

    check('recognises a recent retry when anything is expected', async (stream) => {
      const events = someEvents(2)
      const first = await store.append(stream, events, 'any')
      assert.deepEqual(await store.append(stream, events, 'any'), first)
      assert.equal((await collect(store.read(stream))).length, 2)
    })

    check('refuses an event the catalogue does not know, and writes nothing of that append', async (stream) => {
      await rejectsWith('STORE_REFUSED', store.append(stream, [anEvent(), { ...anEvent(), type: 'gateway.exploded.v1' }], 'any'))
      await rejectsWith('STORE_REFUSED', store.append(stream, [{ ...anEvent(), data: { gateway: 1 } }], 'any'))
      assert.deepEqual(await collect(store.read(stream)), [])
    })

    check('refuses an append of no events', async (stream) => {
      await rejectsWith('STORE_REFUSED', store.append(stream, [], 'any'))
    })

    check('goes on after a refusal and a conflict', async (stream) => {
      const results = await Promise.allSettled([
        store.append(stream, [anEvent('kept')], 'no_stream'),
        store.append(stream, [], 'any'),
        store.append(stream, [anEvent('conflict')], 'no_stream'),
        store.append(stream, [anEvent('kept too')], 0n),
      ])
      assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
      assert.deepEqual((await collect(store.read(stream))).map(reasonOf), ['kept', 'kept too'])
    })

    check('reads from a revision, up to a limit, in both directions', async (stream) => {
      for (let i = 0; i < 10; i += 2) await store.append(stream, [anEvent(`${i}`), anEvent(`${i + 1}`)], i === 0 ? 'no_stream' : BigInt(i - 1))
      const read = async (options: Parameters<EventStore['read']>[1]): Promise<number[]> => revisionsOf(await collect(store.read(stream, options))).map(Number)
      assert.deepEqual(await read({ from: 7n }), [7, 8, 9])
      assert.deepEqual(await read({ from: 3n, limit: 4 }), [3, 4, 5, 6])
      assert.deepEqual(await read({ limit: 0 }), [])
      assert.deepEqual(await read({ from: 10n }), [])
      assert.deepEqual(await read({ direction: 'backwards' }), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
      assert.deepEqual(await read({ direction: 'backwards', limit: 3 }), [9, 8, 7])
      assert.deepEqual(await read({ direction: 'backwards', from: 4n, limit: 2 }), [4, 3])
      assert.deepEqual(await read({ direction: 'backwards', from: 99n, limit: 1 }), [9])
    })

    check('reads a stream of many megabytes whole, in both directions', async (stream) => {
      for (let i = 0; i < 12; i++) await store.append(stream, Array.from({ length: 25 }, () => anEvent(`${i}`, 20_000)), 'any')
      const wanted = Array.from({ length: 300 }, (_, i) => BigInt(i))
      assert.deepEqual(revisionsOf(await collect(store.read(stream))), wanted)
      assert.deepEqual(revisionsOf(await collect(store.read(stream, { direction: 'backwards' }))), wanted.toReversed())
    })

    check('does not share objects between writers and readers', async (stream) => {
      const event = anEvent('as written')
      const appended = store.append(stream, [event], 'no_stream')
      Object.assign(event.data as object, { reason: 'changed by the writer' })
      await appended
      for (const read of await collect(store.read(stream))) Object.assign(read.data as object, { reason: 'changed by a reader' })
      assert.deepEqual((await collect(store.read(stream))).map(reasonOf), ['as written'])
    })

    check('yields every event of every stream once, in position order, which agrees with each stream', async (stream) => {
      const streams = [0, 1, 2].map((i) => `${stream}-${i}`)
      await Promise.all(Array.from({ length: 60 }, (_, i) => store.append(streams[i % 3] ?? '', someEvents(2), 'any')))
      const all = (await collect(store.readAll())).filter((event) => streams.includes(event.stream))
      assert.equal(new Set(idsOf(all)).size, 120)
      assertAscending(all.map(({ position }) => position))
      for (const one of streams) {
        assert.deepEqual(revisionsOf(all.filter((event) => event.stream === one)), Array.from({ length: 40 }, (_, i) => BigInt(i)))
      }
    })

    check('reads on after a position, also within an append', async (stream) => {
      const written = someEvents(4)
      await store.append(stream, written, 'no_stream')
      const all = await collect(store.readAll())
      for (const { id, position } of all.slice(-4)) {
        const rest = await collect(store.readAll({ after: position }))
        assert.deepEqual(idsOf(rest), idsOf(all.slice(all.findIndex((event) => event.id === id) + 1)))
      }
    })

    check('follows: old events first, then each new one as it becomes durable, until it is told to stop', async (stream) => {
      const stop = new AbortController()
      await store.append(stream, [anEvent('old')], 'no_stream')
      const seen: RecordedEvent[] = []
      for await (const event of store.readAll({ follow: true, signal: stop.signal })) {
        if (event.stream !== stream) continue
        seen.push(event)
        if (seen.length < 50) await store.append(stream, [anEvent(`new ${seen.length}`)], event.revision)
        else stop.abort()
      }
      assert.deepEqual(revisionsOf(seen), Array.from({ length: 50 }, (_, i) => BigInt(i)))
    })

    check('shows followers everything that is written while they read, once', async (stream) => {
      const stop = new AbortController()
      const follower = (async () => {
        const seen: RecordedEvent[] = []
        for await (const event of store.readAll({ follow: true, signal: stop.signal })) {
          if (event.stream.startsWith(stream) && seen.push(event) === 600) stop.abort()
        }
        return seen
      })()
      await Promise.all(Array.from({ length: 300 }, (_, i) => store.append(`${stream}-${i % 7}`, someEvents(2), 'any')))
      const seen = await follower
      assert.equal(new Set(idsOf(seen)).size, 600)
      assertAscending(seen.map(({ position }) => position))
    })

    check('stops a follower that waits', async (stream) => {
      const { position } = await store.append(stream, [anEvent()], 'no_stream')
      const stop = new AbortController()
      const waiting = collect(store.readAll({ after: position, follow: true, signal: stop.signal }))
      setImmediate(() => stop.abort())
      assert.deepEqual(await waiting, [])
      assert.deepEqual(await collect(store.readAll({ follow: true, signal: stop.signal })), [])
    })

    check('counts what is not durable yet', async (stream) => {
      const appended = store.append(stream, [anEvent('large', 10_000)], 'no_stream')
      assert.ok(store.pending() >= 10_000, `${store.pending()} bytes are pending`)
      await appended
      assert.equal(store.pending(), 0)
    })

    check('finishes what it took before it closes, and refuses what comes after', async (stream) => {
      await store.close()
      store = await driver.open()
      const taken = store.append(stream, [anEvent('taken')], 'no_stream')
      const closed = store.close()
      const late = store.append(stream, [anEvent('late')], 'any')
      await rejectsWith('STORE_UNAVAILABLE', late)
      assert.equal((await taken).revision, 0n)
      await closed
      await store.close()
      store = await driver.open()
    })

    const reopen = driver.reopen
    if (reopen !== undefined) {
      check('has everything again when it is opened again, and goes on where it was', async (stream) => {
        await store.append(stream, [anEvent('before')], 'no_stream')
        const last = someEvents(2)
        const before = await store.append(stream, last, 0n)
        await store.close()
        store = await reopen()
        assert.equal((await collect(store.read(stream))).length, 3)
        assert.deepEqual(await store.append(stream, last, 0n), before)
        await conflicts(store.append(stream, [anEvent()], 0n), stream, 0n, 2n)
        const after = await store.append(stream, [anEvent('after')], 2n)
        assert.ok(after.position > before.position)
      })
    }

    it('knows every test it is told to skip', () => assert.deepEqual([...unused], []))
  })
}

function asWritten(event: RecordedEvent): Record<string, unknown> {
  const { stream: _stream, revision: _revision, position: _position, ...written } = event
  return toCloudEvent(written)
}

function reasonOf(event: RecordedEvent): unknown {
  return (event.data as { reason: unknown }).reason
}

function assertAscending(positions: readonly bigint[]): void {
  for (const [i, position] of positions.entries()) {
    const before = positions[i - 1]
    assert.ok(before === undefined || before < position, `position ${position} comes after ${before}`)
  }
}

/** A conflict says which stream, what was expected, and what is there. */
async function conflicts(append: Promise<unknown>, stream: string, expected: StoreConflict['expected'], actual: StoreConflict['actual']): Promise<void> {
  await assert.rejects(append, (error) => {
    assert.ok(error instanceof StoreConflict, String(error))
    assert.deepEqual([error.code, error.stream, error.expected, error.actual], ['STORE_CONFLICT', stream, expected, actual])
    return true
  })
}

export async function rejectsWith(code: ErrorCode, promise: Promise<unknown>, message?: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof SallyportError, String(error))
    assert.equal(error.code, code, error.message)
    if (message !== undefined) assert.match(error.message, message)
    return true
  })
}
