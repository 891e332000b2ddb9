import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CATALOGUE, problemWith, type NewEvent } from '../../../core/events/index.ts'
import { EventBytes } from '../../../core/store/event-bytes.ts'

interface Schema {
  readonly type?: string
  readonly const?: string
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
}

const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '\\', '\u0000', '\u007f', 'é', '\ud800', 'x'.repeat(200), `${'x'.repeat(200)}"`))

/** Whatever fits a schema, with every field that it knows. */
function whatever(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(whatever))
  switch (schema.type) {
    case 'string': return texts
    case 'null': return fc.constant(null)
    case 'boolean': return fc.boolean()
    case 'integer': return fc.integer({ min: schema.minimum ?? 0 })
    case 'number': return fc.double({ min: schema.minimum ?? schema.exclusiveMinimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true, minExcluded: schema.exclusiveMinimum !== undefined })
    case 'array': return fc.array(whatever(schema.items ?? {}), { maxLength: 3 })
    case 'object': return objectOf(schema)
    default: return fc.jsonValue()
  }
}

function objectOf({ properties, required = [] }: Schema): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(texts, texts, { maxKeys: 3, noNullPrototype: true })
  return fc.record(Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, whatever(schema)])), { requiredKeys: [...required] })
}

const events = fc.constantFrom(...Object.entries(CATALOGUE)).chain(([type, schema]) => fc.record({
  id: texts, source: texts, type: fc.constant(type as string), subject: texts, time: texts, correlationid: texts, causationid: texts, traceparent: texts, data: whatever(schema as Schema),
}, { requiredKeys: ['id', 'source', 'type', 'subject', 'time', 'correlationid', 'data'] })) as fc.Arbitrary<NewEvent>

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

function written(list: readonly NewEvent[], bytes: EventBytes): unknown {
  bytes.cut(0)
  bytes.addArray(list)
  return JSON.parse(bytes.text())
}

test('events are written as JSON.stringify would, whatever is in them and whether or not they can still change', () => {
  fc.assert(fc.property(fc.array(events, { minLength: 1, maxLength: 4 }), (list) => {
    for (const event of list) assert.equal(problemWith(event), undefined)
    const bytes = new EventBytes(new ArrayBuffer(16))
    const wanted = JSON.parse(JSON.stringify(list)) as unknown
    assert.deepEqual(written(list, bytes), wanted)
    assert.deepEqual(written(frozen(list), bytes), wanted)
    assert.deepEqual(written(list, bytes), wanted, 'as it is remembered')
  }), { numRuns: 3_000 })
})

test('what is remembered of a statement is not taken for another one with the same facts', () => {
  const facts = frozen({ sql: { reads: ['public.people'] } })
  const resources = frozen([])
  const actions = frozen(['read'])
  const received = (text: string, values: (string | null)[]): NewEvent => ({
    id: 'e', source: 's', type: 'command.received.v1', subject: 'e', time: 't', correlationid: 'c',
    data: { session: 'c', number: 1, command: { protocol: 'postgresql', action: 'read', actions, phase: 'execute', text, values, valuesComplete: true, resources, fidelity: 'parsed', opaque: '', facts } },
  })
  const bytes = new EventBytes()
  for (const event of [received('SELECT 1', []), received('SELECT 2', [null, '2"']), received('SELECT 1', ['3'])]) assert.deepEqual(written([event], bytes), JSON.parse(JSON.stringify([event])))
})

test('a verdict that can still change is written as it is now', () => {
  const verdict = { effect: 'allow', by: 'rules', reason: 'one', votes: [], obligations: { masks: [] }, ruleset: 'r' }
  const event: NewEvent = { id: 'e', source: 's', type: 'decision.made.v1', subject: 'e', time: 't', correlationid: 'c', data: { session: 'c', command: 'e', verdict } }
  const bytes = new EventBytes()
  written([event], bytes)
  verdict.reason = 'two'
  assert.deepEqual(written([event], bytes), JSON.parse(JSON.stringify([event])))
})

test('what cannot be written leaves what was written before', () => {
  const bytes = new EventBytes()
  const event: NewEvent = { id: 'e', source: 's', type: 'gateway.stopped.v1', subject: 'g', time: 't', correlationid: 'g', data: { gateway: 'g', reason: 'r' } }
  bytes.addArray([event])
  const { length } = bytes
  assert.throws(() => bytes.addArray([event, { ...event, data: { reason: 1n } }]), TypeError)
  bytes.cut(length)
  assert.deepEqual(JSON.parse(bytes.text()), [event])
})
