import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CommitSignal } from '../../../core/store/commit-signal.ts'

describe('commit signal', () => {
  it('does not wait for a commit that came between a look and the wait', async () => {
    const commits = new CommitSignal()
    const seen = commits.version
    commits.raise()
    await commits.past(seen)
  })

  it('wakes everybody who waits, once, and lets a waiter leave', async () => {
    const commits = new CommitSignal()
    const leaving = new AbortController()
    let woken = 0
    const waits = [undefined, undefined, leaving.signal].map((signal) => commits.past(commits.version, signal).then(() => woken++))
    leaving.abort()
    await waits[2]
    assert.equal(woken, 1)
    commits.raise()
    await Promise.all(waits)
    assert.equal(woken, 3)
    await commits.past(commits.version, AbortSignal.abort())
  })
})
