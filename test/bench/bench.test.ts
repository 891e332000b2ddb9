import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CONTENDERS } from '../../bench/against/contender.ts'
import { findProgram } from '../../bench/against/programs.ts'
import { proveGuarding } from '../../bench/against/prove-guarding.ts'
import { startTarget } from '../../bench/against/target.ts'
import { readOptions } from '../../bench/options.ts'
import type { BenchReport } from '../../bench/report.ts'
import { RawClient } from '../../bench/system/raw-client.ts'
import { postgresUnavailable } from '../support/postgres-server.ts'

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))
const withoutPgbench = findProgram('pgbench') === undefined ? 'pgbench is not installed' : false
const withoutServer = postgresUnavailable(15) !== undefined && postgresUnavailable(18) !== undefined ? 'no PostgreSQL can be started here' : false
const INSTALLED = CONTENDERS.filter((name) => (name !== 'pgbouncer' && name !== 'haproxy') || findProgram(name) !== undefined)

describe('the options of the benchmark', () => {
  it('are everything by default, and shorter when it must be quick', () => {
    assert.equal(readOptions([]).sections.length, 9)
    assert.deepEqual([readOptions([]).seconds, readOptions(['--quick']).seconds], [5, 1])
    assert.deepEqual(readOptions(['--only', 'rules,select', '--only', 'bulk']).sections, ['select', 'bulk', 'rules'])
  })

  it('are refused with what to write', () => {
    assert.throws(() => readOptions(['--only', 'everything']), /--only everything: write one of select, tpcb/)
    assert.throws(() => readOptions(['--seconds', '0']), /--seconds 0: write a whole number from 1/)
    assert.throws(() => readOptions(['--rounds', 'many']), /--rounds many/)
    assert.throws(() => readOptions(['--fast']), TypeError)
  })
})

describe('a quick run', { skip: withoutPgbench }, () => {
  let folder: string
  let report: BenchReport
  let printed: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-test-'))
    const out = join(folder, 'out.json')
    const args = [MAIN, '--quick', '--only', 'select', '--seconds', '1', '--rounds', '1', '--folder', folder, '--out', out]
    printed = (await promisify(execFile)(process.execPath, args)).stdout
    report = JSON.parse(readFileSync(out, 'utf8')) as BenchReport
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('measures every way to the target that is installed, and says what is not', () => {
    const { select } = report.sections
    assert.equal(report.format, 'sallyport-bench/1')
    assert.ok((select?.cases.length ?? 0) >= 2)
    for (const { results } of select?.cases ?? []) assert.deepEqual(results.map(({ contender }) => contender), INSTALLED)
    assert.deepEqual([...INSTALLED, ...report.skipped.map(({ what }) => what)].toSorted(), [...CONTENDERS].toSorted())
  })

  it('keeps every sample, and ratios of them', () => {
    for (const { results } of report.sections.select?.cases ?? []) {
      for (const { contender, samples, perSecond, latencyMs, ofDirect, cpuMicros } of results) {
        assert.deepEqual(samples, [perSecond])
        assert.ok(perSecond > 0 && (latencyMs ?? 0) > 0 && (ofDirect ?? 0) > 0, contender)
        assert.equal(cpuMicros === undefined, contender === 'direct' || process.platform !== 'linux')
      }
      assert.equal(results[0]?.ofDirect, 1)
    }
  })

  it('recorded what went through each gateway', () => {
    const recorded = report.sections.select?.recorded ?? []
    assert.deepEqual(recorded.map(({ contender }) => contender), ['gateway', 'gateway-relaxed'])
    for (const { storeBytes, transactions } of recorded) assert.ok(transactions > 0 && storeBytes > transactions * 60)
  })

  it('says under what conditions, and how far the goals are', () => {
    const { conditions, goals } = report
    assert.ok(conditions.cores > 0 && conditions.fdatasyncMs > 0)
    assert.equal(conditions.target?.settings['fsync'], 'off')
    const relaxed = goals.find(({ goal }) => goal.startsWith('prepared select, 8 clients, relaxed'))
    assert.equal(relaxed?.measured === undefined, findProgram('pgbouncer') === undefined)
    assert.equal(goals.find(({ goal }) => goal.startsWith('bulk select'))?.measured, undefined)
  })

  it('prints it, and leaves nothing behind', () => {
    for (const name of INSTALLED) assert.match(printed, new RegExp(`^${name} +[\\d,.]+`, 'm'))
    assert.deepEqual(readdirSync(folder), ['out.json'])
  })
})

describe('what is measured against', { skip: withoutServer }, () => {
  it('is not taken for a gateway when nothing guards it', async () => {
    await using target = await startTarget({ rows: 5, scale: 0, pgbench: undefined })
    await assert.rejects(proveGuarding(target.endpoint, target.endpoint), /should refuse DROP TABLE with 42501, but it answered 42P01/)
  })

  it('is read by a client that counts rows and keeps errors', async () => {
    await using target = await startTarget({ rows: 500, scale: 0, pgbench: undefined })
    const client = await RawClient.connect(target.endpoint)
    assert.equal((await client.read('SELECT * FROM public.parcels')).rows, 500)
    assert.equal((await client.read('COPY (SELECT * FROM public.people) TO STDOUT')).rows, 500)
    await assert.rejects(client.read('SELECT * FROM public.no_such_table'), /relation "public.no_such_table" does not exist/)
    assert.equal((await client.read('SELECT 1')).rows, 1)
    await client.close()
  })
})
