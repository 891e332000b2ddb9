/**
 * What a decision costs with 10, 100 and 1,000 rules: for a repeated statement, a repeated statement under rules that read
 * its values, and a new statement. Run alone: node bench/micro/rules.ts [--json]. Compare the figures with each other; the
 * machine decides the rest. Most rules ask for an action, a target or a table, by which an index finds them; one in eight
 * looks into the text, so every new statement must be put to it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openRuleEngine, type FolderRuleEngine, type RuleInput } from '../../core/rules/index.ts'

const FACTS = [{ namespace: 'sql', defaults: { tables: [], writes: [], unbounded: false } }]

export interface RulesFigures {
  readonly rules: number
  /** Nanoseconds per decision: the median of the rounds. */
  readonly repeatedNs: number
  readonly repeatedWithValuesNs: number
  readonly newStatementNs: number
  readonly loadMs: number
}

/** Measures each size in turn, several times round, so that the noise of the machine falls on all of them. */
export async function benchRules(sizes: readonly number[] = [10, 100, 1_000], rounds = 15): Promise<RulesFigures[]> {
  const engines = await Promise.all(sizes.map((size) => openSized(size)))
  const samples = engines.map(() => ({ repeated: [] as number[], values: [] as number[], fresh: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    engines.forEach(({ plain, reading }, i) => {
      samples[i]?.repeated.push(repeated(plain))
      samples[i]?.values.push(repeated(reading))
      samples[i]?.fresh.push(fresh(plain))
    })
  }
  await Promise.all(engines.flatMap(({ plain, reading }) => [plain.close(), reading.close()]))
  return engines.map(({ loadMs }, i) => ({
    rules: sizes[i] ?? 0,
    repeatedNs: median(samples[i]?.repeated ?? []),
    repeatedWithValuesNs: median(samples[i]?.values ?? []),
    newStatementNs: median(samples[i]?.fresh ?? []),
    loadMs,
  }))
}

async function openSized(size: number): Promise<{ plain: FolderRuleEngine; reading: FolderRuleEngine; loadMs: number }> {
  const began = performance.now()
  const plain = await open(Array.from({ length: size }, (_, i) => ruleBody(i)))
  const loadMs = Math.round(performance.now() - began)
  const reading = await open([...Array.from({ length: size - 1 }, (_, i) => ruleBody(i)), '"secret" in command.values ? { "effect": "block", "reason": "no" }'])
  return { plain, reading, loadMs }
}

async function open(bodies: readonly string[]): Promise<FolderRuleEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-rules-'))
  try {
    await Promise.all(bodies.map((body, i) => writeFile(join(folder, `rule-${String(i).padStart(4, '0')}.jsonata`), `/* Rule ${i}. */\n${body}`)))
    return await openRuleEngine({ folder, default: 'block', facts: FACTS, labels: ['env'], approval: { approvers: ['group:a'], timeoutSeconds: 60 } })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function ruleBody(i: number): string {
  const allow = '{ "effect": "allow", "reason": "reading is allowed" }'
  const block = `{ "effect": "block", "reason": "rule ${i}" }`
  if (i === 0) return `command.action = "read" and command.fidelity = "parsed" ? ${allow}`
  switch (i % 4) {
    case 0: return `command.action in ["drop", "alter"] and "public.t${i}" in command.sql.writes ? ${block}`
    case 1: return `target.name = "target-${i}" and identity.kind = "agent" ? ${block}`
    case 2: return `command.action = "delete" and command.sql.unbounded and "group:g${i}" in identity.groups ? ${block}`
    default: return i % 8 === 3 ? `"public.t${i}" in command.resources.name ? ${block}` : `$contains(command.text, "marker ${i}") ? ${block}`
  }
}

const REPEATS = 20_000
const FRESH = 200

function statement(n: number): RuleInput['command'] {
  const table = `public.orders_${n}`
  const resources = freeze([{ name: table, kind: 'table', access: 'read' as const, columns: ['id', 'total'] }])
  const facts = freeze({ sql: { tables: [table], writes: [], unbounded: false } })
  const text = `SELECT id, total FROM ${table} WHERE id = $1`
  return { protocol: 'postgresql', action: 'read', actions: ['read'], phase: 'execute', text, values: ['1'], valuesComplete: true, resources, fidelity: 'parsed', opaque: '', facts }
}

const identity = freeze({ subject: 'ada', kind: 'person' as const, actor: '', groups: ['engineers'], method: 'scram-sha-256' })
const target = freeze({ name: 'shop', protocol: 'postgresql', database: 'shop', labels: { env: 'production' }, classes: {} })
const session = { id: 's', address: '192.0.2.1', application: 'bench', task: '', tls: true, startedAt: '2026-01-01T00:00:00.000Z', commands: 1, transaction: 'idle' }

/** Every execution is an object of its own with values of its own, as an adapter makes them. */
function repeated(engine: FolderRuleEngine): number {
  const known = statement(0)
  const once = (i: number) => engine.evaluate({ command: { ...known, values: [String(i & 7)] }, identity, target, session: { ...session, commands: i }, now: i })
  expectAllowed(once(0))
  const began = process.hrtime.bigint()
  for (let i = 0; i < REPEATS; i++) void once(i)
  return Number(process.hrtime.bigint() - began) / REPEATS
}

let made = 1

function fresh(engine: FolderRuleEngine): number {
  const statements = Array.from({ length: FRESH }, () => statement(made++))
  const began = process.hrtime.bigint()
  for (const command of statements) expectAllowed(engine.evaluate({ command, identity, target, session, now: 0 }))
  return Number(process.hrtime.bigint() - began) / FRESH
}

function expectAllowed(verdict: ReturnType<FolderRuleEngine['evaluate']>): void {
  if (verdict instanceof Promise || verdict.effect !== 'allow') throw new Error('the benchmark measures the wrong thing: the statement should be allowed at once')
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN)
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = await benchRules()
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(figures)}\n`)
  else console.table(figures)
}
