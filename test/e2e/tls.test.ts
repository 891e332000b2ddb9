import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { createServerTls } from '../../adapters/shared/tls.ts'
import { createAuthority, type Certificate } from '../support/certificates.ts'
import { cstring, startup } from '../support/compare-messages.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { psqlUnavailable, runPsql, type PsqlResult } from '../support/psql.ts'

const SSL_REQUEST = startup(80_877_103)
const authority = createAuthority()
const stranger = createAuthority('Somebody else')
const good = authority.issue({ commonName: 'gateway', names: ['127.0.0.1', 'localhost'] })
const people = { ada: { password: 'ada secret' } }

const listenerTls = ({ cert, key }: Certificate): ReturnType<typeof createServerTls> => createServerTls({ cert, key, alpn: ['postgresql'] })

describe('TLS from the client to the gateway', () => {
  let server: PostgresServer
  let gateway: TestGateway
  let misnamed: TestGateway
  let plain: TestGateway
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
    await writeFile(join(folder, 'ca.pem'), authority.cert)
    await writeFile(join(folder, 'stranger.pem'), stranger.cert)
    server = await startPostgres({ major: 18 })
    gateway = await startGateway({ postgres: server, people, listener: { tls: listenerTls(good), tlsRequired: true } })
    const other = authority.issue({ commonName: 'other', names: ['other.example'] })
    misnamed = await startGateway({ postgres: server, people, listener: { tls: listenerTls(other) } })
    plain = await startGateway({ postgres: server, people })
  })
  after(async () => {
    for (const one of [gateway, misnamed, plain]) await one?.stop()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const psql = (to: TestGateway, env: Record<string, string>, input = 'select 42 as answer;\n'): Promise<PsqlResult> =>
    runPsql({ host: '127.0.0.1', port: to.port, user: 'ada', password: 'ada secret', database: 'postgres', args: ['-At'], input, env: { PGSSLROOTCERT: join(folder, 'ca.pem'), ...env } })

  describe('with psql', { skip: psqlUnavailable() ?? false }, () => {
    for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
      it(`sslmode=${mode} gets in, with channel binding`, async () => {
        const { stdout, stderr } = await psql(gateway, { PGSSLMODE: mode, PGCHANNELBINDING: 'require' }, 'select 42 as answer;\n\\conninfo\n')
        assert.equal(stderr, '')
        assert.match(stdout, /^42\n[^]*SSL connection \(protocol: TLSv1\.3/)
        const { data } = await gateway.until('session.opened.v1', (event) => event.data.identity.method === 'scram-sha-256-plus')
        assert.equal(data.tls, true)
      })
    }

    it('sslmode=verify-full refuses a certificate for another name', async () => {
      const { stderr, code } = await psql(misnamed, { PGSSLMODE: 'verify-full' })
      assert.equal(code, 2)
      assert.match(stderr, /server certificate for "other(\.example)?" .*does not match host name/)
      assert.equal((await psql(misnamed, { PGSSLMODE: 'verify-ca' })).stdout, '42\n')
    })

    it('sslmode=verify-ca refuses an authority it does not know', async () => {
      const { stderr } = await psql(gateway, { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: join(folder, 'stranger.pem') })
      assert.match(stderr, /certificate verify failed/)
    })

    it('sslmode=disable is refused where TLS is required, in words that say what to do', async () => {
      const { stderr, code } = await psql(gateway, { PGSSLMODE: 'disable' })
      assert.equal(code, 2)
      assert.match(stderr, /FATAL: {2}this gateway takes only TLS connections\nHINT: {2}Connect with sslmode=require or stronger\./)
      const { data } = await gateway.until('access.refused.v1', (event) => event.data.code === 'tls-required')
      assert.deepEqual([data.claimedSubject, data.target], ['ada', 'postgres'])
    })

    it('sslmode=require finds out that a gateway without a certificate has none', async () => {
      assert.match((await psql(plain, { PGSSLMODE: 'require' })).stderr, /server does not support SSL, but SSL was required/)
      assert.equal((await psql(plain, { PGSSLMODE: 'prefer' })).stdout, '42\n')
      assert.match((await psql(plain, { PGSSLMODE: 'prefer', PGCHANNELBINDING: 'require' })).stderr, /channel binding/)
    })

    it('a result of 20 MB comes through TLS whole', async () => {
      const { stdout } = await psql(gateway, { PGSSLMODE: 'require' }, "select repeat('x', 20000000);\n")
      assert.equal(stdout.length, 20_000_001)
    })
  })

  it('serves node-postgres with verification', async () => {
    const client = new pg.Client({ host: '127.0.0.1', port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres', ssl: { ca: authority.cert }, enableChannelBinding: true })
    await client.connect()
    assert.equal((await client.query('select 42 as answer')).rows[0]?.answer, 42)
    await client.end()
  })

  /** What the gateway says first; nothing when it closes instead. */
  const direct = async (options: ConnectionOptions): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port: gateway.port, ca: authority.cert, ...options })
    const { promise, resolve } = Promise.withResolvers<string>()
    socket.on('data', (first: Buffer) => resolve(first.toString('latin1'))).on('close', () => resolve('')).on('error', () => resolve(''))
    socket.write(startup(196_608, cstring('user'), cstring('ada'), cstring('database'), cstring('postgres'), Buffer.of(0)))
    return promise.finally(() => socket.destroy())
  }

  it('takes TLS directly, without SSLRequest, from a client that says what it will speak (ALPN)', async () => {
    const first = await direct({ ALPNProtocols: ['postgresql'] })
    assert.match(first, /^R.*SCRAM-SHA-256-PLUS/s)
  })

  it('refuses TLS directly from a client that does not, or speaks something else', async () => {
    assert.equal(await direct({}), '')
    assert.equal(await direct({ ALPNProtocols: ['h2'] }), '')
    await gateway.until('access.refused.v1', (event) => event.data.code === 'protocol-violation')
  })

  it('drops a client that sends plain bytes behind its SSLRequest', async () => {
    const socket = connectSocket({ host: '127.0.0.1', port: gateway.port })
    socket.write(Buffer.concat([SSL_REQUEST, startup(196_608, cstring('user'), cstring('ada'), Buffer.of(0))]))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
    await once(socket, 'close')
    const said = Buffer.concat(chunks).toString('latin1')
    assert.ok(!said.startsWith('S'), said)
    const { data } = await gateway.until('access.refused.v1', (event) => event.data.message.includes('unencrypted data'))
    assert.equal(data.code, 'protocol-violation')
  })

  it('a handshake that is garbage is refused, and recorded', async () => {
    const socket = connectSocket({ host: '127.0.0.1', port: gateway.port })
    socket.on('error', () => undefined)
    socket.write(SSL_REQUEST)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.equal(answer.toString('latin1'), 'S')
    const before = (await gateway.events()).filter(({ type }) => type === 'access.refused.v1').length
    socket.on('data', () => undefined).end('this is no handshake')
    await once(socket, 'close')
    const refused = async (): Promise<number> => (await gateway.events()).filter(({ type }) => type === 'access.refused.v1').length
    while ((await refused()) === before);
  })
})
