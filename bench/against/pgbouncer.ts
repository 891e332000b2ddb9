import { startChild } from './child.ts'
import type { Contender, Endpoint } from './contender.ts'

export interface PgbouncerOptions {
  readonly program: string
  readonly target: Endpoint
  /** The role's SCRAM verifier as the server keeps it: with it PgBouncer logs in on both sides without hashing a password. */
  readonly verifier: string
}

/** PgBouncer with session pooling, SCRAM on both sides, no TLS, no log of connections; everything else as it comes. */
export async function startPgbouncer({ program, target, verifier }: PgbouncerOptions): Promise<Contender> {
  const child = await startChild({
    program,
    files: (port) => ({ 'pgbouncer.ini': configuration(target, port), 'users.txt': `"${target.user}" "${verifier}"\n` }),
    args: ['pgbouncer.ini'],
  })
  return { name: 'pgbouncer', endpoint: { ...target, port: child.port }, pid: child.pid, [Symbol.asyncDispose]: child.stop }
}

function configuration({ host, port, database }: Endpoint, listenPort: number): string {
  return `[databases]
${database} = host=${host} port=${port} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = session
max_client_conn = 4000
default_pool_size = 2000
client_tls_sslmode = disable
server_tls_sslmode = disable
log_connections = 0
log_disconnections = 0
`
}
