import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type AcceptedTls, acceptTls, type AcceptTlsOptions, createServerTls, type ServerTls, tlsServerEndPoint } from '../../../adapters/shared/tls.ts'
import { createAuthority } from '../../support/certificates.ts'

const authority = createAuthority()
const stranger = createAuthority('A stranger')
const certificate = authority.issue({ commonName: 'localhost', names: ['localhost'] })

describe('settings for TLS', () => {
  test('that do not fit together are refused, and show no key', () => {
    const other = authority.issue({ commonName: 'other' })
    const wrong: [{ cert: string; key: string; ca?: string }, RegExp][] = [
      [{ cert: certificate.cert, key: other.key }, /private key does not belong/],
      [{ cert: 'no certificate', key: certificate.key }, /the certificate cannot be used/],
      [{ cert: certificate.cert, key: 'no key' }, /the private key cannot be used/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => createServerTls(options), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /BEGIN|no key|no certificate/)
        return true
      })
    }
  })

  test('channel binding goes by the hash of the signature', () => {
    for (const digest of ['sha256', 'sha384', 'sha512'] as const) {
      const parsed = new X509Certificate(authority.issue({ commonName: 'x', digest }).cert)
      assert.deepEqual(tlsServerEndPoint(parsed), createHash(digest).update(parsed.raw).digest())
    }
  })
})

describe('a handshake on a socket in use', () => {
  const servers: Server[] = []
  after(() => { for (const server of servers) server.close() })

  /** One accepted connection: what the listener saw, and what the client came to. */
  async function meet(tls: ServerTls, client: ConnectionOptions, options: AcceptTlsOptions = {}): Promise<[PromiseSettledResult<AcceptedTls>, PromiseSettledResult<TLSSocket>]> {
    const { server, port } = await listen()
    const accepted = once(server, 'connection').then(([socket]) => acceptTls(socket as Socket, tls, options))
    const connected = secured(connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.cert, ...client }))
    const results = await Promise.allSettled([accepted, connected])
    return results
  }

  async function listen(): Promise<{ server: Server; port: number }> {
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return { server, port: (server.address() as { port: number }).port }
  }

  async function secured(socket: TLSSocket): Promise<TLSSocket> {
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }

  function value<T>(result: PromiseSettledResult<T>): T {
    if (result.status === 'rejected') throw result.reason
    return result.value
  }

  function reason(result: PromiseSettledResult<AcceptedTls>): { code: string; message: string } {
    assert.equal(result.status, 'rejected')
    return (result as PromiseRejectedResult).reason
  }

  test('gives a socket that carries bytes both ways', async () => {
    const [accepted, connected] = await meet(createServerTls(certificate), {})
    const [server, client] = [value(accepted), value(connected)]
    client.write('question')
    assert.equal(String((await once(server.socket, 'data'))[0]), 'question')
    server.socket.end('answer')
    assert.equal(String((await once(client, 'data'))[0]), 'answer')
    assert.equal(server.clientCertificate, undefined)
    client.destroy()
  })

  test('refuses TLS 1.1', async () => {
    const [accepted] = await meet(createServerTls(certificate), { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    assert.equal(reason(accepted).code, 'PROTOCOL_VIOLATION')
    assert.match(reason(accepted).message, /unsupported protocol/i)
  })

  test('verifies a client certificate that is shown, and hands it over', async () => {
    const own = authority.issue({ commonName: 'ann' })
    const [accepted, connected] = await meet(createServerTls({ ...certificate, ca: authority.cert }), own)
    assert.equal(value(accepted).clientCertificate?.subject, 'CN=ann')
    value(connected).destroy()
  })

  test('lets a client in without one where it is optional, and not where it is required', async () => {
    const [optional, connected] = await meet(createServerTls({ ...certificate, ca: authority.cert }), {})
    assert.equal(value(optional).clientCertificate, undefined)
    value(connected).destroy()
    const [required] = await meet(createServerTls({ ...certificate, ca: authority.cert, clientCertificates: 'required' }), {})
    assert.match(reason(required).message, /peer did not return a certificate/)
  })

  test('refuses a certificate of a stranger either way', async () => {
    const forged = stranger.issue({ commonName: 'ann' })
    for (const clientCertificates of ['optional', 'required'] as const) {
      const [accepted] = await meet(createServerTls({ ...certificate, ca: authority.cert, clientCertificates }), forged)
      assert.match(reason(accepted).message, /client certificate refused: UNABLE_TO_/)
    }
  })

  test('refuses a client that speaks another protocol by ALPN', async () => {
    const [accepted] = await meet(createServerTls({ ...certificate, alpn: ['postgresql'] }), { ALPNProtocols: ['h2'] })
    assert.equal(reason(accepted).code, 'PROTOCOL_VIOLATION')
  })

  test('takes up a handshake whose beginning was read already', async () => {
    const { server, port } = await listen()
    const accepted = once(server, 'connection').then(async ([socket]: Socket[]) => {
      const [beginning] = (await once(socket ?? assert.fail(), 'data')) as [Buffer]
      socket?.pause().removeAllListeners('data')
      return acceptTls(socket ?? assert.fail(), createServerTls({ ...certificate, alpn: ['postgresql'] }), { handshake: beginning, requireAlpn: true })
    })
    const client = await secured(connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.cert, ALPNProtocols: ['postgresql'] }))
    client.write('hello')
    assert.equal(String((await once((await accepted).socket, 'data'))[0]), 'hello')
    client.destroy()
  })

  test('is not begun when bytes came in the clear behind the request', async () => {
    const { server, port } = await listen()
    const accepted = once(server, 'connection').then(([socket]) => acceptTls(socket as Socket, createServerTls(certificate), { answer: Buffer.from('S'), buffered: Buffer.from('x') }))
    const client = connect(port, '127.0.0.1').on('error', () => undefined)
    await assert.rejects(accepted, /received unencrypted data after SSL request/)
    const received: Buffer[] = []
    client.on('data', (chunk: Buffer) => received.push(chunk))
    await once(client, 'close')
    assert.equal(Buffer.concat(received).length, 0)
  })

  test('is not begun when bytes wait in the stream', async () => {
    const { server, port } = await listen()
    const client = connect(port, '127.0.0.1').on('error', () => undefined)
    const [socket] = (await once(server, 'connection')) as [Socket]
    client.write('injected')
    socket.on('readable', () => undefined)
    while (socket.readableLength === 0) await once(socket, 'readable')
    socket.removeAllListeners('readable')
    await assert.rejects(acceptTls(socket, createServerTls(certificate)), /received unencrypted data after SSL request/)
    client.destroy()
  })

  test('ends a client that stays silent, leaves, talks nonsense, or is no longer wanted', async () => {
    const endings: [AcceptTlsOptions, (client: Socket) => void, RegExp][] = [
      [{ timeoutMs: 20 }, () => undefined, /timed out/],
      [{}, (client) => client.destroy(), /closed|ECONNRESET|disconnected/],
      [{}, (client) => client.write('GET / HTTP/1.1\r\n\r\n'), /TLS handshake failed/],
      [{ signal: AbortSignal.timeout(20) }, () => undefined, /aborted/],
    ]
    for (const [options, act, message] of endings) {
      const { server, port } = await listen()
      const accepted = once(server, 'connection').then(([socket]) => acceptTls(socket as Socket, createServerTls(certificate), options))
      const client = connect(port, '127.0.0.1', () => act(client)).on('error', () => undefined)
      await assert.rejects(accepted, message)
      client.destroy()
    }
  })
})
