import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import type { EventStore } from '../../core/index.ts'
import { anyProjection, auditProjection, Projections, standardProjections, type Projection } from '../../projections/index.ts'
import { command, histories, History, sessionId, verdict, type Append } from './event-stream.ts'

async function storeOf(appends: readonly Append[]): Promise<EventStore> {
  const store = createMemoryStore()
  await appendAll(store, appends)
  return store
}

async function appendAll(store: EventStore, appends: readonly Append[]): Promise<void> {
  for (const { stream, events } of appends) await store.append(stream, events, 'any')
}

function dumpOf(projections: Projections): string[] {
  return standardProjections.flatMap(({ name }) => [...projections.dump(name)])
}

async function built(store: EventStore): Promise<string[]> {
  const projections = new Projections({ path: ':memory:', projections: standardProjections })
  await projections.catchUp(store)
  const dump = dumpOf(projections)
  projections.database.exec(`INSERT INTO audit_text (audit_text) VALUES ('integrity-check')`)
  projections.close()
  return dump
}

function small(): History {
  const history = new History()
  history.open(sessionId(1))
  history.settle(sessionId(1), history.command(sessionId(1), 1, command('select 1'), verdict('allow')))
  return history
}

describe('the projection runner', () => {
  let folder = ''
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'sallyport-projections-')) })
  afterEach(() => { rmSync(folder, { recursive: true }) })
  const file = (): string => join(folder, 'projections.db')
  const open = (projections: readonly Projection[] = standardProjections): Projections => new Projections({ path: file(), projections })

  test('any prefix and then the rest gives the same as the whole, also from a reopened file', async () => {
    await fc.assert(fc.asyncProperty(histories, fc.nat(100), async (appends, percent) => {
      const path = join(folder, `${randomUUID()}.db`)
      const split = Math.floor((appends.length * percent) / 100)
      const store = await storeOf(appends.slice(0, split))
      const first = new Projections({ path, projections: standardProjections })
      await first.catchUp(store)
      first.close()
      await appendAll(store, appends.slice(split))
      const second = new Projections({ path, projections: standardProjections })
      await second.catchUp(store)
      const resumed = dumpOf(second)
      second.close()
      assert.deepEqual(resumed, await built(store))
    }), { numRuns: 60 })
  })

  test('a rebuild gives the same content', async () => {
    await fc.assert(fc.asyncProperty(histories, async (appends) => {
      const store = await storeOf(appends)
      const projections = new Projections({ path: ':memory:', projections: standardProjections })
      await projections.catchUp(store)
      const before = dumpOf(projections)
      await projections.rebuild(store)
      assert.deepEqual(dumpOf(projections), before)
      projections.close()
    }), { numRuns: 40 })
  })

  test('two that catch up over one file at the same time apply each event once', async () => {
    const history = new History()
    for (let index = 0; index < 40; index++) {
      history.open(sessionId(index))
      for (let number = 1; number <= 40; number++) history.settle(sessionId(index), history.command(sessionId(index), number, command(`select ${number}`), verdict('allow')))
    }
    const store = await storeOf(history.appends)
    const [one, two] = [open(), open()]
    await Promise.all([one.catchUp(store), two.catchUp(store)])
    assert.deepEqual(dumpOf(one), await built(store))
    one.close()
    two.close()
  })

  test('follows: what is appended later arrives, without a second call', async () => {
    const store = await storeOf(small().appends)
    const projections = open()
    const abort = new AbortController()
    const following = projections.follow(store, abort.signal)
    const count = (): number => Number(projections.database.prepare('SELECT count(*) AS n FROM audit_entries').get()?.['n'])
    const until = async (wanted: number): Promise<void> => { while (count() !== wanted) await new Promise(setImmediate) }
    await until(2)
    const later = new History().at(1000)
    later.open(sessionId(2))
    await appendAll(store, later.appends.map(({ stream, events }) => ({ stream, events: events.map((event) => ({ ...event, id: randomUUID() })) })))
    await until(3)
    abort.abort()
    await following
    projections.close()
  })

  test('a raised version is built again; a newer one is refused', async () => {
    const store = await storeOf(small().appends)
    const raised = anyProjection({ ...auditProjection, version: auditProjection.version + 1 })
    const before = open()
    await before.catchUp(store)
    before.database.exec(`UPDATE audit_entries SET text = 'changed by hand'`)
    before.close()
    const after = open([raised])
    await after.catchUp(store)
    assert.equal(Number(after.database.prepare(`SELECT count(*) AS n FROM audit_entries WHERE text = 'changed by hand'`).get()?.['n']), 0)
    after.close()
    assert.throws(() => open(), { code: 'STORE_UNAVAILABLE', message: /newer version/ })
  })

  test('another store behind the same file starts over instead of mixing two histories', async () => {
    const projections = open()
    await projections.catchUp(await storeOf(small().appends))
    const other = new History()
    for (let index = 9; index < 19; index++) other.open(sessionId(index))
    const store = await storeOf(other.appends.map(({ stream, events }) => ({ stream, events: events.map((event) => ({ ...event, id: randomUUID() })) })))
    assert.deepEqual((await projections.catchUp(store)).rebuilt, ['audit', 'replay', 'sessions'])
    assert.deepEqual(dumpOf(projections), await built(store))
    projections.close()
  })

  test('an event that cannot be applied leaves checkpoint and tables as they were', async () => {
    const history = small()
    const store = await storeOf(history.appends)
    const failing = anyProjection({ ...auditProjection, prepare: (database) => {
      const apply = auditProjection.prepare(database)
      return (event) => {
        if (event.type === 'outcome.recorded.v1') throw new Error('cannot')
        apply(event)
      }
    } })
    const projections = open([failing])
    await assert.rejects(projections.catchUp(store), /cannot/)
    assert.deepEqual([...projections.dump('audit')], [])
    projections.close()
    const healthy = open([anyProjection(auditProjection)])
    await healthy.catchUp(store)
    assert.equal([...healthy.dump('audit')].filter((line) => line.startsWith('audit_entries')).length, 2)
    healthy.close()
  })

  test('a damaged file says that it may be deleted', () => {
    writeFileSync(file(), 'this is not a database, it only looks like a file of some length'.repeat(100))
    assert.throws(() => open(), { code: 'STORE_UNAVAILABLE', message: /delete it and it is built again/ })
  })

  test('the file is for its owner only', () => {
    open().close()
    assert.equal(statSync(file()).mode & 0o777, 0o600)
  })
})
