import type { EventStore } from '../../core/index.ts'
import { Projections, standardProjections } from '../../projections/index.ts'
import type { Config } from '../config/index.ts'
import { openStore } from '../drivers.ts'
import { createSecrets } from '../secrets.ts'
import { readConfig } from './configuration.ts'
import type { CliIo } from './io.ts'

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
