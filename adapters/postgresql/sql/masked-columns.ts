import type { Mask, Target } from '../../../core/index.ts'
import type { ColumnUse, Lineage, OutputColumn, Source } from './analysis.ts'
import { maskOf, strictest, WHOLE, type ColumnMask, type MaskTerms } from './column-mask.ts'
import type { Catalogue } from './catalogue.ts'
import { reclassified, type CopiedColumn, type CopySource } from './copied.ts'
import { maskPatterns, type ColumnPattern } from './mask-pattern.ts'
import { showsPresence } from './presence.ts'
import type { Relation } from './resolver.ts'
import { CARRIERS } from './system-relations.ts'
import { generatedSources, viewLineage } from './view-lineage.ts'

/** The key of a column: table OID and attribute number in one exact number. */
export function originKey(oid: number, attnum: number): number {
  return oid * 2048 + attnum
}

/** What RowDescription's (table OID, attribute number) must be masked with, by `originKey`. Attribute 0 is the whole row. */
export type MaskedOrigins = ReadonlyMap<number, MaskTerms>

/** One set of masks against one catalogue: which columns they cover, and which views hide them. */
export class MaskedColumns {
  readonly catalogue: Catalogue
  /** A mask whose pattern cannot be read; nothing may pass while there is one. */
  readonly unreadable: string | undefined
  /** What cannot be traced may be masked whole instead of refused. */
  readonly masksUntraced: boolean
  readonly #masks = new Map<number, ColumnMask>()
  readonly #relations = new Set<number>()
  /** Views, and tables with such columns, that compute something which may fail, and then could say why. */
  readonly #failing = new Set<number>()
  /** Tables of which something is computed, when rows are written, that may fail. */
  readonly #failingWrites = new Set<number>()
  /** Names of masked columns. */
  readonly #names = new Set<string>()
  readonly #problems = new Map<number, string>()

  constructor(masks: readonly Mask[], catalogue: Catalogue, target: Target) {
    this.catalogue = catalogue
    this.unreadable = masks.find((mask) => maskPatterns(mask, target) === undefined)?.column
    this.masksUntraced = masks.every(({ untraced }) => untraced === 'mask')
    const copied = copiedColumns(catalogue, target)
    for (const mask of masks) this.#cover(maskPatterns(mask, target) ?? [], maskOf(mask), copied)
    this.#followCopies(copied)
    this.#followGenerated()
    this.#followChecks()
    this.#followViews()
  }

  get origins(): MaskedOrigins {
    return this.#masks
  }

  /** Whether any of its columns is masked. */
  covers(relation: Relation): boolean {
    return this.#relations.has(relation.oid) || relation.made?.some(({ sources, derived }) => [...sources, ...derived].some((source) => this.isMasked(source))) === true
  }

  /** Whether a name, in whatever schema, is that of something masked, or of one of its columns. */
  mayName(name: string): boolean {
    const last = name.slice(name.lastIndexOf('.') + 1)
    return this.#names.has(last) || this.catalogue.named(last).some((relation) => this.covers(relation) || this.problem(relation) !== undefined)
  }

  /** The mask of a base column; of a whole row (attribute 0), the strictest of its columns'. What the rows tell anyhow has none. */
  maskOf(source: Source): ColumnMask | undefined {
    const { relation, attnum, presence } = source
    const mask = relation === undefined ? undefined : this.#masks.get(originKey(relation.oid, attnum))
    return mask !== undefined && presence === true && showsPresence(mask, source, this.catalogue) ? undefined : mask
  }

  /** Whether a use of this source is a use of a masked value. */
  isMasked(source: Source): boolean {
    return this.maskOf(source) !== undefined
  }

  /** Whether the masks let a masked column be used like this, its value hidden where it comes out. */
  permits({ source, kind }: ColumnUse): boolean {
    const mask = this.maskOf(source)
    if (mask === undefined || kind === 'output') return true
    // Equality with a part of a value, or with something made from it, is more than a guess at the value.
    if (kind === 'equality' && mask.whole !== true && source.attnum !== 0) return mask.predicates !== 'block'
    if (kind === 'body') return this.masksUntraced
    return kind !== 'flow' && mask.predicates === 'allow'
  }

  /** Whether what it computes may fail, and say why: when it is read, or when rows are written. */
  mayFail({ oid }: Relation, writes: boolean): boolean {
    return this.#failing.has(oid) || (writes && this.#failingWrites.has(oid))
  }

  /** Why a view must not be read at all, or `undefined`. Views that touch nothing masked have no problem. */
  problem(relation: Relation): string | undefined {
    if (relation.kind === 'foreign-table') return `${label(relation)} is a foreign table: what is behind it cannot be seen`
    if (relation.schema === 'pg_toast') return `${label(relation)} holds raw values of other tables`
    if (relation.kind !== 'view' && relation.kind !== 'materialized-view') return this.#foreignPart(relation)
    return this.#viewProblem(relation)
  }

  /** Rows of a partition or heir come with those of the table. */
  #foreignPart({ oid }: Relation): string | undefined {
    for (const other of this.catalogue.descendants(oid)) {
      const part = this.catalogue.relation(other)
      if (part?.kind === 'foreign-table') return this.problem(part)
    }
    return undefined
  }

  #cover(patterns: readonly ColumnPattern[], mask: ColumnMask, copied: readonly CopiedInto[]): void {
    if (patterns.length === 0) return
    for (const into of copied) {
      for (const source of into.sources) if (patterns.some((pattern) => pattern.matches(source.schema, source.table, source.column))) this.#copied(into, source, mask)
    }
    for (const relation of this.catalogue.all()) {
      for (const { name, attnum } of relation.columns) {
        if (patterns.some((pattern) => pattern.matches(relation.schema, relation.name, name))) this.#spread(relation, name, attnum, mask)
      }
    }
  }

  /** A partition's rows are read through its parent, and the parent's through the partition: both carry the mask. */
  #spread(relation: Relation, name: string, attnum: number, mask: ColumnMask): void {
    this.#mask(relation.oid, attnum, mask)
    for (const oid of [...this.catalogue.descendants(relation.oid), ...this.catalogue.ancestors(relation.oid)]) {
      const column = this.catalogue.relation(oid)?.columns.find((other) => other.name === name)
      if (column !== undefined) this.#mask(oid, column.attnum, mask)
    }
  }

  #mask(oid: number, attnum: number, mask: ColumnMask): void {
    const key = originKey(oid, attnum)
    this.#masks.set(key, strictest(this.#masks.get(key), mask))
    const row = originKey(oid, 0)
    this.#masks.set(row, { ...strictest(this.#masks.get(row), mask), ...WHOLE })
    this.#relations.add(oid)
    const name = this.catalogue.relation(oid)?.columns.find((column) => column.attnum === attnum)?.name
    if (name !== undefined) this.#names.add(name)
  }

  /** What a copy was made of is masked by what it is, too: a partition, say, under the mask of its parent. */
  #followCopies(copied: readonly CopiedInto[]): void {
    for (const into of copied) {
      for (const source of into.sources) {
        const mask = this.#masks.get(originKey(source.oid, source.attnum))
        if (mask !== undefined) this.#copied(into, source, mask)
      }
    }
  }

  #copied({ relation, name, attnum }: CopiedInto, { whole }: CopySource, mask: ColumnMask): void {
    this.#spread(relation, name, attnum, whole ? { ...mask, ...WHOLE } : mask)
  }

  /** A column generated from a masked one is masked whole. */
  #followGenerated(): void {
    for (const oid of this.#relations) {
      const relation = this.catalogue.relation(oid)
      if (relation === undefined) continue
      for (const { column, expression } of this.catalogue.generatedColumns(oid)) this.#generated(relation, column, expression)
    }
  }

  #generated(relation: Relation, column: string, expression: string): void {
    const target = relation.columns.find(({ name }) => name === column)
    if (target === undefined) return
    const { sources, untraced } = generatedSources(relation, expression, this.catalogue)
    const mask = this.#whole(sources) ?? (untraced === '' ? undefined : { ...WHOLE, predicates: 'block' as const })
    if (mask !== undefined) this.#spread(relation, column, target.attnum, mask)
  }

  /** What is computed of a row with a masked column: generated columns, checks, indexes. */
  #followChecks(): void {
    for (const oid of this.#relations) {
      const relation = this.catalogue.relation(oid)
      if (relation === undefined) continue
      for (const { column, expression } of this.catalogue.generatedColumns(oid)) {
        const isVirtual = relation.columns.some(({ name, virtual }) => name === column && virtual === true)
        if (this.#isRisky(relation, expression)) (isVirtual ? this.#failing : this.#failingWrites).add(oid)
      }
      if (this.catalogue.checkedExpressions(oid).some((expression) => this.#isRisky(relation, expression))) this.#failingWrites.add(oid)
    }
  }

  #isRisky(relation: Relation, expression: string): boolean {
    if (expression === '') return true
    const { risky, untraced } = generatedSources(relation, expression, this.catalogue)
    return untraced !== '' || risky.some((source) => this.isMasked(source))
  }

  /** Views report their own OID: a view column that passes a masked one on carries the mask as well. */
  #followViews(): void {
    const views = new Set<number>()
    for (const oid of this.#relations) for (const view of this.catalogue.dependents(oid)) views.add(view.oid)
    for (const oid of views) this.#follow(oid, views, new Set())
  }

  /** Views it reads come first. Views cannot form circles; `path` guards against a catalogue that says so. */
  #follow(oid: number, views: ReadonlySet<number>, path: Set<number>): void {
    const relation = this.catalogue.relation(oid)
    if (relation === undefined || this.#problems.has(oid) || path.has(oid)) return
    path.add(oid)
    const lineage = viewLineage(relation, this.catalogue)
    for (const { relation: read } of lineage.relations) {
      if (read !== undefined && views.has(read.oid)) this.#follow(read.oid, views, path)
    }
    this.#problems.set(oid, this.#problemIn(lineage, relation))
    for (const [index, output] of lineage.outputs.entries()) {
      const attnum = relation.columns[index]?.attnum
      if (attnum !== undefined) this.#viewColumn(oid, attnum, output)
    }
  }

  /** What passes a masked column on is masked like it; what is computed from one is masked whole. */
  #viewColumn(oid: number, attnum: number, { sources, derived }: OutputColumn): void {
    for (const source of sources) {
      const mask = this.maskOf(source)
      if (mask !== undefined) this.#mask(oid, attnum, mask)
    }
    const whole = this.#whole(derived)
    if (whole !== undefined) this.#mask(oid, attnum, whole)
  }

  /** The mask of what is computed from these. */
  #whole(sources: readonly Source[]): ColumnMask | undefined {
    let mask: ColumnMask | undefined
    for (const source of sources) {
      const found = this.maskOf(source)
      if (found !== undefined) mask = { ...strictest(mask, found), ...WHOLE }
    }
    return mask
  }

  /** Empty when masked columns come out of the view as they went in, or as computed columns of their own. */
  #problemIn(lineage: Lineage, view: Relation): string {
    if (lineage.untraced !== '') return `the view ${label(view)} cannot be followed: ${lineage.untraced}`
    if (lineage.uses.some(({ source, kind }) => kind === 'risky-output' && this.isMasked(source))) this.#failing.add(view.oid)
    const use = lineage.uses.find((each) => (each.kind === 'body' && this.isMasked(each.source)) || (!isForOutput(each) && !this.permits(each)) || (!each.forOutput && carriesSource(each.source)))
    if (use !== undefined) return `the view ${label(view)} uses ${use.source.table}.${use.source.column} in ${use.how}`
    const carried = lineage.outputs.flatMap(({ sources, derived }) => [...sources, ...derived]).find(carriesSource)
    if (carried !== undefined) return `the view ${label(view)} shows ${carried.table}.${carried.column}`
    for (const { relation } of lineage.relations) {
      const problem = relation === undefined || relation === view ? undefined : this.problem(relation)
      if (problem !== undefined) return problem
      if (relation !== undefined && this.mayFail(relation, false)) this.#failing.add(view.oid)
    }
    return ''
  }

  #viewProblem(view: Relation): string | undefined {
    if (view.schema === 'pg_catalog' || view.schema === 'information_schema') return undefined
    let problem = this.#problems.get(view.oid)
    if (problem === undefined) {
      this.#problems.set(view.oid, '')
      problem = this.#problemIn(viewLineage(view, this.catalogue), view)
      this.#problems.set(view.oid, problem)
    }
    return problem === '' ? undefined : problem
  }
}

/** A column that holds, since its relation was made, what others held. */
interface CopiedInto extends CopiedColumn {
  readonly relation: Relation
  readonly name: string
}

function copiedColumns(catalogue: Catalogue, target: Target): CopiedInto[] {
  if (catalogue.copies.size === 0) return []
  const isReclassified = reclassified(target)
  return Array.from(catalogue.copies, ([oid, columns]) => ({ relation: catalogue.relation(oid), columns })).flatMap(({ relation, columns }) => (
    relation === undefined ? [] : columns.flatMap((copied) => copiedInto(relation, copied)).filter(({ name }) => !isReclassified(relation, name))
  ))
}

function copiedInto(relation: Relation, { attnum, sources }: CopiedColumn): CopiedInto[] {
  return relation.columns.filter((column) => attnum === 0 || column.attnum === attnum).map((column) => ({ relation, name: column.name, attnum: column.attnum, sources }))
}

/** A view's own expressions are nobody's questions: what they compute is hidden where it comes out. */
function isForOutput({ kind, forOutput }: ColumnUse): boolean {
  return kind === 'output' || kind === 'risky-output' || (forOutput && kind !== 'flow')
}

/** Whether a system relation's column carries values of other tables. `undefined` asks for any of its columns. */
export function carries(relation: Relation, column: string | undefined): boolean {
  const columns = CARRIERS[relation.name]
  if (columns === undefined || (relation.schema !== 'pg_catalog' && relation.name !== 'pg_stat_statements')) return false
  return column === undefined || columns.includes(column)
}

export function carriesSource({ relation, column, attnum }: Source): boolean {
  return relation !== undefined && carries(relation, attnum === 0 ? undefined : column)
}

export function label(relation: Relation): string {
  return `${relation.schema}.${relation.name}`
}
