import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { secretIn } from '../fault/disguises.ts'
import { DEFINING, DERIVING, GUESSING, HARMLESS, READING } from '../fault/mask-attacks.ts'
import { B, E, errorsIn, P, Q, rawClient, rowsIn, S, type Frame, type RawClient } from '../fault/raw-client.ts'
import { bytesOf, eventsOf } from '../fault/stored-bytes.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { SECRETS as WHOLE, SHOP_RULES, SHOP_SQL } from '../support/shop.ts'

const SECRETS = [...WHOLE, '1984-03-07', '1979-11-30', '1991-06-21']
/** Everything may be done, opaque or not: only the masks stand in the way. */
const MASKS_ONLY = {
  'allow-all': '{ "effect": "allow", "reason": "everything may run" }',
  'mask-personal': SHOP_RULES['mask-personal'],
  'needs-names': `'public.nothing' in command.sql.writes ? { "effect": "block", "reason": "never" }`,
}
const PEOPLE = { ada: { password: 'ada secret' }, root: { password: 'root secret', groups: ['pii'] } }

type Mode = 'simple' | 'extended' | 'binary' | 'one segment'
const MODES: readonly Mode[] = ['simple', 'extended', 'binary', 'one segment']

let server: PostgresServer
let open: TestGateway
let shop: TestGateway
let databases = 0

before(async () => {
  server = await startPostgres({ major: 18, settings: { wal_level: 'logical' } })
  await server.query('create database shop0')
  await server.query(SHOP_SQL, 'shop0')
  open = await startGateway({ postgres: server, rules: MASKS_ONLY, people: PEOPLE })
  shop = await startGateway({ postgres: server, rules: SHOP_RULES, people: PEOPLE })
})

after(async () => {
  await open?.stop()
  await shop?.stop()
  await server?.stop()
})

async function fresh(): Promise<string> {
  const name = `attack_${++databases}`
  await server.query(`create database ${name} template shop0`)
  return name
}

/** COPY gets no data; the rest of its statement still runs. */
async function say(client: RawClient, mode: Mode, text: string): Promise<Frame[]> {
  if (mode === 'simple') return client.query(text)
  return client.ask([P('', text), B('', '', [], mode === 'binary' ? 1 : 0), E(), S])
}

async function run(where: { host: string; port: number }, user: string, database: string, attack: readonly string[], mode: Mode): Promise<{ bytes: Buffer; frames: Frame[] }> {
  const password = user === 'postgres' ? server.password : `${user} secret`
  const client = await rawClient({ host: where.host, port: where.port, user, password, database })
  const frames: Frame[] = []
  if (mode === 'one segment') frames.push(...(await client.ask(attack.map((text) => Q(text)), attack.length)))
  else for (const text of attack) frames.push(...(await say(client, mode, text)))
  await client.end()
  return { bytes: client.received(), frames }
}

/** In the extended protocol, a text of several statements does not parse. */
const singles = (attack: readonly string[]): boolean => attack.every((text) => !text.includes(';') || text.includes('$$'))

async function assertNothingStored(gateway: TestGateway): Promise<void> {
  const events = eventsOf(await gateway.events(), 'ada')
  assert.ok(events.some(({ type }) => type === 'recording.captured.v1'))
  for (const event of events) {
    // What the attacker typed is the attacker's own; no attack here types a secret but in GUESSING.
    if (event.type === 'command.received.v1' || event.type === 'approval.requested.v1') continue
    assert.equal(secretIn(bytesOf(event), SECRETS), undefined, JSON.stringify(event, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
  }
}

describe('reading masked columns', () => {
  it('is what each attack does when nothing is masked', async () => {
    const harmless: string[] = []
    for (const attack of [...READING, ...DEFINING]) {
      const database = await fresh()
      const { bytes } = await run(server, 'postgres', database, attack, 'simple')
      if (secretIn(bytes, SECRETS) === undefined) harmless.push(attack.join('; '))
      await server.query(`drop database ${database} with (force)`)
    }
    assert.deepEqual(harmless, [])
  })

  it('is seen by the checker when a person is exempt from the mask', async () => {
    const database = await fresh()
    for (const mode of MODES) assert.ok(secretIn((await run(open, 'root', database, ['select reverse(email) from people'], mode)).bytes, SECRETS), mode)
    const events = eventsOf(await open.events(), 'root')
    assert.ok(events.some((event) => secretIn(bytesOf(event), SECRETS) !== undefined))
  })

  for (const mode of MODES) {
    it(`does not succeed with SELECT and the like, ${mode}`, async () => {
      const database = await fresh()
      const leaks: string[] = []
      for (const gateway of [open, shop]) {
        for (const attack of READING) {
          if ((mode === 'extended' || mode === 'binary') && !singles(attack)) continue
          // Writing cards waits for a second person there.
          if (gateway === shop && attack.some((text) => text.includes('delete from cards'))) continue
          const { bytes } = await run(gateway, 'ada', database, attack, mode)
          const found = secretIn(bytes, SECRETS)
          if (found !== undefined) leaks.push(`${attack.join('; ')} shows ${found}`)
        }
      }
      assert.deepEqual(leaks, [])
    })

    if (mode === 'extended' || mode === 'binary') continue
    it(`does not succeed by defining things, ${mode}`, async () => {
      const leaks: string[] = []
      for (const attack of DEFINING) {
        const database = await fresh()
        const { bytes } = await run(open, 'ada', database, attack, mode)
        const found = secretIn(bytes, SECRETS)
        if (found !== undefined) leaks.push(`${attack.join('; ')} shows ${found}`)
        await server.query(`drop database ${database} with (force)`)
      }
      assert.deepEqual(leaks, [])
    })
  }

  it('leaves nothing in the store', async () => {
    await assertNothingStored(open)
    await assertNothingStored(shop)
  })

  it('by guessing is refused', async () => {
    const database = await fresh()
    const ran: string[] = []
    for (const text of GUESSING) {
      const { frames } = await run(open, 'ada', database, [text], 'simple')
      if (!errorsIn(frames).some((error) => error.startsWith('42501'))) ran.push(`${text}: ${errorsIn(frames).join()}`)
    }
    assert.deepEqual(ran, [])
  })

  it('by way of what is computed from them shows one value for all', async () => {
    const database = await fresh()
    for (const [text, masked] of DERIVING) {
      for (const mode of ['simple', 'extended'] as const) {
        const { frames, bytes } = await run(open, 'ada', database, [text], mode)
        assert.deepEqual(errorsIn(frames), [], text)
        assert.deepEqual(rowsIn(frames).map(([value]) => value), masked, text)
        assert.equal(secretIn(bytes, SECRETS), undefined, text)
      }
    }
  })

  it('is not what harmless look-alikes are refused for', async () => {
    const database = await fresh()
    const refused: string[] = []
    for (const text of HARMLESS) {
      for (const mode of ['simple', 'extended'] as const) {
        if (mode === 'extended' && text.includes(';')) continue
        const { frames, bytes } = await run(open, 'ada', database, [text], mode)
        for (const error of errorsIn(frames)) refused.push(`${text}: ${error}`)
        assert.equal(secretIn(bytes, SECRETS), undefined, text)
      }
    }
    assert.deepEqual(refused, [])
  })
})
