import { HARMLESS_FUNCTIONS } from './harmless-functions.ts'
import { IMMUTABLE_FUNCTIONS } from './immutable-functions.ts'
import type { Action, LockKind } from './analysis.ts'
import type { Collector } from './collector.ts'
import type { FunctionEntry, Resolver } from './resolver.ts'

/** What calling a function means, beside computing a value from its arguments. */
export interface FunctionEffect {
  readonly action?: Action
  readonly locks?: LockKind
  /** Why the gateway cannot see what it does; it may then read and write anything. */
  readonly opaque?: string
  /** It returns data that its arguments do not name: what other sessions run, files, the write-ahead log. */
  readonly reveals?: string
  readonly files?: boolean
  readonly largeObjects?: boolean
  readonly databaseWide?: boolean
}

const NONE: FunctionEffect = {}
const SQL_TEXT: FunctionEffect = { opaque: 'it runs SQL given as a value' }
const FILE: FunctionEffect = { action: 'admin', opaque: 'it reads files of the server', files: true }
const LARGE_OBJECT: FunctionEffect = { opaque: 'it reads or writes large objects', largeObjects: true }
const WAL: FunctionEffect = { action: 'admin', reveals: 'it reads the write-ahead log' }
const SERVER: FunctionEffect = { action: 'admin', databaseWide: true }
const LOCK: FunctionEffect = { locks: 'advisory' }

/** Built-in functions that only compute, or tell, and yet may answer otherwise each time. Those with an effect are volatile anyhow. */
const RESTLESS = new Set(`
  array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval nextval pg_current_wal_flush_lsn
  pg_current_wal_insert_lsn pg_current_wal_lsn random random_normal setseed timeofday uuidv4 uuidv7
`.trim().split(/\s+/))

/** Whether a built-in function may change something, or answer otherwise for the same arguments in one statement. */
export function isVolatileBuiltIn(name: string, effect: FunctionEffect | undefined): boolean {
  return effect !== NONE || RESTLESS.has(name)
}

/** Functions of `pg_catalog` and the usual extensions that do more than compute, by pattern; the first that fits counts. */
const EFFECTS: readonly (readonly [RegExp, FunctionEffect])[] = [
  [/^set_config$/, { action: 'session' }],
  [/^(nextval)$/, NONE],
  [/^setval$/, { action: 'update' }],
  [/^pg_sleep(_for|_until)?$/, { action: 'admin' }],
  [/^pg_notify$/, { action: 'notify' }],
  [/^pg_advisory_unlock/, { action: 'session' }],
  [/^pg_(try_)?advisory_/, LOCK],
  [/^(query|cursor|table|schema|database)_to_xml/, SQL_TEXT],
  [/^(ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table|dblink\w*)$/, SQL_TEXT],
  [/^lo_(import|export)$/, { ...LARGE_OBJECT, files: true }],
  [/^(lo_\w+|loread|lowrite)$/, LARGE_OBJECT],
  [/^pg_(read_\w+|ls_\w+|stat_file|current_logfile|hba_file_rules|ident_file_mappings|show_all_file_settings|file_\w+)$/, FILE],
  [/^pg_(logical_slot_\w+|get_wal_\w+|wal_summary_\w+)$/, WAL],
  [/^pg_stat_get_(backend_)?activity$|^pg_(cursor|prepared_statement|mcv_list_items|stat_statements(_info)?)$/, { reveals: 'it shows what others run or what tables hold' }],
  [/^(get_raw_page|heap_page_items?|heap_page_item_attrs|tuple_data_split|bt_page_items|fsm_\w+|pgrowlocks)$/, { reveals: 'it shows raw pages of tables' }],
  [/^pg_(terminate|cancel)_backend$/, { action: 'admin' }],
  [/^pg_(reload_conf|rotate_logfile\w*|switch_wal|create_restore_point|promote|backup_\w+|start_backup|stop_backup|wal_replay_(pause|resume)|log_\w+|logical_emit_message)$/, SERVER],
  [/^pg_(create|drop|copy)_\w*replication_slot$|^pg_replication_(slot|origin)_\w+$|^pg_sync_replication_slots$/, SERVER],
  [/^pg_stat_(reset\w*|statements_reset|force_next_flush)$|^pg_(clear|restore)_(relation|attribute)_stats$|^pg_import_system_collations$/, SERVER],
  [/^(brin_(de)?summarize\w*|gin_clean_pending_list)$/, { action: 'admin' }],
  [/^binary_upgrade_/, SERVER],
]

/** Whether there is a function of that name, as far as is known. */
export function isKnownFunction(name: string, resolver: Resolver | undefined, searchPath: readonly string[] | undefined): boolean {
  return builtInEffect(undefined, name) !== undefined || (resolver?.functions(undefined, name, searchPath) ?? []).length > 0
}

/** The effect of what `pg_catalog` and the usual extensions have by that name; `undefined` when it is not known. */
export function builtInEffect(schema: string | undefined, name: string): FunctionEffect | undefined {
  for (const [pattern, effect] of EFFECTS) if (pattern.test(name)) return effect
  if (schema !== undefined && schema !== 'pg_catalog' && schema !== 'information_schema') return undefined
  return HARMLESS_FUNCTIONS.has(name) || IMMUTABLE_FUNCTIONS.has(name) ? NONE : undefined
}

/** Notes what a call means; true when it only computes a value from its arguments. */
export function noteEffect(effect: FunctionEffect, name: string, found: Collector): boolean {
  if (effect.action !== undefined) found.act(effect.action)
  if (effect.locks !== undefined) found.lock(effect.locks)
  if (effect.opaque !== undefined) found.opaque(`function ${name}(): ${effect.opaque}`)
  if (effect.reveals !== undefined) found.untraced(`function ${name}(): ${effect.reveals}`)
  if (effect.files === true) found.flag('files')
  if (effect.largeObjects === true) found.flag('largeObjects')
  if (effect.databaseWide === true) found.flag('databaseWide')
  return Object.keys(effect).length === 0
}

/** An aggregate is called so, too, whatever it is made of. */
function isServers({ language, kind }: FunctionEntry): boolean {
  return language === 'internal' && kind === 'function'
}

/** What the usual extensions offer that is not immutable and yet only computes. */
const EXTENSION_COMPUTES = /^(unaccent|uuid_generate_\w+|uuid_ns_\w+|gen_salt|gen_random_\w+|show_(limit|trgm)|word_similarity\w*)$/

/**
 * The effect of a function outside `pg_catalog`; `undefined` when its parts can be read, and say it. A function of an extension,
 * or of the server itself (what makes ranges of a type of one's own), that calls itself immutable only computes; any other
 * body that cannot be read may read tables. A name tells what a function does only where an extension gave it.
 */
export function effectOf(entry: FunctionEntry): FunctionEffect | undefined {
  const known = entry.extension && entry.definition === '' ? EFFECTS.find(([pattern]) => pattern.test(entry.name)) : undefined
  if (known !== undefined) return known[1]
  if ((entry.extension || isServers(entry)) && entry.volatility === 'immutable') return NONE
  if (entry.extension && EXTENSION_COMPUTES.test(entry.name)) return NONE
  if (entry.definition !== '' || entry.support.length > 0) return undefined
  if (entry.volatility === 'volatile') return { action: 'call', opaque: 'its body may do anything' }
  return { reveals: 'its body may read any table' }
}
