import type { Resource } from '../../../core/index.ts'
import type { Source } from './analysis.ts'
import type { Relation } from './resolver.ts'

export interface TouchedTable {
  readonly name: string
  readonly kind: string
  readonly system: boolean
  /** One of the session's own: a temporary one, by a name that no other session's has. */
  own: boolean
  /** Columns named there; absent when it is not touched in that way. */
  reads: Set<string> | undefined
  writes: Set<string> | undefined
}

type Access = 'reads' | 'writes'
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast'])

/** The relations that a statement reads and writes, by name, with the columns and the servers behind them. */
export class TouchedTables {
  readonly columns = new Set<string>()
  readonly servers = new Set<string>()
  readonly #tables = new Map<string, TouchedTable>()

  get size(): number {
    return this.#tables.size
  }

  all(): TouchedTable[] {
    return [...this.#tables.values()]
  }

  /** `kin` are the relations whose rows it stands for: what is done to it is done to them. */
  touch(relation: Relation | undefined, name: string, access: Access, columns: readonly string[], kin: readonly Relation[]): void {
    const table = this.#table(relation, name)
    table.own &&= !/^"?pg_temp_/.test(name)
    const named = (table[access] ??= new Set())
    for (const column of columns) this.#name(table, named, column)
    if (table.system) return
    for (const other of kin) {
      const touched = this.#table(other, other.name)
      if (!touched.system) touched[access] ??= new Set(['*'])
    }
  }

  /** Columns that are read. */
  name({ relation, table, column }: Source): void {
    const touched = this.#table(relation, table)
    this.#name(touched, (touched.reads ??= new Set()), column)
  }

  /** Takes in those of other code; where that is only planned, nothing is written. */
  absorb(other: TouchedTables, planning: boolean): void {
    for (const column of other.columns) this.columns.add(column)
    for (const server of other.servers) this.servers.add(server)
    for (const { reads, writes, ...rest } of other.#tables.values()) {
      let table = this.#tables.get(rest.name)
      if (table === undefined) this.#tables.set(rest.name, (table = { ...rest, reads: undefined, writes: undefined }))
      table.own &&= rest.own
      join(table, 'reads', reads)
      join(table, planning ? 'reads' : 'writes', writes)
    }
  }

  resources(): Resource[] {
    return this.all().flatMap(({ name, kind, reads, writes }) => {
      const resource = (access: 'read' | 'write', columns: Set<string> | undefined): Resource[] => (columns === undefined ? [] : [{ name, kind, access, columns: [...columns] }])
      return [...resource('read', reads), ...resource('write', writes)]
    })
  }

  #name(table: TouchedTable, named: Set<string>, column: string): void {
    named.add(column)
    this.columns.add(`${table.name}.${column}`)
  }

  #table(relation: Relation | undefined, name: string): TouchedTable {
    if (relation?.server !== undefined) this.servers.add(relation.server)
    const full = relation === undefined ? name : `${relation.schema}.${relation.name}`
    let table = this.#tables.get(full)
    if (table === undefined) {
      const system = SYSTEM_SCHEMAS.has(relation?.schema ?? full.split('.')[0] ?? '')
      table = { name: full, kind: relation?.kind ?? 'table', system, own: relation?.temporary ?? full.startsWith('pg_temp.'), reads: undefined, writes: undefined }
      this.#tables.set(full, table)
    }
    return table
  }
}

function join(table: TouchedTable, access: Access, columns: Set<string> | undefined): void {
  if (columns === undefined) return
  const named = (table[access] ??= new Set())
  for (const column of columns) named.add(column)
}
