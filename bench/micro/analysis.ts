/**
 * What understanding a statement costs: new texts by length, the parts of that, a repeated text, and what a process holds
 * after many distinct ones.
 *
 *     node bench/micro/analysis.ts [--json] [--statements 1000000]
 *
 * The catalogue is made up: 300 tables of 12 columns. Every round analyses texts that were never seen before.
 */
import { parseArgs } from 'node:util'
import { RecentCache } from '../../adapters/postgresql/recent-cache.ts'
import { analyse, Catalogue, loadSqlParser, type Analysis } from '../../adapters/postgresql/sql/index.ts'
import { parse } from '../../adapters/postgresql/sql/load.ts'
import { wasmParse } from '../../adapters/postgresql/sql/wasm-parser.ts'

export interface AnalysisFigures {
  readonly text: string
  readonly characters: number
  /** PostgreSQL's grammar alone, its tree as an object, and all of the analysis. */
  readonly grammarMicros: number
  readonly treeMicros: number
  readonly newMicros: number
  readonly repeatedMicros: number
}

export interface MemoryFigures {
  readonly statements: number
  /** Resident memory when a tenth was analysed, and at the end. */
  readonly earlyMiB: number
  readonly lateMiB: number
}

export interface AnalysisReport {
  readonly texts: readonly AnalysisFigures[]
  readonly memory: MemoryFigures
}

const ROUNDS = 5
const ROUND_MS = 200

function columns(): string {
  return JSON.stringify(['id', 'name', 'email', 'person', 'total', 'note', 'status', 'created', 'updated', 'kind', 'size', 'k'].map((name, at) => [name, at + 1, 25, at === 0]))
}

function catalogue(): Catalogue {
  const relations = Array.from({ length: 300 }, (_, at) => [`${16384 + at}`, 'public', `t${at}`, 'r', 'p', 'false', 'false', columns(), null])
  return new Catalogue({ serverMajor: 18, stamp: '', edges: [], functions: [], definitions: [], followers: [], relations })
}

const TEXTS: Readonly<Record<string, (n: number) => string>> = {
  short: (n) => `SELECT name FROM t7 WHERE k = ${n}`,
  'short write': (n) => `UPDATE t7 SET note = 'x' WHERE k = ${n}`,
  '300 characters': (n) => `SELECT o.id, o.total, p.name, p.email, count(*) AS n, sum(o.total) FILTER (WHERE o.status = 'paid') AS paid FROM t1 o JOIN t2 p ON p.id = o.person
    LEFT JOIN t3 l ON l.id = o.id WHERE o.created > now() - interval '7 days' AND p.kind = ${n} GROUP BY o.id, o.total, p.name, p.email ORDER BY n DESC LIMIT 50`,
  '14 kB': (n) => `SELECT * FROM (${Array.from({ length: 90 }, (_, at) => `SELECT t${at}.id, lower(t${at}.name) AS name, t${at}.total * ${n} AS total FROM t${at} WHERE t${at}.status = 'open' AND t${at}.kind IN (1, 2, 3) AND t${at}.size > ${n}`).join('\nUNION ALL\n')}) u`,
}

/** Microseconds of one call; the best of the rounds, for what disturbs one only makes it slower. */
function micros(work: (n: number) => unknown): number {
  let best = Number.POSITIVE_INFINITY
  let n = 0
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now()
    let calls = 0, elapsed = 0
    for (; elapsed < ROUND_MS; elapsed = performance.now() - begin, calls++) work(n++)
    best = Math.min(best, (elapsed * 1000) / calls)
  }
  return Math.round(best * 100) / 100
}

function measure(resolver: Catalogue): AnalysisFigures[] {
  const context = { resolver, searchPath: ['public'], standardStrings: true }
  return Object.entries(TEXTS).map(([text, make]) => {
    const known = new RecentCache<Analysis>(20_000, 16 * 1024 * 1024)
    known.set(make(1), analyse(make(1), context), 100)
    return {
      text, characters: make(1).length,
      grammarMicros: micros((n) => wasmParse(make(n))), treeMicros: micros((n) => parse(make(n))), newMicros: micros((n) => analyse(make(n), context)),
      repeatedMicros: micros(() => known.get(make(1))),
    }
  })
}

/** Distinct statements, remembered as the gateway remembers them. */
function memory(statements: number, resolver: Catalogue): MemoryFigures {
  const known = new RecentCache<Analysis>(20_000, 16 * 1024 * 1024)
  const makers = [TEXTS['short'], TEXTS['short write'], TEXTS['300 characters']].filter((make) => make !== undefined)
  let early = 0
  for (let n = 0; n < statements; n++) {
    const text = makers[n % makers.length]?.(n) ?? ''
    known.set(text, analyse(text, { resolver, searchPath: ['public'], standardStrings: true }), text.length * 2)
    if (n === Math.floor(statements / 10)) early = process.memoryUsage.rss()
  }
  return { statements, earlyMiB: Math.round(early / 2 ** 20), lateMiB: Math.round(process.memoryUsage.rss() / 2 ** 20) }
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, statements: { type: 'string', default: '100000' } } })
await loadSqlParser()
const resolver = catalogue()
const figures: AnalysisReport = { texts: measure(resolver), memory: memory(Number(values.statements), resolver) }
if (values.json) console.log(JSON.stringify(figures))
else {
  console.table(figures.texts)
  console.table([figures.memory])
}
