import type { Catalogue } from '../sql/catalogue.ts'
import type { Relation } from '../sql/resolver.ts'
import type { AskCatalogue } from './catalogue-questions.ts'
import type { ChangeKind } from './changes.ts'
import { REFERENCES, TRIGGERS } from './reach-queries.ts'

/** A change to one relation; of an update, the columns that are set. */
export interface RelationChange {
  readonly relation: Relation
  readonly kind: ChangeKind
  readonly columns: readonly string[]
  /** Partitions and inheriting tables are not meant. */
  readonly only: boolean
  readonly cascades: boolean
}

export interface ForeignKey {
  readonly name: string
  readonly child: number
  readonly parent: number
  readonly onDelete: string
  readonly onUpdate: string
  readonly childColumns: readonly string[]
  readonly parentColumns: readonly string[]
}

/** A change that a foreign key carries on. */
export interface Carried extends RelationChange {
  readonly key: ForeignKey
  /** `ON DELETE CASCADE of items_order_fkey` */
  readonly through: string
  /** 1 for what refers to the named relation itself. */
  readonly depth: number
}

export interface FiredTrigger {
  readonly relation: string
  readonly name: string
  /** `BEFORE UPDATE` */
  readonly when: string
  readonly function: string
}

export interface Reach {
  readonly carried: readonly Carried[]
  readonly triggers: readonly FiredTrigger[]
  /** Keys that make it fail if something refers to what goes: `public.items (items_order_fkey)`. */
  readonly restricting: readonly string[]
  /** There is more than was followed. */
  readonly more: boolean
}

const MAX_REACHED = 100
const MAX_DEPTH = 20

/** Where a change goes by foreign keys, all the way down, and which triggers it fires on its way. What triggers do is not followed. */
export async function reachOf(change: RelationChange, catalogue: Catalogue, ask: AskCatalogue): Promise<Reach> {
  const carried: Carried[] = []
  const restricting = new Set<string>()
  const seen = new Set([keyOf(change)])
  let more = false
  let front: RelationChange[] = [change]
  for (let depth = 1; front.length > 0; depth++) {
    const keys = await referencesTo(front.flatMap((each) => oids(each, catalogue)), ask)
    const next: Carried[] = []
    for (const from of front) {
      for (const key of keys.filter(({ parent }) => oids(from, catalogue).includes(parent))) {
        const carries = carriedOn(from, key, catalogue, depth)
        if (carries === 'stops' && depth === 1) restricting.add(`${labelOf(key.child, catalogue)} (${key.name})`)
        if (typeof carries !== 'object' || seen.has(keyOf(carries))) continue
        seen.add(keyOf(carries))
        next.push(carries)
      }
    }
    carried.push(...next)
    more = next.length > 0 && (carried.length > MAX_REACHED || depth === MAX_DEPTH)
    front = more ? [] : next
  }
  return { carried, triggers: await triggersOf([change, ...carried], catalogue, ask), restricting: [...restricting], more }
}

function keyOf({ relation, kind, columns }: RelationChange): string {
  return `${relation.oid} ${kind} ${kind === 'update' ? columns.join() : ''}`
}

/** The relation and, unless it says ONLY, what inherits from it. */
function oids({ relation, only }: RelationChange, catalogue: Catalogue): readonly number[] {
  return only ? [relation.oid] : [relation.oid, ...catalogue.descendants(relation.oid)]
}

async function referencesTo(relations: readonly number[], ask: AskCatalogue): Promise<ForeignKey[]> {
  const rows = await ask(REFERENCES, JSON.stringify(relations))
  return rows.map(([name, child, parent, onDelete, onUpdate, childColumns, parentColumns]) => ({
    name: name ?? '', child: Number(child), parent: Number(parent), onDelete: onDelete ?? '', onUpdate: onUpdate ?? '',
    childColumns: listOf(childColumns), parentColumns: listOf(parentColumns),
  }))
}

function listOf(json: string | null | undefined): readonly string[] {
  return json === null || json === undefined ? [] : (JSON.parse(json) as string[])
}

const ACTIONS: Readonly<Record<string, string>> = { c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' }

/** What a foreign key does with a change of what it refers to. `stops`: the change fails if something refers to it. */
function carriedOn(from: RelationChange, key: ForeignKey, catalogue: Catalogue, depth: number): Carried | 'stops' | undefined {
  const relation = catalogue.relation(key.child)
  if (relation === undefined || from.kind === 'insert') return undefined
  const common = { relation, only: false, cascades: from.cascades, key, depth }
  if (from.kind === 'truncate') return from.cascades ? { ...common, kind: 'truncate', columns: [], through: `TRUNCATE … CASCADE by ${key.name}` } : 'stops'
  if (from.kind === 'update' && !from.columns.some((column) => key.parentColumns.includes(column))) return undefined
  const event = from.kind === 'delete' ? 'DELETE' : 'UPDATE'
  const action = ACTIONS[from.kind === 'delete' ? key.onDelete : key.onUpdate]
  if (action === undefined) return 'stops'
  const through = `ON ${event} ${action} of ${key.name}`
  return from.kind === 'delete' && action === 'CASCADE' ? { ...common, kind: 'delete', columns: [], through } : { ...common, kind: 'update', columns: key.childColumns, through }
}

/** Bits of `pg_trigger.tgtype`. */
const EVENTS: Readonly<Record<ChangeKind, number>> = { insert: 4, delete: 8, update: 16, truncate: 32 }

async function triggersOf(changes: readonly RelationChange[], catalogue: Catalogue, ask: AskCatalogue): Promise<FiredTrigger[]> {
  const relations = changes.flatMap((change) => oids(change, catalogue))
  const rows = await ask(TRIGGERS, JSON.stringify(relations))
  const fired = new Map<string, FiredTrigger>()
  for (const [oid, name, bits, columns, schema, procedure] of rows) {
    for (const change of changes.filter((each) => oids(each, catalogue).includes(Number(oid)))) {
      if (!fires(change, Number(bits), listOf(columns))) continue
      const trigger = { relation: label(change.relation), name: name ?? '', when: `${momentOf(Number(bits))} ${change.kind.toUpperCase()}`, function: `${schema ?? ''}.${procedure ?? ''}` }
      fired.set(`${trigger.relation} ${trigger.name} ${trigger.when}`, trigger)
    }
  }
  return [...fired.values()]
}

/** A trigger of UPDATE OF columns fires when one of them is set. */
function fires({ kind, columns }: RelationChange, bits: number, of: readonly string[]): boolean {
  if ((bits & EVENTS[kind]) === 0) return false
  return kind !== 'update' || of.length === 0 || of.some((column) => columns.includes(column))
}

function momentOf(bits: number): string {
  return (bits & 64) !== 0 ? 'INSTEAD OF' : (bits & 2) !== 0 ? 'BEFORE' : 'AFTER'
}

export function label({ schema, name }: Relation): string {
  return `${schema}.${name}`
}

function labelOf(oid: number, catalogue: Catalogue): string {
  const relation = catalogue.relation(oid)
  return relation === undefined ? `relation ${oid}` : label(relation)
}
