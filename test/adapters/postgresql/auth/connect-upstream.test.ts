import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { connectUpstream, sendCancelRequest, type UpstreamConnection, type UpstreamOptions } from '../../../../adapters/postgresql/auth/connect-upstream.ts'
import { parseErrorFields } from '../../../../adapters/postgresql/startup/error-fields.ts'
import { message } from '../../../../adapters/postgresql/startup/message-writer.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'

const authority = createAuthority()
const stranger = createAuthority('A stranger')
const serverCertificate = authority.issue({ commonName: 'db.example', names: ['db.example'] })
const PASSWORD = 'pass word é'
const HBA = `
hostssl all certain  127.0.0.1/32 cert
hostssl all openly   127.0.0.1/32 password
host    all openly   127.0.0.1/32 password
host    all trusted  127.0.0.1/32 trust
host    all digested 127.0.0.1/32 md5
host    all all      127.0.0.1/32 scram-sha-256
`
const ROLES = `
create role openly login password '${PASSWORD}'; create role trusted login; create role certain login;
create role scrammed login password '${PASSWORD}';
set password_encryption = md5; create role digested login password '${PASSWORD}';`

for (const major of [16, 18] as const) {
  describe(`login to PostgreSQL ${major}`, { skip: postgresUnavailable(major) ?? false }, () => {
    let postgres: PostgresServer
    const opened: Socket[] = []

    before(async () => {
      postgres = await startPostgres({ major, hba: HBA, tls: { ...serverCertificate, ca: authority.cert } })
      await postgres.query(ROLES)
    })
    after(async () => {
      for (const socket of opened) socket.destroy()
      await postgres.stop()
    })

    async function connect(options: Partial<UpstreamOptions> = {}): Promise<UpstreamConnection> {
      const { host, port } = postgres
      const all = { host, port, tls: { mode: 'disable' }, user: 'scrammed', password: PASSWORD, database: 'postgres', timeoutMs: 10_000, ...options } as const
      const connection = await connectUpstream(all)
      opened.push(connection.socket)
      return connection
    }

    test('with SCRAM, and everything the server says of itself', async () => {
      const connection = await connect({ parameters: { application_name: 'sallyport test' } })
      assert.equal(connection.method, 'scram-sha-256')
      assert.equal(connection.transactionStatus, 'I')
      assert.equal(connection.leftover.length, 0)
      assert.equal(connection.parameters.get('application_name'), 'sallyport test')
      assert.match(connection.parameters.get('server_version') ?? '', new RegExp(`^${major}\\.`))
      assert.equal(connection.backendKey?.secret.length, 4)
      assert.equal(await firstValue(connection, 'select current_user'), 'scrammed')
    })

    test('with SCRAM bound to the TLS channel', async () => {
      const connection = await connect({ tls: { mode: 'verify-full', ca: authority.cert, serverName: 'db.example', channelBinding: 'require' } })
      assert.equal(connection.method, 'scram-sha-256-plus')
      assert.ok(connection.socket instanceof TLSSocket)
      assert.equal(await firstValue(connection, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'), 't')
    })

    test('with SCRAM not bound, when that is turned off', async () => {
      const connection = await connect({ tls: { mode: 'require', channelBinding: 'disable' } })
      assert.equal(connection.method, 'scram-sha-256')
    })

    test('with md5', async () => {
      const connection = await connect({ user: 'digested' })
      assert.equal(connection.method, 'md5')
    })

    test('with the password in the clear inside TLS, never outside', async () => {
      const connection = await connect({ user: 'openly', tls: { mode: 'require' } })
      assert.equal(connection.method, 'password')
      await assert.rejects(connect({ user: 'openly' }), /asks for the password in the clear, and the connection has no TLS/)
    })

    test('without a password where the server trusts', async () => {
      const connection = await connect({ user: 'trusted', password: undefined })
      assert.equal(connection.method, 'none')
    })

    test('with a client certificate, and not without it', async () => {
      const certificate = authority.issue({ commonName: 'certain' })
      const connection = await connect({ user: 'certain', password: undefined, tls: { mode: 'require', cert: certificate.cert, key: { reveal: () => certificate.key } } })
      assert.equal(connection.method, 'none')
      assert.equal(await firstValue(connection, 'select client_dn from pg_stat_ssl where pid = pg_backend_pid()'), '/CN=certain')
      await assert.rejects(connect({ user: 'certain', password: undefined, tls: { mode: 'require' } }), { name: 'UpstreamError' })
    })

    test('through the unix socket', async () => {
      const connection = await connect({ host: postgres.socketDir, user: 'postgres', password: undefined })
      assert.equal(await firstValue(connection, 'select inet_client_addr() is null'), 't')
      await assert.rejects(connect({ host: postgres.socketDir, tls: { mode: 'require' } }), /TLS is required/)
    })

    test('passes the words of the server on when the password is wrong', async () => {
      await assert.rejects(connect({ password: 'wrong' }), (error: { code: string; fields: { code: string; message: string } }) => {
        assert.equal(error.code, 'TARGET_UNAVAILABLE')
        assert.equal(error.fields.code, '28P01')
        assert.equal(error.fields.message, 'password authentication failed for user "scrammed"')
        return true
      })
      const refused = await refusalOf(connect({ user: 'digested', password: 'wrong' }))
      assert.equal(refused.code, '28P01')
    })

    test('says that a password is missing', async () => {
      await assert.rejects(connect({ password: undefined }), /asks for a password, and the configuration has none/)
    })

    test('passes on that the database does not exist', async () => {
      const refused = await refusalOf(connect({ database: 'nowhere' }))
      assert.equal(refused.code, '3D000')
    })

    test('verify-full refuses a name that the certificate has not; verify-ca does not ask', async () => {
      const ca = authority.cert
      await assert.rejects(connect({ tls: { mode: 'verify-full', ca } }), /TLS with the target failed: .*IP: 127\.0\.0\.1 is not in the cert/)
      await assert.rejects(connect({ tls: { mode: 'verify-full', ca, serverName: 'other.example' } }), /does not match certificate's altnames/)
      assert.equal((await connect({ tls: { mode: 'verify-ca', ca } })).transactionStatus, 'I')
    })

    test('a chain that leads elsewhere is refused as soon as there is something to check it by', async () => {
      const ca = stranger.cert
      for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
        await assert.rejects(connect({ tls: { mode, ca, serverName: 'db.example' } }), /TLS with the target failed/)
      }
      await assert.rejects(connect({ tls: { mode: 'verify-full', serverName: 'db.example' } }), /TLS with the target failed/)
    })

    test(`is given a cancel key of ${major >= 18 ? 32 : 4} bytes when it asks for protocol 3.2`, async () => {
      const connection = await connect({ protocolMinor: 2 })
      assert.equal(connection.protocolMinor, major >= 18 ? 2 : 0)
      assert.equal(connection.backendKey?.secret.length, major >= 18 ? 32 : 4)
      await cancelsWith(connection, { mode: 'disable' })
    })

    test('cancels through TLS', async () => {
      const tls = { mode: 'verify-full', ca: authority.cert, serverName: 'db.example' } as const
      await cancelsWith(await connect({ tls }), tls)
    })

    async function cancelsWith(connection: UpstreamConnection, tls: UpstreamOptions['tls']): Promise<void> {
      const running = answer(connection, 'select pg_sleep(60)')
      const asleep = `select 1 from pg_stat_activity where pid = ${connection.backendKey?.processId} and wait_event = 'PgSleep'`
      while ((await postgres.query(asleep)).length === 0) await new Promise(setImmediate)
      const key = connection.backendKey ?? assert.fail()
      await sendCancelRequest({ host: postgres.host, port: postgres.port, tls, key, timeoutMs: 10_000 })
      const error = (await running).find(({ type }) => type === 'E') ?? assert.fail()
      assert.equal(parseErrorFields(error.body).code, '57014')
    }

    test('nothing is lost between login and the first reader, however late it comes', async () => {
      for (const takeOver of [byEvents, byHandle]) {
        const connection = await connect({ user: 'trusted', password: undefined })
        connection.socket.write(message('Q', 'select 1'))
        await postgres.query(`select pg_terminate_backend(${connection.backendKey?.processId}, 5000)`)
        const bytes = await takeOver(connection)
        assert.match(bytes.toString('latin1'), /C57P01/)
      }
    })

    test('gives up when the signal aborts', async () => {
      await assert.rejects(connect({ signal: AbortSignal.abort() }), /aborted/)
    })
  })
}

describe('targets that are not what they should be', () => {
  const servers: Server[] = []
  after(() => { for (const server of servers) server.close() })

  async function target(onConnection: (socket: Socket) => void): Promise<UpstreamOptions> {
    const server = createServer((socket) => onConnection(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    return { host: '127.0.0.1', port, tls: { mode: 'prefer' }, user: 'u', password: 'p', database: 'd', timeoutMs: 5000 }
  }

  test('bytes slipped in behind the answer to SSLRequest are refused', async () => {
    const options = await target((socket) => socket.on('data', () => socket.write('Sinjected')))
    await assert.rejects(connectUpstream(options), /sent unencrypted data before TLS/)
  })

  test('a target without TLS is refused where TLS is required', async () => {
    const options = await target((socket) => socket.on('data', () => socket.write('N')))
    await assert.rejects(connectUpstream({ ...options, tls: { mode: 'require' } }), /TLS is required, and the target does not offer it/)
  })

  test('an error in answer to SSLRequest is not believed', async () => {
    const options = await target((socket) => socket.on('data', () => socket.write('E')))
    await assert.rejects(connectUpstream(options), /does not understand a request for TLS/)
  })

  test('a silent target is given up in time', async () => {
    const options = await target(() => undefined)
    await assert.rejects(connectUpstream({ ...options, timeoutMs: 50 }), /did not answer within 50 ms/)
  })

  test('a target that hangs up is an error, not a wait', async () => {
    const options = await target((socket) => socket.end())
    await assert.rejects(connectUpstream({ ...options, tls: { mode: 'disable' } }), /closed the connection/)
  })

  test('a port where nobody listens is an error with its cause', async () => {
    const options = await target(() => undefined)
    const gone = servers.pop() ?? assert.fail()
    gone.close()
    await once(gone, 'close')
    await assert.rejects(connectUpstream(options), (error: Error) => /no connection to the target/.test(error.message) && (error.cause as NodeJS.ErrnoException).code === 'ECONNREFUSED')
  })
})

async function refusalOf(connecting: Promise<unknown>): Promise<{ code?: string; message?: string }> {
  return connecting.then(() => assert.fail('it was let in'), (error: { fields: { code: string } }) => error.fields)
}

interface Answer { readonly type: string; readonly body: Buffer }

/** Messages up to ReadyForQuery. */
async function answer({ socket }: UpstreamConnection, sql: string): Promise<Answer[]> {
  const answers: Answer[] = []
  let bytes: Buffer = Buffer.alloc(0)
  socket.write(message('Q', sql))
  while (answers.at(-1)?.type !== 'Z') {
    bytes = Buffer.concat([bytes, ...((await once(socket, 'data')) as [Buffer])])
    for (let length = next(bytes); length !== undefined; length = next(bytes)) {
      answers.push({ type: bytes.toString('latin1', 0, 1), body: bytes.subarray(5, length) })
      bytes = bytes.subarray(length)
    }
  }
  return answers
}

function next(bytes: Buffer): number | undefined {
  if (bytes.length < 5) return undefined
  const length = bytes.readUInt32BE(1) + 1
  return bytes.length < length ? undefined : length
}

async function firstValue(connection: UpstreamConnection, sql: string): Promise<string> {
  const row = (await answer(connection, sql)).find(({ type }) => type === 'D') ?? assert.fail()
  return row.body.toString('utf8', 6)
}

async function byEvents({ socket }: UpstreamConnection): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks)
}

/** As a session does, to read without streams. */
async function byHandle({ socket }: UpstreamConnection): Promise<Buffer> {
  const holder = socket as Socket & { _handle: unknown }
  const chunks: Buffer[] = []
  const callback = (length: number, buffer: Uint8Array): boolean => {
    chunks.push(Buffer.from(buffer.subarray(0, length)))
    return true
  }
  const options = { handle: holder._handle, onread: { buffer: Buffer.alloc(65536), callback } }
  holder._handle = null
  const taken = new Socket(options as ConstructorParameters<typeof Socket>[0])
  taken.on('error', () => undefined).resume()
  await once(taken, 'close')
  return Buffer.concat(chunks)
}
