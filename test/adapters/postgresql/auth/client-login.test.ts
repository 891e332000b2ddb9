import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { createVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'
import { UpstreamLogin } from '../../../../adapters/postgresql/auth/upstream-login.ts'
import { createServerTls } from '../../../../adapters/shared/tls.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { psqlUnavailable, type PsqlResult, runPsql } from '../../../support/psql.ts'
import { type LoopbackListener, startLoopback } from './loopback-listener.ts'

const PASSWORD = 'correct horse ⅷ\u00a0battery'
const authority = createAuthority()
const certificate = authority.issue({ commonName: 'localhost', names: ['localhost', '127.0.0.1'], digest: 'sha384' })
let plain: LoopbackListener
let secure: LoopbackListener

before(async () => {
  const people = { alice: await createVerifier(PASSWORD) }
  plain = await startLoopback({ people })
  secure = await startLoopback({ people, tls: createServerTls({ ...certificate, alpn: ['postgresql'] }) })
})
after(() => Promise.all([plain.close(), secure.close()]))

function psql(listener: LoopbackListener, user: string, password: string, env: Record<string, string> = {}): Promise<PsqlResult> {
  return runPsql({ ...listener, user, password, database: 'shop', args: ['-c', 'select'], env })
}

describe('a client proves itself', { skip: psqlUnavailable() ?? false }, () => {
  test('psql gets in with the right password', async () => {
    const { code, stderr } = await psql(plain, 'alice', PASSWORD)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const { kind, detail, encrypted, startup } = plain.events.at(-1) ?? assert.fail()
    assert.deepEqual({ kind, detail, encrypted }, { kind: 'authenticated', detail: 'scram-sha-256', encrypted: false })
    assert.equal(startup?.database, 'shop')
  })

  test('psql learns the same of a wrong password and of an unknown user', async () => {
    const wrong = await psql(plain, 'alice', 'wrong')
    const unknown = await psql(plain, 'mallory', PASSWORD)
    assert.deepEqual([wrong.code, unknown.code], [2, 2])
    assert.match(wrong.stderr, /FATAL: {2}password authentication failed for user "alice"/)
    assert.equal(unknown.stderr.replace('mallory', 'alice'), wrong.stderr)
    assert.deepEqual(plain.events.slice(-2).map(({ kind }) => kind), ['refused', 'refused'])
  })

  test('psql binds SCRAM to the TLS channel when it must', async () => {
    const { code, stderr } = await psql(secure, 'alice', PASSWORD, { PGSSLMODE: 'require', PGCHANNELBINDING: 'require' })
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.equal(secure.events.at(-1)?.detail, 'scram-sha-256-plus')
  })

  test('psql gets in through TLS without channel binding', async () => {
    const { code } = await psql(secure, 'alice', PASSWORD, { PGSSLMODE: 'require', PGCHANNELBINDING: 'disable' })
    assert.equal(code, 0)
    const { detail, encrypted } = secure.events.at(-1) ?? assert.fail()
    assert.deepEqual({ detail, encrypted }, { detail: 'scram-sha-256', encrypted: true })
  })

  test('psql that insists on TLS is told that a plain listener has none', async () => {
    const { code, stderr } = await psql(plain, 'alice', PASSWORD, { PGSSLMODE: 'require' })
    assert.equal(code, 2)
    assert.match(stderr, /server does not support SSL/)
  })

  test('node-postgres gets in, with TLS and without, and not with a wrong password', async () => {
    const options = { host: '127.0.0.1', user: 'alice', database: 'shop', enableChannelBinding: true }
    for (const listener of [plain, secure]) {
      const ssl = listener === secure ? { ca: authority.cert } : false
      const right = new pg.Client({ ...options, port: listener.port, password: PASSWORD, ssl })
      await right.connect()
      await right.end()
      const wrong = new pg.Client({ ...options, port: listener.port, password: 'wrong', ssl })
      await assert.rejects(wrong.connect(), { code: '28P01' })
    }
    assert.equal(secure.events.at(-2)?.detail, 'scram-sha-256-plus')
  })
})

describe('TLS at the listener', () => {
  test('a client may begin with TLS when it names the protocol', async () => {
    const socket = connectTls({ host: secure.host, port: secure.port, ca: authority.cert, ALPNProtocols: ['postgresql'] })
    await once(socket, 'secureConnect')
    const login = new UpstreamLogin({ user: 'alice', password: PASSWORD, database: 'shop', encrypted: true })
    socket.write(login.start())
    let step = await login.receive()
    while (step.kind !== 'ready') {
      if (step.kind === 'send') socket.write(step.bytes)
      step = await login.receive(step.kind === 'wait' ? ((await once(socket, 'data')) as [Buffer])[0] : undefined)
    }
    socket.destroy()
    assert.equal(socket.alpnProtocol, 'postgresql')
    assert.equal(step.result.backendKey?.processId, 4711)
    assert.equal(secure.events.at(-1)?.kind, 'authenticated')
  })

  test('direct TLS without ALPN is refused', async () => {
    const socket = connectTls({ host: secure.host, port: secure.port, ca: authority.cert }).on('error', () => undefined)
    await once(socket, 'close')
    assert.equal(secure.events.at(-1)?.kind, 'violation')
    assert.match(secure.events.at(-1)?.detail ?? '', /without ALPN/)
  })

  test('plain bytes slipped in behind SSLRequest never reach the session', async () => {
    const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
    const socket = connect({ host: secure.host, port: secure.port })
    socket.write(Buffer.concat([sslRequest, Buffer.from('injected')]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.equal(answer.toString('latin1', 0, 1), 'E')
    assert.match(answer.toString(), /received unencrypted data after SSL request/)
    socket.destroy()
  })
})
