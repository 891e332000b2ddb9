import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

export interface SessionEntry {
  readonly session: string
  readonly stream: string
  /** CloudEvents source of the gateway that served it. */
  readonly gateway: string
  /** RFC 3339, UTC. */
  readonly opened: string
  /** Empty while it is open, or when its gateway was lost before it could say. */
  readonly closed: string
  readonly person: string
  readonly actor: string
  readonly kind: string
  readonly method: string
  readonly protocol: string
  readonly target: string
  readonly database: string
  readonly address: string
  readonly tls: boolean
  /** Claimed by the client. */
  readonly application: string
  readonly commands: number
  readonly blocked: number
  readonly held: number
  readonly reason: string
  readonly error: string
}

export interface SessionFilter {
  readonly person?: string
  readonly target?: string
  readonly open?: boolean
  /** The newest so many; default 50. */
  readonly limit?: number
}

/** The newest sessions that fit, oldest of them first. */
export function querySessions(database: DatabaseSync, { person, target, open, limit }: SessionFilter = {}): SessionEntry[] {
  const wheres = ['1']
  const values: SQLInputValue[] = []
  if (person !== undefined && values.push(person)) wheres.push(`?${values.length} IN (person, actor)`)
  if (target !== undefined && values.push(target)) wheres.push(`target = ?${values.length}`)
  if (open !== undefined) wheres.push(open ? `closed = ''` : `closed <> ''`)
  const rows = database.prepare(`SELECT * FROM sessions_list WHERE ${wheres.join(' AND ')} ORDER BY opened DESC, session DESC LIMIT ?${values.length + 1}`).all(...values, limit ?? 50)
  return rows.reverse().map(entryOf)
}

/** The sessions whose id begins so; at most two, which is enough to know that a beginning is ambiguous. */
export function findSessions(database: DatabaseSync, beginning: string): SessionEntry[] {
  if (!/^[0-9A-Za-z-]+$/.test(beginning)) return []
  return database.prepare(`SELECT * FROM sessions_list WHERE session BETWEEN ?1 AND ?1 || '~' LIMIT 2`).all(beginning.toLowerCase()).map(entryOf)
}

function entryOf(row: Record<string, unknown>): SessionEntry {
  return { ...row, tls: row['tls'] === 1 } as unknown as SessionEntry
}
