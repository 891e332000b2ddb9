/** Decisions as PostgreSQL messages: what a client reads when it may not, must wait, or may see only a part. */
import { WireViolation } from './wire/violation.ts'
import type { ApprovalRequested, Decision, ErrorCode, MaskMethod } from '../../core/index.ts'
import type { ContentDetection } from './detect/content-detection.ts'
import { createDetectingMask } from './detect/detecting-mask.ts'
import { maskReport } from './detect/mask-report.ts'
import { createRowMask, type MaskedColumn, type RowMask } from './mask/row-mask.ts'
import type { ValueMask } from './mask/value-mask.ts'
import { encodeError, encodeNotice, parseErrorFields } from './startup/error-fields.ts'
import type { Exceeded } from './limit-watch.ts'
import type { ErrorExposure } from './sql/index.ts'
import { decodeRowDescription, type ColumnDescription } from './wire/backend.ts'

/** Our codes in PostgreSQL's words. Source: PostgreSQL documentation, appendix A. */
export const SQLSTATE = {
  STORE_CONFLICT: '58000',
  STORE_UNAVAILABLE: '58000',
  STORE_CORRUPT: '58000',
  STORE_LOCKED: '58000',
  STORE_REFUSED: '58000',
  BUS_UNAVAILABLE: '58000',
  BUS_TIMEOUT: '58000',
  BUS_REFUSED: '58000',
  RULES_INVALID: '58000',
  RULE_FAILED: '58000',
  CONFIG_INVALID: 'F0000',
  APPROVAL_REFUSED: '42501',
  APPROVAL_UNKNOWN: '42501',
  GRANT_REFUSED: '42501',
  GRANT_UNKNOWN: '42501',
  PROTOCOL_VIOLATION: '08P01',
  TARGET_UNAVAILABLE: '08006',
  ACCESS_REFUSED: '28000',
} as const satisfies Record<ErrorCode, string>

export const INSUFFICIENT_PRIVILEGE = '42501'
export const SYSTEM_ERROR = '58000'
export const QUERY_CANCELED = '57014'
export const ADMIN_SHUTDOWN = '57P01'
export const PROGRAM_LIMIT_EXCEEDED = '54000'

/** The ErrorResponse for a command that will not run. The session goes on. */
export function refusal(decision: Decision): Buffer {
  const { verdict, id } = decision
  const code = verdict.by === 'failure' ? SYSTEM_ERROR : INSUFFICIENT_PRIVILEGE
  const message = verdict.by === 'failure' ? verdict.reason : `blocked by policy: ${verdict.reason}`
  return encodeError({ severity: 'ERROR', code, message, hint: `This is recorded as event ${id}; give that id to whoever can change the policy.` })
}

export function cancelled(): Buffer {
  return encodeError({ severity: 'ERROR', code: QUERY_CANCELED, message: 'canceling statement due to user request' })
}

export interface BeyondLimit {
  readonly code: string
  readonly message: string
  readonly bytes: Buffer
}

/** The ErrorResponse for a command that went beyond a limit. `kept` is the target's word when it had completed it for good. */
export function beyondLimit(decision: Decision | undefined, { name, value }: Exceeded, kept: string | undefined): BeyondLimit {
  const code = PROGRAM_LIMIT_EXCEEDED
  const message = `limit reached: more than ${value} ${name}`
  const detail = kept === undefined ? {} : { detail: `The target had completed it before it could be ended, and what it did is kept (${kept}).` }
  const hint = `This is recorded as event ${decision?.id ?? ''}; give that id to whoever can change the policy.`
  return { code, message, bytes: encodeError({ severity: 'ERROR', code, message, ...detail, hint }) }
}

export function fatal(code: string, message: string, hint?: string): Buffer {
  return encodeError({ severity: 'FATAL', code, message, ...(hint === undefined ? {} : { hint }) })
}

/** Tells the client that its statement waits, for whom, and how to go on. */
export function holdNotice(request: ApprovalRequested, reason: string): Buffer {
  const { approval, terms, expires } = request
  return encodeNotice({
    severity: 'NOTICE',
    code: '00000',
    message: `waiting for approval ${approval}: ${reason}`,
    detail: `May be approved by ${terms.approvers.join(', ') || 'nobody'} until ${expires}.`,
    hint: `A reviewer runs: sallyport approvals approve ${approval}. Cancel the statement to withdraw it.`,
  })
}

export interface MaskedResultOptions {
  /** For the keyed hash. */
  readonly key: Buffer
  readonly clientEncoding: string
  /** A masked column is known to come out: rows that nobody described are refused. */
  readonly strict: boolean
  /** What is looked for in columns without a mask. */
  readonly detection?: ContentDetection | undefined
}

const NOT_DETECTING: ReadonlyMap<number, ValueMask> = new Map()

type MethodOf = (table: number, attribute: number) => MaskMethod | undefined

interface Described {
  readonly columnCount: number
  readonly masked: readonly MaskedColumn[]
  readonly names: readonly string[]
  readonly columns: readonly ColumnDescription[]
}

/** Descriptions that were taken apart, per set of masks: a prepared statement has the same one each time. */
const descriptions = new WeakMap<MethodOf, Map<string, Described>>()
const MAX_DESCRIPTIONS = 1000

/** The masks of one run's rows, by table OID and attribute number. */
export class MaskedResult {
  readonly #methodOf: MethodOf
  readonly #options: MaskedResultOptions
  #columns: Set<string> | undefined
  #shape: readonly ColumnDescription[] = []
  #current: RowMask | undefined
  #described = false
  #values = 0

  constructor(methodOf: MethodOf, options: MaskedResultOptions) {
    this.#methodOf = methodOf
    this.#options = options
  }

  /** A RowDescription message: the shape of the rows that follow. */
  describe(message: Buffer, start: number, end: number): void {
    this.end()
    this.#described = true
    const { columnCount, masked, names, columns } = this.#look(message, start, end)
    const detecting = this.#detecting(columns)
    if (masked.length === 0 && detecting.size === 0) return
    if (masked.length > 0) this.#columns ??= new Set()
    for (const name of names) this.#columns?.add(name)
    const { key, clientEncoding } = this.#options
    this.#shape = columns
    this.#current = createRowMask(masked, { columnCount, key, clientEncoding, detecting })
  }

  #detecting(columns: readonly ColumnDescription[]): ReadonlyMap<number, ValueMask> {
    const { detection, ...options } = this.#options
    if (detection === undefined) return NOT_DETECTING
    return new Map(columns.flatMap((column, index) => {
      const mask = createDetectingMask(column, detection, options)
      return mask === undefined ? [] : [[index, mask] as const]
    }))
  }

  /** Masks one DataRow in place, or returns what goes in its place. Rows that were never described are refused. */
  apply(buffer: Buffer, start: number, end: number): Buffer | undefined {
    if (!this.#described && this.strict) throw new WireViolation('rows came without a description, so they cannot be masked')
    return this.#current?.apply(buffer, start, end)
  }

  /** True when the rows that follow pass as they are. */
  get passes(): boolean {
    return this.#current === undefined && (this.#described || !this.strict)
  }

  /** The result is over; the next one needs its own description. */
  end(): void {
    this.#values += this.#current?.values ?? 0
    for (const index of this.#current?.detected ?? []) (this.#columns ??= new Set()).add(this.#shape[index]?.name ?? String(index))
    this.#current = undefined
    this.#described = false
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
    return { columns: [...this.#columns], values: this.#values + (this.#current?.values ?? 0) }
  }

  #look(message: Buffer, start: number, end: number): Described {
    let known = descriptions.get(this.#methodOf)
    if (known === undefined) descriptions.set(this.#methodOf, (known = new Map()))
    const text = message.toString('latin1', start, end)
    let described = known.get(text)
    if (described === undefined) {
      if (known.size >= MAX_DESCRIPTIONS) known.clear()
      known.set(text, (described = this.#takeApart(decodeRowDescription(message, start, end))))
    }
    return described
  }

  #takeApart(columns: readonly ColumnDescription[]): Described {
    const masked = columns.flatMap((column, index) => this.#maskOf(column, index))
    return { columnCount: columns.length, masked, names: masked.map(({ index }) => columns[index]?.name ?? String(index)), columns }
  }

  #maskOf(column: ColumnDescription, index: number): MaskedColumn[] {
    const method = this.#methodOf(column.table, column.attribute)
    if (method === undefined) return []
    const { type, typmod, format } = column
    return [{ index, type, typmod, format, method }]
  }
}

/**
 * An ErrorResponse or NoticeResponse without the fields that may quote data: DETAIL, HINT, CONTEXT and internal queries;
 * where even the message may (a trigger says what it likes), without that.
 */
export function withoutDetails(buffer: Buffer, start: number, end: number, exposure: ErrorExposure): Buffer {
  const { severity = 'ERROR', severityText = severity, code = 'XX000', message: said = '', position, schema, table, constraint } = parseErrorFields(buffer, start + 5, end, 'latin1')
  const message = exposure === 'message' ? 'the target reported an error; its text is withheld, for it could quote a masked column' : said
  const kept = { severity, severityText, code, message, ...(position === undefined ? {} : { position }), ...(schema === undefined ? {} : { schema }), ...(table === undefined ? {} : { table }), ...(constraint === undefined ? {} : { constraint }) }
  const hint = 'Details were removed: they could quote a masked column.'
  const encode = buffer[start] === 0x45 ? encodeError : encodeNotice
  return encode({ ...kept, hint }, 'latin1')
}
