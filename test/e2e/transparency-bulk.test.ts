import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { connectUpstream } from '../../adapters/postgresql/auth/connect-upstream.ts'
import { RawClient } from '../support/compare-client.ts'
import { copyData, copyDone, query } from '../support/compare-messages.ts'
import { startPair, type Pair } from '../support/compare.ts'

const BYTES = 100_000_000
const LINE = `${'x'.repeat(999)}\n`
const CHUNK = Buffer.concat(Array.from({ length: 64 }, () => copyData(LINE)))
const CHUNKS = Math.ceil(BYTES / (64 * LINE.length))
const MAX_GROWTH_BYTES = 96 * 1024 * 1024

let pair: Pair
before(async () => {
  pair = await startPair(18)
  await pair.server.query('create unlogged table bulk (t text)')
})
after(async () => pair?.stop())

/** What `work` adds at most to the memory that buffers and objects take, looked at each time it calls. */
async function growth(work: (look: () => void) => Promise<void>): Promise<number> {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const start = used()
  let peak = start
  await work(() => (peak = Math.max(peak, used())))
  return peak - start
}

/** Resolves when `progress` has been the same for a while, seen from the server's side, or is `whole`. */
async function stalled(progress: () => number | Promise<number>, whole: number): Promise<number> {
  let last = -1
  for (let same = 0; same < 40 && last < whole; ) {
    await pair.server.query('select 1')
    const now = await progress()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}

describe('100 MB', () => {
  it('go in by COPY to a target that stops reading: the gateway stops too, and all of them arrive', { timeout: 120_000 }, async () => {
    await pair.server.query(`create function wait_first() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(7); return new; end $$;
      create trigger first before insert on bulk for each row execute function wait_first()`)
    const locker = await RawClient.open(pair.direct)
    await locker.ask(query('select pg_advisory_lock(7)'))
    const client = await RawClient.open(pair.through)
    client.send(query('copy bulk from stdin'))
    await client.type('G')
    let sent = 0
    const grown = await growth(async (look) => {
      const pouring = (async () => {
        for (; sent < CHUNKS; sent++) await client.pour(CHUNK)
      })()
      assert.ok((await stalled(() => sent, CHUNKS)) < CHUNKS / 2, 'everything was taken in, and the target had read nothing')
      look()
      await locker.ask(query('select pg_advisory_unlock(7)'))
      await pouring
      look()
    })
    await client.ask(copyDone())
    await client.close()
    await locker.close()
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`)
    const [row] = await pair.server.query('select count(*)::int as rows, sum(length(t) + 1)::int as bytes, count(distinct t)::int as kinds from bulk')
    assert.deepEqual(row, { rows: CHUNKS * 64, bytes: CHUNKS * 64 * LINE.length, kinds: 1 })
  })

  it('come out by COPY to a client that stops reading: the gateway stops too, and nothing is lost', { timeout: 120_000 }, async () => {
    const { socket } = await connectUpstream({ ...pair.through, tls: { mode: 'disable' }, timeoutMs: 10_000 })
    socket.write(query("copy (select repeat('y', 999) from generate_series(1, 100000)) to stdout"))
    const hash = createHash('sha256')
    let bytes = 0
    const grown = await growth(async (look) => {
      const copied = async (): Promise<number> => Number((await pair.server.query("select coalesce((select tuples_processed from pg_stat_progress_copy where command = 'COPY TO'), 100000) as rows"))[0]?.['rows'])
      while ((await copied()) === 100_000);
      assert.ok((await stalled(copied, 100_000)) < 50_000, 'everything was sent, and the client had read nothing')
      look()
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        bytes += chunk.length
        hash.update(chunk)
        look()
        if (chunk.at(-6) === 'Z'.charCodeAt(0)) break
      }
    })
    socket.destroy()
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`)
    assert.equal(bytes, expectedBytes())
    assert.equal(hash.digest('hex'), expectedHash())
  })
})

const ROW = copyData(`${'y'.repeat(999)}\n`)
const HEAD = Buffer.from('H\0\0\0\x09\0\0\x01\0\0', 'latin1')
const TAIL = Buffer.from('c\0\0\0\x04C\0\0\0\x10COPY 100000\0Z\0\0\0\x05I', 'latin1')

function expectedBytes(): number {
  return HEAD.length + 100_000 * ROW.length + TAIL.length
}

function expectedHash(): string {
  const hash = createHash('sha256').update(HEAD)
  for (let row = 0; row < 100_000; row++) hash.update(ROW)
  return hash.update(TAIL).digest('hex')
}
