/** The keys of hash and shuffle, through a gateway: one per target, and none changes within a transaction. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { PostgresTarget } from '../../adapters/postgresql/target.ts'
import { startGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

const RULES = {
  'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
  'mask-all': '{ "effect": "mask", "reason": "keyed", "columns": { "public.people.name": "hash", "public.people.phone": "shuffle" } }',
  'needs-names': `'public.nothing' in command.sql.writes ? { "effect": "block", "reason": "never" }`,
}
let server: PostgresServer

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(`create table people (name text, phone text); insert into people values ('Ada Marsh', '+44 20 7946 0018')`)
})
after(() => server?.stop())

async function withClient<T>(target: Partial<PostgresTarget>, use: (client: pg.Client) => Promise<T>): Promise<T> {
  await using gateway = await startGateway({ postgres: server, rules: RULES, target })
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function shown(client: pg.Client): Promise<string> {
  const { rows: [row] } = await client.query('select name, phone from people')
  assert.match(row.name, /^[\da-f]{32}$/)
  assert.match(row.phone, /^\+\d\d \d\d \d{4} \d{4}$/)
  return `${row.name} ${row.phone}`
}

/** Resolves in another millisecond than it was called in. */
async function nextMillisecond(): Promise<void> {
  for (const now = Date.now(); Date.now() === now;) await new Promise((resolve) => setImmediate(resolve))
}

describe('keyed masks', () => {
  it('use the key of the target: the same in every session, another with another secret', async () => {
    const own = await withClient({}, shown)
    assert.equal(await withClient({}, shown), own)
    const secret = (reveal: string): Partial<PostgresTarget> => ({ maskKey: { reveal: () => reveal } })
    const other = await withClient(secret('one secret of 32 characters, at least'), shown)
    assert.equal(await withClient(secret('one secret of 32 characters, at least'), shown), other)
    assert.equal(new Set([own, other, await withClient(secret('another secret of 32 characters'), shown)]).size, 3)
  })

  it('rotate between transactions, never within one', async () => {
    await withClient({ maskKeyRotationMs: 1 }, async (client) => {
      await client.query('begin')
      const first = await shown(client)
      await nextMillisecond()
      assert.equal(await shown(client), first)
      await nextMillisecond()
      await client.query('commit')
      assert.notEqual(await shown(client), first)
    })
  })
})
