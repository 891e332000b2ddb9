import type { CatalogueConnection } from '../auth/catalogue-connection.ts'
import { columnPattern } from '../sql/mask-pattern.ts'
import { VERIFIABLE } from './data-class.ts'
import { type NameEvidence, nameEvidence } from './name-evidence.ts'
import { sampleTable, type TableSample } from './sample-table.ts'
import { type ClassifiableColumn, type ClassifiableTable, readTables } from './table-columns.ts'
import { type ValueEvidence, type Values, valueEvidence } from './value-evidence.ts'

export interface ProposeOptions {
  /** Rows to look at, of each table; 0: judge by names and types alone. Default 200. */
  readonly sampleRows?: number
  /** For one query at the target. Default 3000. */
  readonly statementTimeoutMs?: number
  /** For all samples; tables left then are judged by names. Default 60,000. */
  readonly sampleTimeMs?: number
  /** Default 0.5. */
  readonly minConfidence?: number
  /** Columns already classified (patterns as in the configuration); they are left out. */
  readonly known?: readonly string[]
  readonly signal?: AbortSignal
}

export interface Proposal {
  /** `schema.table.column`, parts quoted where they have to be. */
  readonly column: string
  readonly class: string
  /** 0 to 1, two decimals. */
  readonly confidence: number
  /** `name and 98 % of 200 sampled values`. Never a value. */
  readonly why: string
}

export interface Proposals {
  readonly proposals: readonly Proposal[]
  readonly tables: number
  readonly columns: number
  /** Tables of which values were looked at. */
  readonly sampled: number
  /** Tables that could not be sampled, and why. */
  readonly notes: readonly string[]
}

/**
 * Proposes data classes for the columns of a database. Values are looked at in memory and neither kept nor told. Rejects
 * with `UpstreamError` when the catalogue cannot be read or the connection is lost.
 */
export async function proposeClasses(connection: CatalogueConnection, options: ProposeOptions = {}): Promise<Proposals> {
  const { sampleRows = 200, statementTimeoutMs = 3000, sampleTimeMs = 60_000, minConfidence = 0.5, known = [], signal } = options
  const tables = await readTables(connection, signal)
  const isKnown = classified(known)
  const until = performance.now() + sampleTimeMs
  const proposals: Proposal[] = []
  const notes: string[] = []
  let sampled = 0
  for (const table of tables) {
    signal?.throwIfAborted()
    const why = reasonNotToSample(table, sampleRows, performance.now() < until)
    const sample: TableSample = why === undefined ? await sampleTable(connection, table, { rows: sampleRows, timeoutMs: statementTimeoutMs, signal }) : { refused: why }
    if ('values' in sample) sampled++
    else if (sampleRows > 0) notes.push(`${patternOf(table)}: by names alone, ${why ?? `the target refused the sample (SQLSTATE ${sample.refused})`}`)
    for (const column of table.columns) {
      if (isKnown(table, column)) continue
      const proposal = propose(table, column, sample)
      if (proposal !== undefined && proposal.confidence >= minConfidence) proposals.push(proposal)
    }
  }
  return { proposals, tables: tables.length, columns: tables.reduce((sum, { columns }) => sum + columns.length, 0), sampled, notes }
}

function reasonNotToSample({ foreign, columns }: ClassifiableTable, sampleRows: number, inTime: boolean): string | undefined {
  if (sampleRows === 0) return 'as asked'
  if (foreign) return 'it is a foreign table'
  if (!columns.some(({ readable }) => readable)) return 'the gateway may not read it'
  return inTime ? undefined : 'the time for samples was used up'
}

function classified(patterns: readonly string[]): (table: ClassifiableTable, column: ClassifiableColumn) => boolean {
  const known = patterns.map(columnPattern).filter((pattern) => pattern !== undefined)
  return (table, column) => known.some((pattern) => pattern.matches(table.schema, table.name, column.name))
}

function propose(table: ClassifiableTable, column: ClassifiableColumn, sample: TableSample): Proposal | undefined {
  const sampled = 'values' in sample ? sample.values.get(column) : undefined
  const values = sampled === undefined ? undefined : valueEvidence(sampled, column.name, column.kind)
  const verdict = weigh(named(table, column), values) ?? byType(column)
  if (verdict === undefined) return undefined
  return { column: patternOf(table, column), class: verdict.class, confidence: Math.round(Math.min(verdict.confidence, 0.99) * 100) / 100, why: verdict.why }
}

/** A domain says what it is for as well as the column does. */
function named(table: ClassifiableTable, column: ClassifiableColumn): NameEvidence | undefined {
  const own = nameEvidence(table.name, column.name, column.kind)
  const domain = column.domain === '' ? undefined : nameEvidence('', column.domain, column.kind)
  return (domain?.confidence ?? 0) > (own?.confidence ?? 0) ? domain : own
}

interface Verdict { readonly class: string; readonly confidence: number; readonly why: string }

function weigh(name: NameEvidence | undefined, values: Values | undefined): Verdict | undefined {
  const evidence = values?.evidence
  if (name === undefined) return evidence === undefined ? undefined : { ...evidence, why: told(evidence, values) }
  if (evidence === undefined) return byName(name, values)
  if (agree(name, evidence)) return { class: name.class, confidence: 1 - (1 - name.confidence) * (1 - evidence.confidence), why: `name and ${told(evidence, values)}` }
  if (evidence.confidence > name.confidence && evidence.whole) return { ...evidence, why: told(evidence, values) }
  return byName(name, values)
}

/** The secrets are near relations: a token named a key is what it is named. */
function agree(name: NameEvidence, evidence: ValueEvidence): boolean {
  return name.class === evidence.class || name.class.startsWith('secret.') && evidence.class.startsWith('secret.')
}

/** Where values would have shown it and do not, the name is doubted; a card's number may be one without its check digit. */
function byName({ class: dataClass, confidence }: NameEvidence, values: Values | undefined): Verdict {
  if (values === undefined || values.looked === 0) return { class: dataClass, confidence, why: 'name' }
  if (dataClass === 'pii.card-number' && values.cardLike >= 0.8) return { class: dataClass, confidence, why: 'name and number of digits' }
  if (values.looked < 10 || !VERIFIABLE.has(dataClass)) return { class: dataClass, confidence, why: 'name' }
  return { class: dataClass, confidence: confidence * 0.6, why: `name; hardly any of ${values.looked} sampled values looks like it` }
}

function byType({ kind, type }: ClassifiableColumn): Verdict | undefined {
  return kind === 'inet' ? { class: 'pii.ip-address', confidence: 0.75, why: `type ${type}` } : undefined
}

function told({ share, whole }: ValueEvidence, values: Values | undefined): string {
  const percent = Math.round(share * 100)
  return `${percent} % of ${values?.looked ?? 0} sampled values${whole ? '' : ', among other things'}`
}

/** As the configuration writes columns. */
function patternOf(table: ClassifiableTable, column?: ClassifiableColumn): string {
  return [table.schema, table.name, ...(column === undefined ? [] : [column.name])].map(part).join('.')
}

/** Bare where nothing in it means something in a pattern. */
function part(name: string): string {
  return /^[^\s".*]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
