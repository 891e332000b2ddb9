import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unprivilegedUser } from '../../test/support/postgres-binaries.ts'
import { startChild } from './child.ts'
import type { Contender, Endpoint } from './contender.ts'

export interface PgbouncerOptions {
  readonly program: string
  /** Its configuration is written here. */
  readonly folder: string
  readonly target: Endpoint
  /** The role's SCRAM verifier as the server keeps it: with it PgBouncer logs in on both sides without hashing a password. */
  readonly verifier: string
}

/** PgBouncer with session pooling, SCRAM on both sides, no TLS, no log of connections; everything else as it comes. */
export async function startPgbouncer({ program, folder, target, verifier }: PgbouncerOptions): Promise<Contender> {
  const owner = unprivilegedUser()
  const own = join(folder, 'pgbouncer')
  mkdirSync(own, { recursive: true })
  const write = (name: string, text: string): string => {
    const path = join(own, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
    return path
  }
  const users = write('users.txt', `"${target.user}" "${verifier}"\n`)
  const child = await startChild({ program, owner, prepare: (port) => ['-q', write('pgbouncer.ini', configuration(target, users, port))] })
  return { name: 'pgbouncer', endpoint: { ...target, port: child.port }, pid: child.pid, [Symbol.asyncDispose]: child.stop }
}

function configuration({ host, port, database }: Endpoint, users: string, listenPort: number): string {
  return `[databases]
${database} = host=${host} port=${port} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = session
max_client_conn = 4000
default_pool_size = 2000
client_tls_sslmode = disable
server_tls_sslmode = disable
log_connections = 0
log_disconnections = 0
`
}
