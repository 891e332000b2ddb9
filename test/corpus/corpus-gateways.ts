/** Servers and gateways that the corpus is run against. */
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Projections, standardProjections } from '../../projections/index.ts'
import { secretIn } from '../fault/disguises.ts'
import { bytesOf } from '../fault/stored-bytes.ts'
import type { RawLogin } from '../fault/raw-client.ts'
import { REVIEWER, startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { CORPUS_CLASSES, CORPUS_SECRETS, CORPUS_SQL, TWIN_SQL } from './corpus-shop.ts'

/** The server with the shop and its twin, and databases made from them. */
export class CorpusServer {
  readonly postgres: PostgresServer
  #made = 0

  private constructor(postgres: PostgresServer) {
    this.postgres = postgres
  }

  static async start(): Promise<CorpusServer> {
    const postgres = await startPostgres({ major: 18, settings: { wal_level: 'logical', max_prepared_transactions: '5' } })
    for (const [name, sql] of [['shop', CORPUS_SQL], ['twin', TWIN_SQL]] as const) {
      await postgres.query(`create database ${name}`)
      await postgres.query(sql, name)
    }
    return new CorpusServer(postgres)
  }

  /** `given`: what is made in it before anybody comes. */
  async fresh(template: 'shop' | 'twin' = 'shop', given: readonly string[] = []): Promise<string> {
    const name = `${template}_${++this.#made}`
    await this.postgres.query(`create database ${name} template ${template}`)
    for (const statement of given) await this.postgres.query(statement, name)
    return name
  }

  /** What a case left behind (a replication slot, a prepared transaction) may hold a database: it then goes with the server. */
  async drop(database: string): Promise<void> {
    await this.postgres.query(`drop database if exists ${database} with (force)`).catch(() => {})
  }

  /** Past every gateway, as the role that they use. */
  login(database: string): RawLogin {
    const { host, port, user, password } = this.postgres
    return { host, port, user, password, database }
  }
}

const PEOPLE = {
  ada: { password: 'ada secret' },
  bot: { password: 'bot secret', kind: 'agent' as const },
  exempt: { password: 'exempt secret', groups: ['pii'] },
}
export type Who = keyof typeof PEOPLE

export interface CorpusGateway {
  readonly name: string
  readonly gateway: TestGateway
  login(who: Who, database: string): RawLogin
  /** A masked value in anything that was kept: events, the store's files, the views made of them, approvals, the log. */
  kept(): Promise<string | undefined>
  stop(): Promise<void>
}

/** Whatever is held is approved at once: nothing here rests on a reviewer who looks. */
export async function corpusGateway(name: string, { postgres }: CorpusServer, rules: Readonly<Record<string, string>>): Promise<CorpusGateway> {
  const log: string[] = []
  const gateway = await startGateway({ postgres, rules, people: PEOPLE, target: { classes: CORPUS_CLASSES }, log: (...words) => log.push(JSON.stringify(words)) })
  const over = new AbortController()
  const reviewing = approveAll(gateway, over.signal)
  return {
    name, gateway,
    login: (user, database) => ({ host: gateway.host, port: gateway.port, user, password: PEOPLE[user].password, database }),
    kept: () => secretKept(gateway, log),
    stop: async () => {
      over.abort()
      await reviewing
      await gateway.stop()
    },
  }
}

async function approveAll({ store, approvals }: TestGateway, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of store.readAll({ follow: true, signal })) {
      if (event.type !== 'approval.requested.v1') continue
      const { approval, digest } = event.data as { approval: string; digest: string }
      // Its session may have ended meanwhile.
      await approvals.answer(approval, { grant: true, reviewer: REVIEWER, digest, comment: 'whatever it is' }).catch(() => {})
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function secretKept(gateway: TestGateway, log: readonly string[]): Promise<string | undefined> {
  for (const event of await gateway.events()) {
    const found = secretIn(bytesOf(event), CORPUS_SECRETS)
    if (found !== undefined) return `${found} in ${event.type} ${event.id} of ${event.subject}`
  }
  await buildViews(gateway)
  for (const file of readdirSync(gateway.folder).filter((entry) => entry.includes('.db'))) {
    const found = secretIn(readFileSync(join(gateway.folder, file)), CORPUS_SECRETS)
    if (found !== undefined) return `${found} in ${file}`
  }
  const said = secretIn(Buffer.from(log.join('\n')), CORPUS_SECRETS)
  return said === undefined ? undefined : `${said} in the log`
}

/** As the command line tools make them, beside the store. */
async function buildViews({ folder, store }: TestGateway): Promise<void> {
  const path = join(folder, 'projections.db')
  await rm(path, { force: true })
  const projections = new Projections({ path, projections: standardProjections })
  await projections.catchUp(store)
  projections.close()
}

const RULES_FOLDER = fileURLToPath(new URL('../../rules/', import.meta.url))

/**
 * The rules as they are shipped: `public.people` and `public.cards` are in the shop of the corpus too. But for limits: hundreds
 * of sessions in a minute would meet those, and what is refused for its number shows nothing of the masks.
 */
export const SAMPLE_RULES: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(RULES_FOLDER).filter((file) => file.endsWith('.jsonata') && !file.startsWith('limit-')).map((file) => [file.slice(0, -'.jsonata'.length), readFileSync(RULES_FOLDER + file, 'utf8')]),
)

const ALLOW_ALL = '{ "effect": "allow", "reason": "everything may run" }'
const MASKED = '"public.people.email": "partial", "public.people.phone": "partial", "public.cards.number": "partial", "class:pii.*": "null"'

/** Everything may be done, understood or not: only the masks of the samples stand in the way. */
export function masksOnly(untraced: 'mask' | 'block'): Readonly<Record<string, string>> {
  return {
    'allow-all': ALLOW_ALL,
    'mask-personal-data': `$not('pii' in identity.groups) ? { "effect": "mask", "reason": "personal data is masked", "untraced": "${untraced}", "columns": { ${MASKED} } }`,
  }
}

/** The sample rules that block, and nothing else that refuses anything. */
export const BLOCK_RULES_ALONE: Readonly<Record<string, string>> = {
  'allow-all': ALLOW_ALL,
  ...Object.fromEntries(Object.entries(SAMPLE_RULES).filter(([name]) => name.startsWith('block-'))),
}

/** A server with the shop, and a gateway in front of it for each way of masking. */
export interface MaskingGateways extends AsyncDisposable {
  readonly server: CorpusServer
  readonly masks: CorpusGateway
  /** What cannot be traced is masked, not blocked. */
  readonly untraced: CorpusGateway
  readonly sample: CorpusGateway
}

export async function maskingGateways(): Promise<MaskingGateways> {
  const stack = new AsyncDisposableStack()
  const server = await CorpusServer.start()
  stack.defer(() => server.postgres.stop())
  const start = async (name: string, rules: Readonly<Record<string, string>>): Promise<CorpusGateway> => {
    const gateway = await corpusGateway(name, server, rules)
    stack.defer(() => gateway.stop())
    return gateway
  }
  try {
    const masks = await start('masks only', masksOnly('block'))
    const untraced = await start('masks only, untraced masked', masksOnly('mask'))
    const sample = await start('sample rules', SAMPLE_RULES)
    return { server, masks, untraced, sample, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
