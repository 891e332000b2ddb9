/** WITH: common table expressions, recursive ones as well. */
import type { CommonTableExpr, WithClause } from 'libpg-query'
import type { Source } from './analysis.ts'
import { stringsOf } from './ast.ts'
import { renameOutputs } from './column-aliases.ts'
import { SEARCH_OR_CYCLE } from './place.ts'
import { distinctSources, sourceKey } from './source.ts'
import { allSources, NO_OUTPUTS, useOutputs, type CteEnv, type Env, type Outputs, type Walk } from './walk.ts'

/** Adds a WITH clause to the names in reach. Recursive ones see each other; the rest see those before them. */
export function withCtes(clause: WithClause | undefined, env: Env, walk: Walk): Env {
  let ctes = env.ctes
  const pending: (() => Outputs)[] = []
  for (const node of clause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) continue
    const cte = node.CommonTableExpr
    if (cte.ctequery !== undefined && !('SelectStmt' in cte.ctequery)) walk.found.flag('uncountable')
    const before = ctes
    const seen = (): CteEnv | undefined => (clause?.recursive === true ? ctes : before)
    const outputs = once(() => cteOutputs(cte, { scope: env.scope, ctes: seen() }, walk))
    ctes = { name: cte.ctename ?? '', outputs, next: before }
    pending.push(outputs)
  }
  for (const outputs of pending) walk.found.choosing(outputs)
  return { scope: env.scope, ctes }
}

/** The same columns, where each may be made from anything. */
export function smeared({ columns, ordered, open }: Outputs, all: readonly Source[]): Outputs {
  const derived = distinctSources(all)
  const names = columns.length === 0 ? ['*'] : columns.map(({ name }) => name)
  return { columns: names.map((name) => ({ name, sources: [], derived })), ordered, open: open || columns.length === 0 }
}

/** Rounds after which a recursive query's columns are taken to hold anything. */
const MAX_ROUNDS = 5

/**
 * Evaluates once, or, when it refers to itself, until no column is found to be made from more than the round before
 * knew: what the recursive reference holds is what any round gave.
 */
function once(evaluate: () => Outputs): () => Outputs {
  let known: Outputs = { columns: [], ordered: false, open: true }
  let state: 'new' | 'working' | 'done' = 'new'
  let recursive = false
  return () => {
    if (state === 'working') recursive = true
    if (state !== 'new') return known
    state = 'working'
    let given = evaluate()
    for (let round = 0; recursive && breadth(given) > breadth(known); round++) {
      known = round < MAX_ROUNDS ? derivedOnly(given) : smeared(given, allSources(given))
      given = evaluate()
    }
    state = 'done'
    return (known = given)
  }
}

/** How many columns its columns are made from, each counted for itself. */
function breadth({ columns }: Outputs): number {
  return columns.reduce((sum, { sources, derived }) => sum + 1 + new Set([...sources, ...derived].map(sourceKey)).size, 0)
}

function derivedOnly(outputs: Outputs): Outputs {
  const columns = outputs.columns.map(({ name, sources, derived }) => ({ name, sources: [], derived: distinctSources([...sources, ...derived]) }))
  return { ...outputs, columns }
}

function cteOutputs(cte: CommonTableExpr, env: Env, walk: Walk): Outputs {
  const { ctequery } = cte
  if (ctequery === undefined) return NO_OUTPUTS
  const given = 'SelectStmt' in ctequery ? walk.query(ctequery.SelectStmt, env) : (walk.write(ctequery, env) ?? NO_OUTPUTS)
  if (cte.cycle_clause !== undefined || cte.search_clause !== undefined) useOutputs(given, SEARCH_OR_CYCLE, walk)
  const named = renameOutputs(given, stringsOf(cte.aliascolnames))
  const extra = [cte.search_clause?.search_seq_column, cte.cycle_clause?.cycle_mark_column, cte.cycle_clause?.cycle_path_column]
  return { ...named, columns: [...named.columns, ...extra.flatMap((name) => (name === undefined ? [] : [{ name, sources: [], derived: allSources(given) }]))] }
}
