import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../test/support/postgres-server.ts'
import type { Endpoint } from './contender.ts'

/**
 * No fsync and no autovacuum: the target is there to be fast, so that what stands before it shows.
 * Every way to it is measured against the same server.
 */
const SETTINGS = {
  max_connections: '1200', shared_buffers: '512MB', max_wal_size: '4GB', wal_level: 'minimal', max_wal_senders: '0', autovacuum: 'off', jit: 'off',
}
const PASSWORD = 'bench secret'

export interface TargetOptions {
  /** Rows of `people` and `parcels`. */
  readonly rows: number
  /** pgbench's scale: 100,000 accounts each; 0: without its tables. */
  readonly scale: number
  readonly pgbench: string | undefined
}

export interface Target extends AsyncDisposable {
  readonly endpoint: Endpoint
  readonly major: number
  readonly settings: Readonly<Record<string, string>>
  /** Of the role that everybody logs in as. */
  readonly verifier: string
  query(sql: string): Promise<Record<string, unknown>[]>
}

/** Debian's PostgreSQL 15 when it is there, else the one from the package; in a folder of its own, as an unprivileged user. */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const major = postgresUnavailable(15) === undefined ? 15 : 18
  const server = await startPostgres({ major, settings: SETTINGS })
  try {
    await server.query(`CREATE ROLE ada LOGIN PASSWORD '${PASSWORD}'`)
    await server.query('CREATE DATABASE bench OWNER ada')
    const endpoint = { host: server.host, port: server.port, user: 'ada', password: PASSWORD, database: 'bench' }
    await load(server, endpoint, options)
    const [role] = await server.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'ada'")
    const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', ...SETTINGS }
    return { endpoint, major, settings, verifier: String(role?.['rolpassword']), query: (sql) => server.query(sql, 'bench'), [Symbol.asyncDispose]: () => server.stop() }
  } catch (cause) {
    await server.stop()
    throw cause
  }
}

async function load(server: PostgresServer, endpoint: Endpoint, { rows, scale, pgbench }: TargetOptions): Promise<void> {
  for (const table of ['people', 'parcels']) await server.query(fill(table, rows), 'bench')
  if (pgbench !== undefined && scale > 0) {
    const { host, port, user, password, database } = endpoint
    const args = ['-i', '-q', '-I', 'dtGp', '-s', String(scale), '-h', host, '-p', String(port), '-U', user, database]
    await promisify(execFile)(pgbench, args, { env: { ...process.env, PGPASSWORD: password } })
  }
  await server.query('VACUUM ANALYZE', 'bench')
  await server.query('CHECKPOINT', 'bench')
}

/** Rows of about 100 bytes. Both tables hold the same; rules mask `email` and `phone` of `people`. */
function fill(table: string, rows: number): string {
  return `
    CREATE TABLE public.${table} (id int PRIMARY KEY, email text NOT NULL, phone text NOT NULL, name text NOT NULL, note text NOT NULL);
    INSERT INTO public.${table}
      SELECT i, 'person.' || i || '@example.com', '+44 20 7946 ' || lpad((i % 10000)::text, 4, '0'), 'Somebody Number ' || i, 'leave it with neighbour ' || i % 97
      FROM generate_series(1, ${rows}) AS i;
    ALTER TABLE public.${table} OWNER TO ada;`
}
