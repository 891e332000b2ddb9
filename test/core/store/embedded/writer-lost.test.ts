import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { EventStore } from '../../../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent, collect, idsOf, revisionsOf } from '../../../contract/event-store-events.ts'
import { rejectsWith } from '../../../contract/event-store.ts'
import { fill, storePath } from './store-folder.ts'

/** Opens a store, and keeps hold of the thread that writes it. */
async function openWithWriter(path: string): Promise<{ store: EventStore; writers: Worker[] }> {
  const writers: Worker[] = []
  process.on('worker', (worker) => writers.push(worker))
  const store = await openEmbeddedStore({ path })
  assert.equal(writers.length, 1)
  return { store, writers }
}

describe('embedded store: its writer is lost', () => {
  it('rejects what was pending, and the next append has a new writer that knows where every stream is', async (t) => {
    const { store, writers } = await openWithWriter(storePath(t))
    await fill(store, 30)
    const pending = Array.from({ length: 40 }, (_, i) => store.append(`pending-${i}`, [anEvent()], 'no_stream'))
    const settled = Promise.allSettled(pending)
    void writers[0]?.terminate()
    const lost = (await settled).filter(({ status }) => status === 'rejected')
    assert.ok(lost.length > 0)
    await rejectsWith('STORE_UNAVAILABLE', pending.at(-1) as Promise<unknown>, /the writer's thread ended/)
    assert.equal(store.pending(), 0)

    const { revision } = await store.append('stream-0', [anEvent('after')], 19n)
    assert.equal(revision, 20n)
    assert.equal(writers.length, 2)
    assert.deepEqual(revisionsOf(await collect(store.read('stream-0'))), Array.from({ length: 21 }, (_, i) => BigInt(i)))
    await store.close()
  })

  it('answers a retry of what was pending as if it were the first, written or not', async (t) => {
    const { store, writers } = await openWithWriter(storePath(t))
    const appends = Array.from({ length: 20 }, (_, i) => ({ stream: `retried-${i}`, events: [anEvent(), anEvent()] }))
    const first = appends.map(({ stream, events }) => store.append(stream, events, 'no_stream'))
    const settled = Promise.allSettled(first)
    await new Promise((resolve) => setImmediate(resolve))
    void writers.at(-1)?.terminate()
    await settled
    for (const { stream, events } of appends) assert.equal((await store.append(stream, events, 'no_stream')).revision, 1n)
    const read = await collect(store.readAll())
    assert.equal(new Set(idsOf(read)).size, 40)
    assert.equal(read.length, 40)
    await store.close()
  })

  it('closes in order when its writer is gone', async (t) => {
    const path = storePath(t)
    const { store, writers } = await openWithWriter(path)
    await fill(store, 5)
    await writers.at(-1)?.terminate()
    await store.close()
    const again = await openEmbeddedStore({ path })
    assert.equal((await collect(again.readAll())).length, 10)
    await again.close()
  })
})
