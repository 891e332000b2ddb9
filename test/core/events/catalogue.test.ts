import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CATALOGUE, KNOWN_TYPES, problemWith, toCloudEvent, upcast, UPCASTS, type EventData, type EventType, type NewEvent, type RecordedEvent, type Upcasts,
} from '../../../core/events/index.ts'
import { createMemoryStore } from '../../../core/store/drivers/memory/index.ts'
import { ALICE, aCommand, aVerdict, BOB, collect, DONE, RULESET, SHOP } from '../../fault/gate-world.ts'

const TERMS = { approvers: ['group:reviewers'], timeoutSeconds: 600 }
const ANSWER = { approval: 'x1', digest: 'sha256:1', by: BOB, comment: '' }

/** One of each. A new type without an example does not compile. */
const EXAMPLES: { readonly [T in EventType]: EventData<T> } = {
  'access.refused.v1': { protocol: 'postgresql', address: '10.0.0.7:1', claimedSubject: 'mallory', target: '', code: 'timeout', message: '' },
  'approval.consumed.v1': { approval: 'x1', command: 'c1', digest: 'sha256:1' },
  'approval.denied.v1': ANSWER,
  'approval.expired.v1': { approval: 'x1' },
  'approval.granted.v1': ANSWER,
  'approval.requested.v1': {
    approval: 'x1', session: 's1', command: 'c1', digest: 'sha256:1', asked: { ...aCommand('delete', ['1', null]), textBytes: 99 }, identity: ALICE, target: SHOP,
    ruleset: RULESET, votes: [{ rule: 'deletes', effect: 'await-approval', reason: 'it deletes' }], terms: TERMS, expires: '2026-03-04T05:06:07.089Z',
  },
  'approval.withdrawn.v1': { approval: 'x1', reason: 'left' },
  'command.received.v1': {
    session: 's1', number: 1,
    command: { ...aCommand('select', [null]), resources: [{ name: 'public.orders', kind: 'table', access: 'read', columns: ['*'] }], facts: { sql: { unbounded: false } } },
  },
  'copy.begun.v1': {
    copy: 'c1', target: 'shop', database: 'shop', name: 'backup', known: [],
    columns: [{ attribute: 1, sources: [{ relation: '16401', attribute: 2, path: ['public', 'customers', 'email'], whole: false }] }],
  },
  'copy.settled.v1': { copy: 'c1', relations: ['16410'] },
  'decision.made.v1': { session: 's1', command: 'c1', verdict: { ...aVerdict('mask'), obligations: { masks: [{ column: 'class:pii.*', method: 'null' }], approval: TERMS } }, approval: 'x1' },
  'gateway.started.v1': { gateway: 'g', version: '1', audit: 'write-ahead' },
  'gateway.stopped.v1': { gateway: 'g', reason: 'SIGTERM' },
  'grant.issued.v1': {
    grant: 'g1', to: 'bot', actsFor: 'alice', target: 'shop', columns: ['class:pii.email'], task: 'T', reason: 'ticket 42', by: BOB, expires: '2026-03-04T05:06:07.089Z',
  },
  'grant.revoked.v1': { grant: 'g1', by: BOB, reason: 'done' },
  'outcome.recorded.v1': { session: 's1', command: 'c1', outcome: { ...DONE, tag: 'SELECT 1', error: { code: '54000', message: 'no' }, limit: { name: 'rows', value: 10 }, masked: { columns: ['a'], values: 2 } } },
  'recording.captured.v1': { session: 's1', command: 'c1', recording: { encoding: 'postgresql/backend', chunks: [{ at: 0.5, data: 'AA==' }], bytes: 1, cappedAt: 1 } },
  'ruleset.loaded.v1': { digest: RULESET, default: 'block', rules: [{ id: 'a', digest: 'sha256:2', source: 'true' }] },
  'ruleset.refused.v1': { kept: RULESET, problems: [{ file: 'a.jsonata', line: 3, message: 'no' }] },
  'session.closed.v1': { session: 's1', reason: 'error', commands: 1, bytesFromClient: 2, bytesToClient: 3, error: 'boom' },
  'session.opened.v1': { session: 's1', protocol: 'postgresql', identity: ALICE, target: SHOP, address: '10.0.0.7:1', tls: true, claimed: { application_name: 'psql' } },
}
/** Fields an event may go without. */
const OPTIONAL = new Set(['textBytes', 'approval', 'tag', 'error', 'limit', 'masked', 'cappedAt', 'task'])

const event = (type: string, data: unknown): NewEvent => ({ id: 'e1', source: 'sallyport/test', type, subject: 'x', time: '2026-03-04T05:06:07.089Z', correlationid: 'x', data })
const recorded = (type: string, data: unknown): RecordedEvent => ({ ...event(type, data), stream: 's', revision: 0n, position: 1n })

describe('the catalogue', () => {
  for (const [type, data] of Object.entries(EXAMPLES)) {
    it(`takes ${type}, and nothing that lacks a field or has one of another kind`, () => {
      assert.equal(problemWith(event(type, data)), undefined)
      let refused = 0
      for (const [path, broken] of brokenOnes(data)) {
        assert.match(problemWith(event(type, broken)) ?? `${path} passes`, new RegExp(`^${type}: data`))
        refused++
      }
      assert.ok(refused >= 2)
    })
  }

  it('refuses unions of words, counts and times that are none', () => {
    const verdict = aVerdict('allow')
    const bad: readonly (readonly [EventType, unknown])[] = [
      ['decision.made.v1', { session: 's', command: 'c', verdict: { ...verdict, effect: 'permit' } }],
      ['decision.made.v1', { session: 's', command: 'c', verdict: { ...verdict, by: 'me' } }],
      ['outcome.recorded.v1', { session: 's', command: 'c', outcome: { ...DONE, durationMs: Number.NaN } }],
      ['outcome.recorded.v1', { session: 's', command: 'c', outcome: { ...DONE, durationMs: Number.POSITIVE_INFINITY } }],
      ['outcome.recorded.v1', { session: 's', command: 'c', outcome: { ...DONE, rows: 1.5 } }],
      ['command.received.v1', { session: 's', number: 1, command: { ...aCommand(''), phase: 'later' } }],
      ['command.received.v1', { session: 's', number: 1, command: { ...aCommand(''), fidelity: 'guessed' } }],
      ['command.received.v1', { session: 's', number: 1, command: { ...aCommand(''), values: [1] } }],
      ['session.closed.v1', { ...EXAMPLES['session.closed.v1'], reason: 'bored' }],
    ]
    for (const [type, data] of bad) assert.notEqual(problemWith(event(type, data)), undefined, JSON.stringify(data))
  })

  it('refuses versions and types it does not know, also in a store', async () => {
    for (const type of ['command.received.v2', 'command.received', 'Command.received.v1', 'toString', '__proto__', '']) {
      assert.match(problemWith(event(type, {})) ?? 'passes', /unknown event type/)
    }
    const store = createMemoryStore()
    await assert.rejects(store.append('s', [event('command.received.v2', EXAMPLES['command.received.v1'])], 'any'), { code: 'STORE_REFUSED' })
    assert.deepEqual(await collect(store.readAll()), [])
  })

  it('names every type in lower case with a version, and knows exactly its own', () => {
    for (const type of Object.keys(CATALOGUE)) assert.match(type, /^[a-z]+\.[a-z]+\.v[1-9]\d*$/)
    assert.deepEqual([...KNOWN_TYPES].toSorted(), Object.keys(EXAMPLES).toSorted())
  })
})

describe('up-casting', () => {
  const chain: Upcasts = {
    'gateway.stopped.v0': (data: { name: string }) => ({ type: 'gateway.halted.v0', data: { gateway: data.name } }),
    'gateway.halted.v0': (data: { gateway: string }) => ({ type: 'gateway.stopped.v1', data: { ...data, reason: 'unknown' } }),
    'loop.a.v1': (data: unknown) => ({ type: 'loop.b.v1', data }),
    'loop.b.v1': (data: unknown) => ({ type: 'loop.a.v1', data }),
    'gone.away.v1': (data: unknown) => ({ type: 'gone.away.v2', data }),
  }

  it('leaves today\'s events as they are', () => {
    const today = recorded('gateway.stopped.v1', EXAMPLES['gateway.stopped.v1'])
    assert.equal(upcast(today), today)
  })

  it('takes an old event through every version to today\'s, and keeps its envelope', () => {
    const today = upcast(recorded('gateway.stopped.v0', { name: 'g' }), chain)
    assert.deepEqual(today, recorded('gateway.stopped.v1', { gateway: 'g', reason: 'unknown' }))
    assert.equal(problemWith(today), undefined)
  })

  it('takes an event through as many versions as there ever were', () => {
    const steps = Array.from({ length: 40 }, (_, n) => [`gateway.paused.v${n}`, (data: unknown) => ({ type: n === 39 ? 'gateway.stopped.v1' : `gateway.paused.v${n + 1}`, data })])
    assert.equal(upcast(recorded('gateway.paused.v0', {}), Object.fromEntries(steps) as Upcasts).type, 'gateway.stopped.v1')
  })

  it('says which event it cannot read when no path leads to today, or one that goes round', () => {
    for (const type of ['never.heard.v1', 'gone.away.v1', 'loop.a.v1']) {
      assert.throws(() => upcast(recorded(type, {}), chain), (error) => error instanceof TypeError && error.message.includes(type) && error.message.includes('e1'))
    }
  })

  it('starts only from types that are no longer in the catalogue', () => {
    assert.deepEqual(Object.keys(UPCASTS).filter((type) => KNOWN_TYPES.has(type)), [])
  })
})

describe('a CloudEvent', () => {
  it('has the required attributes, and names an exporter may use', () => {
    const cloud = toCloudEvent({ ...event('gateway.stopped.v1', EXAMPLES['gateway.stopped.v1']), causationid: 'c', traceparent: '00-a-b-01' })
    for (const name of ['id', 'source', 'specversion', 'type']) assert.ok(typeof cloud[name] === 'string' && cloud[name] !== '', name)
    for (const name of Object.keys(cloud)) assert.match(name, /^[a-z0-9]{1,20}$/)
    assert.equal(cloud['specversion'], '1.0')
  })
})

/** Every way to leave out one field, or to give it another kind; with its path. */
function* brokenOnes(value: unknown, path = ''): Generator<readonly [path: string, broken: unknown]> {
  if (Array.isArray(value)) {
    yield [path, { not: 'an array' }]
    for (const [index, item] of value.entries()) {
      for (const [at, broken] of brokenOnes(item, `${path}/${index}`)) yield [at, value.toSpliced(index, 1, broken)]
    }
  } else if (typeof value === 'object' && value !== null) {
    yield [path, 'not an object']
    for (const [key, field] of Object.entries(value)) {
      if (key === 'facts') continue
      const { [key]: _, ...without } = value as Record<string, unknown>
      if (!OPTIONAL.has(key) && !FREE_KEYS.has(path.split('/').at(-1) ?? '')) yield [`${path}/${key}`, without]
      for (const [at, broken] of brokenOnes(field, `${path}/${key}`)) yield [at, { ...value, [key]: broken }]
    }
  } else yield [path, typeof value === 'string' || value === null ? 42 : 'not that']
}
/** Records whose keys are anybody's. */
const FREE_KEYS = new Set(['labels', 'classes', 'claimed'])
