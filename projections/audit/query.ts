import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { Exemption } from '../../core/index.ts'

/** One row of the audit. Texts are as they came: strip control characters before printing them. */
export interface AuditEntry {
  readonly entry: number
  /** `command`, or the type of another event without its version: `access.refused`, `session.opened`, … */
  readonly kind: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly event: string
  /** Id of the last decision, which is what the client was told. */
  readonly decision: string
  readonly session: string
  readonly number: number | null
  /** Proven, except for `access.refused`: there it is what was claimed. */
  readonly person: string
  readonly actor: string
  readonly protocol: string
  readonly target: string
  readonly database: string
  readonly address: string
  readonly action: string
  readonly fidelity: string
  readonly text: string
  readonly parameters: readonly (string | null)[]
  readonly effect: string
  readonly by: string
  readonly rules: readonly string[]
  readonly reason: string
  readonly ruleset: string
  readonly approval: string
  readonly approver: string
  /** What the approver was shown of what it would change, in one line. */
  readonly impact: string
  readonly status: string
  readonly rows: number | null
  readonly bytes: number | null
  readonly durationMs: number | null
  readonly error: string
  readonly masked: readonly string[]
  /** Masks that were lifted, and by whom. */
  readonly exemptions: readonly Exemption[]
  /** Ids of the grants that lifted some, or that it is about. */
  readonly grants: readonly string[]
  /** The limit it went beyond: `1000 rows`. */
  readonly beyond: string
}

export interface AuditFilter {
  readonly person?: string
  readonly target?: string
  readonly effect?: string
  readonly rule?: string
  readonly session?: string
  readonly kind?: string
  /** Id of a command or decision, or the beginning of one. */
  readonly event?: string
  /** Id of a grant that it used, or that it is about. */
  readonly grant?: string
  /** Words that must all occur; `custom*` is a beginning. */
  readonly text?: string
  /** RFC 3339, UTC: from this moment (inclusive) … */
  readonly since?: string
  /** … until this one (exclusive). */
  readonly until?: string
  /** The newest so many; default 100. */
  readonly limit?: number
}

const CONDITIONS: { readonly [K in Exclude<keyof AuditFilter, 'limit'>]: { sql: string; value?: (given: string) => SQLInputValue } } = {
  person: { sql: '? IN (person, actor)' },
  target: { sql: 'target = ?' },
  effect: { sql: 'effect = ?' },
  kind: { sql: 'kind = ?' },
  rule: { sql: 'EXISTS (SELECT 1 FROM json_each(rules) WHERE value = ?)' },
  session: { sql: `? <> '' AND session BETWEEN ? AND ? || '~'`, value: plain },
  event: { sql: `? <> '' AND (event GLOB ? || '*' OR decision GLOB ? || '*')`, value: plain },
  grant: { sql: 'EXISTS (SELECT 1 FROM json_each(grants) WHERE value = ?)' },
  text: { sql: 'entry IN (SELECT rowid FROM audit_text WHERE audit_text MATCH ?)', value: words },
  since: { sql: 'time >= ?' },
  until: { sql: 'time < ?' },
}

/** The newest entries that fit, oldest of them first. */
export function queryAudit(database: DatabaseSync, filter: AuditFilter = {}): AuditEntry[] {
  const wheres: string[] = []
  const values: SQLInputValue[] = []
  for (const [key, { sql, value }] of Object.entries(CONDITIONS)) {
    const given = filter[key as keyof typeof CONDITIONS]
    if (given === undefined) continue
    values.push(value === undefined ? given : value(given))
    wheres.push(sql.replaceAll('?', `?${values.length}`))
  }
  const where = wheres.length === 0 ? '' : `WHERE ${wheres.join(' AND ')}`
  const rows = database.prepare(`SELECT * FROM audit_entries ${where} ORDER BY entry DESC LIMIT ?${values.length + 1}`).all(...values, filter.limit ?? 100)
  return rows.reverse().map(entryOf)
}

/** Ids of the grants that were not revoked, and end after a moment (RFC 3339). */
export function grantsUntil(database: DatabaseSync, moment: string): string[] {
  return database.prepare('SELECT id FROM audit_grants WHERE revoked = 0 AND expires > ?').all(moment).map(({ id }) => String(id))
}

/** Ids are hexadecimal; anything else would be a pattern to GLOB. */
function plain(given: string): string {
  return given.replaceAll(/[^0-9A-Za-z-]/g, '').toLowerCase()
}

/** Each word a phrase of FTS5, so that nothing in it is its query language; an empty search finds nothing. */
function words(given: string): string {
  const phrases = given.split(/\s+/).filter((word) => /[\p{L}\p{N}_]/u.test(word))
    .map((word) => (word.endsWith('*') ? `"${quoted(word.slice(0, -1))}"*` : `"${quoted(word)}"`))
  return phrases.length === 0 ? '""' : phrases.join(' AND ')
}

function quoted(word: string): string {
  return word.replaceAll('"', '""').replaceAll('\0', '')
}

function entryOf({ decided_by: by, duration_ms: durationMs, rules, masked, parameters, exemptions, grants, ...row }: Record<string, SQLOutputValue>): AuditEntry {
  return { ...row, by, durationMs, rules: parsed(rules), masked: parsed(masked), parameters: parsed(parameters), exemptions: parsed(exemptions), grants: parsed(grants) } as unknown as AuditEntry
}

function parsed(json: SQLOutputValue | undefined): unknown {
  return JSON.parse(String(json))
}
