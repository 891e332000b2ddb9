import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connectNats, type NatsOptions } from '../../../core/bus/drivers/nats/index.ts'
import type { EventBus } from '../../../core/bus/event-bus.ts'
import { createAuthority } from '../../support/certificates.ts'
import { natsUnavailable, startNats, type NatsServer } from '../../support/nats-server.ts'

/** What a bus says while its server is away. */
const GONE = { code: 'BUS_UNAVAILABLE', message: /not connected to a NATS server/ }

describe('the NATS bus', { skip: natsUnavailable() ?? false }, () => {
  async function serve(test: TestContext, config?: string): Promise<NatsServer> {
    const server = await startNats(config)
    test.after(() => server.stop())
    return server
  }
  async function connectTo(test: TestContext, server: NatsServer, options: Partial<NatsOptions> = {}): Promise<EventBus> {
    const bus = await connectNats({ servers: [server.address], reconnectWaitMs: 10, ...options })
    test.after(() => bus.close())
    return bus
  }

  it('connects again after the server was killed, with its subscriptions, and says so in between', async (test) => {
    const server = await serve(test)
    const errors: unknown[] = []
    const bus = await connectTo(test, server, { onError: (error) => errors.push(error) })
    const peer = await connectTo(test, server)
    const seen: unknown[] = []
    bus.subscribe('events.>', (message) => void seen.push(message.data))
    bus.subscribe('ask', (message) => message.respond('answer'), { queue: 'workers' })
    bus.subscribe('never', () => {})
    await bus.ready()
    const waiting = peer.request('never', 0, { timeoutMs: 60_000 })
    waiting.catch(() => {})
    await server.kill()
    await assert.rejects(waiting, { code: 'BUS_UNAVAILABLE', message: /connection to the NATS server was lost/ })
    await until(() => refusesToPublish(bus))
    assert.throws(() => peer.publish('events.lost', 0), GONE)
    await assert.rejects(bus.request('ask', 0, { timeoutMs: 100 }), GONE)
    await assert.rejects(bus.ready(), GONE)
    bus.subscribe('added.meanwhile', (message) => message.respond('also there'))
    await server.restart()
    await until(() => Promise.all([bus.ready(), peer.ready()]).then(() => true, () => false))
    peer.publish('events.found', 1)
    assert.equal(await peer.request('ask', 0, { timeoutMs: 5000 }), 'answer')
    assert.equal(await peer.request('added.meanwhile', 0, { timeoutMs: 5000 }), 'also there')
    assert.deepEqual(seen, [1])
    assert.deepEqual(errors, [])
  })

  it('closes while the server is away', async (test) => {
    const server = await serve(test)
    const bus = await connectTo(test, server)
    bus.subscribe('a', () => {})
    await server.kill()
    await until(() => refusesToPublish(bus))
    await bus.close()
    assert.throws(() => bus.publish('a', 0), { code: 'BUS_UNAVAILABLE', message: /the bus is closed/ })
  })

  it('does not wait for ever on a server that has stopped answering', async (test) => {
    const server = await serve(test)
    const errors: unknown[] = []
    const bus = await connectTo(test, server, { flushTimeoutMs: 50, onError: (error) => errors.push(error) })
    server.freeze()
    await until(() => bus.ready().then(() => false, (error: Error) => /did not confirm/.test(error.message)))
    await assert.rejects(bus.request('a', 0, { timeoutMs: 30 }), { code: 'BUS_TIMEOUT' })
    await bus.close()
    assert.match(String(errors[0]), /no answer within 50 ms/)
    server.thaw()
  })

  it('reports what other clients send that is not JSON, and goes on', async (test) => {
    const server = await serve(test)
    const errors: unknown[] = []
    const bus = await connectTo(test, server, { onError: (error) => errors.push(error) })
    const seen: unknown[] = []
    bus.subscribe('raw', (message) => void seen.push(message.data))
    await bus.ready()
    await speakRaw(server, ['PUB raw 3\r\n{"a\r\n', 'PUB raw 0\r\n\r\n', 'PUB raw 1\r\n7\r\n'])
    await until(() => seen.length === 1)
    assert.deepEqual(seen, [7])
    assert.equal(errors.length, 2)
    for (const error of errors) assert.equal((error as { code?: string }).code, 'BUS_REFUSED')
  })

  it('rejects a request whose answer is not JSON', async (test) => {
    const server = await serve(test)
    const bus = await connectTo(test, server)
    const raw = await openRaw(server)
    raw.write('SUB mangled 1\r\nPING\r\n')
    raw.on('data', (chunk) => {
      const reply = /MSG mangled 1 (\S+)/.exec(String(chunk))?.[1]
      if (reply !== undefined) raw.write(`PUB ${reply} 1\r\n{\r\n`)
    })
    await until(() => bus.request('mangled', 0, { timeoutMs: 5000 }).then(() => false, (error: { code: string }) => error.code === 'BUS_REFUSED'))
    raw.destroy()
  })

  it('takes a token, or a user with a password, and is not let in without', async (test) => {
    const byToken = await serve(test, 'authorization { token: "s3cret" }')
    const byUser = await serve(test, 'authorization { user: alice, password: "pass word" }')
    await (await connectTo(test, byToken, { token: 's3cret' })).ready()
    await (await connectTo(test, byUser, { user: 'alice', password: 'pass word' })).ready()
    for (const server of [byToken, byUser]) {
      await assert.rejects(connectNats({ servers: [server.address], token: 'wrong-guess' }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'BUS_UNAVAILABLE')
        assert.match(error.message, /Authorization Violation/i)
        assert.doesNotMatch(error.message, /wrong-guess/)
        return true
      })
    }
  })

  it('verifies the server by the given authority and its name or address', async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-nats-tls-'))
    test.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = (name: string, pem: string): string => {
      writeFileSync(join(folder, name), pem)
      return join(folder, name)
    }
    const authority = createAuthority()
    const caFile = file('ca.pem', authority.cert)
    const withCertificateFor = async (name: string): Promise<NatsServer> => {
      const { cert, key } = authority.issue({ commonName: 'nats', names: [name] })
      return serve(test, `tls { cert_file: "${file(`${name}.pem`, cert)}", key_file: "${file(`${name}-key.pem`, key)}" }`)
    }
    const [byAddress, byName, other] = [await withCertificateFor('127.0.0.1'), await withCertificateFor('localhost'), await withCertificateFor('other.example')]
    await (await connectTo(test, byAddress, { tls: { caFile } })).ready()
    await (await connectTo(test, byName, { servers: [`localhost:${byName.port}`], tls: { caFile } })).ready()
    const wrongName = { code: 'BUS_UNAVAILABLE', message: /does not match certificate's altnames/ }
    await assert.rejects(connectNats({ servers: [byName.address], tls: { caFile } }), wrongName)
    await assert.rejects(connectNats({ servers: [other.address], tls: { caFile } }), wrongName)
    const stranger = file('stranger.pem', createAuthority('somebody else').cert)
    await assert.rejects(connectNats({ servers: [byAddress.address], tls: { caFile: stranger } }), { code: 'BUS_UNAVAILABLE', message: /certificate/ })
  })

  it('refuses a plain server when TLS is asked for', async (test) => {
    const server = await serve(test)
    await assert.rejects(connectNats({ servers: [server.address], tls: {} }), { code: 'BUS_UNAVAILABLE' })
  })

  it('reports a subscription that the server forbids', async (test) => {
    const server = await serve(test, 'authorization { users: [{ user: u, password: p, permissions: { subscribe: ["_INBOX.>"] } }] }')
    const errors: unknown[] = []
    const bus = await connectTo(test, server, { user: 'u', password: 'p', onError: (error) => errors.push(error) })
    bus.subscribe('forbidden', () => {})
    await until(() => errors.length > 0)
    assert.match(String(errors[0]), /permissions violation/i)
  })

  it('finds the server that is there among several', async (test) => {
    const [dead, alive] = [await serve(test), await serve(test)]
    await dead.kill()
    const bus = await connectNats({ servers: [dead.address, alive.address] })
    await bus.ready()
    await bus.close()
  })

  it('says which servers were tried when none is there', async (test) => {
    const server = await serve(test)
    await server.kill()
    await assert.rejects(connectNats({ servers: [server.address] }), { code: 'BUS_UNAVAILABLE', message: new RegExp(`no NATS server at ${server.address}`) })
  })
})

describe('the options of the NATS bus', () => {
  it('refuse credentials in addresses, a password without a user, and no server at all', async () => {
    const refused = { code: 'CONFIG_INVALID' }
    await assert.rejects(connectNats({ servers: ['nats://u:topsecret@127.0.0.1'] }), (error: Error) => !error.message.includes('topsecret') && 'code' in error && error.code === 'CONFIG_INVALID')
    await assert.rejects(connectNats({ servers: ['127.0.0.1:1'], password: 'p' }), refused)
    await assert.rejects(connectNats({ servers: [] }), refused)
  })
})

function refusesToPublish(bus: EventBus): boolean {
  try {
    bus.publish('probe', 0)
    return false
  } catch {
    return true
  }
}

async function openRaw(server: NatsServer): Promise<ReturnType<typeof dial>> {
  const socket = dial(server.port, '127.0.0.1')
  await once(socket, 'data')
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n')
  return socket
}

async function speakRaw(server: NatsServer, lines: readonly string[]): Promise<void> {
  const socket = await openRaw(server)
  socket.end(lines.join(''))
  await once(socket, 'close')
}

/** Waits until a condition holds; one try per turn of the event loop. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
