import { querySessions, renderSessions, type SessionFilter } from '../../../projections/index.ts'
import { print, printJson, widthOf, type CliIo } from '../io.ts'
import { withRecords } from '../records.ts'

export function sessions(io: CliIo, { config, json, ...filter }: SessionFilter & { config: string; json?: boolean }): Promise<void> {
  return withRecords(io, config, async ({ projections }) => {
    const found = querySessions(projections.database, filter)
    if (json === true) found.forEach((session) => printJson(io, session))
    else if (found.length === 0) print(io, 'no session that fits')
    else print(io, renderSessions(found, widthOf(io)))
  })
}
