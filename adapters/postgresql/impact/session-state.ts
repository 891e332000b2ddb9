import { quoted } from './rows-query.ts'

/** What a statement's session is like, as far as the gateway has followed it. */
export interface SessionState {
  /** What the client asked for at login. */
  readonly startup: ReadonlyMap<string, string>
  /** Settings as they are now, by name. */
  readonly settings: ReadonlyMap<string, string>
  /** Settings that were changed in ways that are not repeated. */
  readonly unrepeated: readonly string[]
  readonly searchPath: readonly string[] | undefined
  readonly role: string | undefined
  readonly utf8: boolean
  readonly standardStrings: boolean | undefined
  readonly transaction: string
  /** Its transaction has defined relations that nobody else sees. */
  readonly schemaChanged: boolean
}

/** Of the login: what is not the client's, or not for a connection of the gateway's own. */
const NOT_REPEATED = /^(user|database|replication|application_name|client_encoding|_pq_\..*)$/i

export function startupParameters({ startup }: SessionState): Record<string, string> {
  const own = [...startup].filter(([name]) => !NOT_REPEATED.test(name))
  return { ...Object.fromEntries(own), application_name: 'sallyport preview', client_encoding: 'UTF8' }
}

/** Why nothing can be asked of the target in this session's place, or `undefined`. */
export function hindranceIn({ searchPath, role, utf8, schemaChanged }: SessionState): string | undefined {
  if (schemaChanged) return 'the session\'s transaction has changed the schema, which nobody else sees yet'
  if (searchPath === undefined) return 'the session\'s search path is not known for certain'
  if (role === undefined) return 'the session\'s role is not known for certain'
  return utf8 ? undefined : 'the session\'s text is not UTF-8'
}

/** What makes a transaction like one of that session, as names and values for `set_config`. */
export function sessionSettings({ settings, searchPath = [], role }: SessionState, loginRole: string): [name: string, value: string][] {
  const path = searchPath.map((schema) => quoted(schema)).join(', ')
  return [...settings, ['search_path', path], ...role === undefined || role === loginRole ? [] : [['role', role] as [string, string]]]
}

/** What the target reports of itself and changes how a statement is read. */
export const READING_SETTINGS: ReadonlySet<string> = new Set(['DateStyle', 'IntervalStyle', 'TimeZone', 'standard_conforming_strings'])
/** Settings of no meaning to the server but to policies and functions; repeated when their value is known. */
export const OWN_SETTING = /^[a-z_][a-z0-9_]*\.[a-z0-9_.]+$/
