import type { ImpactEffect } from '../../../core/index.ts'

const MAX_NAMED = 3

/** `deletes 12 rows of public.orders, cascades to public.items` */
export function summarise(effects: readonly ImpactEffect[]): string {
  const direct = effects.filter(({ through }) => through === '')
  const carried = [...new Set(effects.filter(({ through }) => through !== '').map(({ resource }) => resource))]
  const told = direct.map((effect) => `${VERBS[effect.change] ?? effect.change} ${amountOf(effect)} of ${effect.resource}`)
  return [listed(told, '; ') || 'what it changes is not known', ...carried.length === 0 ? [] : [`cascades to ${listed(carried, ', ')}`]].join(', ')
}

const VERBS: Readonly<Record<string, string>> = { insert: 'inserts', update: 'updates', delete: 'deletes', truncate: 'truncates' }

export function amountOf({ amount, certainty, change }: Pick<ImpactEffect, 'amount' | 'certainty' | 'change'>): string {
  if (amount === undefined || certainty === 'unknown') return change in VERBS ? 'an unknown number of rows' : 'something'
  const rows = amount === 1 ? '1 row' : `${amount} rows`
  return { exact: rows, 'at-most': `at most ${rows}`, estimate: `≈ ${rows}` }[certainty]
}

function listed(names: readonly string[], separator: string): string {
  const more = names.length - MAX_NAMED
  return more > 0 ? `${names.slice(0, MAX_NAMED).join(separator)} and ${more} more` : names.join(separator)
}
