import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { Copies } from '../../../adapters/postgresql/copies.ts'
import { analyse, Catalogue, loadSqlParser, maskedOrigins, maskPlan, originKey, type Analysis } from '../../../adapters/postgresql/sql/index.ts'
import type { Route } from '../../../adapters/postgresql/target.ts'
import { CopyRecord, systemClock, type EventStore, type Mask, type Target } from '../../../core/index.ts'
import { createMemoryStore } from '../../../core/store/drivers/memory/index.ts'

type Table = readonly [oid: number, schema: string, name: string, columns: readonly string[], kind?: string]
const PEOPLE: Table = [100, 'public', 'people', ['id', 'email']]
const TARGET: Target = { name: 'shop', protocol: 'postgresql', database: 'shop', labels: {}, classes: {} }
const MASKS: readonly Mask[] = [{ column: 'public.people.email', method: 'partial' }]
const TEXT = 25

function catalogue(...tables: readonly Table[]): Catalogue {
  const relations = tables.map(([oid, schema, name, columns, kind = 'r']) => (
    [String(oid), schema, name, kind, schema.startsWith('pg_temp') ? 't' : 'p', 'false', 'false', JSON.stringify(columns.map((column, index) => [column, index + 1, TEXT, false, -1])), null]
  ))
  return new Catalogue({ serverMajor: 18, stamp: '', relations, edges: [], functions: [], definitions: [], followers: [] })
}

function gatewayOver(store: EventStore): Copies {
  return new Copies({ target: { name: 'shop' }, database: 'shop' } as Route, new CopyRecord({ store, clock: systemClock, source: 'test' }))
}

const understood = (text: string, known: Catalogue): Analysis => analyse(text, { resolver: known, searchPath: ['public'] })

async function begin(copies: Copies, text: string, known: Catalogue): Promise<readonly string[]> {
  const ids = await copies.begin({}, understood(text, known), known, true)
  assert.ok(typeof ids !== 'string', String(ids))
  return ids
}

/** Attribute numbers that are masked, by OID, in the catalogue as the gateway then has it. */
async function masked(copies: Copies, known: Catalogue): Promise<Record<number, number[]>> {
  const { catalogue: seen, used } = await copies.look(() => Promise.resolve(known))
  used()
  const found: Record<number, number[]> = {}
  for (const key of maskedOrigins(MASKS, seen, TARGET).keys()) if (key % 2048 > 0) (found[Math.floor(key / 2048)] ??= []).push(key % 2048)
  return found
}

describe('copies of columns', () => {
  before(loadSqlParser)
  const first = catalogue(PEOPLE)
  const COPY = 'create table backup as select email, id from people'

  it('are masked in the first catalogue that shows them, before anybody says that they were made', async () => {
    const copies = gatewayOver(createMemoryStore())
    await begin(copies, COPY, first)
    assert.deepEqual(await masked(copies, first), { 100: [2] })
    assert.deepEqual(await masked(copies, catalogue(PEOPLE, [200, 'side', 'backup', ['a', 'b']])), { 100: [2], 200: [1] })
  })

  it('are known by their OID from then on, and forgotten with it', async () => {
    const copies = gatewayOver(createMemoryStore())
    copies.over(await begin(copies, COPY, first))
    await masked(copies, catalogue(PEOPLE, [200, 'public', 'backup', ['a', 'b']]))
    assert.deepEqual(await masked(copies, catalogue([200, 'late', 'other', ['x', 'y']], [201, 'public', 'backup', ['a', 'b']])), { 200: [1] })
    assert.deepEqual(await masked(copies, first), { 100: [2] })
    assert.deepEqual(await masked(copies, catalogue([200, 'public', 'new', ['a', 'b']])), {})
  })

  it('are known by what they look like when they were renamed at once', async () => {
    const copies = gatewayOver(createMemoryStore())
    copies.over(await begin(copies, COPY, first))
    assert.deepEqual(await masked(copies, catalogue(PEOPLE, [200, 'public', 'renamed', ['x', 'y']], [201, 'public', 'wider', ['x', 'y', 'z']])), { 100: [2], 200: [1] })
  })

  it('that were not made leave nothing behind, and those in doubt are waited for', async () => {
    const copies = gatewayOver(createMemoryStore())
    copies.over(await begin(copies, COPY, first))
    copies.dropped(await begin(copies, 'create table undone as select email from people', first))
    copies.lost(await begin(copies, 'create table lost as select email from people', first))
    copies.lost(await begin(copies, 'create temp table fleeting as select email from people', first))
    await masked(copies, first)
    await masked(copies, first)
    const later = catalogue([200, 'public', 'backup', ['a']], [201, 'public', 'undone', ['a']], [202, 'public', 'lost', ['a']], [203, 'pg_temp_3', 'fleeting', ['a']])
    assert.deepEqual(await masked(copies, later), { 202: [1] })
  })

  it('are known to another gateway, and to the next one', async () => {
    const store = createMemoryStore()
    const [one, other] = [gatewayOver(store), gatewayOver(store)]
    const ids = await begin(one, COPY, first)
    const shown = catalogue(PEOPLE, [200, 'public', 'backup', ['a', 'b']])
    assert.deepEqual(await masked(other, first), { 100: [2] })
    assert.deepEqual(await masked(other, shown), { 100: [2], 200: [1] })
    one.over(ids)
    assert.deepEqual(await masked(one, shown), { 100: [2], 200: [1] })
    const moved = catalogue([200, 'public', 'moved', ['a', 'b']])
    for (const gateway of [one, other, gatewayOver(store)]) assert.deepEqual(await masked(gateway, moved), { 200: [1] })
  })

  it('do not begin when they cannot be recorded, or are too many', async () => {
    const failing = Object.assign(createMemoryStore(), { append: () => Promise.reject(new Error('no')) })
    const copies = gatewayOver(failing)
    assert.equal(await copies.begin({}, understood(COPY, first), first, true), 'the copy cannot be recorded')
    assert.deepEqual(await masked(copies, catalogue(PEOPLE, [200, 'public', 'backup', ['a', 'b']])), { 100: [2] })
    const wide = catalogue([100, 'public', 'people', Array.from({ length: 200 }, (_, index) => (index === 0 ? 'email' : `c${index}`))])
    assert.match(String(await copies.begin({}, understood(`create table t as select ${'row(people.*), '.repeat(60)} 1 from people`, wide), wide, true)), /too many columns/)
  })

  it('get no name that something under way may use, and nothing may use it until they are seen', async () => {
    const copies = gatewayOver(createMemoryStore())
    const reading = understood('select upper(email) from side.backup', first)
    const flight = {}
    assert.equal(copies.enter(flight, reading), undefined)
    assert.match(String(await copies.begin({}, understood(COPY, first), first, true)), /under way/)
    copies.left(flight)
    const ids = await begin(copies, COPY, first)
    assert.match(String(copies.enter({}, reading)), /backup is being made/)
    assert.match(String(copies.enter({}, understood('alter table backup rename to other', first))), /backup is being made/)
    assert.equal(copies.enter({}, understood('select email from people', first)), undefined)
    copies.over(ids)
    assert.match(String(copies.enter({}, reading)), /backup is being made/)
    await masked(copies, catalogue(PEOPLE, [200, 'public', 'backup', ['a', 'b']]))
    assert.equal(copies.enter({}, reading), undefined)
  })

  it('are refused where nobody follows them', () => {
    const plan = maskPlan(understood(COPY, first), MASKS, first, TARGET, { unknown: 'absent' })
    assert.match(plan.kind === 'blocked' ? plan.reason : '', /a copy into another table/)
    assert.equal(maskPlan(understood(COPY, first), MASKS, first, TARGET, { unknown: 'absent', copies: 'followed' }).kind, 'none')
  })

  it('hold what the configuration says of the very column, and of no pattern', async () => {
    const copies = gatewayOver(createMemoryStore())
    copies.over(await begin(copies, COPY, first))
    const shown = catalogue([200, 'public', 'backup', ['a', 'b']])
    const { catalogue: seen, used } = await copies.look(() => Promise.resolve(shown))
    used()
    const isMasked = (classes: Record<string, string>): boolean => maskedOrigins(MASKS, seen, { ...TARGET, classes }).has(originKey(200, 1))
    assert.equal(isMasked({}), true)
    for (const pattern of ['*.a', 'backup.a', 'public.*.a', 'public.backup.*', 'public.backup.b', '"public.backup".a']) assert.equal(isMasked({ [pattern]: 'public' }), true, pattern)
    for (const pattern of ['public.backup.a', '"public".backup."a"']) assert.equal(isMasked({ [pattern]: 'public' }), false, pattern)
  })
})
