import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { EventStore } from '../../../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent } from '../../../contract/event-store-events.ts'

/** A folder that is gone after the test, and the path of a store in it. */
export function storePath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'events.db')
}

/** Appends of two events each, over `streams` streams, all waited for. */
export async function fill(store: EventStore, appends: number, streams = 3, padding = 100): Promise<void> {
  const written = Array.from({ length: appends }, (_, i) => store.append(`stream-${i % streams}`, [anEvent(`${i} a `, padding), anEvent(`${i} b `, padding)], 'any'))
  await Promise.all(written)
}

/** A store of so many appends, closed in order. */
export async function closedStore(path: string, appends: number, streams = 3): Promise<void> {
  const store = await openEmbeddedStore({ path })
  await fill(store, appends, streams)
  await store.close()
}
