import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AccessLog } from '../../core/access-log.ts'
import type { AccessRefused } from '../../core/events/index.ts'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { FaultyStore } from '../fault/gate-faulty-store.ts'
import { collect, FixedClock } from '../fault/gate-world.ts'

const REFUSAL: AccessRefused = { protocol: 'postgresql', address: '10.0.0.7:51234', claimedSubject: 'mallory', target: 'shop', code: 'bad-credentials', message: 'the password is wrong' }

describe('the access log', () => {
  it('records who was not let in, when and why, in the gateway\'s own stream', async () => {
    const store = createMemoryStore()
    const log = new AccessLog(store, new FixedClock(), 'gateway-1')
    await Promise.all([log.refused(REFUSAL), log.refused({ ...REFUSAL, code: 'unknown-target' })])
    const events = await collect(store.read('access-gateway-1'))
    assert.deepEqual(events.map(({ type, data, time, subject, source }) => ({ type, data, time, subject, source })), [REFUSAL, { ...REFUSAL, code: 'unknown-target' }].map((data) => ({
      type: 'access.refused.v1', data, time: '2026-03-04T05:06:07.089Z', subject: '10.0.0.7:51234', source: 'sallyport/gateway-1',
    })))
  })

  it('lets nobody wait for a store that fails, and goes on when it works again', async () => {
    const store = new FaultyStore(createMemoryStore())
    const log = new AccessLog(store, new FixedClock(), 'gateway-1')
    store.down = true
    await log.refused(REFUSAL)
    store.down = false
    await log.refused(REFUSAL)
    assert.equal((await collect(store.read('access-gateway-1'))).length, 1)
  })

  it('keeps no more than ten thousand while the store hangs', async () => {
    const store = new FaultyStore(createMemoryStore())
    const log = new AccessLog(store, new FixedClock(), 'gateway-1')
    const hung = store.failNext(() => true, 'hung')
    const all = Array.from({ length: 10_100 }, () => log.refused(REFUSAL))
    await Promise.all(all.slice(10_000))
    assert.equal(store.appends.length, 10_000)
    hung.release()
    await Promise.all(all)
    await log.refused(REFUSAL)
    assert.equal(store.appends.length, 10_001)
  })
})
