import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { createMemoryStore } from '../../../../core/store/drivers/memory/index.ts'
import { MAX_APPEND_BYTES, MAX_APPEND_EVENTS } from '../../../../core/store/admit-append.ts'
import { anEvent, collect, someEvents } from '../../../contract/event-store-events.ts'
import { rejectsWith } from '../../../contract/event-store.ts'
import { storePath } from './store-folder.ts'

describe('stores: limits', () => {
  it('refuse names, ids, sizes and values that must not be written', async () => {
    const store = createMemoryStore()
    for (const name of ['', 'x'.repeat(513), 'two\nlines', 'nul\u0000', 'half \ud800']) {
      await rejectsWith('STORE_REFUSED', store.append(name, [anEvent()], 'any'), /a stream name is/)
    }
    for (const id of ['', 'x'.repeat(257), 'two\nlines']) await rejectsWith('STORE_REFUSED', store.append('s', [{ ...anEvent(), id }], 'any'), /an event id is/)
    await rejectsWith('STORE_REFUSED', store.append('s', [anEvent()], -1n), /expected revision -1 is negative/)
    await rejectsWith('STORE_REFUSED', store.append('s', someEvents(MAX_APPEND_EVENTS + 1), 'any'), /4097 events are more than 4096/)
    await rejectsWith('STORE_REFUSED', store.append('s', [anEvent('', MAX_APPEND_BYTES)], 'any'), /bytes are more than/)
    await rejectsWith('STORE_REFUSED', store.append('s', [{ ...anEvent(), extra: 1n } as never], 'any'), /its data is not JSON/)
    assert.deepEqual(await collect(store.readAll()), [])
  })

  it('refuses more than may wait for the disk, and takes it again when that is written', async (t) => {
    const store = await openEmbeddedStore({ path: storePath(t), maxPendingBytes: 50_000 })
    const taken = store.append('s', [anEvent('large', 40_000)], 'any')
    await rejectsWith('STORE_UNAVAILABLE', store.append('s', [anEvent('large', 40_000)], 'any'), /more than 50000 bytes already wait/)
    await taken
    assert.equal((await store.append('s', [anEvent('larger than all', 90_000)], 'any')).revision, 1n)
    await store.close()
  })
})
