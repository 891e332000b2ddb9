import { print, printJson, type CliIo } from '../io.ts'
import { withRecords } from '../records.ts'

/** Throws the read models away and builds them again from the event store. */
export function rebuildProjections(io: CliIo, { config, json }: { config: string; json?: boolean }): Promise<void> {
  return withRecords(io, config, async ({ projections, store }) => {
    const started = performance.now()
    const { events, rebuilt } = await projections.rebuild(store, io.interrupted)
    const milliseconds = Math.round(performance.now() - started)
    if (json === true) printJson(io, { rebuilt, events, milliseconds })
    else print(io, `rebuilt ${rebuilt.join(', ')} from ${events} events in ${(milliseconds / 1000).toFixed(1)} s`)
  }, 'none')
}
