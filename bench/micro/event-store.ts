/**
 * What an append costs: so many streams, each waiting for its own commit before it appends again. Prints a table, and
 * JSON with `--json`.
 *
 *     node bench/micro/event-store.ts [--seconds 2] [--folder DIR] [--streams 1,32] [--json]
 *
 * - `append`: `pair` is a command and its decision, about 1 KB; `statement` is what a gateway appends for each repeated
 *   SELECT, about 2.5 KB: outcome and recording of the statement before, command and decision of this one.
 * - `commitsPerSecond` counts the turns of the event loop in which answers came: one transaction each, rarely two.
 * - `busy`: share of the time in which the calling thread did something.
 * - `mainMicros`, `writerMicros`: CPU time per append of the calling thread (without what it takes to make the events)
 *   and of the writer's. On a busy machine these say more than the rates.
 * - `jsonBytes`, `fileBytes`: of one append as JSON, and as the closed file has it. `writtenBytes`: what the process had
 *   the disk write, the write-ahead log included; 0 where the system does not count it.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Worker } from 'node:worker_threads'
import type { NewEvent } from '../../core/events/index.ts'
import { eventIds } from '../../core/ids.ts'
import type { EventStore, ExpectedRevision } from '../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../core/store/drivers/embedded/index.ts'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'

/** Block operations in `process.resourceUsage()`: getrusage(2) counts in units of 512 bytes. */
const BLOCK_BYTES = 512
const WARM_UP_MS = 300

type Append = 'pair' | 'statement'
/** The events of a session's `number`th append. */
type Maker = (session: string, number: number) => NewEvent[]

interface Measured {
  readonly store: string
  readonly append: Append
  readonly streams: number
  readonly appendsPerSecond: number
  readonly commitsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: number
  readonly mainMicros: number
  readonly writerMicros: number
  readonly jsonBytes: number
  readonly fileBytes: number
  readonly writtenBytes: number
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
    streams: { type: 'string', default: '1,8,32,128' },
    json: { type: 'boolean', default: false },
  },
})

let writer: Worker | undefined
process.on('worker', (worker) => (writer = worker))

async function inNewStore(kind: 'memory' | 'embedded', append: Append, streams: number): Promise<Measured> {
  const path = join(folder, `${append}-${streams}.db`)
  const store = kind === 'memory' ? createMemoryStore() : await openEmbeddedStore({ path })
  if (kind === 'memory') writer = undefined
  const warmUp = await load(store, append, streams, WARM_UP_MS)
  const { appends, ...measured } = await load(store, append, streams, Number(options.seconds) * 1000)
  await store.close()
  const fileBytes = kind === 'memory' ? 0 : statSync(path).size / (appends + warmUp.appends)
  return { store: kind, append, streams, ...measured, jsonBytes: jsonBytes(append), fileBytes: Math.round(fileBytes) }
}

type Load = Omit<Measured, 'store' | 'append' | 'streams' | 'jsonBytes' | 'fileBytes'> & { appends: number }

async function load(store: EventStore, append: Append, streams: number, forMs: number): Promise<Load> {
  const waits: number[] = []
  let commits = 0
  let turn = -1
  const makingMicros = costOfMaking(append)
  const before = await spent()
  const begin = performance.now()
  const busy = performance.eventLoopUtilization()
  await Promise.all(
    Array.from({ length: streams }, async () => {
      const session = randomUUID()
      let expected: ExpectedRevision = 'no_stream'
      for (let number = 0; performance.now() - begin < forMs; number++) {
        const events = MAKERS[append](session, number)
        const asked = performance.now()
        const { revision } = await store.append(`session-${session}`, events, expected)
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
  const after = await spent()
  waits.sort((a, b) => a - b)
  return {
    appends: waits.length,
    appendsPerSecond: Math.round(waits.length / seconds),
    commitsPerSecond: Math.round(commits / seconds),
    p50Ms: round(waits[Math.floor(waits.length * 0.5)]),
    p99Ms: round(waits[Math.floor(waits.length * 0.99)]),
    busy: round(performance.eventLoopUtilization(busy).utilization),
    mainMicros: round((after.main - before.main) / waits.length - makingMicros),
    writerMicros: round((after.writer - before.writer) / waits.length),
    writtenBytes: Math.round((after.written - before.written) / waits.length),
  }
}

async function spent(): Promise<{ main: number; writer: number; written: number }> {
  const thread = await writer?.cpuUsage()
  return {
    main: threadMicros(),
    writer: thread === undefined ? 0 : thread.user + thread.system,
    written: process.resourceUsage().fsWrite * BLOCK_BYTES,
  }
}

function threadMicros(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** CPU time of this thread to make the events of one append. */
function costOfMaking(append: Append): number {
  const times = 4000
  const session = randomUUID()
  const begin = threadMicros()
  for (let i = 0; i < times; i++) MAKERS[append](session, i)
  return (threadMicros() - begin) / times
}

function jsonBytes(append: Append): number {
  return Buffer.byteLength(JSON.stringify(MAKERS[append](randomUUID(), 1000)))
}

function round(value = Number.NaN): number {
  return Math.round(value * 1000) / 1000
}

const MAKERS: Readonly<Record<Append, Maker>> = {
  pair: (session, number) => commandAndDecision(session, number, 2 * number),
  statement: (session, number) => {
    const first = 4 * number
    const id = eventIds(session)
    return [...outcomeAndRecording(session, id(first - 2), first), ...commandAndDecision(session, number, first + 2)]
  },
}

function envelope(session: string, revision: number) {
  const time = new Date().toISOString()
  return { id: eventIds(session)(revision), source: 'sallyport/gateway-1', type: '', subject: session, time, correlationid: session }
}

function commandAndDecision(session: string, number: number, revision: number): NewEvent[] {
  const command = envelope(session, revision)
  const values = [String((number * 48_271) % 100_000)]
  return [
    { ...command, type: 'command.received.v1', subject: command.id, data: { session, number, command: { ...COMMAND, values } } },
    { ...envelope(session, revision + 1), causationid: command.id, type: 'decision.made.v1', subject: command.id, data: { session, command: command.id, verdict: VERDICT } },
  ]
}

function outcomeAndRecording(session: string, command: string, revision: number): NewEvent[] {
  const about = { subject: command, causationid: command }
  const outcome = { status: 'completed', rows: 1, bytes: 77, durationMs: 0.2 + (revision % 97) / 331, tag: 'SELECT 1' }
  const recording = { encoding: 'postgresql/backend', chunks: [{ at: outcome.durationMs, data: responseTo(revision) }], bytes: 77 }
  return [
    { ...envelope(session, revision), ...about, type: 'outcome.recorded.v1', data: { session, command, outcome } },
    { ...envelope(session, revision + 1), ...about, type: 'recording.captured.v1', data: { session, command, recording } },
  ]
}

/** BindComplete, DataRow, CommandComplete and ReadyForQuery, in base64. */
function responseTo(number: number): string {
  const row = String((number * 16_807) % 100_000).padStart(6, '0')
  return Buffer.from(`2\0\0\0\u0004D\0\0\0\u0010\0\u0001\0\0\0\u0006${row}C\0\0\0\rSELECT 1\0Z\0\0\0\u0005I`, 'latin1').toString('base64')
}

const TABLE = 'public.pgbench_accounts'
const COMMAND = {
  protocol: 'postgresql',
  action: 'select',
  actions: ['select'],
  phase: 'execute',
  text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1',
  valuesComplete: true,
  resources: [{ name: TABLE, kind: 'table', access: 'read', columns: ['abalance', 'aid'] }],
  fidelity: 'parsed',
  opaque: '',
  facts: {
    sql: {
      statements: 1, tables: [TABLE], reads: [TABLE], writes: [], columns: [`${TABLE}.abalance`, `${TABLE}.aid`], functions: [], unbounded: false,
      returning: false, settings: [], roles: [], programs: false, files: false, databaseWide: false, catalogOnly: false,
    },
  },
}
const VERDICT = {
  effect: 'allow',
  by: 'rules',
  reason: 'reading is allowed',
  votes: [{ rule: 'allow-reads', effect: 'allow', reason: 'reading is allowed' }],
  obligations: { masks: [] },
  ruleset: `sha256:${'0a5c93e1'.repeat(8)}`,
}

const folder = mkdtempSync(join(options.folder, 'sallyport-bench-'))
// A store that has nothing to do does not keep the process alive, also not while its thread is asked for its time.
const awake = setInterval(() => undefined, 1000)
try {
  const measured: Measured[] = []
  const streams = options.streams.split(',').map(Number)
  for (const count of streams) measured.push(await inNewStore('memory', 'pair', count))
  for (const append of ['pair', 'statement'] as const) {
    for (const count of streams) measured.push(await inNewStore('embedded', append, count))
  }
  if (options.json) console.log(JSON.stringify(measured, null, 2))
  else console.table(measured)
} finally {
  clearInterval(awake)
  rmSync(folder, { recursive: true })
}
