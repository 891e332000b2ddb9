import assert from 'node:assert/strict'
import { statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent, collect } from '../../../contract/event-store-events.ts'
import { rejectsWith } from '../../../contract/event-store.ts'
import { AppendingChild } from './appending-child.ts'
import { storePath } from './store-folder.ts'

describe('embedded store: one writer', () => {
  it('names the process that has the store, and opens once that is killed', async (t) => {
    const path = storePath(t)
    const child = new AppendingChild(path)
    await child.until(1)
    await rejectsWith('STORE_LOCKED', openEmbeddedStore({ path }), new RegExp(`${path} is in use by process ${child.pid};`))
    await child.kill()
    await (await openEmbeddedStore({ path })).close()
  })

  it('is locked by whatever name the file is opened', async (t) => {
    const path = storePath(t)
    const child = new AppendingChild(path)
    await child.until(1)
    const link = join(dirname(path), 'link.db')
    symlinkSync(path, link)
    await rejectsWith('STORE_LOCKED', openEmbeddedStore({ path: link }))
    await child.kill()
  })

  it('refuses a second writer in the same process, and stays locked for others after that', async (t) => {
    const path = storePath(t)
    const store = await openEmbeddedStore({ path })
    await rejectsWith('STORE_LOCKED', openEmbeddedStore({ path }), new RegExp(`process ${process.pid}`))
    const child = new AppendingChild(path)
    await assert.rejects(child.until(1), /STORE_LOCKED/)
    await store.append('stream', [anEvent()], 'no_stream')
    await store.close()
  })

  it('lets others read while it writes, and shows them what is new', async (t) => {
    const path = storePath(t)
    const child = new AppendingChild(path)
    await child.until(1)
    const reader = await openEmbeddedStore({ path, readOnly: true })
    const stop = new AbortController()
    let goal: bigint | undefined
    const reached = child.until(600).finally(() => {
      goal = child.acknowledged[599]?.position
      if (goal === undefined) stop.abort()
    })
    let seen = 0n
    for await (const event of reader.readAll({ follow: true, signal: stop.signal })) {
      assert.equal(event.position, ++seen)
      if (goal !== undefined && seen >= goal) stop.abort()
    }
    await reached
    const told = child.acknowledged[0]
    assert.ok(told !== undefined)
    const [, second] = await collect(reader.read(told.stream, { limit: 2 }))
    assert.equal(second?.id, told.ids[1])
    await rejectsWith('STORE_REFUSED', reader.append(told.stream, [anEvent()], 'any'))
    await reader.close()
    await child.kill()
  })

  it('keeps its files from other users', async (t) => {
    const path = join(storePath(t), 'made', 'events.db')
    const store = await openEmbeddedStore({ path })
    await store.append('stream', [anEvent()], 'no_stream')
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
    for (const file of ['', '-wal', '-shm', '-lock']) assert.equal(statSync(path + file).mode & 0o777, 0o600, file)
    await store.close()
  })
})
