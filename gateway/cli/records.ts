import { existsSync } from 'node:fs'
import type { EventStore } from '../../core/index.ts'
import { Projections, standardProjections } from '../../projections/index.ts'
import type { Config } from '../config/index.ts'
import { openStore } from '../drivers.ts'
import { createSecrets } from '../secrets.ts'
import { readConfig } from './configuration.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'

export interface Records {
  readonly config: Config
  readonly store: EventStore
  readonly projections: Projections
}

/**
 * Opens the event store beside whoever writes to it, brings the projections up to date, and hands both to `work`.
 * Nothing needs to run for that, and a gateway that does is not disturbed.
 */
export async function withRecords<T>(io: CliIo, file: string, work: (records: Records) => Promise<T>, prepare: 'catch-up' | 'none' = 'catch-up'): Promise<T> {
  const config = await readConfig(io, file)
  refuseUnlessStarted(config)
  const store = await openStore(config.store, createSecrets(io.env), { readOnly: true })
  try {
    const projections = new Projections({ path: config.projections.path, projections: standardProjections })
    try {
      if (prepare === 'catch-up') await projections.catchUp(store, io.interrupted)
      return await work({ config, store, projections })
    } finally {
      projections.close()
    }
  } finally {
    await store.close()
  }
}

/** Before the first `serve` there is nothing to read, which is no damage. */
function refuseUnlessStarted({ store: { embedded } }: Config): void {
  if (embedded === undefined || existsSync(embedded.path) || existsSync(`${embedded.path}-lock`)) return
  throw new CliFailure(EXIT.unavailable, `nothing is recorded at ${embedded.path} yet; \`sallyport serve\` begins a record`)
}
