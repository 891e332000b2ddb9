import type { Target } from '../../../core/index.ts'
import type { Made, OutputColumn, Source } from './analysis.ts'
import type { Catalogue } from './catalogue.ts'
import { columnKey, literalColumn } from './mask-pattern.ts'
import type { Relation } from './resolver.ts'
import { generatedSources, viewLineage } from './view-lineage.ts'

/** A column whose values, as they were at the time, are in a copy. It is known by what it is, and by what it was called. */
export interface CopySource {
  readonly oid: number
  /** 0: the whole row. */
  readonly attnum: number
  readonly schema: string
  readonly table: string
  readonly column: string
  /** The copy was computed from it. */
  readonly whole: boolean
}

export interface CopiedColumn {
  /** 0: any column, as it could not be told which. */
  readonly attnum: number
  readonly sources: readonly CopySource[]
}

/** By OID: what the columns of a relation were made of when it was made. */
export type CopiedRelations = ReadonlyMap<number, readonly CopiedColumn[]>

export const NO_COPIES: CopiedRelations = new Map()

/** Of all columns of one copy. */
export const MAX_COPY_SOURCES = 10_000

/**
 * What the columns of a new relation are made of, down to the base: what views and older copies stand for as well, since
 * these may be gone when the copy is read. `undefined` when that is too much to keep.
 */
export function copiedColumns({ columns, placed }: Made, catalogue: Catalogue): readonly CopiedColumn[] | undefined {
  const found = columns.map((column, index) => ({ attnum: placed ? index + 1 : 0, sources: sourcesOf(column, placed, catalogue) })).filter(({ sources }) => sources.length > 0)
  return found.reduce((sum, { sources }) => sum + sources.length, 0) > MAX_COPY_SOURCES ? undefined : found
}

function sourcesOf({ sources, derived }: OutputColumn, placed: boolean, catalogue: Catalogue): CopySource[] {
  const found = new Map<string, CopySource>()
  for (const source of sources) expand(source, !placed, catalogue, found)
  for (const source of derived) expand(source, true, catalogue, found)
  return [...found.values()]
}

function expand({ relation, attnum, column }: Source, whole: boolean, catalogue: Catalogue, found: Map<string, CopySource>): void {
  if (relation === undefined || attnum < 0 || relation.schema === 'pg_catalog' || relation.schema === 'information_schema') return
  const key = `${relation.oid} ${attnum} ${whole}`
  if (found.has(key) || found.size > MAX_COPY_SOURCES) return
  found.set(key, { oid: relation.oid, attnum, schema: relation.schema, table: relation.name, column, whole })
  if (attnum === 0) for (const each of relation.columns) expand(sourceIn(relation, each), true, catalogue, found)
  for (const other of kin(relation, column, catalogue)) expand(other, whole, catalogue, found)
  for (const copied of copiedAt(relation, attnum, catalogue)) found.set(`${copied.oid} ${copied.attnum} ${whole || copied.whole} ${copied.schema}.${copied.table}.${copied.column}`, { ...copied, whole: whole || copied.whole })
  const { sources, derived } = behind(relation, attnum, column, catalogue)
  for (const source of sources) expand(source, whole, catalogue, found)
  for (const source of derived) expand(source, true, catalogue, found)
}

/** What an older copy was made of. */
function copiedAt(relation: Relation, attnum: number, { copies }: Catalogue): CopySource[] {
  return (copies.get(relation.oid) ?? []).filter((copied) => copied.attnum === attnum || copied.attnum === 0).flatMap(({ sources }) => sources)
}

/** The same column of partitions and parents: a mask that names one of them covers them all. */
function kin({ oid }: Relation, column: string, catalogue: Catalogue): Source[] {
  const others = [...catalogue.ancestors(oid), ...catalogue.descendants(oid)].map((other) => catalogue.relation(other))
  return others.flatMap((other) => (other?.columns ?? []).filter(({ name }) => name === column).map((each) => sourceIn(other as Relation, each)))
}

/** What a view's column shows, or what a generated one is computed from. */
function behind(relation: Relation, attnum: number, column: string, catalogue: Catalogue): OutputColumn {
  if (relation.kind === 'view' || relation.kind === 'materialized-view') {
    return viewLineage(relation, catalogue).outputs[relation.columns.findIndex((each) => each.attnum === attnum)] ?? NOTHING
  }
  const generated = catalogue.generatedColumns(relation.oid).find((each) => each.column === column)
  return generated === undefined ? NOTHING : { sources: [], derived: generatedSources(relation, generated.expression, catalogue).sources }
}

const NOTHING: OutputColumn = Object.freeze({ sources: [], derived: [] })

function sourceIn(relation: Relation, { name, attnum }: Relation['columns'][number]): Source {
  return { relation, table: `${relation.schema}.${relation.name}`, column: name, attnum }
}

/** Columns that the configuration gives a class by their very names: it then says what they hold, whatever they were made of. */
export function reclassified({ classes }: Target): (relation: Relation, column: string) => boolean {
  const named = new Set(Object.keys(classes).map(literalColumn))
  return ({ schema, name }, column) => named.has(columnKey(schema, name, column))
}
