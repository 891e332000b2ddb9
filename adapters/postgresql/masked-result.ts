/** The masks of one run's rows, put to work on the messages that carry them. */
import type { ContentDetection } from './detect/content-detection.ts'
import { copyColumns, copyDetectingMasks } from './detect/copy-detecting-masks.ts'
import { createDetectingMask } from './detect/detecting-mask.ts'
import { maskReport } from './detect/mask-report.ts'
import { createCopyMask, valueFormat, type CopyMask } from './mask/copy-mask.ts'
import type { MessageMask } from './mask/message-mask.ts'
import { createRowMask, type MaskedColumn } from './mask/row-mask.ts'
import type { ValueMask } from './mask/value-mask.ts'
import { ORIGINS, UNKNOWN_TABLE, type CopyShape, type MaskTerms, type ResultMask } from './sql/index.ts'
import { decodeCopyOut, decodeRowDescription, type ColumnDescription } from './wire/backend.ts'
import { WireViolation } from './wire/violation.ts'

export interface MaskedResultOptions {
  /** For the keyed hash. */
  readonly key: Buffer
  readonly clientEncoding: string
  /** A masked column is known to come out: rows that nobody described are refused. */
  readonly strict: boolean
  /** What becomes of the rows of each statement, by its place in the text; `unmasked` when no mask is in force. */
  readonly results: readonly ResultMask[] | 'unmasked'
  /** What is looked for in columns without a mask. */
  readonly detection?: ContentDetection | undefined
  /** Where something is looked for: what is known of each COPY, by its place in the text. */
  readonly copies?: readonly (CopyShape | undefined)[]
}

export type MaskOf = (table: number, attribute: number) => MaskTerms | undefined

interface Described {
  readonly columnCount: number
  readonly masked: readonly MaskedColumn[]
  readonly names: readonly string[]
  readonly columns: readonly ColumnDescription[]
}

/** Descriptions that were taken apart, per plan: a prepared statement has the same one each time. */
const descriptions = new WeakMap<MaskOf, Map<string, Described>>()
const MAX_DESCRIPTIONS = 1000

const WHOLE: MaskTerms = Object.freeze({ method: 'fixed', whole: true })
const NOT_DETECTING: ReadonlyMap<number, ValueMask> = new Map()
const EVERYTHING: ResultMask = Object.freeze({ kind: 'everything' })
const EMPTY = Buffer.alloc(0)

/**
 * Masks by table OID and attribute number, and by place what has no origin. It has to know which statement's rows it is
 * at: `end` says that one is over. Rows that do not fit what is known of their statement are masked altogether.
 */
export class MaskedResult {
  readonly #maskOf: MaskOf
  readonly #options: MaskedResultOptions
  #columns: Set<string> | undefined
  /** Of the columns at hand. */
  #names: readonly string[] = []
  #current: MessageMask | undefined
  #copy: CopyMask | undefined
  #described = false
  #statement = 0
  /** A statement has one description. */
  #descriptions = 0
  #values = 0

  constructor(maskOf: MaskOf, options: MaskedResultOptions) {
    this.#maskOf = maskOf
    this.#options = options
  }

  /** A RowDescription message: the shape of the rows that follow. */
  describe(message: Buffer, start: number, end: number): void {
    this.#close()
    this.#described = true
    const expected = this.#descriptions++ === 0 ? this.#result() : EVERYTHING
    const { columnCount, masked, names, columns } = this.#look(message, start, end, expected)
    const detecting = this.#detecting(columns)
    if (masked.length === 0 && detecting.size === 0) return
    if (masked.length > 0) this.#note(names)
    const { key, clientEncoding } = this.#options
    this.#names = columns.map(({ name }) => name)
    this.#current = createRowMask(masked, { columnCount, key, clientEncoding, detecting })
  }

  #detecting(columns: readonly ColumnDescription[]): ReadonlyMap<number, ValueMask> {
    const { detection, key, clientEncoding } = this.#options
    if (detection === undefined) return NOT_DETECTING
    return new Map(columns.flatMap((column, index) => {
      const mask = createDetectingMask(column, detection, { key, clientEncoding })
      return mask === undefined ? [] : [[index, mask] as const]
    }))
  }

  /** Masks DataRows where they stand, or returns what goes in their place; see `MessageMask`. Rows that were never described are refused. */
  apply(buffer: Buffer, start: number, end: number, reusable = false): Buffer | undefined {
    if (!this.#described && this.strict) throw new WireViolation('rows came without a description, so they cannot be masked')
    return this.#current?.apply(buffer, start, end, reusable)
  }

  /** True when the rows that follow pass as they are. */
  get passes(): boolean {
    return this.#current === undefined && (this.#described || !this.strict)
  }

  /** A CopyOutResponse message: rows follow in CopyData. */
  copyBegins(message: Buffer, start: number, end: number): void {
    this.#close()
    const expected = this.#result()
    const { detection, copies = [], key, clientEncoding } = this.#options
    if (expected.kind === 'origins' && detection === undefined) return
    const { binary, columns: count } = decodeCopyOut(message, start, end)
    const shape = copies[this.#statement]
    const format = expected.kind === 'copy' ? expected.format : expected.kind === 'origins' ? shape?.format : undefined
    const masked = expected.kind === 'copy' ? expected.columns : Array.from({ length: count }, () => undefined)
    if (format === undefined || binary !== (format.kind === 'binary') || count !== masked.length) {
      throw new WireViolation('rows of a COPY came that cannot be masked, for they are not those that were asked for')
    }
    const known = copyColumns(shape, count)
    this.#names = known.map(({ name }, index) => name || String(index + 1))
    this.#note(this.#names.filter((_, index) => masked[index] !== undefined))
    const detecting = detection === undefined ? NOT_DETECTING : copyDetectingMasks(known, valueFormat(format), detection, { key, clientEncoding })
    const copy = createCopyMask(format, masked, { key, clientEncoding, detecting })
    if (copy.masksAny) this.#copy = copy
  }

  /** True when the bytes of a COPY have to be changed. */
  get copies(): boolean {
    return this.#copy !== undefined
  }

  /** Masks CopyDatas where they stand, or returns what goes in their place, which may be nothing; see `MessageMask`. */
  copyData(buffer: Buffer, start: number, end: number, reusable: boolean): Buffer | undefined {
    return this.#copy?.apply(buffer, start, end, reusable)
  }

  /** The messages that are left when the rows of a COPY are over. */
  copyEnds(): Buffer {
    return this.#copy?.end() ?? EMPTY
  }

  /** A statement is over; what comes next is the next one's, and needs its own description. */
  end(): void {
    this.#close()
    this.#descriptions = 0
    this.#statement++
  }

  get strict(): boolean {
    return this.#options.strict
  }

  get described(): boolean {
    return this.#described
  }

  /** An error or notice of the run, what detection finds in it masked; the same message when there is nothing. */
  report(message: Buffer): Buffer {
    const { detection, key } = this.#options
    return detection === undefined ? message : maskReport(message, 0, message.length, detection, key) ?? message
  }

  summary(): { columns: string[]; values: number } | undefined {
    if (this.#columns === undefined) return undefined
    return { columns: [...this.#columns], values: this.#values + (this.#current?.values ?? 0) + (this.#copy?.values ?? 0) }
  }

  #result(): ResultMask {
    const { results } = this.#options
    return results === 'unmasked' ? ORIGINS : results[this.#statement] ?? EVERYTHING
  }

  #note(names: readonly string[]): void {
    if (names.length === 0) return
    this.#columns ??= new Set()
    for (const name of names) this.#columns.add(name)
  }

  #close(): void {
    this.#values += (this.#current?.values ?? 0) + (this.#copy?.values ?? 0)
    for (const index of (this.#current ?? this.#copy)?.detected ?? []) this.#note([this.#names[index] ?? String(index)])
    this.#current = undefined
    this.#copy = undefined
    this.#described = false
  }

  #look(message: Buffer, start: number, end: number, expected: ResultMask): Described {
    let known = descriptions.get(this.#maskOf)
    if (known === undefined) descriptions.set(this.#maskOf, (known = new Map()))
    const place = expected === EVERYTHING ? '' : String(this.#statement)
    const text = `${place}:${message.toString('latin1', start, end)}`
    let described = known.get(text)
    if (described === undefined) {
      if (known.size >= MAX_DESCRIPTIONS) known.clear()
      known.set(text, (described = this.#takeApart(decodeRowDescription(message, start, end), expected)))
    }
    return described
  }

  #takeApart(columns: readonly ColumnDescription[], expected: ResultMask): Described {
    const masked = columns.flatMap((column, index) => this.#masked(column, index, columns.length, expected))
    return { columnCount: columns.length, masked, names: masked.map(({ index }) => columns[index]?.name ?? String(index)), columns }
  }

  #masked(column: ColumnDescription, index: number, count: number, expected: ResultMask): MaskedColumn[] {
    const known = this.#maskOf(column.table, column.attribute)
    const own = known === UNKNOWN_TABLE && expected.kind === 'places' && expected.made !== undefined && count === expected.columns ? expected.made[index] : known
    const terms = isHidden(column, index, count, expected) ? strictest(own) : own
    if (terms === undefined) return []
    const { type, typmod, format } = column
    return [{ index, type, typmod, format, ...terms }]
  }
}

/** Whether nothing may be seen of a column, whatever its origin. */
export function isHidden({ table, attribute }: Pick<ColumnDescription, 'table' | 'attribute'>, index: number, count: number, expected: ResultMask): boolean {
  // A whole row has the table as its origin, and no attribute.
  const computed = table === 0 || attribute === 0
  switch (expected.kind) {
    case 'origins': return false
    case 'computed': return computed
    case 'places': return count !== expected.columns || expected.whole.has(index) || (computed && expected.plain.has(index))
    case 'copy':
    case 'everything': return true
    default: return expected satisfies never
  }
}

function strictest(own: MaskTerms | undefined): MaskTerms {
  return own?.method === 'null' ? { ...WHOLE, method: 'null' } : WHOLE
}
