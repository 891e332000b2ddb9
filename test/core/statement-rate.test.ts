import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatementRate } from '../../core/statement-rate.ts'
import type { Identity } from '../../core/index.ts'

const identity = (subject: string, actor = ''): Identity => ({ subject, kind: 'person', actor, groups: [], method: 'test' })

function rate(): { take: (who: Identity, limit: number) => number | undefined; pass: (seconds: number) => void } {
  let ticks = 0
  const rates = new StatementRate({ now: () => 0, ticks: () => ticks })
  return { take: (who, limit) => rates.take(who, limit), pass: (seconds) => { ticks += seconds * 1000 } }
}

test('so many statements fit into any minute, and what is refused takes no place', () => {
  const { take, pass } = rate()
  const ada = identity('ada')
  assert.equal(take(ada, 2), undefined)
  pass(50)
  assert.equal(take(ada, 2), undefined)
  assert.equal(take(ada, 2), 10)
  pass(9.5)
  assert.equal(take(ada, 2), 1)
  pass(0.5)
  assert.equal(take(ada, 2), undefined)
  assert.equal(take(ada, 2), 50)
})

test('a smaller limit waits until so many have left that it has room', () => {
  const { take, pass } = rate()
  const ada = identity('ada')
  for (let second = 0; second < 5; second++) {
    assert.equal(take(ada, 5), undefined)
    pass(1)
  }
  assert.equal(take(ada, 5), 55)
  assert.equal(take(ada, 1), 59)
})

test('an agent has a minute of its own, apart from whom it acts for', () => {
  const { take } = rate()
  assert.equal(take(identity('ada'), 1), undefined)
  assert.equal(take(identity('ada', 'bot'), 1), undefined)
  assert.equal(take(identity('ada', 'bot'), 1), 60)
})

test('a window stays right, and small, over many statements', () => {
  const { take, pass } = rate()
  const ada = identity('ada')
  for (let round = 0; round < 5000; round++) {
    assert.equal(take(ada, 100), undefined, String(round))
    pass(0.6)
  }
  assert.equal(take(ada, 50), 30)
})

test('ten thousand identities are not remembered for ever', () => {
  const { take, pass } = rate()
  for (let n = 0; n < 10_000; n++) {
    assert.equal(take(identity(`n${n}`), 1), undefined)
    pass(0.1)
  }
  assert.equal(take(identity('n9999'), 1), 60)
  assert.equal(take(identity('n0'), 1), undefined)
})
