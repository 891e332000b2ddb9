import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { SallyportError } from '../../../../core/errors.ts'
import type { NewEvent } from '../../../../core/events/index.ts'
import type { EventStore } from '../../../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent, collect, idsOf } from '../../../contract/event-store-events.ts'
import { rejectsWith } from '../../../contract/event-store.ts'
import { fileSizeLimit, tmpfs, type SmallDisk } from './small-disk.ts'

const OFFERED = { 'the disk is full': tmpfs(), 'a file may not grow': fileSizeLimit() }
const MANY = 2000

describe('embedded store: a disk that fails', () => {
  for (const [when, { make, skip }] of Object.entries(OFFERED)) {
    it(`rejects what it cannot write when ${when}, and goes on by itself when it can`, { skip }, async (t) => {
      const disk = make?.() as SmallDisk
      t.after(() => disk.dispose())
      const path = join(disk.folder, 'events.db')
      const store = await openEmbeddedStore({ path })
      const { acknowledged, failure } = await appendUntilFailure(store)
      assert.equal(failure.code, 'STORE_UNAVAILABLE', failure.message)
      assert.ok(failure.message.startsWith(`${path}: `), failure.message)
      const refused = await Promise.allSettled(Array.from({ length: 64 }, () => store.append('stream', [anUnpackableEvent(20_000)], 'any')))
      for (const append of refused) await rejectsWith('STORE_UNAVAILABLE', append.status === 'rejected' ? Promise.reject(append.reason) : Promise.resolve())
      assert.equal(store.pending(), 0)
      assertSurvived(idsOf(await collect(store.readAll())), acknowledged)

      disk.makeRoom()
      const event = anEvent('room again')
      await store.append('later', [event], 'no_stream')
      acknowledged.push(event.id)
      await store.close()
      const again = await openEmbeddedStore({ path, verify: 'full' })
      assertSurvived(idsOf(await collect(again.readAll())), acknowledged)
      await again.close()
    })
  }
})

/** About so many bytes that stay as many on the disk, all but a quarter. */
function anUnpackableEvent(bytes: number): NewEvent {
  return anEvent(randomBytes((bytes * 3) / 4).toString('base64'))
}

async function appendUntilFailure(store: EventStore): Promise<{ acknowledged: string[]; failure: SallyportError }> {
  const acknowledged: string[] = []
  for (let i = 0; i < MANY; i++) {
    const event = anUnpackableEvent(10_000)
    try {
      await store.append(`stream-${i % 5}`, [event], 'any')
    } catch (error) {
      assert.ok(error instanceof SallyportError, String(error))
      return { acknowledged, failure: error }
    }
    acknowledged.push(event.id)
  }
  throw new Error(`${MANY} appends were written, and the disk was not full`)
}

function assertSurvived(read: readonly string[], acknowledged: readonly string[]): void {
  assert.ok(acknowledged.length > 0)
  const ids = new Set(read)
  assert.equal(ids.size, read.length)
  assert.deepEqual(acknowledged.filter((id) => !ids.has(id)), [])
}
