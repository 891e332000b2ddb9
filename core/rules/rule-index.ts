import { guardsOf, type Guard } from './guards.ts'
import type { Rule } from './rule.ts'

/** A rule with its place in the ruleset, which is the order of votes. */
export interface Entry {
  readonly rule: Rule
  readonly place: number
}

/** Finds the rules that may have something to say of an input, without looking at the others. */
export interface RuleIndex {
  candidates(root: unknown): readonly Entry[]
}

/**
 * Files each rule under the value it is guarded by, on the path that tells most rules apart. What is left is tried always.
 */
export function ruleIndex(rules: readonly Rule[]): RuleIndex {
  const entries = rules.map((rule, place) => ({ rule, place }))
  const tables = new Map<string, Map<string, Entry[]>>()
  const always: Entry[] = []
  const weights = weigh(entries)
  for (const entry of entries) {
    const guard = narrowest(guardsOf(entry.rule), weights)
    if (guard === undefined) always.push(entry)
    else file(tables, guard, entry)
  }
  const paths = [...tables].map(([path, table]) => ({ keys: path.split('.'), table }))
  return { candidates: (root) => find(root, paths, always) }
}

/** Path → how many different values rules ask of it: the more, the fewer rules each value leaves. */
function weigh(entries: readonly Entry[]): Map<string, number> {
  const values = new Map<string, Set<string>>()
  for (const guard of entries.flatMap(({ rule }) => guardsOf(rule))) {
    const known = values.get(guard.path) ?? new Set()
    guard.values.forEach((value) => known.add(value))
    values.set(guard.path, known)
  }
  return new Map([...values].map(([path, known]) => [path, known.size]))
}

function narrowest(guards: readonly Guard[], weights: ReadonlyMap<string, number>): Guard | undefined {
  const share = (guard: Guard) => guard.values.length / (weights.get(guard.path) ?? 1)
  return guards.toSorted((a, b) => share(a) - share(b))[0]
}

function file(tables: Map<string, Map<string, Entry[]>>, guard: Guard, entry: Entry): void {
  const table = tables.get(guard.path) ?? new Map<string, Entry[]>()
  tables.set(guard.path, table)
  for (const value of new Set(guard.values)) {
    const list = table.get(value)
    if (list === undefined) table.set(value, [entry])
    else list.push(entry)
  }
}

interface Table { readonly keys: readonly string[]; readonly table: ReadonlyMap<string, readonly Entry[]> }

function find(root: unknown, paths: readonly Table[], always: readonly Entry[]): readonly Entry[] {
  const found = new Set<Entry>(always)
  for (const { keys, table } of paths) {
    collect(root, keys, 0, (value) => table.get(String(value))?.forEach((entry) => found.add(entry)))
  }
  return [...found].sort((a, b) => a.place - b.place)
}

/** Gives every value at a path, going through lists. */
function collect(value: unknown, keys: readonly string[], depth: number, take: (value: unknown) => void): void {
  if (Array.isArray(value)) for (const each of value) collect(each, keys, depth, take)
  else if (depth === keys.length) take(value)
  else collect((value as Record<string, unknown>)[keys[depth] ?? ''], keys, depth + 1, take)
}
