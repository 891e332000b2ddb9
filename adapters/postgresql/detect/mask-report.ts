import { isUtf8 } from 'node:buffer'
import { encodeError, encodeNotice, parseErrorFields, type NewErrorFields } from '../startup/error-fields.ts'
import type { ContentDetection } from './content-detection.ts'
import { maskTextFindings } from './mask-text-findings.ts'

/** Fields of an error or notice in which data may be quoted. */
const QUOTING = ['message', 'detail', 'hint', 'where', 'internalQuery'] as const
const ERROR = 0x45
const WITHHELD = 'this was withheld, for it held a value that is masked'

/** An ErrorResponse or NoticeResponse, what detection finds in its texts masked. `undefined`: nothing was found. */
export function maskReport(buffer: Buffer, start: number, end: number, detection: ContentDetection, key: Buffer): Buffer | undefined {
  // The detector takes characters, and in bytes that are no UTF-8 one for each.
  const encoding = isUtf8(buffer.subarray(start + 5, end)) ? 'utf8' : 'latin1'
  const { severity, severityText = 'ERROR', code = 'XX000', message = '', ...others } = parseErrorFields(buffer, start + 5, end, encoding)
  const fields: { -readonly [Name in keyof NewErrorFields]: NewErrorFields[Name] } = { ...others, severity: severity ?? severityText, severityText, code, message }
  let found = false
  for (const name of QUOTING) {
    const text = fields[name]
    const masked = text === undefined ? undefined : maskTextFindings(text, '', detection, { key })
    if (masked === undefined) continue
    found = true
    fields[name] = typeof masked === 'string' ? masked : WITHHELD
  }
  if (!found) return undefined
  return buffer[start] === ERROR ? encodeError(fields, encoding) : encodeNotice(fields, encoding)
}
