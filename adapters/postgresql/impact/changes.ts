import type { DeleteStmt, InsertStmt, MergeStmt, Node, RangeVar, TruncateStmt, UpdateStmt } from 'libpg-query'
import type { ParsedStatement } from '../sql/load.ts'
import type { Token } from '../sql/tokens.ts'
import { isExactly, isSameWithReturning, quoted, rowName, type Expected, type RowsQuery } from './rows-query.ts'

export type ChangeKind = 'insert' | 'update' | 'delete' | 'truncate'

/** One kind of change to one relation that a statement asks for. */
export interface Change {
  readonly kind: ChangeKind
  readonly relation: RangeVar
  /** Of an UPDATE: the columns that are set. */
  readonly columns: readonly string[]
  /** How many rows, when the statement itself tells. */
  readonly amount?: { readonly rows: number; readonly atMost: boolean }
  /** Which rows; absent when no query for them could be made. */
  readonly rows?: RowsQuery | undefined
  /** TRUNCATE … CASCADE. */
  readonly cascades?: boolean
}

/** What a statement of a text says it changes; empty for what is no INSERT, UPDATE, DELETE, MERGE or TRUNCATE. */
export function changesOf(text: string, { node, start, end }: ParsedStatement, tokens: readonly Token[]): readonly Change[] {
  const source = new Source(text, tokens.filter((token) => token.start >= start && token.end <= end), start, end)
  return changes('ExplainStmt' in node && node.ExplainStmt.query !== undefined ? node.ExplainStmt.query : node, source)
}

/** An INSERT, UPDATE or DELETE with this RETURNING in place of its own; `undefined` for anything else. */
export function returningInstead(text: string, { node, start, end }: ParsedStatement, tokens: readonly Token[], list: string): string | undefined {
  const clauses = 'InsertStmt' in node ? node.InsertStmt : 'UpdateStmt' in node ? node.UpdateStmt : 'DeleteStmt' in node ? node.DeleteStmt : undefined
  if (clauses === undefined) return undefined
  const source = new Source(text, tokens.filter((token) => token.start >= start && token.end <= end), start, end)
  const own = clauses.returningClause === undefined ? undefined : source.last('RETURNING', end)
  const made = `${source.cut(start, own?.start ?? end)}\nRETURNING ${list}`
  return isSameWithReturning(made, node) ? made : undefined
}

function changes(node: Node, source: Source): readonly Change[] {
  if ('UpdateStmt' in node) return update(node.UpdateStmt, source)
  if ('DeleteStmt' in node) return remove(node.DeleteStmt, source)
  if ('InsertStmt' in node) return insert(node.InsertStmt, source)
  if ('MergeStmt' in node) return merge(node.MergeStmt, source)
  if ('TruncateStmt' in node) return truncate(node.TruncateStmt)
  return []
}

/** A statement's text with its tokens: finds the keywords that begin its clauses, and cuts between them. */
class Source {
  readonly #bytes: Buffer
  readonly tokens: readonly Token[]
  readonly start: number
  readonly end: number

  constructor(text: string, tokens: readonly Token[], start: number, end: number) {
    this.#bytes = Buffer.from(text)
    this.tokens = tokens
    this.start = start
    this.end = end
  }

  cut(start: number, end: number): string {
    return this.#bytes.toString('utf8', start, end)
  }

  /** The first such keyword outside brackets that begins at or after a place. */
  next(word: string, from: number): Token | undefined {
    return this.tokens.find((token, index) => token.start >= from && isWord(token, word) && !(word === 'FROM' && isWord(this.tokens[index - 1], 'DISTINCT')))
  }

  all(word: string, from: number): readonly Token[] {
    return this.tokens.filter((token) => token.start >= from && isWord(token, word))
  }

  /** The last such keyword outside brackets before a place. */
  last(word: string, before: number): Token | undefined {
    return this.tokens.findLast((token) => token.start < before && isWord(token, word))
  }

  /** What stands before the statement's own keyword: its WITH. */
  with(clause: unknown, before: Token): string {
    const [first] = this.tokens
    return clause === undefined || first === undefined ? '' : `${this.cut(this.tokens.find((token) => isWord(token, 'WITH'))?.start ?? first.start, before.start)}\n`
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return token !== undefined && token.depth === 0 && token.text.toUpperCase() === word
}

function update(statement: UpdateStmt, source: Source): Change[] {
  const { relation = {}, targetList, fromClause, whereClause, withClause } = statement
  const columns = assigned(targetList)
  const rows = ((): RowsQuery | undefined => {
    const own = source.last('UPDATE', relation.location ?? 0)
    const set = source.last('SET', placeOf(targetList))
    if (own === undefined || set === undefined) return undefined
    const from = fromClause === undefined ? undefined : source.next('FROM', set.end)
    const clauses = { source, from, whereClause, after: from?.end ?? set.end, others: fromClause, relation, withClause, own }
    return joined(clauses, source.cut(own.end, set.start))
  })()
  return [{ kind: 'update', relation, columns, rows }]
}

function remove(statement: DeleteStmt, source: Source): Change[] {
  const { relation = {}, usingClause, whereClause, withClause } = statement
  const rows = ((): RowsQuery | undefined => {
    const from = source.last('FROM', relation.location ?? 0)
    const own = source.last('DELETE', from?.start ?? 0)
    if (own === undefined || from === undefined) return undefined
    const using = usingClause === undefined ? undefined : source.next('USING', from.end)
    const where = whereClause === undefined ? undefined : source.next('WHERE', using?.end ?? from.end)
    const end = using ?? where ?? source.next('RETURNING', from.end)
    return joined({ source, from: using, whereClause, after: using?.end ?? from.end, others: usingClause, relation, withClause, own }, source.cut(from.end, end?.start ?? source.end))
  })()
  return [{ kind: 'delete', relation, columns: [], rows }]
}

interface Clauses {
  readonly source: Source
  /** The statement's own keyword. */
  readonly own: Token
  readonly relation: RangeVar
  readonly withClause: Expected['withClause']
  /** FROM or USING, and what the grammar read behind it. */
  readonly from: Token | undefined
  readonly others: readonly Node[] | undefined
  readonly whereClause: Node | undefined
  /** Where to look for WHERE from. */
  readonly after: number
}

/** SELECT … FROM target, others WHERE … */
function joined({ source, own, relation, withClause, from, others, whereClause, after }: Clauses, target: string): RowsQuery | undefined {
  const where = whereClause === undefined ? undefined : source.next('WHERE', after)
  const returning = source.next('RETURNING', where?.end ?? after)
  const end = returning?.start ?? source.end
  const tables = from === undefined ? '' : `, ${source.cut(from.end, where?.start ?? end)}\n`
  const condition = where === undefined ? '' : `WHERE ${source.cut(where.end, end)}\n`
  const before = source.with(withClause, own)
  const query: RowsQuery = {
    text: (columns) => `${before}SELECT ${columns} FROM ${target}\n${tables}${condition}`,
    all: `${rowName(relation)}.*`, row: rowName(relation), repeats: others !== undefined, atMost: false,
  }
  return isExactly(query.text('1'), { withClause, fromClause: [{ RangeVar: relation }, ...others ?? []], whereClause }) ? query : undefined
}

function insert(statement: InsertStmt, source: Source): Change[] {
  const { relation = {}, selectStmt, onConflictClause, withClause } = statement
  const atMost = onConflictClause !== undefined
  const kinds: Change[] = [{ kind: 'insert', relation, columns: [] }]
  if (onConflictClause?.action === 'ONCONFLICT_UPDATE') kinds.push({ kind: 'update', relation, columns: assigned(onConflictClause.targetList) })
  const select = selectStmt !== undefined && 'SelectStmt' in selectStmt ? selectStmt.SelectStmt : undefined
  if (select === undefined || select.valuesLists !== undefined) {
    const amount = { rows: select?.valuesLists?.length ?? 1, atMost }
    return kinds.map((kind) => ({ ...kind, amount }))
  }
  const rows = inserted(source, relation, withClause, { SelectStmt: select }, atMost)
  return kinds.map((kind) => ({ ...kind, rows }))
}

/** The query of an INSERT, from whichever place the grammar reads it as the same. */
function inserted(source: Source, relation: RangeVar, withClause: Expected['withClause'], subquery: Node, atMost: boolean): RowsQuery | undefined {
  const own = source.last('INSERT', relation.location ?? 0)
  if (own === undefined) return undefined
  const before = source.with(withClause, own)
  const conflict = atMost ? source.all('ON', own.end).at(-1) : undefined
  const ends = [...source.all('ON', own.end).map(({ start }) => start), source.next('RETURNING', own.end)?.start, conflict?.start, source.end]
  for (const begin of source.tokens) {
    if (begin.start <= (relation.location ?? 0) || begin.depth > 0 || !/^(select|with|table|values|\()$/i.test(begin.text)) continue
    for (const end of ends) {
      if (end === undefined || end <= begin.start) continue
      const select = source.cut(begin.start, end)
      const query = { text: (columns: string) => `${before}SELECT ${columns} FROM (\n${select}\n) AS sallyport_rows\n`, all: '*', row: '', repeats: false, atMost }
      const fromClause = [{ RangeSubselect: { subquery, alias: { aliasname: 'sallyport_rows' } } }]
      if (isExactly(query.text('1'), { withClause, fromClause, whereClause: undefined })) return query
    }
  }
  return undefined
}

/** Every row that is joined may change, and every row of the source that joins none may be added. */
function merge(statement: MergeStmt, source: Source): Change[] {
  const { relation = {}, mergeWhenClauses = [] } = statement
  const kinds = new Map<ChangeKind, string[]>()
  for (const node of mergeWhenClauses) {
    const clause = 'MergeWhenClause' in node ? node.MergeWhenClause : undefined
    const kind = MERGE_KINDS[clause?.commandType ?? '']
    if (kind !== undefined) kinds.set(kind, [...kinds.get(kind) ?? [], ...assigned(clause?.targetList)])
  }
  const bySource = mergeWhenClauses.some((node) => 'MergeWhenClause' in node && node.MergeWhenClause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE')
  const found = bySource ? undefined : mergeQueries(statement, source)
  return Array.from(kinds, ([kind, columns]) => ({ kind, relation, columns: kind === 'update' ? columns : [], rows: kind === 'insert' ? found?.unmatched : found?.matched }))
}

const MERGE_KINDS: Readonly<Record<string, ChangeKind>> = { CMD_INSERT: 'insert', CMD_UPDATE: 'update', CMD_DELETE: 'delete' }

function mergeQueries({ relation = {}, sourceRelation, joinCondition, withClause }: MergeStmt, source: Source): { matched: RowsQuery; unmatched: RowsQuery } | undefined {
  const into = source.last('INTO', relation.location ?? 0)
  const own = source.last('MERGE', into?.start ?? 0)
  const using = source.next('USING', relation.location ?? 0)
  const when = source.next('WHEN', using?.end ?? 0)
  if (into === undefined || own === undefined || using === undefined || when === undefined || sourceRelation === undefined) return undefined
  const before = source.with(withClause, own)
  const target = source.cut(into.end, using.start)
  for (const on of source.all('ON', using.end)) {
    const [other, condition] = [source.cut(using.end, on.start), source.cut(on.end, when.start)]
    const matched = { text: (columns: string) => `${before}SELECT ${columns} FROM ${target}\n, ${other}\nWHERE ${condition}\n`, all: `${rowName(relation)}.*`, row: rowName(relation), repeats: true, atMost: true }
    if (!isExactly(matched.text('1'), { withClause, fromClause: [{ RangeVar: relation }, sourceRelation], whereClause: joinCondition })) continue
    const unmatched = { text: (columns: string) => `${before}SELECT ${columns} FROM ${other}\nWHERE NOT EXISTS (SELECT FROM ${target}\nWHERE ${condition}\n)`, all: '*', row: '', repeats: false, atMost: true }
    return { matched, unmatched }
  }
  return undefined
}

function truncate({ relations = [], behavior }: TruncateStmt): Change[] {
  return relations.flatMap((node) => {
    if (!('RangeVar' in node)) return []
    const { schemaname, relname = '', inh } = node.RangeVar
    const name = `${inh === true ? '' : 'ONLY '}${schemaname === undefined ? quoted(relname) : quoted(schemaname, relname)}`
    const rows = { text: (columns: string) => `SELECT ${columns} FROM ${name}`, all: '*', row: quoted(relname), repeats: false, atMost: false }
    return [{ kind: 'truncate' as const, relation: node.RangeVar, columns: [], rows, cascades: behavior === 'DROP_CASCADE' }]
  })
}

function assigned(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((node) => ('ResTarget' in node && node.ResTarget.name !== undefined ? [node.ResTarget.name] : []))
}

/** Where the first assignment stands. */
function placeOf(list: readonly Node[] | undefined): number {
  const [first] = list ?? []
  return first !== undefined && 'ResTarget' in first ? (first.ResTarget.location ?? 0) : 0
}
