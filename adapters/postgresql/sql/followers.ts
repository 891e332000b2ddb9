/** What follows a write by itself: triggers, cascades of foreign keys, functions in defaults and checks. */
import type { Named } from './relation-item.ts'
import type { Followers, FunctionEntry, Relation, RowEvent } from './resolver.ts'
import type { Walk } from './walk.ts'

/** Notes all that writing rows of these relations sets off. `set`: the columns that an UPDATE sets, where they are known. */
export function follow({ relations }: Named, event: RowEvent, walk: Walk, set?: readonly string[]): void {
  const done = new Set<string>()
  for (const relation of relations) followOne(relation, event, done, walk, relation.kind === 'view' ? undefined : set)
}

/** A view, a partition or a parent stands for rows of others, so what follows there follows as well. */
function followOne(relation: Relation, event: RowEvent, done: Set<string>, walk: Walk, set?: readonly string[]): void {
  const { resolver } = walk.found.context
  for (const each of [relation, ...(resolver?.kin(relation) ?? [])]) {
    const key = `${each.oid} ${event}`
    if (done.has(key)) continue
    done.add(key)
    walk.budget.spend(1)
    const followers = resolver?.followers(each)
    if (followers === undefined) continue
    // An update of the partition key takes a row out here and puts it in there.
    for (const trigger of followers.triggers) if (event === 'update' || trigger.events.includes(event)) fire(trigger.function, each, walk)
    for (const oid of followers.attached) run(oid, walk)
    for (const rule of followers.rules) if (rule.event === event) walk.rule(each, rule.definition)
    for (const reference of followers.referencing) if (!keepsKey(reference.key, each, followers, set, walk)) cascade(reference, event, done, walk)
  }
}

/** Whether an UPDATE leaves the columns alone that others point to; a trigger could set them. */
function keepsKey(key: readonly string[], relation: Relation, { triggers }: Followers, set: readonly string[] | undefined, { found }: Walk): boolean {
  if (set === undefined || key.length === 0 || triggers.length > 0) return false
  return !key.some((column) => set.includes(column) || found.context.resolver?.isGenerated(relation, column) !== false)
}

function cascade({ relation, onDelete, onUpdate }: { relation: Relation; onDelete: RowEvent | undefined; onUpdate: RowEvent | undefined }, event: RowEvent, done: Set<string>, walk: Walk): void {
  const next = event === 'delete' ? onDelete : event === 'update' ? onUpdate : undefined
  if (next === undefined) return
  walk.found.change(relation)
  followOne(relation, next, done, walk)
}

/** TRUNCATE … CASCADE empties all that points here, and what points there. */
export function truncateReferencing({ relations }: Named, walk: Walk): void {
  const done = new Set<number>()
  const pending = [...relations]
  for (let relation = pending.pop(); relation !== undefined; relation = pending.pop()) {
    for (const each of [relation, ...(walk.found.context.resolver?.kin(relation) ?? [])]) {
      if (done.has(each.oid)) continue
      done.add(each.oid)
      walk.found.change(each)
      followOne(each, 'truncate', new Set(), walk)
      for (const reference of walk.found.context.resolver?.followers(each)?.referencing ?? []) pending.push(reference.relation)
    }
  }
}

function fire(oid: number, relation: Relation, walk: Walk): void {
  const entry = walk.found.context.resolver?.function(oid)
  if (entry === undefined) return
  if (entry.definition === '') runHidden(entry, walk)
  else walk.trigger(entry, relation)
}

/** What it reads goes into other rows, or nowhere: it gives the client nothing. */
function run(oid: number, walk: Walk): void {
  const entry = walk.found.context.resolver?.function(oid)
  if (entry !== undefined) runHidden(entry, walk)
}

export function runHidden(entry: FunctionEntry, walk: Walk): void {
  walk.found.runs(entry.name)
  if (entry.definition !== '') walk.routine(entry)
  else if (entry.volatility === 'volatile' && !entry.extension) walk.found.hidden(`function ${entry.name}(): its body may do anything`)
}

/** Functions that the queries of views call run when these are read or written through. */
export function runViews({ relations }: Named, walk: Walk): void {
  for (const relation of relations) {
    if (relation.kind === 'view') walk.view(relation)
  }
}
