/** The drivers that the configuration chooses from. They are named here and nowhere else. */
import { createLocalBus } from '../core/bus/drivers/local/index.ts'
import { SallyportError, type EventBus, type EventStore } from '../core/index.ts'
import { createMemoryStore } from '../core/store/drivers/memory/index.ts'
import type { Config } from './config/index.ts'
import { plainText, type Secrets } from './secrets.ts'

export interface OpenStoreOptions {
  /** Beside the gateway that writes. */
  readonly readOnly?: boolean
  /** Bytes that may wait to become durable before an append is refused. */
  readonly backlogBytes?: number
}

/** Opens the event store; rejects with the driver's own error, which says what to do. */
export async function openStore({ embedded, eventstoredb }: Config['store'], secrets: Secrets, { readOnly, backlogBytes }: OpenStoreOptions = {}): Promise<EventStore> {
  if (embedded !== undefined) {
    const { openEmbeddedStore } = await import('../core/store/drivers/embedded/index.ts')
    return openEmbeddedStore({ path: embedded.path, readOnly: readOnly === true, ...(backlogBytes === undefined ? {} : { maxPendingBytes: backlogBytes }) })
  }
  if (eventstoredb !== undefined) {
    const { openEventStoreDb } = await import('../core/store/drivers/eventstoredb/index.ts')
    return openEventStoreDb({ connectionString: await plainText(secrets, eventstoredb) })
  }
  if (readOnly === true) throw new SallyportError('STORE_UNAVAILABLE', 'store: memory is gone with the process that held it; write store: embedded to keep a record')
  return createMemoryStore()
}

export async function openBus({ nats }: Config['bus'], name: string, secrets: Secrets, onError: (error: unknown) => void): Promise<EventBus> {
  if (nats === undefined) return createLocalBus({ onError })
  const { connectNats } = await import('../core/bus/drivers/nats/index.ts')
  const { servers, user, password, token, tls } = nats
  return connectNats({
    servers: await Promise.all(servers.map((server) => plainText(secrets, server))), name: `sallyport/${name}`, onError,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password: await plainText(secrets, password) }),
    ...(token === undefined ? {} : { token: await plainText(secrets, token) }),
    ...(tls === undefined ? {} : { tls: natsTls(tls) }),
  })
}

function natsTls({ ca, cert, key }: NonNullable<NonNullable<Config['bus']['nats']>['tls']>): { caFile?: string; certFile?: string; keyFile?: string } {
  return { ...(ca === undefined ? {} : { caFile: ca }), ...(cert === undefined ? {} : { certFile: cert }), ...(key === undefined ? {} : { keyFile: key }) }
}
