import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare, WARM_UP, type Runner } from '../../bench/system/compare.ts'
import { cpuSeconds, residentBytes } from '../../bench/system/cpu-time.ts'
import { parseReport } from '../../bench/system/pgbench.ts'
import { median, pairedRatio } from '../../bench/system/statistics.ts'

function runner(label: string, speeds: readonly number[], calls: string[] = []): Runner {
  const run = async (round: number): Promise<{ perSecond: number; count: number }> => {
    calls.push(`${label}${round}`)
    return { perSecond: speeds[round] ?? 0, count: 1 }
  }
  return { label, pid: undefined, run }
}

describe('comparing contenders', () => {
  it('takes turns, each round beginning with another one, after a round that does not count', async () => {
    const calls: string[] = []
    const runners = ['a', 'b', 'c'].map((label) => runner(label, [1, 1, 1], calls))
    const { results } = await compare('turns', 'transactions', runners, 3, (each) => each.run(WARM_UP))
    assert.deepEqual(calls, ['a-1', 'b-1', 'c-1', 'a0', 'b0', 'c0', 'b1', 'c1', 'a1', 'c2', 'a2', 'b2'])
    assert.deepEqual(results.map(({ contender, samples }) => [contender, samples]), [['a', [1, 1, 1]], ['b', [1, 1, 1]], ['c', [1, 1, 1]]])
  })

  it('takes the ratio within each round, so that a slow round of everybody changes nothing', async () => {
    const runners = [runner('pgbouncer', [100, 10, 100]), runner('gateway', [80, 8, 70])]
    const { results } = await compare('ratios', 'transactions', runners, 3, async () => {})
    const gateway = results.find(({ contender }) => contender === 'gateway')
    assert.equal(gateway?.ofPgbouncer, 0.8)
    assert.equal(gateway?.perSecond, 70)
    assert.equal(gateway?.ofDirect, undefined)
  })

  it('takes the mean of the two in the middle', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(median([3, 1, 2]), 2)
    assert.ok(Number.isNaN(median([])))
    assert.equal(pairedRatio([1], undefined), undefined)
  })
})

describe('what the kernel says of a process', { skip: process.platform === 'linux' ? false : 'there is no /proc here' }, () => {
  it('is the CPU time and the memory that the process itself sees', () => {
    const own = process.cpuUsage()
    const seen = cpuSeconds(process.pid) ?? Number.NaN
    assert.ok(Math.abs(seen - (own.user + own.system) / 1e6) < 0.5, `${seen} s`)
    const rss = residentBytes(process.pid) ?? Number.NaN
    assert.ok(rss > process.memoryUsage.rss() / 2 && rss < process.memoryUsage.rss() * 2, `${rss} bytes`)
  })

  it('is nothing for a process that is gone', () => {
    assert.equal(cpuSeconds(undefined), undefined)
    assert.equal(cpuSeconds(2 ** 30), undefined)
  })
})

const REPORT = `transaction type: <builtin: select only>
number of transactions actually processed: 65016
number of failed transactions: 0 (0.000%)
latency average = 0.123 ms
initial connection time = 4.222 ms
tps = 65019.5 (without initial connection time)
`

describe('what pgbench prints', () => {
  it('is read', () => {
    assert.deepEqual(parseReport(REPORT), { count: 65016, perSecond: 65019.5, latencyMs: 0.123 })
  })

  it('is refused when transactions failed, when none was made, and when it is something else', () => {
    assert.throws(() => parseReport(REPORT.replace('failed transactions: 0', 'failed transactions: 3')), /3 transactions failed/)
    assert.throws(() => parseReport(REPORT.replace('65016', '0')), /no transaction was made/)
    assert.throws(() => parseReport('pgbench: command not found'), /something else than expected/)
  })
})
