import { queryAudit, renderAudit, renderAuditEntry, type AuditFilter } from '../../../projections/index.ts'
import { print, printJson, widthOf, type CliIo } from '../io.ts'
import { withRecords } from '../records.ts'

export interface AuditOptions extends AuditFilter {
  readonly config: string
  readonly json?: boolean
  readonly full?: boolean
}

/** Who did what; see `sallyport audit --help`. */
export function audit(io: CliIo, { config, json, full, ...filter }: AuditOptions): Promise<void> {
  return withRecords(io, config, async ({ projections }) => {
    const entries = queryAudit(projections.database, filter)
    if (json === true) entries.forEach((entry) => printJson(io, entry))
    else if (full === true || filter.event !== undefined) print(io, entries.map(renderAuditEntry).join('\n\n'))
    else if (entries.length === 0) print(io, 'nothing recorded that fits')
    else print(io, renderAudit(entries, widthOf(io)))
  })
}
