import { analyse } from '../sql/analyse.ts'
import type { Statement } from '../sql/analysis.ts'
import { isTree } from '../sql/ast.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import { parse } from '../sql/load.ts'
import type { Relation } from '../sql/resolver.ts'
import type { AskCatalogue } from './catalogue-questions.ts'
import { label } from './reach.ts'
import { quoted } from './rows-query.ts'

const NOT_OF_AN_EXTENSION = (oid: string, catalogue: string): string => `NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND d.objid = ${oid} AND d.deptype = 'e')`

/** Operators, casts and checks of domains that run a function of the database's own: kind, name. */
const OWN_CODE = `
SELECT 'operator', o.oprname::text FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
WHERE (o.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace OR p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace) AND ${NOT_OF_AN_EXTENSION('o.oid', 'pg_operator')}
UNION ALL
SELECT 'cast', pg_catalog.format_type(c.castsource, NULL) || ' to ' || pg_catalog.format_type(c.casttarget, NULL)
FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND ${NOT_OF_AN_EXTENSION('p.oid', 'pg_proc')}
UNION ALL
SELECT DISTINCT 'domain', pg_catalog.format_type(c.contypid, NULL)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
WHERE c.contypid <> 0 AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
  AND ${NOT_OF_AN_EXTENSION('d.refobjid', 'pg_proc')} AND ${NOT_OF_AN_EXTENSION('d.refobjid', 'pg_operator')}`

/** Of names given as JSON: built-in functions that are volatile in any of their forms. */
const VOLATILE = `
SELECT DISTINCT p.proname::text FROM pg_catalog.pg_proc p JOIN pg_catalog.json_array_elements_text($1::pg_catalog.json) n ON n = p.proname::text
WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.provolatile = 'v'`

const OIDS = '(SELECT o::pg_catalog.oid FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) o)'

/**
 * Of relations given as JSON: the conditions that come with reading them. Those of policies are in every query; those of
 * partial indexes and of inherited tables' checks the planner computes ahead, as far as they are constant.
 */
const CONDITIONS = `
SELECT p.polrelid::text, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid WHERE c.relrowsecurity AND p.polrelid IN ${OIDS}
UNION ALL
SELECT indrelid::text, pg_catalog.pg_get_expr(indpred, indrelid), NULL FROM pg_catalog.pg_index WHERE indpred IS NOT NULL AND indrelid IN ${OIDS}
UNION ALL
SELECT c.conrelid::text, pg_catalog.pg_get_expr(c.conbin, c.conrelid), NULL FROM pg_catalog.pg_constraint c
WHERE c.contype = 'c' AND c.conrelid IN ${OIDS} AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.conrelid)`

/** What the grammar spells otherwise, or the server adds by itself: IN, BETWEEN, CASE, USING, DISTINCT, LIKE. */
const IMPLIED_OPERATORS = new Set(['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '!~~*', '~', '!~'])
const MAX_PARTS = 200

const READS: ReadonlySet<string> = new Set(['read'])
const UNDOABLE: ReadonlySet<string> = new Set(['read', 'insert', 'update', 'delete'])
/** Volatile, and yet nothing of a call outlives it. */
const UNDONE: ReadonlySet<string> = new Set(['random', 'random_normal', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7'])

export interface OwnCodeOptions {
  readonly catalogue: Catalogue
  readonly ask: AskCatalogue
  /** Of the text; views and policies are read with every name in full. */
  readonly searchPath: readonly string[]
}

interface Part {
  readonly text: string
  readonly searchPath: readonly string[]
}

/**
 * Says why a query must not be run before anybody has agreed to it; `undefined` when it runs nothing but functions of
 * PostgreSQL's own that leave nothing behind, through all views and policies on its way. Fails closed: what it cannot see is
 * a reason.
 */
export class OwnCode {
  readonly #o: OwnCodeOptions
  #own: Promise<readonly (readonly (string | null)[])[]> | undefined

  constructor(options: OwnCodeOptions) {
    this.#o = options
  }

  /** `trial`: of a statement that writes, and is undone. */
  hindrance(text: string, how: 'read' | 'trial' = 'read'): Promise<string | undefined> {
    return this.#hindrance({ text, searchPath: this.#o.searchPath }, how)
  }

  /** Of an expression over a table's columns, every name in full. */
  expressionHindrance(expression: string, { schema, name }: Relation): Promise<string | undefined> {
    return this.#hindrance({ text: `SELECT ${expression} FROM ${quoted(schema, name)}`, searchPath: [] }, 'trial')
  }

  async #hindrance(first: Part, how: 'read' | 'trial'): Promise<string | undefined> {
    const parts: Part[] = [first]
    const functions = new Set<string>()
    const seen = new Set<number>()
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]
      if (part === undefined || parts.length > MAX_PARTS) return 'it reads through too many views and conditions'
      const [statement, ...others] = this.#analysed(part)
      if (statement === undefined || others.length > 0) return 'it is not one statement'
      if (picksField(part.text)) return 'it picks a field of a value, which may be a call of a function'
      const reason = hindranceIn(statement, part === first ? how : 'read') ?? (await this.#ownOperator(part.text))
      if (reason !== undefined) return reason
      for (const name of statement.sql.functions) functions.add(name)
      const next = await this.#behind(statement, seen)
      if (typeof next === 'string') return next
      parts.push(...next)
    }
    return this.#volatile([...functions].filter((name) => how === 'read' || !UNDONE.has(name)))
  }

  #analysed({ text, searchPath }: Part): readonly Statement[] {
    return analyse(text, { resolver: this.#o.catalogue, searchPath, standardStrings: true }).statements
  }

  /** The queries of the views it reads, and the conditions that come with its tables. */
  async #behind({ lineage }: Statement, seen: Set<number>): Promise<readonly Part[] | string> {
    const { catalogue } = this.#o
    const parts: Part[] = []
    const tables: Relation[] = []
    for (const { relation, name } of lineage.relations) {
      if (relation === undefined) return `${name} is not in the catalogue`
      if (relation.temporary) return `${label(relation)} is a temporary table`
      for (const each of [relation, ...catalogue.kin(relation)]) {
        if (each.kind === 'foreign-table') return `${label(each)} is a foreign table`
        if (seen.has(each.oid) || each.schema === 'pg_catalog' || each.schema === 'information_schema') continue
        seen.add(each.oid)
        if (each.kind !== 'view') tables.push(each)
        else {
          const definition = catalogue.definition(each.oid)
          if (definition === undefined) return `the definition of ${label(each)} is not known`
          parts.push({ text: definition, searchPath: [] })
        }
      }
    }
    return [...parts, ...await this.#conditions(tables)]
  }

  async #conditions(tables: readonly Relation[]): Promise<Part[]> {
    if (tables.length === 0) return []
    const rows = await this.#o.ask(CONDITIONS, JSON.stringify(tables.map(({ oid }) => oid)))
    return rows.flatMap(([oid, using, check]) => {
      const table = tables.find((each) => each.oid === Number(oid))
      if (table === undefined) return []
      return [using, check].flatMap((condition) => (typeof condition === 'string' ? [{ text: `SELECT ${condition} FROM ${quoted(table.schema, table.name)}`, searchPath: [] }] : []))
    })
  }

  async #ownOperator(text: string): Promise<string | undefined> {
    this.#own ??= this.#o.ask(OWN_CODE)
    for (const [kind, name] of await this.#own) {
      if (kind === 'cast') return `the database has a cast of its own (${name}), which it might use`
      if (kind === 'domain') return `the database has a domain (${name}) that is checked by a function of its own`
      if (name === null || name === undefined || IMPLIED_OPERATORS.has(name) || text.includes(name)) return `the database has an operator of its own (${name}), which it might use`
    }
    return undefined
  }

  async #volatile(functions: readonly string[]): Promise<string | undefined> {
    const own = functions.find((name) => this.#isOwn(name))
    if (own !== undefined) return `it calls ${own}(), which is volatile or of the database's own`
    const [[name] = []] = await this.#o.ask(VOLATILE, JSON.stringify(functions))
    if (name === 'nextval') return 'it takes numbers from a sequence, which no rollback gives back'
    return typeof name === 'string' ? `it calls ${name}(), which is volatile` : undefined
  }

  /** However harmless its body reads: it may have been replaced a moment ago. */
  #isOwn(name: string): boolean {
    const last = name.slice(name.lastIndexOf('.') + 1)
    return this.#o.catalogue.functions(undefined, last, undefined).some(({ extension, volatility }) => !extension || volatility === 'volatile')
  }
}

const WHOLE_ROW = 'a whole-row reference'

/** `(value).name`: a field of a composite value, or a function of it. */
function picksField(text: string): boolean {
  const parsed = parse(text)
  return parsed.kind !== 'parsed' || hasFieldPick(parsed.statements.map(({ node }) => node))
}

function hasFieldPick(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasFieldPick)
  if (!isTree(value)) return false
  const { A_Indirection: picked } = value
  if (isTree(picked) && Array.isArray(picked['indirection']) && picked['indirection'].some((part) => isTree(part) && 'String' in part)) return true
  return Object.values(value).some(hasFieldPick)
}

function hindranceIn({ actions, fidelity, opaque, lineage }: Statement, how: 'read' | 'trial'): string | undefined {
  if (fidelity !== 'parsed') return opaque
  if (lineage.untraced !== '') return lineage.untraced
  const [unresolved] = lineage.unresolved
  if (unresolved !== undefined) return `what ${unresolved.name} stands for is not known`
  // `orders.f` is the call f(orders) where there is no such column: a row in an expression may be one.
  if (lineage.uses.some(({ source, how }) => source.attnum === 0 && how === WHOLE_ROW)) return 'it uses a whole row, which may be a call of a function'
  const more = actions.find((action) => !(how === 'read' ? READS : UNDOABLE).has(action))
  return more === undefined ? undefined : `it does more than read (${more})`
}
