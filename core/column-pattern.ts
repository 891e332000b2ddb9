/**
 * How rules and grants name columns: `schema.table.column`, where `*` may stand for a whole part, and a part with dots or stars of
 * its own is quoted (`public.staff."tel. no"`); or a class of the target's configuration (`class:pii.email`, `class:pii.*`). What
 * a pattern covers at a target is for its adapter to find out.
 */

/**
 * The parts of `schema.table.column`, quotes taken off where nothing rests on them, so that parts that mean the same are the same;
 * `undefined` when it has none. Quotes inside of quotes are doubled.
 */
export function columnParts(pattern: string): readonly string[] | undefined {
  const parts = pattern.match(/"(?:[^"]|"")+"|[^".]+/g) ?? []
  if (parts.length === 0 || parts.join('.') !== pattern || parts.some((part) => part.trim() !== part)) return undefined
  return parts.map((part) => (/^"[^".*]+"$/.test(part) ? part.slice(1, -1) : part))
}

/** Why it is no pattern, or `undefined` when it is one. */
export function columnPatternProblem(pattern: string): string | undefined {
  if (pattern.length > 256) return 'a column pattern has at most 256 characters'
  if (isClassPattern(pattern)) {
    return /^class:[\w-]+(\.[\w-]+)*(\.\*)?$/.test(pattern) ? undefined : `"${pattern}" is not a class; write as in "class:pii.email" or "class:pii.*"`
  }
  const parts = columnParts(pattern)
  const good = parts?.length === 3 && parts.every((part) => part === '*' || part.startsWith('"') || !part.includes('*'))
  return good ? undefined : `"${pattern}" is not a column; write "schema.table.column", where "*" may stand for a whole part`
}

/** Whether it names a class, and not columns. */
export function isClassPattern(pattern: string): boolean {
  return pattern.startsWith('class:')
}

/** Whether everything that `inner` can stand for, `outer` stands for as well. A class covers classes only, and a column columns. */
export function patternCovers(outer: string, inner: string): boolean {
  if (outer === inner) return true
  if (isClassPattern(outer) !== isClassPattern(inner)) return false
  if (isClassPattern(outer)) return outer.endsWith('.*') && inner.startsWith(outer.slice(0, -1))
  const parts = columnParts(inner) ?? []
  return columnParts(outer)?.every((part, at) => part === '*' || part === parts[at]) === true
}

/** Whether a column may exist that both stand for. Classes are given by the target: a class may hold any column. */
export function patternsMeet(one: string, other: string): boolean {
  if (isClassPattern(one) && isClassPattern(other)) return patternCovers(one, other) || patternCovers(other, one)
  if (isClassPattern(one) || isClassPattern(other)) return true
  const parts = columnParts(other) ?? []
  return columnParts(one)?.every((part, at) => part === '*' || parts[at] === '*' || part === parts[at]) !== false
}
