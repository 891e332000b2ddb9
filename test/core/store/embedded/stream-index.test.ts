import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { EventStore } from '../../../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent, collect, revisionsOf } from '../../../contract/event-store-events.ts'
import { storePath } from './store-folder.ts'

const COMMITS = 180
/** Of one commit. */
const APPENDS = 50
/** Fewer than that, so that some have two appends in one commit. */
const STREAMS = 40

/** Enough for two flushes of the index, and a tail that is not in it. */
async function indexedStore(path: string): Promise<EventStore> {
  const store = await openEmbeddedStore({ path })
  for (let commit = 0; commit < COMMITS; commit++) {
    const appends = Array.from({ length: APPENDS }, (_, i) => {
      const number = commit * APPENDS + i
      return store.append(`stream-${number % STREAMS}`, number % 3 === 0 ? [anEvent(), anEvent()] : [anEvent()], 'any')
    })
    await Promise.all(appends)
  }
  return store
}

async function assertStreams(store: EventStore): Promise<void> {
  const all = await collect(store.readAll())
  for (let i = 0; i < STREAMS; i += 7) {
    const stream = `stream-${i}`
    const wanted = all.filter((event) => event.stream === stream).map((event) => event.id)
    const forwards = await collect(store.read(stream))
    assert.deepEqual(forwards.map((event) => event.id), wanted)
    assert.deepEqual((await collect(store.read(stream, { direction: 'backwards' }))).map((event) => event.id), wanted.toReversed())
    for (const from of [1, 100, 137, 250, wanted.length - 1]) {
      const read = await collect(store.read(stream, { from: BigInt(from), limit: 60 }))
      assert.deepEqual(read.map((event) => event.id), wanted.slice(from, from + 60))
    }
  }
}

describe('embedded store: the index by stream', () => {
  it('finds every event in the index and behind it, as it runs, for others, and after a restart', async (t) => {
    const path = storePath(t)
    const store = await indexedStore(path)
    const inside = new DatabaseSync(path, { readOnly: true })
    const { indexed, last } = inside.prepare('SELECT indexed, (SELECT max(position) FROM commits) AS last FROM store').get() as { indexed: number; last: number }
    const { segments } = inside.prepare('SELECT count(*) AS segments FROM segments').get() as { segments: number }
    inside.close()
    assert.ok(indexed > 0 && indexed < last, `the index reaches to ${indexed} of ${last}`)
    assert.ok(segments >= 2 * STREAMS, `${segments} segments`)
    await assertStreams(store)
    const other = await openEmbeddedStore({ path, readOnly: true, verify: 'full' })
    await assertStreams(other)
    await other.close()
    await store.close()
    const again = await openEmbeddedStore({ path })
    await assertStreams(again)
    const [last0] = await collect(again.read('stream-0', { direction: 'backwards', limit: 1 }))
    const head = last0?.revision ?? -1n
    assert.equal((await again.append('stream-0', [anEvent()], head)).revision, head + 1n)
    assert.deepEqual(revisionsOf(await collect(again.read('stream-0', { from: head }))), [head, head + 1n])
    await again.close()
  })
})
