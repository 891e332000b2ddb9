import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import type { PostgresTarget } from '../../adapters/postgresql/target.ts'
import { createAuthority } from '../support/certificates.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresOptions, type PostgresServer } from '../support/postgres-server.ts'

const authority = createAuthority()
const stranger = createAuthority('Somebody else')
const certificate = authority.issue({ commonName: 'target', names: ['127.0.0.1', 'db.example'] })
const clientCertificate = authority.issue({ commonName: 'postgres' })
const tls = { ...certificate, ca: authority.cert }
const only = (method: string): string => `hostssl all all 127.0.0.1/32 ${method}`

interface Login { postgres: Partial<PostgresOptions>; target: Partial<PostgresTarget>; method: string }

const full = { mode: 'verify-full', ca: authority.cert } as const
const LOGINS: Record<string, Login> = {
  'SCRAM, verify-full, with channel binding': { postgres: { tls, hba: only('scram-sha-256') }, target: { tls: { ...full, channelBinding: 'require' } }, method: 'scram-sha-256' },
  'SCRAM without TLS': { postgres: {}, target: { tls: { mode: 'disable' } }, method: 'scram-sha-256' },
  'SCRAM, verify-full by another name than the host': { postgres: { tls, hba: only('scram-sha-256') }, target: { tls: { ...full, serverName: 'db.example' } }, method: 'scram-sha-256' },
  'md5 in TLS': { postgres: { tls, hba: only('md5'), settings: { password_encryption: 'md5' } }, target: { tls: full }, method: 'md5' },
  'md5 without TLS': { postgres: { hba: 'host all all 127.0.0.1/32 md5', settings: { password_encryption: 'md5' } }, target: { tls: { mode: 'disable' } }, method: 'md5' },
  'a password in the clear, in TLS': { postgres: { tls, hba: only('password') }, target: { tls: { mode: 'require' } }, method: 'password' },
  'a client certificate': { postgres: { tls, hba: only('cert') }, target: { tls: { ...full, cert: clientCertificate.cert, key: clientCertificate.key }, password: undefined }, method: 'cert' },
}

const FAILURES: Record<string, Omit<Login, 'method'>> = {
  'a certificate for another name': { postgres: { tls }, target: { tls: { ...full, serverName: 'other.example' } } },
  'an authority that is not trusted': { postgres: { tls }, target: { tls: { mode: 'verify-ca', ca: stranger.cert } } },
  'a target without TLS where it is required': { postgres: {}, target: { tls: { mode: 'require' } } },
  'a password in the clear without TLS': { postgres: { hba: 'host all all 127.0.0.1/32 password' }, target: { tls: { mode: 'prefer' } } },
  'a wrong password': { postgres: {}, target: { password: { reveal: () => 'not it, and very secret' } } },
  'no password': { postgres: {}, target: { password: undefined } },
  'a certificate that names somebody else': { postgres: { tls, hba: only('cert') }, target: { tls: { ...full, cert: certificate.cert, key: certificate.key } } },
}

async function setUp({ postgres, target }: Omit<Login, 'method'>): Promise<{ server: PostgresServer; gateway: TestGateway } & AsyncDisposable> {
  const server = await startPostgres({ major: 18, ...postgres })
  const gateway = await startGateway({ postgres: server, people: { ada: { password: 'ada secret' } }, target })
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await server.stop()
  }
  return { server, gateway, [Symbol.asyncDispose]: stop }
}

function clientOf(gateway: TestGateway): pg.Client {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' })
  return client.on('error', () => undefined)
}

describe('the login at the target', () => {
  for (const [name, login] of Object.entries(LOGINS)) {
    it(`works with ${name}`, async () => {
      await using set = await setUp(login)
      const client = clientOf(set.gateway)
      await client.connect()
      const { rows } = await client.query<{ method: string; ssl: boolean }>("select split_part(coalesce(system_user, 'trust'), ':', 1) as method, ssl from pg_stat_ssl where pid = pg_backend_pid()")
      assert.deepEqual(rows, [{ method: login.method, ssl: login.target.tls?.mode !== 'disable' }])
      await client.end()
    })
  }

  for (const [name, login] of Object.entries(FAILURES)) {
    it(`fails clearly with ${name}, without a word about the credential`, async () => {
      await using set = await setUp(login)
      await assert.rejects(clientOf(set.gateway).connect(), (error: pg.DatabaseError) => {
        assert.equal(error.code, '08006')
        assert.equal(error.message, 'target "shop" cannot be reached')
        assert.match(String(error.hint), /The gateway is fine/)
        return true
      })
      const { data } = await set.gateway.until('access.refused.v1', (event) => event.data.code === 'target-unavailable')
      assert.deepEqual([data.claimedSubject, data.target, data.message], ['ada', 'shop', 'target "shop" cannot be reached'])
      assert.doesNotMatch(JSON.stringify(await set.gateway.events(), bigints), /very secret|superuser secret/)
    })
  }
})

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
