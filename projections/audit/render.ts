import { renderFields, shownName, shownTime } from '../text/fields.ts'
import { printable, printableLine } from '../text/printable.ts'
import { renderTable } from '../text/table.ts'
import type { AuditEntry } from './query.ts'

const COLUMNS = [
  { title: 'SESSION', width: 8 },
  { title: '#', width: 6 },
  { title: 'WHO', width: 16 },
  { title: 'TARGET', width: 14 },
  { title: 'EFFECT', width: 14 },
  { title: 'OUTCOME', width: 13 },
  { title: 'WHAT', width: 120 },
]

/**
 * A table of at most `width` columns: a line per entry, and a second one with the reason where it was blocked or held.
 * Times are UTC; entries of one day show it once, in the title.
 */
export function renderAudit(entries: readonly AuditEntry[], width = 120): string {
  const days = new Set(entries.map(({ time }) => time.slice(0, 10)))
  const [day = ''] = days
  const oneDay = days.size === 1
  const head = [{ title: oneDay ? `${day} UTC` : 'TIME (UTC)', width: 19 }, ...COLUMNS]
  const rows = entries.flatMap((entry) => [[oneDay ? entry.time.slice(11, 19) : shownTime(entry.time), ...cells(entry)], ...reasonRow(entry)])
  return renderTable(head, rows, width)
}

function cells(entry: AuditEntry): string[] {
  return [
    entry.session.slice(0, 8), entry.number === null ? '' : String(entry.number),
    who(entry), where(entry), entry.effect, outcome(entry), printableLine(entry.text),
  ]
}

function reasonRow({ kind, effect, by, reason, exemptions }: AuditEntry): string[][] {
  const shown = kind === 'command' && reason !== '' && (effect === 'block' || effect === 'await-approval' || by === 'approval' || exemptions.length > 0)
  return shown ? [['', '', '', '', '', '', '', `  ↳ ${printableLine(reason)}`]] : []
}

/** `ada`, `bot for ada`; `ada?` is a name nobody proved. */
function who({ person, actor, kind }: AuditEntry): string {
  if (kind === 'access.refused') return person === '' ? '?' : `${printableLine(person)}?`
  return shownName(person, actor)
}

function where({ target, database }: AuditEntry): string {
  return printableLine(database === '' || database === target ? target : `${target}/${database}`)
}

function outcome({ status, rows, kind, beyond }: AuditEntry): string {
  if (kind !== 'command') return kind === 'access.refused' ? printableLine(status) : ''
  if (beyond !== '') return `> ${beyond}`
  if (status === 'completed') return rows === 1 ? '1 row' : `${rows ?? 0} rows`
  return status
}

/** Everything an entry says, for one that was asked for. */
export function renderAuditEntry(entry: AuditEntry): string {
  const fields = renderFields([
    ['time', entry.time], ['kind', entry.kind], ['event', entry.event], ['decision', entry.decision],
    ['session', entry.number === null ? entry.session : `${entry.session} #${entry.number}`],
    ['who', who(entry)], ['address', entry.address], ['target', where(entry)], ['action', entry.action === '' ? '' : `${entry.action} (${entry.fidelity})`],
    ['effect', entry.effect === '' ? '' : `${entry.effect} (${entry.by})`], ['reason', entry.reason], ['rules', entry.rules.join(', ')], ['ruleset', entry.ruleset],
    ['approval', entry.approval === '' ? '' : `${entry.approval}${entry.approver === '' ? '' : ` answered by ${entry.approver}`}`],
    ['impact', entry.impact], ['outcome', ended(entry)], ['error', entry.error], ['masked', entry.masked.join(', ')],
    ['exempt', entry.exemptions.map(({ column, by, reason }) => `${column} by ${by} (${reason})`).join('; ')],
    ['values', entry.parameters.length === 0 ? '' : JSON.stringify(entry.parameters)],
  ])
  return [...fields, ...printable(entry.text).split('\n').map((line) => `  ${line}`)].join('\n')
}

function ended({ status, rows, bytes, durationMs }: AuditEntry): string {
  if (durationMs === null) return status
  return `${status}, ${rows ?? 0} rows, ${bytes ?? 0} bytes, ${durationMs.toFixed(1)} ms`
}
