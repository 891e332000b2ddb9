/** Runs one scenario directly and through a gateway that allows everything, and holds the two against each other. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { RawClient, type Address, type OpenOptions } from './compare-client.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'
import { postgresUnavailable, startPostgres, type PostgresMajor, type PostgresOptions, type PostgresServer } from './postgres-server.ts'
import { runPsql, type PsqlOptions, type PsqlResult } from './psql.ts'

/** One way to the server, for one run of a scenario. */
export interface Side {
  readonly name: 'directly' | 'through the gateway'
  readonly address: Address
  readonly server: PostgresServer
  /** A raw client; what it receives is part of the comparison. */
  readonly open: (options?: OpenOptions) => Promise<RawClient>
  /** A node-postgres client, ended after the run. */
  readonly connect: (config?: pg.ClientConfig) => Promise<pg.Client>
  readonly psql: (input: string, options?: Partial<PsqlOptions>) => Promise<PsqlResult>
}

/** What it returns is compared, and so is all that its raw clients received. */
export type Scenario = (side: Side) => Promise<unknown>

export interface Pair {
  readonly server: PostgresServer
  readonly gateway: TestGateway
  readonly direct: Address
  readonly through: Address
  stop(): Promise<void>
}

/** The gateway knows its one person under the server's own user and password, so that clients differ in nothing but the port. */
export async function startPair(major: PostgresMajor, options: Partial<PostgresOptions> = {}, gatewayOptions: Partial<TestGatewayOptions> = {}): Promise<Pair> {
  const server = await startPostgres({ major, ...options, settings: { max_prepared_transactions: '10', wal_level: 'logical', ...options.settings } })
  const gateway = await startGateway({ postgres: server, people: { [server.user]: { password: server.password } }, target: { fastpath: true }, ...gatewayOptions })
  const common = { user: server.user, password: server.password, database: 'postgres' }
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await server.stop()
  }
  return { server, gateway, direct: { ...common, host: server.host, port: server.port }, through: { ...common, host: gateway.host, port: gateway.port }, stop }
}

/** Runs the scenario both ways, each in an emptied database, and fails where they differ. Returns what came of it directly. */
export async function compare(pair: Pair, scenario: Scenario): Promise<unknown> {
  const expected = await run(pair, 'directly', scenario)
  const actual = await run(pair, 'through the gateway', scenario)
  actual.transcripts.forEach((transcript, index) => assertSame(transcript, expected.transcripts[index] ?? [], index))
  assert.deepEqual(actual, expected)
  return expected.result
}

/** Says where two long lists part, in place of showing them both. */
function assertSame(actual: readonly string[], expected: readonly string[], client: number): void {
  const at = expected.findIndex((line, index) => line !== actual[index])
  if (at < 0 && actual.length === expected.length) return
  const from = at < 0 ? expected.length : at
  const shown = (lines: readonly string[]): string => lines.slice(from, from + 3).map((line) => `\n    ${line}`).join('') || '\n    (nothing more)'
  assert.fail(`client ${client}, message ${from}, behind ${expected[from - 1] ?? 'nothing'}:\n  directly${shown(expected)}\n  through the gateway${shown(actual)}`)
}

/** A `describe` block: every scenario is a test, for every major that can be started here. */
export function describeTransparency(topic: string, scenarios: Readonly<Record<string, Scenario>>, majors: readonly PostgresMajor[] = [18, 16]): void {
  for (const major of majors) {
    const unavailable = postgresUnavailable(major)
    describe(`${topic}, PostgreSQL ${major}`, { skip: unavailable ?? false }, () => {
      let pair: Pair | undefined
      before(async () => {
        pair = await startPair(major)
      })
      after(async () => pair?.stop())
      for (const [name, scenario] of Object.entries(scenarios)) {
        it(name, { timeout: 120_000 }, async () => {
          assert.ok(pair !== undefined)
          await compare(pair, scenario)
        })
      }
    })
  }
}

interface Run {
  readonly result: unknown
  readonly transcripts: readonly (readonly string[])[]
}

async function run(pair: Pair, name: Side['name'], scenario: Scenario): Promise<Run> {
  await pair.server.query('drop schema public cascade; create schema public')
  const address = name === 'directly' ? pair.direct : pair.through
  const raws: RawClient[] = []
  const clients: pg.Client[] = []
  const oids = new Map<number, number>()
  const side: Side = {
    name, address, server: pair.server,
    open: async (options) => kept(raws, await RawClient.open(address, options, oids)),
    connect: async (config) => kept(clients, await connected({ ...address, ...config })),
    psql: async (input, options) => withoutOids(await runPsql({ ...address, input, args: ['-v', 'VERBOSITY=verbose', '-v', 'SHOW_CONTEXT=always', '-a'], ...options })),
  }
  try {
    const result = await scenario(side)
    await Promise.all(raws.map((client) => client.close()))
    return { result, transcripts: raws.map(({ transcript }) => transcript) }
  } finally {
    for (const raw of raws) raw.destroy()
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
}

/** OIDs of what a scenario makes differ from run to run. */
function withoutOids({ stdout, stderr, code }: PsqlResult): PsqlResult {
  const without = (text: string): string => text.replace(/'\d{5}'|\b(?<=lo_import |lo_unlink |LASTOID |oid = )\d{5}/g, "OID")
  return { stdout: without(stdout), stderr: without(stderr), code }
}

function kept<T>(list: T[], item: T): T {
  list.push(item)
  return item
}

async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** What a query of node-postgres came to, error or not, in a form that can be compared. */
export async function outcomeOf(query: Promise<pg.QueryResult | pg.QueryResult[]>): Promise<unknown> {
  try {
    const results = await query
    return (Array.isArray(results) ? results : [results]).map(({ command, rowCount, rows, fields }) => {
      return { command, rowCount, rows, fields: fields.map(({ name, dataTypeID, dataTypeSize, dataTypeModifier, format }) => ({ name, dataTypeID, dataTypeSize, dataTypeModifier, format })) }
    })
  } catch (error) {
    const { code, message, detail, hint, position, severity, where, schema, table, column, constraint } = error as pg.DatabaseError
    return { code, message, detail, hint, position, severity, where, schema, table, column, constraint }
  }
}
