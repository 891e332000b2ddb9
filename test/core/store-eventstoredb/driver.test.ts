/** Against the double: what the driver sends, and how it takes what comes back. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { UPCASTS, type NewEvent } from '../../../core/events/index.ts'
import { openEventStoreDb, type EventStoreDbOptions } from '../../../core/store/drivers/eventstoredb/index.ts'
import { StoreConflict, type EventStore } from '../../../core/store/event-store.ts'
import { anEvent, collect, revisionsOf, someEvents } from '../../contract/event-store-events.ts'
import { startEventStoreDbDouble, type DoubleOptions, type EventStoreDbDouble } from '../../support/eventstoredb-double.ts'

interface Bench {
  readonly double: EventStoreDbDouble
  readonly store: EventStore
}

async function setUp(test: TestContext, options: Partial<EventStoreDbOptions> = {}, doubleOptions: DoubleOptions = {}): Promise<Bench> {
  const double = await startEventStoreDbDouble(doubleOptions)
  const store = await openEventStoreDb({ connectionString: double.connectionString, ...options })
  test.after(async () => {
    await store.close()
    double.kill()
  })
  return { double, store }
}

/** Puts an event on the server that this driver did not write. */
function plant(double: EventStoreDbDouble, stream: string, type: string, data: string, metadata: string): void {
  const event = { id: crypto.randomUUID(), type, contentType: 'application/json', data: Buffer.from(data), metadata: Buffer.from(metadata) }
  double.appendDirectly({ stream, expected: 'any', events: [event], bytes: 0 })
}

const ENVELOPE = JSON.stringify({ $correlationId: 'c', source: 's', subject: 's', time: 't' })

describe('what the EventStoreDB driver writes', () => {
  it('keeps id, type and data where EventStoreDB has them, and the rest of the envelope as metadata', async (test) => {
    const { double, store } = await setUp(test)
    const event: NewEvent = { ...anEvent(), causationid: 'the cause', traceparent: '00-1-2-01' }
    await store.append('session-1', [event, anEvent()], 'no_stream')
    const [first, second] = double.log.stream('sallyport-session-1')
    assert.equal(first?.id, event.id)
    assert.equal(first?.type, 'gateway.stopped.v1')
    assert.equal(first?.contentType, 'application/json')
    assert.deepEqual(JSON.parse(Buffer.from(first?.data ?? []).toString()), event.data)
    assert.deepEqual(JSON.parse(Buffer.from(first?.metadata ?? []).toString()), {
      $correlationId: 'test',
      $causationId: 'the cause',
      source: 'sallyport/test',
      subject: 'test',
      time: '2026-01-02T03:04:05.678Z',
      traceparent: '00-1-2-01',
    })
    assert.deepEqual(Object.keys(JSON.parse(Buffer.from(second?.metadata ?? []).toString()) as object), ['$correlationId', 'source', 'subject', 'time'])
  })

  it('refuses an id that the server would give back in another form', async (test) => {
    const { store } = await setUp(test)
    for (const id of ['', 'not-a-uuid', anEvent().id.toUpperCase()]) {
      await assert.rejects(store.append('s', [{ ...anEvent(), id }], 'any'), { code: 'STORE_REFUSED', message: /not a UUID/ })
    }
  })

  it('refuses what is larger than the server takes in one append, and says how much that is', async (test) => {
    const { store } = await setUp(test)
    await assert.rejects(store.append('s', [anEvent('large', 1024 * 1024)], 'any'), { code: 'STORE_REFUSED', message: /1048576 bytes/ })
    assert.equal(store.pending(), 0)
  })

  it('reads the position back when a retry is confirmed without one', async (test) => {
    const { store } = await setUp(test, {}, { retriesWithoutPosition: true })
    const events = someEvents(2)
    const first = await store.append('s', events, 'no_stream')
    await store.append('s', someEvents(1), 1n)
    assert.deepEqual(await store.append('s', events, 'no_stream'), first)
  })

  it('tells the real revision in a conflict, also when the connection string asks for no errors', async (test) => {
    const double = await startEventStoreDbDouble()
    const store = await openEventStoreDb({ connectionString: `${double.connectionString}&throwOnAppendFailure=false` })
    test.after(async () => {
      await store.close()
      double.kill()
    })
    await assert.rejects(store.append('s', [anEvent()], 5n), (error) => error instanceof StoreConflict && error.actual === 'no_stream')
    await store.append('s', someEvents(3), 'no_stream')
    await assert.rejects(store.append('s', [anEvent()], 'no_stream'), (error) => error instanceof StoreConflict && error.actual === 2n)
  })
})

describe('what the EventStoreDB driver reads', () => {
  it('leaves out system streams and streams of others, in both kinds of reading', async (test) => {
    const { double, store } = await setUp(test)
    await store.append('mine', [anEvent('a')], 'no_stream')
    plant(double, 'sallyporter', 'x', '[]', '')
    const { position } = await store.append('mine', [anEvent('b')], 0n)
    assert.deepEqual((await collect(store.readAll())).map(({ stream }) => stream), ['mine', 'mine'])
    const stop = new AbortController()
    for await (const event of store.readAll({ follow: true, signal: stop.signal })) {
      assert.equal(event.stream, 'mine')
      if (event.position === position) stop.abort()
    }
  })

  it('takes every stream that is not a system stream when the prefix is empty', async (test) => {
    const { double, store } = await setUp(test, { streamPrefix: '' })
    double.log.truncate('otherapp-1', 1n)
    await store.append('bare', [anEvent()], 'no_stream')
    assert.equal(double.log.stream('bare').length, 1)
    assert.deepEqual((await collect(store.readAll())).map(({ stream }) => stream), ['bare'])
    const stop = new AbortController()
    for await (const event of store.readAll({ follow: true, signal: stop.signal })) {
      assert.equal(event.stream, 'bare')
      stop.abort()
    }
  })

  it('brings old events up to date, in every kind of reading', async (test) => {
    const { double, store } = await setUp(test)
    const upcasts = UPCASTS as Record<string, (data: never) => { type: string; data: unknown }>
    upcasts['gateway.stopped.v0'] = (data: { why: string }) => ({ type: 'gateway.stopped.v1', data: { gateway: 'old', reason: data.why } })
    test.after(() => delete upcasts['gateway.stopped.v0'])
    plant(double, 'sallyport-old', 'gateway.stopped.v0', '{"why":"rest"}', ENVELOPE)
    for (const events of [await collect(store.read('old')), await collect(store.readAll())]) {
      assert.deepEqual(events.map(({ type, data }) => [type, data]), [['gateway.stopped.v1', { gateway: 'old', reason: 'rest' }]])
    }
  })

  it('throws for an event of a later version, and does not call the server broken', async (test) => {
    const { double, store } = await setUp(test)
    plant(double, 'sallyport-new', 'gateway.stopped.v9', '{}', ENVELOPE)
    await assert.rejects(collect(store.read('new')), TypeError)
    await assert.rejects(collect(store.readAll()), TypeError)
    await assert.rejects(collect(store.readAll({ follow: true })), TypeError)
  })

  it('reports events that no Sallyport wrote', async (test) => {
    const { double, store } = await setUp(test)
    const foreign = [['no-metadata', '{}', ''], ['half', '{}', '{"source":"s"}'], ['numbers', '{}', ENVELOPE.replace('"c"', '1')], ['not-json', '{"a', ENVELOPE]] as const
    for (const [stream, data, metadata] of foreign) {
      plant(double, `sallyport-${stream}`, 'gateway.stopped.v1', data, metadata)
      await assert.rejects(collect(store.read(stream)), { code: 'STORE_CORRUPT', message: new RegExp(stream) })
    }
  })

  it('reports a stream that somebody deleted on the server', async (test) => {
    const { double, store } = await setUp(test)
    await store.append('gone', someEvents(2), 'no_stream')
    double.tombstone('sallyport-gone')
    const corrupt = { code: 'STORE_CORRUPT', message: /"gone" was deleted/ }
    await assert.rejects(collect(store.read('gone')), corrupt)
    await assert.rejects(collect(store.readAll()), corrupt)
    await assert.rejects(collect(store.readAll({ follow: true })), corrupt)
    await assert.rejects(store.append('gone', [anEvent()], 'any'), corrupt)
  })

  it('reports a stream whose beginning was cut off on the server', async (test) => {
    const { double, store } = await setUp(test)
    await store.append('cut', someEvents(5), 'no_stream')
    double.log.truncate('sallyport-cut', 2n)
    await assert.rejects(collect(store.read('cut')), { code: 'STORE_CORRUPT', message: /from revision 0 to 2/ })
    assert.deepEqual(revisionsOf(await collect(store.read('cut', { from: 3n }))), [3n, 4n])
  })

  it('says that a server is too old to give positions', async (test) => {
    const { store } = await setUp(test, {}, { oldStreamReads: true })
    await store.append('s', [anEvent()], 'no_stream')
    await assert.rejects(collect(store.read('s')), { code: 'STORE_REFUSED', message: /22\.6/ })
  })

  it('ends the call at the server when the reader leaves', async (test) => {
    const { double, store } = await setUp(test)
    for (let i = 0; i < 20; i++) await store.append('s', someEvents(25), 'any')
    for await (const _ of store.readAll({ follow: true })) break
    await until(() => double.openReads === 0)
    for await (const _ of store.read('s')) break
    for await (const _ of store.readAll()) break
    await until(() => double.openReads === 0)
    const stop = new AbortController()
    const following = collect(store.readAll({ follow: true, signal: stop.signal }))
    await until(() => double.subscriptions === 1)
    stop.abort()
    await following
    await until(() => double.openReads === 0)
  })
})

describe('opening an EventStoreDB store', () => {
  it('finds the server by gossip', async (test) => {
    const double = await startEventStoreDbDouble()
    const store = await openEventStoreDb({ connectionString: double.discoverString })
    test.after(async () => {
      await store.close()
      double.kill()
    })
    assert.equal((await store.append('s', [anEvent()], 'no_stream')).revision, 0n)
  })

  it('says that nobody is there', async () => {
    const double = await startEventStoreDbDouble()
    double.kill()
    await assert.rejects(openEventStoreDb({ connectionString: double.connectionString }), { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(openEventStoreDb({ connectionString: `${double.discoverString}&maxDiscoverAttempts=2&discoveryInterval=1` }), { code: 'STORE_UNAVAILABLE', message: /discover/ })
  })

  it('says that the account may not read everything', async (test) => {
    const double = await startEventStoreDbDouble({ denyAll: true })
    test.after(() => double.kill())
    await assert.rejects(openEventStoreDb({ connectionString: double.connectionString }), { code: 'STORE_REFUSED', message: /access-denied/ })
  })

  it('refuses connection strings it cannot use, and shows their password to nobody', async (test) => {
    const printed: unknown[] = []
    test.mock.method(console, 'warn', (...words: unknown[]) => printed.push(...words))
    const strings = ['', 'postgres://u:hunter2@h', 'esdb://u:hunter2@h:port', 'esdb://u:hunter2@h?tls=maybe', 'esdb://u:hunter2@h?passwort=1', 'esdb://u:hunter2@h?tlsVerifyCert=false', 'esdb://u:hunter2@h?tlsCAFile=/nowhere.pem']
    for (const connectionString of strings) {
      await assert.rejects(openEventStoreDb({ connectionString }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID', connectionString)
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, /hunter2/)
        return true
      })
    }
    assert.deepEqual(printed, [])
  })
})

/** One try per turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
