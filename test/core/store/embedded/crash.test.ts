import assert from 'node:assert/strict'
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { RecordedEvent } from '../../../../core/events/index.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { collect } from '../../../contract/event-store-events.ts'
import { AppendingChild, type Acknowledged } from './appending-child.ts'
import { storePath } from './store-folder.ts'

const KILLS = 10

/** Appends come as pairs, and each stream counts on without a gap: nothing is half there. */
function assertWhole(events: readonly RecordedEvent[]): void {
  const next = new Map<string, number>()
  for (const event of events) {
    const revision = next.get(event.stream) ?? 0
    assert.equal(Number(event.revision), revision)
    assert.ok((event.data as { reason: string }).reason.startsWith(revision % 2 === 0 ? 'first' : 'second'))
    next.set(event.stream, revision + 1)
  }
  for (const [stream, count] of next) assert.equal(count % 2, 0, `${stream} ends within an append`)
}

function assertAllThere(events: readonly RecordedEvent[], acknowledged: readonly Acknowledged[]): void {
  const byId = new Map(events.map((event) => [event.id, event]))
  for (const { stream, revision, position, ids } of acknowledged) {
    const [first, second] = [byId.get(ids[0]), byId.get(ids[1])]
    assert.ok(first !== undefined && second !== undefined, `acknowledged, but lost: ${stream} at ${revision}`)
    assert.deepEqual([second.stream, second.revision, second.position], [stream, revision, position])
    assert.deepEqual([first.revision, first.position], [revision - 1n, position - 1n])
  }
}

describe('embedded store: crashes', () => {
  it(`loses no acknowledged event in ${KILLS} kills -9, and shows no part of an append`, async (t) => {
    const path = storePath(t)
    const acknowledged: Acknowledged[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new AppendingChild(path)
      await child.until(1 + Math.floor(Math.random() * 1500))
      await child.kill()
      acknowledged.push(...child.acknowledged)
      const store = await openEmbeddedStore({ path })
      const events = await collect(store.readAll())
      await store.close()
      assertWhole(events)
      assertAllThere(events, acknowledged)
    }
    t.diagnostic(`${acknowledged.length} acknowledged appends survived`)
  })

  it('opens with whole appends only when the write-ahead log was torn by a power cut', async (t) => {
    const path = storePath(t)
    const child = new AppendingChild(path)
    await child.until(300)
    await child.kill()
    const logBytes = statSync(`${path}-wal`).size
    let before = -1
    for (let i = 0; i <= 12; i++) {
      const copy = `${path}-copy-${i}`
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      truncateSync(`${copy}-wal`, Math.floor((logBytes * i) / 12))
      const store = await openEmbeddedStore({ path: copy })
      const events = await collect(store.readAll())
      await store.close()
      assertWhole(events)
      assert.ok(events.length >= before)
      before = events.length
      if (i === 12) assertAllThere(events, child.acknowledged)
    }
  })
})
