import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent, collect } from '../../../contract/event-store-events.ts'
import { rejectsWith } from '../../../contract/event-store.ts'
import { AppendingChild } from './appending-child.ts'
import { batchedStore, closedStore, fill, storePath } from './store-folder.ts'

const VERIFICATIONS = ['full', 'tail'] as const

/** The store refuses to open, says why, and leaves the file as it found it. */
async function refusesToOpen(path: string, why: RegExp, verify: 'full' | 'tail' = 'full'): Promise<void> {
  const before = readFileSync(path)
  await rejectsWith('STORE_CORRUPT', openEmbeddedStore({ path, verify }), why)
  assert.ok(readFileSync(path).equals(before), 'the file was changed')
}

function alter(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  assert.equal(db.prepare('SELECT changes() AS n').get()?.['n'], 1)
  db.close()
}

describe('embedded store: damage', () => {
  it('opens what it wrote', async (t) => {
    const path = storePath(t)
    await closedStore(path, 30)
    await batchedStore(path, 300)
    for (const verify of VERIFICATIONS) await (await openEmbeddedStore({ path, verify })).close()
    await (await openEmbeddedStore({ path, readOnly: true, verify: 'full' })).close()
  })

  for (const [layout, make] of [['one append', closedStore], ['many appends', batchedStore]] as const) {
    it(`finds a byte that was flipped, wherever it is in a commit of ${layout}`, async (t) => {
      const path = storePath(t)
      await make(path, 60)
      const bytes = readFileSync(path)
      const bodies = packedEvents(path)
      for (const body of [bodies.at(0), bodies.at(bodies.length / 2), bodies.at(-1)]) {
        for (const part of [0, 0.5, 0.99]) {
          writeFileSync(path, flippedIn(bytes, body, part))
          await refusesToOpen(path, /the commit at position \d+ does not fit its digest/)
        }
      }
    })
  }

  it('finds nearly every byte that was flipped, and never shows events other than those written', async (t) => {
    const path = storePath(t)
    await closedStore(path, 60)
    const bytes = readFileSync(path)
    const written = await allEvents(path)
    let found = 0
    const STEPS = 40
    for (let i = 0; i < STEPS; i++) {
      const at = Math.floor((bytes.length * (i + 0.5)) / STEPS)
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at)
      writeFileSync(path, flipped)
      const store = await openEmbeddedStore({ path }).catch(() => found++)
      if (typeof store === 'number') continue
      const events = JSON.stringify((await collect(store.readAll())).map(({ id, data }) => ({ id, data })))
      await store.close()
      assert.equal(events, written, `byte ${at} changed what is read`)
    }
    t.diagnostic(`${found} of ${STEPS} were found; the others are in space that no page uses`)
    assert.ok(found > STEPS / 2)
  })

  for (const verify of VERIFICATIONS) {
    it(`finds a removed, a changed and a moved append (${verify})`, async (t) => {
      const path = storePath(t)
      await closedStore(path, 50)
      const whole = readFileSync(path)
      const misfit = /the commit at position 41 does not fit its digest/
      const cases: [string, RegExp][] = [
        ['DELETE FROM commits WHERE position = 41', /the events after position 40 are missing up to 43/],
        ['DELETE FROM commits WHERE position = 1', /the events after position 0 are missing up to 3/],
        ['DELETE FROM commits WHERE position = 99', /its events end at position 98, but its index at 100/],
        ["UPDATE commits SET appends = replace(appends, 'stream-2', 'stream-9') WHERE position = 41", misfit],
        ["UPDATE commits SET appends = replace(appends, char(9) || '2', char(9) || '3') WHERE position = 41", misfit],
        ['UPDATE commits SET count = count + 1 WHERE position = 41', misfit],
        ['UPDATE commits SET size = size + 1 WHERE position = 41', misfit],
        ['UPDATE commits SET codec = 1 - codec WHERE position = 41', misfit],
        ['UPDATE commits SET body = zeroblob(length(body)) WHERE position = 41', misfit],
        ['UPDATE commits SET body = (SELECT body FROM commits WHERE position = 35) WHERE position = 41', misfit],
        ['UPDATE commits SET digest = (SELECT digest FROM commits WHERE position = 1) WHERE position = 41', misfit],
        ["UPDATE store SET id = '7b1f4d1c-0000-4000-8000-000000000000'", /the commit at position 1 does not fit its digest/],
      ]
      for (const [sql, why] of cases) {
        writeFileSync(path, whole)
        alter(path, sql)
        await refusesToOpen(path, why, verify)
      }
    })
  }

  it('says what is wrong with a commit that cannot be unpacked, and allocates no more than is sensible', async (t) => {
    const path = storePath(t)
    await closedStore(path, 10)
    const whole = readFileSync(path)
    const cases: [string, RegExp][] = [
      ['size = 1 << 40', /the commit at position 11 claims 1099511627776 bytes/],
      ['size = size + 1', /the commit at position 11 holds \d+ bytes, not \d+/],
      ['size = size - 1', /the commit at position 11 cannot be unpacked/],
      ['body = substr(body, 1, length(body) / 2)', /the commit at position 11 cannot be unpacked/],
      ['codec = 7', /the commit at position 11 is packed in a way \(7\) that is not known/],
      ['count = count + 1', /the commit at position 11 does not hold the appends it says/],
      ['appends = appends || substr(appends, 2)', /the commit at position 11 does not hold the appends it says/],
      ["appends = char(10) || 'stream-2' || char(10)", /the commit at position 11 does not say whose it is/],
      ["codec = 0, body = CAST('not JSON' || char(10) AS BLOB), size = 9", /the append at position 11 is not JSON/],
      ["codec = 0, body = CAST('[]' AS BLOB), size = 2", /the commit at position 11 does not hold the appends it says/],
      ["codec = 0, body = CAST('[]' || char(10) AS BLOB), size = 3", /the append at position 11 does not hold the 2 events it says/],
    ]
    for (const [change, why] of cases) {
      writeFileSync(path, whole)
      alter(path, `UPDATE commits SET ${change} WHERE position = 11`)
      const store = await openEmbeddedStore({ path, readOnly: true })
      await rejectsWith('STORE_CORRUPT', collect(store.readAll()), why)
      await store.close()
    }
  })

  it('refuses a file of a format it does not know, and says which that is', async (t) => {
    const path = storePath(t)
    await closedStore(path, 3)
    alter(path, 'UPDATE store SET format = 99')
    const before = readFileSync(path)
    for (const readOnly of [false, true]) await rejectsWith('STORE_UNAVAILABLE', openEmbeddedStore({ path, readOnly }), /has format 99; this version of Sallyport reads and writes format 2$/)
    const db = new DatabaseSync(path)
    db.exec('ALTER TABLE store DROP COLUMN format')
    db.close()
    await rejectsWith('STORE_UNAVAILABLE', openEmbeddedStore({ path }), /has format 1;/)
    writeFileSync(path, before)
    alter(path, 'UPDATE store SET format = 2')
    await (await openEmbeddedStore({ path })).close()
  })

  it('finds an index that was changed, and events that are not in it', async (t) => {
    const path = storePath(t)
    await closedStore(path, 50)
    const whole = readFileSync(path)
    alter(path, "DELETE FROM segments WHERE stream = 'stream-1'")
    await refusesToOpen(path, /its index does not agree with its events/)
    writeFileSync(path, whole)
    alter(path, "UPDATE segments SET next = next - 2 WHERE stream = 'stream-1'")
    const store = await openEmbeddedStore({ path, verify: 'tail' })
    await rejectsWith('STORE_CORRUPT', store.append('stream-1', [anEvent()], 'any'), /its index of stream "stream-1" at revision 0 has changed/)
    await rejectsWith('STORE_CORRUPT', collect(store.read('stream-1')))
    await store.close()
  })

  it('finds the end of the record removed, index and all, by what its lock file remembers', async (t) => {
    const path = storePath(t)
    await closedStore(path, 10)
    copyFileSync(path, `${path}-older`)
    await closedStore(path, 10)
    copyFileSync(`${path}-older`, path)
    await refusesToOpen(path, /it once held events up to position 40, and they are missing/)
    rmSync(`${path}-lock`)
    assert.equal(JSON.parse(await allEvents(path)).length, 20)
  })

  it('finds a file that was cut short', async (t) => {
    const path = storePath(t)
    await closedStore(path, 100)
    const { size } = statSync(path)
    for (const bytes of [size - 4096, Math.floor(size / 2), 4096, 1000, 50]) {
      truncateSync(path, bytes)
      await refusesToOpen(path, new RegExp(`^${path}: `))
    }
  })

  it('never starts a new history over an empty, strange or missing file', async (t) => {
    const path = storePath(t)
    await closedStore(path, 10)
    renameSync(path, `${path}-kept`)
    await rejectsWith('STORE_CORRUPT', openEmbeddedStore({ path }), /the file is missing, and .*-lock says that it held events up to position 20/)
    writeFileSync(path, '')
    await refusesToOpen(path, /the file is empty/)
    writeFileSync(path, 'not a database, but long enough for a header'.repeat(200))
    await refusesToOpen(path, /its header is not SQLite's/)
    rmSync(path)
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE commits (position INTEGER PRIMARY KEY)')
    other.close()
    await refusesToOpen(path, /it is an SQLite file, but not an event store/)
    renameSync(`${path}-kept`, path)
    await (await openEmbeddedStore({ path })).close()
  })

  it('refuses an empty file where there never was a store, and a log without its file', async (t) => {
    const path = storePath(t)
    writeFileSync(path, '')
    await refusesToOpen(path, /the file is empty/)
    rmSync(path)
    rmSync(`${path}-lock`)
    writeFileSync(`${path}-wal`, 'log')
    await rejectsWith('STORE_CORRUPT', openEmbeddedStore({ path }), /the file is missing, but its write-ahead log/)
  })

  it('refuses a file whose header was replaced, and another store in its place', async (t) => {
    const path = storePath(t)
    await closedStore(path, 10)
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.concat([Buffer.alloc(100), whole.subarray(100)]))
    await refusesToOpen(path, /its header is not SQLite's/)
    rmSync(path)
    await closedStore(`${path}-other`, 10)
    copyFileSync(`${path}-other`, path)
    await refusesToOpen(path, /it once held events up to position 20, and they are missing or others/)
  })

  it('cannot know what went with a deleted or damaged write-ahead log, but is whole up to there', async (t) => {
    const path = storePath(t)
    const child = new AppendingChild(path)
    await child.until(50)
    await child.kill()
    const copy = `${path}-copy`
    for (const file of ['', '-wal']) copyFileSync(path + file, copy + file)
    rmSync(`${path}-wal`)
    const deleted = JSON.parse(await allEvents(path)) as unknown[]
    const log = readFileSync(`${copy}-wal`)
    const middle = Math.floor(log.length / 2)
    log.writeUInt8(log.readUInt8(middle) ^ 1, middle)
    writeFileSync(`${copy}-wal`, log)
    const damaged = JSON.parse(await allEvents(copy)) as unknown[]
    assert.equal(damaged.length % 2, 0)
    assert.ok(deleted.length <= damaged.length && damaged.length < 2 * child.acknowledged.length)
  })

  it('lets a damaged store be read as far as it goes', async (t) => {
    const path = storePath(t)
    await closedStore(path, 20)
    alter(path, 'DELETE FROM commits WHERE position = 21')
    const store = await openEmbeddedStore({ path, readOnly: true })
    assert.equal((await collect(store.readAll())).length, 38)
    await store.close()
    await rejectsWith('STORE_CORRUPT', openEmbeddedStore({ path, readOnly: true, verify: 'full' }))
  })

  it('is found in order after a close in the middle of a load', async (t) => {
    const path = storePath(t)
    const store = await openEmbeddedStore({ path })
    const filling = fill(store, 500)
    await store.close()
    await filling
    assert.equal(JSON.parse(await allEvents(path)).length, 1000)
  })
})

async function allEvents(path: string): Promise<string> {
  const store = await openEmbeddedStore({ path, verify: 'full' })
  const events = (await collect(store.readAll())).map(({ id, data }) => ({ id, data }))
  await store.close()
  return JSON.stringify(events)
}

function packedEvents(path: string): Uint8Array[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare('SELECT body FROM commits ORDER BY position').all()
  db.close()
  return rows.map(({ body }) => body as Uint8Array)
}

/**
 * The file with a bit of one row's packed events flipped, at a fraction of their length. Where the row is spread over
 * pages, it is looked for piece by piece.
 */
function flippedIn(file: Buffer, body: Uint8Array | undefined, part: number): Buffer {
  assert.ok(body !== undefined)
  const PIECE = 12
  for (let from = Math.floor((body.length - PIECE) * part); from >= 0; from--) {
    const piece = body.subarray(from, from + PIECE)
    if (file.indexOf(piece) < 0) continue
    const flipped = Buffer.from(file)
    // SQLite leaves old copies behind in space that no page uses: all are flipped, the one that counts among them.
    for (let at = file.indexOf(piece); at >= 0; at = file.indexOf(piece, at + 1)) flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at)
    return flipped
  }
  throw new Error('the row is not in the file')
}
