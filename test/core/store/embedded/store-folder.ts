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

const STREAMS = 3
/** Enough that also a commit of one append is packed. */
const PADDING = 400

/** Appends of two events each, asked for at once, so that they share commits. */
export async function fill(store: EventStore, appends: number): Promise<void> {
  await Promise.all(Array.from({ length: appends }, (_, i) => appendOne(store, i)))
}

async function appendOne(store: EventStore, i: number): Promise<void> {
  await store.append(`stream-${i % STREAMS}`, [anEvent(`${i} a `, PADDING), anEvent(`${i} b `, PADDING)], 'any')
}

/** A store of so many appends of two events each, every one a commit of its own. Closed in order. */
export async function closedStore(path: string, appends: number): Promise<void> {
  const store = await openEmbeddedStore({ path })
  for (let i = 0; i < appends; i++) await appendOne(store, i)
  await store.close()
}

/** A store of so many appends of two events each, in few commits. Closed in order. */
export async function batchedStore(path: string, appends: number): Promise<void> {
  const store = await openEmbeddedStore({ path })
  await fill(store, appends)
  await store.close()
}
