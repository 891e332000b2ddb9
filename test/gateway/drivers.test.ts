import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { parseConfig, type Config } from '../../gateway/config/index.ts'
import { PARTS } from '../../gateway/container.ts'
import { createLog } from '../../gateway/log.ts'
import { startGateway } from '../../gateway/serve.ts'
import { startEventStoreDbDouble } from '../support/eventstoredb-double.ts'
import { natsUnavailable, startNats } from '../support/nats-server.ts'

const skip = natsUnavailable() ?? false
if (skip !== false) console.log(`skipped: ${skip}`)

describe('the gateway is composed from what the configuration names', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sp-drivers-'))
    mkdirSync(join(folder, 'rules'))
    writeFileSync(join(folder, 'rules', 'allow-all.jsonata'), '/* Allows everything. */\n{ "effect": "allow", "reason": "all" }\n')
  })
  afterEach(() => { rmSync(folder, { recursive: true }) })
  const configOf = (extra: string): Config => {
    const { config, problems } = parseConfig(`${extra}\nlisteners: [{ protocol: postgresql, listen: "127.0.0.1:0" }]\ntargets: { shop: { protocol: postgresql, host: localhost, database: shop, user: app } }`, folder)
    assert.equal(problems, undefined)
    assert.ok(config !== undefined)
    return config
  }
  const quiet = createLog({ level: 'error', destination: new Writable({ write: (_, __, done) => done() }) })

  test('store: eventstoredb records start and stop there (a double, not a real server)', async () => {
    const double = await startEventStoreDbDouble()
    try {
      const config = configOf('store: { eventstoredb: "${env:ESDB}" }')
      const environment = { ESDB: double.connectionString }
      await (await startGateway(config, { log: quiet, environment })).stop('done')
      const { openStore } = await import('../../gateway/drivers.ts')
      const { createSecrets } = await import('../../gateway/secrets.ts')
      const store = await openStore(config.store, createSecrets(environment), { readOnly: true })
      const types: string[] = []
      for await (const event of store.readAll()) types.push(event.type)
      await store.close()
      assert.deepEqual(types, ['gateway.started.v1', 'ruleset.loaded.v1', 'gateway.stopped.v1'])
    } finally {
      double.kill()
    }
  })

  test('bus: nats connects to it, and is drained at the end', { skip }, async () => {
    const nats = await startNats()
    try {
      const gateway = await startGateway(configOf(`store: memory\nbus: { nats: { servers: ["nats://${nats.address}"] } }`), { log: quiet })
      assert.equal(gateway.ruleset.rules, 1)
      await gateway.stop('done')
    } finally {
      await nats.stop()
    }
  })

  const broken: [what: string, extra: string, code: string][] = [
    ['a bus that does not answer', 'store: memory\nbus: { nats: { servers: ["nats://127.0.0.1:1"] } }', 'BUS_UNAVAILABLE'],
    ['rules that are not there', 'store: memory\nrules: { folder: ./none }', 'RULES_INVALID'],
    ['an API socket that is a file', 'store: memory\napi: { socket: rules/allow-all.jsonata }', 'CONFIG_INVALID'],
    ['a secret that is not there', 'store: memory\npeople: { ada: { postgresql: { verifier: "${env:NOWHERE}" } } }', 'CONFIG_INVALID'],
  ]
  for (const [what, extra, code] of broken) {
    test(`${what} stops the start with ${code}, and leaves nothing open`, async () => {
      let closed = 0
      await assert.rejects(startGateway(configOf(extra), {
        log: quiet, environment: {},
        prepare: (container) => {
          container.onActivation(PARTS.store, (_, store) => {
            const close = store.close.bind(store)
            store.close = async () => { closed++; await close() }
            return store
          })
        },
      }), { code })
      assert.equal(closed, 1)
    })
  }
})

describe('the log', () => {
  test('never shows what is named like a secret or a statement', () => {
    let written = ''
    const log = createLog({ level: 'info', destination: new Writable({ write: (chunk: Buffer, _, done) => { written += chunk.toString(); done() } }) })
    log.info({ password: 'hunter2', about: { token: 'hunter2', text: 'SELECT hunter2' }, text: 'hunter2' }, 'something happened')
    assert.doesNotMatch(written, /hunter2/)
    assert.match(written, /"level":"info".*something happened/)
  })
})
