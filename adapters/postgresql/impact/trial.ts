import type { Catalogue } from '../sql/catalogue.ts'
import { parse } from '../sql/load.ts'
import type { Relation } from '../sql/resolver.ts'
import { tokensOf } from '../sql/tokens.ts'
import type { AskCatalogue } from './catalogue-questions.ts'
import { returningInstead, type Change, type ChangeKind } from './changes.ts'
import type { FollowedChange } from './followed-change.ts'
import type { OwnCode } from './own-code.ts'
import { label } from './reach.ts'
import { rowName } from './rows-query.ts'

/** A statement that may be run and undone: nothing of it outlives its transaction. */
export interface Trial {
  /** The statement, giving the rows it changes. */
  readonly text: string
  /** The rows as they were; before PostgreSQL 18, of an UPDATE. */
  readonly before: string | undefined
  /** `old-and-new`: it gives the old columns, then the new ones. */
  readonly form: 'old-and-new' | 'new'
  readonly relation: Relation
  readonly kind: ChangeKind
  /** Columns of the primary key. */
  readonly key: readonly string[]
  readonly followed: readonly FollowedChange[]
  /** All relations that it reaches. */
  readonly oids: readonly number[]
}

export interface TrialOptions {
  readonly text: string
  readonly changes: readonly Change[]
  readonly followed: readonly FollowedChange[]
  readonly catalogue: Catalogue
  readonly ask: AskCatalogue
  readonly ownCode: OwnCode
}

/** RETURNING can give OLD and NEW from here on. */
const OLD_AND_NEW_MAJOR = 18

/** Makes a trial of a statement, or says why there is none. Asks the catalogue in the gateway's own name. */
export async function prepareTrial(options: TrialOptions): Promise<Trial | string> {
  const { followed, catalogue } = options
  const [first] = followed
  const reason = first === undefined ? 'its table is not known' : whyNot(options, first) ?? (await escapes(options))
  if (reason !== undefined || first === undefined) return reason ?? ''
  const { relation, change, rows } = first
  const oldAndNew = catalogue.serverMajor >= OLD_AND_NEW_MAJOR
  const row = rowName(change.relation)
  const list = oldAndNew ? 'WITH (OLD AS sallyport_old, NEW AS sallyport_new) sallyport_old.*, sallyport_new.*' : `${row}.*`
  const text = returning(options.text, list)
  if (text === undefined) return 'only a single INSERT, UPDATE or DELETE is tried'
  const before = !oldAndNew && change.kind === 'update' ? rows?.text(rows.repeats ? `DISTINCT ON (${row}.tableoid, ${row}.ctid) ${row}.*` : `${row}.*`) : undefined
  const key = (await options.ask(PRIMARY_KEY, JSON.stringify([relation.oid]))).map(([column]) => column ?? '')
  if (before !== undefined && key.length === 0) return `${label(relation)} has no primary key, so its rows before and after could not be matched`
  return { text, before, form: oldAndNew ? 'old-and-new' : 'new', relation, kind: change.kind, key, followed, oids: reached(followed, catalogue) }
}

function returning(text: string, list: string): string | undefined {
  const parsed = parse(text)
  const tokens = tokensOf(text)
  const [only, ...others] = parsed.kind === 'parsed' ? parsed.statements : []
  return only === undefined || tokens === undefined || others.length > 0 ? undefined : returningInstead(text, only, tokens, list)
}

function whyNot({ changes, followed, catalogue }: TrialOptions, { relation }: FollowedChange): string | undefined {
  if (followed.length < changes.length) return 'not all of its tables are known'
  if (followed.some((each) => each.relation !== relation)) return 'it changes several tables'
  if (changes.length > 1 && catalogue.serverMajor < OLD_AND_NEW_MAJOR) return 'before PostgreSQL 18, rows that it adds could not be told from rows that it updates'
  if (relation.kind !== 'table' && relation.kind !== 'partitioned-table') return `${label(relation)} is not a table`
  if (relation.hasRules) return `${label(relation)} has rewrite rules`
  const triggers = followed.flatMap(({ reach }) => reach.triggers)
  const [trigger] = triggers
  if (trigger !== undefined) return `trigger ${trigger.name} on ${trigger.relation} runs ${trigger.function}(), and what that does may not be undone with it`
  return followed.some(({ reach }) => reach.more) ? 'it reaches more tables than were followed' : undefined
}

/** Why something may outlive the rollback: in the statement, or in what the tables it reaches run by themselves. */
async function escapes({ text, followed, catalogue, ask, ownCode }: TrialOptions): Promise<string | undefined> {
  const own = await ownCode.hindrance(text, 'trial')
  if (own !== undefined) return own
  const withDefaults = followed.some(({ change, carried }) => change.kind === 'insert' || carried.some(({ to }) => to.through.includes('SET DEFAULT'))) || setsDefault(text)
  for (const [kind, oid, expression] of await ask(EXPRESSIONS, JSON.stringify(reached(followed, catalogue)))) {
    const relation = catalogue.relation(Number(oid))
    if (relation === undefined) return 'a table that it reaches is not known'
    if ((kind === 'default' || kind === 'identity') && !withDefaults) continue
    if (kind === 'identity') return `${label(relation)}.${expression ?? ''} takes numbers from a sequence, which no rollback gives back`
    const reason = await ownCode.expressionHindrance(expression ?? '', relation)
    if (reason !== undefined) return `${label(relation)} has a ${kind ?? ''} of which ${reason}`
  }
  return undefined
}

function setsDefault(text: string): boolean {
  const parsed = parse(text)
  return parsed.kind !== 'parsed' || JSON.stringify(parsed.statements).includes('"SetToDefault"')
}

/** Everything whose rows may change, with partitions and what they are partitions of. */
function reached(followed: readonly FollowedChange[], catalogue: Catalogue): number[] {
  const relations = followed.flatMap(({ relation, carried }) => [relation.oid, ...carried.map(({ to }) => to.relation.oid)])
  return [...new Set(relations.flatMap((oid) => [oid, ...catalogue.descendants(oid), ...catalogue.ancestors(oid)]))]
}

const OIDS = '(SELECT o::pg_catalog.oid FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) o)'

/** What a write of these relations computes by itself: kind, relation, expression. */
const EXPRESSIONS = `
SELECT 'check', conrelid::text, pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid IN ${OIDS}
UNION ALL
SELECT CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated column' END, d.adrelid::text, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid IN ${OIDS}
UNION ALL
SELECT 'identity', attrelid::text, attname::text FROM pg_catalog.pg_attribute WHERE attidentity <> '' AND NOT attisdropped AND attrelid IN ${OIDS}
UNION ALL
SELECT 'index', indrelid::text, pg_catalog.pg_get_expr(indexprs, indrelid) FROM pg_catalog.pg_index WHERE indexprs IS NOT NULL AND indrelid IN ${OIDS}
UNION ALL
SELECT 'index', indrelid::text, pg_catalog.pg_get_expr(indpred, indrelid) FROM pg_catalog.pg_index WHERE indpred IS NOT NULL AND indrelid IN ${OIDS}
UNION ALL
SELECT 'partition key', partrelid::text, pg_catalog.pg_get_expr(partexprs, partrelid) FROM pg_catalog.pg_partitioned_table WHERE partexprs IS NOT NULL AND partrelid IN ${OIDS}`

const PRIMARY_KEY = `
SELECT a.attname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisprimary AND i.indrelid IN ${OIDS} ORDER BY a.attnum`
