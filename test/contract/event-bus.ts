/** What every EventBus driver must do; run by one test file per driver. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { BusMessage, EventBus } from '../../core/bus/event-bus.ts'

/** Two ends of one bus. In a driver that stays in its process they may be the same object. */
export interface BusPair {
  readonly near: EventBus
  readonly far: EventBus
  close(): Promise<void>
}

export interface BusDriver {
  readonly name: string
  /** Why the driver cannot be tested here; printed. */
  readonly skip?: string | undefined
  /** `onError` must be told of what handlers throw. */
  open(onError: (error: unknown) => void): Promise<BusPair>
  /** The largest JSON text, in bytes, that `open`'s bus takes. */
  readonly maxPayloadBytes: number
}

/** pattern, subject, whether it is delivered. */
const WILDCARDS: readonly (readonly [string, string, boolean])[] = [
  ['a', 'a', true],
  ['a', 'b', false],
  ['a', 'a.b', false],
  ['a.b', 'a.b', true],
  ['a.b', 'a', false],
  ['a.b', 'a.B', false],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['*.b', 'a.b', true],
  ['*.b', 'a.c', false],
  ['a.*.c', 'a.b.c', true],
  ['a.*.c', 'a.c', false],
  ['a.*.*', 'a.b.c', true],
  ['>', 'a', true],
  ['>', 'a.b.c', true],
  ['a.>', 'a.b', true],
  ['a.>', 'a.b.c.d', true],
  ['a.>', 'a', false],
  ['a.>', 'b.a', false],
  ['*.*.>', 'a.b.c', true],
  ['*.*.>', 'a.b', false],
  ['ä.*', 'ä.ö', true],
]

const BAD_SUBJECTS = ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\r\nPUB x 0', 'a\tb', 'a\0', 'x'.repeat(10_000)]
const BAD_PATTERNS = [...BAD_SUBJECTS, 'a.>.b', '>.a', 'a*', 'a.b>', '**']

export function eventBusContract(driver: BusDriver): void {
  describe(`${driver.name} as an EventBus`, { skip: driver.skip ?? false }, () => {
    let pair: BusPair
    let near: EventBus
    let far: EventBus
    let errors: unknown[]

    beforeEach(async () => {
      errors = []
      pair = await driver.open((error) => errors.push(error))
      ;({ near, far } = pair)
    })
    afterEach(() => pair.close())

    /** Everything that arrives at the far end under a pattern. */
    const collect = (pattern: string, queue?: string): BusMessage[] => {
      const seen: BusMessage[] = []
      far.subscribe(pattern, (message) => void seen.push(message), queue === undefined ? {} : { queue })
      return seen
    }
    /** Resolves when everything published before at the near end has been delivered at the far one. */
    const settle = async (): Promise<void> => {
      const done = Promise.withResolvers<void>()
      const subscription = far.subscribe('settle.now', () => done.resolve())
      await far.ready()
      near.publish('settle.now', 0)
      await done.promise
      subscription.unsubscribe()
    }

    it('delivers by subject, with * for one token and a last > for one or more', async () => {
      const seen = WILDCARDS.map(([pattern]) => collect(pattern))
      await far.ready()
      for (const [index, [, subject]] of WILDCARDS.entries()) near.publish(subject, index)
      await settle()
      for (const [index, [pattern, subject, expected]] of WILDCARDS.entries()) {
        const delivered = seen[index]?.some((message) => message.data === index && message.subject === subject)
        assert.equal(delivered, expected, `${pattern} ← ${subject}`)
      }
    })

    it('carries JSON of every kind unchanged', async () => {
      const values = [null, true, 0, -1.5, 'ünïcode \u{1f512} \0 "quotes"', [1, [2]], { a: { b: [null] } }, {}, []]
      const seen = collect('json')
      await far.ready()
      for (const value of values) near.publish('json', value)
      await settle()
      assert.deepEqual(seen.map((message) => message.data), values)
    })

    it('gives each subscriber a copy: what one changes, no other sees', async () => {
      const data = { list: [1] }
      far.subscribe('copy', (message) => (message.data as typeof data).list.push(2))
      const seen = collect('copy')
      await far.ready()
      near.publish('copy', data)
      data.list.push(3)
      await settle()
      assert.deepEqual(seen[0]?.data, { list: [1] })
    })

    it('keeps the order of one publisher', async () => {
      const seen = collect('order')
      await far.ready()
      for (let number = 0; number < 500; number++) near.publish('order', number)
      await settle()
      assert.deepEqual(seen.map((message) => message.data), Array.from({ length: 500 }, (_, number) => number))
    })

    it('never runs a subscriber inside publish', async () => {
      let inside = false
      const overlaps: boolean[] = []
      far.subscribe('reenter', () => void overlaps.push(inside))
      await far.ready()
      inside = true
      near.publish('reenter', 1)
      inside = false
      await settle()
      assert.deepEqual(overlaps, [false])
    })

    it('does not deliver to those who subscribe after the message', async () => {
      near.publish('late', 1)
      await settle()
      const seen = collect('late')
      await settle()
      assert.equal(seen.length, 0)
    })

    it('delivers to every plain subscriber and to one member of each queue group', async () => {
      const plain = [collect('work.*'), collect('work.>')]
      const red = [collect('work.*', 'red'), collect('work.*', 'red'), collect('work.>', 'red')]
      const blue = [collect('work.*', 'blue')]
      await far.ready()
      for (let number = 0; number < 60; number++) near.publish('work.item', number)
      await settle()
      assert.deepEqual(plain.map((seen) => seen.length), [60, 60])
      assert.deepEqual(blue.map((seen) => seen.length), [60])
      const numbers = red.flat().map((message) => message.data).toSorted((a, b) => Number(a) - Number(b))
      assert.deepEqual(numbers, Array.from({ length: 60 }, (_, number) => number))
      assert.ok(red.every((seen) => seen.length > 0), `each member gets a share: ${red.map((seen) => seen.length).join()}`)
    })

    it('goes on with the other members when one leaves a queue group', async () => {
      const left: BusMessage[] = []
      const leaving = far.subscribe('shift', (message) => void left.push(message), { queue: 'q' })
      const staying = collect('shift', 'q')
      await far.ready()
      leaving.unsubscribe()
      await far.ready()
      for (let number = 0; number < 20; number++) near.publish('shift', number)
      await settle()
      assert.equal(left.length, 0)
      assert.equal(staying.length, 20)
    })

    it('delivers nothing after unsubscribe, which can be called twice', async () => {
      const seen: BusMessage[] = []
      const subscription = far.subscribe('gone', (message) => void seen.push(message))
      await far.ready()
      near.publish('gone', 1)
      await settle()
      subscription.unsubscribe()
      subscription.unsubscribe()
      await far.ready()
      near.publish('gone', 2)
      await settle()
      assert.deepEqual(seen.map((message) => message.data), [1])
    })

    it('lets a handler unsubscribe itself, and then gives it nothing more', async () => {
      const seen: unknown[] = []
      const subscription = far.subscribe('once', (message) => {
        seen.push(message.data)
        subscription.unsubscribe()
      })
      await far.ready()
      near.publish('once', 1)
      near.publish('once', 2)
      await settle()
      assert.deepEqual(seen, [1])
    })

    it('answers a request, also with falsy values and also late', async () => {
      far.subscribe('echo', (message) => setImmediate(() => message.respond(message.data)))
      await far.ready()
      for (const value of [{ a: 1 }, null, 0, '', false]) {
        assert.deepEqual(await near.request('echo', value, { timeoutMs: 5000 }), value)
      }
    })

    it('keeps the answers of many requests apart', async () => {
      far.subscribe('double', (message) => message.respond(Number(message.data) * 2))
      await far.ready()
      const answers = await Promise.all(Array.from({ length: 100 }, (_, number) => near.request('double', number, { timeoutMs: 5000 })))
      assert.deepEqual(answers, Array.from({ length: 100 }, (_, number) => number * 2))
    })

    it('takes the first of several answers', async () => {
      far.subscribe('twice', (message) => {
        message.respond('first')
        message.respond('second')
      })
      await far.ready()
      assert.equal(await near.request('twice', 0, { timeoutMs: 5000 }), 'first')
      await settle()
    })

    it('lets exactly one member of a queue group answer', async () => {
      let asked = 0
      for (const member of ['a', 'b', 'c']) {
        far.subscribe('one', (message) => message.respond(`${member}${++asked}`), { queue: 'members' })
      }
      await far.ready()
      await near.request('one', 0, { timeoutMs: 5000 })
      await settle()
      assert.equal(asked, 1)
    })

    it('rejects with BUS_TIMEOUT when nobody answers in time, and drops the answer that comes after', async () => {
      let answer = (): void => {}
      far.subscribe('slow', (message) => void (answer = () => message.respond('too late')))
      await far.ready()
      await assert.rejects(near.request('slow', 0, { timeoutMs: 30 }), { code: 'BUS_TIMEOUT', message: /"slow" within 30 ms/ })
      answer()
      await settle()
      assert.deepEqual(errors, [])
    })

    it('rejects with BUS_TIMEOUT at once when nobody subscribes', async () => {
      await assert.rejects(near.request('nobody.there', 0, { timeoutMs: 2 ** 31 }), { code: 'BUS_TIMEOUT', message: /nobody answers on "nobody.there"/ })
    })

    it('ends a request when its signal aborts, and sends none when it has aborted before', async () => {
      const abort = new AbortController()
      const seen = collect('abort')
      await far.ready()
      const request = near.request('abort', 0, { timeoutMs: 60_000, signal: abort.signal })
      await settle()
      abort.abort(new Error('changed my mind'))
      await assert.rejects(request, /changed my mind/)
      await assert.rejects(near.request('abort', 1, { timeoutMs: 60_000, signal: abort.signal }), /changed my mind/)
      await settle()
      assert.deepEqual(seen.map((message) => message.data), [0])
    })

    it('ignores an answer to a message that nobody asked for', async () => {
      far.subscribe('plain', (message) => message.respond('unasked'))
      await far.ready()
      near.publish('plain', 1)
      await settle()
      assert.deepEqual(errors, [])
    })

    it('reports what a handler throws, at once or later, and disturbs nobody else', async () => {
      far.subscribe('throws', () => {
        throw new Error('at once')
      })
      far.subscribe('throws', async () => {
        throw new Error('in a promise')
      })
      const seen = collect('throws')
      await far.ready()
      near.publish('throws', 1)
      near.publish('throws', 2)
      await settle()
      assert.deepEqual(seen.map((message) => message.data), [1, 2])
      assert.deepEqual(errors.map((error) => (error as Error).message).toSorted(), ['at once', 'at once', 'in a promise', 'in a promise'])
    })

    it('times out the request whose handler throws', async () => {
      far.subscribe('fails', () => {
        throw new Error('no answer from me')
      })
      await far.ready()
      await assert.rejects(near.request('fails', 0, { timeoutMs: 30 }), { code: 'BUS_TIMEOUT' })
      assert.equal(errors.length, 1)
    })

    it('reports an answer that cannot be sent, without throwing into the handler', async () => {
      let threw = false
      far.subscribe('bad.answer', (message) => {
        try {
          message.respond(1n)
        } catch {
          threw = true
        }
      })
      await far.ready()
      await assert.rejects(near.request('bad.answer', 0, { timeoutMs: 30 }), { code: 'BUS_TIMEOUT' })
      assert.equal(threw, false)
      assert.equal((errors[0] as { code?: string }).code, 'BUS_REFUSED')
    })

    it('refuses subjects, patterns and queue names that are none', async () => {
      for (const subject of [...BAD_SUBJECTS, '*', 'a.*', '>']) {
        assert.throws(() => near.publish(subject, 1), { code: 'BUS_REFUSED' }, JSON.stringify(subject.slice(0, 20)))
        await assert.rejects(near.request(subject, 1, { timeoutMs: 100 }), { code: 'BUS_REFUSED' })
      }
      for (const pattern of BAD_PATTERNS) {
        assert.throws(() => near.subscribe(pattern, () => {}), { code: 'BUS_REFUSED' }, JSON.stringify(pattern.slice(0, 20)))
      }
      assert.throws(() => near.subscribe('a', () => {}, { queue: 'q 1\r\nSUB >' }), { code: 'BUS_REFUSED' })
    })

    it('refuses data that JSON cannot hold', async () => {
      collect('data')
      await far.ready()
      const circle: { self?: unknown } = {}
      circle.self = circle
      for (const data of [undefined, 1n, () => {}, circle]) {
        assert.throws(() => near.publish('data', data), { code: 'BUS_REFUSED' })
        await assert.rejects(near.request('data', data, { timeoutMs: 100 }), { code: 'BUS_REFUSED' })
      }
    })

    it('takes a message as large as its cap and refuses one byte more, by name and numbers', async () => {
      const seen = collect('large')
      await far.ready()
      const quotes = 2
      near.publish('large', 'x'.repeat(driver.maxPayloadBytes - quotes))
      const tooLarge = 'x'.repeat(driver.maxPayloadBytes - quotes + 1)
      const refusal = { code: 'BUS_REFUSED', message: new RegExp(`"large" has ${driver.maxPayloadBytes + 1} bytes; the bus takes at most ${driver.maxPayloadBytes}`) }
      assert.throws(() => near.publish('large', tooLarge), refusal)
      await assert.rejects(near.request('large', tooLarge, { timeoutMs: 100 }), refusal)
      await settle()
      assert.equal(seen.length, 1)
    })

    it('delivers what was published before close, then refuses everything with BUS_UNAVAILABLE', async () => {
      const seen = collect('farewell')
      await far.ready()
      const third = near.request('farewell', 1, { timeoutMs: 60_000 })
      third.catch(() => {})
      near.publish('farewell', 2)
      await near.close()
      if (near !== far) await settled(() => seen.length === 2)
      assert.deepEqual(seen.map((message) => message.data), [1, 2])
      await assert.rejects(third, { code: 'BUS_UNAVAILABLE' })
      assert.throws(() => near.publish('farewell', 3), { code: 'BUS_UNAVAILABLE' })
      await assert.rejects(near.request('farewell', 3, { timeoutMs: 100 }), { code: 'BUS_UNAVAILABLE' })
      assert.throws(() => near.subscribe('farewell', () => {}), { code: 'BUS_UNAVAILABLE' })
      await assert.rejects(near.ready(), { code: 'BUS_UNAVAILABLE' })
      await near.close()
    })
  })
}

/** Waits for something another process brings about; turns of the event loop, not time. */
async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
