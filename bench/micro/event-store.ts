/**
 * Appends per second and time to acknowledgement of the embedded store: so many streams, each waiting for its own
 * commit before it appends again, two events of about 500 bytes each. Prints a table, and JSON with `--json`.
 *
 *     node bench/micro/event-store.ts [--seconds 2] [--folder DIR] [--json]
 *
 * `commitsPerSecond` counts the turns of the event loop in which answers came: one transaction each, rarely two. `busy` is the share of the time
 * in which the calling thread did something.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { NewEvent } from '../../core/events/index.ts'
import type { EventStore, ExpectedRevision } from '../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../core/store/drivers/embedded/index.ts'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'

const STREAMS = [1, 8, 32, 128]

interface Measured {
  readonly store: string
  readonly streams: number
  readonly appendsPerSecond: number
  readonly commitsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: number
}

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, folder: { type: 'string', default: tmpdir() }, json: { type: 'boolean', default: false } },
})
async function inNewStore(kind: 'memory' | 'embedded', streams: number): Promise<Measured> {
  const store = kind === 'memory' ? createMemoryStore() : await openEmbeddedStore({ path: join(folder, `${streams}.db`) })
  await measure(store, kind, streams, 200)
  const measured = await measure(store, kind, streams, Number(options.seconds) * 1000)
  await store.close()
  return measured
}

async function measure(store: EventStore, kind: string, streams: number, forMs: number): Promise<Measured> {
  const waits: number[] = []
  let commits = 0
  let turn = -1
  const begin = performance.now()
  const load = performance.eventLoopUtilization()
  await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = `session-${randomUUID()}`
      for (let expected: ExpectedRevision = 'no_stream'; performance.now() - begin < forMs; ) {
        const events = commandAndDecision(stream)
        const asked = performance.now()
        const { revision } = await store.append(stream, events, expected)
        waits.push(performance.now() - asked)
        expected = revision
        if (turn !== commits) {
          turn = commits
          setImmediate(() => commits++)
        }
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1000
  waits.sort((a, b) => a - b)
  return {
    store: kind,
    streams,
    appendsPerSecond: Math.round(waits.length / seconds),
    commitsPerSecond: Math.round(commits / seconds),
    p50Ms: round(waits[Math.floor(waits.length * 0.5)]),
    p99Ms: round(waits[Math.floor(waits.length * 0.99)]),
    busy: round(performance.eventLoopUtilization(load).utilization),
  }
}

function round(value = Number.NaN): number {
  return Math.round(value * 1000) / 1000
}

/** The pair that the gate appends for one statement. */
function commandAndDecision(session: string): NewEvent[] {
  const envelope = { source: 'sallyport/bench', subject: session, time: new Date().toISOString(), correlationid: session }
  const id = randomUUID()
  return [
    { ...envelope, id, type: 'command.received.v1', data: { session, number: 1, command: COMMAND } },
    { ...envelope, id: randomUUID(), causationid: id, type: 'decision.made.v1', data: { session, command: id, verdict: VERDICT } },
  ]
}

const COMMAND = {
  protocol: 'postgresql',
  action: 'select',
  actions: ['select'],
  phase: 'execute',
  text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1',
  values: ['48151623'],
  valuesComplete: true,
  resources: [{ name: 'public.pgbench_accounts', kind: 'table', access: 'read', columns: ['aid', 'abalance'] }],
  fidelity: 'parsed',
  opaque: '',
  facts: { sql: { statements: 1 } },
}
const VERDICT = {
  effect: 'allow',
  by: 'rules',
  reason: 'reading is allowed',
  votes: [{ rule: 'allow-reads', effect: 'allow', reason: 'reading is allowed' }],
  obligations: { masks: [] },
  ruleset: `sha256:${'0'.repeat(64)}`,
}

const folder = mkdtempSync(join(options.folder, 'sallyport-bench-'))
try {
  const measured: Measured[] = []
  for (const streams of STREAMS) measured.push(await inNewStore('memory', streams))
  for (const streams of STREAMS) measured.push(await inNewStore('embedded', streams))
  if (options.json) console.log(JSON.stringify(measured, null, 2))
  else console.table(measured)
} finally {
  rmSync(folder, { recursive: true })
}
