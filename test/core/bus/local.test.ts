import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createLocalBus } from '../../../core/bus/drivers/local/index.ts'

describe('the local bus', () => {
  it('leaves room for I/O while two handlers answer each other for ever', async () => {
    const bus = createLocalBus({ onError: () => {} })
    bus.subscribe('ping', () => bus.publish('pong', 0))
    bus.subscribe('pong', () => bus.publish('ping', 0))
    bus.publish('ping', 0)
    assert.ok((await readFile(import.meta.filename)).length > 0)
    await bus.close()
  })

  it('takes turns in a queue group', async () => {
    const bus = createLocalBus()
    const seen: string[] = []
    for (const name of ['a', 'b', 'c']) bus.subscribe('job', () => void seen.push(name), { queue: 'q' })
    for (let number = 0; number < 6; number++) bus.publish('job', number)
    await bus.close()
    assert.deepEqual(seen, ['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('hands a job to another member when the one whose turn it is has left since', async () => {
    const bus = createLocalBus()
    const seen: string[] = []
    const leaving = bus.subscribe('job', () => void seen.push('left'), { queue: 'q' })
    bus.subscribe('job', () => void seen.push('stayed'), { queue: 'q' })
    bus.publish('job', 1)
    leaving.unsubscribe()
    await bus.close()
    assert.deepEqual(seen, ['stayed'])
  })

  it('warns of a handler that throws when nobody asked to be told', async () => {
    const warned = Promise.withResolvers<Error>()
    process.once('warning', warned.resolve)
    const bus = createLocalBus()
    bus.subscribe('x', () => {
      throw new Error('the handler failed')
    })
    bus.publish('x', 1)
    assert.equal((await warned.promise).message, 'the handler failed')
    await bus.close()
  })

  it('does not remember subjects without bound', async () => {
    const bus = createLocalBus()
    let received = 0
    bus.subscribe('many.*', () => void received++)
    for (let number = 0; number < 5000; number++) bus.publish(`many.${number}`, number)
    await bus.close()
    assert.equal(received, 5000)
  })
})
