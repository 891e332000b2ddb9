import { shortId, type CopyBegun, type CopyEntry, type CopyRecord, type CopyStream } from '../../core/index.ts'
import type { Catalogue } from './sql/index.ts'
import type { Analysis, Made } from './sql/analysis.ts'
import { copiedColumns, type CopiedColumn } from './sql/copied.ts'
import type { Relation } from './sql/resolver.ts'
import type { Route } from './target.ts'

/** Columns of copies, and what they were made of, that are kept for one database. */
const MAX_KEPT = 100_000

/** A relation that is being made of what others hold, or was, and has not been seen yet. */
interface Copy {
  readonly id: string
  readonly name: string
  readonly temporary: boolean
  /** OIDs of what had the name before. */
  readonly known: ReadonlySet<number>
  readonly columns: readonly CopiedColumn[]
  /** How many columns it has. */
  readonly width?: number
  /** The catalogue as it was before. */
  readonly before?: Catalogue
  /** `over`: what a reading of the catalogue that begins now does not show was not made. `doubtful`: it may still come. */
  state: 'running' | 'over' | 'doubtful'
}

/** Something that is under way at the target; one object each. */
export type Flight = object

/**
 * Which relations of a database hold copies of which columns. A copy is recorded before it is made, by the name that it
 * gets, and found by that name in the first catalogue that shows it; from there on it is known by its OID, whatever it
 * is called. Between the two, no statement under masks may use the name.
 *
 * 1. `begin` before the statement goes to the target. 2. `over` when its transaction has ended, `dropped` when it never
 * ran, `lost` when nobody will tell. 3. `look` at every reading of the catalogue, before anybody uses it.
 */
export class Copies {
  readonly #route: Route
  readonly #record: CopyStream
  readonly #open = new Map<string, Copy>()
  readonly #found = new Map<number, readonly CopiedColumn[]>()
  /** Copies that were settled, by this gateway or another. */
  readonly #settled = new Set<string>()
  /** Statements under masks that are with the target, and may resolve a name there later than they did here. */
  readonly #flights = new Map<Flight, Analysis>()
  #kept = 0

  constructor(route: Route, record: CopyRecord) {
    this.#route = route
    this.#record = record.of(route.target.name, route.database)
  }

  /** Lets a statement under masks go to the target, unless it uses a name that is being given to a copy: then the reason. */
  enter(flight: Flight, analysis: Analysis): string | undefined {
    if (this.#open.size > 0) {
      // What is temporary has no name in other sessions, and its own knows no more of the schema until its transaction ends.
      const copy = [...this.#open.values()].find(({ name, temporary }) => !temporary && uses(analysis, name))
      if (copy !== undefined) return `${copy.name} is being made by another statement; try again when that has ended`
    }
    this.#flights.set(flight, analysis)
    return undefined
  }

  /** It is over. */
  left(flight: Flight): void {
    this.#flights.delete(flight)
  }

  /**
   * Takes note of what a text copies, durable when it resolves: with the ids of its copies, or the reason why it must
   * not run. `alone`: nobody under masks may use the name meanwhile, or have done so.
   */
  async begin(flight: Flight, analysis: Analysis, catalogue: Catalogue, alone: boolean): Promise<readonly string[] | string> {
    const copies = analysis.statements.flatMap(({ makes }) => (makes === undefined ? [] : [makes])).map((makes) => this.#copyOf(makes, catalogue))
    const kept: Copy[] = []
    for (const copy of copies) {
      if (typeof copy === 'string') return copy
      if (copy.columns.length > 0) kept.push(copy)
    }
    const size = kept.reduce((sum, { columns }) => sum + sizeOf(columns), 0)
    if (this.#kept + size > MAX_KEPT) return `more than ${MAX_KEPT} columns of copies are kept for this database; drop copies that are not needed`
    if (alone && kept.some(({ name, temporary }) => !temporary && this.#inUse(name, flight))) return 'another statement that is under way uses the name of the copy'
    for (const copy of kept) this.#open.set(copy.id, copy)
    this.#kept += size
    try {
      for (const copy of kept) if (!copy.temporary) await this.#record.begun(this.#begun(copy))
    } catch {
      this.dropped(kept.map(({ id }) => id))
      return 'the copy cannot be recorded'
    }
    return kept.map(({ id }) => id)
  }

  #copyOf(makes: Made, catalogue: Catalogue): Copy | string {
    const columns = copiedColumns(makes, catalogue)
    if (columns === undefined) return 'what it copies is made of too many columns to be followed'
    const { name, temporary } = makes
    return { id: shortId(), name, temporary, known: new Set(catalogue.named(name).map(({ oid }) => oid)), columns, width: makes.columns.length, before: catalogue, state: 'running' }
  }

  #inUse(name: string, own: Flight): boolean {
    for (const [flight, analysis] of this.#flights) if (flight !== own && uses(analysis, name)) return true
    return false
  }

  #begun({ id, name, known, columns }: Copy): CopyBegun {
    const { target, database } = this.#route
    return {
      copy: id, target: target.name, database, name, known: Array.from(known, String),
      columns: columns.map(({ attnum, sources }) => ({
        attribute: attnum, sources: sources.map(({ oid, attnum: attribute, schema, table, column, whole }) => ({ relation: String(oid), attribute, path: [schema, table, column], whole })),
      })),
    }
  }

  /** Their transaction has ended; the catalogue has to be read again. */
  over(ids: readonly string[]): void {
    this.#become('over', ids)
  }

  /** They never ran. */
  dropped(ids: readonly string[]): void {
    for (const id of ids) {
      const copy = this.#open.get(id)
      if (copy !== undefined) this.#settle(copy, [])
    }
  }

  /** Nobody will tell whether they were made, or when. Temporary ones end with their session. */
  lost(ids: readonly string[]): void {
    this.#become('doubtful', ids.filter((id) => this.#open.get(id)?.temporary === false))
    this.dropped(ids.filter((id) => this.#open.get(id)?.temporary === true))
  }

  #become(state: Copy['state'], ids: readonly string[]): void {
    for (const id of ids) {
      const copy = this.#open.get(id)
      if (copy !== undefined) copy.state = state
    }
  }

  /**
   * Reads a catalogue with `load`, and tells it which of its relations hold copies. What other gateways recorded is taken
   * in between: a relation that the catalogue shows was recorded before. `used` has to be called when it is in use.
   */
  async look(load: () => Promise<Catalogue>): Promise<{ readonly catalogue: Catalogue; readonly used: () => void }> {
    const over = [...this.#open.values()].filter(({ state }) => state === 'over')
    const before = [...this.#found.keys()]
    const catalogue = await load()
    for (const entry of await this.#record.news()) this.#take(entry)
    const all = new Map<number, CopiedColumn[]>()
    for (const [oid, columns] of this.#found) if (catalogue.relation(oid) !== undefined) all.set(oid, [...columns])
    const shown = [...this.#open.values()].map((copy) => ({ copy, oids: matching(copy, catalogue, over.includes(copy)).map(({ oid }) => oid) }))
    for (const { copy, oids } of shown) for (const oid of oids) all.set(oid, [...(all.get(oid) ?? []), ...copy.columns])
    catalogue.copies = all
    return { catalogue, used: () => this.#used(before.filter((oid) => !all.has(oid)), shown.filter(({ copy, oids }) => over.includes(copy) || (copy.state === 'doubtful' && oids.length > 0))) }
  }

  /** What is shown once is known by its OID; what is gone is forgotten. */
  #used(gone: readonly number[], ended: readonly { readonly copy: Copy; readonly oids: readonly number[] }[]): void {
    for (const oid of gone) this.#forget(oid)
    for (const { copy, oids } of ended) if (this.#open.has(copy.id)) this.#settle(copy, oids)
  }

  #forget(oid: number): void {
    this.#kept -= sizeOf(this.#found.get(oid) ?? [])
    this.#found.delete(oid)
  }

  #settle(copy: Copy, oids: readonly number[]): void {
    this.#close(copy, oids)
    // Not being able to write it down leaves the copy in doubt after a restart, and so masked.
    if (!copy.temporary) this.#record.settled({ copy: copy.id, relations: oids.map(String) }).catch(() => {})
  }

  #close(copy: Copy, oids: readonly number[]): void {
    this.#open.delete(copy.id)
    if (!copy.temporary) this.#settled.add(copy.id)
    this.#kept -= sizeOf(copy.columns)
    for (const oid of oids) this.#add(oid, copy.columns)
  }

  #add(oid: number, columns: readonly CopiedColumn[]): void {
    this.#found.set(oid, [...(this.#found.get(oid) ?? []), ...columns])
    this.#kept += sizeOf(columns)
  }

  /** Of what another gateway began, or this one before it was started again, only the record tells. */
  #take(entry: CopyEntry): void {
    if ('begun' in entry) {
      const { copy: id, name, known, columns } = entry.begun
      if (this.#open.has(id) || this.#settled.has(id)) return
      const copy: Copy = { id, name, temporary: false, known: new Set(known.map(Number)), columns: columns.map(columnOf), state: 'doubtful' }
      this.#open.set(id, copy)
      this.#kept += sizeOf(copy.columns)
      return
    }
    const copy = this.#open.get(entry.settled.copy)
    if (copy === undefined) this.#settled.delete(entry.settled.copy)
    else this.#close(copy, entry.settled.relations.map(Number))
  }
}

function columnOf({ attribute, sources }: CopyBegun['columns'][number]): CopiedColumn {
  return {
    attnum: attribute,
    sources: sources.map(({ relation, attribute: attnum, path: [schema = '', table = '', column = ''], whole }) => ({ oid: Number(relation), attnum, schema, table, column, whole })),
  }
}

function sizeOf(columns: readonly CopiedColumn[]): number {
  return columns.reduce((sum, { sources }) => sum + sources.length, 0)
}

/** What may be the copy: it has the name, and had not before. Or, where somebody renamed it at once, it is new and looks like it. */
function matching(copy: Copy, catalogue: Catalogue, over: boolean): readonly Relation[] {
  const { name, known, temporary } = copy
  const named = catalogue.named(name).filter((relation) => !known.has(relation.oid) && (relation.temporary || !temporary))
  return named.length > 0 || !over || temporary ? named : [...catalogue.all()].filter((relation) => resembles(relation, copy))
}

function resembles(relation: Relation, { before, width, columns }: Copy): boolean {
  const isNew = before !== undefined && before.relation(relation.oid) === undefined && (relation.kind === 'table' || relation.kind === 'materialized-view')
  return isNew && relation.columns.length === width && columns.every((copied) => sameType(relation, copied, before))
}

/** What was computed may have any type. */
function sameType(relation: Relation, { attnum, sources }: CopiedColumn, before: Catalogue): boolean {
  const [source] = sources
  const type = source?.whole === false ? before.relation(source.oid)?.columns.find((column) => column.attnum === source.attnum)?.type : undefined
  return type === undefined || relation.columns.find((column) => column.attnum === attnum)?.type === type
}

/** Whether it reads, writes or alters something of that name, in whatever schema. Making or dropping one shows nothing. */
function uses({ statements }: Analysis, wanted: string): boolean {
  return statements.some(({ lineage, actions }) => lineage.relations.some(({ name, relation, use }) => (
    (relation?.name === wanted || name.slice(name.lastIndexOf('.') + 1) === wanted) && (use !== 'define' || actions.includes('alter'))
  )))
}
