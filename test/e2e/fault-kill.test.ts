import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { SallyportRecordedEvent } from '../../core/index.ts'
import { openEmbeddedStore } from '../../core/store/drivers/embedded/index.ts'
import { MARKS_SQL, newMark, unexplained } from '../fault/marks.ts'
import { rawClient, type RawClient } from '../fault/raw-client.ts'
import { dice } from '../fault/segments.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

const ROUNDS = 16
const CLIENTS = 4
const PROGRAM = fileURLToPath(new URL('../fault/gateway-process.ts', import.meta.url))

let server: PostgresServer

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(MARKS_SQL)
})

after(async () => {
  await server?.stop()
})

interface Gateway {
  readonly process: ChildProcess
  readonly port: number
  readonly folder: string
  /** Ids that the store has acknowledged, as far as they came out of the process. */
  readonly acknowledged: string[]
}

async function startProcess(audit: 'write-ahead' | 'relaxed'): Promise<Gateway> {
  const { host, port, user, password } = server
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ postgres: { host, port, user, password }, audit })], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<{ port: number; folder: string }>()
  child.once('exit', () => reject(new Error('the gateway did not start')))
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('{')) resolve(JSON.parse(line) as { port: number; folder: string })
      else acknowledged.push(line)
    }
  })
  return { process: child, ...(await promise), acknowledged }
}

/** Runs commands until the gateway is gone; counts those that were answered. */
async function work(gateway: Gateway, seed: number, answered: () => void): Promise<void> {
  const roll = dice(seed)
  let client: RawClient
  try {
    client = await rawClient({ host: '127.0.0.1', port: gateway.port, user: 'ada', password: 'ada secret' })
  } catch {
    return
  }
  while (!client.closed) {
    const marks = Array.from({ length: 1 + roll(4) }, () => newMark(roll(3)))
    const frames = await client.ask(marks.flatMap(({ messages }) => messages), marks.reduce((sum, { readies }) => sum + readies, 0)).catch(() => [])
    if (frames.length > 0 && !client.closed) answered()
  }
  client.socket.destroy()
}

async function killedAfter(answers: number, seed: number, audit: 'write-ahead' | 'relaxed'): Promise<{ events: SallyportRecordedEvent[]; acknowledged: readonly string[] }> {
  const gateway = await startProcess(audit)
  const closed = once(gateway.process, 'close')
  let count = 0
  const clients = Array.from({ length: CLIENTS }, (_, index) => work(gateway, seed * CLIENTS + index, () => {
    if (++count >= answers) gateway.process.kill('SIGKILL')
  }))
  await Promise.all([closed, ...clients])
  const store = await openEmbeddedStore({ path: join(gateway.folder, 'events.db') })
  const events: SallyportRecordedEvent[] = []
  for await (const event of store.readAll()) events.push(event as SallyportRecordedEvent)
  await store.close()
  await rm(gateway.folder, { recursive: true, force: true })
  return { events, acknowledged: gateway.acknowledged }
}

/** What was sent before the kill may still be running. */
async function targetAtRest(): Promise<void> {
  const late = AbortSignal.timeout(10_000)
  for (;;) {
    const [row] = await server.query(`select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`)
    if (row?.['n'] === 0) return
    assert.ok(!late.aborted, 'sessions of a killed gateway go on at the target')
  }
}

describe('a gateway that is killed', () => {
  it(`at ${ROUNDS} moments has a decision for every row that reached the target, and every acknowledged event`, async (t) => {
    const roll = dice(2026)
    let rows = 0
    let acks = 0
    for (let round = 0; round < ROUNDS; round++) {
      const { events, acknowledged } = await killedAfter(1 + roll(60), round + 1, 'write-ahead')
      await targetAtRest()
      assert.deepEqual(await unexplained(server, events), [], `round ${round}`)
      const stored = new Set(events.map(({ id }) => id))
      assert.deepEqual(acknowledged.filter((id) => !stored.has(id)), [], `round ${round}`)
      rows += (await server.query('select from marks')).length
      acks += acknowledged.length
      await server.query('truncate marks')
    }
    t.diagnostic(`${rows} rows, ${acks} acknowledged events`)
    assert.ok(rows > ROUNDS && acks > rows)
  })
})
